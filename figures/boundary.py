"""From afar training diverges beyond a smooth curve; close up its edge has a dimension near 1.7.

Panel a: what became of one network per cell, over the learning rates of its two layers, and the
boundary between cells that diverged and others. Panel b: how many boxes hold some of the boundary,
by their size, and below the slope of that from one size to the next, with the dimension and two
standard errors to both sides. A smooth curve has 1; equal slopes at all sizes say that the boundary
looks alike at all of them. Rounding decides some of its cells: the narrower the window the more.
"""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from figures import _maps
from figures._counts import Numbers
from jaxlab import OUTCOMES, fractal, plotting
from jaxlab.fractal import Dimension
from jaxlab.grid import Axis, GridResult

PALE = 0.42  # strength of the outcomes' colours, on which the boundary is black
COLOUR = plotting.BLUE
SMOOTH = 1.0  # dimension of a smooth curve
# From so many decades on an axis has powers of ten as ticks, or 1, 2 and 5 times these.
MANY_DECADES, SOME_DECADES = 2.5, 0.9
FINE = 1e-4  # relative width of a window whose ticks are distances from its corner


class Found(NamedTuple):
    """The boundary of a map, its box counts, and its dimension unless the map is too small."""

    where: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    fitted: Dimension | None
    reason: str


def draw(result: GridResult) -> dict[str, tuple[Figure, Numbers]]:
    """Return the map with its box counts, and their numbers."""
    names = commonest(result)
    found = find(names)
    figure = Figure(figsize=(plotting.DOUBLE, 3.1), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=(1.25, 1))
    left, right = halves
    axes = left.subplots()
    upper, lower = right.subplots(2, 1, sharex=True, height_ratios=(1.5, 1))
    draw_map(axes, result, names, found)
    draw_counts(upper, found)
    draw_slopes(lower, found)
    for panel, name in ((axes, "a"), (upper, "b")):
        plotting.letter(panel, name)
    entries = [*patches(names), Patch(facecolor="black", label="boundary")]
    left.legend(handles=entries, loc="outside lower center", ncols=5, columnspacing=1.2)
    return {"boundary": (figure, numbers(result, names, found))}


def commonest(result: GridResult) -> np.ndarray:
    """Return the commonest outcome (rows, columns) by name, '' of no members.

    As `_maps.commonest`, but without shares, which of a million cells take seconds.
    """
    names = np.array(OUTCOMES)[result.counts.argmax(axis=-1)]
    return np.where(result.n > 0, names, "")


def find(names: np.ndarray) -> Found:
    """Return the boundary between diverged cells (rows, columns) and others, and what it counts."""
    where = fractal.boundary(names == "diverged")
    sizes, counts = fractal.box_counts(where)
    kept = counts > 0
    try:
        fitted, reason = fractal.dimension(where), ""
    except ValueError as error:
        fitted, reason = None, str(error)
    return Found(where, sizes[kept], counts[kept], fitted, reason)


def numbers(result: GridResult, names: np.ndarray, found: Found) -> Numbers:
    """Return the window, the outcomes, the box counts, and the dimension."""
    grid, told = result.grid, {}
    if found.fitted is not None:
        low, high = found.fitted.interval
        told = {
            "dimension": found.fitted.value,
            "standard error": found.fitted.error,
            "interval": [low, high],
            "smooth is outside": not low <= SMOOTH <= high,
            "fitted sizes": found.fitted.sizes.tolist(),
        }
    return {
        **_maps.size(result),
        "commonest": _maps.counts_of(names),
        "window": {a.label: [a.values[0], a.values[-1]] for a in (grid.columns, grid.rows)},
        "boundary cells": int(found.where.sum()),
        "box sizes": found.sizes.tolist(),
        "boxes": found.counts.tolist(),
        **(told or {"dimension": None, "reason": found.reason}),
    }


def patches(names: np.ndarray) -> list[Patch]:
    """Return a legend's entries for the outcomes, in the map's pale colours."""
    found = [name for name in _maps.MAP if np.any(names == name)]
    return [Patch(facecolor=pale(name), label=name.replace("_", " ")) for name in found]


def pale(name: str) -> tuple[float, float, float]:
    """Return the pale colour of an outcome; white of none."""
    red, green, blue = to_rgb(_maps.COLOURS.get(name, plotting.WHITE))
    return 1 - PALE * (1 - red), 1 - PALE * (1 - green), 1 - PALE * (1 - blue)


def draw_map(axes: Axes, result: GridResult, names: np.ndarray, found: Found) -> Axes:
    """Draw the outcomes and the boundary, over logarithms of the learning rates.

    Both are images: a million cells would take long as polygons.
    """
    grid = result.grid
    x, y = (np.log10(_maps.edges(axis.values)) for axis in (grid.columns, grid.rows))
    colours = np.ones((*names.shape, 3))
    for name in _maps.counts_of(names):
        colours[names == name] = pale(name)
    look: dict[str, Any] = {"origin": "lower", "aspect": "auto"}
    axes.imshow(colours, extent=(x[0], x[-1], y[0], y[-1]), interpolation="nearest", **look)
    black = np.zeros((*found.where.shape, 4))
    black[..., 3] = found.where
    ends = [np.log10(axis.values)[[0, -1]] for axis in (grid.columns, grid.rows)]
    axes.imshow(black, extent=(*ends[0], *ends[1]), interpolation="antialiased", **look)
    axes.set(xlim=x[[0, -1]], ylim=y[[0, -1]])
    axes.set_box_aspect(1.0)
    axes.set_xlabel(name_ticks(axes.xaxis, grid.columns))
    axes.set_ylabel(name_ticks(axes.yaxis, grid.rows))
    axes.spines[["top", "right"]].set_visible(True)
    return axes


def name_ticks(axis: Any, along: Axis) -> str:
    """Put ticks at round learning rates, of which the axis has logarithms; return its label."""
    low, high = along.values[0], along.values[-1]
    label = along.label
    decades = np.log10(high / low)
    if decades > MANY_DECADES:
        ticks = 10.0 ** np.arange(np.ceil(np.log10(low) - 1e-9), np.log10(high) + 1e-9)
        texts = [f"$10^{{{np.log10(t):.0f}}}$" for t in ticks]
    elif decades > SOME_DECADES:
        powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)))
        ticks = np.outer(powers, (1, 2, 5)).ravel()
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        texts = [f"{t:g}" for t in ticks]
    else:
        start = low if high / low - 1 < FINE else 0.0
        locator = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10])
        away = np.asarray(locator.tick_values(low - start, high - start), float)
        step, shown = (
            away[1] - away[0],
            np.abs(2 * away - (high + low - 2 * start)) <= 1.000001 * (high - low),
        )
        ticks, away = start + away[shown], away[shown]
        power = int(np.floor(np.log10(step))) if start else 0
        shortest = [f"{t / 10.0**power:.10g}" for t in away]
        digits = max(len(text.partition(".")[2]) for text in shortest)
        texts = [f"{t / 10.0**power:.{digits}f}" for t in away]
        if start:
            label = f"{label}\n$= {start:.12g} + 10^{{{power}}} \\times$ …"
    axis.set_major_locator(FixedLocator(np.log10(ticks).tolist()))
    axis.set_ticklabels(texts)
    axis.set_minor_locator(NullLocator())
    return label


def draw_counts(axes: Axes, found: Found) -> Axes:
    """Draw the counts of boxes by size, those fitted filled, and the line of the dimension."""
    fitted = found.fitted
    used = np.isin(found.sizes, [] if fitted is None else fitted.sizes)
    for chosen, filled, label in ((used, True, "fitted"), (~used, False, "left out")):
        look: dict[str, Any] = {"marker": "o", "linestyle": "none", "markeredgewidth": 0.9}
        face = COLOUR if filled else "white"
        look |= {"color": COLOUR, "markersize": 4.0, "markerfacecolor": face, "label": label}
        if np.any(chosen):
            axes.plot(found.sizes[chosen], found.counts[chosen], zorder=3, **look)
    if fitted is not None:
        size, count = np.log(fitted.sizes).mean(), np.log(fitted.counts).mean()
        ends = fitted.sizes[[0, -1]] * np.array([0.6, 1.7])
        for slope, dashed, label in (
            (fitted.value, False, f"dimension {fitted.value:.2f} ± {2 * fitted.error:.2f}"),
            (SMOOTH, True, "smooth: 1"),
        ):
            line = np.exp(count - slope * (np.log(ends) - size))
            plotting.draw_law(axes, ends, line, colour="black", label=label, dashed=dashed)
    else:
        axes.set_title(
            "no dimension: too few cells" if len(found.sizes) else "no boundary", size=6.5
        )
    axes.set(yscale="log", ylabel="boxes that hold\nsome of the boundary")
    if len(found.sizes):
        axes.legend(loc="upper right")
    return axes


def draw_slopes(axes: Axes, found: Found) -> Axes:
    """Draw the slope from each size of boxes to the next, beside the dimension and its interval."""
    axes.set(xscale="log", xlabel="side of a box in cells", ylabel="slope")
    axes.axhline(SMOOTH, color="black", linestyle=(0, (4, 2)))
    axes.set(ylim=(0.8, 2.05), yticks=(1, 1.5, 2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator([4.0**i for i in range(7)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if found.fitted is not None:
        low, high = found.fitted.interval
        axes.axhspan(low, high, color=plotting.SHADE, linewidth=0.0, zorder=0)
        axes.axhline(found.fitted.value, color="black")
    between = np.sqrt(found.sizes[1:] * found.sizes[:-1])
    slopes = fractal.local_slopes(found.sizes, found.counts)
    axes.plot(between, slopes, "o", color=COLOUR, markersize=3.2, zorder=3)
    axes.set_xlim(0.8, 1.4 * max(8, *found.sizes) if len(found.sizes) else 10)
    return axes
