"""Single units: formulas against counting (exact) and against drawing (statistical).

Statistical tests: 200,000 units or networks, two root seeds. A true formula is refused with
probability below 1e-6 a test (exact binomial); one that is wrong by 0.011 is refused with
probability above 1 - 1e-6. The one that trains has 2,000 networks and refuses a bound that is too
low by 0.11 with that probability. Every one has a negative control on the same counts.
"""

from itertools import combinations, product
from math import atan, pi

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.laws import PointMass
from jaxlab.theory.units import (
    cube_predictions,
    dead_on_ball,
    dead_on_interval,
    fewer_live,
    inactive_on_cube,
    learns_absolute_value,
    predictions,
    second_layer_inactive,
    second_layer_predictions,
)

UNITS = 200_000
FALSE_FAIL = 1e-6
WRONG = 0.011
GAUSSIAN, UNIFORM, HEAVY = stats.norm(0, 1), stats.uniform(-1, 2), stats.cauchy()
ZERO = PointMass(0.0)


def refused(count, p, alternative="two-sided"):
    return stats.binomtest(int(count), UNITS, p, alternative).pvalue < FALSE_FAIL


def check(count, p):
    """Hold a count against a probability, and against one that is wrong."""
    assert not refused(count, p)
    assert refused(count, p + WRONG if p < 0.5 else p - WRONG)


@pytest.mark.parametrize("ratio", [0.1, 0.9, 1.0, 2.5])
def test_closed_forms_on_an_interval(ratio):
    gaussian = dead_on_interval(ratio, stats.norm(0, 2), stats.norm(0, 2))
    assert gaussian == pytest.approx(atan(1 / ratio) / pi)
    assert gaussian == pytest.approx(dead_on_ball(1, ratio, 2, 2))
    uniform = dead_on_interval(2.0, stats.uniform(-ratio, 2 * ratio), stats.uniform(-2, 4))
    assert uniform == pytest.approx(0.5 - ratio / 4 if ratio <= 1 else 1 / (4 * ratio))
    laplace = dead_on_interval(ratio, stats.laplace(0, 1), stats.laplace(0, 1))
    assert laplace == pytest.approx(0.5 / (1 + ratio), abs=1e-7)
    assert dead_on_interval(ratio, UNIFORM, ZERO) == 0 == dead_on_ball(3, ratio, 1, 0)


@pytest.mark.parametrize("seed", [41, 42])
@pytest.mark.parametrize(
    ("d", "radius", "kernel", "bias"), [(1, 1, 1, 1), (2, 1, 1, 2), (5, 0.5, 1, 1)]
)
def test_units_dead_on_a_ball(d, radius, kernel, bias, seed):
    generator = np.random.default_rng(seed)
    w = kernel * generator.standard_normal((UNITS, d))
    b = bias * generator.standard_normal(UNITS)
    count = np.sum(radius * np.linalg.norm(w, axis=1) + b <= 0)
    check(count, dead_on_ball(d, radius, kernel, bias))


def test_the_farthest_point_of_the_ball_decides():
    generator = np.random.default_rng(3)
    x = generator.standard_normal((4000, 3))
    x = x / np.maximum(np.linalg.norm(x, axis=1), 1)[:, None]  # in the ball, many on its surface
    w, b = generator.standard_normal((200, 3)), generator.standard_normal(200)
    largest = (x @ w.T + b).max(axis=0)
    assert np.all(largest <= np.linalg.norm(w, axis=1) + b)
    assert largest == pytest.approx(np.linalg.norm(w, axis=1) + b, abs=0.05)


@pytest.mark.parametrize("seed", [43, 44])
@pytest.mark.parametrize(
    ("kernel", "bias"), [(UNIFORM, UNIFORM), (GAUSSIAN, UNIFORM), (UNIFORM, HEAVY)]
)
def test_units_live_and_dead_on_an_interval(kernel, bias, seed):
    generator, n, radius = np.random.default_rng(seed), 4, 1.5
    w, b = (law.rvs(size=(UNITS, n), random_state=generator) for law in (kernel, bias))
    dead = np.maximum(b - radius * w, b + radius * w) <= 0
    p = dead_on_interval(radius, kernel, bias)
    check(np.sum(dead[:, 0]), p)
    live = np.sum(~dead, axis=1)
    for least in (1, 2, 3, 4):
        assert not refused(np.sum(live < least), fewer_live(n, p, least))
    # The control: one unit fewer.
    assert refused(np.sum(live < 3), fewer_live(n - 1, p, 3))
    assert fewer_live(n, p, 0) == 0
    assert fewer_live(n, p, n + 1) == 1


def test_functions_of_one_kink_miss_the_absolute_value():
    x = np.linspace(-1, 1, 4001)
    errors = []
    for kink in np.linspace(-0.99, 0.99, 199):
        columns = np.stack([np.ones_like(x), np.maximum(x - kink, 0)], axis=1)
        for side in (x, -x):  # a unit may open to either side; |x| is the same on both
            target = np.abs(side)
            weights = np.linalg.lstsq(columns, target, rcond=None)[0]
            errors.append(np.mean((columns @ weights - target) ** 2))
    best = (3 - 2 * 2**0.5) * np.mean(x**2)
    assert min(errors) >= best * (1 - 1e-3)
    assert min(errors) == pytest.approx(best, rel=2e-3)


def learnt(w, b, a, steps, rate):
    """Return which networks learn |x| by full-batch gradient descent; all arrays (networks, n)."""
    x, c = np.linspace(-1, 1, 33), np.zeros((len(w), 1))
    miss = np.ones((len(w), x.size))
    for _ in range(steps):
        before = w[..., None] * x + b[..., None]
        units = np.maximum(before, 0)
        miss = np.einsum("na,nax->nx", a, units) + c - np.abs(x)
        back = miss[:, None] * a[..., None] * (before > 0)
        moves = np.mean(back * x, 2), np.mean(back, 2), np.mean(miss[:, None] * units, 2)
        w, b, a = (old - rate * move for old, move in zip((w, b, a), moves, strict=True))
        c = c - rate * np.mean(miss, 1, keepdims=True)
    return np.mean(miss**2, axis=1) < 0.01 * np.mean(x**2)


@pytest.mark.parametrize("seed", [45, 46])
def test_networks_that_learn_the_absolute_value_have_two_live_units(seed):
    generator = np.random.default_rng(seed)
    w, b, a = generator.uniform(-1, 1, (3, 2000, 2))
    live = np.sum(np.abs(w) + b > 0, axis=1)
    done = learnt(w, b, a, 600, 0.5)
    assert done.sum() > 300
    assert not np.any(done & (live < 2))
    share = stats.binomtest(int(done.sum()), 2000, learns_absolute_value(2, 0.25), "greater")
    assert share.pvalue > FALSE_FAIL
    # The control: of two live units the bound would be refused were it half as large.
    assert stats.binomtest(int(done.sum()), 2000, 0.1, "greater").pvalue < FALSE_FAIL


@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_unit_on_the_corners_of_the_cube(d):
    # Whether all corners agree depends on the signs alone, whatever the magnitudes.
    corners = np.array(list(product((0, 1), repeat=d)))
    signs = np.array(list(product((-1, 1), repeat=d)))
    values = corners @ (signs * np.random.default_rng(4).uniform(0.1, 2, d)).T
    for agree in (values <= 0, values >= 0):
        assert np.mean(agree.all(axis=0)) == inactive_on_cube(d)


def inactive_everywhere(w, b, v, c):
    """Return whether v relu(w x + b) + c <= 0 for all x, from the arrangement of its kinks.

    w is (units, inputs). Every cell of the arrangement is spanned by its corners and by
    directions along its edges, on each of which the function is straight.
    """
    units, inputs = w.shape
    if inputs == 1:
        corners, ways = -b[:, None] / w, np.array([[1.0], [-1.0]])
    else:
        pairs = list(combinations(range(units), 2))
        corners = np.array([np.linalg.solve(w[[i, j]], -b[[i, j]]) for i, j in pairs])
        along = np.stack([-w[:, 1], w[:, 0]], axis=1)
        ways = np.concatenate([along, -along])
    # At a corner and along an edge some units are 0 but for rounding, which changes no sign.
    at_corners = np.maximum(corners @ w.T + b, 0) @ v + c
    slopes = np.maximum(ways @ w.T, 0) @ v
    return np.all(at_corners <= 1e-12) and np.all(slopes <= 1e-12)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (1, 2), (2, 2), (2, 3)])
def test_inactive_units_of_the_second_layer_by_counting_signs(inputs, units):
    # All signs of one draw of magnitudes: the share is the same for every draw.
    count = units * (inputs + 2) + 1
    signs = np.array(list(product((-1.0, 1.0), repeat=count)))
    for draw in range(2 if count > 10 else 8):
        numbers = signs * np.exp(np.random.default_rng(draw).normal(size=count))
        found = 0
        for row in numbers:
            w, b, v = np.split(row[:-1], [units * inputs, units * (inputs + 1)])
            if row[-1] < 0 or np.any(v < 0):  # else it is active
                found += inactive_everywhere(w.reshape(units, inputs), b, v, row[-1])
        assert found / 2**count == second_layer_inactive(inputs, units)
        # The control: with one unit more than inputs, negative weights are not the only way.
        assert (found / 2**count > 2.0 ** -(units + 1)) == (units > inputs)


def test_predictions_of_one_layer():
    said = predictions(3, 1, 2.0, UNIFORM, UNIFORM)
    assert [p.event for p in said] == ["unit_dead", "fewer_than_two_live", "learns_absolute_value"]
    assert [p.kind for p in said] == ["exact", "exact", "upper bound"]
    assert [p.probability for p in said] == [
        0.125,
        pytest.approx(0.04296875),
        pytest.approx(0.95703125),
    ]
    ball = predictions(3, 4, 2.0, stats.norm(0, 0.5), stats.norm(0, 2))
    assert [p.event for p in ball] == ["unit_dead", "fewer_than_two_live"]
    assert ball[0].probability == pytest.approx(dead_on_ball(4, 2.0, 0.5, 2.0))
    for dimensions in (1, 3):
        assert predictions(2, dimensions, 1.0, UNIFORM, ZERO)[0].probability == 0


def test_predictions_of_the_cube_and_of_the_second_layer():
    both = cube_predictions(3, UNIFORM, ZERO)
    assert [(p.event, p.probability) for p in both] == [
        ("unit_inactive", 1 / 8),
        ("unit_linear", 1 / 8),
    ]
    (said,) = second_layer_predictions(2, 3, [UNIFORM, HEAVY], [GAUSSIAN, UNIFORM])
    assert (said.event, said.kind, said.probability) == ("second_layer_inactive", "exact", 5 / 64)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (lambda: predictions(2, 1, 1.0, None, UNIFORM), "weights"),
        (lambda: predictions(2, 1, 1.0, UNIFORM, stats.uniform(0, 1)), "biases"),
        (lambda: predictions(2, 1, 1.0, UNIFORM, PointMass(1.0)), "biases"),
        (lambda: predictions(2, 2, 1.0, UNIFORM, UNIFORM), "not Gaussian"),
        (lambda: cube_predictions(2, UNIFORM, UNIFORM), "bias is not 0"),
        (lambda: cube_predictions(2, None, ZERO), "weights"),
        (lambda: second_layer_predictions(1, 3, [UNIFORM] * 2, [UNIFORM] * 2), "3 units"),
        (lambda: second_layer_predictions(1, 2, [UNIFORM] * 2, [ZERO] * 2), "biases"),
    ],
)
def test_outside_their_assumptions_predictions_are_withheld(said, word):
    for one in said():
        assert one.probability is None
        assert word in one.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dead_on_ball(0, 1.0, 1.0, 1.0), "dimensions is 0; it must be a whole number"),
        (lambda: dead_on_ball(1, 0.0, 1.0, 1.0), "radius is 0.0; it must be a number above 0"),
        (lambda: dead_on_ball(1, 1.0, 1.0, -1.0), "bias is -1.0"),
        (lambda: dead_on_interval(1.0, UNIFORM, stats.expon()), "bias_law is not symmetric"),
        (lambda: fewer_live(2, 1.5, 1), r"dead is 1.5; it must be a probability in \[0, 1\]"),
        (lambda: fewer_live(0, 0.5, 1), "units is 0"),
        (lambda: second_layer_inactive(1, 3), r"units is 3; it must be at most inputs \+ 1, 2"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
