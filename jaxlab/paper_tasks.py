"""Tasks of papers and of a forum: XOR, the targets of the dying ReLU, random points, a line.

They are registered as those of `tasks` are, when jaxlab is imported.
"""

import math

import jax
import jax.numpy as jnp

from jaxlab.spec import Task
from jaxlab.tasks import define, evenly_spaced, whole

INPUTS = 16  # of the random points
SPAN = math.sqrt(7.0)  # of the targets of the dying ReLU, to both sides of 0


def _xor(key, rows, numbers):
    signs = jnp.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    return signs, (signs[:, :1] != signs[:, 1:]).astype(jnp.float32)


def _each_corner(inputs):
    names = ("both_off", "first_on", "second_on", "both_on")
    return {name: jnp.arange(inputs.shape[0]) == i for i, name in enumerate(names)}


define("xor", _xor, _each_corner, random=False)


def xor() -> Task:
    """Learn XOR on the corners of the square from -1 to 1; a corner is right within 1/2."""
    return Task("xor", 4, tolerance=0.5)


def _sine(key, rows, numbers):
    x = evenly_spaced(rows, numbers)
    return x, x * jnp.sin(5 * x)


def _step_and_sine(key, rows, numbers):
    x = evenly_spaced(rows, numbers)
    return x, jnp.where(x > 0, 1.0, 0.0) + 0.2 * jnp.sin(5 * x)


def _folded_plane(key, rows, numbers):
    low, high = numbers["low"], numbers["high"]
    x = jax.random.uniform(key, (rows, 2), jnp.float32, low, high)
    return x, jnp.abs(jnp.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1))


define("sine", _sine, whole, random=False, spread=True)
define("step_and_sine", _step_and_sine, whole, random=False, spread=True)
define("folded_plane", _folded_plane, whole, random=True, spread=True)


def on_span(name: str, rows: int = 3000) -> Task:
    """Learn a target of the dying ReLU on the span of its paper.

    `name` is absolute_value, sine (x sin 5x) or step_and_sine (1 where x > 0, plus 0.2 sin 5x), on
    evenly spaced points; or folded_plane (|x1 + x2|, |x1 - x2|), on points drawn for each seed.
    """
    known = ("absolute_value", "sine", "step_and_sine", "folded_plane")
    if name not in known:
        raise ValueError(f"name is {name!r}; it must be one of {', '.join(known)}")
    return Task(name, rows, {"low": -SPAN, "high": SPAN})


def _affine(key, rows, numbers):
    x = evenly_spaced(rows, numbers)
    return x, numbers["slope"] * x + numbers["intercept"]


define("affine", _affine, whole, random=False, spread=True)


def affine(rows: int, low: float, high: float, slope: float, intercept: float) -> Task:
    """Learn slope x + intercept on `rows` evenly spaced points from `low` to `high`."""
    return Task("affine", rows, {"low": low, "high": high, "slope": slope, "intercept": intercept})


def _random_points(key, rows, numbers):
    points = jax.random.normal(key, (rows, INPUTS + 1), jnp.float32)
    return points[:, :-1], points[:, -1:]


define("random_points", _random_points, whole, random=True)


def random_points(rows: int) -> Task:
    """Learn standard normal targets at standard normal inputs of 16 numbers, drawn per seed."""
    return Task("random_points", rows)


def _quadrant(key, rows, numbers):
    angle = jnp.linspace(0.0, jnp.pi / 2, rows)
    inputs = jnp.stack([jnp.abs(jnp.cos(angle)), jnp.sin(angle)], axis=1)
    inputs = jnp.where(inputs < 1e-6, 0.0, inputs)  # the last one is on the axis
    return inputs, inputs.sum(axis=1, keepdims=True)


define("quadrant", _quadrant, whole, random=False)


def quadrant(rows: int) -> Task:
    """Learn a + b in `rows` directions that are evenly spread over the non-negative quadrant."""
    return Task("quadrant", rows)
