"""Exact and rounding: how long members train, and when they are looked at.

The posted program of the negation thread, ten equal rows in a batch, agrees with one of them to
`ROUNDING` after 1,000 steps.
"""

import dataclasses
import itertools
import math

import numpy as np
import samples
from acceptance import ROUNDING, assert_rounding
from hypothesis import given
from hypothesis import strategies as st
from samples import LANES, equal_bits

from jaxlab import Initialiser, Network, Result, Setting, Training, run, tasks
from jaxlab.result import Members


@given(st.integers(1, 5000), st.integers(0, 64), st.integers(1, 400))
def test_checks_halve_from_the_last_step_down_to_one(epochs, batch_size, rows):
    training = Training(epochs=epochs, batch_size=batch_size)
    checks, total = training.checks(rows), epochs * training.steps_per_epoch(rows)
    assert (checks[0], checks[-1]) == (1, total)
    assert all(a == math.ceil(b / 2) for a, b in itertools.pairwise(checks))


@given(st.integers(1, 5000), st.floats(1e-3, 20))
def test_checks_grow_as_asked_by_single_steps_at_first(total, growth):
    checks = Training(epochs=total, batch_size=0, check_growth=growth).checks(1)
    assert (checks[0], checks[-1]) == (1, total)
    assert -(-total // 2) in checks
    assert all(b <= math.ceil(a * (1 + growth)) for a, b in itertools.pairwise(checks))
    every = min(total, math.floor(1 / growth))  # while a step is more than the growth
    assert set(range(1, every + 1)) <= set(checks)
    few = 2 + math.log(total) / math.log(1 + growth)
    assert len(checks) <= 1 + min(total, few)


def test_training_ends_at_the_last_of_its_steps_or_epochs():
    training = Training(epochs=2, batch_size=32, max_steps=15)
    assert training.checks(400) == (1, 2, 4, 8, 15)
    assert dataclasses.replace(samples.setting(), training=training).steps == 4  # of 40 rows
    assert [dataclasses.replace(training, max_steps=m).steps(400) for m in (0, 26, 27)] == [26] * 3


def test_given_checks_are_sorted_and_cut_off_and_half_and_end_are_added():
    training = Training(epochs=2, batch_size=32, check_steps=(9, 3, 3, 26, 70))
    assert training.steps_per_epoch(400) == 13
    assert training.checks(400) == (3, 9, 13, 26)
    assert Training(epochs=2, check_steps=(5,)).checks(400) == (5, 13, 26)


def trained(count: int = 24, **changes) -> Result:
    """Return the small sweep's first setting, its training changed."""
    base = samples.setting()
    training = dataclasses.replace(base.training, **changes)
    changed = dataclasses.replace(base, training=training)
    return run(samples.sweep(changed), count, lane_width=LANES)


def test_training_ends_after_exactly_its_steps():
    of_epochs = trained(epochs=6).members["k=2"]  # 18 steps
    assert equal_bits(trained(epochs=12, max_steps=18).members["k=2"], of_epochs)
    assert equal_bits(trained(epochs=6, max_steps=1000).members["k=2"], of_epochs)
    weights = [trained(max_steps=n).members["k=2"].final_weights for n in (16, 17, 18, 19)]
    for one, two in itertools.pairwise(weights):
        assert (np.asarray(one) != np.asarray(two)).any(axis=1).mean() > 0.5, "a step is missing"


def test_small_growth_looks_after_every_step_and_growth_of_one_halves():
    every = tuple(range(1, 13))
    looked = trained(100, epochs=4, check_growth=0.05).members["k=2"]
    asked = trained(100, epochs=4, check_steps=every).members["k=2"]
    seldom = trained(100, epochs=4).members["k=2"]
    assert equal_bits(looked, asked)
    halving = tuple(int(np.ceil(12 / 2**i)) for i in range(5))
    assert equal_bits(seldom, trained(100, epochs=4, check_steps=halving).members["k=2"])
    # When a member is looked at does not change what becomes of it.
    assert np.array_equal(np.asarray(looked.final_weights), np.asarray(seldom.final_weights))
    assert np.array_equal(looked.outcome, seldom.outcome)


def negation(rows: int, batch_size: int, epochs: int) -> dict[str, Members]:
    """Return members of the posted program, with its leaky ReLU and with one that does not leak."""
    training = Training(batch_size=batch_size, epochs=epochs)
    posted = Setting(
        "posted",
        tasks.negation(rows),
        Network((1, 1), ("leaky_relu",), slope=0.001),
        (Initialiser("random_normal", 0.05),),
        training,
    )
    plain = dataclasses.replace(posted.network, slope=0.0)
    both = posted, dataclasses.replace(posted, name="plain", network=plain)
    return dict(run(samples.sweep(*both), 60, lane_width=LANES).members)


def test_equal_rows_in_a_batch_train_as_one_of_them():
    # 10 epochs of 100 batches, as in the posted program, and 1,000 epochs of one row.
    posted, one = negation(1000, 10, 10), negation(1, 1, 1000)
    for name, members in posted.items():
        assert np.array_equal(members.outcome, one[name].outcome)
        assert np.array_equal(members.born_dead, one[name].born_dead)
        weights = [np.asarray(m.final_weights) for m in (members, one[name])]
        assert_rounding(*weights)
        assert_rounding(members.loss, one[name].loss)
        assert_rounding(members.entering, one[name].entering)
    assert set(posted["plain"].names) > {"dead"}, "nothing to tell apart"
    members = posted["posted"]
    moved = abs(np.asarray(members.final_weights) - np.asarray(members.initial_weights))
    assert moved.min() > 0.1
    less = negation(1, 1, 990)["posted"]
    off = np.asarray(less.final_weights) - np.asarray(members.final_weights)
    assert abs(off).min() > 10 * ROUNDING
