"""One lane block: members that are drawn, trained and judged side by side.

All arithmetic on traced values; every array has the member axis last. The engine compiles it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxlab import initialisers, native, networks, outcomes, shuffling, tasks, training
from jaxlab.spec import Initialiser, Setting, Task

MAX_KEPT_PARAMETERS = 64  # larger networks' weights are not returned

Advance = Callable[[training.State, jax.Array], training.State]


def shared_rows(task: Task) -> jax.Array | None:
    """Return the rows (rows, inputs + outputs) that all members share; None for a random task."""
    if tasks.definition(task).random:
        return None
    return jnp.concatenate(tasks.example(task)[:2], axis=1).astype(jnp.float32)


def draw_member(
    setting: Setting,
    law: tuple[Initialiser, ...],
    weights_key: jax.Array,
    data_key: jax.Array,
    scales: jax.Array,
    numbers: Mapping[str, jax.Array],
) -> dict[str, jax.Array]:
    """Draw one member: its packed weights, and its own rows if the task is random."""
    layers = initialisers.draw_network(setting.network, law, weights_key, scales)
    drawn = {"weights": networks.pack(layers)}
    meaning = tasks.definition(setting.task)
    if meaning.random:
        own = jnp.concatenate(meaning.draw(data_key, setting.task.rows, numbers), axis=1)
        drawn["rows"] = own.astype(jnp.float32)
    return drawn


def plain_advance(
    model: training.Model,
    drawn: Mapping[str, jax.Array],
    bank: jax.Array,
    numbers: Mapping[str, jax.Array],
) -> Advance:
    """Return the function that trains a block until a step, as a program of XLA.

    `bank` holds row numbers (permutations, 2 rows) for members with rows of their own, and the
    shared rows themselves (permutations, 2 rows, inputs + outputs) for others.
    """
    alone = drawn["weights"].shape[-1] == 1

    def entries(epoch):
        def one(key):
            return shuffling.epoch_entries(bank, key, epoch)

        return jax.vmap(one, -1, -1)(drawn["order"])

    def epoch_rows(epoch):
        found = entries(epoch)
        rows = jnp.take_along_axis(drawn["rows"], found[:, None], 0) if "rows" in drawn else found
        return rows[..., 0] if alone else rows

    if alone:
        return _advance_alone(model, epoch_rows, jax.tree.map(lambda n: n[0], dict(numbers)))
    return lambda state, end: training.train(model, state, epoch_rows, end, numbers)


def _advance_alone(model: training.Model, epoch_rows, numbers) -> Advance:
    """Return the same for a network wide enough to have a block to itself.

    It is trained layer by layer and without a member axis: products of matrices are faster than
    those of stacks of one matrix, and its weights are not copied out of the packed array and back.
    """

    def apart(array: jax.Array):
        return array[..., 0] if array.ndim == 1 else networks.unpack(model.network, array[:, 0])

    def together(like: jax.Array, part):
        return part[..., None] if like.ndim == 1 else networks.pack(part)[:, None]

    def advance(state: training.State, end: jax.Array) -> training.State:
        packed = state.weights, state.optimiser
        weights, optimiser = jax.tree.map(apart, packed)
        single = training.State(weights, optimiser, state.step)
        done = training.train(model, single, epoch_rows, end, numbers)
        weights, optimiser = jax.tree.map(together, packed, (done.weights, done.optimiser))
        return training.State(weights, optimiser, done.step)

    return advance


def train_block(
    setting: Setting,
    fast: native.Trainer | None,
    drawn: Mapping[str, jax.Array],
    shared: jax.Array | None,
    bank: jax.Array,
    numbers: Mapping[str, jax.Array],
    schedule: Mapping[str, jax.Array],
) -> dict[str, jax.Array]:
    """Train and judge one lane block.

    `fast`, if there is one, replaces what XLA would do in training and in looking for silence;
    `bank` is as it or `plain_advance` wants it.
    """
    model = training.Model(setting.network, setting.training, schedule["one"])
    rows = drawn["rows"] if shared is None else shared[..., None]
    inputs, targets = rows[:, : model.inputs], rows[:, model.inputs :]
    regions, masks = _region_masks(setting.task, inputs)
    tolerance = setting.task.tolerance

    def measure(weights):
        outputs = training.predict(model, weights, inputs, numbers)
        return outputs, outcomes.errors(outputs, targets, masks)

    start = training.start(model, drawn["weights"], numbers)
    if fast is None:
        advance = plain_advance(model, drawn, bank, numbers)
        is_silent = partial(training.silent, model, rows, numbers)
    else:
        advance = fast.advance(drawn, bank, numbers)
        is_silent = partial(fast.silent, rows if shared is None else shared, numbers)
    state, seen = _train(advance, start, measure, tolerance, schedule)
    final = state.weights
    quiet = training.stays_silent(model, state, numbers, schedule["travel"], is_silent)
    outputs, found = measure(final)
    certified = quiet & schedule["certifiable"]
    outcome = outcomes.classify(
        outputs,
        inputs,
        targets,
        found,
        regions=regions,
        tolerance=tolerance,
        margin=setting.task.margin,
        certified=certified,
        finite=jnp.isfinite(final).all(axis=0),
        halfway=seen["halfway"],
    )
    loss = training.loss(model, final, rows, numbers)
    result = {
        "outcome": outcome.astype(jnp.int8),
        "loss": loss,
        "errors": found.regions,
        "first_solved": seen["first_solved"],
        "certified": certified,
    }
    if model.network.parameters <= MAX_KEPT_PARAMETERS:
        result |= {"initial_weights": drawn["weights"], "final_weights": final}
    return result


def _train(
    advance: Advance, start: training.State, measure, tolerance: float, schedule: Mapping[str, Any]
):
    """Train from check to check; return the last state and what the checks have seen.

    Seen of a member are the first check at which it was solved, and its error at half time.
    """
    lanes = start.weights.shape[-1:]

    def leg(i, carry):
        state, seen = carry
        state = advance(state, schedule["checks"][i])
        _, found = measure(state.weights)
        new = (seen["first_solved"] < 0) & outcomes.solved(found, tolerance)
        now = {
            "first_solved": jnp.where(new, state.step, seen["first_solved"]),
            "halfway": jnp.where(state.step == schedule["half"], found.square, seen["halfway"]),
        }
        return state, now

    before = {
        "first_solved": jnp.full(lanes, -1, jnp.int32),
        "halfway": jnp.full(lanes, jnp.inf, jnp.float32),
    }
    return jax.lax.fori_loop(0, schedule["check_count"], leg, (start, before))


def _region_masks(task: Task, inputs: jax.Array) -> tuple[tuple[str, ...], jax.Array]:
    """Return the regions' names and their masks (regions, rows, ...), in one order."""
    names: list[tuple[str, ...]] = []

    def masks(x):
        found = tasks.definition(task).regions(x)
        names.append(tuple(found))
        return jnp.stack(list(found.values()))

    stacked = jax.vmap(masks, -1, -1)(inputs)
    return names[0], stacked
