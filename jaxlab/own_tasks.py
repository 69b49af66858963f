"""Tasks of one's own: from arrays, from a function, from a formula.

Each returns a `Task` to put into a `Setting`. Errors are measured against the standard deviation of
the targets on all rows: a region is fitted when its root-mean-square error is at most `tolerance`
times that, and missed from `margin` times on. Without `regions` the rows are judged together, or,
with one input on both sides of 0, left and right of it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxlab import formula, keys, tasks
from jaxlab.spec import MOST_ROWS, Scaling, Task

ROWS = 400
DRAWS = 8  # of rows per seed that are looked at beforehand
Function = Callable[[jax.Array], jax.Array]


def from_arrays(
    name: str,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    regions: Mapping[str, ArrayLike] | tasks.Regions | None = None,
    tolerance: float = 0.1,
    margin: float = 0.5,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning `targets` (rows,) or (rows, out) at `inputs` alike.

    `regions` are masks (rows,) by name, or a function that makes them of inputs. All members share
    the rows. The task's name ends in a checksum of all this, so that other data is another task.
    ValueError for shapes that do not fit, numbers that are not finite, targets that never change.
    """
    x, y = _columns("inputs", inputs), _columns("targets", targets)
    if len(x) != len(y):
        raise ValueError(
            f"there are {len(x)} rows of inputs and {len(y)} of targets; they must agree"
        )
    _check_targets(y)
    made = regions
    if not isinstance(made, Mapping):
        made = (made or _sides(x[:, 0], x.shape[1]))(jnp.asarray(x))
    masks = {region: np.asarray(mask, bool) for region, mask in made.items()}
    wrong = [region for region, mask in masks.items() if mask.shape != (len(x),)]
    if wrong or not masks:
        shape = (
            f"region {wrong[0]!r} has the shape {masks[wrong[0]].shape}" if wrong else "no regions"
        )
        raise ValueError(f"{shape}; it must be true or false for each of {len(x)} rows")
    empty = [region for region, mask in masks.items() if not mask.any()]
    if empty:
        raise ValueError(f"region {empty[0]!r} holds no row; it must hold at least one")
    checksum = hashlib.sha256(" ".join(masks).encode())
    for array in (x, y, *masks.values()):
        checksum.update(str(array.shape).encode() + array.tobytes())
    full_name = f"{name} {checksum.hexdigest()[:12]}"

    def draw(key, count, numbers):
        return jnp.asarray(x), jnp.asarray(y)

    def judged(inputs):
        return {region: jnp.asarray(mask) for region, mask in masks.items()}

    tasks.define(full_name, draw, judged, random=False, spread=True)
    return Task(full_name, len(x), {}, tolerance, margin, scaling)


def from_function(
    name: str,
    function: Function,
    low: float | Sequence[float],
    high: float | Sequence[float],
    *,
    rows: int = ROWS,
    whole_numbers: bool = False,
    per_seed: bool = False,
    regions: tasks.Regions | None = None,
    tolerance: float = 0.1,
    margin: float = 0.5,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning a function of one or more inputs between `low` and `high`.

    `function` maps inputs (rows, in) to targets (rows,) or (rows, out); write it with jax.numpy.
    `low` and `high` are numbers for each input; a single one stands for one input. Fixed rows are
    evenly spaced; of several inputs, the largest grid of at most `rows` points; of `whole_numbers`,
    all there are; their checksum ends the task's name. With `per_seed` every member draws `rows` of
    its own, uniformly; then the name stands for the function, so give another function another.
    """
    ends = [np.atleast_1d(np.asarray(end, np.float64)) for end in (low, high)]
    _check_ends(ends[0], ends[1], whole_numbers)
    if not 1 <= rows <= MOST_ROWS:
        raise ValueError(f"rows is {rows}; it must be at least 1 and at most {MOST_ROWS}")
    if not per_seed:
        x = _grid(ends[0], ends[1], rows, whole_numbers)
        told = {"tolerance": tolerance, "margin": margin, "scaling": scaling}
        return from_arrays(name, x, function(jnp.asarray(x)), regions=regions, **told)
    judged = regions or _sides(np.stack(ends)[:, 0], len(ends[0]))
    draw, name = partial(_drawn, function, len(ends[0]), whole_numbers), f"{name} per seed"
    numbers = {
        f"{what} {i + 1}": float(value)
        for what, values in zip(("low", "high"), ends, strict=True)
        for i, value in enumerate(values)
    }
    _check_draws(draw, judged, rows, numbers)
    tasks.define(name, draw, judged, random=True, spread=True)
    return Task(name, rows, numbers, tolerance, margin, scaling)


def _check_targets(targets: np.ndarray) -> None:
    if not np.ptp(targets, axis=0).any():
        raise ValueError("all targets are the same; there must be something to learn")


def _check_draws(
    draw: tasks.Draw, judged: tasks.Regions, rows: int, numbers: Mapping[str, float]
) -> None:
    """Raise ValueError where some draws, taken together, are nothing to learn or leave a region."""
    traced = {name: jnp.float32(value) for name, value in numbers.items()}
    drawn = [draw(key, rows, traced) for key in jax.random.split(keys.root_key(), DRAWS)]
    _check_targets(_columns("targets", np.concatenate([targets for _, targets in drawn])))
    found = [judged(inputs) for inputs, _ in drawn]
    empty = [region for region in found[0] if not all(masks[region].any() for masks in found)]
    if empty:
        raise ValueError(
            f"region {empty[0]!r} is without rows for some seeds; it must have some for each"
        )


def from_formula(
    text: str,
    low: float | Mapping[str, float],
    high: float | Mapping[str, float],
    *,
    rows: int = ROWS,
    whole_numbers: bool = False,
    per_seed: bool = False,
    regions: Mapping[str, str] | None = None,
    tolerance: float = 0.1,
    margin: float = 0.5,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning a formula, such as "abs(x)" or "a*b", of one or more variables.

    `low` and `high` are numbers, or numbers by variable; `regions` conditions by name, such as
    {"left": "x < 0", "right": "x > 0"}. The rest is as in `from_function`. The formula is read by
    `jaxlab.formula`, which evaluates nothing else.

    >>> task = from_formula("a*b", 0, 3, whole_numbers=True)
    >>> task.name[:20], task.rows
    ('a*b of whole numbers', 16)
    """
    read = formula.parse(text)
    if not read.names:
        raise ValueError(f"the formula {text!r} has no variable; right is, for example, abs(x)")
    conditions = {name: formula.parse(condition) for name, condition in (regions or {}).items()}
    for condition in conditions.values():
        condition(**dict.fromkeys(read.names, 0.0))  # an error if it is about other variables
    ends = [_by_variable(what, end, read.names) for what, end in (("low", low), ("high", high))]

    kind = " of whole numbers" * whole_numbers
    judged_by = "".join(f", {name}: {condition.text}" for name, condition in conditions.items())
    name = text + kind + judged_by
    told: dict[str, Any] = {"tolerance": tolerance, "margin": margin, "scaling": scaling}
    if per_seed:
        judged = partial(_judged, conditions, read.names) if conditions else None
        made = partial(_evaluated, read, read.names)
        drawn = {"rows": rows, "whole_numbers": whole_numbers, "per_seed": True}
        return from_function(name, made, *ends, regions=judged, **drawn, **told)
    # In float64, by numpy, so that the checksum is the same on every machine.
    low_high = [np.array(end, np.float64) for end in ends]
    _check_ends(low_high[0], low_high[1], whole_numbers)
    x = _grid(low_high[0], low_high[1], rows, whole_numbers)
    given = dict(zip(read.names, x.T, strict=True))
    masks = {region: mask(condition.text, given) for region, condition in conditions.items()}
    return from_arrays(name, x, read(**given), regions=masks or None, **told)


def mask(condition: str, columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return at which rows a condition, such as "x > 0", holds of columns (rows,) by name.

    ValueError where it is something else than a condition, which is 0 or 1.
    """
    found = formula.parse(condition)(**columns)
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"{condition!r} is no condition; right is, for example, x > 0")
    return found == 1


def _judged(
    conditions: Mapping[str, formula.Formula], names: Sequence[str], inputs: jax.Array
) -> dict[str, jax.Array]:
    found = {name: _evaluated(c, names, inputs) != 0 for name, c in conditions.items()}
    return {name: jnp.broadcast_to(mask, inputs.shape[:1]) for name, mask in found.items()}


def _evaluated(read: formula.Formula, names: Sequence[str], inputs: Any) -> jax.Array:
    return jnp.asarray(read.evaluate(jnp, {name: inputs[:, i] for i, name in enumerate(names)}))


def _by_variable(what: str, end: float | Mapping[str, float], names: Sequence[str]) -> list[float]:
    if not isinstance(end, Mapping):
        return [end] * len(names)
    if set(end) != set(names):
        raise ValueError(
            f"{what} is given for {', '.join(end)}; the variables are {', '.join(names)}"
        )
    return [end[name] for name in names]


def _columns(what: str, values: Any) -> np.ndarray:
    """Return float32 columns (rows, columns); ValueError unless they are finite numbers."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is not finite
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} are no numbers; they must be an array of (rows, columns)"
        ) from None
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{what} have the shape {array.shape}; it must be (rows, columns)")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise ValueError(f"{what} are not finite at row {bad[0] + 1}; they must be, at every row")
    return np.ascontiguousarray(array)


def _sides(first: np.ndarray, inputs: int) -> tasks.Regions:
    both = inputs == 1 and first.min() < 0 < first.max()
    return tasks.sides if both else tasks.whole


def _check_ends(low: np.ndarray, high: np.ndarray, whole_numbers: bool) -> None:
    told = f"low and high are {low.tolist()} and {high.tolist()}"
    if low.shape != high.shape or low.ndim != 1:
        raise ValueError(f"{told}; each must have one number for each input")
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise ValueError(f"{told}; they must be finite numbers, low below high")
    if np.abs([low, high]).max() > np.finfo(np.float32).max:
        raise ValueError(f"{told}; float32 holds no such numbers")
    if whole_numbers and not (low == low.round()).all() & (high == high.round()).all():
        raise ValueError(f"{told}; they must be whole numbers, too")
    if whole_numbers and np.abs([low, high]).max() > MOST_ROWS:
        raise ValueError(f"{told}; float32 tells whole numbers apart up to {MOST_ROWS}")


def _grid(low: np.ndarray, high: np.ndarray, rows: int, whole_numbers: bool) -> np.ndarray:
    if whole_numbers:
        sizes = (high - low + 1).astype(int)
        if np.prod(sizes, dtype=float) > MOST_ROWS:
            many = f"{np.prod(sizes, dtype=float):.3g}"
            raise ValueError(f"there are {many} rows of whole numbers; draw some of them per seed")
    else:
        side = int(rows ** (1 / len(low)) + 1e-9)
        if side < 2:
            least = 2 ** len(low)
            raise ValueError(f"rows is {rows}; with {len(low)} inputs it must be at least {least}")
        sizes = np.full(len(low), side)
    axes = []
    for a, b, size in zip(low, high, sizes, strict=True):
        # Built from the integers, so that a symmetric range gives exactly symmetric inputs.
        steps = np.arange(size)
        axes.append((a * (size - 1 - steps) + b * steps) / (size - 1))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return grid.reshape(-1, len(axes)).astype(np.float32)


def _drawn(function: Function, inputs: int, whole_numbers: bool, key, rows: int, numbers):
    low, high = (
        jnp.stack([numbers[f"{end} {i + 1}"] for i in range(inputs)]) for end in ("low", "high")
    )
    if whole_numbers:
        whole = low.astype(jnp.int32), high.astype(jnp.int32) + 1
        x = jax.random.randint(key, (rows, inputs), *whole, jnp.int32).astype(jnp.float32)
    else:
        x = jax.random.uniform(key, (rows, inputs), jnp.float32, low, high)
    targets = jnp.asarray(function(x), jnp.float32)
    return x, targets[:, None] if targets.ndim == 1 else targets
