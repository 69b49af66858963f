"""Inputs between two ends, one pair for each input: an even grid, or drawn for each seed."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab.spec import MOST_ROWS

Function = Callable[[jax.Array], jax.Array]


def check_ends(low: np.ndarray, high: np.ndarray, whole_numbers: bool) -> None:
    """Raise ValueError unless there are numbers between the ends (inputs,) of each input."""
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


def grid(low: np.ndarray, high: np.ndarray, rows: int, whole_numbers: bool) -> np.ndarray:
    """Return the largest grid (points, inputs) of at most `rows`, float64; or all whole numbers."""
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
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def numbers(low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    """Return the ends as numbers of a task, for `drawn`."""
    return {
        f"{end} {i + 1}": float(value)
        for end, values in (("low", low), ("high", high))
        for i, value in enumerate(values)
    }


def drawn(
    function: Function,
    inputs: int,
    whole_numbers: bool,
    key: jax.Array,
    rows: int,
    ends: Mapping[str, jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """Draw inputs (rows, inputs) uniformly, and return them and the function's values there."""
    low, high = (
        jnp.stack([ends[f"{end} {i + 1}"] for i in range(inputs)]) for end in ("low", "high")
    )
    if whole_numbers:
        whole = low.astype(jnp.int32), high.astype(jnp.int32) + 1
        x = jax.random.randint(key, (rows, inputs), *whole, jnp.int32).astype(jnp.float32)
    else:
        x = jax.random.uniform(key, (rows, inputs), jnp.float32, low, high)
    targets = jnp.asarray(function(x), jnp.float32)
    return x, targets[:, None] if targets.ndim == 1 else targets
