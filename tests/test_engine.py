"""Invariance and exact: a member's bits depend on its own identity and on nothing else.

Every array of a member is compared byte for byte, weights before and after training included.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import LANES, equal_bits

from jaxlab import Initialiser, Network, Setting, Task, block, engine, grouping, keys, run, tasks

SETTINGS = samples.sweep().settings
PICK = st.sampled_from([SETTINGS[:1], SETTINGS[1:], SETTINGS, SETTINGS[::-1]])
FEW = settings(max_examples=15, deadline=None)


# Devices, and lane blocks of each in a call: how few members there are besides decides on padding.
LAYOUTS = st.sampled_from([(1, 8), (2, 8), (4, 8), (2, 3)])


@FEW
@given(st.lists(st.integers(0, 39), min_size=1, max_size=40, unique=True), PICK, LAYOUTS)
def test_seeds_order_blocks_devices_and_neighbours_change_no_bit(
    small_result, seeds, chosen, layout
):
    assert jax.local_device_count() >= 4, "conftest.py asks for four"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "devices_mesh", lambda: samples.mesh(layout[0]))
        patch.setattr(engine, "MAX_BLOCKS", layout[1])
        result = run(samples.sweep(*chosen), seeds, lane_width=LANES)
    assert list(result.members) == [s.name for s in chosen]
    for name, members in result.members.items():
        assert members.seeds.tolist() == sorted(seeds)
        assert equal_bits(members, small_result.members[name])


@FEW
@given(st.lists(st.integers(0, keys.MAX_SEED), min_size=2, max_size=9, unique=True))
def test_all_seeds_of_32_bits_are_themselves_alone_too(seeds):
    sweep = samples.sweep(SETTINGS[0])
    together = run(sweep, seeds, lane_width=LANES).members["k=2"]
    alone = run(sweep, seeds[:1], lane_width=LANES).members["k=2"]
    assert equal_bits(together, alone)
    assert len(np.unique(np.asarray(together.final_weights), axis=0)) == len(seeds)


@pytest.mark.parametrize(("devices", "blocks"), [(1, 8), (2, 1)])
def test_devices_and_blocks_change_no_bit_of_xlas_programs(devices, blocks, monkeypatch):
    # Above, training was by machine code. Here, too, against eight blocks of each of four devices.
    (group,) = grouping.groups(samples.sweep(), LANES)
    which, seeds = np.arange(40) % 2, np.arange(40)
    wanted = engine.Runner(group, fast=False)(which, seeds)
    monkeypatch.setattr(engine, "devices_mesh", lambda: samples.mesh(devices))
    monkeypatch.setattr(engine, "MAX_BLOCKS", blocks)
    runner = engine.Runner(group, fast=False)
    assert runner.size == LANES * devices * blocks
    for first in range(0, 40, runner.size):
        part = slice(first, first + runner.size)
        found = runner(which[part], seeds[part])
        assert all(v.tobytes() == wanted[name][part].tobytes() for name, v in found.items())


def test_the_engine_uses_all_devices():
    assert engine.devices_mesh().size == jax.local_device_count()


def test_adding_settings_changes_no_other_member(small_result):
    base = samples.setting()
    added = [
        dataclasses.replace(samples.setting(rate=0.5), name="other rate"),
        dataclasses.replace(base, name="other law", initialisers=(Initialiser("he_normal", 2.0),)),
        dataclasses.replace(samples.with_epochs(base, 5), name="other length"),
        dataclasses.replace(base, name="another like the first"),
    ]
    result = run(samples.sweep(added[0], base, *added[1:]), 20, lane_width=LANES)
    assert equal_bits(result.members["k=2"], small_result.members["k=2"])
    for setting in added:
        alone = run(samples.sweep(setting), 20, lane_width=LANES).members[setting.name]
        assert equal_bits(result.members[setting.name], alone)
        assert not equal_bits(alone, small_result.members["k=2"])


def test_paired_settings_start_from_the_same_weights():
    he = dataclasses.replace(SETTINGS[0], name="twice", initialisers=(Initialiser(scale=2.0),))
    paired = run(samples.sweep(*SETTINGS, he, paired=True), 10, lane_width=LANES).members
    first, second, twice = (np.asarray(m.initial_weights) for m in paired.values())
    assert np.array_equal(first, second)
    assert np.array_equal(2 * first, twice)
    unpaired = run(samples.sweep(*SETTINGS), 10, lane_width=LANES).members
    first, second = (np.asarray(m.initial_weights) for m in unpaired.values())
    assert not np.isclose(first, second).all(axis=1).any()


def _noisy_line(key, rows, numbers):
    place, noise = jax.random.split(key)
    x = jax.random.uniform(place, (rows, 1), minval=-1.0)
    return x, numbers["slope"] * x + 0.1 * jax.random.normal(noise, (rows, 1))


@pytest.fixture
def noisy_line(monkeypatch) -> Setting:
    monkeypatch.setattr(tasks, "_DEFINITIONS", dict(tasks._DEFINITIONS))
    tasks.define("noisy_line", _noisy_line, tasks.whole, random=True)
    network = Network((1, 1), ("linear",))
    task = Task("noisy_line", 20, {"slope": 2.0}, tolerance=0.3)
    training = samples.setting(rate=0.05, epochs=600, batch_size=0).training
    return Setting("noisy", task, network, training=training)


def least_squares(rows: np.ndarray) -> np.ndarray:
    design = np.stack([rows[:, 0], np.ones(len(rows))], axis=1)
    return np.linalg.lstsq(design, rows[:, 1], rcond=None)[0]


def test_members_of_a_random_task_learn_their_own_data(noisy_line):
    sweep = samples.sweep(noisy_line)
    members = run(sweep, 24, lane_width=LANES).members["noisy"]
    assert equal_bits(run(sweep, [23, 3], lane_width=LANES).members["noisy"], members)
    runner = engine.Runner(grouping.groups(sweep, LANES)[0])
    rows = runner.draw(np.zeros(24, int), np.arange(24))["rows"]
    assert rows.shape == (20, 2, 24)
    lines = np.stack([least_squares(rows[..., i]) for i in range(24)])
    learnt = np.asarray(members.final_weights)
    # Full-batch Adam ends at the minimum; another member's line is some 0.05 away.
    assert np.abs(learnt - lines).max() < 1e-4
    assert np.abs(learnt - np.roll(lines, 1, axis=0)).max(axis=1).min() > 1e-3
    wanted = [
        np.mean((w * rows[:, 0, i] + b - rows[:, 1, i]) ** 2) for i, (w, b) in enumerate(learnt)
    ]
    np.testing.assert_allclose(members.loss, wanted, rtol=1e-4)


def test_a_task_defined_anew_is_compiled_anew(noisy_line):
    sweep = samples.sweep(noisy_line)
    before = run(sweep, 4, lane_width=LANES).members["noisy"]

    def minus(key, rows, numbers):
        x, y = _noisy_line(key, rows, numbers)
        return x, -y

    tasks.define("noisy_line", minus, tasks.whole, random=True)
    after = run(sweep, 4, lane_width=LANES).members["noisy"]
    assert (np.asarray(before.final_weights)[:, 0] > 1).all()
    assert (np.asarray(after.final_weights)[:, 0] < -1).all()


def test_weights_of_large_networks_are_not_kept(monkeypatch):
    setting = samples.setting("k=70", 70, epochs=1)
    assert setting.network.parameters > block.MAX_KEPT_PARAMETERS
    members = run(samples.sweep(setting), 3, lane_width=LANES).members["k=70"]
    assert members.initial_weights is None
    assert members.final_weights is None
    assert members.seen is not None
    assert members.seen.shape == (3, block.SEEN_ROWS, 2)
    rows, some = np.asarray(block.shared_rows(setting.task)), np.linspace(0, 39, 32).round()
    assert np.array_equal(members.seen[..., 0], [rows[some.astype(int), 0]] * 3)
    assert members.seen[..., 1].std(axis=1).min() > 0


def test_lane_widths_are_powers_of_two_and_the_programs_argument_is_one():
    for k in (1, 2, 8, 64, 5000):
        lanes = grouping.lane_width(samples.setting(k=k))
        assert lanes >= 1
        assert lanes & (lanes - 1) == 0
    told = grouping.Schedule.of(samples.setting()).arguments()
    assert told["one"] == 1
    known, padding = np.split(told["checks"], [told["check_count"]])
    assert known.tolist() == [1, 2, 3, 5, 9, 18, 36]
    assert set(padding.tolist()) <= {36}
    assert jnp.asarray(told["checks"]).dtype == jnp.int32
