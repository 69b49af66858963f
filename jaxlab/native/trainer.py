"""From a training specification to its compiled loop."""

import jax
import jax.numpy as jnp

from jaxlab import shuffling, training
from jaxlab.native import program
from jaxlab.native.calls import Trainer
from jaxlab.native.flow import WRITTEN_OUT
from jaxlab.native.loops import Loops, Steps
from jaxlab.native.rowwise import AtRow, write_outputs, write_silence
from jaxlab.spec import Setting


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


def compiled(setting: Setting, permutations: int, *, own_rows: bool) -> Trainer:
    """Return the machine code of a specification; UnsupportedError where there is none for it."""
    steps = traced_steps(setting, permutations, own_rows=own_rows)
    answer, enters, ways = traced_at_row(setting, own_rows=own_rows)
    return Trainer(
        program.compiled(lambda builder, call: Loops(builder, steps, call).write()),
        program.compiled(lambda builder, call: write_silence(builder, ways, call)),
        program.compiled(lambda builder, call: write_outputs(builder, answer, call)),
        program.compiled(lambda builder, call: write_outputs(builder, enters, call)),
        setting.network.widths[-1],
    )
