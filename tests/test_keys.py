"""Exact: which key a member gets, and which randomness it is for."""

import zlib

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlab import keys

names = st.text(max_size=10)
seeds = st.integers(0, keys.MAX_SEED)


def words(key: jax.Array) -> tuple[int, ...]:
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


@given(names, seeds)
def test_the_setting_is_folded_in_first_and_the_seed_second(name, seed):
    root = jax.random.key(0, impl="threefry2x32")
    wanted = jax.random.fold_in(root, np.uint32(zlib.crc32(name.encode())))
    wanted = jax.random.fold_in(wanted, np.uint32(seed))
    assert words(keys.member_key(keys.setting_key(name), seed)) == words(wanted)


@given(names, seeds)
def test_a_paired_sweep_leaves_the_setting_out(name, seed):
    paired = keys.member_key(keys.setting_key(name, paired=True), seed)
    assert words(paired) == words(jax.random.fold_in(keys.root_key(), np.uint32(seed)))


def test_settings_seeds_and_streams_all_differ():
    members = [
        keys.member_key(keys.setting_key(name), seed)
        for name in ("k=2", "k=3", "k=2 he")
        for seed in (0, 1, 2**31, keys.MAX_SEED)
    ]
    found = {words(member) for member in members}
    found |= {words(keys.stream(m, name)) for m in members for name in keys.STREAMS}
    assert set(keys.STREAMS) == {"weights", "data", "order"}
    assert len(found) == len(members) * (1 + len(keys.STREAMS))


def test_a_key_is_the_same_alone_and_among_others():
    setting, many = keys.setting_key("k=2"), np.array([5, 0, keys.MAX_SEED], np.uint32)
    together = jax.vmap(lambda seed: keys.stream(keys.member_key(setting, seed), "order"))(many)
    alone = [keys.stream(keys.member_key(setting, int(seed)), "order") for seed in many]
    assert [words(key) for key in together] == [words(key) for key in alone]


@pytest.mark.parametrize("implementation", ["rbg", "unsafe_rbg"])
def test_the_generator_does_not_follow_the_users_choice(implementation):
    before = words(keys.setting_key("k=2"))
    with jax.default_prng_impl(implementation):
        assert words(keys.setting_key("k=2")) == before
