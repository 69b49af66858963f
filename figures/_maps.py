"""What the maps of grids share: flat colours of outcomes, lines of theory, and how well they fit.

A cell has the colour of the commonest outcome of its networks: mixed colours would look like
others. How large the shares are is for a second panel to say.
"""

from collections.abc import Mapping
from math import atan, degrees
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from figures._counts import Numbers
from jaxlab import OUTCOMES, plotting
from jaxlab.grid import Grid, GridResult

# The two sides of |x| are one outcome on a map, for only the seeds decide between them.
SIDES = ("right_only", "left_only")
MAP = {name: (name,) for name in OUTCOMES if name not in SIDES} | {"one side only": SIDES}
COLOURS = {**plotting.COLOURS, "one side only": plotting.COLOURS["right_only"]}


class Line(NamedTuple):
    """A boundary that theory draws: its points, and how it is dashed."""

    x: ArrayLike
    y: ArrayLike
    dash: Any = "solid"


def cells(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the column's and the row's value (rows, columns) of every cell."""
    x, y = np.meshgrid(grid.columns.values, grid.rows.values)
    return x, y


def edges(values: ArrayLike, *, log: bool = True) -> np.ndarray:
    """Return the edges (n + 1,) of cells with these middles, geometric ones if `log`."""
    middles = np.log(values) if log else np.asarray(values, float)
    if len(middles) < 2:
        raise ValueError("a map needs at least two rows and two columns")
    between = (middles[1:] + middles[:-1]) / 2
    ends = 2 * middles[0] - between[0], 2 * middles[-1] - between[-1]
    found = np.concatenate([ends[:1], between, ends[1:]])
    return np.exp(found) if log else found


def commonest(
    result: GridResult, born_dead: ArrayLike = 0, *, failures_only: bool = False
) -> np.ndarray:
    """Return the commonest outcome (rows, columns) by name; '' where there are no members.

    `born_dead` members of every cell, or (rows, 1) of those of every row, are left out; so are
    all that are solved if `failures_only`.
    """
    names = list(MAP)
    counts = np.stack([result.share(*MAP[name]) * result.n for name in names], axis=-1)
    counts[..., names.index("dead")] -= born_dead
    if failures_only:
        counts[..., names.index("solved")] = 0
    found = np.array(names, dtype=object)[counts.argmax(axis=-1)]
    return np.where(counts.max(axis=-1) > 0.5, found, "").astype(str)


def always_dead(result: GridResult) -> np.ndarray:
    """Return how many members (rows, 1) are dead in every cell of a row.

    Where all cells of a row start from the same weights, those that are born dead are among them.
    """
    dead = np.rint(result.share("dead") * result.n).astype(int)
    return dead.min(axis=1, keepdims=True)


def draw_map(
    axes: Axes,
    grid: Grid,
    names: np.ndarray,
    strength: ArrayLike = 1.0,
    *,
    log_x: bool = True,
) -> Axes:
    """Fill the cells with the colours of the outcomes `names` and label the axes.

    A `strength` (rows, columns) below 1 makes colours paler, down to white at 0.
    """
    x, y = edges(grid.columns.values, log=log_x), edges(grid.rows.values)
    axes.set(xscale="log" if log_x else "linear", yscale="log")
    colours = np.array(
        [[to_rgb(COLOURS.get(name, plotting.WHITE)) for name in row] for row in names]
    )
    plotting.draw_cells(axes, x, y, 1 - (1 - colours) * np.asarray(strength, float)[..., None])
    axes.set(xlim=x[[0, -1]], ylim=y[[0, -1]])
    axes.set(xlabel=grid.columns.label, ylabel=grid.rows.label)
    axes.spines[["top", "right"]].set_visible(True)
    return axes


def draw_lines(axes: Axes, lines: list[Line]) -> Axes:
    """Draw theory's boundaries over the colours, black on white, so that they show on all."""
    for line in lines:
        axes.plot(line.x, line.y, color="white", linewidth=2.4, zorder=2)
        axes.plot(line.x, line.y, color="black", linewidth=1.1, linestyle=line.dash, zorder=3)
    return axes


def write_along(axes: Axes, x: float, y: float, text: str, slope: float = 0.0) -> Axes:
    """Write at (x, y) along a line with this slope, in decades per decade where axes are so.

    The axes must have a box aspect, for the angle depends on it.
    """
    spans = []
    for low, high, scale in (
        (*axes.get_xlim(), axes.get_xscale()),
        (*axes.get_ylim(), axes.get_yscale()),
    ):
        spans.append(np.log10(high / low) if scale == "log" else high - low)
    angle = degrees(atan(slope * (axes.get_box_aspect() or 1.0) * spans[0] / spans[1]))
    return plotting.note(axes, x, y, text, angle=angle)


def mark_posted(axes: Axes, x: float, y: float, **place) -> Axes:
    """Mark the program of the thread with a star and its name."""
    look: dict[str, Any] = {"marker": "*", "markersize": 8, "color": "white", "zorder": 6}
    axes.plot([x], [y], markeredgecolor="black", markeredgewidth=0.7, clip_on=False, **look)
    ground = {"facecolor": "white", "alpha": 0.85, "linewidth": 0.0, "boxstyle": "round,pad=0.2"}
    given: dict[str, Any] = {"ha": "right", "va": "top", "xytext": (-5, -4)} | place
    axes.annotate(
        "posted", (x, y), textcoords="offset points", fontsize=6.5, bbox=ground, zorder=6, **given
    )
    return axes


def patches(names: np.ndarray, *, failures_only: bool = False) -> list[Patch]:
    """Return a legend's entries for the outcomes that occur on a map."""
    found = [name for name in MAP if np.any(names == name)]
    made = [Patch(facecolor=COLOURS[name], label=name.replace("_", " ")) for name in found]
    if failures_only:
        label = "the paler, the more are solved"
        made.append(Patch(facecolor=plotting.WHITE, edgecolor="black", linewidth=0.5, label=label))
    return made


def counts_of(names: np.ndarray) -> dict[str, int]:
    """Return in how many cells every outcome is the commonest."""
    return {name: int(np.sum(names == name)) for name in MAP if np.any(names == name)}


def agreement(where: np.ndarray, found: np.ndarray) -> Numbers:
    """Return how many cells theory puts into a region, and in how many it was found so."""
    n, count = int(np.sum(where)), int(np.sum(where & found))
    return {"cells": n, "as_expected": count, "share": count / n if n else None}


def size(result: GridResult) -> Mapping[str, Any]:
    """Return how many cells and networks a map has."""
    per_cell = sorted({int(n) for n in result.n.ravel()})
    return {"cells": result.n.size, "networks": int(result.n.sum()), "networks_per_cell": per_cell}
