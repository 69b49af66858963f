"""On 2x the stability limit divides learning from death at every input scale.

Panel a: the commonest outcome of the networks that are not born dead, over learning rate and input
scale; half of every cell, in expectation, is born dead and not shown. Panel b: all cells against
the learning rate relative to the stability limit, all networks counted. Between the limit and the
death threshold networks oscillate. Biases lower the limit for small inputs, where theory is a
little low: at scales below 0.008 networks learn at up to 1.3 times it. The lower edge of learning
is that of gradient flow without biases; below a scale of 0.005, where biases first fit the mean,
learning takes several times as long. Seeds are the same in all cells.
"""

from math import sqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.integrate import quad

from figures import _maps
from figures._counts import Numbers
from jaxlab import plotting
from jaxlab.grid import Grid, GridResult
from jaxlab.spec import Setting
from jaxlab.theory import doubling as theory

POSITIVE_SPREAD = 2.0  # sum of a^2 + w^2 over the active units at the start: glorot_uniform, wide


def draw(result: GridResult) -> dict[str, tuple[Figure, Numbers]]:
    """Return the map with its numbers."""
    figure = Figure(figsize=(plotting.DOUBLE, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = _maps.commonest(result, int(_maps.always_dead(result).min()))
    draw_map(left, result.grid, names)
    draw_collapse(right, result)
    plotting.letter(left, "a")
    plotting.letter(right, "b")
    figure.legend(handles=_maps.patches(names), loc="outside lower center", ncols=5)
    return {"doubling_scale_map": (figure, numbers(result, names))}


def moments(setting: Setting) -> tuple[float, float]:
    """Return the means of x^2 and x over the rows of a setting, unscaled."""
    x = np.linspace(setting.task.numbers["low"], setting.task.numbers["high"], setting.task.rows)
    return float(np.mean(x**2)), float(np.mean(x))


def kappa_steps(tolerance: float) -> float:
    """Return kappa times steps at which gradient flow has learnt 2x up to a relative tolerance.

    Formula: the integral of ds/((2 - s) S) from 0 to 2 (1 - tolerance), S = sqrt(S0^2 + 4 s^2),
    S the sum of a^2 + w^2 over the active units. Assumptions: no biases, many glorot_uniform
    units, so that s starts near 0 and S at S0 = 2. Source: ds/dt = kappa (2 - s) S, and
    dS/dt = 4 kappa (2 - s) s.

    >>> round(kappa_steps(0.1), 3)
    0.749
    """
    end = 2 * (1 - tolerance)
    value, _ = quad(lambda s: 1 / ((2 - s) * sqrt(POSITIVE_SPREAD**2 + 4 * s**2)), 0, end)
    return float(value)


def limits(grid: Grid, factor: np.ndarray) -> dict[str, np.ndarray]:
    """Return theory's learning rates at some input factors: by name, each like `factor`."""
    square, mean = moments(grid.base)
    flat, steps = np.ravel(factor), grid.base.steps
    with_biases = [theory.stability_limit(square * f**2, mean * f) for f in flat]
    return {
        "stability": np.reshape(with_biases, np.shape(factor)),
        "stability without biases": 1 / (4 * square * factor**2),
        "death": theory.DEATH / (2 * square * factor**2),
        "too short": kappa_steps(grid.base.task.tolerance) / (2 * square * factor**2 * steps),
    }


def numbers(result: GridResult, names: np.ndarray) -> Numbers:
    """Return how often cells are what theory says, on each side of every line."""
    factor, rate = _maps.cells(result.grid)
    at = limits(result.grid, factor)
    solved, dead = names == "solved", names == "dead"
    trained = rate >= at["too short"]
    return {
        **_maps.size(result),
        "commonest": _maps.counts_of(names),
        "dead in every cell": int(_maps.always_dead(result).min()),
        "solved below the stability limit": _maps.agreement(
            trained & (rate < at["stability"]), solved
        ),
        "solved below the limit without biases": _maps.agreement(
            trained & (rate < at["stability without biases"]), solved
        ),
        "not solved above the stability limit": _maps.agreement(rate >= at["stability"], ~solved),
        "dead above the death threshold": _maps.agreement(rate >= at["death"], dead),
        "not solved where training is too short": _maps.agreement(~trained, ~solved),
    }


def draw_map(axes: Axes, grid: Grid, names: np.ndarray) -> Axes:
    """Draw the outcomes and theory's lines."""
    _maps.draw_map(axes, grid, names)
    axes.set_box_aspect(0.95)
    factor = np.geomspace(*axes.get_xlim(), num=200)
    at = limits(grid, factor)
    dashes = {"stability": "solid", "stability without biases": (0, (1, 1)), "death": (0, (4, 2))}
    dashes["too short"] = (0, (4, 1, 1, 1))
    _maps.draw_lines(axes, [_maps.Line(factor, at[k], dash) for k, dash in dashes.items()])
    _maps.write_along(axes, 0.075, 5.5e-5, "stability limit", -2.0)
    _maps.write_along(axes, 0.07, 2.4e-3, "death", -2.0)
    _maps.write_along(axes, 0.028, 1.3e-6, "gradient flow\nneeds longer", -2.0)
    _maps.write_along(axes, 0.022, 0.45, "dotted: limit without biases")
    _maps.mark_posted(axes, 1.0, grid.base.training.optimiser.learning_rate)
    return axes


def draw_collapse(axes: Axes, result: GridResult) -> Axes:
    """Draw the share of solved and of dead networks of every cell against the relative rate."""
    factor, rate = _maps.cells(result.grid)
    at = limits(result.grid, factor)
    relative = (rate / at["stability"]).ravel()
    for name in ("dead", "solved"):
        look = {"colour": plotting.COLOURS[name], "marker": plotting.MARKERS[name]}
        plotting.draw_points(axes, relative, result.share(name).ravel(), label=name, size=4, **look)
    axes.axvline(1.0, color="black", linewidth=1.1, zorder=1)
    axes.axhline(0.5, color=plotting.GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
    axes.set(xscale="log", xlabel="learning rate / stability limit", ylabel="share of networks")
    axes.set_xlim(3e-3, 30)
    plotting.share_axis(axes)
    axes.set_ylim(-0.03, 1.1)
    axes.set_box_aspect(0.95)
    plotting.note(axes, 0.06, 0.5, "theory: half are born dead")
    axes.legend(loc="upper left")
    return axes
