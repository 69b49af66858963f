"""Exact: what a user's own module and optimiser do is told apart where their names are not."""

import dataclasses

import optax
import pytest
from flax import nnx

from jaxlab import Initialiser, Network, Setting, Training, meanings, modules, optimisers, tasks

PLAIN = Setting("s", tasks.absolute_value(rows=40), Network((1, 2, 1), ("relu", "linear")))


def of_optimiser(make) -> str:
    training = Training(optimisers.define("tried", make))
    return meanings.checksum(dataclasses.replace(PLAIN, training=training))


def of_module(activation) -> str:
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Linear(1, 2, rngs=rngs)
            self.last = nnx.Linear(2, 1, rngs=rngs, kernel_init=nnx.initializers.zeros)

        def __call__(self, x):
            return self.last(activation(self.first(x)))

    network = modules.define("tried", Net)
    one = (Initialiser(),)
    return meanings.checksum(dataclasses.replace(PLAIN, network=network, initialisers=one))


def test_there_is_nothing_to_tell_of_jaxlab_s_own():
    assert meanings.checksum(PLAIN) == ""


@pytest.mark.parametrize(
    ("make", "other"),
    [
        (optax.adam, lambda rate: optax.adam(rate, eps=1e-3)),
        (optax.adamw, lambda rate: optax.adamw(rate, weight_decay=10.0)),
        (
            optax.sgd,
            lambda rate: optax.sgd(optax.piecewise_constant_schedule(rate, {50: 0.0})),
        ),
        (optax.sgd, lambda rate: optax.chain(optax.clip(100.0), optax.sgd(rate))),
    ],
)
def test_optimisers_are_told_apart(make, other):
    assert of_optimiser(make) == of_optimiser(make)
    assert of_optimiser(make) != of_optimiser(other)


def test_modules_are_told_apart_behind_a_layer_of_zeros():
    assert of_module(nnx.relu) == of_module(nnx.relu)
    assert of_module(nnx.relu) != of_module(nnx.tanh)
