"""Seeds needed: exact, against brute force over every n. Nothing here is random."""

import math

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from jaxlab.compare import binomial_test
from jaxlab.power import (
    binomial_power,
    comparable,
    detectable,
    seeds_for_interval,
    seeds_to_compare,
    seeds_to_distinguish,
    seeds_without_failure,
    two_sample_power,
)
from jaxlab.tally import clopper_pearson, clopper_pearson_limits


def brute_power(n, p0, p1, alpha):
    """Add up the chances under p1 of all counts as improbable under p0 as alpha asks for."""
    counts = np.arange(n + 1)
    mass = binom.pmf(counts, n, p0)
    p_values = np.where(mass <= mass[:, None] * (1 + 1e-7), mass, 0).sum(1)
    return binom.pmf(counts, n, p1)[p_values < alpha].sum()


def last_failure(holds, most):
    return max((n for n in range(1, most) if not holds(n)), default=0)


@pytest.mark.parametrize("p0", [0.0, 0.03, 0.3, 0.5, 0.71875, 1.0])
@pytest.mark.parametrize("alpha", [0.2, 0.0625, 0.001])
def test_power_is_the_chance_of_the_counts_the_test_rejects(p0, alpha):
    # At p0 = 0.5 and n = 5 the smallest p-value is 0.0625 itself, which is not below alpha.
    ns = np.array([1, 2, 3, 5, 10, 29, 60])
    for p1 in (0.0, 0.02, 0.5, 0.9):
        brute = [
            sum(binom.pmf(k, n, p1) for k in range(n + 1) if binomial_test(k, n, p0) < alpha)
            for n in ns
        ]
        assert binomial_power(ns, p0, p1, alpha) == pytest.approx(brute, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize(
    ("p0", "p1", "alpha", "power"),
    [
        (0.5, 0.7, 0.05, 0.8),
        (0.3, 0.1, 0.01, 0.9),
        (0.03, 0.2, 0.05, 0.9),
        (0.9, 0.99, 0.1, 0.6),
        (0.0, 0.05, 0.05, 0.95),
        (1.0, 0.8, 0.001, 0.5),
    ],
)
def test_seeds_to_distinguish_is_the_end_of_the_saw(p0, p1, alpha, power):
    n = seeds_to_distinguish(p0, p1, alpha, power)
    assert n < 130
    assert n == 1 + last_failure(lambda m: brute_power(m, p0, p1, alpha) >= power, 2 * n + 50)


def test_a_first_success_is_not_yet_the_answer():
    # The saw reaches the power early and falls back below it.
    n = seeds_to_distinguish(0.5, 0.6, 0.05, 0.8)
    power = binomial_power(np.arange(150, 2000), 0.5, 0.6, 0.05)
    first = 150 + int(np.argmax(power >= 0.8))
    assert first < n == 151 + int(np.flatnonzero(power < 0.8)[-1])
    assert brute_power(n, 0.5, 0.6, 0.05) >= 0.8 > brute_power(n - 1, 0.5, 0.6, 0.05)


def test_seeds_to_distinguish_at_the_sizes_of_a_sweep():
    n = seeds_to_distinguish(0.5, 0.49, 1e-3, 0.99)
    power = binomial_power(np.arange(n - 1, n + 3000), 0.5, 0.49, 1e-3)
    assert power[0] < 0.99
    assert power[1:].min() >= 0.99


@pytest.mark.parametrize(("p0", "p1"), [(0.25, 0.26), (0.01, 0.015)])
def test_the_end_of_the_saw_does_not_depend_on_where_it_was_sought(p0, p1, monkeypatch):
    # With one count to spare the search could begin before the last tooth.
    found = seeds_to_distinguish(p0, p1, 0.05, 0.8)
    power = binomial_power(np.arange(found - 1, found + 2000), p0, p1, 0.05)
    assert power[0] < 0.8 <= power[1:].min()
    for block in (16, 1024):
        monkeypatch.setattr("jaxlab.power._BLOCK", block)
        assert seeds_to_distinguish(p0, p1, 0.05, 0.8) == found


@pytest.mark.parametrize("rate", [0.3, 0.05, 0.01, 1e-4])
@pytest.mark.parametrize("level", [0.95, 0.5, 0.999])
def test_seeds_without_failure_bound_the_rate(rate, level):
    n = seeds_without_failure(rate, level)
    upper = -np.expm1(np.log1p(-level) / np.array([n, max(1, n - 1)]))
    assert upper[0] <= rate * (1 + 1e-12)
    assert upper[1] > rate or n == 1


def test_whole_numbers_of_seeds_are_met_and_not_passed():
    assert seeds_without_failure(0.5, 0.875) == 3
    assert seeds_without_failure(0.95) == 1


def brute_two_samples(n, p1, p2, alpha):
    """Add up the chances of all pairs of counts that Fisher's test, doubled, finds different."""
    chance = 0.0
    for i in range(n + 1):
        for j in range(n + 1):
            tails = [hypergeom.cdf(k, 2 * n, i + j, n) for k in (i, j)]
            if 2 * min(tails) < alpha:
                chance += binom.pmf(i, n, p1) * binom.pmf(j, n, p2)
    return chance


@pytest.mark.parametrize("n", [1, 4, 11])
@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
def test_two_sample_power_is_the_chance_of_the_pairs_the_test_rejects(n, alpha):
    for p1, p2 in ((0.1, 0.8), (0.0, 1.0), (0.5, 0.5)):
        brute = brute_two_samples(n, p1, p2, alpha)
        assert two_sample_power(n, p1, p2, alpha) == pytest.approx(brute, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(
    ("p1", "p2", "alpha", "power"),
    [(0.1, 0.6, 0.05, 0.8), (0.0, 0.2, 0.01, 0.9), (1, 0, 0.01, 0.9), (0.3, 0.5, 0.05, 0.8)],
)
def test_seeds_to_compare_is_the_end_of_the_saw(p1, p2, alpha, power):
    n = seeds_to_compare(p1, p2, alpha, power)
    assert n < 150
    holds = [two_sample_power(m, p1, p2, alpha) >= power for m in range(1, 2 * n + 20)]
    assert n == 1 + last_failure(lambda m: holds[m - 1], 2 * n + 20)


@pytest.mark.parametrize(
    ("p1", "p2", "alpha", "power"),
    [(0.25, 0.35, 0.05, 0.8), (0.5, 0.6, 0.001, 0.9), (0.01, 0.05, 0.05, 0.8)],
)
def test_the_formula_for_many_seeds_meets_the_power(p1, p2, alpha, power):
    n = seeds_to_compare(p1, p2, alpha, power)
    assert 200 < n < 1100
    assert power - 0.001 < two_sample_power(n, p1, p2, alpha) < power + 0.05


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (300, 0.05), (10_000, 0.7)])
def test_what_is_detectable_is_told_and_what_is_nearer_is_not(n, p):
    for rate in detectable(n, p, 0.05, 0.8):
        if not math.isnan(rate):
            nearer = rate + 1e-5 * np.sign(p - rate)
            assert binomial_power(np.array([n]), p, rate, 0.05)[0] >= 0.8
            assert binomial_power(np.array([n]), p, nearer, 0.05)[0] < 0.8


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (150, 0.05), (1291, 0.25)])
def test_what_is_comparable_is_told_and_what_is_nearer_is_not(n, p):
    found = [rate for rate in comparable(n, p, 0.05, 0.8) if not math.isnan(rate)]
    assert found
    for rate in found:
        nearer = rate + 1e-4 * np.sign(p - rate)
        if n <= 200:
            assert two_sample_power(n, p, rate, 0.05) >= 0.8 > two_sample_power(n, p, nearer, 0.05)
        else:
            assert (
                seeds_to_compare(p, rate, 0.05, 0.8) <= n < seeds_to_compare(p, nearer, 0.05, 0.8)
            )


def test_a_side_without_rates_that_show_is_nan():
    below, above = detectable(20, 0.01, 0.05, 0.8)
    assert math.isnan(below)
    assert above > 0.1
    assert all(map(math.isnan, comparable(2, 0.5, 0.05, 0.8)))


@pytest.mark.parametrize("rate", [0.0, 0.004, 0.1, 0.3, 1 / 3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("half_width", [0.05, 0.11, 0.19])
def test_seeds_for_interval_is_the_end_of_the_saw(rate, half_width):
    def narrow(n):
        # Both neighbours of a tie; rounding of n * rate must not decide.
        near = {math.floor(n * rate + 0.5 - 1e-9), math.floor(n * rate + 0.5 + 1e-9)}
        return max(clopper_pearson(k, n).half_width for k in near) <= half_width

    n = seeds_for_interval(rate, half_width)
    assert n == 1 + last_failure(narrow, 2 * n + 300)


def test_the_worst_rate_covers_every_count():
    n = np.arange(1, 12_000)
    low, high = clopper_pearson_limits(n // 2, n)
    for half_width in np.linspace(0.01, 0.2, 60):
        last = int(n[high - low > 2 * half_width][-1])
        assert seeds_for_interval(0.5, float(half_width)) == last + 1


def test_seeds_for_one_point_at_the_worst_rate():
    n = seeds_for_interval(0.5, 0.01)
    assert clopper_pearson(math.ceil(n / 2), n).half_width <= 0.01
    assert clopper_pearson(n // 2, n - 1).half_width > 0.01
    assert seeds_for_interval(0.5, 0.01, level=0.99) > n > seeds_for_interval(0.4, 0.01)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: seeds_for_interval(1.2, 0.01), "rate=1.2"),
        (lambda: seeds_for_interval(0.5, 0.5), "half_width=0.5"),
        (lambda: seeds_for_interval(0.5, 0.0), "half_width=0.0"),
        (lambda: seeds_for_interval(0.5, 0.1, level=1), "level=1"),
        (lambda: seeds_for_interval(0.5, 1e-9), "half_width=1e-09 needs more"),
        (lambda: seeds_to_distinguish(0.5, 0.5, 0.05, 0.8), "must differ"),
        (lambda: seeds_to_distinguish(-0.5, 0.5, 0.05, 0.8), "p0=-0.5"),
        (lambda: seeds_to_distinguish(0.5, math.nan, 0.05, 0.8), "p1=nan"),
        (lambda: seeds_to_distinguish(0.5, 0.6, 0, 0.8), "alpha=0"),
        (lambda: seeds_without_failure(0.0), "rate=0"),
        (lambda: seeds_without_failure(0.1, 1.0), "level=1"),
        (lambda: two_sample_power(9, 0.5, 1.5, 0.05), "p2=1.5"),
        (lambda: seeds_to_compare(0.5, 0.5, 0.05, 0.8), "must differ"),
        (lambda: seeds_to_compare(0.5, 0.5 + 1e-9, 0.05, 0.8), "needs more"),
        (lambda: detectable(0, 0.5, 0.05, 0.8), "n=0"),
        (lambda: comparable(2**41, 0.5, 0.05, 0.8), "at most 2"),
        (lambda: seeds_to_distinguish(0.5, 0.6, 0.05, 1), "power=1"),
        (lambda: seeds_to_distinguish(0.5, 0.5 + 1e-9, 0.05, 0.8), "p1=0.500000001 needs more"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
