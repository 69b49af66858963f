"""What float32 makes of columns of float64, and the shift that keeps what rounding would take.

Seconds since 1970, say, are rounded to multiples of 128: an hour of them is a handful of values.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

MOST_MOVED = 1e-3  # of a column's standard deviation, by which rounding may move a number
# Standard deviations whose squares, and the sums of these over all rows, float32 holds.
LEAST_SPREAD, MOST_SPREAD = 1e-15, 1e15


class RoundingWarning(UserWarning):
    """A column that rounding to float32 changes, so that networks see other numbers."""


def moved(values: np.ndarray) -> np.ndarray:
    """Return by how much rounding moves a number of columns (rows, columns) at most.

    Relative to the column's standard deviation; 0 where all its numbers are equal.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold moves by more than it is
        rounded = values.astype(np.float32)
    error, varied = np.abs(values - rounded).max(axis=0), np.ptp(values, axis=0) > 0
    return np.divide(error, values.std(axis=0), out=np.zeros(len(error)), where=varied)


def is_coarse(values: np.ndarray) -> np.ndarray:
    """Say of columns (rows, columns) which of them float32 is too coarse for."""
    return moved(values) > MOST_MOVED


def may_be_coarse(rounded: np.ndarray) -> np.ndarray:
    """Say which columns (rows, columns) that float32 holds may have been too fine for it."""
    last_digit = np.spacing(np.abs(rounded).max(axis=0).astype(np.float32)) / 2
    return last_digit > MOST_MOVED * rounded.std(axis=0)


def check_spread(what: str, values: np.ndarray) -> None:
    """Raise ValueError where values (rows, columns) that differ are too small, or large, to judge.

    Below, their squares are 0 in float32, so that any answer would count as exact.
    """
    spread = math.sqrt(values.var(axis=0).mean())
    if np.ptp(values, axis=0).any() and not LEAST_SPREAD <= spread <= MOST_SPREAD:
        raise ValueError(
            f"{what} has a standard deviation of {spread:.3g}; it must be at least "
            f"{LEAST_SPREAD:g} and at most {MOST_SPREAD:g} for float32: multiply it by a constant"
        )


def centres(values: np.ndarray) -> np.ndarray:
    """Return what to subtract from columns (rows, columns): 0 but where float32 is too coarse.

    There it is the mean, to as few digits as the column's spread allows.
    """
    found = np.zeros(values.shape[1])
    for i in np.flatnonzero(is_coarse(values)):
        digits = -math.floor(math.log10(values[:, i].std()))
        found[i] = round(float(values[:, i].mean()), digits)
    return found


def described(name: str, values: np.ndarray) -> str:
    """Return in words what rounding does to a column (rows,) of that name."""
    before, after = len(np.unique(values)), len(np.unique(values.astype(np.float32)))
    merged = f"{before:,} values become {after:,}" if after < before else "values move"
    share = 100 * float(moved(values[:, None])[0])
    return (
        f"{name} is too fine for float32: {merged}, by up to {share:.3g} % of their standard "
        "deviation"
    )


def warn(losses: Sequence[str]) -> None:
    """Warn of each loss in the name of whoever called a function of `own_tasks`."""
    for line in losses:
        warnings.warn(line, RoundingWarning, stacklevel=4)


def exactly(function: Callable[[jax.Array], Any], x: np.ndarray) -> Any:
    """Return a function of inputs (rows, in), computed in float64."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, function(jnp.asarray(x, jnp.float64)))
