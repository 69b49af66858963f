"""Exact: of machine code that trains, what must not depend on rounding, nor on how it is called.

Rows are taken in the order of their epoch; when and where training stops and goes on, how many
members there are beside one and what becomes of them changes no bit of it.
"""

from functools import cache, partial

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import QUICK, Population, assert_equal_bits, picked, setting

from jaxlab import Optimiser, Setting, Training, training

MEMBERS = 37  # no multiple of the 16 that one vector holds
WIDE = (8, 9, 1)  # more weights than are updated by code that is written out


def made(widths: tuple[int, ...], activation: str, rows: int, batch: int, **numbers) -> Setting:
    train = Training(Optimiser(learning_rate=0.01, **numbers), batch_size=batch)
    return setting(widths, activation, rows, train)


CASES = {
    "shared rows": made((1, 3, 1), "relu", 20, 16),
    "long batches": made((1, 3, 1), "tanh", 40, 23, schedule="warm_up", schedule_steps=9),
    "wide": made(WIDE, "relu", 17, 6),
    "own rows": made((2, 3, 2), "relu", 17, 6, clip_norm=0.5),
}


@cache
def population(name: str) -> Population:
    return Population(CASES[name], MEMBERS, own_rows=name == "own rows")


@settings(max_examples=30)
@given(name=st.sampled_from(list(CASES)), cuts=st.lists(st.integers(0, 25), max_size=6))
def test_stopping_and_going_on_changes_no_bit(name, cuts):
    members, state = population(name), population(name).start
    for end in sorted(cuts):
        state = members.fast(state, end)
        assert state.step == end
    assert_equal_bits(members.fast(state, 26), members.fast(members.start, 26))


@pytest.mark.parametrize("name", ["shared rows", "wide", "own rows"])
def test_other_members_beside_it_change_no_bit_of_one(name):
    everyone = population(name)
    whole = everyone.fast(everyone.start, 9)
    random = np.random.default_rng(0)
    for count in (1, 2, 15, 16, 17, 32, 33):
        chosen = random.permutation(MEMBERS)[:count]
        few = everyone.taken(chosen)
        assert_equal_bits(few.fast(few.start, 9), picked(whole, chosen))


@pytest.mark.parametrize("name", ["shared rows", "own rows"])
def test_members_that_diverge_do_so_here_as_there_and_disturb_no_other(name):
    members = population(name)
    weights = members.weights.copy()
    weights[-1, [3, 4, 17, 36]] = np.inf, np.nan, 1e30, -np.inf
    ill = members.start._replace(weights=weights)
    found, there = members.fast(ill, 9), members.plain(ill, 9)
    finite = np.isfinite(found.weights).all(axis=0)
    assert {3, 4, 36} <= set(np.flatnonzero(~finite)) <= {3, 4, 17, 36}
    assert np.array_equal(np.isfinite(there.weights).all(axis=0), finite)
    healthy = members.fast(members.start, 9)
    others = np.setdiff1d(np.flatnonzero(finite), 17)
    assert_equal_bits(picked(found, others), picked(healthy, others))


@pytest.mark.parametrize("own_rows", [False, True])
@pytest.mark.parametrize(("rows", "batch"), [(16, 1), (24, 19)])
def test_batches_are_those_of_the_epochs_order(rows, batch, own_rows):
    # Each row moves a weight of its own, from 0 by 2 rate / batch, and the rate falls from step to
    # step: the weights tell in which batch their rows were.
    optimiser = Optimiser("sgd", 0.5, schedule="inverse_time", decay=0.5)
    train = Training(optimiser, batch_size=batch)
    given_ = setting((rows, 1), rows=rows, train=train, use_bias=False)
    members = Population(given_, MEMBERS, own_rows=own_rows)
    random = np.random.default_rng(1)
    count = MEMBERS if own_rows else 1
    moved = np.stack([random.permutation(rows) for _ in range(count)])  # the weight of each row
    data = np.concatenate([np.eye(rows)[moved], np.ones((count, rows, 1))], axis=2)
    members.rows = (np.moveaxis(data, 0, -1) if own_rows else data[0]).astype(np.float32)
    members.weights[:] = 0
    per_epoch, step = train.steps_per_epoch(rows), np.arange(rows) // batch
    rate, decay = (members.numbers[name].astype(float) for name in ("learning_rate", "decay"))
    lengths = np.minimum(batch, rows - step * batch)
    moves = 2 * rate / (1 + np.outer(step, decay)) / lengths[:, None]  # at each place of the epoch
    assert len(np.unique(moves[:, 0])) == per_epoch, "two steps look alike"
    for epoch in (0, 1, 6):
        start = members.start._replace(step=np.int32(epoch * per_epoch))
        found = members.fast(start, (epoch + 1) * per_epoch)
        wanted, orders = np.empty((rows, MEMBERS)), members.orders_of(epoch)
        for i in range(MEMBERS):
            wanted[moved[i % count][orders[:, i]], i] = moves[:, i]
        np.testing.assert_allclose(found.weights, wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("widths", "own_rows"), [((1, 2, 1), False), ((1, 2, 1), True), (WIDE, False)]
)
def test_silence_is_found_here_as_there(widths, own_rows):
    members = Population(setting(widths, "relu", 20), MEMBERS, own_rows=own_rows)
    hidden = slice(-2 * widths[1] - 1, -widths[1] - 1)  # their biases
    members.weights[hidden] -= np.where(np.arange(MEMBERS) % 2, 50, 0)
    members.weights[:, 3] = np.nan
    members.weights[:, 4] = 0  # no weight has any influence
    members.weights[: hidden.start, 6], members.weights[hidden, 6] = 1e-39, 0  # counts as 0
    found = np.asarray(
        jax.jit(members.trainer.silent)(members.rows, members.numbers, members.weights)
    )
    rows = members.rows if own_rows else members.rows[..., None]
    there = jax.jit(partial(training.silent, members.model), compiler_options=QUICK)
    assert np.array_equal(found, there(rows, members.numbers, members.weights))
    assert found[[1, 3, 4, 6]].tolist() == [True, False, True, True]
    assert 15 < found.sum() < MEMBERS
