"""Tasks: how inputs and targets are made, and the named regions in which success is judged.

A task is a name in a specification and, here, what the name means. To add one, write a function
from a key and the task's numbers to inputs and targets, and register it with `define`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxlab.spec import Task

Draw = Callable[[jax.Array, int, Mapping[str, jax.Array]], tuple[jax.Array, jax.Array]]
Regions = Callable[[jax.Array], dict[str, jax.Array]]


@dataclass(frozen=True)
class Definition:
    """What a task's name means.

    `draw(key, rows, numbers)` returns inputs (rows, in) and targets (rows, out); `regions(inputs)`
    returns a mask (rows,) per region. A task that is not `random` ignores its key, and all members
    of equal numbers share one data set.
    """

    draw: Draw
    regions: Regions
    random: bool


_DEFINITIONS: dict[str, Definition] = {}


def define(name: str, draw: Draw, regions: Regions, *, random: bool) -> None:
    """Register what a task's name means; a name can be defined again with a new meaning."""
    _DEFINITIONS[name] = Definition(draw, regions, random)


def definition(task: Task) -> Definition:
    """Return what the task's name means; ValueError lists the known names."""
    if task.name not in _DEFINITIONS:
        known = ", ".join(sorted(_DEFINITIONS))
        raise ValueError(f"task name is {task.name!r}; it must be one of {known}")
    return _DEFINITIONS[task.name]


def sides(inputs: jax.Array) -> dict[str, jax.Array]:
    """Split the rows at zero of the first input: right is x > 0, left is x < 0."""
    x = inputs[:, 0]
    return {"right": x > 0, "left": x < 0}


def whole(inputs: jax.Array) -> dict[str, jax.Array]:
    """Judge all rows together."""
    return {"all": jnp.ones(inputs.shape[0], bool)}


def _line(rows: int, numbers: Mapping[str, jax.Array]) -> jax.Array:
    # Built from the integers, so that a symmetric range gives exactly symmetric inputs.
    low, high = numbers["low"], numbers["high"]
    steps = jnp.arange(rows, dtype=jnp.float32)
    last = max(rows - 1, 1)
    return ((low * (last - steps) + high * steps) / last)[:, None]


def _absolute_value(key, rows, numbers):
    inputs = _line(rows, numbers)
    return inputs, jnp.abs(inputs)


define("absolute_value", _absolute_value, sides, random=False)


def absolute_value(rows: int = 400, low: float = -1000.0, high: float = 1000.0) -> Task:
    """Learn |x| on `rows` evenly spaced points from `low` to `high`."""
    return Task("absolute_value", rows, {"low": low, "high": high})
