"""Tasks of one's own: from arrays, from a function, from a formula.

Each returns a `Task` to put into a `Setting`. Errors are measured against the standard deviation of
the targets on all rows: a region is fitted when its root-mean-square error is at most `tolerance`
times that, and missed from `margin` times on. Without `regions` the rows are judged together, or,
with one input on both sides of 0, left and right of it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxlab import formula, ranges, rounding, surroundings, tasks
from jaxlab.fixed_rows import Table, check_targets, columns, judging
from jaxlab.ranges import Function
from jaxlab.seed_rows import Draws
from jaxlab.spec import MOST_ROWS, Scaling, Task

ROWS = 400


@surroundings.pinned()
def from_arrays(
    name: str,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    regions: Mapping[str, ArrayLike] | tasks.Regions | None = None,
    tolerance: float = 0.1,
    margin: float | None = None,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning `targets` (rows,) or (rows, out) at `inputs` alike.

    `regions` are masks (rows,) by name, or a function that makes them of inputs. All members share
    the rows. The task's name ends in a checksum of all this, so that other data is another task.
    ValueError for shapes that do not fit, numbers that are not finite, targets that never change;
    RoundingWarning for columns too fine for float32 that no scaling is asked for.
    """
    x, y = columns("inputs", inputs), columns("targets", targets)
    names = [f"input {i + 1}" for i in range(x.shape[1])]
    names += [f"target {i + 1}" for i in range(y.shape[1])]
    return _of_rows(name, x, y, names, regions, scaling, judging(tolerance, margin))


def from_table(
    target: str,
    table: Mapping[str, ArrayLike],
    *,
    regions: Mapping[str, str] | None = None,
    tolerance: float = 0.1,
    margin: float | None = None,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning the column `target` of a table from all its other columns.

    `table` holds columns (rows,) by name; `regions` are conditions on inputs by name. The rest is
    as in `from_arrays`.
    """
    inputs = {name: np.asarray(column) for name, column in table.items() if name != target}
    x = columns("inputs", np.stack(list(inputs.values()), axis=1))
    masks = {name: mask(condition, inputs) for name, condition in (regions or {}).items()}
    y, names = columns("targets", table[target]), [*map(repr, inputs), repr(target)]
    names = [f"column {name}" for name in names]
    return _of_rows(target, x, y, names, masks or None, scaling, judging(tolerance, margin))


def _of_rows(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    names: Sequence[str],
    regions: Mapping[str, ArrayLike] | tasks.Regions | None,
    scaling: Scaling | None,
    judged: Mapping[str, Any],
) -> Task:
    if len(x) != len(y):
        raise ValueError(
            f"there are {len(x)} rows of inputs and {len(y)} of targets; they must agree"
        )
    check_targets(y)
    made: Any = regions
    if not isinstance(made, Mapping):
        made = _evaluated(made or _sides(x.min(axis=0), x.max(axis=0)), x)
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
    table = Table(name, x, y, masks, tuple(names))
    task = table.task(scaling, judged)
    rounding.warn(table.losses(scaling))
    return task


def _evaluated(function: Any, x: np.ndarray) -> Any:
    """Return a function of inputs (rows, in) in float32; in float64 where that is too coarse."""
    if rounding.is_coarse(x).any():
        return rounding.exactly(function, x)
    return function(jnp.asarray(x, jnp.float32))


def _values(function: Function, x: np.ndarray) -> np.ndarray:
    values = columns("targets", _evaluated(function, x))
    if rounding.may_be_coarse(values).any():
        values = columns("targets", rounding.exactly(function, x))
    return values


def _ends(low: Any, high: Any, whole_numbers: bool) -> tuple[np.ndarray, np.ndarray]:
    ends = np.atleast_1d(np.array(low, np.float64)), np.atleast_1d(np.array(high, np.float64))
    ranges.check_ends(*ends, whole_numbers)
    return ends


def _grid(ends: tuple[np.ndarray, np.ndarray], rows: int, whole_numbers: bool) -> np.ndarray:
    """Return inputs (rows, in), float64, at which targets are computed: as networks see them."""
    x = ranges.grid(*ends, rows, whole_numbers)
    return x if rounding.is_coarse(x).any() else x.astype(np.float32).astype(np.float64)


@surroundings.pinned()
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
    margin: float | None = None,
    scaling: Scaling | None = None,
) -> Task:
    """Return the task of learning a function of one or more inputs between `low` and `high`.

    `function` maps inputs (rows, in) to targets (rows,) or (rows, out); write it with jax.numpy.
    `low` and `high` are numbers for each input; a single one stands for one input. Fixed rows are
    evenly spaced; of several inputs, the largest grid of at most `rows` points; of `whole_numbers`,
    all there are. With `per_seed` every member draws `rows` of its own, uniformly. A checksum of
    the rows, or of some draws, ends the task's name, so that another function is another task.
    """
    ends = _ends(low, high, whole_numbers)
    if not 1 <= rows <= MOST_ROWS:
        raise ValueError(f"rows is {rows}; it must be at least 1 and at most {MOST_ROWS}")
    if per_seed:
        judged = judging(tolerance, margin)
        draws = Draws(function, *ends, whole_numbers, regions or _sides(*ends))
        return draws.task(f"{name} per seed", rows, scaling, judged, checksum=True)
    x = _grid(ends, rows, whole_numbers)
    told = {"tolerance": tolerance, "margin": margin, "scaling": scaling}
    return from_arrays(name, x, _values(function, x), regions=regions, **told)


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
    margin: float | None = None,
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
    ends = _by_variable("low", low, read.names), _by_variable("high", high, read.names)

    kind = " of whole numbers" * whole_numbers
    judged_by = "".join(f", {name}: {condition.text}" for name, condition in conditions.items())
    name = text + kind + judged_by
    judged = judging(tolerance, margin)
    low_high = _ends(*ends, whole_numbers)
    if per_seed:
        regions_of = partial(_masks, conditions, read.names) if conditions else _sides(*low_high)
        # Of one input, the ends decide how it is judged; two meanings need two names.
        whole = ", as a whole" * (regions_of is tasks.whole and len(read.names) == 1)
        draws = Draws(partial(_computed, read, read.names), *low_high, whole_numbers, regions_of)
        return draws.task(f"{name}{whole} per seed", rows, scaling, judged, checksum=False)
    # In float64, by numpy, so that the checksum is the same on every machine.
    x = _grid(low_high, rows, whole_numbers)
    given = dict(zip(read.names, x.T, strict=True))
    masks = {region: mask(condition.text, given) for region, condition in conditions.items()}
    names = [*(f"input {variable}" for variable in read.names), f"target {text}"]
    y = columns("targets", read(**given))
    return _of_rows(name, x, y, names, masks or None, scaling, judged)


def mask(condition: str, values: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return at which rows a condition, such as "x > 0", holds of values (rows,) by name.

    ValueError where it is something else than a condition, which is 0 or 1.
    """
    found = formula.parse(condition, values)(**values)
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"{condition!r} is no condition; right is, for example, x > 0")
    return found == 1


def _computed(read: formula.Formula, names: Sequence[str], inputs: Any) -> jax.Array:
    return jnp.asarray(read.evaluate(jnp, {name: inputs[:, i] for i, name in enumerate(names)}))


def _masks(
    conditions: Mapping[str, formula.Formula], names: Sequence[str], inputs: jax.Array
) -> dict[str, jax.Array]:
    found = {name: _computed(c, names, inputs) != 0 for name, c in conditions.items()}
    return {name: jnp.broadcast_to(mask, inputs.shape[:1]) for name, mask in found.items()}


def _by_variable(what: str, end: float | Mapping[str, float], names: Sequence[str]) -> list[float]:
    if not isinstance(end, Mapping):
        return [end] * len(names)
    if set(end) != set(names):
        raise ValueError(
            f"{what} is given for {', '.join(end)}; the variables are {', '.join(names)}"
        )
    return [end[name] for name in names]


def _sides(low: np.ndarray, high: np.ndarray) -> tasks.Regions:
    """Return the regions of inputs between these ends (inputs,) where none are asked for."""
    return tasks.sides if len(low) == 1 and low[0] < 0 < high[0] else tasks.whole
