"""From a training specification to its compiled loop, as a function that JAX programs may call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from jaxlab import networks, shuffling, training
from jaxlab.native import program
from jaxlab.native.flow import WRITTEN_OUT
from jaxlab.native.lanes import WIDTH, UnsupportedError
from jaxlab.native.loops import Loops, Steps
from jaxlab.native.rowwise import AtRow, write_outputs, write_silence
from jaxlab.spec import OWN, Setting

MAX_PARAMETERS = 512  # the gradient is written out; larger networks have better programs in XLA


def traced_steps(setting: Setting, permutations: int, *, own_rows: bool) -> Steps:
    """Trace one member's training with a bank of so many permutations."""
    model = training.Model(setting.network, setting.training)
    names = sorted(training.numbers_of(setting))
    numbers = [jnp.float32(0)] * len(names)
    weights = jnp.zeros(setting.network.parameters)
    together = len(weights) <= WRITTEN_OUT or setting.training.optimiser.clip_norm > 0
    together = together or bool(setting.training.layer_rates)
    # Else all weights are updated alike and each alone.
    updated = weights if together else weights[:1]
    start = training.start(model, updated, dict(zip(names, numbers, strict=True)))
    state, structure = jax.tree.flatten((start.weights, start.optimiser))

    def gradient(weights, row, *numbers):
        named = dict(zip(names, numbers, strict=True))
        return training.loss_and_gradient(model, weights, row[None], named)[1]

    def update(gradient, *given):
        weights, optimiser = structure.unflatten(given[: len(state)])
        old = training.State(weights, optimiser, start.step)
        named = dict(zip(names, given[len(state) :], strict=True))
        new = training.update(model, old, gradient, named)
        return jax.tree.leaves((new.weights, new.optimiser))

    def order(key, epoch):
        return shuffling.place(permutations, setting.task.rows, key, epoch)

    return Steps(
        jax.make_jaxpr(gradient)(weights, jnp.zeros(_row_size(setting)), *numbers),
        jax.make_jaxpr(update)(updated, *state, *numbers),
        jax.make_jaxpr(order)(jnp.zeros(2, jnp.uint32), jnp.int32(0)),
        rows=setting.task.rows,
        batch=min(setting.training.batch_size or setting.task.rows, setting.task.rows),
        own_rows=own_rows,
    )


def traced_at_row(setting: Setting, *, own_rows: bool) -> tuple[AtRow, ...]:
    """Trace what one member does at one row.

    What it answers, what enters its output units, and in which ways it is silent there.
    """
    model = training.Model(setting.network, setting.training)
    names = sorted(training.numbers_of(setting))
    numbers = [jnp.float32(0)] * len(names)
    weights, row = jnp.zeros(setting.network.parameters), jnp.zeros(_row_size(setting))

    def answer(weights, row, *numbers):
        named = dict(zip(names, numbers, strict=True))
        return training.predict(model, weights, row[None, : model.inputs], named)[0]

    def enters(weights, row, *numbers):
        named = dict(zip(names, numbers, strict=True))
        return training.entering(model, row[None], named, weights)[0]

    def ways(weights, row, *numbers):
        named = dict(zip(names, numbers, strict=True))
        return training.silent_ways(model, weights, row[None], named)

    made = [jax.make_jaxpr(f)(weights, row, *numbers) for f in (answer, enters, ways)]
    return tuple(AtRow(function, own_rows) for function in made)


def _row_size(setting: Setting) -> int:
    return setting.network.widths[0] + setting.network.widths[-1]


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


def trainer_for(setting: Setting, permutations: int, *, own_rows: bool) -> Trainer | None:
    """Return the trainer of a specification, for a bank of so many permutations.

    None for networks that are too large for it or need an operation that it does not know.
    """
    return _trained_by(setting, permutations, own_rows, networks.MLP.__call__)


@lru_cache(maxsize=64)
def _trained_by(
    setting: Setting, permutations: int, own_rows: bool, forward: Any
) -> Trainer | None:
    del forward  # the network's call belongs to what is traced
    own = setting.network.module or setting.training.optimiser.name.startswith(OWN)
    if own or setting.network.parameters > MAX_PARAMETERS:
        return None
    steps = traced_steps(setting, permutations, own_rows=own_rows)
    answer, enters, ways = traced_at_row(setting, own_rows=own_rows)
    try:
        return Trainer(
            program.compiled(lambda builder, call: Loops(builder, steps, call).write()),
            program.compiled(lambda builder, call: write_silence(builder, ways, call)),
            program.compiled(lambda builder, call: write_outputs(builder, answer, call)),
            program.compiled(lambda builder, call: write_outputs(builder, enters, call)),
            setting.network.widths[-1],
        )
    except UnsupportedError:
        return None


def _whole_vectors(array: jax.Array) -> jax.Array:
    pad = -array.shape[-1] % WIDTH
    return jnp.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, pad)], mode="edge") if pad else array


def laid_out(bank: jax.Array) -> jax.Array:
    """Return a bank as one line of numbers; the loop reads up to WIDTH rows past its end."""
    size = bank.shape[2] if bank.ndim == 3 else 1
    return jnp.pad(bank.reshape(-1), (0, WIDTH * size))
