"""Tasks: how inputs and targets are made, and the named regions in which success is judged.

A task is a name in a specification and, here, what the name means. To add one, write a function
from a key and the task's numbers to inputs and targets, and register it with `define`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxlab import definitions, keys, surroundings
from jaxlab.spec import Scaling, Setting, Task

Draw = Callable[[jax.Array, int, Mapping[str, jax.Array]], tuple[jax.Array, jax.Array]]
Regions = Callable[[jax.Array], dict[str, jax.Array]]
Rescaled = Callable[[Task, Scaling | None], Task]


@dataclass(frozen=True)
class Definition:
    """What a task's name means.

    `draw(key, rows, numbers)` returns inputs (rows, in) and targets (rows, out); `regions(inputs)`
    returns a mask (rows,) per region. A task that is not `random` ignores its key, and all members
    of equal numbers share one data set. Errors are relative to the targets' root mean square; or,
    if `spread`, to their standard deviation, where a constant must not count as half the answer.
    Where the rows depend on how they will be scaled, `rescaled(task, scaling)` returns the task of
    the same data with another scaling.
    """

    draw: Draw
    regions: Regions
    random: bool
    spread: bool
    rescaled: Rescaled | None = None


_DEFINITIONS: dict[str, Definition] = {}


def define(
    name: str,
    draw: Draw,
    regions: Regions,
    *,
    random: bool,
    spread: bool = False,
    rescaled: Rescaled | None = None,
) -> None:
    """Register what a task's name means; a name can be defined again with a new meaning.

    No sweep may hold tasks of one name that were made before and after that.
    """
    meaning = Definition(draw, regions, random, spread, rescaled)
    definitions.register("task", name, meaning, _DEFINITIONS)


def is_defined(task: Task) -> bool:
    """Say whether the task's name has a meaning in this process."""
    return task.name in _DEFINITIONS


def definition(task: Task) -> Definition:
    """Return what the task's name means; ValueError lists the known names."""
    if task.name not in _DEFINITIONS:
        known = ", ".join(sorted(_DEFINITIONS))
        raise ValueError(f"task name is {task.name!r}; it must be one of {known}")
    return _DEFINITIONS[task.name]


def rescaled(task: Task, scaling: Scaling | None) -> Task:
    """Return the task with another scaling, its rows made anew where they depend on that."""
    made = definition(task).rescaled if is_defined(task) else None
    return made(task, scaling) if made else dataclasses.replace(task, scaling=scaling)


def own_rows(task: Task) -> bool:
    """Say if every member has rows of its own: drawn for it, or scaled as its setting says."""
    return definition(task).random or task.scaling is not None


@surroundings.pinned()
def example(task: Task) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    """Return inputs, targets and region masks for one fixed key; for any, if nothing is random."""
    meaning = definition(task)
    numbers = {name: jnp.float32(value) for name, value in task.numbers.items()}
    inputs, targets = meaning.draw(keys.root_key(), task.rows, numbers)
    return inputs, targets, meaning.regions(inputs)


@surroundings.pinned()
def check_fit(setting: Setting) -> None:
    """Raise ValueError unless the setting's network has the task's inputs and outputs."""
    task, widths = setting.task, setting.network.widths
    inputs, targets, regions = jax.eval_shape(lambda: example(task))
    for name, array, width in (("inputs", inputs, widths[0]), ("targets", targets, widths[-1])):
        if array.ndim != 2 or array.shape[0] != task.rows:
            right = f"({task.rows}, number of {name})"
            raise ValueError(f"task {task.name!r} makes {name} {array.shape}; they must be {right}")
        if array.shape[1] != width:
            raise ValueError(
                f"widths of setting {setting.name!r} are {widths}; the task {task.name!r} has "
                f"{array.shape[1]} {name} a row, so that end must be {array.shape[1]}"
            )
    _check_logarithms(task)
    for name, mask in regions.items():
        if mask.shape != (task.rows,):
            raise ValueError(
                f"region {name!r} of task {task.name!r} has the shape {mask.shape}; "
                f"it must be ({task.rows},), true or false for every row"
            )


def _check_logarithms(task: Task) -> None:
    scaling = task.scaling
    if scaling is None or "log" not in (scaling.inputs, scaling.targets):
        return
    drawn = dict(zip(("inputs", "targets"), example(task)[:2], strict=True))
    for name, values in drawn.items():
        if getattr(scaling, name) == "log" and values.min() <= -1:
            raise ValueError(
                f"scaling of {name} is 'log', but task {task.name!r} makes {name} of "
                f"{float(values.min()):g}; they must be above -1"
            )


def sides(inputs: jax.Array) -> dict[str, jax.Array]:
    """Split the rows at zero of the first input: right is x >= 0, left is x <= 0.

    Rows at zero belong to both, for a row in no region would not have to be learnt.
    """
    x = inputs[:, 0]
    return {"right": x >= 0, "left": x <= 0}


def whole(inputs: jax.Array) -> dict[str, jax.Array]:
    """Judge all rows together."""
    return {"all": jnp.ones(inputs.shape[0], bool)}


def evenly_spaced(rows: int, numbers: Mapping[str, jax.Array]) -> jax.Array:
    """Return inputs (rows, 1) evenly spaced from the number "low" to the number "high"."""
    # Built from the integers, so that a symmetric range gives exactly symmetric inputs.
    low, high = numbers["low"], numbers["high"]
    steps = jnp.arange(rows, dtype=jnp.float32)
    last = max(rows - 1, 1)
    return ((low * (last - steps) + high * steps) / last)[:, None]


def _absolute_value(key, rows, numbers):
    inputs = evenly_spaced(rows, numbers)
    return inputs, jnp.abs(inputs)


define("absolute_value", _absolute_value, sides, random=False)


def absolute_value(rows: int = 400, low: float = -1000.0, high: float = 1000.0) -> Task:
    """Learn |x| on `rows` evenly spaced points from `low` to `high`."""
    return Task("absolute_value", rows, {"low": low, "high": high})


def _negation(key, rows, numbers):
    inputs = jnp.full((rows, 1), -1.0)
    return inputs, -inputs


def _doubling(key, rows, numbers):
    inputs = evenly_spaced(rows, numbers)
    return inputs, 2 * inputs


def _doubling_normal(key, rows, numbers):
    inputs = jax.random.normal(key, (rows, 1), jnp.float32)
    return inputs, 2 * inputs


def _of_integers(count: int, target: Callable[..., jax.Array]) -> Draw:
    """Return how rows of `count` integers are drawn with replacement from low to high."""

    def draw(key, rows, numbers):
        low, high = (numbers[name].astype(jnp.int32) for name in ("low", "high"))
        integers = jax.random.randint(key, (rows, count), low, high + 1, jnp.int32)
        inputs = integers.astype(jnp.float32)
        return inputs, target(inputs, numbers)[:, None]

    return draw


_INTEGERS: dict[str, Draw] = {
    "sum": _of_integers(2, lambda x, numbers: x[:, 0] + x[:, 1]),
    "product": _of_integers(2, lambda x, numbers: x[:, 0] * x[:, 1]),
    "square": _of_integers(1, lambda x, numbers: x[:, 0] ** 2),
    "square_and_spare": _of_integers(2, lambda x, numbers: x[:, 0] ** 2),
    "multiple": _of_integers(1, lambda x, numbers: numbers["constant"] * x[:, 0]),
    "shifted": _of_integers(1, lambda x, numbers: x[:, 0] + numbers["constant"]),
}

_WITH_CONSTANT = ("multiple", "shifted")

define("negation", _negation, whole, random=False)
define("doubling", _doubling, whole, random=False)
define("doubling_normal", _doubling_normal, whole, random=True)
for _name, _draw in _INTEGERS.items():
    define(_name, _draw, whole, random=True, spread=True)


def negation(rows: int = 1) -> Task:
    """Learn 1 at the input -1; all rows are the same."""
    return Task("negation", rows)


def doubling(rows: int = 600, low: float = 1.0, high: float = 600.0) -> Task:
    """Learn 2x on `rows` evenly spaced points from `low` to `high`."""
    return Task("doubling", rows, {"low": low, "high": high})


def doubling_normal(rows: int = 600) -> Task:
    """Learn 2x on `rows` standard normal inputs, drawn for each seed."""
    return Task("doubling_normal", rows)


def of_integers(
    name: str,
    rows: int,
    low: int,
    high: int,
    *,
    constant: float | None = None,
    scaling: Scaling | None = None,
) -> Task:
    """Learn a sum, product or another function of integers drawn from low to high (included).

    `name` is sum, product, square, square_and_spare (with a second input of no use), multiple or
    shifted; the last two take their `constant`. Each seed has rows of its own.
    """
    if name not in _INTEGERS:
        raise ValueError(f"name is {name!r}; it must be one of {', '.join(_INTEGERS)}")
    if not (float(low).is_integer() and float(high).is_integer() and low <= high):
        raise ValueError(f"low and high are {low!r} and {high!r}; they must be integers, low first")
    if (constant is not None) != (name in _WITH_CONSTANT):
        needs = "a number" if name in _WITH_CONSTANT else "None"
        raise ValueError(f"constant is {constant!r}; for the task {name!r} it must be {needs}")
    numbers = {"low": low, "high": high} | ({} if constant is None else {"constant": constant})
    return Task(name, rows, numbers, scaling=scaling)
