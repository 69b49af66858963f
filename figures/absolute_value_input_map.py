"""Biases that can cross the inputs within training heal |x|, unless the inputs are small.

Panel a: the commonest failure over learning rate and input scale. Panel b: the share that fails
where training is long enough and the learning rate at most 0.01, against how far a bias can travel
within training. Seeds are the same in all cells. The half-lines stay decoupled as long as biases
cannot travel, whatever the size of the inputs down to about 10; the rule of theory, inputs of at
least 100 and lr x steps of at most 0.15 of them, is more cautious than that. Nothing here predicts
by how much failures become fewer.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from figures import _maps
from figures._counts import Numbers
from figures.absolute_value_weight_map import LONG, largest_weight
from jaxlab import plotting
from jaxlab.grid import Grid, GridResult
from jaxlab.theory.absolute_value import training_fails
from sweeps.absolute_value import conditions_of

DECOUPLED = 100.0  # inputs from which on theory takes the half-lines to be learnt apart
CALM = 0.01  # learning rate up to which momentum does not carry these weights through 0
KINDS = (
    ("from 100", 100, np.inf, plotting.BLUE, "o"),
    ("5 to 100", 5, 100, plotting.ORANGE, "s"),
    ("below 5", 0, 5, plotting.PURPLE, "^"),
)


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
    figure.legend(handles=entries, loc="outside lower center", ncols=5)
    return {"absolute_value_input_map": (figure, numbers(result, names))}


def travel(grid: Grid) -> np.ndarray:
    """Return learning rate times steps, relative to the largest input, of every cell."""
    rate, factor = _maps.cells(grid)
    given = conditions_of(grid.base)
    return rate * given.steps / (given.input_limit * factor)


def calm(grid: Grid) -> np.ndarray:
    """Return in which cells training is long enough and momentum small."""
    rate = _maps.cells(grid)[0]
    given = conditions_of(grid.base)
    needed = LONG * max(1.0, float(largest_weight(np.array(1.0))))
    return (rate * given.steps >= needed) & (rate <= CALM)


def thrown(grid: Grid) -> np.ndarray:
    """Return in which cells momentum carries a bias beyond the largest input."""
    rate, factor = _maps.cells(grid)
    given = conditions_of(grid.base)
    return rate / (1 - given.first_moment_decay) > given.input_limit * factor


def numbers(result: GridResult, names: np.ndarray) -> Numbers:
    """Return the failures on both sides of the line of travelling, by size of the inputs."""
    way, failed = travel(result.grid), 1 - result.share("solved")
    largest = conditions_of(result.grid.base).input_limit * _maps.cells(result.grid)[1]
    rows = []
    for label, low, high, *_ in KINDS:
        inside = calm(result.grid) & ~thrown(result.grid) & (largest >= low) & (largest < high)
        for side, chosen in (("below", inside & (way < 1)), ("above", inside & (way >= 1))):
            n = int(chosen.sum())
            mean = float(failed[chosen].mean()) if n else None
            rows.append({"inputs": label, "travel": f"{side} 1", "cells": n, "fails": mean})
    return {
        **_maps.size(result),
        "commonest failure": _maps.counts_of(names),
        "survival formula": training_fails(2, 0.75),
        "by travel": rows,
        "one side only where decoupled": _maps.agreement(
            calm(result.grid) & (largest >= DECOUPLED) & (way < 0.05), names == "one side only"
        ),
        "dead where momentum throws biases out": _maps.agreement(
            thrown(result.grid), names == "dead"
        ),
        "not dead elsewhere": _maps.agreement(~thrown(result.grid), names != "dead"),
    }


def draw_map(axes: Axes, result: GridResult, names: np.ndarray) -> Axes:
    """Draw what failures are, the paler the fewer they are, and theory's lines."""
    grid, given = result.grid, conditions_of(result.grid.base)
    _maps.draw_map(axes, grid, names, 1 - result.share("solved"))
    axes.set_box_aspect(0.95)
    factor = np.geomspace(*axes.get_ylim(), num=200)
    across = given.input_limit * factor / given.steps
    out = given.input_limit * factor * (1 - given.first_moment_decay)
    needed = LONG * max(1.0, float(largest_weight(np.array(1.0)))) / given.steps
    ends = np.array(axes.get_xlim())
    _maps.draw_lines(
        axes,
        [
            _maps.Line(across, factor),
            _maps.Line(out, factor, (0, (4, 2))),
            _maps.Line([needed, needed], axes.get_ylim(), (0, (1, 1))),
            _maps.Line(ends, [DECOUPLED / given.input_limit] * 2, (0, (4, 1, 1, 1))),
        ],
    )
    _maps.write_along(axes, 7e-3, 0.031, "lr x steps = largest |x|", 1.0)
    _maps.write_along(axes, 0.055, 1.9e-4, "10 lr = largest |x|", 1.0)
    _maps.write_along(axes, 4.5e-5, 0.155, "|x| up to 100")
    _maps.write_along(axes, 1.6e-4, 6e-3, "too short", np.inf)
    _maps.mark_posted(axes, grid.base.training.optimiser.learning_rate, 1.0)
    return axes


def draw_collapse(axes: Axes, result: GridResult) -> Axes:
    """Draw the share that fails against how far a bias can travel, by size of the inputs."""
    way, failed = travel(result.grid), 1 - result.share("solved")
    largest = conditions_of(result.grid.base).input_limit * _maps.cells(result.grid)[1]
    chosen = calm(result.grid) & ~thrown(result.grid)
    for label, low, high, colour, marker in KINDS:
        where = chosen & (largest >= low) & (largest < high)
        look = {"colour": colour, "marker": marker, "label": label, "size": 4.0}
        plotting.draw_points(axes, way[where], failed[where], **look)
    survival = training_fails(2, 0.75)
    axes.axhline(survival, color="black", linewidth=1.1, zorder=1)
    axes.axvline(1.0, color="black", linewidth=1.1, zorder=1)
    axes.set(xscale="log", xlabel="lr x steps / largest |x|")
    axes.set_ylabel("share of networks that fail")
    axes.set_ylim(0.37, 1.07)
    axes.yaxis.set_major_locator(FixedLocator([0.4, 0.5, 0.6, survival, 0.8, 0.9, 1.0]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    plotting.note(axes, 0.03, survival - 0.03, "survival formula")
    plotting.note(axes, 0.45, 0.52, "biases can cross", angle=90)
    axes.set_box_aspect(0.95)
    axes.legend(title="largest |x|", loc="lower right", ncols=1)
    return axes
