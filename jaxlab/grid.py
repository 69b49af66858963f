"""A grid of settings: one setting with two of its numbers varied, and what became of its cells.

Cells are settings like any others, but too many to be named, tested and stored one by one: a grid
keeps the counts of outcomes for every cell. The same seeds are used in all of them.
"""

import dataclasses
import itertools
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import outcomes, validation
from jaxlab.spec import Setting, setting_from_dict
from jaxlab.validation import check, shown

MOST_CELLS = 4096  # along a side


def replaced(spec: Any, path: str, value: float) -> Any:
    """Return a specification with the number at a path replaced.

    A path is made of names and, for tuples, positions or * for all: "network.slope",
    "initialisers.*.scale", "task.numbers.high". ValueError names the part that is not there, or
    what is there instead of a number.
    """
    validation.number("value of a cell", value, -math.inf, "a finite number")
    name, _, rest = path.partition(".")

    def inner(part: Any) -> Any:
        if rest:
            return replaced(part, rest, value)
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError(f"{shown(path)} leads to {shown(part)}; it must lead to a number")
        return round(value) if isinstance(part, int) else value

    if isinstance(spec, tuple):
        chosen = [i for i in range(len(spec)) if name in ("*", str(i))]
        if chosen:
            return tuple(inner(part) if i in chosen else part for i, part in enumerate(spec))
    elif isinstance(spec, Mapping):
        if name in spec:
            return {**spec, name: inner(spec[name])}
    elif dataclasses.is_dataclass(spec) and name in {f.name for f in dataclasses.fields(spec)}:
        return dataclasses.replace(spec, **{name: inner(getattr(spec, name))})  # pyright: ignore
    raise ValueError(f"{shown(path)} leads nowhere: no {shown(name)} in {shown(spec)}")


def number_at(spec: Any, path: str) -> float:
    """Return the number at a path as `replaced` takes it; of several (*) the first."""
    for name in path.split("."):
        if isinstance(spec, tuple):
            spec = spec[0 if name == "*" else int(name)]
        else:
            spec = spec[name] if isinstance(spec, Mapping) else getattr(spec, name)
    return spec


@dataclass(frozen=True)
class Axis:
    """What varies along a side of a grid: the numbers at all of the paths, by the same values."""

    label: str
    paths: tuple[str, ...]
    values: Sequence[float]

    def __post_init__(self):
        validation.name("label of an axis", self.label)
        right = f"paths to what axis {self.label!r} varies"
        paths = validation.items("paths", self.paths, right)
        for path in paths:
            check(isinstance(path, str), "each of paths", path, "a text such as network.slope")
        right = f"1 to {MOST_CELLS} numbers along axis {self.label!r}"
        values = validation.items("values", self.values, right)
        check(len(values) <= MOST_CELLS, "number of values", len(values), right)
        for value in values:
            validation.number("each of values", value, -math.inf, "a finite number")
        object.__setattr__(self, "paths", paths)
        object.__setattr__(self, "values", tuple(float(v) for v in values))
        if not paths or not values:
            raise ValueError(f"axis {self.label!r} is empty; it needs a path and a value")
        if not all(a < b for a, b in itertools.pairwise(self.values)):
            raise ValueError(f"values of axis {self.label!r} must ascend")

    def between(self, low: float, high: float, count: int) -> "Axis":
        """Return the axis with `count` other values from low to high.

        They are spaced as these are: in equal ratios if these are closer to that than to equal
        distances. ValueError where there is no room for so many different numbers.
        """
        validation.whole("number of cells", count, 1, MOST_CELLS)
        with np.errstate(over="ignore", invalid="ignore"):  # Axis refuses what is not finite
            own = np.asarray(self.values)
            ratios = own.min() > 0 and _unevenness(np.log(own)) < _unevenness(own)
            right = "two numbers, the smaller first" + (", both above 0" if ratios else "")
            if not (np.isfinite([low, high]).all() and low < high and (low > 0 or not ratios)):
                text = f"window of {self.label!r} is {low:g} to {high:g}; it must be {right}"
                raise ValueError(text)
            values = (np.geomspace if ratios else np.linspace)(low, high, count)
        return Axis(self.label, self.paths, tuple(values))

    def at(self, setting: Setting, i: int) -> Setting:
        """Return the setting with the axis's numbers at their i-th value."""
        for path in self.paths:
            setting = replaced(setting, path, self.values[i])
        return setting


def _unevenness(values: np.ndarray) -> float:
    """Return how much the distances of ascending values differ, relative to their mean."""
    if len(values) < 3:
        return 0.0
    # In units of the largest, so that no distance or square of one is too large for float64.
    distances = np.diff(values / np.abs(values).max())
    return float(distances.std() / distances.mean())


@dataclass(frozen=True)
class Grid:
    """A named grid: a setting, what varies from row to row, and what from column to column."""

    name: str
    base: Setting
    rows: Axis
    columns: Axis

    def __post_init__(self):
        validation.name("grid name", self.name)
        check(isinstance(self.base, Setting), "base", self.base, "a Setting")
        check(isinstance(self.rows, Axis), "rows", self.rows, "an Axis")
        check(isinstance(self.columns, Axis), "columns", self.columns, "an Axis")
        for i, j in itertools.product((0, -1), (0, -1)):  # the corners
            self.rows.at(self.columns.at(self.base, j), i)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.rows.values), len(self.columns.values)

    def zoomed(self, window: Sequence[float] | None = None, cells: int | None = None) -> "Grid":
        """Return the grid with other cells: in a window (left, right, bottom, top), `cells` a side.

        What is None stays as it is. ValueError where an axis counts something.
        """
        for axis in (self.rows, self.columns):
            if any(isinstance(number_at(self.base, path), int) for path in axis.paths):
                text = f"{axis.label} is a whole number; this map has the cells it has"
                raise ValueError(f"grid {self.name!r}: {text}")
        left, right, bottom, top = window or (
            *(self.columns.values[0], self.columns.values[-1]),
            *(self.rows.values[0], self.rows.values[-1]),
        )
        rows = self.rows.between(bottom, top, cells or self.shape[0])
        columns = self.columns.between(left, right, cells or self.shape[1])
        return dataclasses.replace(self, rows=rows, columns=columns)

    def to_json(self) -> str:
        """Return the grid as JSON; `grid_from_json` gives back an equal grid."""
        return json.dumps(dataclasses.asdict(self))


def grid_from_json(text: str) -> Grid:
    """Build the grid that `Grid.to_json` wrote; ValueError where the text is something else."""
    given = validation.fields(Grid, validation.read_json(text))
    rows, columns = (Axis(**validation.fields(Axis, given[side])) for side in ("rows", "columns"))
    return Grid(given["name"], setting_from_dict(given["base"]), rows, columns)


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
        """Show the commonest outcome of every cell as a letter, the last row on top.

        Of a grid with more cells than fit on a screen, some rows and columns are shown.
        """
        used = self.counts.sum(axis=(0, 1)) > 0
        letters = np.array([_LETTERS[name] for name in outcomes.OUTCOMES])
        rows, columns = self.grid.rows, self.grid.columns
        lines = [f"{rows.label} (upwards)", f"x {columns.label}: the commonest outcome"]
        common = np.where(self.n > 0, letters[self.counts.argmax(axis=-1)], " ")
        shown = [_some(len(axis.values), most) for axis, most in ((rows, 32), (columns, 70))]
        for i in reversed(shown[0]):
            lines.append(f"{rows.values[i]:>9.3g} {''.join(common[i, shown[1]])}")
        ends = f"{columns.values[0]:.3g}", f"{columns.values[-1]:.3g}"
        room = max(len(ends[0]) + 1, len(shown[1]) - len(ends[1]))
        lines.append(f"{'':>9} {ends[0]:<{room}}{ends[1]}")
        key = [f"{_LETTERS[o]} {o}" for o, is_used in zip(outcomes.OUTCOMES, used, strict=True)]
        key = [text for text, is_used in zip(key, used, strict=True) if is_used]
        return "\n".join([*lines, *textwrap.wrap("   ".join(key), 80)])


def _some(count: int, most: int) -> np.ndarray:
    """Return at most so many positions, the first and the last among them."""
    return (
        np.arange(count) if count <= most else np.linspace(0, count - 1, most).round().astype(int)
    )


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
