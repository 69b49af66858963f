"""Checks of given values: a ValueError says in one short line what is wrong and what is right.

Nothing here trusts a value: it may be of any type, and too long or too deep to be shown.
"""

import dataclasses
import json
import reprlib
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MOST_CHARACTERS = 200  # of a name
MOST_OF_TEXT = 10_000  # characters; XLA's flags, say, can be many
UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of what no line of text can hold
# Marks that turn the direction of what follows them: "\u202e% 1 fo" would be read as "of 1 %".
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LONGEST_SHOWN = 100

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 4, 60, 60


def shown(value: object) -> str:
    """Return a value as Python writes it, in one line and abbreviated.

    >>> shown("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxx'"
    """
    try:
        text = _SHORT.repr(value).replace("\n", " ")
    except ValueError:  # Python refuses to write whole numbers of thousands of digits
        text = "a number too long to be shown"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def check(ok: bool, name: str, value: object, right: str) -> None:
    """Raise ValueError with the value and what is right unless it is `ok`."""
    if not ok:
        raise ValueError(f"{name} is {shown(value)}; it must be {right}")


def one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise ValueError unless a text is one of those allowed."""
    ok = isinstance(value, str) and value in allowed
    check(ok, name, value, "one of " + ", ".join(allowed))


def unknown(name: str, value: object, known: Iterable[str]) -> ValueError:
    """Return the error for a name that nothing is done for, be it among those allowed or not."""
    right = ", ".join(other for other in known if other != value)
    return ValueError(
        f"{name} is {shown(value)}, which is not known here; it must be one of {right}"
    )


def is_number(value: Any) -> bool:
    """Say whether a value is a finite number that float64 can hold; true and false are none."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and bool(abs(value) <= sys.float_info.max)


def number(name: str, value: Any, low: float, right: str, *, open_: bool = False) -> None:
    """Raise ValueError unless a finite number is at least `low`, above it if that is `open_`."""
    ok = is_number(value) and (value > low if open_ else value >= low)
    check(ok, name, value, right)


def whole(name: str, value: Any, low: int, high: int) -> None:
    """Raise ValueError unless a value is a whole number from `low` to `high`."""
    ok = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    check(ok, name, value, f"a whole number, at least {low} and at most {high}")


def name(what: str, value: object) -> None:
    """Raise ValueError unless a value can be a name: a short text that fits into a line."""
    ok = isinstance(value, str) and 0 < len(value) <= MOST_CHARACTERS and is_line(value)
    right = f"a name: 1 to {MOST_CHARACTERS} characters, no line breaks or control characters"
    check(ok, what, value, right)


def is_line(text: str) -> bool:
    """Say whether a text fits into a line and is read in the order in which it is written."""
    return not any(unicodedata.category(c) in UNWRITABLE or c in TURNING for c in text)


def text(what: str, value: object) -> None:
    """Raise ValueError unless a value is a text that fits into a line; it may be empty."""
    ok = isinstance(value, str) and len(value) <= MOST_OF_TEXT and is_line(value)
    check(ok, what, value, f"a line of text, at most {MOST_OF_TEXT:,} characters")


def items(name: str, value: Any, right: str) -> tuple[Any, ...]:
    """Return a list or another sequence, but no text, as a tuple; ValueError if it is none."""
    ok = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    check(ok, name, value, f"a list: {right}")
    return tuple(value)


def fields(kind: type, content: Any) -> dict[str, Any]:
    """Return a mapping that has fields of a dataclass only, and all that have no default."""
    what, known = kind.__name__.lower(), {f.name: f for f in dataclasses.fields(kind)}
    listed = ", ".join(known)
    check(isinstance(content, Mapping), what, content, f"fields with values: {listed}")
    for given in content:
        one_of(f"a field of {what}", given, tuple(known))
    needed = [n for n, f in known.items() if f.default is f.default_factory is dataclasses.MISSING]
    for missing in needed:
        if missing not in content:
            raise ValueError(f"{what} has no {missing!r}; it must have {', '.join(needed)}")
    return dict(content)


def read_json(text: str) -> Any:
    """Return what a JSON text holds; ValueError if it is none, or ambiguous, or nested too deep."""
    check(isinstance(text, str), "JSON", text, "a text")
    try:
        return json.loads(text, object_pairs_hook=_unambiguous)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply; it must be a specification") from None


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {}
    for field, value in pairs:
        if field in found:
            raise ValueError(f"the JSON gives {shown(field)} twice; it must be given once")
        found[field] = value
    return found
