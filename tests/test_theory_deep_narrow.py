"""Deep and narrow: formulas against chains of states (exact) and Monte Carlo (statistical).

Statistical tests: 100,000 networks, two root seeds. An exact value that is true, or a bound that
holds, is refused with probability below 1e-6 a test (exact binomial); a value wrong by 0.016, or a
bound on the wrong side by that much, is refused with probability above 1 - 1e-6. Every one has a
negative control on the same counts.
"""

from fractions import Fraction
from itertools import permutations, product
from math import pi

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.born_dead import inputs_on_both_sides, monte_carlo
from jaxlab.theory.deep_narrow import (
    lower_bound,
    predictions,
    sharper_upper_bound,
    three_layers,
    two_units,
    upper_bound,
)
from jaxlab.theory.laws import PointMass

NETWORKS = 100_000
FALSE_FAIL = 1e-6
WRONG = 0.016
GAUSSIAN, UNIFORM, HEAVY = stats.norm(0, 1), stats.uniform(-1, 2), stats.cauchy()


def names(layers):
    return ["relu"] * (layers - 1) + ["linear"]


def widths(width, layers):
    return (1, *[width] * (layers - 1), 1)


def counted(width, layers, law, seed):
    """Return how many networks are born dead."""
    shape, laws = widths(width, layers), [law] * layers
    x = inputs_on_both_sides()
    return round(NETWORKS * monte_carlo(shape, names(layers), laws, x, NETWORKS, seed)[0])


def refused(count, p, alternative="two-sided"):
    return stats.binomtest(count, NETWORKS, p, alternative).pvalue < FALSE_FAIL


def chain(width, layers, quarter):
    """Return P(dead) of the chain none, one ray, two rays, each unit inactive on both by quarter.

    Two rays become one where one dies, or where a single unit is active, and that on both.
    """
    p = Fraction(1, 2**width)
    none, many = quarter**width, width * quarter**width
    step = [[1, 0, 0], [p, 1 - p, 0], [none, 2 * (p - none) + many, 1 - 2 * p + none - many]]
    state = [Fraction(0), 2 * p, 1 - 2 * p]
    for _ in range(layers - 2):
        state = [sum(state[i] * step[i][j] for i in range(3)) for j in range(3)]
    return state[0]


@pytest.mark.parametrize("width", [1, 2, 3, 7])
@pytest.mark.parametrize("layers", [2, 3, 4, 9])
def test_the_lower_bound_is_a_chain_of_three_states(width, layers):
    low = lower_bound(width, layers)
    assert low == chain(width, layers, Fraction(1, 4))
    assert all(chain(width, layers, Fraction(q, 16)) >= low for q in (5, 6, 7, 8))
    assert low <= sharper_upper_bound(width, layers) <= upper_bound(width, layers)
    if layers < 4 or width == 1:
        assert low == sharper_upper_bound(width, layers)
    if layers == 3:
        assert low == three_layers(width)


@pytest.mark.parametrize("width", [2, 3])
def test_three_layers_by_counting_signs_of_weights(width):
    count = width + width**2
    signs = np.array(list(product((-1.0, 1.0), repeat=count)))
    # Of any magnitudes: both signs of all weights into a unit are as likely.
    weights = signs * np.random.default_rng(1).uniform(0.5, 2, count)
    first, second = weights[:, :width], weights[:, width:].reshape(-1, width, width)
    sums = [np.einsum("na,nab->nb", np.maximum(side * first, 0), second) for side in (1, -1)]
    dead = np.all(np.array(sums) <= 0, axis=(0, 2))
    assert Fraction(int(dead.sum()), 2**count) == three_layers(width)


def test_a_unit_is_inactive_on_two_images_more_often_than_once_in_four():
    generator = np.random.default_rng(2)
    signs = np.array(list(product((-1.0, 1.0), repeat=6)))
    shares = []
    for _ in range(300):
        weights = signs * np.exp(generator.normal(size=6))
        images = generator.exponential(size=(6, 2)) * (generator.random((6, 2)) < 0.7)
        if np.all(images.any(axis=0)):
            active = weights @ images > 0
            shares.append(np.mean(~active.any(axis=1)))
            assert shares[-1] == np.mean(active.all(axis=1))
    assert 0.25 <= min(shares) < 0.3
    assert 0.4 < max(shares) <= 0.5


@pytest.mark.parametrize("layers", [2, 3, 4, 5, 10, 40])
def test_two_units_lie_between_the_bounds(layers):
    value = two_units(layers)
    assert float(lower_bound(2, layers)) <= value + 1e-12
    assert value <= float(sharper_upper_bound(2, layers)) + 1e-12


def test_two_units_where_the_answer_is_known():
    assert two_units(2) == pytest.approx(0, abs=1e-12)
    assert two_units(3) == pytest.approx(5 / 32, abs=1e-12)
    # Before the ReLU of the second layer the two directions are independent: a uniform angle d.
    d = (np.arange(200_000) + 0.5) / 200_000 * pi

    def grown(t):  # P(alive one layer on), times the angle: F is its integral
        return 1 - ((pi - t) / (2 * pi)) ** 2

    def area(t):
        return t + ((pi - t) ** 3 - pi**3) / (12 * pi**2)

    near = (pi / 2 - d) * grown(d) + 2 * area(d)
    far = 2 * (area(pi / 2) - area(d - pi / 2)) + 2 * (d - pi / 2) * grown(pi / 2)
    alive = np.mean((np.where(d < pi / 2, near, far) + pi * 0.75) / (2 * pi))
    assert two_units(4) == pytest.approx(1 - (alive + 0.75**2) / 2, abs=1e-9)
    assert two_units(4) == pytest.approx(1045 / 3072, abs=1e-12)


def test_four_layers_of_two_units_by_counting_orders_and_signs():
    signs = np.array(list(product((-1.0, 1.0), repeat=10)))
    dead = 0
    for one, two, three, four in permutations((0.3, 0.8, 1.7, 2.9)):
        # Ratios of the weights that leave a unit of layer 1, or enter one of layer 3.
        sizes = [1, 1.1, 1, 1, one, two, three, 1, four, 1]
        first, second, third = np.split(signs * sizes, [2, 6], axis=1)
        second, third = second.reshape(-1, 2, 2), third.reshape(-1, 2, 2)
        sides = [np.maximum(side * first, 0) for side in (1, -1)]
        hidden = [np.maximum(np.einsum("nab,nb->na", second, side), 0) for side in sides]
        sums = np.array([np.einsum("nab,nb->na", third, side) for side in hidden])
        dead += int(np.all(sums <= 0, axis=(0, 2)).sum())
    assert Fraction(dead, 24 * 2**10) == Fraction(1045, 3072)


@pytest.mark.parametrize("seed", [31, 32])
@pytest.mark.parametrize("layers", [3, 4, 5, 10])
def test_two_units_by_drawing(layers, seed):
    count, value = counted(2, layers, GAUSSIAN, seed), two_units(layers)
    assert not refused(count, value)
    assert refused(count, value - WRONG)
    assert refused(count, value + WRONG)


@pytest.mark.parametrize("seed", [33, 34])
@pytest.mark.parametrize("law", [GAUSSIAN, UNIFORM, HEAVY], ids=["gaussian", "uniform", "cauchy"])
@pytest.mark.parametrize(("width", "layers"), [(1, 4), (2, 6), (3, 3), (3, 5), (5, 4), (4, 7)])
def test_bounds_hold_for_every_symmetric_law(width, layers, law, seed):
    count = counted(width, layers, law, seed)
    low, high = (float(f(width, layers)) for f in (lower_bound, sharper_upper_bound))
    assert not refused(count, low, "less")
    assert not refused(count, high, "greater")
    # The controls: the bounds of networks three layers deeper and two layers less deep.
    assert refused(count, float(lower_bound(width, layers + 3)), "less")
    if layers > 3:
        assert refused(count, float(lower_bound(width, layers - 2)), "greater")


def test_predictions_are_exact_where_they_can_be():
    for shape, laws, value in [
        ((1, 7, 1), [UNIFORM] * 2, 0.0),
        ((1, 3, 3, 1), [UNIFORM] * 3, float(three_layers(3))),
        ((1, 1, 1, 1, 1), [HEAVY] * 4, 0.75),
        ((1, 2, 2, 2, 2), [UNIFORM, GAUSSIAN, stats.norm(0, 3), UNIFORM], two_units(4)),
    ]:
        (said,) = predictions(shape, names(len(laws)), laws)
        assert (said.event, said.kind) == ("born_dead", "exact")
        assert said.probability == pytest.approx(value)


def test_predictions_are_two_bounds_elsewhere():
    for shape, laws in [((1, 2, 2, 2, 1), [GAUSSIAN, UNIFORM] * 2), ((1, 5, 5, 5, 1), [HEAVY] * 4)]:
        low, high = predictions(shape, names(4), laws)
        assert (low.kind, high.kind) == ("lower bound", "upper bound")
        assert low.probability == float(lower_bound(shape[1], 4))
        assert high.probability == float(sharper_upper_bound(shape[1], 4))


@pytest.mark.parametrize(
    ("shape", "activations", "laws", "biases", "word"),
    [
        ((2, 3, 3, 1), names(3), [UNIFORM] * 3, False, "2 inputs"),
        ((1, 3, 4, 1), names(3), [UNIFORM] * 3, False, "unequal widths"),
        ((1, 3, 3, 1), ["relu"] * 3, [UNIFORM] * 3, False, "relu, then linear"),
        ((1, 3, 3, 1), ["relu", "tanh", "linear"], [UNIFORM] * 3, False, "tanh"),
        ((1, 3, 3, 1), names(3), [UNIFORM] * 3, True, "random biases"),
        ((1, 3, 3, 1), names(3), [UNIFORM, None, UNIFORM], False, "layer 1"),
        ((1, 3, 3, 1), names(3), [stats.beta(2, 1), UNIFORM, UNIFORM], False, "RAI"),
        ((1, 3, 3, 1), names(3), [PointMass(0.0), UNIFORM, UNIFORM], False, "layer 0"),
    ],
)
def test_outside_their_assumptions_predictions_are_withheld(shape, activations, laws, biases, word):
    (said,) = predictions(shape, activations, laws, biases=biases)
    assert said.probability is None
    assert word in said.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: upper_bound(0, 3), "width is 0; it must be a whole number of units"),
        (lambda: lower_bound(2, 1), "layers is 1; it must be a whole number, at least 2"),
        (lambda: two_units(0), "layers is 0"),
        (lambda: predictions((1, 1), ("linear",), [UNIFORM]), "at least 3 widths"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
