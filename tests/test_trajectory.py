"""Exact: a replay ends in the bits of the member that a sweep trains, and would notice if not."""

import dataclasses
import itertools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from samples import LANES

import jaxlab
from jaxlab import (
    Network,
    Optimiser,
    ResultsError,
    Scaling,
    Setting,
    Training,
    chunks,
    engine,
    grouping,
    tasks,
)
from jaxlab.replaying import trajectory
from jaxlab.result import Members

SEED = 3


def _product(key, rows, numbers):
    factors = jax.random.randint(key, (rows, 2), 0, 10).astype(jnp.float32)
    return factors, factors[:, :1] * factors[:, 1:]


tasks.define("product of mine", _product, tasks.whole, random=True)
LARGE = Network((1, 600, 1), ("relu", "linear"))
SETTINGS = {
    "relu": samples.setting(),
    "own": Setting(
        "k=2",
        tasks.Task("product of mine", rows=40, scaling=Scaling("unit", "unit")),
        Network((2, 3, 1), ("leaky_relu", "relu")),
        training=Training(Optimiser("rmsprop", 0.01), batch_size=16, epochs=8),
    ),
    "large": dataclasses.replace(samples.setting(), network=LARGE),
}
WIDTHS = {"relu": LANES, "own": LANES, "large": 1}


@pytest.fixture(scope="module", params=SETTINGS)
def both(request) -> tuple[jaxlab.Trajectory, Members]:
    """Return a replay and the member of a sweep of several seeds."""
    sweep, lanes = samples.sweep(SETTINGS[request.param]), WIDTHS[request.param]
    members = jaxlab.run(sweep, 10, lane_width=lanes).members["k=2"]
    return jaxlab.replay(sweep, "k=2", SEED, lane_width=lanes), members.of(np.array([SEED]))


def test_a_replay_ends_in_the_same_bits(both):
    replayed, member = both
    assert replayed.same
    assert samples.equal_bits(replayed.member, member)
    assert replayed.weights is not None
    if member.initial_weights is None or member.final_weights is None:
        assert replayed.setting.network.parameters > 64
        return
    assert replayed.weights[0].tobytes() == member.initial_weights[0].tobytes()
    assert replayed.weights[-1].tobytes() == member.final_weights[0].tobytes()


def test_what_is_seen_at_the_end_is_what_the_sweep_says(both):
    """Other programs may round sums over the rows otherwise, hence the tolerance of some bits."""
    replayed, member = both
    np.testing.assert_allclose(replayed.loss[-1], member.loss[0], rtol=1e-5)
    np.testing.assert_allclose(replayed.errors[-1], member.errors[0], rtol=1e-5)
    error = replayed.outputs[-1] - replayed.targets
    np.testing.assert_allclose(np.sqrt((error**2).mean()), member.rmse[0], rtol=1e-4)
    assert (replayed.outcome, replayed.first_solved) == (member.names[0], member.first_solved[0])
    assert replayed.steps.tolist() == list(range(replayed.setting.steps + 1))  # so few: each step


@pytest.mark.parametrize("name", ["relu", pytest.param("own", marks=pytest.mark.slow)])
def test_xla_too_gives_the_same_bits_however_its_training_is_cut(name):
    (group,) = grouping.groups(samples.sweep(SETTINGS[name]), LANES)
    runner = engine.Runner(group, fast=False)
    member = Members(np.array([SEED]), **runner(np.zeros(1, int), np.array([SEED])))
    total = SETTINGS[name].steps
    for ends in ([0, 1, 2, 5, 13, total], [total]):
        *_, (last, _) = engine.follow(runner, 0, SEED, ends)[1]
        assert trajectory._is_same(runner, member, SEED, [last])


@pytest.mark.parametrize("name", ["relu", "large"])
def test_another_seed_or_another_bit_would_be_noticed(name):
    sweep = samples.sweep(SETTINGS[name])
    (group,) = grouping.groups(sweep, WIDTHS[name])
    runner = engine.Runner(group)
    replayed = jaxlab.replay(sweep, "k=2", SEED, lane_width=WIDTHS[name])
    assert replayed.weights is not None
    last, member = replayed.weights[-1], replayed.member
    assert trajectory._is_same(runner, member, SEED, [last])
    # The output's bias, which every answer has in it.
    other = last.copy()
    other[-1] = np.nextafter(other[-1], np.float32(9)) if name == "relu" else other[-1] + 1e-3
    assert not trajectory._is_same(runner, member, SEED, [other])
    elsewhere = jaxlab.replay(sweep, "k=2", SEED + 1, lane_width=WIDTHS[name])
    assert elsewhere.weights is not None
    assert not trajectory._is_same(runner, member, SEED, [elsewhere.weights[-1]])


def test_units_are_active_where_their_kernel_and_bias_say():
    replayed = jaxlab.replay(samples.sweep(), "k=2", SEED, lane_width=LANES)
    (kernel, bias), _ = replayed.layers
    assert bias is not None
    enters = replayed.inputs[None] * kernel + bias[:, None]  # (moments, rows, units)
    np.testing.assert_array_equal(replayed.active[:, :2], (enters > 0).mean(axis=1))


def test_rows_of_its_own_come_back_in_original_units():
    replayed = jaxlab.replay(samples.sweep(SETTINGS["own"]), "k=2", SEED, lane_width=LANES)
    product = replayed.inputs[:, 0] * replayed.inputs[:, 1]
    np.testing.assert_allclose(replayed.targets[:, 0], product, atol=1e-4)
    other = jaxlab.replay(samples.sweep(SETTINGS["own"]), "k=2", SEED + 1, lane_width=LANES)
    assert (replayed.inputs != other.inputs).any()


@pytest.fixture
def folder(whole, monkeypatch) -> Path:
    monkeypatch.setattr(chunks, "CHUNK", 20)  # as it was written
    return whole


def test_the_member_of_a_folder_is_what_is_compared(folder):
    replayed = jaxlab.replay(samples.sweep(), "fast", 21, results=folder)
    assert (replayed.same, replayed.lane_width) == (True, LANES)
    assert replayed.checked == f"the same, bit for bit, as in {folder}"
    beyond = jaxlab.replay(samples.sweep(), "fast", samples.SEEDS + 1, results=folder)
    assert beyond.checked == "the same, bit for bit, as jaxlab.run trains it"


def test_a_folder_made_elsewhere_is_said_to_be(folder, monkeypatch):
    own = trajectory.fingerprint()
    monkeypatch.setattr(trajectory, "fingerprint", lambda: own | {"jax": "0.0.1"})
    replayed = jaxlab.replay(samples.sweep(), "k=2", 0, results=folder)
    assert replayed.same
    assert f"{folder} was made elsewhere (jax " in replayed.checked
    assert "last bits may differ" in replayed.checked


def test_a_folder_of_another_identity_is_refused(folder):
    with pytest.raises(ResultsError, match="lane width 8, not 16"):
        jaxlab.replay(samples.sweep(), "k=2", 0, results=folder, lane_width=16)
    changed = samples.sweep(samples.setting(rate=0.03))
    with pytest.raises(ResultsError, match="of another specification"):
        jaxlab.replay(changed, "k=2", 0, results=folder)


def test_moments_are_dense_at_the_start_and_end_with_the_last_step():
    assert trajectory._moments(200, 30) == list(range(31))
    many = trajectory._moments(200, 13_000)
    assert many[:9] == list(range(9))
    assert many[-1] == 13_000
    assert 140 < len(many) <= 201
    assert max(b / a for a, b in itertools.pairwise(many[10:])) < 1.12
    assert trajectory._moments([5, 2], 9) == [0, 2, 5, 9]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"setting": "k=9"}, "setting is 'k=9'; it must be one of k=2, fast"),
        ({"seed": -1}, "seeds are -1 to -1"),
        ({"lane_width": 0}, "lane_width is 0; it must be at least 1"),
        ({"moments": 1}, "moments is 1; it must be at least 2"),
        ({"moments": [99]}, "a moment is 99; it must be a step from 0 to 36"),
    ],
)
def test_wrong_requests_are_refused_before_anything_trains(given, message, monkeypatch):
    monkeypatch.setattr(engine, "Runner", lambda *_, **__: pytest.fail("trained"))
    asked = {"setting": "k=2", "seed": 0} | given
    with pytest.raises(ValueError, match=message):
        jaxlab.replay(samples.sweep(), **asked)


def test_weights_of_large_networks_are_not_kept_at_every_moment(monkeypatch):
    monkeypatch.setattr(trajectory, "MOST_KEPT", 10)
    replayed = jaxlab.replay(samples.sweep(), "k=2", 0, lane_width=LANES)
    assert (replayed.same, replayed.weights) == (True, None)
    with pytest.raises(ValueError, match="not kept; look at sizes"):
        assert replayed.layers
    assert "small: k=2, seed 0" in str(replayed)
