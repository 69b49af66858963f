"""A grid of settings: one setting with two of its numbers varied, and what became of its cells.

Cells are settings like any others, but too many to be named, tested and stored one by one: a grid
keeps the counts of outcomes for every cell. The same seeds are used in all of them.
"""

import dataclasses
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import outcomes
from jaxlab.spec import Setting, setting_from_dict


def replaced(spec: Any, path: str, value: float) -> Any:
    """Return a specification with the number at a path replaced.

    A path is made of names and, for tuples, positions or * for all: "network.slope",
    "initialisers.*.scale", "task.numbers.high". ValueError names the part that is not there, or
    what is there instead of a number.
    """
    name, _, rest = path.partition(".")

    def inner(part: Any) -> Any:
        if rest:
            return replaced(part, rest, value)
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError(f"{path!r} leads to {part!r}; it must lead to a number")
        return round(value) if isinstance(part, int) else value

    if isinstance(spec, tuple):
        chosen = range(len(spec)) if name == "*" else [int(name)] if name.isdigit() else []
        if chosen and max(chosen) < len(spec):
            return tuple(inner(part) if i in chosen else part for i, part in enumerate(spec))
    elif isinstance(spec, Mapping):
        if name in spec:
            return {**spec, name: inner(spec[name])}
    elif dataclasses.is_dataclass(spec) and name in {f.name for f in dataclasses.fields(spec)}:
        return dataclasses.replace(spec, **{name: inner(getattr(spec, name))})  # pyright: ignore
    raise ValueError(f"{path!r} leads nowhere: there is no {name!r} in {spec!r}")


@dataclass(frozen=True)
class Axis:
    """What varies along a side of a grid: the numbers at all of the paths, by the same values."""

    label: str
    paths: tuple[str, ...]
    values: Sequence[float]

    def __post_init__(self):
        object.__setattr__(self, "paths", tuple(self.paths))
        object.__setattr__(self, "values", tuple(float(v) for v in self.values))
        if not self.paths or not self.values:
            raise ValueError(f"axis {self.label!r} is empty; it needs a path and a value")
        if not np.all(np.diff(self.values) > 0):
            raise ValueError(f"values of axis {self.label!r} must ascend")

    def at(self, setting: Setting, i: int) -> Setting:
        """Return the setting with the axis's numbers at their i-th value."""
        for path in self.paths:
            setting = replaced(setting, path, self.values[i])
        return setting


@dataclass(frozen=True)
class Grid:
    """A named grid: a setting, what varies from row to row, and what from column to column."""

    name: str
    base: Setting
    rows: Axis
    columns: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.rows.values), len(self.columns.values)

    def to_json(self) -> str:
        """Return the grid as JSON; `grid_from_json` gives back an equal grid."""
        return json.dumps(dataclasses.asdict(self))


def grid_from_json(text: str) -> Grid:
    """Build the grid that `Grid.to_json` wrote; ValueError where the text is something else."""
    try:
        content = json.loads(text)
        base = setting_from_dict(content["base"])
        return Grid(content["name"], base, Axis(**content["rows"]), Axis(**content["columns"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a grid: {error}") from error


@dataclass(frozen=True)
class GridResult:
    """A grid and the counts (rows, columns, outcomes) of what became of its members."""

    grid: Grid
    counts: np.ndarray

    @property
    def n(self) -> np.ndarray:
        """Members per cell (rows, columns)."""
        return self.counts.sum(axis=-1)

    def share(self, *names: str) -> np.ndarray:
        """Return the share of members (rows, columns) that ended in any of the classes."""
        chosen = [outcomes.OUTCOMES.index(name) for name in names]
        return self.counts[..., chosen].sum(axis=-1) / np.maximum(self.n, 1)

    def __str__(self) -> str:
        """Show the commonest outcome of every cell as a letter, the last row on top."""
        used = self.counts.sum(axis=(0, 1)) > 0
        letters = np.array([_LETTERS[name] for name in outcomes.OUTCOMES])
        rows, columns = self.grid.rows, self.grid.columns
        lines = [f"{rows.label} (upwards) x {columns.label}: the commonest outcome"]
        common = np.where(self.n > 0, letters[self.counts.argmax(axis=-1)], " ")
        for i in reversed(range(len(common))):
            lines.append(f"{rows.values[i]:>9.3g} {''.join(common[i])}"[:80])
        ends = f"{columns.values[0]:.3g}", f"{columns.values[-1]:.3g}"
        room = max(len(ends[0]) + 1, len(columns.values) - len(ends[1]))
        lines.append(f"{'':>9} {ends[0]:<{room}}{ends[1]}")
        key = [f"{_LETTERS[o]} {o}" for o, is_used in zip(outcomes.OUTCOMES, used, strict=True)]
        key = [text for text, is_used in zip(key, used, strict=True) if is_used]
        return "\n".join([*lines, *textwrap.wrap("   ".join(key), 80)])


_LETTERS = {
    "solved": ".",
    "right_only": ">",
    "left_only": "<",
    "partial": "p",
    "constant": "c",
    "linear": "l",
    "dead": "#",
    "diverged": "!",
    "unfinished": "u",
    "other": "?",
}
