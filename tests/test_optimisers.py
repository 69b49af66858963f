"""Rounding: every optimiser against plain optax or a loop in numpy, on a small quadratic.

Numbers are traced here and Python floats there, so that tracing is tested as well.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from acceptance import ROUNDING, assert_rounding

from jaxlab import optimisers
from jaxlab.spec import OPTIMISERS, Optimiser

START = np.array([1.0, -2.0, 0.5], np.float32)
CURVATURE = np.array([1.0, 0.1, 3.0], np.float32)
STEPS = 12
BASE = Optimiser(
    learning_rate=0.05, momentum=0.8, b1=0.85, b2=0.95, rho=0.7, eps=1e-3, weight_decay=0.1
)


def path(transform: optax.GradientTransformation, scale: float = 1.0) -> jax.Array:
    """Return the weights (steps, 3) on the way down the quadratic scale * sum(c w^2) / 2."""
    weights, places = jnp.asarray(START), []
    state = transform.init(weights)
    for _ in range(STEPS):
        updates, state = transform.update(scale * CURVATURE * weights, state, weights)
        weights: Any = optax.apply_updates(weights, updates)
        places.append(weights)
    return jnp.stack(places)


def traced(optimiser: Optimiser, scale: float = 1.0) -> np.ndarray:
    numbers = {name: jnp.float32(value) for name, value in optimiser.numbers.items()}
    return np.asarray(jax.jit(lambda n: path(optimisers.build(optimiser, n), scale))(numbers))


PLAIN = {
    "sgd": optax.sgd(0.05),
    "momentum": optax.sgd(0.05, momentum=0.8),
    "nesterov": optax.sgd(0.05, momentum=0.8, nesterov=True),
    "adam": optax.adam(0.05, 0.85, 0.95, 1e-3),
    "adamw": optax.adamw(0.05, 0.85, 0.95, 1e-3, weight_decay=0.1),
    "rmsprop": optax.rmsprop(0.05, 0.7, 1e-3),
}


@pytest.mark.parametrize("name", PLAIN)
def test_the_optimiser_is_optax_with_traced_numbers(name):
    found = traced(dataclasses.replace(BASE, name=name))
    assert_rounding(found, path(PLAIN[name]))


def keras_adam(scale: float) -> np.ndarray:
    """Return the path of Keras's Adam, written out in float64."""
    w, m, v, places = START.astype(float), np.zeros(3), np.zeros(3), []
    for t in range(1, STEPS + 1):
        gradient = scale * CURVATURE * w
        m = 0.85 * m + 0.15 * gradient
        v = 0.95 * v + 0.05 * gradient**2
        rate = 0.05 * np.sqrt(1 - 0.95**t) / (1 - 0.85**t)
        w = w - rate * m / (np.sqrt(v) + 1e-3)
        places.append(w)
    return np.array(places)


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_keras_adam_is_the_loop_of_keras(scale):
    found = traced(dataclasses.replace(BASE, name="keras_adam"), scale)
    assert_rounding(found, keras_adam(scale))


def test_keras_adam_and_adam_are_told_apart_where_gradients_are_near_epsilon():
    one, other = (dataclasses.replace(BASE, name=name) for name in ("keras_adam", "adam"))
    assert np.abs(traced(one, 1e-3) - traced(other, 1e-3)).max() > 100 * ROUNDING


def test_every_optimiser_is_compared():
    assert {*PLAIN, "keras_adam"} == set(OPTIMISERS)


SCHEDULES = {
    "constant": lambda t: 1.0,
    "inverse_time": lambda t: 1 / (1 + 0.5 * t),
    "cosine": optax.cosine_decay_schedule(1.0, 5),
    "warm_up": lambda t: min((t + 1) / 5, 1.0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_follows_its_schedule(name):
    optimiser = Optimiser("sgd", 0.05, schedule=name, decay=0.5, schedule_steps=5)
    w, wanted = START.astype(float), []
    for t in range(STEPS):
        w = w - 0.05 * SCHEDULES[name](t) * CURVATURE * w
        wanted.append(w)
    assert_rounding(traced(optimiser), wanted)


def test_gradients_are_clipped_by_their_norm():
    chain = optax.chain(optax.clip_by_global_norm(0.7), optax.sgd(0.05))
    clipped = Optimiser("sgd", 0.05, clip_norm=0.7)
    assert_rounding(traced(clipped), path(chain))
    assert np.abs(traced(clipped) - traced(Optimiser("sgd", 0.05))).max() > 0.01


def test_clipping_leaves_a_zero_gradient_zero():
    found = traced(Optimiser("sgd", 0.05, clip_norm=0.7), scale=0.0)
    assert np.array_equal(found, np.broadcast_to(START, found.shape))


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adam", "keras_adam", "rmsprop"])
@pytest.mark.parametrize("b1", [0.0, 0.5, 0.9])
def test_an_optimiser_stands_still_after_its_travel_steps(name, b1):
    # Gradient 1 until bias corrections are over, then 0: what is left afterwards is nothing.
    optimiser = Optimiser(name, 1.0, momentum=b1, b1=b1, b2=0.99)
    numbers = {name: jnp.float32(value) for name, value in optimiser.numbers.items()}
    transform = optimisers.build(optimiser, numbers)
    gradients = jnp.repeat(jnp.array([1.0, 0.0]), jnp.array([3000, 400]))
    start = transform.init(jnp.zeros(()))

    def one(state, gradient):
        move, state = transform.update(gradient, state)
        return state, move

    moves = np.asarray(jax.lax.scan(one, start, gradients)[1])
    moves, travel = abs(moves[3000:]), optimisers.travel_steps(optimiser)
    assert travel is not None
    assert max(moves[travel:]) <= 1.001e-8 * moves[0]
    assert travel == 0 or moves[travel - 2] > 1e-8 * moves[0], "more steps than needed"


def test_there_is_no_end_of_travel_under_weight_decay_or_slow_momentum():
    assert optimisers.travel_steps(Optimiser("adamw", weight_decay=0.1)) is None
    assert optimisers.travel_steps(Optimiser("adamw")) == optimisers.travel_steps(Optimiser("adam"))
    assert optimisers.travel_steps(Optimiser("adam", b1=0.9, b2=0.81)) is None
    assert optimisers.travel_steps(Optimiser("adam", b1=0.9, b2=0.0)) is None
    assert optimisers.travel_steps(Optimiser("adam", b1=0.0, b2=0.0)) == 0
