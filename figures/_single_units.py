"""Which single units live under Adam: the plane of their weights and the curve that parts them.

Of the units of `sweeps.folk_to_survival` those with a < 0, in units of l = lr/(1 - b1).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures._counts import Numbers, proportion, rates
from jaxlab import plotting
from jaxlab.plotting import COLOURS, MARKERS
from jaxlab.result import Result
from jaxlab.tally import clopper_pearson
from jaxlab.theory import momentum
from sweeps import folk_to_survival as sweep
from sweeps.absolute_value import initial_weights

BINS = (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8)  # of |w|/l
LIMIT = sweep.CURVE_LIMIT
DASHED = (0, (4, 2))


class Units(NamedTuple):
    """Single units with a < 0: |w|/l, |a|/l, and if they live."""

    w: np.ndarray
    a: np.ndarray
    alive: np.ndarray


def draw(
    result: Result, looks: dict[str, tuple[str, str]], shared: Sequence[float]
) -> tuple[Figure, Numbers]:
    """Return the figure, the plane of those b1 that share it, with its numbers."""
    units = {b1: single_units(result, b1) for b1 in sweep.CURVE_MEMORIES}
    bins = {b1: boundary(found) for b1, found in units.items()}
    together = Units(*map(np.concatenate, zip(*(units[b1] for b1 in shared), strict=True)))
    figure = Figure(figsize=(plotting.DOUBLE, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    plotting.letter(draw_plane(left, together), "a")
    plotting.letter(draw_boundary(right, bins, looks), "b")
    return figure, {
        "plane": {"b1": list(shared), "units": together.w.size},
        "ended as theory has it": {sweep.memory(b1): fates(b1, units[b1]) for b1 in units},
        "boundary": {sweep.memory(b1): found for b1, found in bins.items()},
    }


def single_units(result: Result, b1: float) -> Units:
    """Return the single units with a < 0 that were trained with this b1."""
    name, carried = sweep.curve_of(b1), sweep.RATE / (1 - b1)
    (w,), (a,) = (np.asarray(layer, float) for layer in initial_weights(result, name))
    alive, below = result.members[name].names != "dead", a < 0
    return Units(np.abs(w[below]) / carried, -a[below] / carried, alive[below])


def fates(b1: float, units: Units) -> Numbers:
    """Return how many units ended as the map, the formula, its limit and |a| < |w| have it."""
    w, a, alive = units
    said = {
        "map": momentum.survives(w, -a, 1 - b1, b1),
        "map in batches": survives_in_batches(w, -a, b1),
        "formula": a < momentum.threshold(w),
        "limit": a < momentum.threshold_in_the_limit(w),
        "without momentum": a < w,
    }
    return {name: proportion(int(np.sum(told == alive)), w.size) for name, told in said.items()}


def survives_in_batches(w: np.ndarray, a: np.ndarray, b1: float) -> np.ndarray:
    """Return if units (|w|/l, a/l), in one array of any shape, live in random batches.

    As `momentum.survives`, with other batches for each unit, of the sweep's task and size, drawn
    from a fixed generator: the gradient's noise, which matters where b1 averages few of them.
    """
    setting = sweep.build()[sweep.curve_of(sweep.CURVE_MEMORIES[0])]
    numbers, generator = setting.task.numbers, np.random.default_rng(0)
    rows = np.linspace(numbers["low"], numbers["high"], setting.task.rows)
    # In units of l, in which the learning rate is 1 - b1; the bias is on the scale of a / rows.
    rate, b2 = 1 - b1, setting.training.optimiser.b2
    weights = np.stack([w, a, np.zeros_like(w)])
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    steps = int((3 * max(np.abs(w).max(), np.abs(a).max()) + 20) / rate)
    for step in range(1, steps + 1):
        x = generator.choice(rows, (setting.training.batch_size, *w.shape))
        before = weights[0] * x + weights[2]
        error = np.where(before > 0, np.abs(x), 0)
        means = (np.mean(error * part, axis=0) for part in (x, before, 1))
        by_x, by_output, plain = means
        force = np.stack([weights[1] * by_x, by_output, weights[1] * plain])
        first += rate * (force - first)
        second += (1 - b2) * (force**2 - second)
        size = np.sqrt(second / (1 - b2**step))
        weights += rate * first / (1 - b1**step) / np.where(size > 0, size, 1)
    w, a, bias = weights
    return (a > 0) & (np.abs(w) * numbers["high"] + bias > 0)


def boundary(units: Units) -> list[Numbers]:
    """Return the curve's mean over bins of |w|/l, with an interval of at least 95 %.

    Since |a|/l is uniform up to 8, that is the formula's mean plus 8 times the share that lives
    above the formula less the share that is dead below it, be the boundary sharp or not.
    """
    w, a, alive = units
    said = momentum.threshold(w)
    found = []
    for low, high in pairwise(BINS):
        inside = (w >= low) & (w < high)
        n = int(inside.sum())
        if n == 0:
            continue
        above, below = (int(np.sum(inside & wrong)) for wrong in _misjudged(a, said, alive))
        gain, loss = (clopper_pearson(count, n, 0.975) for count in (above, below))
        base = float(said[inside].mean())
        row = {"w_from": low, "w_to": high, "n": n, "w": float(w[inside].mean()), "formula": base}
        row |= {"alive_above_formula": above, "dead_below_formula": below}
        row |= {"rate": base + LIMIT * (above - below) / n}
        row |= {"ci_low": base + LIMIT * (gain.low - loss.high)}
        found.append(row | {"ci_high": base + LIMIT * (gain.high - loss.low)})
    return found


def _misjudged(a: np.ndarray, said: np.ndarray, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return alive & (a > said), ~alive & (a <= said)


def draw_plane(axes: Axes, units: Units) -> Axes:
    """Draw the units at their initial weights, coloured by what became of them."""
    x = np.linspace(0, LIMIT, 200)
    plotting.draw_boundary(axes, x, momentum.threshold(x), LIMIT)
    axes.lines[-1].set_label("theory, |a| = l C")
    look: dict[str, Any] = {"linewidth": 0.8, "linestyle": DASHED, "zorder": 4}
    axes.plot(x, x, color="black", label="no momentum, |a| = |w|", **look)
    for name, label, chosen in (("solved", "lives", units.alive), ("dead", "dies", ~units.alive)):
        look = {"colour": COLOURS[name], "marker": MARKERS[name], "size": 3.5}
        plotting.draw_points(axes, units.w[chosen], units.a[chosen], label=label, **look)
    _frame(axes)
    above: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    entries = [*axes.collections[1:], *axes.lines]
    axes.legend(handles=entries, handletextpad=0.4, markerscale=1.8, **above)
    return axes


def draw_boundary(
    axes: Axes, bins: dict[float, list[Numbers]], looks: dict[str, tuple[str, str]]
) -> Axes:
    """Draw the curve measured for every b1 and the theory of it."""
    x = np.linspace(0, LIMIT, 200)
    lines = (
        ("formula C", momentum.threshold(x), "solid", 1.1),
        ("limit of b1, b2 near 1", momentum.threshold_in_the_limit(x), (0, (1, 1)), 1.1),
        ("no momentum", x, DASHED, 0.8),
    )
    handles = []
    for label, y, dash, width in lines:
        look: dict[str, Any] = {"color": "black", "linestyle": dash, "linewidth": width}
        axes.plot(x, y, zorder=2, **look)
        handles.append(Line2D([], [], label=label, **look))
    for i, (b1, rows) in enumerate(bins.items()):
        colour, marker = looks[sweep.memory(b1)]
        places = [row["w"] + 0.09 * (i - (len(bins) - 1) / 2) for row in rows]
        look = {"colour": colour, "marker": marker, "label": f"measured, b1 = {b1:g}"}
        plotting.draw_rates(axes, places, *rates(rows), **look)
    _frame(axes)
    axes.legend(handles=[*axes.containers, *handles], loc="lower right")
    return axes


def _frame(axes: Axes) -> None:
    ends = (0, LIMIT)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="|w| / l", ylabel="|a| / l   (a < 0)")
