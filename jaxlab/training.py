"""Training as pure arithmetic, for one network or a population (member axis last, or none).

Initial weights, rows and numbers are arguments; nothing here draws, batches members, compiles or
judges. The engine, the Keras comparison and replay all enter here.
"""

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

    def update(g, s, w, n):
        updates, new = optimisers.build(model.training.optimiser, n).update(g, s, w)
        return optax.apply_updates(w, updates), new

    mapped = _per_member(update, state.weights)
    weights, optimiser = mapped(gradient, state.optimiser, state.weights, numbers)
    return State(weights, optimiser, state.step + 1), losses


def epoch(
    model: Model,
    carry: tuple[State, Any],
    rows: jax.Array,
    numbers: Numbers,
    watch: Callable[[State, Any], Any],
) -> tuple[tuple[State, Any], jax.Array]:
    """Make one epoch of updates on rows (rows, inputs + outputs, ...) in the order given.

    `watch(state, watched)` is called after every step. Returns the new carry and the losses
    (steps, ...) before the steps. The last batch is smaller where the batch size does not divide
    the rows.
    """
    size = model.training.batch_size or rows.shape[0]
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
    """Say of each member (...) if all gradients before the output's bias are 0 on every row.

    Exactly 0, row by row: rows are taken as further members, so that no sum can cancel.
    """
    members = weights.shape[1:]
    before = weights.shape[0] - (model.network.widths[-1] if model.network.use_bias else 0)
    room = 2**20 // max(1, weights.size)
    chunk = max(1, min(rows.shape[0], room))
    pad = -rows.shape[0] % chunk
    rows = jnp.concatenate([rows, jnp.broadcast_to(rows[:1], (pad, *rows.shape[1:]))])
    pieces = jnp.moveaxis(rows.reshape(-1, chunk, *rows.shape[1:]), 1, 2)  # (pieces, d, chunk, ...)
    spread = jnp.broadcast_to(weights[:, None], (weights.shape[0], chunk, *members))

    def piece(quiet, x):
        gradient = _loss_and_gradient(model, spread, x[None], numbers)[1][:before]
        return quiet & jnp.all(gradient == 0, axis=(0, 1)), None

    return jax.lax.scan(piece, jnp.ones(members, bool), pieces)[0]
