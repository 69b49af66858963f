"""Laws of one weight: closed forms against quadrature (exact) and against sampling (statistical).

Statistical tests: n = 1,000,000 pairs, two root seeds. A true formula is rejected with
probability below 1e-6 per test (exact binomial); a formula wrong by 0.0050 or more is rejected
with probability above 1 - 1e-6. Every one has a negative control on the same data.
"""

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.laws import (
    PointMass,
    integrate_smaller,
    is_symmetric,
    probability_smaller,
    probability_within,
)

PAIRS = 1_000_000
FALSE_FAIL = 1e-6


def truncated(scale):
    return stats.truncnorm(-2, 2, scale=scale)


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


LAWS = {
    "uniform": uniform(1.3),
    "gaussian": stats.norm(0, 0.8),
    "truncated": truncated(0.9),
    "wide truncated": truncated(2.0),
    "shifted": stats.uniform(-0.5, 2),
}


@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.999, 1.0, 1.7, 40.0])
@pytest.mark.parametrize("family", [uniform, lambda s: stats.norm(0, s), truncated])
def test_quadrature_agrees_with_closed_forms(family, ratio):
    a_law, w_law = family(ratio), family(1.0)
    quadrature = integrate_smaller(a_law, w_law)
    assert probability_smaller(a_law, w_law) == pytest.approx(quadrature, abs=1e-8)


def test_closed_forms_are_the_textbook_ones():
    assert probability_smaller(uniform(2), uniform(1)) == 0.25
    assert probability_smaller(stats.norm(0, 1), stats.norm(0, 3**0.5)) == pytest.approx(2 / 3)
    assert probability_smaller(truncated(0.7), truncated(0.7)) == 0.5
    assert probability_smaller(stats.laplace(0, 2), stats.laplace(0, 2)) == 0.5


@pytest.mark.parametrize("a_name", LAWS)
@pytest.mark.parametrize("w_name", LAWS)
def test_one_of_the_two_is_smaller(a_name, w_name):
    a_law, w_law = LAWS[a_name], LAWS[w_name]
    total = probability_smaller(a_law, w_law) + probability_smaller(w_law, a_law)
    assert total == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize(
    ("a_name", "w_name"),
    [
        ("uniform", "gaussian"),
        ("truncated", "uniform"),
        ("truncated", "wide truncated"),
        ("gaussian", "truncated"),
        ("shifted", "uniform"),
    ],
)
def test_sampling_agrees_and_refuses_the_gaussian_formula(a_name, w_name, seed):
    a_law, w_law = LAWS[a_name], LAWS[w_name]
    generator = np.random.default_rng(seed)
    a, w = (law.ppf(generator.random(PAIRS)) for law in (a_law, w_law))
    count = int(np.sum(np.abs(a) < np.abs(w)))
    p = probability_smaller(a_law, w_law)
    assert stats.binomtest(count, PAIRS, p).pvalue > FALSE_FAIL
    # The wrong formula: as if both were centred Gaussians of these standard deviations.
    wrong = 2 / np.pi * np.arctan(w_law.std() / a_law.std())
    assert abs(wrong - p) > 0.005, "the control has no power here"
    assert stats.binomtest(count, PAIRS, wrong).pvalue < FALSE_FAIL


def test_point_masses_compare_strictly():
    assert probability_smaller(uniform(2), PointMass(-1)) == 0.5
    assert probability_smaller(PointMass(-1), uniform(2)) == 0.5
    assert probability_smaller(PointMass(1), PointMass(-1)) == 0
    assert probability_smaller(PointMass(0.9), PointMass(-1)) == 1


def test_probability_within_is_zero_up_to_zero():
    for law in (uniform(1), PointMass(0.0)):
        assert probability_within(law, [-1.0, 0.0]).tolist() == [0, 0]
    assert probability_within(PointMass(-1.0), [1.0, 1.1]).tolist() == [0, 1]
    assert probability_within(stats.norm(), 1.959963985) == pytest.approx(0.95)


def test_symmetry_is_told():
    symmetric = [uniform(3), stats.norm(0, 2), truncated(1), stats.cauchy(), PointMass(0.0)]
    assert all(is_symmetric(law) for law in symmetric)
    skewed = [stats.uniform(-1, 2.001), stats.norm(1e-6, 1), stats.truncnorm(-2, 1), stats.expon()]
    assert not any(is_symmetric(law) for law in [*skewed, PointMass(1.0)])


def test_a_point_mass_is_a_finite_number():
    with pytest.raises(ValueError, match="value is nan; it must be a finite number"):
        PointMass(float("nan"))
    assert PointMass(2.0).cdf([1.0, 2.0]).tolist() == [0, 1]
    assert PointMass(2.0).support() == (2.0, 2.0)
