"""Rounding and exact: training against loops written out, and who is certified dead.

Weights and losses agree to `ROUNDING`; outcomes, certificates and `silent` are exact.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from acceptance import ROUNDING, assert_rounding
from paths import QUICK

from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Setting,
    Sweep,
    Training,
    block,
    grouping,
    keys,
    outcomes,
    run,
    shuffling,
    tasks,
    training,
)
from jaxlab.result import Members

DATA = np.stack([x := np.linspace(-1, 1, 40, dtype=np.float32), abs(x)], axis=1)
RELU = Network((1, 2, 1), ("relu", "linear"))
WEIGHTS = np.array([0.8, -0.6, 0.1, 0.05, 0.4, 0.9, -0.1], np.float32)  # kernel, bias, kernel, bias


def numbers_of(setting: Setting) -> dict[str, jax.Array]:
    return {name: jnp.float32(value) for name, value in training.numbers_of(setting).items()}


def orders(epochs: int) -> np.ndarray:
    random = np.random.default_rng(3)
    return np.stack([random.permutation(len(DATA)) for _ in range(epochs)])


def by_hand(loss: str, batch_size: int, epochs: int) -> tuple[np.ndarray, list[float]]:
    """Return final weights and the loss before each step of plain gradient descent, in float64."""
    w, losses = WEIGHTS.astype(float), []
    for order in orders(epochs):
        for first in range(0, len(DATA), batch_size or len(DATA)):
            batch = DATA[order[first : first + (batch_size or len(DATA))]].astype(float)
            z = batch[:, :1] * w[0:2] + w[2:4]
            error = np.maximum(z, 0) @ w[4:6] + w[6] - batch[:, 1]
            value = {"mse": error**2, "mae": abs(error)}.get(loss)
            slope = {"mse": 2 * error, "mae": np.sign(error)}.get(loss)
            if value is None or slope is None:  # huber
                value = np.where(abs(error) < 1, error**2 / 2, abs(error) - 0.5)
                slope = np.clip(error, -1, 1)
            losses.append(value.mean())
            flow = (slope[:, None] / len(batch)) * w[4:6] * (z > 0)
            hidden = (slope[:, None] / len(batch)) * np.maximum(z, 0)
            parts = [(flow * batch[:, :1]).sum(0), flow.sum(0), hidden.sum(0), [slope.mean()]]
            w = w - 0.1 * np.concatenate(parts)
    return w, losses


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("batch_size", [16, 40, 0, 64])
def test_one_network_is_trained_as_by_hand(loss, batch_size):
    epochs, size = 4, batch_size or len(DATA)
    train = Training(Optimiser("sgd", 0.1), loss, batch_size, epochs)
    setting = Setting("s", tasks.absolute_value(40, -1, 1), RELU, training=train)
    model, numbers, shuffled = training.Model(RELU, train), numbers_of(setting), orders(epochs)
    start, losses = training.start(model, jnp.asarray(WEIGHTS), numbers), []
    rows = jnp.asarray(DATA[shuffled])
    until = jax.jit(
        lambda end: training.train(model, start, lambda i: rows[i], end, numbers),
        compiler_options=QUICK,
    )
    batches = [DATA[o[i : i + size]] for o in shuffled for i in range(0, len(o), size)]
    for i, batch in enumerate(batches):
        state, found = training.step(model, until(i), jnp.asarray(batch), numbers)
        assert_rounding(state.weights, until(i + 1).weights)
        losses.append(float(found))
    state = until(len(batches))
    wanted, wanted_losses = by_hand(loss, batch_size, epochs)
    assert state.step == len(wanted_losses) == epochs * train.steps_per_epoch(40)
    assert_rounding(losses, wanted_losses)
    assert_rounding(state.weights, wanted)


def test_without_the_small_last_batch_the_loop_by_hand_is_another():
    # Negative control: dropping the 8 rows that 16 does not divide shows in the weights.
    kept = by_hand("mse", 16, 4)[0]
    assert np.abs(kept - by_hand("mse", 20, 4)[0]).max() > 100 * ROUNDING


@pytest.mark.parametrize("name", ["sgd", "keras_adam"])
def test_clipping_acts_on_each_member_apart(name):
    # The second member's gradient is a thousand times the first one's.
    setting = Setting(
        "s",
        tasks.absolute_value(40, -1, 1),
        RELU,
        training=Training(Optimiser(name, 0.01, clip_norm=0.5), batch_size=0, epochs=3),
    )
    model, numbers = training.Model(RELU, setting.training), numbers_of(setting)
    large = jnp.asarray(WEIGHTS).at[-1].set(1000.0)

    def final(weights, numbers):
        start = training.start(model, weights, numbers)
        rows = jnp.asarray(DATA) if weights.ndim == 1 else jnp.asarray(DATA)[..., None]
        return training.train(model, start, lambda _: rows, 3, numbers).weights

    pair = jnp.stack([jnp.asarray(WEIGHTS), large], axis=-1)
    both = final(pair, {k: jnp.stack([v, v]) for k, v in numbers.items()})
    for i, weights in enumerate((jnp.asarray(WEIGHTS), large)):
        assert_rounding(both[:, i], final(weights, numbers))


def single(setting: Setting, weights: jax.Array, order_key: jax.Array) -> dict[str, Any]:
    """Train and judge one network with no engine: for `jax.vmap` over members."""
    model, numbers = training.Model(setting.network, setting.training), numbers_of(setting)
    rows, bank = block.shared_rows(setting.task), shuffling.bank(setting.task.rows)
    assert rows is not None
    inputs, targets = rows[:, :1], rows[:, 1:]
    regions = tasks.sides(inputs)

    def until(state, end):
        def epoch_rows(epoch):
            return rows[shuffling.epoch_entries(bank, order_key, epoch)]

        return training.train(model, state, epoch_rows, end, numbers)

    def measured(weights):
        outputs = training.predict(model, weights, inputs, numbers)
        return outputs, outcomes.errors(outputs, targets, jnp.stack(list(regions.values())))

    steps = setting.steps
    begun = training.start(model, weights, numbers)
    half = until(begun, -(-steps // 2))
    end = until(half, steps)

    def settle(i, carry):
        state, quiet = carry
        quiet &= training.silent(model, rows, numbers, state.weights)
        return until(state, steps + 3 * (i + 1)), quiet

    # 60 epochs of 3 steps are 180, more than Adam travels.
    quiet = jax.lax.fori_loop(0, 61, settle, (end, jnp.array(True)))[1]
    final = end.weights
    outputs, found = measured(final)
    at_start, halfway = (measured(state.weights)[1].square for state in (begun, half))
    code = outcomes.classify(
        outputs,
        outcomes.best_affine(inputs, targets),
        targets,
        found,
        regions=tuple(regions),
        tolerance=setting.task.tolerance,
        margin=setting.task.margin,
        certified=quiet,
        finite=jnp.isfinite(final).all(),
        still_improving=outcomes.improving(at_start, halfway, found.square),
        inputs_vary=outcomes.vary(inputs),
    )
    loss = training.loss(model, final, rows, numbers)
    return {"loss": loss, "outcome": code, "weights": final, "certified": quiet}


@pytest.mark.parametrize(("epochs", "steps"), [(6, 11), (120, 0)])  # of 11, 2 make a part epoch
def test_the_engine_does_what_plain_vmap_over_one_network_does(epochs, steps):
    setting, seeds = samples.setting(epochs=epochs), np.arange(96)
    limited = dataclasses.replace(setting.training, max_steps=steps)
    setting = dataclasses.replace(setting, training=limited)
    members = run(Sweep("s", (setting,)), len(seeds), lane_width=samples.LANES).members["k=2"]
    key = keys.setting_key("k=2")
    streams = [keys.stream(keys.member_key(key, int(seed)), "order") for seed in seeds]
    reference = jax.jit(jax.vmap(lambda w, k: single(setting, w, k)))
    found = reference(members.initial_weights, jax.random.key_data(jnp.stack(streams)))
    if steps:
        assert_rounding(members.loss, found["loss"])
        assert_rounding(np.asarray(members.final_weights), found["weights"])
    else:
        assert len(set(members.names)) >= 4, "too few outcomes to compare"
    assert np.array_equal(members.outcome, found["outcome"])
    assert np.array_equal(members.certified, found["certified"])


@pytest.mark.parametrize(
    ("network", "weights", "wanted"),
    [
        (RELU, [1, 1, -2, -2, 1, 1, 5], True),  # both units below zero on all rows
        (RELU, [1, 1, -2, -0.99, 1, 1, 5], False),  # the second sees the last row
        (RELU, [1, 1, -1, -1, 1, 1, 5], True),  # zero at the last row, where the slope is 0
        (RELU, [0, 0, 0, 0, 1, 1, 5], True),
        # Seen by the last row only, which is fitted exactly, until the output's bias moves.
        (RELU, [1, 1, -63 / 64, -2, 1, 1, 63 / 64], False),
        (RELU, [0, 0, 0, 0, 0, 0, 5], True),
        (Network((1, 2, 1), ("leaky_relu", "linear")), [1, 1, -2, -2, 1, 1, 5], False),
        (Network((1, 1), ("relu",)), [1, -2], True),
        (Network((1, 1, 1), ("relu", "linear"), use_bias=False), [0, 1], True),
        (Network((1, 1, 1), ("relu", "linear"), use_bias=False), [1, 0], False),
        # Odd function, even errors: the kernel's gradients cancel in the sum over rows, not in one.
        (Network((1, 1, 1), ("linear", "linear"), use_bias=False), [0, 1], False),
    ],
)
def test_silence_of_networks_made_by_hand(network, weights, wanted):
    setting = Setting("s", tasks.absolute_value(40, -1, 1), network)
    model, numbers = training.Model(network, setting.training), numbers_of(setting)
    one = jnp.asarray(weights, jnp.float32)
    assert bool(training.silent(model, jnp.asarray(DATA), numbers, one)) is wanted
    alive = jax.random.normal(jax.random.key(0), (network.parameters,)) + 1
    pair = jnp.stack([one, alive, one], axis=-1)
    many = {name: jnp.broadcast_to(value, 3) for name, value in numbers.items()}
    found = training.silent(model, jnp.asarray(DATA)[..., None], many, pair)
    assert found.tolist() == [wanted, False, wanted]


def lone_unit(
    optimiser: str, kernel: float, bias: float, output: float, decay: float = 0.0
) -> Setting:
    """Return |x| on four rows in [-30, 30] with one ReLU unit that starts with given weights."""
    return Setting(
        "unit",
        tasks.absolute_value(4, -30.0, 30.0),
        Network((1, 1, 1), ("relu", "linear")),
        (Initialiser("constant", kernel, "constant", bias), Initialiser("constant", output)),
        Training(Optimiser(optimiser, 1e-3, weight_decay=decay), batch_size=0, epochs=20),
    )


def one_member(setting: Setting) -> Members:
    return run(Sweep("s", (setting,)), 1, lane_width=1).members[setting.name]


@pytest.mark.parametrize("name", ["adam", "keras_adam"])
@pytest.mark.parametrize(
    ("output", "epochs"), [(-0.024, 22), (-1.0, 20)], ids=["for good", "for a while"]
)
def test_a_unit_that_momentum_revives_is_not_certified_dead(name, output, epochs):
    # The kernel falls by 1e-3 a step and, when training ends, is so near 0 that the bias of about
    # -0.04 keeps the unit off on all rows. Momentum carries the kernel on to the other side.
    setting = samples.with_epochs(lone_unit(name, 0.02, -0.02, output), epochs)
    members, later = one_member(setting), one_member(samples.with_epochs(setting, epochs + 8))
    (kernel, bias, *_), (revived, its_bias, *_) = (
        np.asarray(m.final_weights)[0] for m in (members, later)
    )
    assert 30 * abs(kernel) + bias < 0, "not off when training ends: the test shows nothing"
    assert -30 * revived + its_bias > 0, "never revived: the test shows nothing"
    assert not members.certified[0]
    assert members.names[0] != "dead"


@pytest.mark.parametrize("name", ["adam", "keras_adam", "sgd", "momentum", "rmsprop"])
def test_a_unit_far_below_zero_is_certified_dead(name):
    members = one_member(lone_unit(name, 1.0, -100.0, 1.0))
    assert members.certified[0]
    assert members.names[0] == "dead"


def test_weight_decay_gives_no_certificate():
    decayed = lone_unit("adamw", 1.0, -100.0, 1.0, decay=0.01)
    members = one_member(decayed)
    assert not members.certified[0]
    assert members.names[0] != "dead"
    members = one_member(lone_unit("adamw", 1.0, -100.0, 1.0))
    assert members.names[0] == "dead"


def test_the_data_here_is_the_tasks():
    rows = block.shared_rows(tasks.absolute_value(40, -1, 1))
    assert np.array_equal(np.asarray(rows), DATA)
    assert grouping.Schedule.of(samples.setting(epochs=4)).checks[-2:] == (6, 12)
