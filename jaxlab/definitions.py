"""How often the names of tasks, modules and optimisers were given another meaning.

A specification names what a program defines. Each part of one notes, when it is made, how often its
name was given another meaning before; parts that differ in that must not stand in one sweep.
"""

from collections import Counter
from collections.abc import Mapping, MutableMapping
from typing import TypeVar

T = TypeVar("T")

_CHANGES: Counter[tuple[str, str]] = Counter()
_NOTE = "_meaning"  # no field: what a name means in a process is no part of a specification


def register(kind: str, name: str, meaning: T, meanings: MutableMapping[str, T]) -> None:
    """Give a name of this kind its meaning among others; another one than before is counted."""
    if name in meanings and meanings[name] != meaning:
        _CHANGES[kind, name] += 1
    meanings[name] = meaning


def note(part: object, kind: str, name: str) -> None:
    """Note in a part of a specification which meaning its name has now."""
    object.__setattr__(part, _NOTE, (kind, name, _CHANGES[kind, name]))


def check_agreement(parts: Mapping[str, object]) -> None:
    """Raise ValueError where parts, by setting, have one name from before and after a change."""
    first: dict[tuple[str, str], tuple[str, int]] = {}
    for setting, part in parts.items():
        kind, name, changes = getattr(part, _NOTE)
        earlier, before = first.setdefault((kind, name), (setting, changes))
        if changes != before:
            raise ValueError(
                f"settings {earlier!r} and {setting!r} both name the {kind} {name!r}, which was "
                "defined with another meaning in between; each meaning must have its own name"
            )
