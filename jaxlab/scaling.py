"""Scaling rows before training, and its undoing before a network is judged.

A member's units, (3, columns, ...), say of every column what one of its units is: whether the
logarithm was taken, how much one is worth, and what zero stands for. They are traced numbers, so
that settings that differ in their scaling share a compiled program.
"""

import jax
import jax.numpy as jnp

from jaxlab import validation
from jaxlab.spec import SCALINGS, Scaling

LINEAR = ("unit", "symmetric", "standard")  # which take a zero and a unit from the rows


def numbers_of(scaling: Scaling) -> list[float]:
    """Return a scaling as numbers: codes of inputs and targets, factors of inputs and targets."""
    names = scaling.inputs, scaling.targets
    for name in names:
        if name not in ("raw", "log", *LINEAR):
            raise validation.unknown("scaling", name, SCALINGS)
    codes = [SCALINGS.index(name) for name in names]
    return [*map(float, codes), scaling.input_factor, scaling.target_factor]


def fit(values: jax.Array, code: jax.Array, factor: jax.Array) -> jax.Array:
    """Return the units (3, columns) in which values (rows, columns) are scaled as asked."""
    logarithm = code == SCALINGS.index("log")
    low, high = values.min(axis=0), values.max(axis=0)
    mean = values.mean(axis=0)
    deviation = jnp.sqrt(jnp.mean((values - mean) ** 2, axis=0))
    nothing, one = jnp.zeros_like(low), jnp.ones_like(low)
    worth = {"unit": high - low, "symmetric": (high - low) / 2, "standard": deviation}
    zero = {"unit": low, "symmetric": (low + high) / 2, "standard": mean}
    chosen = [code == SCALINGS.index(name) for name in LINEAR]
    one_is = jnp.select(chosen, [worth[name] for name in LINEAR], one)  # raw and log have none
    one_is = jnp.where(one_is > 0, one_is, 1.0)  # a column of equal values
    zero_is = jnp.select(chosen, [zero[name] for name in LINEAR], nothing)
    return jnp.stack([jnp.where(logarithm, one, nothing), one_is / factor, zero_is])


def apply(units: jax.Array, values: jax.Array) -> jax.Array:
    """Return original values (rows, columns) as a network sees them."""
    logarithm, one_is, zero_is = units
    # Where no logarithm is asked for, its argument must not be one that has none.
    taken = jnp.log1p(jnp.where(logarithm > 0, values, 0.0))
    return (jnp.where(logarithm > 0, taken, values) - zero_is) / one_is


def undo(units: jax.Array, values: jax.Array) -> jax.Array:
    """Return scaled values (rows, columns, ...) in their original units."""
    logarithm, one_is, zero_is = units
    plain = values * one_is + zero_is
    return jnp.where(logarithm > 0, jnp.expm1(jnp.where(logarithm > 0, plain, 0.0)), plain)
