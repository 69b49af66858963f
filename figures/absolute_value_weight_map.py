"""Small weights make the folk formula true: momentum takes failures of |x| from 70 % to half.

Panel a: the commonest failure over learning rate and scale of the initial weights. Panel b: the
share that fails where training is long enough and biases cannot cross half of the inputs, against
how far momentum carries a weight. The step is where theory has it. Three things it does not say:
weights above 2 change sides and fail less often, at a reach of 3 to 30 a few networks more fail
than at larger ones, and the line of short training is cautious, for the same failure rates are
found at half of it. Where lr x steps exceeds about 230, a quarter of the inputs, output biases have
bent the fitted side too, and networks count as unfinished. Seeds are the same in all cells, so
that the sampling error of all points is one and the same.
"""

from math import sqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import ArrayLike

from figures import _maps
from figures._counts import Numbers, proportion
from jaxlab import plotting
from jaxlab.grid import Grid, GridResult
from jaxlab.theory.absolute_value import training_fails
from jaxlab.theory.decoupling import Conditions
from sweeps.absolute_value import conditions_of

LONG = 3.0  # learning rate times steps, relative to the largest weight or 1, that is long enough
LARGE = 2.0  # weights from which on units change sides
CLOSE = 0.1  # difference of failure rates that counts as none
SURVIVAL, FOLK = training_fails(2, 0.75), training_fails(2, 1.0)
BINS = ((0, 0.1), (0.1, 0.5), (0.5, 1), (1, 3), (3, 30), (30, 1e9))


def draw(result: GridResult) -> dict[str, tuple[Figure, Numbers]]:
    """Return the map with its numbers."""
    figure = Figure(figsize=(plotting.DOUBLE, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = _maps.commonest(result, failures_only=True)
    draw_map(left, result, names)
    draw_collapse(right, result)
    plotting.letter(left, "a")
    plotting.letter(right, "b")
    entries = _maps.patches(names, failures_only=True)
    figure.legend(handles=entries, loc="outside lower center", ncols=4)
    return {"absolute_value_weight_map": (figure, numbers(result, names))}


def largest_weight(scale: np.ndarray) -> np.ndarray:
    """Return the limit of the glorot_uniform weights, the same in both layers of 1-2-1."""
    return sqrt(6 / 3) * scale


def reach(grid: Grid, rate: ArrayLike, scale: ArrayLike) -> np.ndarray:
    """Return the magnitude that momentum overcomes, relative to the largest initial weight."""
    given = conditions_of(grid.base)
    of_one = Conditions(given.steps, 1.0, given.first_moment_decay).coasting
    return of_one * np.asarray(rate) / largest_weight(np.asarray(scale))


def failing(reach: ArrayLike) -> np.ndarray:
    """Return theory's P(fail) of two units, elementwise in the reach of momentum.

    A unit lives if a > 0 or |a| < max(|w|, c), c the reach times the largest weight: with uniform
    weights r = 3/4 + reach^2/4, and 1 from a reach of 1 on.
    """
    r = 0.75 + 0.25 * np.minimum(np.asarray(reach, float), 1.0) ** 2
    return np.reshape([training_fails(2, float(value)) for value in r.ravel()], r.shape)


def long_enough(grid: Grid) -> np.ndarray:
    """Return in which cells training is long enough."""
    rate, scale = _maps.cells(grid)
    return rate * conditions_of(grid.base).steps >= LONG * np.maximum(1.0, largest_weight(scale))


def said(grid: Grid) -> np.ndarray:
    """Return of which cells theory is held to speak: long training, biases that cannot cross half.

    Shares that fail follow it up to there; which side a network fits, up to 0.15 only.
    """
    rate, given = _maps.cells(grid)[0], conditions_of(grid.base)
    return long_enough(grid) & (rate * given.steps <= given.input_limit / 2)


def numbers(result: GridResult, names: np.ndarray) -> Numbers:
    """Return measured and predicted failures by reach."""
    rate, scale = _maps.cells(result.grid)
    failed, at = 1 - result.share("solved"), reach(result.grid, rate, scale)
    rows = []
    for low, high in BINS:
        chosen = said(result.grid) & (at >= low) & (at < high)
        n = int(chosen.sum())
        means = {"fails": failed, "theory": failing(at)}
        row = {key: float(values[chosen].mean()) if n else None for key, values in means.items()}
        rows.append({"reach from": low, "to": high, "cells": n, **row})
    nearest = (np.abs(np.log(rate / result.grid.base.training.optimiser.learning_rate))) + np.abs(
        np.log(scale)
    )
    i, j = np.unravel_index(np.argmin(nearest), nearest.shape)
    n = int(result.n[i, j])
    short, close = ~long_enough(result.grid), np.abs(failed - failing(at)) <= CLOSE
    return {
        **_maps.size(result),
        "commonest failure": _maps.counts_of(names),
        "posted": proportion(round(failed[i, j] * n), n),
        "survival formula": SURVIVAL,
        "folk formula": FOLK,
        "by reach": rows,
        "theory close where it speaks": _maps.agreement(said(result.grid), close),
        "theory not close where training is too short": _maps.agreement(short, ~close),
    }


def draw_map(axes: Axes, result: GridResult, names: np.ndarray) -> Axes:
    """Draw what failures are, the paler the fewer they are, and theory's lines."""
    grid, given = result.grid, conditions_of(result.grid.base)
    _maps.draw_map(axes, grid, names, 1 - result.share("solved"))
    axes.set_box_aspect(0.95)
    scale = np.geomspace(*axes.get_ylim(), num=200)
    all_within = 1 / reach(grid, 1.0, scale)
    too_short = LONG * np.maximum(1.0, largest_weight(scale)) / given.steps
    across = np.full_like(scale, given.input_limit / given.steps)
    dashes = ("solid", (0, (4, 2)), (0, (1, 1)), (0, (4, 1, 1, 1)))
    curves = zip((all_within, all_within / 2, too_short, across), dashes, strict=True)
    _maps.draw_lines(axes, [_maps.Line(x, scale, dash) for x, dash in curves])
    _maps.write_along(axes, 1.5e-3, 0.011, "all |a| within 30 lr", 1.0)
    _maps.write_along(axes, 2.6e-3, 0.26, "half of them", 1.0)
    _maps.write_along(axes, 4.5e-5, 0.03, "too short", np.inf)
    _maps.write_along(axes, 0.2, 0.03, "biases cross the inputs", np.inf)
    _maps.mark_posted(axes, grid.base.training.optimiser.learning_rate, 1.0)
    return axes


def draw_collapse(axes: Axes, result: GridResult) -> Axes:
    """Draw the share that fails against the reach of momentum."""
    rate, scale = _maps.cells(result.grid)
    failed, at = 1 - result.share("solved"), reach(result.grid, rate, scale)
    is_large = largest_weight(scale) > LARGE
    chosen = said(result.grid)
    for label, colour, marker, where in (
        (f"weights up to {LARGE:g}", plotting.BLUE, "o", chosen & ~is_large),
        ("larger weights", plotting.ORANGE, "s", chosen & is_large),
    ):
        look = {"colour": colour, "marker": marker, "label": label, "size": 4.0}
        plotting.draw_points(axes, at[where], failed[where], **look)
    x = np.geomspace(at[chosen].min(initial=1.0), at[chosen].max(initial=1.0), 300)
    plotting.draw_law(axes, x, failing(x), colour="black", label="|a| < max(|w|, 30 lr) lives")
    axes.set(xscale="log", ylim=(0.38, 0.86), ylabel="share of networks that fail")
    axes.set_xlabel("30 lr / largest initial |a|")
    axes.yaxis.set_major_locator(FixedLocator([0.4, FOLK, 0.6, SURVIVAL, 0.8]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.set_box_aspect(0.95)
    axes.legend(loc="upper right")
    end = x[-1] ** 0.6 * x[0] ** 0.4
    plotting.note(axes, end, FOLK - 0.08, "folk formula")
    plotting.note(axes, x[0] ** 0.65, SURVIVAL + 0.035, "survival formula")
    return axes
