"""Dead at birth: bounds against sign enumeration (exact) and Monte Carlo (statistical).

Statistical tests: 40,000 networks, two root seeds. A true formula is rejected with probability
below 1e-6 (exact binomial); one that is wrong by 0.03 is rejected with probability above
1 - 1e-6. Every one has a negative control on the same count.
"""

import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.born_dead import (
    enumerated,
    inputs_on_both_sides,
    lower_bound,
    monte_carlo,
    one_direction,
    predictions,
    quadrant_directions,
    upper_bound,
)
from jaxlab.theory.laws import PointMass

NETWORKS = 40_000
FALSE_FAIL = 1e-6
ADDER = (2, 3, 5, 3, 5, 1)
ADDER_LAYERS = ("linear", "relu", "relu", "relu", "relu")


def glorot(widths):
    limits = [(6 / (a + b)) ** 0.5 for a, b in pairwise(widths)]
    return [stats.uniform(-limit, 2 * limit) for limit in limits]


@pytest.mark.parametrize(
    ("widths", "activations"),
    [
        ((1, 4, 2, 1), ("relu", "relu", "relu")),
        ((3, 2, 3, 1), ("relu", "relu", "linear")),
        ((1, 2, 3, 2), ("linear", "relu", "relu")),
        ((2, 1), ("linear",)),
    ],
)
def test_one_direction_by_counting_signs_and_by_drawing(widths, activations):
    alive = one_direction(widths, activations)
    assert alive == float(enumerated(widths, activations))
    x = np.outer([1.0, 0.5, 3.0], np.arange(1, widths[0] + 1))
    for seed in (1, 2):
        rate, error = monte_carlo(widths, activations, glorot(widths), x, NETWORKS, seed)
        count = round(rate * NETWORKS)
        assert error == pytest.approx((rate * (1 - rate) / NETWORKS) ** 0.5)
        assert stats.binomtest(count, NETWORKS, 1 - alive).pvalue > FALSE_FAIL
        wrong = abs(1 - alive - 0.03)
        assert stats.binomtest(count, NETWORKS, wrong).pvalue < FALSE_FAIL


def test_the_smallest_networks_by_counting_weight_signs():
    # relu(a relu(w x)) with scalar weights: dead unless both are positive, on x > 0 or anywhere.
    dead = np.mean([not (w > 0 and a > 0) for w, a in product((-1, 1), repeat=2)])
    assert upper_bound((1, 1, 1), ("relu", "relu")) == dead
    assert lower_bound((1, 1, 1), ("relu", "relu"), quadrant=True) == dead
    # With inputs of both signs only the second weight decides, which the lower bound says.
    assert lower_bound((1, 1, 1), ("relu", "relu")) == 0.5
    both = inputs_on_both_sides()
    rate, _ = monte_carlo((1, 1, 1), ("relu", "relu"), glorot((1, 1, 1)), both, NETWORKS, 3)
    assert rate == pytest.approx(0.5, abs=0.013)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_biases_are_drawn(seed):
    # One unit on x = 1 and x = -1 is dead where b <= -|w|. Of the last network's
    # unit both have one law; its output is linear, whose own weights do not matter.
    laws, both = [stats.norm(0, 2), stats.norm(0, 1)], inputs_on_both_sides()
    once = monte_carlo((1, 1), ("relu",), laws[:1], both, NETWORKS, seed, laws[1:])
    dead = np.arctan(0.5) / np.pi
    count = round(once[0] * NETWORKS)
    assert stats.binomtest(count, NETWORKS, dead).pvalue > FALSE_FAIL
    # The controls: as wide a bias, and none, with which a unit lives on one side or the other.
    assert stats.binomtest(count, NETWORKS, 0.25).pvalue < FALSE_FAIL
    assert monte_carlo((1, 1), ("relu",), laws[:1], both, 1_000, seed)[0] == 0
    linear = monte_carlo((1, 1, 1), ("relu", "linear"), laws, both, NETWORKS, seed, laws)
    assert stats.binomtest(round(linear[0] * NETWORKS), NETWORKS, 0.25).pvalue > FALSE_FAIL


@pytest.mark.parametrize("seed", [1, 2])
def test_laws_without_a_sampler_of_their_own_are_drawn_by_quantiles(seed):
    laws, x = [PointMass(1.0), stats.norm()], [[1.0]]
    rate, _ = monte_carlo((1, 2, 1), ("relu", "relu"), laws, x, NETWORKS, seed)
    count = round(rate * NETWORKS)
    assert stats.binomtest(count, NETWORKS, 0.5).pvalue > FALSE_FAIL
    # The control: if the first layer's weights were random, too.
    assert stats.binomtest(count, NETWORKS, 0.625).pvalue < FALSE_FAIL


def test_a_million_networks_are_drawn_in_bounded_memory():
    shape, names = (1, 2, 2, 1), ("relu", "relu", "linear")
    tracemalloc.start()
    rate, error = monte_carlo(shape, names, [stats.norm()] * 3, inputs_on_both_sides(), 10**6, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20
    assert abs(rate - 5 / 32) < 5 * error < 0.002


@pytest.mark.parametrize("seed", [11, 12])
def test_the_network_that_was_to_add(seed):
    rate, _ = monte_carlo(ADDER, ADDER_LAYERS, glorot(ADDER), quadrant_directions(), NETWORKS, seed)
    count = round(rate * NETWORKS)
    assert stats.binomtest(count, NETWORKS, 0.4473).pvalue > FALSE_FAIL
    assert 2**-5 <= lower_bound(ADDER, ADDER_LAYERS, quadrant=True) < rate
    assert rate < upper_bound(ADDER, ADDER_LAYERS) == pytest.approx(0.58942, abs=5e-6)
    # The negative control: one ray only is not the quadrant.
    assert stats.binomtest(count, NETWORKS, upper_bound(ADDER, ADDER_LAYERS)).pvalue < FALSE_FAIL


def test_more_directions_hardly_matter(monkeypatch):
    monkeypatch.setattr("jaxlab.theory.born_dead._CHUNK", 2**24)  # one chunk: the same networks
    few, many = (
        monte_carlo(ADDER, ADDER_LAYERS, glorot(ADDER), quadrant_directions(n), 10_000, 5)[0]
        for n in (65, 257)
    )
    assert 0 <= few - many <= 0.001  # the many contain the few


@pytest.mark.parametrize(
    ("widths", "activations"),
    [
        ((2, 2, 2, 1), ("relu", "relu", "relu")),
        ((2, 2, 2, 1), ("relu", "linear", "relu")),
        ((1, 2, 2, 1), ("relu", "relu", "linear")),
    ],
)
def test_bounds_hold_on_inputs_of_all_signs(widths, activations):
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1) if widths[0] == 2 else [[1.0], [-1.0]]
    rate, error = monte_carlo(widths, activations, glorot(widths), x, NETWORKS, 7)
    assert lower_bound(widths, activations) - 5 * error <= rate
    assert rate <= upper_bound(widths, activations) + 5 * error


def test_the_chunk_does_not_matter(monkeypatch):
    whole = monte_carlo((1, 2, 1), ("relu", "relu"), glorot((1, 2, 1)), [[1.0]], 4_000, 9)
    monkeypatch.setattr("jaxlab.theory.born_dead._CHUNK", 2_000)
    parts = monte_carlo((1, 2, 1), ("relu", "relu"), glorot((1, 2, 1)), [[1.0]], 4_000, 9)
    assert parts[0] == pytest.approx(whole[0], abs=10 * whole[1])


def test_predictions_for_the_plane_are_two_bounds_and_a_value():
    low, high, value = predictions(ADDER, ADDER_LAYERS, glorot(ADDER))
    assert (low.kind, high.kind, value.kind) == ("lower bound", "upper bound", "empirical")
    assert value.probability == pytest.approx(0.4473, abs=0.008)
    assert value.tolerance == 0.01
    assert {p.event for p in (low, high, value)} == {"born_dead"}
    assert len(predictions(ADDER, ADDER_LAYERS, glorot(ADDER), quadrant=False)) == 2
    wide = (2, 30, 30, 1)
    assert len(predictions(wide, ["relu"] * 3, glorot(wide))) == 2


def test_predictions_on_a_ray_are_exact():
    (said,) = predictions((1, 128, 1), ("relu", "relu"), glorot((1, 128, 1)))
    assert (said.kind, said.probability) == ("exact", 0.5 + 2.0**-129)


@pytest.mark.parametrize(
    ("activations", "laws", "word"),
    [
        (("tanh", "relu"), glorot((1, 2, 1)), "tanh"),
        (("relu", "relu"), [None, stats.norm()], "layer 0"),
        (("relu", "relu"), [stats.norm(), PointMass(0.0)], "layer 1"),
        (("relu", "relu"), [stats.norm(), stats.norm(1)], "layer 1"),
    ],
)
def test_outside_their_assumptions_predictions_are_withheld(activations, laws, word):
    (said,) = predictions((1, 2, 1), activations, laws)
    assert said.probability is None
    assert word in said.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one_direction((1, 2), ("relu", "relu")), "one more width"),
        (lambda: one_direction((1, 0, 1), ("relu", "relu")), "at least 1"),
        (lambda: one_direction((1, 1), ("tanh",)), "'tanh'"),
        (lambda: monte_carlo((1, 1), ("relu",), [], [[1.0]], 1, 0), "there are 0 laws"),
        (lambda: monte_carlo((2, 1), ("relu",), [stats.norm()], [[1.0]], 1, 0), r"\(rows, 2\)"),
        (lambda: monte_carlo((1, 1), ("relu",), [stats.norm()], [[1.0]], 0, 0), "n is 0"),
        (
            lambda: monte_carlo((1, 1), ("relu",), [stats.norm()], [[1.0]], 1, 0, []),
            "there are 0 bias_laws",
        ),
        (lambda: enumerated((1, 12, 7), ("relu", "relu")), "widths have 19 units"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
