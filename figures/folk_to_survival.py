"""Adam takes failures on |x| from 2^(1-k) to the survival formula as weights pass 3 lr/(1-b1).

First figure: how often k units fail over weight scale / learning rate, for Adam with four b1 and
for SGD, and the same over weight scale / l, l = lr/(1 - b1) being the way that momentum carries a
weight. Lines are the map of one unit under Adam, less what units that change sides heal, for SGD
gradient flow. The map is that of full batches, but for b1 = 0 and 0.5, which average too few
gradients to hide the noise of batches: there it draws batches. Second figure: which single units
live, and the curve that parts them from the dead.
"""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MultipleLocator
from scipy.stats import norm

from figures import _single_units
from figures._counts import Numbers, proportion, rates, require
from jaxlab import plotting
from jaxlab.result import Result
from jaxlab.theory import momentum
from jaxlab.theory.absolute_value import one_sided_at_init, training_fails
from jaxlab.theory.crossing import crossing_probability
from sweeps import folk_to_survival as sweep

LOOKS = {  # colour and marker of an optimiser
    "b1=0": (plotting.WINE, "v"),
    "b1=0.5": (plotting.ORANGE, "s"),
    "b1=0.9": (plotting.BLUE, "o"),
    "b1=0.95": (plotting.GREEN, "D"),
    sweep.SGD: (plotting.SKY, "^"),
}
NOISY = (0.0, 0.5)  # the b1 with which the noise of batches matters
LAWFUL = (0.9, 0.95)  # the b1 for which theory has a formula
PAIRS = ((0.95, 0.9), (0.9, 0.0), (0.95, 0.5))  # of b1 to be compared at equal scale / l
LIMITS: dict[str, Any] = {
    "survival formula": {"color": plotting.GREY, "linewidth": 0.8, "linestyle": (0, (4, 2))},
    "folk formula $2^{1-k}$": {
        "color": plotting.GREY,
        "linewidth": 0.8,
        "linestyle": (0, (1, 1.5)),
    },
}
NEAR = (0.05, 60.0)  # scale / l where all happens
BOX = 8.0  # in l: beyond it a unit with a < 0 lives if and only if |a| < |w|
CELLS = (114, 131)  # of the map, in |w| and |a|
LARGE = 0.1  # weight scale from which on units that change sides are looked for


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return the failure rates and the curve of the single units, each with its numbers."""
    require(result, *(setting.name for setting in result.sweep.settings))
    curve = _single_units.draw(result, LOOKS, LAWFUL)
    return {"folk_to_survival": _failures(result), "folk_to_survival_single_units": curve}


def _failures(result: Result) -> tuple[Figure, Numbers]:
    rows = failure_rates(result)
    figure = Figure(figsize=(plotting.DOUBLE, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.08, 1))
    plotting.letter(draw_rates(left, rows), "a")
    plotting.letter(draw_collapse(right, rows), "b")
    handles = [_handle(name) for name in LOOKS]
    handles.append(Line2D([], [], color="black", label="formula, one for all b1"))
    handles += [Line2D([], [], label=label, **LIMITS[label]) for label in LIMITS]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, columnspacing=2.5)
    told = {"halfway": halfway(), "agreement": agreement(rows), "collapse": collapse(rows)}
    return figure, told | {"rates": rows}


@cache
def living(b1: float, noisy: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return edges of |w|/l and |a|/l, and in which cells a unit with a < 0 lives, by the map."""
    # The two numbers of cells have no common factor, lest a boundary along the diagonal meets
    # all cells at the same place.
    w_edges, a_edges = (np.append(0.0, np.geomspace(0.02, BOX, n)) for n in CELLS)
    middles = ((edges[1:] + edges[:-1]) / 2 for edges in (w_edges, a_edges))
    w, a = np.meshgrid(*middles, indexing="ij")
    if noisy:
        return w_edges, a_edges, _single_units.survives_in_batches(w, -a, b1)
    return w_edges, a_edges, momentum.survives(w, -a, 1 - b1, b1)


def survival_of_map(b1: float, relative: float, noisy: bool = False) -> float:
    """Return P(a unit ends alive) by the map for Gaussian weights of the scale `relative` l."""
    w_edges, a_edges, alive = living(b1, noisy)
    w, a = (np.diff(2 * norm.cdf(edges / relative)) for edges in (w_edges, a_edges))
    beyond = 1 - w.sum()
    return 0.5 + float(w @ alive @ a + beyond * w.sum() + beyond**2 / 2) / 2


@cache
def by_formula(k: int, relative: float) -> float:
    """Return P(fail) by the formula for the curve, for weights of the scale `relative` l."""
    law = norm(0, relative)
    return training_fails(k, momentum.survival_with_momentum(law, law, 1.0))


@cache
def healed(k: int, scale: float) -> float:
    """Return by how much units that change sides lower P(fail) for weights of this scale."""
    law = norm(0, scale)
    return crossing_probability(k, law, law) if scale > LARGE else 0.0


@cache
def by_map(k: int, b1: float | None, ratio: float, noisy: bool = False) -> float:
    """Return P(fail) by the map of one unit, or by gradient flow where there is no b1 (SGD)."""
    r = 0.75 if b1 is None else survival_of_map(b1, ratio * (1 - b1), noisy)
    return training_fails(k, r) - healed(k, ratio * sweep.RATE)


def decays() -> dict[str, float | None]:
    """Return b1 by the names that optimisers have in settings; None for SGD."""
    return {sweep.memory(b1): b1 for b1 in sweep.MEMORIES} | {sweep.SGD: None}


def failure_rates(result: Result) -> list[Numbers]:
    """Return what was counted and what theory says for every setting of several units."""
    rows = []
    for k in sweep.UNITS:
        for name, b1 in decays().items():
            for ratio in sweep.RATIOS:
                tally = result.members[sweep.name_of(k, name, ratio)].tally
                row = {"k": k, "optimiser": name, "scale_over_rate": ratio}
                row["scale_over_l"] = None if b1 is None else ratio * (1 - b1)
                row |= proportion(tally.failed, tally.n) | {"map": by_map(k, b1, ratio)}
                if b1 in NOISY:
                    row["map in batches"] = by_map(k, b1, ratio, True)
                if b1 in LAWFUL:
                    change = healed(k, ratio * sweep.RATE)
                    row["formula"] = by_formula(k, row["scale_over_l"]) - change
                rows.append(row)
    return rows


def of(rows: list[Numbers], k: int, optimiser: str) -> list[Numbers]:
    """Return the rows of a number of units and an optimiser."""
    return [row for row in rows if (row["k"], row["optimiser"]) == (k, optimiser)]


def halfway() -> Numbers:
    """Return the scale / l at which the formula is halfway between its two limits, by k."""
    fine = np.geomspace(0.5, 10, 400)
    found = {}
    for k in sweep.UNITS:
        middle = (one_sided_at_init(k) + training_fails(k, 0.75)) / 2
        found[f"k={k}"] = float(np.interp(middle, [by_formula(k, x) for x in fine], fine))
    return found


def agreement(rows: list[Numbers]) -> list[Numbers]:
    """Return how many intervals hold what theory says, and where it errs most, by k and b1."""
    found = []
    for k in sweep.UNITS:
        for name in LOOKS:
            for law in ("map", "map in batches", "formula"):
                some = [row for row in of(rows, k, name) if law in row]
                if not some:
                    continue
                held = sum(row["ci_low"] <= row[law] <= row["ci_high"] for row in some)
                worst = max(some, key=lambda row: abs(row["rate"] - row[law]))
                kept = ("scale_over_rate", "rate", "ci_low", "ci_high", law)
                largest = {"error": worst["rate"] - worst[law]} | {k: worst[k] for k in kept}
                head = {"k": k, "optimiser": name, "theory": law, "settings": len(some)}
                found.append(head | {"intervals_that_hold_it": held, "largest": largest})
    return found


def collapse(rows: list[Numbers]) -> list[Numbers]:
    """Return the largest difference between two b1 at equal scale / l, for every k.

    Where scales do not meet, what is above the formula is interpolated between them.
    """
    found = []
    for k in sweep.UNITS:
        for one, other in PAIRS:
            (x, excess), (at, base) = (_excess(of(rows, k, sweep.memory(b))) for b in (one, other))
            common = (x > at[0] - 0.01) & (x < at[-1] + 0.01)
            gaps = (excess - np.interp(x, at, base))[common]
            worst = int(np.argmax(np.abs(gaps)))
            row = {"k": k, "b1": one, "against": other, "compared": gaps.size}
            row |= {"largest": float(gaps[worst]), "at": float(np.exp(x[common][worst]))}
            found.append(row | {"root_mean_square": float(np.sqrt(np.mean(gaps**2)))})
    return found


def _excess(rows: list[Numbers]) -> tuple[np.ndarray, np.ndarray]:
    x = np.array([row["scale_over_l"] for row in rows])
    excess = [row["rate"] - by_formula(row["k"], row["scale_over_l"]) for row in rows]
    return np.log(x), np.array(excess)


def draw_rates(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw how often training fails over scale / learning rate, for every optimiser."""
    low, high = sweep.RATIOS[0] * 0.8, sweep.RATIOS[-1] * 1.25
    fine = np.geomspace(low, high, 121)
    _limits(axes, low, high)
    for k in sweep.UNITS:
        for name, b1 in decays().items():
            some = of(rows, k, name)
            law = [by_map(k, b1, float(ratio), b1 in NOISY) for ratio in fine]
            plotting.draw_law(axes, fine, law, colour=LOOKS[name][0], label=name)
            _points(axes, name, [row["scale_over_rate"] for row in some], some)
    axes.set(xlabel="scale of initial weights / learning rate (SGD: / 0.001)")
    axes.set_ylabel("share of networks that fail on |x|")
    return axes


def draw_collapse(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw the same over scale / l, where the formula is one curve for all b1."""
    fine = np.geomspace(*NEAR, 121)
    _limits(axes, *NEAR)
    for k in sweep.UNITS:
        formula = [by_formula(k, float(x)) for x in fine]
        plotting.draw_law(axes, fine, formula, colour="black", label="formula")
        for b1 in sweep.MEMORIES:
            some = of(rows, k, sweep.memory(b1))
            some = [row for row in some if NEAR[0] <= row["scale_over_l"] <= NEAR[1]]
            _points(axes, sweep.memory(b1), [row["scale_over_l"] for row in some], some)
        middle = (one_sided_at_init(k) + training_fails(k, 0.75)) / 2
        axes.text(NEAR[0] * 1.15, middle, f"k = {k}", va="center", fontsize=7.5)
    axes.set_xlabel("scale of initial weights / l,   l = learning rate / (1 − b1)")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return axes


def _points(axes: Axes, name: str, x: list[float], rows: list[Numbers]) -> None:
    colour, marker = LOOKS[name]
    plotting.draw_rates(axes, x, *rates(rows), colour=colour, marker=marker, label=name)
    axes.lines[-1].set_markersize(2.6)


def _limits(axes: Axes, low: float, high: float) -> None:
    """Draw the two limits of every k, and name them."""
    for k in sweep.UNITS:
        ends = training_fails(k, 0.75), one_sided_at_init(k)
        for value, look in zip(ends, LIMITS.values(), strict=True):
            axes.axhline(value, zorder=1, **look)
    axes.set(xscale="log", xlim=(low, high), ylim=(0.06, 0.79))
    axes.yaxis.set_major_locator(MultipleLocator(0.1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))


def _handle(name: str) -> Line2D:
    colour, marker = LOOKS[name]
    label = name if name == sweep.SGD else f"Adam, b1 = {name.removeprefix('b1=')}"
    return Line2D([], [], color=colour, marker=marker, markersize=3.2, label=label)
