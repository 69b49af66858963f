"""Optimisers by name, as optax transforms whose hyper-parameters may be traced.

They act on one network's packed weights (parameters,); training maps them over members, so that
what is a norm in optax stays the norm of one network.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxlab import definitions, validation
from jaxlab.spec import MOST_STEPS, OPTIMISERS, OWN, SCHEDULES, Optimiser

_DEFINITIONS: dict[str, Callable[[jax.Array], optax.GradientTransformation]] = {}


def define(
    name: str,
    make: Callable[[jax.Array], optax.GradientTransformation],
    learning_rate: float = 1e-3,
) -> Optimiser:
    """Register an optax transform of one's own and return the optimiser to put into a `Training`.

    `make(learning_rate)` returns the transform; the rate is traced, so that it may differ from
    setting to setting. It acts on one network's packed weights (parameters,). How long it coasts
    without gradients is not known, so no member is certified dead. A name can be defined again with
    a new meaning; no sweep may hold optimisers from before and after that.
    """
    definitions.register("optimiser", OWN + name, make, _DEFINITIONS)
    return Optimiser(OWN + name, learning_rate)


def definition(optimiser: Optimiser) -> Callable[[jax.Array], optax.GradientTransformation] | None:
    """Return what makes a user's own optimiser, None for jaxlab's; ValueError for unknown ones."""
    if not optimiser.name.startswith(OWN):
        return None
    if optimiser.name not in _DEFINITIONS:
        known = ", ".join(sorted(_DEFINITIONS)) or "none"
        raise ValueError(
            f"optimiser {optimiser.name!r} is not defined here; jaxlab.optimisers.define does that "
            f"(defined: {known})"
        )
    return _DEFINITIONS[optimiser.name]


class KerasAdamState(NamedTuple):
    """Step count and the running means of gradient and squared gradient."""

    steps: jax.Array
    mean: optax.Updates
    square: optax.Updates


def scale_by_keras_adam(b1, b2, eps) -> optax.GradientTransformation:
    """Rescale as Keras's Adam does: m sqrt(1 - b2^t) / (1 - b1^t) / (sqrt(v) + eps).

    Epsilon stands outside the bias correction, unlike in Kingma and Ba's algorithm and in optax;
    the difference shows where gradients are near epsilon.
    """

    def init(params):
        return KerasAdamState(jnp.zeros((), jnp.int32), *[jax.tree.map(jnp.zeros_like, params)] * 2)

    def update(updates, state, params=None):
        del params
        steps = state.steps + 1
        mean = jax.tree.map(lambda m, g: m + (g - m) * (1 - b1), state.mean, updates)
        square = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - b2), state.square, updates)
        t = steps.astype(jnp.float32)
        correction = jnp.sqrt(1 - jnp.power(b2, t)) / (1 - jnp.power(b1, t))
        scaled = jax.tree.map(lambda m, v: m * correction / (jnp.sqrt(v) + eps), mean, square)
        return scaled, KerasAdamState(steps, mean, square)

    return optax.GradientTransformation(init, update)


def _rate(schedule: str, numbers: Mapping[str, jax.Array]):
    rate, steps = numbers["learning_rate"], numbers["schedule_steps"]
    match schedule:
        case "constant":
            return rate
        case "inverse_time":
            return lambda count: rate / (1 + numbers["decay"] * count)
        case "cosine":
            return lambda count: rate * (1 + jnp.cos(jnp.pi * jnp.minimum(count / steps, 1))) / 2
        case "warm_up":
            return lambda count: rate * jnp.minimum((count + 1) / steps, 1)
    raise validation.unknown("schedule", schedule, SCHEDULES)


def _direction(name: str, numbers: Mapping[str, jax.Array]) -> list[optax.GradientTransformation]:
    b1, b2, eps = numbers["b1"], numbers["b2"], numbers["eps"]
    match name:
        case "sgd":
            return []
        case "momentum" | "nesterov":
            return [optax.trace(numbers["momentum"], nesterov=name == "nesterov")]
        case "keras_adam":
            return [scale_by_keras_adam(b1, b2, eps)]
        case "adam":
            return [optax.scale_by_adam(b1, b2, eps)]
        case "adamw":
            decay = optax.add_decayed_weights(numbers["weight_decay"])
            return [optax.scale_by_adam(b1, b2, eps), decay]
        case "rmsprop":
            return [optax.scale_by_rms(numbers["rho"], eps)]
    raise validation.unknown("optimiser", name, OPTIMISERS)


def build(optimiser: Optimiser, numbers: Mapping[str, jax.Array]) -> optax.GradientTransformation:
    """Return the optax transform; names come from `optimiser`, every number from `numbers`.

    Whether gradients are clipped at all is taken from `optimiser`, since it changes the program.
    """
    own = definition(optimiser)
    if own is not None:
        return own(numbers["learning_rate"])
    parts = _direction(optimiser.name, numbers)
    if optimiser.clip_norm > 0:
        parts.insert(0, _clip(numbers["clip_norm"]))
    return optax.chain(*parts, optax.scale_by_learning_rate(_rate(optimiser.schedule, numbers)))


def _clip(limit) -> optax.GradientTransformation:
    # optax.clip_by_global_norm tests its limit in Python, which a traced number does not allow.
    def update(updates, state, params=None):
        del params
        factor = limit / jnp.maximum(optax.tree.norm(updates), limit)
        return jax.tree.map(lambda g: g * factor, updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def travel_steps(optimiser: Optimiser) -> int | None:
    """Return the number of steps until an optimiser whose gradients are zero stands still.

    Momentum moves weights on after the gradients have vanished; counted until what is left is
    below 1e-8 of the first such step. None where no number of steps is enough (weight decay keeps
    moving weights; Adam with b1**2 >= b2 has no bound that shrinks; a user's own is not known), or
    more than can be counted.
    """
    if optimiser.name.startswith(OWN):
        return None
    match optimiser.name:
        case "sgd" | "rmsprop":
            return 0
        case "momentum" | "nesterov":
            ratio = optimiser.momentum
        case "adam" | "keras_adam" | "adamw":
            if optimiser.name == "adamw" and optimiser.weight_decay > 0:
                return None
            if optimiser.b2 == 0 or optimiser.b1**2 >= optimiser.b2:
                return None if optimiser.b1 > 0 else 0
            # The mean gradient shrinks by b1 a step, the root of the mean square by sqrt(b2).
            ratio = optimiser.b1 / math.sqrt(optimiser.b2)
        case _:
            raise validation.unknown("optimiser", optimiser.name, OPTIMISERS)
    if ratio == 0:
        return 0
    # Rounding can make the ratio 1, and its logarithm 0.
    steps = math.log(1e-8) / math.log(ratio) if ratio < 1 else math.inf
    return math.ceil(steps) if steps <= MOST_STEPS else None
