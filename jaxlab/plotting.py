"""Draw results on axes that the caller made: measurements as points, theory as lines.

Every function takes axes and data, adds to the axes and returns them. Nothing here reads or
writes files, counts, computes a theory, draws at random or touches matplotlib's global state.
Whoever makes a figure applies `STYLE`: `with matplotlib.style.context(STYLE, after_reset=True)`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

SINGLE, DOUBLE = 3.25, 6.75  # inches: widths of one and of two columns of a paper
DPI = 240  # of a PNG and of what is rasterised in a PDF; a double column has 1620 pixels
MANY = 5000  # points from which on a PDF holds an image of them instead of each one

STYLE: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine has it
    "font.size": 7.0,
    "mathtext.fontset": "dejavusans",
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.borderaxespad": 0.2,
    "legend.labelspacing": 0.3,
    "lines.linewidth": 1.1,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,
}

# All colours of figures: Okabe and Ito's without their yellow, which vanishes on white paper, and
# sand, wine and greys. The outcomes' colours stay apart in all three sorts of colour-blindness.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, WINE, SAND = "#56B4E9", "#CC79A7", "#882255", "#BFAF60"
BLACK, GREY, SILVER, SHADE = "#000000", "#8C8C8C", "#BDBDBD", "#E4E4E4"
WHITE = "#FFFFFF"
COLOURS: Mapping[str, str] = {
    "solved": GREEN,
    "right_only": BLUE,
    "left_only": ORANGE,
    "partial": SKY,
    "constant": SILVER,
    "linear": WINE,
    "dead": VERMILION,
    "diverged": PURPLE,
    "unfinished": SAND,
    "other": BLACK,
}
MARKERS: Mapping[str, str] = {
    "solved": "o",
    "right_only": ">",
    "left_only": "<",
    "partial": "s",
    "constant": "h",
    "linear": "D",
    "dead": "X",
    "diverged": "^",
    "unfinished": "v",
    "other": "P",
}
# For areas, so that they are told apart without colours too.
HATCHES: Mapping[str, str] = {
    "solved": "",
    "right_only": "/////",
    "left_only": "\\\\\\\\\\",
    "partial": "xxxx",
    "constant": "-----",
    "linear": "++++",
    "dead": "...",
    "diverged": "oo",
    "unfinished": "|||||",
    "other": "",
}
# For curves that are told apart by their setting: a colour and a dash for each.
SERIES: Sequence[tuple[str, Any]] = (
    (BLUE, "solid"),
    (VERMILION, (0, (5, 1.5))),
    (GREEN, (0, (1, 1))),
    (PURPLE, (0, (5, 1.5, 1, 1.5))),
    (BLACK, (0, (2.5, 1.5))),
    (ORANGE, (0, (8, 2))),
)


def draw_rates(
    axes: Axes,
    x: ArrayLike,
    rates: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    colour: str,
    marker: str,
    label: str,
    filled: bool = True,
    lying: bool = False,
) -> Axes:
    """Draw measured rates as points with the limits `low` and `high` of their intervals.

    `lying` exchanges the axes. A rate of 0 has no place on a logarithmic axis: there its interval
    alone is seen.
    """
    x, rates, low, high = (np.asarray(values, float) for values in (x, rates, low, high))
    size, edge = (3.6, 0.0) if filled else (4.6, 0.9)
    reach = np.maximum([rates - low, high - rates], 0.0)
    axes.errorbar(
        rates if lying else x,
        x if lying else rates,
        xerr=reach if lying else None,
        yerr=None if lying else reach,
        fmt=marker,
        color=colour,
        markersize=size,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=edge,
        elinewidth=0.9,
        label=label,
        zorder=3 if filled else 2.5,
    )
    return axes


def draw_law(
    axes: Axes, x: ArrayLike, y: ArrayLike, *, colour: str, label: str, dashed: bool = False
) -> Axes:
    """Draw what theory says as a line."""
    style = (0, (4, 2)) if dashed else "solid"
    axes.plot(np.asarray(x), np.asarray(y), color=colour, linestyle=style, label=label, zorder=2)
    return axes


def draw_predictions(
    axes: Axes, x: ArrayLike, y: ArrayLike, *, colour: str, label: str, lying: bool = False
) -> Axes:
    """Draw what theory says of separate settings as short lines; `lying` exchanges the axes."""
    x, lines = np.asarray(x, float), axes.vlines if lying else axes.hlines
    lines(np.asarray(y), x - 0.36, x + 0.36, colors=colour, label=label, linewidth=1.3, zorder=2)
    return axes


def draw_curve(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    colour: str,
    label: str,
    dash: Any = "solid",
) -> Axes:
    """Draw a measured share that holds from each x to the next, with its pointwise interval."""
    axes.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0.0, zorder=1)
    axes.step(x, y, where="post", color=colour, linestyle=dash, label=label, zorder=3)
    return axes


def draw_outcomes(
    axes: Axes,
    names: Sequence[str],
    shares: Mapping[str, ArrayLike],
    low: ArrayLike,
    high: ArrayLike,
) -> Axes:
    """Draw a bar for each of `names`, downwards: what became of its members.

    `shares` (bars,) by outcome add up to 1. The failed come first, so that they end at the failure
    rate, which is marked with its interval from `low` to `high`.
    """
    places, end = np.arange(len(names)), np.zeros(len(names))
    for outcome in [name for name in shares if name != "solved"]:
        width = np.asarray(shares[outcome], float)
        _draw_bars(axes, places, width, end, outcome)
        end = end + width
    limits = np.asarray(low, float), np.asarray(high, float)
    look: dict[str, Any] = {"colour": BLACK, "marker": "o", "lying": True}
    draw_rates(axes, places, end, *limits, label="fails, with 95 % interval", **look)
    if "solved" in shares:
        _draw_bars(axes, places, np.asarray(shares["solved"], float), end, "solved")
    # A name is no formula, whatever its dollar signs.
    axes.set_yticks(places, list(names), parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return share_axis(axes, lying=True)


def _draw_bars(
    axes: Axes, places: np.ndarray, width: np.ndarray, start: np.ndarray, outcome: str
) -> None:
    look: dict[str, Any] = {"color": COLOURS[outcome], "hatch": HATCHES[outcome], "zorder": 2}
    label = outcome.replace("_", " ")
    axes.barh(places, width, 0.72, start, edgecolor=WHITE, linewidth=0.3, label=label, **look)


def draw_functions(
    axes: Axes, x: ArrayLike, outputs: ArrayLike, target: ArrayLike, *, colour: str
) -> Axes:
    """Draw networks' functions, `outputs` (members, points), faintly, and the target on top."""
    outputs = np.asarray(outputs)
    faint = to_rgba(colour, float(np.clip(8.0 / max(len(outputs), 1), 0.1, 0.8)))
    axes.plot(np.asarray(x), outputs.T, color=faint, linewidth=1.6, zorder=2)
    axes.plot(x, target, color="black", linestyle=(0, (2, 2)), linewidth=0.8, zorder=3)
    return axes


def draw_points(
    axes: Axes, x: ArrayLike, y: ArrayLike, *, colour: str, marker: str, label: str, size: float
) -> Axes:
    """Draw points of one class; many of them become an image inside a PDF."""
    x = np.asarray(x)
    axes.scatter(
        x,
        y,
        s=size,
        c=colour,
        marker=marker,
        linewidths=0.0,
        label=label,
        zorder=2,
        rasterized=x.size > MANY,
    )
    return axes


def draw_boundary(axes: Axes, x: ArrayLike, y: ArrayLike, floor: float) -> Axes:
    """Draw theory's boundary y(x) as a line and shade what lies between `floor` and it."""
    x, y = np.asarray(x), np.asarray(y)
    axes.fill_between(x, floor, y, color=SHADE, linewidth=0.0, zorder=1)
    axes.plot(x, y, color="black", linewidth=1.1, zorder=4)
    return axes


def draw_cells(axes: Axes, x_edges: ArrayLike, y_edges: ArrayLike, colours: ArrayLike) -> Axes:
    """Fill the cells of a map with `colours` (rows, columns, 3), numbers from 0 to 1.

    The edges are one more than the columns and the rows. A PDF holds an image of the cells.
    """
    x, y = np.asarray(x_edges), np.asarray(y_edges)
    axes.pcolormesh(x, y, np.asarray(colours), rasterized=True, zorder=0)
    return axes


def point_size(n: int) -> float:
    """Return the area in square points at which n scattered points neither vanish nor cover all."""
    return float(np.clip(3000.0 / max(n, 1), 0.9, 12.0))


def percent_axis(axes: Axes, ticks: Sequence[float], low: float, high: float) -> Axes:
    """Make y a logarithmic axis of probabilities from `low` to `high`, labelled in per cent."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.yaxis.set_minor_locator(NullLocator())
    return axes


def share_axis(axes: Axes, *, lying: bool = False) -> Axes:
    """Make y, or x if `lying`, an axis of shares from 0 to 100 %, with room for points there."""
    axis = axes.xaxis if lying else axes.yaxis
    (axes.set_xlim if lying else axes.set_ylim)(-0.03, 1.03)
    axis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    return axes


def mark(axes: Axes, x: float, text: str, *, colour: str = GREY, dash: Any = (0, (1, 1.5))) -> Axes:
    """Mark a place on the x axis with a thin line and a name above the panel."""
    axes.axvline(x, color=colour, linewidth=0.8, linestyle=dash, zorder=1)
    place: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
    axes.annotate(text, (x, 1), (0, 2), ha="center", va="bottom", fontsize=6.5, **place)
    return axes


def note(axes: Axes, x: float, y: float, text: str, *, angle: float = 0.0) -> Axes:
    """Write on top of the data around (x, y), on a white ground that keeps it readable."""
    ground = {"facecolor": "white", "alpha": 0.85, "linewidth": 0.0, "boxstyle": "round,pad=0.2"}
    place = {"ha": "center", "va": "center", "rotation": angle, "zorder": 5}
    axes.text(x, y, text, fontsize=6.5, bbox=ground, **place)
    return axes


def caption(axes: Axes, text: str) -> Axes:
    """Write what a small panel shows in small type above it."""
    axes.annotate(
        text,
        (0.5, 1),
        xytext=(0, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=6.5,
    )
    return axes


def letter(axes: Axes, text: str, *, reach: float = 24.0) -> Axes:
    """Name a panel with a bold letter at the figure's upper edge, `reach` points left of it."""
    axes.annotate(
        text,
        (0, 1),
        xytext=(-reach, -2),
        xycoords=("axes fraction", "figure fraction"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontweight="bold",
        fontsize=9,
    ).set_in_layout(False)
    return axes
