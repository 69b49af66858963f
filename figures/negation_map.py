"""Time turns -1 into 1 from weights up to 1.4; steep and almost flat slopes leave less of it.

The outcome of one unit after 1,000 steps, over initial weight and slope, with theory's bounds on
the weights whose sign turns in time, and the largest weight that also reaches the target, followed
step by step in float64. Nothing is random: a cell is one network. At slopes above 0.05 the error
already falls while the sign is still wrong, so that the turn itself shows in no outcome.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from figures import _maps
from figures._counts import Numbers
from jaxlab import plotting
from jaxlab.grid import Grid, GridResult
from jaxlab.spec import Setting
from jaxlab.theory import negation as theory

SHOWS_TURNS = 0.03  # up to this slope a network whose sign never turned counts as constant


def draw(result: GridResult) -> dict[str, tuple[Figure, Numbers]]:
    """Return the map with its numbers."""
    names = _maps.commonest(result)
    figure = Figure(figsize=(plotting.DOUBLE, 3.0), layout="constrained")
    draw_map(figure.add_subplot(), result.grid, names)
    figure.legend(handles=_maps.patches(names), loc="outside lower center", ncols=4)
    return {"negation_map": (figure, numbers(result, names))}


def turning(setting: Setting, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return theory's bounds (slopes,) on the largest weight whose sign turns in time."""
    optimiser = setting.training.optimiser
    numbers = optimiser.learning_rate, setting.steps, optimiser.eps
    bounds = [theory.reach(float(slope), *numbers) for slope in slopes]
    low, high = np.array(bounds).T
    return low, high


def reaches(setting: Setting, slope: ArrayLike, weight: ArrayLike) -> np.ndarray:
    """Say of which units the output ends within the tolerance of 1, by following them in float64.

    Adam in Keras's convention on (z - 1)^2, z = b - w where positive and slope times it elsewhere.
    """
    adam = setting.training.optimiser
    slope, w = np.broadcast_arrays(np.asarray(slope, float), np.asarray(weight, float))
    w, b = w.copy(), np.zeros_like(w)
    mean = square = np.zeros_like(w)  # of the gradient with respect to b; that of w is its opposite
    for step in range(1, setting.steps + 1):
        z = b - w
        leak = np.where(z > 0, 1.0, slope)
        gradient = 2 * (leak * z - 1) * leak
        mean = adam.b1 * mean + (1 - adam.b1) * gradient
        square = adam.b2 * square + (1 - adam.b2) * gradient**2
        rate = adam.learning_rate * np.sqrt(1 - adam.b2**step) / (1 - adam.b1**step)
        move = rate * mean / (np.sqrt(square) + adam.eps)
        b, w = b - move, w + move
    z = b - w
    return np.abs(np.where(z > 0, z, slope * z) - 1) <= setting.task.tolerance


def largest_solved(setting: Setting, slopes: np.ndarray, high: float = 3.0) -> np.ndarray:
    """Return the largest initial weight (slopes,) that reaches the target, by bisection from 0."""
    low, high_ = np.zeros(len(slopes)), np.full(len(slopes), high)
    for _ in range(12):
        middle = (low + high_) / 2
        inside = reaches(setting, slopes, middle)
        low, high_ = np.where(inside, middle, low), np.where(inside, high_, middle)
    return low


def numbers(result: GridResult, names: np.ndarray) -> Numbers:
    """Return in how many cells theory and the map agree."""
    weight, slope = _maps.cells(result.grid)
    low, high = (bound[:, None] for bound in turning(result.grid.base, slope[:, 0]))
    solved, constant = names == "solved", names == "constant"
    followed = reaches(result.grid.base, slope, weight)
    shows = (slope <= SHOWS_TURNS) & (weight > 0)
    return {
        **_maps.size(result),
        "commonest": _maps.counts_of(names),
        "steps": result.grid.base.steps,
        "no turn beyond the upper bound, not solved": _maps.agreement(weight > high, ~solved),
        "no turn beyond the upper bound, constant": _maps.agreement(
            shows & (weight > high), constant
        ),
        "turned below the lower bound, not constant": _maps.agreement(
            shows & (weight < low), ~constant
        ),
        "between the bounds": int(np.sum(shows & (weight >= low) & (weight <= high))),
        "solved where followed units are": _maps.agreement(followed, solved),
        "not solved where followed units are not": _maps.agreement(~followed, ~solved),
    }


def draw_map(axes: Axes, grid: Grid, names: np.ndarray) -> Axes:
    """Draw the outcomes and theory's lines."""
    _maps.draw_map(axes, grid, names, log_x=False)
    axes.set_box_aspect(0.42)
    slopes = np.geomspace(*axes.get_ylim(), num=200)
    low, high = turning(grid.base, slopes)
    lines = [
        _maps.Line(low, slopes),
        _maps.Line(high, slopes, (0, (4, 2))),
        _maps.Line(largest_solved(grid.base, slopes), slopes, (0, (1, 1))),
    ]
    _maps.draw_lines(axes, lines)
    _maps.write_along(axes, 0.6, 1e-4, "reaches 1")
    _maps.write_along(axes, 1.7, 1e-3, "turns, but\ntoo late")
    _maps.write_along(axes, 2.25, 1e-3, "does not turn")
    _maps.write_along(axes, 1.06, 1.7e-8, "turns within 1,000 steps: theory's lower bound")
    _maps.write_along(axes, 2.06, 1e-6, "upper bound 2 lr T", np.inf)
    _maps.write_along(axes, 1.36, 6e-4, "followed in float64", np.inf)
    return axes
