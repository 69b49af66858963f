"""Training as pure arithmetic; the same code serves one network and a whole population.

Initial weights, rows and numbers are arguments; nothing here draws, batches members, compiles or
judges. The engine, the Keras comparison and replay all enter here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxlab import networks, optimisers
from jaxlab.spec import Network, Setting, Training

Numbers = Mapping[str, jax.Array]
EpochRows = Callable[[jax.Array], jax.Array]
LOOKS = 9  # of the death certificate, after the one at the start


class State(NamedTuple):
    """Packed weights (parameters, ...), the optimiser's state, and the number of steps made."""

    weights: jax.Array
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
    return {**setting.training.optimiser.numbers, "slope": setting.network.slope}


def pointwise_loss(name: str, error: jax.Array) -> jax.Array:
    """Return the loss of each output from its error; Huber's changes from square at 1."""
    match name:
        case "mse":
            return error * error
        case "mae":
            return jnp.abs(error)
    return optax.losses.huber_loss(error)


def predict(model: Model, weights: jax.Array, inputs: jax.Array, numbers: Numbers) -> jax.Array:
    """Return the outputs (rows, out, ...) for inputs (rows, in, ...)."""
    return networks.predict(model.network, weights, inputs, numbers["slope"], model.one)


def loss(model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers) -> jax.Array:
    """Return the mean loss (...) over rows (rows, inputs + outputs, ...) of every member."""
    inputs, targets = rows[:, : model.inputs], rows[:, model.inputs :]
    outputs = predict(model, weights, inputs, numbers)
    return jnp.mean(pointwise_loss(model.training.loss, outputs - targets), axis=(0, 1))


def _loss_and_gradient(model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers):
    def total(w):
        each = loss(model, w, rows, numbers)
        return jnp.sum(each), each  # members do not meet, so the sum's gradient is each one's own

    (_, losses), gradient = jax.value_and_grad(total, has_aux=True)(weights)
    return losses, gradient


def _per_member(function: Callable, weights: jax.Array) -> Callable:
    return jax.vmap(function, in_axes=-1, out_axes=-1) if weights.ndim == 2 else function


def start(model: Model, weights: jax.Array, numbers: Numbers) -> State:
    """Return the state before the first step."""

    def init(w, n):
        return optimisers.build(model.training.optimiser, n).init(w)

    return State(weights, _per_member(init, weights)(weights, numbers), jnp.int32(0))


def step(model: Model, state: State, rows: jax.Array, numbers: Numbers) -> tuple[State, jax.Array]:
    """Make one update on a batch; return the new state and the loss (...) before the update."""
    losses, gradient = _loss_and_gradient(model, state.weights, rows, numbers)
    return _update(model, state, gradient, numbers), losses


def _update(model: Model, state: State, gradient: jax.Array, numbers: Numbers) -> State:
    def update(g, s, w, n):
        updates, new = optimisers.build(model.training.optimiser, n).update(g, s, w)
        return optax.apply_updates(w, updates), new

    mapped = _per_member(update, state.weights)
    weights, optimiser = mapped(gradient, state.optimiser, state.weights, numbers)
    return State(weights, optimiser, state.step + 1)


def epoch(
    model: Model,
    carry: tuple[State, Any],
    rows: jax.Array,
    numbers: Numbers,
    watch: Callable[[State, Any], Any],
) -> tuple[tuple[State, Any], jax.Array]:
    """Make one epoch of updates on rows (rows, inputs + outputs, ...) in the order given.

    `watch(state, watched)` is called after every step. Returns the new carry and the losses
    (steps, ...) before the steps. What is left over after the whole batches makes one more.
    """
    size = min(model.training.batch_size or rows.shape[0], rows.shape[0])
    whole = rows.shape[0] // size

    def one(carry, batch):
        state, losses = step(model, carry[0], batch, numbers)
        return (state, watch(state, carry[1])), losses

    def numbered(carry, i):
        return one(carry, jax.lax.dynamic_slice_in_dim(rows, i * size, size))

    carry, losses = jax.lax.scan(numbered, carry, jnp.arange(whole))
    if rows.shape[0] % size:
        carry, last = one(carry, rows[whole * size :])
        losses = jnp.concatenate([losses, last[None]])
    return carry, losses


def train(
    model: Model,
    carry: tuple[State, Any],
    epoch_rows: EpochRows,
    epochs: tuple[jax.Array | int, jax.Array | int],
    numbers: Numbers,
    watch: Callable[[State, Any], Any] = lambda state, watched: watched,
) -> tuple[State, Any]:
    """Train from epoch `epochs[0]` up to, not including, `epochs[1]`; both may be traced.

    `epoch_rows(epoch)` returns that epoch's rows in order, (rows, inputs + outputs, ...).
    """

    def body(i, carry):
        return epoch(model, carry, epoch_rows(i), numbers, watch)[0]

    return jax.lax.fori_loop(epochs[0], epochs[1], body, carry)


def silent(model: Model, weights: jax.Array, rows: jax.Array, numbers: Numbers) -> jax.Array:
    """Say of each member (...) if no row moves any weight before the output's bias.

    Either every gradient is 0, that of the output's bias too, or none of those weights has an
    influence on what enters the output units, so that none can get a gradient whatever the bias
    does. Exactly 0, row by row: rows are taken as further members, so that no sum can cancel.
    """
    members, outputs = weights.shape[1:], model.network.widths[-1]
    before = weights.shape[0] - outputs * model.network.use_bias
    chunk = max(1, min(rows.shape[0], 2**20 // max(1, weights.size)))
    pad = -rows.shape[0] % chunk
    rows = jnp.concatenate([rows, jnp.broadcast_to(rows[:1], (pad, *rows.shape[1:]))])
    pieces = jnp.moveaxis(rows.reshape(-1, chunk, *rows.shape[1:]), 1, 2)  # (pieces, d, chunk, ...)
    spread = jnp.broadcast_to(weights[:, None], (weights.shape[0], chunk, *members))
    activations = (*model.network.activations[:-1], "linear")
    open_network = dataclasses.replace(model.network, activations=activations)
    open_model = dataclasses.replace(model, network=open_network)

    def entering(w, x, unit):
        return jnp.sum(predict(open_model, w, x[:, : model.inputs], numbers)[:, unit])

    def nowhere(gradient):
        return jnp.all(gradient == 0, axis=(0, 1))

    def piece(carry, x):
        shut, deaf = carry
        shut &= nowhere(_loss_and_gradient(model, spread, x[None], numbers)[1])
        for unit in range(outputs):
            deaf &= nowhere(jax.grad(entering)(spread, x[None], unit)[:before])
        return (shut, deaf), None

    everyone = jnp.ones(members, bool)
    shut, deaf = jax.lax.scan(piece, (everyone, everyone), pieces)[0]
    return shut | deaf


def stays_silent(
    model: Model, state: State, rows: jax.Array, numbers: Numbers, travel: jax.Array | int
) -> jax.Array:
    """Say of each member (...) if it is silent and stays so while its momentum is spent.

    Without gradients an optimiser coasts for `travel` steps (may be traced), and continued training
    is this coasting while the silence lasts. Silence is looked for now and after travel, travel/2,
    travel/4, ... steps: most of the way is made in the first few.
    """
    nothing = jnp.zeros_like(state.weights)
    ends = -(-travel // 2 ** jnp.arange(LOOKS)[::-1])

    def look(carry, steps):
        state, quiet = carry
        quiet &= silent(model, state.weights, rows, numbers)
        coast = jax.lax.fori_loop(0, steps, lambda _, s: _update(model, s, nothing, numbers), state)
        return (coast, quiet), None

    steps = jnp.diff(ends, prepend=0, append=ends[-1:])
    everyone = jnp.ones(state.weights.shape[1:], bool)
    return jax.lax.scan(look, (state, everyone), steps)[0][1]
