"""Rounding and exact: training by machine code against plain vmap over the single network.

Weights and the optimiser's state agree to `ROUNDING` after an epoch and two steps, a chain of some
20 updates. There is no mean absolute error under an optimiser that divides by the gradient's size:
the signs of an even batch can cancel, and what is left of them is rounding, made large again.
So do outputs and what enters the output units.
"""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import ROUNDING, assert_rounding
from paths import Population, setting

from jaxlab import Optimiser, Training, native, training
from jaxlab.native.trainer import traced_steps
from jaxlab.spec import ACTIVATIONS, LOSSES, OPTIMISERS, SCHEDULES

MEMBERS = 37  # no multiple of the 16 that one vector holds
WIDE = (8, 9, 1)  # more weights than are updated by code that is written out


def train(name: str, loss: str = "mse", batch_size: int = 0, rate=0.01, **numbers) -> Training:
    return Training(Optimiser(name, rate, **numbers), loss, batch_size)


# Every activation, optimiser, loss and schedule there is code for; batches of 1, with a smaller
# last one, whole, longer than 16 and no multiple of it, larger than there are rows.
CASES = {
    "relu, 16 + 4": setting((1, 3, 1), "relu", 20, train("keras_adam", batch_size=16)),
    "leaky, batch 1": setting((1, 3, 1), "leaky_relu", 17, train("sgd", "mae", 1)),
    "tanh, 23 + 17": setting((1, 3, 1), "tanh", 40, train("momentum", "mae", 23)),
    "sigmoid, whole": setting((1, 3, 1), "sigmoid", 16, train("nesterov")),
    "elu, 400 rows": setting((1, 3, 1), "elu", 400, train("adam", batch_size=32)),
    "softplus, large batch": setting((1, 3, 1), "softplus", 15, train("rmsprop", "huber", 100)),
    "linear, 1 row": setting((1, 2, 1), "linear", 1, train("adamw", "huber", 4, weight_decay=0.1)),
    "two outputs, clipped": setting((2, 3, 2), "tanh", 20, train("adam", "mse", 6, clip_norm=0.5)),
    "no bias": setting(
        (1, 4, 1),
        "elu",
        33,
        train("sgd", "mse", 32, 0.1, schedule="inverse_time", decay=0.5, clip_norm=1.0),
        use_bias=False,
    ),
    "warm up": setting(
        (1, 3, 1),
        "sigmoid",
        20,
        train("keras_adam", "mse", 6, schedule="warm_up", schedule_steps=8),
    ),
    "one weight": setting((1, 1), rows=15, train=train("keras_adam"), use_bias=False),
    "wide": setting(
        WIDE, "sigmoid", 20, train("adam", "mse", 17, schedule="inverse_time", decay=0.5)
    ),
    "wide, clipped": setting(WIDE, "tanh", 17, train("momentum", "mse", 6, clip_norm=0.5)),
}
OWN_ROWS = {
    "own, 2-3-2": setting((2, 3, 2), "relu", 17, train("keras_adam", "mse", 16)),
    "own, 400 rows": setting((1, 3, 1), "tanh", 400, train("rmsprop", "mse", 0, eps=1e-3)),
    "own, deep": setting((1, 2, 2, 1), "softplus", 18, train("nesterov", "huber", 1)),
}


@cache
def population(name: str) -> Population:
    return Population((CASES | OWN_ROWS)[name], MEMBERS, own_rows=name in OWN_ROWS)


def last_step(given: Population) -> int:
    """Return a step in the second epoch; the rest of it is as the first."""
    return given.setting.training.steps_per_epoch(given.setting.task.rows) + 2


def difference(one: training.State, other: training.State) -> float:
    return float(np.abs(np.asarray(one.weights) - np.asarray(other.weights)).max())


@pytest.mark.parametrize("name", CASES | OWN_ROWS)
def test_machine_code_trains_as_plain_vmap_does(name):
    members = population(name)
    end = last_step(members)
    found, wanted = members.fast(members.start, end), members.plain(members.start, end)
    assert found.step == end
    assert difference(found, members.start) > 1000 * ROUNDING, "nothing was learnt"
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        if one.dtype == np.int32:
            assert np.array_equal(np.broadcast_to(one, other.shape), other)
        else:
            assert_rounding(one, other)


AT_ROWS = {
    "relu": setting((1, 3, 1), "relu", 20),
    "leaky_relu": setting((2, 3, 2), "leaky_relu", 17),
    "tanh": setting((1, 2, 2, 1), "tanh", 5),
    "sigmoid": setting((2, 2), rows=1),
    "elu": setting((1, 3, 1), "elu", 20),
    "softplus": setting(WIDE, "softplus", 17, use_bias=False),
}


@pytest.mark.parametrize("own_rows", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("name", AT_ROWS)
def test_machine_code_answers_as_the_network_does(name, own_rows):
    given = AT_ROWS[name]
    activations = (*given.network.activations[:-1], name)  # the output's too
    network = dataclasses.replace(given.network, activations=activations)
    members = Population(dataclasses.replace(given, network=network), MEMBERS, own_rows=own_rows)

    trainer, rows = members.trainer, jnp.asarray(members.rows)

    def answers(weights, numbers):
        return [f(rows, numbers, weights) for f in (trainer.outputs, trainer.entering)]

    def alone(weights, numbers, rows):
        inputs = rows[:, : members.model.inputs]
        outputs = training.predict(members.model, weights, inputs, numbers)
        return outputs, training.entering(members.model, rows, numbers, weights)

    found = jax.jit(answers)(members.weights, members.numbers)
    each = jax.vmap(alone, (-1, -1, -1 if own_rows else None), -1)
    wanted = jax.jit(each)(members.weights, members.numbers, rows)
    for one, other in zip(found, wanted, strict=True):
        assert_rounding(one, other)
    assert abs(found[0] - found[1]).max() > 0.1, "the output's activation makes no difference"
    assert abs(found[0] - np.roll(wanted[0], 1, axis=-1)).max() > 0.1, "members are all alike"


def test_the_cases_are_about_everything_there_is_code_for():
    chosen = [*CASES.values(), *OWN_ROWS.values()]
    named = {a for s in chosen for a in s.network.activations}
    assert named == set(ACTIVATIONS) - {"gelu"}
    assert {s.training.optimiser.name for s in chosen} == set(OPTIMISERS)
    assert {s.training.optimiser.schedule for s in chosen} == set(SCHEDULES) - {"cosine"}
    assert {s.training.loss for s in chosen} == set(LOSSES)
    assert [traced_steps(s, 7, own_rows=False).one_by_one for s in CASES.values()].count(True) == 1


@pytest.mark.parametrize(
    "given_", [setting(activation="gelu"), setting(train=train("sgd", schedule="cosine"))]
)
def test_there_is_no_code_for_some(given_):
    assert native.trainer_for(given_, 7, own_rows=False) is None


def test_another_order_rate_or_epsilon_is_noticed():
    given_ = setting((1, 3, 1), "tanh", 20, train("keras_adam", batch_size=16, eps=1e-2))
    members = Population(given_, MEMBERS)
    end, keys, numbers = last_step(members), members.keys, members.numbers
    wanted = members.fast(members.start, end)
    assert difference(wanted, members.plain(members.start, end)) < ROUNDING
    members.keys = np.roll(keys, 1, axis=1)
    assert difference(wanted, members.plain(members.start, end)) > 10 * ROUNDING
    members.keys = keys
    for name, factor in (("learning_rate", 1.002), ("eps", 1.05)):
        members.numbers = numbers | {name: factor * numbers[name]}
        assert difference(wanted, members.plain(members.start, end)) > 2 * ROUNDING
