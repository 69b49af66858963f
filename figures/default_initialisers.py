"""PyTorch's, Flax's and He's weights learn |x| with 9 or 10 units, Keras's need 12, RAI's over 16.

To learn it means in 99 % of runs. Panel a: how often k ReLU units fail with the initial weights of
libraries and papers, measured, and what theory says: the survival formula, or where weights are
not independent draws gradient flow from drawn ones. Panel b: how many units it takes until fewer
than 1 % fail; the line is what the exact intervals of the rates allow.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from figures import _fates
from figures._counts import Numbers, proportion, rates, require
from jaxlab import plotting
from jaxlab.result import Result
from jaxlab.theory.absolute_value import one_sided_at_init
from sweeps import default_initialisers as sweep

LOOKS = {  # colour, marker and dash, in the order of the legend
    "PyTorch": (plotting.BLUE, "o", "solid"),
    "Flax": (plotting.SKY, "s", (0, (5, 1.5))),
    "He": (plotting.PURPLE, "^", (0, (1, 1))),
    "orthogonal": (plotting.ORANGE, "D", "solid"),
    "Keras": (plotting.VERMILION, "v", (0, (5, 1.5))),
    "RAI": (plotting.WINE, "P", "solid"),
}
TITLES = {
    "PyTorch": "PyTorch (nn.Linear)",
    "Flax": "Flax (LeCun normal)",
    "He": "He (normal)",
    "orthogonal": "orthogonal",
    "Keras": "Keras (Glorot uniform)",
    "RAI": "RAI (asymmetric)",
}
WANTED = 0.01  # share that may fail
TICKS = (1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4, 3e-5)
FLOOR = 4e-5


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return the figure with its numbers."""
    require(result, *(sweep.name_of(law, k) for law in LOOKS for k in sweep.UNITS))
    rows = {law: failures(result, law) for law in LOOKS}
    needed = {law: units_needed(rows[law]) for law in LOOKS}
    figure = Figure(figsize=(plotting.DOUBLE, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.75, 1))
    plotting.letter(draw_failures(left, rows), "a")
    plotting.letter(draw_needed(right, needed), "b")
    return {
        "default_initialisers": (figure, {"units needed": needed, "failures": rows}),
        "default_initialisers_fates": _fates.draw(result),
    }


def failures(result: Result, law: str) -> list[Numbers]:
    """Return count, interval and prediction of failures for every number of units."""
    rows = []
    for k in sweep.UNITS:
        tally = result.members[sweep.name_of(law, k)].tally
        said = sweep.expected(sweep.setting(law, k))
        theory = {"prediction": said.name, "predicted": said.probability}
        rows.append({"k": k} | proportion(tally.failed, tally.n) | theory)
    return rows


def units_needed(rows: list[Numbers]) -> Numbers:
    """Return the least k from which fewer than 1 % fail: measured, its limits, and predicted.

    The limits are those k from which the lower and the upper end of all intervals are below 1 %.
    None means more units than were tried.
    """
    names = {"measured": "rate", "low": "ci_low", "high": "ci_high", "predicted": "predicted"}
    return {name: _from_where(rows, key) for name, key in names.items()}


def _from_where(rows: list[Numbers], key: str) -> int | None:
    least = None
    for row in reversed(rows):
        if row[key] is None or row[key] >= WANTED:
            break
        least = row["k"]
    return least


def draw_failures(axes: Axes, rows: dict[str, list[Numbers]]) -> Axes:
    """Draw how often every initialiser fails over the number of units, side by side at each k."""
    plotting.percent_axis(axes, TICKS, FLOOR, 2.2)
    axes.axhline(WANTED, color=plotting.GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
    k = np.array(sweep.UNITS)
    folk = [one_sided_at_init(int(n)) for n in k]
    axes.plot(k, folk, color=plotting.GREY, linewidth=0.8, zorder=1)
    for i, (law, (colour, marker, dash)) in enumerate(LOOKS.items()):
        theory = np.array([row["predicted"] for row in rows[law]], float)
        axes.plot(k, theory, color=colour, linestyle=dash, linewidth=0.9, zorder=2)
        places = k + 0.11 * (i - (len(LOOKS) - 1) / 2)
        look = {"colour": colour, "marker": marker, "label": TITLES[law]}
        plotting.draw_rates(axes, places, *rates(rows[law]), **look)
        axes.lines[-1].set_markersize(3.0)
    axes.set(xlim=(0.4, k[-1] + 0.6), xlabel="hidden units k", ylabel="share that fails on |x|")
    axes.xaxis.set_major_locator(MultipleLocator(2))
    handles = [_handle(law) for law in LOOKS]
    handles.append(
        Line2D([], [], color=plotting.GREY, linewidth=0.8, label="folk formula $2^{1-k}$")
    )
    axes.legend(handles=handles, loc="lower left", title="measured, and theory as lines")
    return axes


def draw_needed(axes: Axes, needed: dict[str, Numbers]) -> Axes:
    """Draw how many units each initialiser needs, with the limits of that number."""
    most = sweep.UNITS[-1]
    for place, (law, row) in enumerate(needed.items()):
        k = most if row["measured"] is None else row["measured"]
        low, high = (most if row[end] is None else row[end] for end in ("low", "high"))
        axes.barh(place, k, color=LOOKS[law][0], height=0.6, zorder=1)
        axes.plot([low, high], [place, place], color="black", linewidth=1.4, zorder=2)
        text = f"more than {most}" if row["measured"] is None else f"{k}"
        inside = row["measured"] is None
        look: dict[str, Any] = {"color": "white" if inside else "black", "fontweight": "bold"}
        x = k - 0.5 if inside else high + 0.5
        axes.text(x, place, text, va="center", ha="right" if inside else "left", **look)
    axes.set(ylim=(len(needed) - 0.5, -0.5), xlim=(0, most), yticks=range(len(needed)))
    axes.set_yticklabels(list(needed))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("units needed for 99 % success")
    axes.xaxis.set_major_locator(MultipleLocator(4))
    return axes


def _handle(law: str) -> Line2D:
    colour, marker, dash = LOOKS[law]
    look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": dash}
    return Line2D([], [], markersize=3.2, linewidth=0.9, label=TITLES[law], **look)
