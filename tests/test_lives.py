"""Exact: when units fall silent and where they bend, on weights made by hand."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import samples
import stories

from jaxlab import Network, scaling
from jaxlab.replaying import lives
from jaxlab.replaying.lives import Life, hidden, kinks


def test_a_unit_is_silent_from_the_moment_after_its_last_activity():
    learning, dying = lives.lives(stories.DYING)
    assert (learning.layer, learning.unit, learning.silent_from) == (1, 1, None)
    assert (dying.layer, dying.unit, dying.silent_from) == (1, 2, 10)
    np.testing.assert_allclose(dying.active, [0.5, 0.375, 0, 0])  # 20, then 15 of 40 rows


def test_a_unit_that_wakes_up_again_is_not_dead_and_one_that_never_wakes_is_so_from_birth():
    kernels = [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    found = lives.lives(stories.told("other", kernels, np.ones((4, 2))))
    assert [life.silent_from for life in found] == [None, 0]


def test_only_relu_can_die_the_output_counts_too_and_what_is_not_finite_says_nothing():
    def of(*activations: str) -> list[Life]:
        setting = dataclasses.replace(samples.setting(), network=Network((1, 2, 1), activations))
        return lives.lives(dataclasses.replace(stories.DYING, setting=setting))

    assert of("leaky_relu", "linear") == []
    output = of("tanh", "relu")
    assert [(one.layer, one.unit, one.silent_from) for one in output] == [(2, 1, None)]
    both = dataclasses.replace(samples.setting(), network=Network((1, 2, 1), ("relu", "relu")))
    assert len(hidden(dataclasses.replace(stories.DYING, setting=both))) == 2
    broken = np.array([1.0, 1.0, np.inf, np.nan])
    assert lives.lives(dataclasses.replace(stories.DYING, loss=broken)) == []


def test_kinks_are_where_the_unit_starts_to_answer():
    places = kinks(stories.DYING)
    assert places is not None
    np.testing.assert_allclose(places[:, 0], 0)
    np.testing.assert_allclose(places[1, 1], -0.25)  # -(-0.1) / -0.4
    assert np.isnan(places[2, 1])  # a kernel of 0 bends nowhere
    x = stories.DYING.inputs[:, 0]
    assert ((x < places[1, 1]) == (-0.4 * x - 0.1 > 0)).all()


def test_kinks_of_scaled_inputs_are_in_original_units():
    x = np.array([[1.0], [9.0], [99.0]], np.float32)
    both = np.concatenate([x, x], axis=1)
    for code, as_seen in ((1.0, lambda v: (v - 1) / 98), (4.0, np.log1p)):
        units = np.asarray(scaling.fit(jnp.asarray(both), jnp.float32(code), jnp.float32(1)))
        seen = as_seen(50.0)  # a kink at 50 in original units
        made = stories.told("other", [[1.0]] * 2, [[1.0]] * 2, [[-seen]] * 2, units=units)
        places = kinks(made)
        assert places is not None
        np.testing.assert_allclose(places, 50, rtol=1e-5)


def test_where_there_are_no_kinks():
    for network in (Network((2, 2, 1), ("relu", "linear")), Network((1, 2, 1), ("tanh", "linear"))):
        setting = dataclasses.replace(samples.setting(), network=network)
        assert kinks(dataclasses.replace(stories.DYING, setting=setting)) is None
    assert kinks(dataclasses.replace(stories.DYING, weights=None)) is None
