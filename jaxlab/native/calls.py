"""Machine code as the programs of JAX call it; what makes it is in `trainer`.

This needs no compiler, so that it is there where that is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxlab import training

WIDTH = 16  # members side by side; for a processor with narrower vectors LLVM splits them


@dataclass(frozen=True)
class Trainer:
    """The compiled functions of one specification, as JAX programs call them."""

    train_call: str
    silent_call: str
    outputs_call: str
    entering_call: str
    outputs_size: int

    def advance(
        self,
        drawn: Mapping[str, jax.Array],
        bank: jax.Array,
        numbers: Mapping[str, jax.Array],
    ) -> Callable[[training.State, jax.Array], training.State]:
        """Return what `jaxlab.block.plain_advance` does, for a bank that was `laid_out`."""
        lanes = drawn["weights"].shape[-1]
        given = [drawn["order"], *([drawn["rows"]] if "rows" in drawn else [])]
        given += _for_each(numbers, lanes)

        def until(state: training.State, end: jax.Array) -> training.State:
            leaves, structure = jax.tree.flatten((state.weights, state.optimiser))
            padded = [_whole_vectors(array) for array in (*given, *leaves)]
            shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in padded[len(given) :]]
            span = jnp.stack([state.step, jnp.asarray(end, jnp.int32)])
            found = jax.ffi.ffi_call(self.train_call, shapes)(span, bank, *padded)
            weights, optimiser = structure.unflatten([array[..., :lanes] for array in found])
            return training.State(weights, optimiser, span[1])

        return until

    def silent(
        self, rows: jax.Array, numbers: Mapping[str, jax.Array], weights: jax.Array
    ) -> jax.Array:
        """Return what `jaxlab.training.silent` does; rows that members share are (rows, d)."""
        given = _about_rows(rows, numbers, weights)
        shape = jax.ShapeDtypeStruct(given[1].shape[-1:], jnp.uint8)
        found = jax.ffi.ffi_call(self.silent_call, shape)(*given)
        return found[: weights.shape[-1]] != 0

    def outputs(
        self, rows: jax.Array, numbers: Mapping[str, jax.Array], weights: jax.Array
    ) -> jax.Array:
        """Return what `jaxlab.training.predict` does (rows, out, members), at rows as above."""
        return self._at_rows(self.outputs_call, rows, numbers, weights)

    def entering(
        self, rows: jax.Array, numbers: Mapping[str, jax.Array], weights: jax.Array
    ) -> jax.Array:
        """Return what `jaxlab.training.entering` does (rows, out, members), at rows as above."""
        return self._at_rows(self.entering_call, rows, numbers, weights)

    def _at_rows(self, call: str, rows, numbers, weights: jax.Array) -> jax.Array:
        given = _about_rows(rows, numbers, weights)
        sizes = (rows.shape[0], self.outputs_size, given[1].shape[-1])
        found = jax.ffi.ffi_call(call, jax.ShapeDtypeStruct(sizes, jnp.float32))(*given)
        return found[..., : weights.shape[-1]]


def _about_rows(
    rows: jax.Array, numbers: Mapping[str, jax.Array], weights: jax.Array
) -> list[jax.Array]:
    rows = _whole_vectors(rows) if rows.ndim == 3 else rows
    each = _for_each(numbers, weights.shape[-1])
    return [rows, *[_whole_vectors(array) for array in (weights, *each)]]


def _for_each(numbers: Mapping[str, jax.Array], lanes: int) -> list[jax.Array]:
    return [jnp.broadcast_to(numbers[name], (lanes,)) for name in sorted(numbers)]


def _whole_vectors(array: jax.Array) -> jax.Array:
    pad = -array.shape[-1] % WIDTH
    return jnp.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, pad)], mode="edge") if pad else array


def laid_out(bank: jax.Array) -> jax.Array:
    """Return a bank as one line of numbers; the loop reads up to WIDTH rows past its end."""
    size = bank.shape[2] if bank.ndim == 3 else 1
    return jnp.pad(bank.reshape(-1), (0, WIDTH * size))
