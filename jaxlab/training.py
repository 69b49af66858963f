"""Training as pure arithmetic; the same code serves one network and a whole population.

Initial weights, rows and numbers are arguments; nothing here draws, batches members, compiles or
judges. The engine, the Keras comparison and replay all enter here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxlab import networks, optimisers, validation
from jaxlab.spec import LOSSES, Network, Setting, Training

Numbers = Mapping[str, jax.Array]
EpochRows = Callable[[jax.Array], jax.Array]
LOOKS = 9  # of the death certificate, after the one at the start


class State(NamedTuple):
    """Weights, the optimiser's state, and the number of steps made.

    The weights are packed (parameters, ...) or, for a single network, also layer by layer.
    """

    weights: networks.Weights
    optimiser: Any
    step: jax.Array


@dataclass(frozen=True)
class Model:
    """What is trained and how; nothing but `one` (see `networks.Dense`) may be traced."""

    network: Network
    training: Training
    one: jax.Array | float = 1.0

    @property
    def inputs(self) -> int:
        """Number of inputs; a row holds them first and its targets after."""
        return self.network.widths[0]


def numbers_of(setting: Setting) -> dict[str, float]:
    """Return every number of a setting that training reads and no program is compiled for."""
    rates = {_rate_of(i): rate for i, rate in enumerate(setting.training.layer_rates)}
    return {**setting.training.optimiser.numbers, "slope": setting.network.slope, **rates}


def _rate_of(layer: int) -> str:
    return f"layer rate {layer}"


def pointwise_loss(name: str, error: jax.Array) -> jax.Array:
    """Return the loss of each output from its error; Huber's changes from square at 1."""
    match name:
        case "mse":
            return error * error
        case "mae":
            return jnp.abs(error)
        case "huber":
            return optax.losses.huber_loss(error)
    raise validation.unknown("loss", name, LOSSES)


def predict(
    model: Model, weights: networks.Weights, inputs: jax.Array, numbers: Numbers
) -> jax.Array:
    """Return the outputs (rows, out, ...) for inputs (rows, in, ...)."""
    return networks.predict(model.network, weights, inputs, numbers["slope"], model.one)


def loss(model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers) -> jax.Array:
    """Return the mean loss (...) over rows (rows, inputs + outputs, ...) of every member."""
    inputs, targets = rows[:, : model.inputs], rows[:, model.inputs :]
    outputs = predict(model, weights, inputs, numbers)
    return jnp.mean(pointwise_loss(model.training.loss, outputs - targets), axis=(0, 1))


def loss_and_gradient(
    model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers
) -> tuple[jax.Array, jax.Array]:
    """Return the mean loss (...) over rows and its gradient (parameters, ...) of every member."""

    def total(w):
        each = loss(model, w, rows, numbers)
        return jnp.sum(each), each  # members do not meet, so the sum's gradient is each one's own

    (_, losses), gradient = jax.value_and_grad(total, has_aux=True)(weights)
    return losses, gradient


def _per_member(function: Callable, weights: networks.Weights) -> Callable:
    stacked = isinstance(weights, jax.Array) and weights.ndim == 2
    return jax.vmap(function, in_axes=-1, out_axes=-1) if stacked else function


def start(model: Model, weights: jax.Array, numbers: Numbers) -> State:
    """Return the state before the first step."""

    def init(w, n):
        return optimisers.build(model.training.optimiser, n).init(w)

    return State(weights, _per_member(init, weights)(weights, numbers), jnp.int32(0))


def update(model: Model, state: State, gradient: jax.Array, numbers: Numbers) -> State:
    """Return the state after the optimiser has been told a gradient (parameters, ...)."""

    def one(g, s, w, n):
        updates, new = optimisers.build(model.training.optimiser, n).update(g, s, w)
        return optax.apply_updates(w, _at_layer_rates(model, updates, n)), new

    mapped = _per_member(one, state.weights)
    weights, optimiser = mapped(gradient, state.optimiser, state.weights, numbers)
    return State(weights, optimiser, state.step + 1)


def _at_layer_rates(model: Model, updates: networks.Weights, numbers: Numbers) -> networks.Weights:
    if not model.training.layer_rates:
        return updates
    packed = isinstance(updates, jax.Array)
    layers = networks.unpack(model.network, updates) if packed else updates
    rates = [numbers[_rate_of(i)] for i in range(len(layers))]
    scaled = [
        jax.tree.map(partial(jnp.multiply, rate), layer)
        for rate, layer in zip(rates, layers, strict=True)
    ]
    return networks.pack(scaled) if packed else scaled


def step(model: Model, state: State, rows: jax.Array, numbers: Numbers) -> tuple[State, jax.Array]:
    """Make one update on a batch; return the new state and the loss (...) before the update."""
    losses, gradient = loss_and_gradient(model, state.weights, rows, numbers)
    return update(model, state, gradient, numbers), losses


def train(
    model: Model, state: State, epoch_rows: EpochRows, end: jax.Array | int, numbers: Numbers
) -> State:
    """Train until `end` steps (may be traced) have been made since the start.

    `epoch_rows(epoch)` returns that epoch's rows in order, (rows, inputs + outputs, ...). What is
    left over after an epoch's whole batches makes one more, smaller batch.
    """
    count = jax.eval_shape(epoch_rows, jnp.int32(0)).shape[0]
    size = min(model.training.batch_size or count, count)
    whole, per_epoch = count // size, -(-count // size)

    def epoch(i, state):
        rows, begun = epoch_rows(i), i * per_epoch

        def batch(rows, state):
            return step(model, state, rows, numbers)[0]

        def numbered(j, state):
            return batch(jax.lax.dynamic_slice_in_dim(rows, j * size, size), state)

        first, last = jnp.maximum(state.step - begun, 0), jnp.minimum(end - begun, whole)
        state = jax.lax.fori_loop(first, last, numbered, state)
        if whole == per_epoch:
            return state
        due = (state.step == begun + whole) & (state.step < end)
        return jax.lax.cond(due, partial(batch, rows[whole * size :]), lambda s: s, state)

    return jax.lax.fori_loop(state.step // per_epoch, -(-end // per_epoch), epoch, state)


def entering(model: Model, rows: jax.Array, numbers: Numbers, weights: jax.Array) -> jax.Array:
    """Return what enters the output units, (rows, out, ...): their outputs without activation."""
    if model.network.module:  # where its outputs come from is its own affair
        return predict(model, weights, rows[:, : model.inputs], numbers)
    activations = (*model.network.activations[:-1], "linear")
    open_network = dataclasses.replace(model.network, activations=activations)
    open_model = dataclasses.replace(model, network=open_network)
    return predict(open_model, weights, rows[:, : model.inputs], numbers)


def silent_ways(model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers) -> jax.Array:
    """Say of each member in which ways, (2, ...), it is silent at rows (rows, d, ...) as a whole.

    First: every gradient is 0, that of the output's bias too. Second: no weight before the output's
    bias has an influence on what enters the output units, so that none can get a gradient whatever
    that bias does. Gradients are summed over rows; at a single row nothing can cancel.
    """
    outputs = model.network.widths[-1]
    before = weights.shape[0] - outputs * model.network.use_bias

    def enters(w, unit):
        return jnp.sum(entering(model, rows, numbers, w)[:, unit])

    shut = jnp.all(loss_and_gradient(model, weights, rows, numbers)[1] == 0, axis=0)
    influences = [jax.grad(enters)(weights, unit)[:before] for unit in range(outputs)]
    deaf = jnp.all(jnp.concatenate(influences) == 0, axis=0)
    return jnp.stack([shut, deaf])


def silent(model: Model, rows: jax.Array, numbers: Numbers, weights: jax.Array) -> jax.Array:
    """Say of each member (...) if it is silent in one of the ways at every row (rows, d, ...).

    Exactly 0, row by row: rows are taken as further members, so that no sum can cancel. That is
    only done where all rows together leave a doubt: a sum that is not 0 has a term that is not.
    Of a user's own module it is never said: which of its parameters are output biases is not known.
    """
    if model.network.module:
        return jnp.zeros(weights.shape[1:], bool)
    members = weights.shape[1:]
    chunk = max(1, min(rows.shape[0], 2**20 // max(1, weights.size)))
    pad = -rows.shape[0] % chunk
    padded = jnp.concatenate([rows, jnp.broadcast_to(rows[:1], (pad, *rows.shape[1:]))])
    # (pieces, d, chunk, ...)
    pieces = jnp.moveaxis(padded.reshape(-1, chunk, *rows.shape[1:]), 1, 2)
    spread = jnp.broadcast_to(weights[:, None], (weights.shape[0], chunk, *members))

    def piece(ways, part):
        return ways & jnp.all(silent_ways(model, spread, part[None], numbers), axis=1), None

    def row_by_row(ways):
        return jax.lax.scan(piece, ways, pieces)[0]

    ways = silent_ways(model, weights, rows, numbers)
    return jnp.any(jax.lax.cond(jnp.any(ways), row_by_row, lambda ways: ways, ways), axis=0)


def stays_silent(
    model: Model,
    state: State,
    numbers: Numbers,
    travel: jax.Array | int,
    is_silent: Callable[[jax.Array], jax.Array],
) -> jax.Array:
    """Say of each member (...) if it is silent and stays so while its momentum is spent.

    `is_silent` tells it from the weights. Without gradients an optimiser coasts for `travel` steps
    (may be traced), and continued training is this coasting while the silence lasts. Silence is
    looked for now and after travel, travel/2, travel/4, ... steps: most of the way is made in the
    first few.
    """
    nothing = jnp.zeros_like(state.weights)
    ends = -(-travel // 2 ** jnp.arange(LOOKS)[::-1])

    def look(state, looked, quiet, steps):
        moved = jnp.any(quiet & jnp.any(state.weights != looked, axis=0))
        # Who was born dead has no momentum, stands still and need not be looked at again.
        still = jax.lax.cond(moved, is_silent, lambda w: jnp.ones_like(quiet), state.weights)
        coast = jax.lax.fori_loop(0, steps, lambda _, s: update(model, s, nothing, numbers), state)
        return coast, state.weights, quiet & still

    def unless_none_is(carry, steps):
        known = jax.lax.cond(jnp.any(carry[2]), look, lambda *given: given[:3], *carry, steps)
        return known, None

    steps = jnp.diff(ends, prepend=0, append=ends[-1:])
    everyone = jnp.ones(state.weights.shape[1:], bool)
    unseen = jnp.full_like(state.weights, jnp.nan)  # differs from all weights
    return jax.lax.scan(unless_none_is, (state, unseen, everyone), steps)[0][2]
