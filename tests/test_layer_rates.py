"""Exact and rounding: rates of layers, on every path by which they are trained.

A layer of rate 0 keeps its weights bit for bit. Rates of 1 are no rates, machine code trains as
the single network does, and a network alone in its block as one among others: to `ROUNDING`, after
chains of some 20 updates. Negative control: the rates the other way round are far from it.
"""

import dataclasses
import hashlib
import itertools
import json
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from acceptance import ROUNDING, assert_rounding
from paths import QUICK, Population, setting
from samples import LANES

from jaxlab import Network, Optimiser, Setting, Task, Training, block, grouping, run, training
from jaxlab.block import MAX_KEPT_PARAMETERS
from jaxlab.spec import setting_from_dict

MEMBERS, STEPS = 21, 5
NARROW, WIDE = (1, 3, 1), (8, 9, 1)  # of the wide one more weights than are written out
OPTIMISERS = ("sgd", "adam")


@cache
def population(widths: tuple[int, ...], name: str, rates: tuple[float, ...]) -> Population:
    """Return members that train in batches of 6 and 4; all have these rates."""
    train = Training(Optimiser(name, 0.05), batch_size=6, layer_rates=rates)
    made = Population(setting(widths, "tanh", 10, train), MEMBERS)
    for i, rate in enumerate(rates):
        made.numbers[f"layer rate {i}"] = np.full(MEMBERS, rate, np.float32)
    return made


@cache
def trained(widths, name: str, rates: tuple[float, ...], path: str = "fast") -> np.ndarray:
    """Return the weights (parameters, members) after some steps in the third epoch."""
    made = population(widths, name, rates)
    return np.asarray(getattr(made, path)(made.start, STEPS).weights)


def layers(widths: tuple[int, ...], flat: np.ndarray) -> list[np.ndarray]:
    """Cut packed weights (parameters, members) into those of the layers."""
    ends = np.cumsum([(a + 1) * b for a, b in itertools.pairwise(widths)])
    return np.split(flat, ends[:-1])


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("widths", [NARROW, WIDE])
def test_machine_code_trains_as_the_single_network_does(widths, name):
    rates = (0.25, 2.0)
    assert_rounding(trained(widths, name, rates), trained(widths, name, rates, "plain"))
    swapped = trained(widths, name, rates[::-1])
    assert distance(swapped, trained(widths, name, rates, "plain")) > 1000 * ROUNDING


def test_the_wide_network_is_one_whose_weights_are_not_kept():
    count = setting(WIDE).network.parameters
    assert count > MAX_KEPT_PARAMETERS


@pytest.mark.parametrize("path", ["fast", "plain"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_layer_of_rate_0_keeps_its_weights_and_the_others_train(name, path):
    before = layers(NARROW, population(NARROW, name, (0.0, 2.0)).weights)
    for frozen, rates in enumerate([(0.0, 2.0), (0.25, 0.0)]):
        after = layers(NARROW, trained(NARROW, name, rates, path))
        assert after[frozen].tobytes() == before[frozen].tobytes()
        assert np.abs(after[1 - frozen] - before[1 - frozen]).max(axis=0).min() > 1e-3


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("widths", [NARROW, WIDE])
def test_rates_of_1_are_no_rates(widths, name):
    assert_rounding(trained(widths, name, (1.0, 1.0)), trained(widths, name, ()))
    assert distance(trained(widths, name, (0.25, 2.0)), trained(widths, name, ())) > 1e-3


@cache
def orders() -> list[np.ndarray]:
    """Return the order (rows, members) of every member's rows in each epoch."""
    return [population(NARROW, "sgd", (0.25, 2.0)).orders_of(i) for i in range(3)]


def by_hand(made: Population, member: int, rates: tuple[float, float]) -> np.ndarray:
    """Return the weights of one network 1-3-1 of tanh units after SGD, in float64."""
    flat = made.weights[:, member].astype(float)
    w, b, a, c = flat[:3], flat[3:6], flat[6:9], flat[9]
    step = float(made.numbers["learning_rate"][member])
    batches = [part for order in orders() for part in np.split(order[:, member], [6])]
    for batch in batches[:STEPS]:
        x, y = made.rows[batch].astype(float).T
        hidden = np.tanh(np.outer(x, w) + b)
        error = 2 * (hidden @ a + c - y) / len(batch)
        inner = error[:, None] * a * (1 - hidden**2)
        w, b = (p - rates[0] * step * g for p, g in ((w, x @ inner), (b, inner.sum(axis=0))))
        a, c = (p - rates[1] * step * g for p, g in ((a, error @ hidden), (c, error.sum())))
    return np.concatenate([w, b, a, [c]])


@pytest.mark.parametrize("member", [0, 20])
def test_sgd_with_two_rates_is_that_by_hand(member):
    rates = (0.25, 2.0)
    made = population(NARROW, "sgd", rates)
    assert_rounding(trained(NARROW, "sgd", rates)[:, member], by_hand(made, member, rates))
    assert distance(by_hand(made, member, (2.0, 0.25)), by_hand(made, member, rates)) > 1e-3


def with_rates(name: str, *rates: float) -> Setting:
    given = samples.setting(name)
    train = dataclasses.replace(given.training, layer_rates=rates)
    return dataclasses.replace(given, training=train)


SETTINGS = with_rates("frozen", 0.0, 2.0), with_rates("slow", 0.25, 1.0)


def test_a_network_alone_in_its_block_trains_as_among_others():
    # Alone it is trained layer by layer, its weights not packed; so it is when it is wide.
    rates = (0.0, 2.0)
    made = population(NARROW, "adam", rates).taken(np.array([3]))
    drawn = {"weights": jnp.asarray(made.weights), "order": jnp.asarray(made.keys)}
    numbers = {name: jnp.asarray(values) for name, values in made.numbers.items()}
    bank = jnp.asarray(made.rows[made.orders])
    advance = block.plain_advance(made.model, drawn, bank, numbers)
    found = jax.jit(advance, compiler_options=QUICK)(made.start, STEPS)
    assert_rounding(found.weights, trained(NARROW, "adam", rates, "plain")[:, 3:4])
    frozen, other = layers(NARROW, np.asarray(found.weights))
    before = layers(NARROW, made.weights)
    assert frozen.tobytes() == before[0].tobytes()
    assert np.abs(other - before[1]).max() > 1e-3


def test_settings_that_differ_in_rates_share_a_program_and_no_bits():
    sweep = samples.sweep(*SETTINGS)
    assert len(grouping.groups(sweep, LANES)) == 1
    assert len(grouping.groups(samples.sweep(SETTINGS[0], samples.setting()), LANES)) == 2
    both = run(sweep, 6, lane_width=LANES).members
    alone = run(samples.sweep(SETTINGS[1]), 3, lane_width=LANES).members["slow"]
    assert samples.equal_bits(alone, both["slow"])
    for name, members in both.items():
        both_ends = members.initial_weights, members.final_weights
        before, after = (np.asarray(weights)[:, :4] for weights in both_ends)
        assert (before.tobytes() == after.tobytes()) == (name == "frozen")


TINY = Setting("any", Task("t", 4, {"high": 1.0}), Network((1, 1), ("linear",)))
WRITTEN = (  # by hand: what the digest of TINY was made of before there were rates
    '[1,{"initialisers":[{"bias":"default","bias_scale":1.0,"law":"glorot_uniform","scale":1.0,'
    '"values":[]}],"network":{"activations":["linear"],"slope":0.3,"use_bias":true,"widths":[1,1]},'
    '"task":{"margin":0.5,"name":"t","numbers":{"high":1.0},"rows":4,"scaling":null,'
    '"tolerance":0.1},"training":{"batch_size":32,"check_growth":1.0,"check_steps":[],'
    '"epochs":1000,%s"loss":"mse","max_steps":0,"optimiser":{"b1":0.9,"b2":0.999,"clip_norm":0.0,'
    '"decay":0.0,"eps":1e-07,"learning_rate":0.001,"momentum":0.9,"name":"keras_adam","rho":0.9,'
    '"schedule":"constant","schedule_steps":1.0,"weight_decay":0.0}}}]'
)


def test_a_digest_without_rates_is_what_it_was_before_there_were_any():
    assert TINY.digest == hashlib.sha256((WRITTEN % "").encode()).hexdigest()
    rated = dataclasses.replace(TINY, training=Training(layer_rates=(1,)))
    written = WRITTEN % '"layer_rates":[1.0],'
    assert rated.digest == hashlib.sha256(written.encode()).hexdigest()
    other = dataclasses.replace(TINY, training=Training(layer_rates=(0.5,)))
    assert len({TINY.digest, rated.digest, other.digest}) == 3


def test_rates_are_kept_in_json_and_older_json_has_none():
    (frozen, _) = SETTINGS
    content = json.loads(json.dumps(dataclasses.asdict(frozen)))
    assert setting_from_dict(content) == frozen
    del content["training"]["layer_rates"]
    assert setting_from_dict(content).training.layer_rates == ()


@pytest.mark.parametrize("rates", [(1.0,), (1.0, 1.0, 1.0)])
def test_the_wrong_number_of_rates_is_refused(rates):
    said = rf"number of layer_rates is {len(rates)}; .* none, or one for each of the 2 layers"
    with pytest.raises(ValueError, match=said):
        with_rates("wrong", *rates)


@pytest.mark.parametrize("rate", [-1e-9, float("nan"), float("inf"), "fast", True])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match=r"each of layer_rates is .*, at least 0"):
        Training(layer_rates=(1.0, rate))


def test_numbers_name_the_rates_that_there_are():
    assert not [n for n in training.numbers_of(TINY) if "rate" in n and n != "learning_rate"]
    found = training.numbers_of(SETTINGS[1])
    assert (found["layer rate 0"], found["layer rate 1"]) == (0.25, 1.0)
