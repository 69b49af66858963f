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

# Okabe and Ito's colours; wine and grey are added, and the yellow is darkened for white paper.
COLOURS: Mapping[str, str] = {
    "solved": "#009E73",
    "right_only": "#0072B2",
    "left_only": "#E69F00",
    "partial": "#56B4E9",
    "constant": "#8C8C8C",
    "linear": "#882255",
    "dead": "#D55E00",
    "diverged": "#CC79A7",
    "unfinished": "#BFAE00",
    "other": "#000000",
}
MARKERS: Mapping[str, str] = {
    "solved": "o",
    "right_only": ">",
    "left_only": "<",
    "partial": "s",
    "constant": "_",
    "linear": "D",
    "dead": "X",
    "diverged": "^",
    "unfinished": "v",
    "other": "P",
}
SHADE = "#E4E4E4"


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
) -> Axes:
    """Draw measured rates as points with the limits `low` and `high` of their intervals.

    A rate of 0 has no place on a logarithmic axis: there its interval alone is seen.
    """
    x, rates, low, high = (np.asarray(values, float) for values in (x, rates, low, high))
    size, edge = (3.6, 0.0) if filled else (4.6, 0.9)
    axes.errorbar(
        x,
        rates,
        yerr=np.maximum([rates - low, high - rates], 0.0),
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


def letter(axes: Axes, text: str) -> Axes:
    """Name a panel with a bold letter at the figure's upper edge, left of the panel."""
    axes.annotate(
        text,
        (0, 1),
        xytext=(-24, -2),
        xycoords=("axes fraction", "figure fraction"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontweight="bold",
        fontsize=9,
    ).set_in_layout(False)
    return axes
