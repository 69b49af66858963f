"""One lane block: members that are drawn, trained and judged side by side.

All arithmetic on traced values; every array has the member axis last. The engine compiles it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxlab import (
    initialisers,
    modules,
    native,
    networks,
    outcomes,
    scaling,
    shuffling,
    tasks,
    training,
)
from jaxlab.spec import Initialiser, Setting, Task

MAX_KEPT_PARAMETERS = 64  # larger networks' weights are not returned, but
SEEN_ROWS = 32  # what they answer at a few rows

ONE_EACH = ("outcome", "improving", "loss", "first_solved", "born_dead", "certified")
ONE_EACH += ("rmse", "rounded_rmse", "line_rmse", "mean_output", "mean_target", "spread")

Advance = Callable[[training.State, jax.Array], training.State]


def shared_rows(task: Task, dtype: Any = jnp.float32) -> jax.Array | None:
    """Return the rows (rows, inputs + outputs) that all share; None where each has its own."""
    if tasks.own_rows(task):
        return None
    return jnp.concatenate(tasks.example(task)[:2], axis=1).astype(dtype)


def draw_member(
    setting: Setting,
    law: tuple[Initialiser, ...],
    weights_key: jax.Array,
    data_key: jax.Array,
    scales: jax.Array,
    numbers: Mapping[str, jax.Array],
    scaled: jax.Array,
) -> dict[str, jax.Array]:
    """Draw one member: its packed weights, and its own rows and their units if it has any.

    `scaled` (4,) is the setting's scaling as `scaling.numbers_of` returns it.
    """
    if setting.network.module:
        drawn = {"weights": modules.draw(setting.network, weights_key)}
    else:
        layers = initialisers.draw_network(setting.network, law, weights_key, scales)
        drawn = {"weights": networks.pack(layers)}
    if tasks.own_rows(setting.task):
        parts = tasks.definition(setting.task).draw(data_key, setting.task.rows, numbers)
        both = [part.astype(jnp.float32) for part in parts]
        units = [scaling.fit(part, scaled[i], scaled[2 + i]) for i, part in enumerate(both)]
        drawn["units"] = jnp.concatenate(units, axis=1)
        drawn["rows"] = scaling.apply(drawn["units"], jnp.concatenate(both, axis=1))
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
    alone = drawn["weights"].shape[-1] == 1 and not model.network.module

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
    original = rows if shared is not None else scaling.undo(drawn["units"], rows)
    inputs, targets = original[:, : model.inputs], original[:, model.inputs :]
    regions, masks = region_masks(setting.task, inputs)
    tolerance, spread = setting.task.tolerance, tasks.definition(setting.task).spread

    def measure(weights):
        answered = predict(weights)
        outputs = answered
        if shared is None:
            outputs = scaling.undo(drawn["units"][:, model.inputs :], answered)
        return answered, outputs, outcomes.errors(outputs, targets, masks, spread=spread)

    start = training.start(model, drawn["weights"], numbers)
    if fast is None:
        advance = plain_advance(model, drawn, bank, numbers)
        is_silent = partial(training.silent, model, rows, numbers)
        seen_inputs = rows[:, : model.inputs]
        predict = partial(training.predict, model, inputs=seen_inputs, numbers=numbers)
        entering = partial(training.entering, model, rows, numbers)
    else:
        advance = fast.advance(drawn, bank, numbers)
        at_rows = rows if shared is None else shared
        is_silent = partial(fast.silent, at_rows, numbers)
        predict = partial(fast.outputs, at_rows, numbers)
        entering = partial(fast.entering, at_rows, numbers)
    born_dead = is_silent(start.weights)
    state, seen = _train(advance, start, measure, tolerance, schedule)
    final = state.weights
    quiet = training.stays_silent(model, state, numbers, schedule["travel"], is_silent)
    answered, outputs, found = measure(final)
    certified = quiet & schedule["certifiable"]
    line = outcomes.best_affine(inputs, targets)
    improving = outcomes.improving(seen["start"], seen["halfway"], found.square)
    outcome = outcomes.classify(
        outputs,
        line,
        targets,
        found,
        regions=regions,
        tolerance=tolerance,
        margin=setting.task.margin,
        certified=certified,
        finite=jnp.isfinite(final).all(axis=0),
        still_improving=improving,
        inputs_vary=outcomes.vary(inputs),
    )
    error = answered - rows[:, model.inputs :]
    result = {
        "outcome": outcome.astype(jnp.int8),
        "improving": improving,
        "loss": training.pointwise_loss(model.training.loss, error).mean(axis=(0, 1)),
        "errors": found.regions,
        "first_solved": seen["first_solved"],
        "born_dead": born_dead,
        "certified": certified,
        "entering": jnp.stack([entering(w).mean(axis=(0, 1)) for w in (start.weights, final)]),
        **_in_original_units(outputs, line, targets),
    }
    if model.network.parameters <= MAX_KEPT_PARAMETERS:
        return result | {"initial_weights": drawn["weights"], "final_weights": final}
    some = jnp.linspace(0, setting.task.rows - 1, SEEN_ROWS).round().astype(jnp.int32)
    lanes = final.shape[-1]
    parts = [jnp.broadcast_to(a[some], (*a[some].shape[:-1], lanes)) for a in (inputs, outputs)]
    return result | {"seen": jnp.concatenate(parts, axis=1)}


def _in_original_units(
    outputs: jax.Array, line: jax.Array, targets: jax.Array
) -> dict[str, jax.Array]:
    """Return what is said of every member (...) beside its outcome; see `jaxlab.Members`."""

    def rmse(values, aims):
        return jnp.sqrt(jnp.mean((values - aims) ** 2, axis=(0, 1)))

    everyone = jnp.zeros(outputs.shape[2:])
    found = {
        "rmse": rmse(outputs, targets),
        "rounded_rmse": rmse(jnp.round(outputs), jnp.round(targets)),
        "line_rmse": rmse(line, targets),
        "mean_output": jnp.mean(outputs, axis=(0, 1)),
        "mean_target": jnp.mean(targets, axis=(0, 1)),
        "spread": outcomes.spread_of(targets),
    }
    return {name: values + everyone for name, values in found.items()}


def _train(
    advance: Advance, start: training.State, measure, tolerance: float, schedule: Mapping[str, Any]
):
    """Train from check to check; return the last state and what the checks have seen.

    Seen of a member are the first check at which it was solved, and its mean squared error before
    training and at half time: where there is a single step, these two are one.
    """
    lanes = start.weights.shape[-1:]
    begun = measure(start.weights)[-1].square

    def leg(i, carry):
        state, seen = carry
        state = advance(state, schedule["checks"][i])
        *_, found = measure(state.weights)
        new = (seen["first_solved"] < 0) & outcomes.solved(found, tolerance)
        at_half = state.step == schedule["half"]
        now = {
            "first_solved": jnp.where(new, state.step, seen["first_solved"]),
            "halfway": jnp.where(at_half, found.square, seen["halfway"]),
            "start": seen["start"],
        }
        return state, now

    before = {
        "first_solved": jnp.full(lanes, -1, jnp.int32),
        "halfway": begun,
        "start": begun,
    }
    return jax.lax.fori_loop(0, schedule["check_count"], leg, (start, before))


def region_masks(task: Task, inputs: jax.Array) -> tuple[tuple[str, ...], jax.Array]:
    """Return the regions' names and their masks (regions, rows, ...), in one order."""
    names: list[tuple[str, ...]] = []

    def masks(x):
        found = tasks.definition(task).regions(x)
        names.append(tuple(found))
        return jnp.stack(list(found.values()))

    stacked = jax.vmap(masks, -1, -1)(inputs)
    return names[0], stacked
