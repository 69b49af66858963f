"""Activation lengths: moments against quadrature (exact) and drawing (statistical).

Statistical tests: 200,000 networks, two root seeds. Means are held against the formulas in standard
errors estimated from the draws; a true formula is more than `FAR` = 5.2 of them away with
probability below 1e-6 (normal approximation, rougher for the squares, hence 5.2 and not 4.9). A
mean that is wrong by 4.5 % or a mean of squares wrong by 20 % is refused with probability above
1 - 1e-6: the standard errors are at most 0.4 % and 1.6 %. Each has a control on the same draws.
"""

from itertools import pairwise

import numpy as np
import pytest

from jaxlab.theory.lengths import mean_ratio, mean_squared_ratio

NETWORKS = 200_000
FAR = 5.2


def ratios(widths, gain, seed):
    """Return the ratio of the last length to the input's for many networks."""
    generator = np.random.default_rng(seed)
    parts = []
    for _ in range(NETWORKS // 20_000):
        values = np.broadcast_to(np.linspace(-1, 2, widths[0]), (20_000, 1, widths[0]))
        start = np.mean(values[0] ** 2)
        for a, b in pairwise(widths):
            kernel = (gain / a) ** 0.5 * generator.standard_normal((20_000, a, b))
            values = np.maximum(values @ kernel, 0)
        parts.append(np.mean(values**2, axis=(1, 2)) / start)
    return np.concatenate(parts)


def away(sample, expected):
    """Return how many standard errors the sample's mean is away."""
    return abs(np.mean(sample) - expected) / (np.std(sample) / np.sqrt(sample.size))


@pytest.mark.parametrize("seed", [21, 22])
@pytest.mark.parametrize(
    ("widths", "gain"), [((1, 4), 2.0), ((3, 6, 6), 2.0), ((2, 8, 4), 1.0), ((1, 8, 8, 8), 2.0)]
)
def test_both_moments_by_drawing(widths, gain, seed):
    sample = ratios(widths, gain, seed)
    mean, squared = mean_ratio(widths, gain), mean_squared_ratio(widths, gain)
    assert away(sample, mean) < FAR
    assert away(sample**2, squared) < FAR
    # The controls: a mean off by 4.5 %, and the variance of a unit without its ReLU, 2 for 5.
    assert away(sample, 1.045 * mean) > FAR
    wrong = squared * np.prod([(1 + 2 / n) / (1 + 5 / n) for n in widths[1:]])
    assert abs(wrong / squared - 1) > 0.2
    assert away(sample**2, wrong) > FAR


def test_moments_of_one_unit_by_quadrature():
    node, weight = np.polynomial.hermite_e.hermegauss(40)  # of exp(-z^2/2): even powers are exact
    weight = weight / np.sum(weight)
    # Half of the mass is positive, so a mean over relu(z)^p is half of that over z^p, p even.
    second, fourth = (2 ** (p / 2) * np.sum(weight * node**p) / 2 for p in (2, 4))
    assert mean_ratio((1, 1)) == pytest.approx(second)
    assert mean_squared_ratio((1, 1)) == pytest.approx(fourth)


def test_layers_multiply_and_width_calms():
    assert mean_squared_ratio((1, 3, 7)) == pytest.approx((1 + 5 / 3) * (1 + 5 / 7))
    assert mean_squared_ratio((9, 3, 7), 1.0) == pytest.approx(mean_squared_ratio((1, 3, 7)) / 16)
    assert mean_squared_ratio((1, 10**6)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_ratio((1,)), r"widths are \(1,\); there must be at least two"),
        (lambda: mean_squared_ratio((1, 0)), "at least 1"),
        (lambda: mean_ratio((1, 2), 0.0), "gain is 0.0; it must be a number above 0"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
