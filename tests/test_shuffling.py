"""Exact and statistical: every epoch is a permutation, all are equally likely and independent.

False fail: `FALSE_FAIL` per chi-square test. False pass: with N draws over m cells the test
rejects a law of relative squared distance d2 = sum (q - p)^2 / p from uniform once N d2 exceeds
about m - 1 + 5 sqrt(2 (m - 1)) + 14; each negative control is such a law, and is rejected.
"""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import FALSE_FAIL, uniform_p_value

from jaxlab import keys, shuffling

ROWS = 4
BANKS = 60  # of 512 permutations each


def key_data(number: int) -> jax.Array:
    return jax.random.key_data(jax.random.key(number))


@pytest.mark.parametrize("rows", [*range(1, 101), 1000, 4097, 20_000])
def test_an_epoch_is_a_permutation(rows):
    # A bank of two: what follows from the row count does not depend on how many there are.
    orders = np.stack([np.random.default_rng(i).permutation(rows) for i in range(2)])
    doubled = jnp.asarray(np.concatenate([orders, orders], axis=1))
    several = jax.vmap(lambda e: shuffling.epoch_entries(doubled, key_data(rows), e))
    found = np.sort(np.asarray(several(jnp.arange(5))), axis=1)
    assert np.array_equal(found, np.broadcast_to(np.arange(rows), (5, rows)))


@pytest.mark.parametrize("rows", [1, 2, 7, 400])
def test_the_bank_holds_doubled_permutations(rows):
    bank = np.asarray(shuffling.bank(rows))
    assert bank.shape == (512, 2 * rows)
    assert np.array_equal(bank[:, :rows], bank[:, rows:])
    first = np.sort(bank[:, :rows], axis=1)
    assert np.array_equal(first, np.broadcast_to(np.arange(rows), first.shape))


def test_a_large_bank_holds_fewer_permutations(monkeypatch):
    monkeypatch.setattr(shuffling, "MAX_BANK_ENTRIES", 1000)
    assert shuffling.bank(100).shape == (5, 200)
    assert shuffling.bank(700).shape == (1, 1400)


def test_a_bank_of_data_gives_the_rows_in_the_order_of_a_bank_of_numbers():
    bank, data = shuffling.bank(9), jnp.arange(18.0).reshape(9, 2)
    epoch = jnp.int32(5)
    order = shuffling.epoch_entries(bank, key_data(3), epoch)
    rows = shuffling.epoch_entries(data[bank], key_data(3), epoch)
    assert np.array_equal(rows, data[order])


@cache
def banks() -> np.ndarray:
    """Return banks made from other root keys (banks, permutations, 2 rows)."""
    root = keys.root_key
    with pytest.MonkeyPatch.context() as patch:

        def one(i):
            patch.setattr(keys, "root_key", lambda: jax.random.fold_in(root(), i))
            return shuffling.bank(ROWS)

        return np.asarray(jax.jit(jax.vmap(one))(jnp.arange(BANKS)))


def numbered(orders: np.ndarray) -> np.ndarray:
    """Return how often each of the 4! orders occurs."""
    known = {order: i for i, order in enumerate(itertools.permutations(range(ROWS)))}
    return np.bincount([known[tuple(order)] for order in orders.tolist()], minlength=len(known))


def test_all_orders_of_a_bank_are_equally_likely():
    assert uniform_p_value(numbered(banks()[:, :, :ROWS].reshape(-1, ROWS))) > FALSE_FAIL


def test_a_biased_shuffle_is_detected():
    # Swapping every position with any other, the well-known wrong shuffle: 4^4 is no multiple of
    # 4!, d2 = 0.05, and 30,720 draws times that is 1500.
    random = np.random.default_rng(0)
    orders = np.tile(np.arange(ROWS), (BANKS * 512, 1))
    lines = np.arange(len(orders))
    for i in range(ROWS):
        j = random.integers(0, ROWS, len(orders))
        orders[lines, i], orders[lines, j] = orders[lines, j], orders[lines, i].copy()
    assert uniform_p_value(numbered(orders)) < FALSE_FAIL


@cache
def epochs_of_members() -> np.ndarray:
    """Return order (members, epochs, 4), each member's from a bank of its own choice."""
    bank = jnp.asarray(banks().reshape(-1, 2 * ROWS))
    stream = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(11), i))
    streams = jax.random.key_data(stream(jnp.arange(12_000)))
    one = jax.vmap(shuffling.epoch_entries, (None, None, 0))
    return np.asarray(jax.jit(jax.vmap(one, (None, 0, None)))(bank, streams, jnp.arange(4)))


def test_positions_and_neighbours_are_uniform():
    orders = epochs_of_members().reshape(-1, ROWS)
    for position in range(ROWS):
        assert uniform_p_value(np.bincount(orders[:, position], minlength=ROWS)) > FALSE_FAIL
    assert uniform_p_value(numbered(orders)) > FALSE_FAIL


def together(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how often each pair of first two rows, of one order and of the other, occurs."""
    cells = [(a, b) for a in range(ROWS) for b in range(ROWS) if a != b]
    number = np.full((ROWS, ROWS), -1)
    number[tuple(np.array(cells).T)] = np.arange(len(cells))
    first, second = (number[o[:, 0], o[:, 1]] for o in (one, other))
    return np.bincount(first * len(cells) + second, minlength=len(cells) ** 2)


def test_epochs_and_members_are_independent():
    orders = epochs_of_members()
    assert uniform_p_value(together(orders[:, 0], orders[:, 1])) > FALSE_FAIL
    assert uniform_p_value(together(orders[:, 2], orders[:, 3])) > FALSE_FAIL
    assert uniform_p_value(together(orders[:-1, 0], orders[1:, 0])) > FALSE_FAIL


def test_an_epoch_that_only_rotates_the_last_one_is_detected():
    orders = epochs_of_members()[:, 0]
    turns = np.random.default_rng(1).integers(0, ROWS, len(orders))
    turned = np.stack([np.roll(order, turn) for order, turn in zip(orders, turns, strict=True)])
    assert uniform_p_value(together(orders, turned)) < FALSE_FAIL


def test_the_choice_of_an_epoch_is_uniform_over_the_bank():
    # A bank that names its own entries shows which permutation and rotation was chosen.
    size, rows = 8, 6
    bank = jnp.arange(size)[:, None] * rows + jnp.tile(jnp.arange(rows), 2)
    starts = jax.vmap(lambda e: shuffling.epoch_entries(bank, key_data(5), e)[0])
    counts = np.bincount(np.asarray(starts(jnp.arange(20_000))), minlength=size * rows)
    assert uniform_p_value(counts) > FALSE_FAIL
