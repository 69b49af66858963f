"""Settings against each other: exact, by enumeration and against statsmodels; invariances.

Nothing here is random.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency
from statsmodels.stats.contingency_tables import Table, cochrans_q
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from jaxlab.contrast import (
    boschloo,
    cochran_armitage,
    cochran_q,
    mcnemar,
    newcombe,
    paired_difference,
)
from jaxlab.tally import Interval, wilson


def fisher_less(count1, n1, count2, n2):
    """The chance of at most count1 of all hits falling into sample 1, in whole numbers."""
    hits = count1 + count2
    ways = sum(math.comb(n1, k) * math.comb(n2, hits - k) for k in range(count1 + 1) if k <= hits)
    return float(Fraction(ways, math.comb(n1 + n2, hits)))


def boschloo_less(count1, n1, count2, n2):
    """The largest chance, over a fine grid of rates, of a table Fisher finds as extreme."""
    one, two = np.arange(n1 + 1), np.arange(n2 + 1)
    fisher = np.array([[fisher_less(a, n1, b, n2) for b in two] for a in one])
    extreme = fisher <= fisher[count1, count2] * (1 + 1e-12)
    rates = np.sin(np.linspace(0, np.pi / 2, 2001))[:, None] ** 2
    chance = np.einsum("ra,ab,rb->r", binom.pmf(one, n1, rates), extreme, binom.pmf(two, n2, rates))
    return chance.max()


@pytest.mark.parametrize("sample", [(1, 10, 8, 10), (0, 6, 3, 20), (7, 9, 12, 13), (2, 15, 2, 7)])
def test_boschloo_is_the_largest_chance_over_the_common_rate(sample):
    # A grid of 2,001 rates misses the maximum by about (1e-3)^2 n; the search must not beat it
    # by more, nor fall short of it.
    assert boschloo(*sample, alternative="less") == pytest.approx(boschloo_less(*sample), rel=1e-4)


def test_boschloo_keeps_its_level_where_the_rates_are_equal():
    n1, n2 = 7, 10
    p_values = np.array([[boschloo(a, n1, b, n2) for b in range(n2 + 1)] for a in range(n1 + 1)])
    rates = np.linspace(0, 1, 201)[:, None]
    one, two = (binom.pmf(np.arange(n + 1), n, rates) for n in (n1, n2))
    for alpha in (0.01, 0.05, 0.2):
        level = np.einsum("ra,ab,rb->r", one, p_values <= alpha, two).max()
        # The bound would hold of a test that never rejects, too.
        assert alpha / 20 < level <= alpha * (1 + 1e-6)


@pytest.mark.parametrize(
    "sample", [(130, 250, 155, 250), (3, 900, 30, 1200), (700, 1000, 640, 800)]
)
def test_large_samples_get_the_exact_conditional_tail(sample):
    less = fisher_less(*sample)
    assert boschloo(*sample, alternative="less") == pytest.approx(less, rel=1e-9)
    assert boschloo(*sample) == pytest.approx(2 * less, rel=1e-9)
    count1, n1, count2, n2 = sample
    assert boschloo(count2, n2, count1, n1, "greater") == pytest.approx(less, rel=1e-9)


def test_the_large_sample_test_is_the_more_cautious_one():
    for sample in [(60, 200, 84, 200), (3, 350, 4, 50), (1, 200, 9, 200)]:
        exact, cautious = boschloo(*sample, alternative="less"), fisher_less(*sample)
        assert exact < cautious < 2 * exact


def test_boschloo_sees_what_is_there_and_nothing_else():
    assert boschloo(5000, 10_000, 5500, 10_000) < 1e-10
    assert boschloo(5000, 10_000, 5500, 10_000, "greater") > 0.999
    assert boschloo(5000, 10_000, 5000, 10_000) == 1
    assert boschloo(0, 9, 0, 11) == boschloo(0, 900, 0, 1100) == boschloo(0, 0, 3, 11) == 1


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 60), st.integers(0, 30), st.integers(0, 500))
def test_newcombe_is_antisymmetric_and_holds_the_difference(a, more1, b, more2):
    n1, n2 = a + more1, b + more2
    there, back = newcombe(a, n1, b, n2), newcombe(b, n2, a, n1)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-14)
    assert -1 - 1e-12 <= there.low <= there.high <= 1 + 1e-12
    if n1 and n2:
        assert there.low - 1e-12 <= a / n1 - b / n2 <= there.high + 1e-12


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_newcombe_agrees_with_statsmodels(level):
    for sample in [(56, 70, 48, 80), (0, 10, 0, 20), (10, 10, 0, 10), (281, 1000, 14_000, 50_000)]:
        limits = newcombe(*sample, level=level)
        oracle = confint_proportions_2indep(*sample, method="newcomb", alpha=1 - level)
        assert (limits.low, limits.high) == pytest.approx(oracle, abs=1e-12)


def test_newcombe_against_a_known_rate_is_wilson():
    many = newcombe(30, 100, 5 * 10**13, 10**14)
    one = wilson(30, 100)
    assert (many.low + 0.5, many.high + 0.5) == pytest.approx((one.low, one.high), abs=1e-6)
    assert newcombe(0, 0, 3, 9) == Interval(-1, 1)


def test_mcnemar_agrees_with_statsmodels_and_counts_coins():
    for b, c in [(0, 0), (0, 5), (1, 7), (6, 6), (130, 170)]:
        oracle: Any = statsmodels_mcnemar([[90, b], [c, 40]], exact=True)
        assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(oracle.pvalue, rel=1e-10)
    assert mcnemar(0, 5, "less") == 1 / 32
    assert mcnemar(0, 5, "greater") == 1
    assert mcnemar(130, 170) < 0.05 < mcnemar(140, 160)


@pytest.mark.parametrize(
    ("counts", "ns", "scores"),
    [
        ([10, 20, 30], [100, 100, 100], None),
        ([3, 9, 4, 30], [50, 70, 20, 90], [1.0, 2.0, 4.0, 8.0]),
        ([900, 850, 700], [1000, 1000, 900], None),
    ],
)
def test_trend_agrees_with_statsmodels(counts, ns, scores):
    hits, n = np.array(counts), np.array(ns)
    oracle: Any = Table(np.array([hits, n - hits])).test_ordinal_association(
        np.array([1, 0]), None if scores is None else np.array(scores)
    )
    # The oracle's variance is that of shuffled hits, larger by N / (N - 1) than the binomial.
    z, p = cochran_armitage(counts, ns, scores)
    assert z * math.sqrt(1 - 1 / n.sum()) == pytest.approx(oracle.zscore, rel=1e-12)
    assert p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=1e-10)


def test_trend_over_two_groups_is_the_chi_squared_test():
    chi2: Any = chi2_contingency([[30, 45], [70, 55]], correction=False)
    z, p = cochran_armitage([30, 45], [100, 100])
    assert (z**2, p) == pytest.approx((chi2.statistic, chi2.pvalue), rel=1e-12)


def test_trend_has_a_direction():
    z, p = cochran_armitage([10, 20, 30], [100] * 3)
    back, same_p = cochran_armitage([30, 20, 10], [100] * 3)
    assert z == pytest.approx(-back, rel=1e-12)
    assert p == pytest.approx(same_p, rel=1e-12)
    assert cochran_armitage([10, 20, 30], [100] * 3, [5, 3, 1])[0] == pytest.approx(back)
    assert cochran_armitage([10, 20, 30], [100] * 3, [5, 5.2, 5.4])[0] == pytest.approx(z)
    rising = cochran_armitage([10, 20, 30], [100] * 3, alternative="greater")[1]
    falling = cochran_armitage([10, 20, 30], [100] * 3, alternative="less")[1]
    assert (rising, falling) == pytest.approx((p / 2, 1 - p / 2), rel=1e-12)


def test_rates_that_differ_without_order_show_no_trend():
    assert cochran_armitage([20, 60, 20], [100] * 3) == pytest.approx((0, 1), abs=1e-12)
    assert cochran_armitage([0, 0], [5, 9]) == cochran_armitage([5, 9], [5, 9]) == (0, 1)


def test_trend_keeps_its_level_on_small_groups():
    # All results of three groups of 30. The normal approximation is not exact: its error at a
    # nominal 0.05 is the 0.053 the docstring names. It is close to 0.05, too, not far below.
    n = 30
    triples = np.indices((n + 1,) * 3).reshape(3, -1)
    # With equal groups only the sum and the lean matter: one triple stands for all that share.
    alike = triples.sum(0) * 1000 + triples[2] - triples[0]
    _, first, which = np.unique(alike, return_index=True, return_inverse=True)
    p_values = np.array([cochran_armitage(triples[:, i], [n] * 3)[1] for i in first])
    rejected = (p_values < 0.05)[which].reshape((n + 1,) * 3)
    mass = binom.pmf(np.arange(n + 1), n, np.linspace(0.005, 0.995, 199)[:, None])
    level = np.einsum("ra,rb,rc,abc->r", mass, mass, mass, rejected, optimize=True)
    assert 0.05 < level.max() < 0.053


TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 1), min_size=k, max_size=k), min_size=1, max_size=30)
)


@settings(max_examples=50, deadline=None)
@given(TABLES)
def test_q_is_statsmodels(hits):
    table = np.array(hits)
    if (table == table[:, :1]).all():  # no member wavers, where statsmodels divides 0 by 0
        assert cochran_q(hits) == (0.0, 1.0)
        return
    theirs: Any = cochrans_q(table)
    assert cochran_q(hits) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_q_of_two_settings_is_mcnemars_statistic():
    hits = [[1, 0]] * 7 + [[0, 1]] * 2 + [[1, 1]] * 5
    assert cochran_q(hits)[0] == pytest.approx((7 - 2) ** 2 / (7 + 2))


@pytest.mark.parametrize(("p1", "p2"), [(0.001, 0.001), (0.02, 0.05), (0.2, 0.1), (0.3, 0.3)])
def test_the_interval_of_a_paired_difference_covers(p1, p2):
    # Exact, over all results of 100 pairs: near 95 %, above it where discordance is rare.
    n = 100
    b, c = np.indices((n + 1, n + 1))
    possible = b + c <= n
    limits = [
        paired_difference(int(i), int(j), n) for i, j in zip(b[possible], c[possible], strict=True)
    ]
    mass = binom.pmf(b, n, p1) * binom.pmf(c, np.maximum(n - b, 0), p2 / (1 - p1))
    inside = np.array([i.low <= p1 - p2 <= i.high for i in limits])
    assert mass[possible][inside].sum() > 0.93
    assert mass[possible].sum() == pytest.approx(1)
    assert paired_difference(3, 8, n).low == pytest.approx(-paired_difference(8, 3, n).high)


def test_a_paired_difference_lies_where_differences_do():
    assert paired_difference(1, 0, 1).high == 1  # not 1.18, as without a cut
    for n in range(12):
        kinds = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
        limits = {kind: paired_difference(*kind, n) for kind in kinds}
        for (b, c), found in limits.items():
            assert -1 <= found.low <= (b - c) / max(n, 1) <= found.high <= 1
            # Monotone: a member that hits under the first setting instead of the second, or
            # under the first alone instead of both or none, where that is what the limit is for.
            if c:
                moved = limits[b + 1, c - 1]
                assert moved.low >= found.low
                assert moved.high >= found.high
            if (b + 1, c) in limits:
                assert limits[b + 1, c].high >= found.high


def test_newcombe_is_monotone_and_within_bounds_for_all_small_samples():
    sizes = range(8)
    for n1, n2 in ((one, two) for one in sizes for two in sizes):
        for a, b in ((one, two) for one in range(n1 + 1) for two in range(n2 + 1)):
            found = newcombe(a, n1, b, n2)
            assert -1 <= found.low <= found.high <= 1
            if n1 and n2:
                assert found.low <= a / n1 - b / n2 <= found.high
            if a:
                fewer = newcombe(a - 1, n1, b, n2)
                assert fewer.low <= found.low
                assert fewer.high <= found.high


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: boschloo(5, 4, 1, 4), "count1=5"),
        (lambda: boschloo(1, 4, 5, 4), "count2=5"),
        (lambda: boschloo(1, 4, 1, -4), "n2=-4"),
        (lambda: boschloo(1, 4, 1, 4, "both"), "alternative='both'"),  # pyright: ignore[reportArgumentType]
        (lambda: newcombe(1, 4, 5, 4), "count2=5"),
        (lambda: newcombe(1, 4, 1, 4, level=0), "level=0"),
        (lambda: mcnemar(-1, 5), "b=-1"),
        (lambda: mcnemar(1, 0.5), "c=0.5"),  # pyright: ignore[reportArgumentType]
        (lambda: paired_difference(3, 2, 4), "b . c=5"),
        (lambda: paired_difference(-1, 2, 4), "b=-1"),
        (lambda: cochran_q([[1], [0]]), "shape"),
        (lambda: cochran_q([1, 0]), "shape"),
        (lambda: cochran_armitage([1, 2], [3]), "shapes"),
        (lambda: cochran_armitage([1, 4], [3, 3]), "counts="),
        (lambda: cochran_armitage([1, 2], [3, 3], [2, 2]), "scores="),
        (lambda: cochran_armitage([1, 0], [3, 0]), "scores="),
        (lambda: cochran_armitage([1, 2], [3, 3], [0, math.nan]), "scores="),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
