"""|x| formulas: enumeration (exact) and the fates of random networks (statistical).

Statistical tests: n = 400,000 networks, two root seeds. A true formula is rejected with
probability below 1e-6 per test (exact binomial); one wrong by 0.0078 or more is rejected with
probability above 1 - 1e-6. Each has a negative control on the same data.
"""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from jaxlab.theory import absolute_value as theory
from jaxlab.theory.laws import PointMass

MEMBERS = 400_000
FALSE_FAIL = 1e-6


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def enumerate_units(k, r):
    """Return P(some side not fitted, one fitted, none) by going through all 3^k unit states."""
    chance = {"right": r / 2, "left": r / 2, "dead": 1 - r}
    by_sides = [Fraction(0)] * 3
    for states in product(chance, repeat=k):
        by_sides[len(set(states) - {"dead"})] += prod(chance[state] for state in states)
    return by_sides[0] + by_sides[1], by_sides[1], by_sides[0]


@pytest.mark.parametrize("k", range(1, 11))
def test_one_sided_at_init_by_enumeration_of_signs(k):
    one_sided = sum(len(set(signs)) == 1 for signs in product((-1, 1), repeat=k))
    assert theory.one_sided_at_init(k) == Fraction(one_sided, 2**k)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("r", [Fraction(3, 4), Fraction(1, 2), Fraction(9, 10), Fraction(1)])
def test_events_after_training_by_enumeration_of_units(k, r):
    fails, one, none = enumerate_units(k, r)
    assert theory.training_fails(k, float(r)) == pytest.approx(float(fails), rel=1e-13)
    assert theory.one_side_fitted(k, float(r)) == pytest.approx(float(one), rel=1e-13)
    assert theory.no_side_fitted(k, float(r)) == pytest.approx(float(none), rel=1e-13, abs=1e-15)


def test_one_unit_never_suffices():
    assert theory.training_fails(1, 0.75) == 1
    assert theory.training_fails(1, 1.0) == 1


@pytest.mark.parametrize("k", [2, 3, 8])
def test_training_fails_more_often_than_signs_say_and_as_often_when_all_units_live(k):
    assert theory.training_fails(k, 1.0) == theory.one_sided_at_init(k)
    assert theory.training_fails(k, 0.75) > theory.one_sided_at_init(k)


def test_sides_of_a_pattern_by_enumeration_of_lives():
    w, alive = [0.5, -1.0, 2.0, 0.0, -0.1], [0.6, 0.7, 0.9, 0.0, 0.25]
    right = left = 0.0
    for lives in product((0, 1), repeat=len(w)):
        chance = prod(p if life else 1 - p for p, life in zip(alive, lives, strict=True))
        right += chance * any(life and x > 0 for x, life in zip(w, lives, strict=True))
        left += chance * any(life and x < 0 for x, life in zip(w, lives, strict=True))
    assert theory.sides_fitted(w, alive) == pytest.approx((right, left))
    assert theory.sides_fitted([1.0, 2.0], [1.0, 1.0]) == (1.0, 0.0)


def test_unit_survival_averages_to_survival_probability():
    for w_law, a_law in [(uniform(1.5), uniform(1.0)), (stats.norm(0, 1), uniform(0.7))]:
        mean, _ = quad(lambda u, w=w_law, a=a_law: float(theory.unit_survival(w.ppf(u), a)), 0, 1)
        assert theory.survival_probability(w_law, a_law) == pytest.approx(mean, abs=1e-7)


def test_survival_of_the_usual_laws():
    for k in (2, 3, 4):
        assert theory.survival_probability(uniform(k**0.5), uniform(1)) == 1 - 1 / (4 * k**0.5)
        gaussian = theory.survival_probability(stats.norm(0, k**0.5), stats.norm(0, 1))
        assert gaussian == pytest.approx(0.5 + np.arctan(k**0.5) / np.pi)
    assert theory.unit_survival(1, uniform(2**0.5)) == pytest.approx(0.5 + 1 / 8**0.5)
    assert theory.survival_probability(PointMass(1.0), uniform(2**0.5)) == pytest.approx(
        0.5 + 1 / 8**0.5
    )


CASES = [
    # (w, a) of each unit, fate
    ([(1, 0.2), (-1, 0.2)], "solved"),
    ([(1, -0.9), (-0.1, 3)], "solved"),
    ([(1, -1.1), (-1, 2)], "left_only"),
    ([(1, -1.1), (-1, -0.9)], "left_only"),
    ([(1, 1), (2, 1)], "right_only"),
    ([(1, -2), (-1, -2)], "dead"),
    ([(1, -1), (0, 5)], "dead"),
    ([(1, 0), (-1, -3), (-2, -1)], "solved"),
    ([(-1, 1)], "left_only"),
]


@pytest.mark.parametrize(("units", "expected"), CASES)
def test_fate_of_given_networks(units, expected):
    w, a = np.array(units, dtype=float).T
    assert theory.fate(w, a) == expected
    columns = theory.fate(np.stack([w, w, -w], -1), np.stack([a, a, a], -1))
    mirror = {"left_only": "right_only", "right_only": "left_only"}.get(expected, expected)
    assert columns.tolist() == [expected, expected, mirror]


@pytest.mark.parametrize("seed", [21, 22])
@pytest.mark.parametrize(("k", "w_limit", "a_limit"), [(2, 1.0, 1.0), (3, 3.0, 1.2), (4, 1.0, 2.0)])
def test_fates_come_as_often_as_the_formulas_say(k, w_limit, a_limit, seed):
    generator = np.random.default_rng(seed)
    w = generator.uniform(-w_limit, w_limit, (k, MEMBERS))
    a = generator.uniform(-a_limit, a_limit, (k, MEMBERS))
    fates = theory.fate(w, a)
    r = theory.survival_probability(uniform(w_limit), uniform(a_limit))
    right, left, none = (int(np.sum(fates == x)) for x in ("right_only", "left_only", "dead"))
    for count, p in [
        (right + left + none, theory.training_fails(k, r)),
        (right + left, theory.one_side_fitted(k, r)),
        (right, theory.one_side_fitted(k, r) / 2),
        (none, theory.no_side_fitted(k, r)),
    ]:
        assert stats.binomtest(count, MEMBERS, p).pvalue > FALSE_FAIL
    for wrong in (theory.one_sided_at_init(k), theory.training_fails(k, r + 0.02)):
        assert abs(wrong - theory.training_fails(k, r)) > 0.0078, "the control has no power here"
        assert stats.binomtest(right + left + none, MEMBERS, wrong).pvalue < FALSE_FAIL


@pytest.mark.parametrize("seed", [31, 32])
def test_fates_of_a_sign_pattern_come_as_often_as_the_product_says(seed):
    a_law, w = uniform(2**0.5), [-1.0, 1.0]
    a = a_law.rvs((2, MEMBERS), random_state=seed)
    solved = int(np.sum(theory.fate(np.repeat(np.c_[w], MEMBERS, axis=1), a) == "solved"))
    right, left = theory.sides_fitted(w, theory.unit_survival(w, a_law))
    assert right * left == pytest.approx((0.5 + 1 / 8**0.5) ** 2)
    assert stats.binomtest(solved, MEMBERS, right * left).pvalue > FALSE_FAIL
    assert stats.binomtest(solved, MEMBERS, 0.75**2).pvalue < FALSE_FAIL


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.one_sided_at_init(0), "k is 0; it must be a whole number"),
        (lambda: theory.training_fails(-3, 0.5), "k is -3"),
        (lambda: theory.training_fails(2, 1.5), r"r is 1.5; it must be a probability in \[0, 1\]"),
        (lambda: theory.no_side_fitted(2, float("nan")), "r is nan"),
        (lambda: theory.sides_fitted([], []), "k is 0"),
        (lambda: theory.sides_fitted([1.0], [0.5, 0.5]), "survival has shape"),
        (lambda: theory.fate([[1.0]], [[1.0, 2.0]]), "w and a have shapes"),
        (lambda: theory.fate(1.0, 1.0), "w and a have shapes"),
        (
            lambda: theory.survival_probability(uniform(1), stats.uniform(0, 1)),
            "a_law is not symmetric",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
