"""Time to success: exact by hand, against statsmodels, and statistical where bands must cover.

Statistical tests state their error rates; each comes with data or a band that must fail.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, binom, logrank
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from jaxlab.survival import Share, curve, kaplan_meier, log_rank, median_step, prospects
from jaxlab.tally import clopper_pearson

CHECKS = np.array([1, 2, 4, 8, 16])
CHANCES = np.array([0.05, 0.15, 0.3, 0.2, 0.1])  # to be solved first at each; 0.2 at none
UNSOLVED = 1 - np.cumsum(CHANCES)


def draw(rng, size, chances=CHANCES):
    """Return the first solved checks of so many members, -1 for none."""
    return rng.choice([*CHECKS, -1], size, p=[*chances, 1 - sum(chances)])


def ended(first, last):
    """Return when members stopped being watched, and whether by success."""
    return np.where(first > 0, first, last), first > 0


def test_a_curve_by_hand():
    found = curve([2, -1, 2, 16, -1], CHECKS, certified=[False, True, True, False, False])
    assert found.steps.tolist() == [0, 1, 2, 4, 8, 16]
    assert found.unsolved.tolist() == [1, 1, 0.6, 0.6, 0.6, 0.4]
    # Who was solved once does not count as dead, whatever became of it later.
    assert (found.n, found.certified) == (5, 0.2)
    exact = [clopper_pearson(left, 5) for left in (5, 3, 3, 3, 2)]
    assert found.low.tolist() == [1, *(interval.low for interval in exact)]
    assert found.high.tolist() == [1, *(interval.high for interval in exact)]


@given(st.lists(st.tuples(st.sampled_from([-1, *CHECKS.tolist()]), st.booleans()), min_size=1))
def test_a_curve_falls_from_one_to_no_less_than_the_dead(members):
    first, certified = (list(column) for column in zip(*members, strict=True))
    found = curve(first, CHECKS, certified)
    assert found.unsolved[0] == 1
    assert (np.diff(found.unsolved) <= 0).all()
    assert (found.low <= found.unsolved).all()
    assert (found.unsolved <= found.high).all()
    assert found.certified <= found.unsolved[-1] == np.mean(np.array(first) < 0)
    shares = prospects(found)
    counts = [shares.solved.count, shares.never.count, shares.undecided.count]
    assert sum(counts) == found.n == len(first)
    assert counts[1] == sum(d and f < 0 for f, d in members)
    half = median_step(found)
    if half is None:
        assert found.unsolved[-1] > 0.5
    else:
        before, at = (found.unsolved[found.steps == step][0] for step in half)
        assert at <= 0.5 < before


def test_the_median_is_known_between_two_checks():
    half = curve([1, 4, -1, -1], CHECKS, [False] * 4)
    assert median_step(half) == (2, 4)
    assert median_step(curve([1, 4, -1, -1, -1], CHECKS, [False] * 5)) is None
    assert median_step(curve([1, 1, 4], CHECKS, [False] * 3)) == (0, 1)


def test_more_time_and_never_are_told_apart():
    first = np.repeat([1, 16, -1], [50, 20, 30])
    dead = np.arange(100) >= 75
    shares = prospects(curve(first, CHECKS, dead))
    assert (shares.solved, shares.never, shares.undecided) == (
        Share(70, 100),
        Share(25, 100),
        Share(5, 100),
    )
    assert shares.never.rate == 0.25
    assert shares.never.interval == clopper_pearson(25, 100)
    # The same members without a certificate: nobody knows.
    unknown = prospects(curve(first, CHECKS, np.zeros(100, bool)))
    assert (unknown.never.count, unknown.undecided.count) == (0, 30)


def test_without_early_censoring_both_estimates_are_the_share():
    rng = np.random.default_rng(1)
    first = draw(rng, 20_000)
    found = curve(first, CHECKS, np.zeros(first.size))
    steps, unsolved, low, high = kaplan_meier(*ended(first, 16))
    assert steps.tolist() == found.steps.tolist()
    assert unsolved == pytest.approx(found.unsolved, abs=1e-12)
    # The exact and the approximate band, both some 0.01 wide.
    assert low == pytest.approx(found.low, abs=3e-4)
    assert high == pytest.approx(found.high, abs=3e-4)


def test_two_runs_of_different_length_by_hand():
    # Five members until step 4 and five until 16: three of ten by 4, and two of the four that
    # were watched for longer and not solved by then.
    times, seen = (
        [2, 2, 4, 4, 4, 4, 8, 8, 16, 16],
        [True] * 3 + [False] * 3 + [True] * 2 + [False] * 2,
    )
    steps, unsolved, _, _ = kaplan_meier(times, seen)
    assert steps.tolist() == [0, 2, 4, 8, 16]
    by_hand = [Fraction(1), Fraction(8, 10), Fraction(7, 10), Fraction(7, 20), Fraction(7, 20)]
    assert unsolved == pytest.approx([float(share) for share in by_hand], rel=1e-12)
    # As if nobody had been censored, the pooled share would be too high.
    assert unsolved[-1] < 5 / 10


def test_pooled_runs_agree_with_statsmodels():
    rng = np.random.default_rng(2)
    times, seen = ended(draw(rng, 300), 16)
    cut = rng.choice([4, 16, 20], 300)
    times, seen = np.minimum(times, cut), seen & (times <= cut)
    steps, unsolved, low, high = kaplan_meier(times, seen)
    oracle: Any = SurvfuncRight(times.astype(float), seen.astype(float))
    events = np.isin(steps, oracle.surv_times)
    assert unsolved[events] == pytest.approx(oracle.surv_prob, rel=1e-12)
    # Its band, by Greenwood's error on the scale of log(-log).
    reach = 1.959963984540054 * oracle.surv_prob_se / (oracle.surv_prob * np.log(oracle.surv_prob))
    for bound, sign in ((low, -1), (high, 1)):
        assert bound[events] == pytest.approx(oracle.surv_prob ** np.exp(sign * reach), rel=1e-9)
    assert not events[steps == 20].any()


def test_bounds_where_the_formula_has_none():
    # Nobody solved: the exact limit of those still watched, ten and then four.
    steps, unsolved, low, high = kaplan_meier([5] * 6 + [9] * 4, [False] * 10)
    assert (steps.tolist(), unsolved.tolist(), high.tolist()) == ([0, 5, 9], [1, 1, 1], [1, 1, 1])
    assert low == pytest.approx([1, clopper_pearson(10, 10).low, clopper_pearson(4, 4).low])
    # All solved, at two checks or at one.
    _, unsolved, low, high = kaplan_meier([5] * 6 + [9] * 4, [True] * 10)
    assert unsolved.tolist() == [1, pytest.approx(0.4), 0]
    assert low[2] == 0 < low[1]
    assert high[2] == high[1] < 1
    _, unsolved, low, high = kaplan_meier([5] * 10, [True] * 10)
    assert (unsolved[1], low[1], high[1]) == (0, 0, clopper_pearson(0, 10).high)


@pytest.mark.parametrize("key", [1, 2, 3])
def test_exact_bands_miss_the_truth_with_at_most_one_in_20(key):
    # False-fail rate 1e-6 for each check, by the binomial tail at an error of 0.05. The negative
    # control, a band of 85 %, errs at one of these shares and this n with probability 0.12, and
    # would pass with probability below 1e-6.
    repeats, n = 2000, 60
    most = binom.isf(1e-6, repeats, 0.05)
    rng = np.random.default_rng(key)
    none = np.zeros(n, bool)
    curves = [curve(draw(rng, n), CHECKS, none) for _ in range(repeats)]
    missed = sum((c.low[1:] > UNSOLVED) | (c.high[1:] < UNSOLVED) for c in curves)
    assert (missed <= most).all()
    left = [np.rint(c.unsolved[1:] * n).astype(int) for c in curves]
    assert binom.cdf(most, repeats, 0.12) < 1e-6
    bold = {k: clopper_pearson(k, n, 0.85) for k in range(n + 1)}
    too_often = [
        sum(share not in bold[counts[i]] for counts in left) for i, share in enumerate(UNSOLVED)
    ]
    assert max(too_often) > most


@pytest.mark.parametrize("key", [1, 2, 3])
def test_pooled_bands_cover_and_ignoring_censoring_does_not(key):
    # Approximate bands: an error of 0.03 to 0.07 is demanded, 0.05 meant. With 2,000 repeats an
    # error of 0.05 strays outside with probability below 1e-4 a check.
    repeats, n = 2000, 400
    rng = np.random.default_rng(key)
    missed, naive = np.zeros(3), np.zeros(3)
    for _ in range(repeats):
        times, seen = ended(draw(rng, n), 16)
        short = np.arange(n) < n // 2  # the members of a run that ended at step 4
        cut = short & (times > 4)
        steps, _, low, high = kaplan_meier(np.where(cut, 4, times), seen & ~cut)
        at = np.searchsorted(steps, [4, 8, 16])
        truth = UNSOLVED[2:]
        missed += (low[at] > truth) | (truth > high[at])
        # Who was not watched is counted as unsolved.
        left = [(~(seen & ~cut & (times <= check))).sum() for check in (4, 8, 16)]
        naive += [t not in clopper_pearson(int(k), n) for k, t in zip(left, truth, strict=True)]
    assert ((missed > 0.03 * repeats) & (missed < 0.07 * repeats)).all()
    assert (naive[1:] > 0.5 * repeats).all()


def oracle_log_rank(a, b):
    groups = np.repeat([0, 1], [a[0].size, b[0].size])
    times, seen = (np.concatenate(pair).astype(float) for pair in zip(a, b, strict=True))
    statistic, p = survdiff(times, seen, groups)
    return float(statistic), float(p)


@pytest.mark.parametrize("sizes", [(3, 5), (50, 80), (1000, 900), (200_000, 100_000)])
def test_log_rank_agrees_with_statsmodels_at_every_size(sizes):
    rng = np.random.default_rng(3)
    first_a, first_b = (
        draw(rng, size, CHANCES * c) for size, c in zip(sizes, (1, 0.99), strict=True)
    )
    last_a = np.maximum(first_a, rng.choice([4, 16], sizes[0]))
    z, p = log_rank(first_a, last_a, first_b, 16)
    statistic, oracle_p = oracle_log_rank(ended(first_a, last_a), ended(first_b, 16))
    assert z**2 == pytest.approx(statistic, rel=1e-9)
    assert p == pytest.approx(oracle_p, rel=1e-8)


def test_log_rank_is_scipys_while_that_does_not_overflow():
    rng = np.random.default_rng(4)
    first_a, first_b = draw(rng, 90), draw(rng, 70, CHANCES / 2)
    samples: list[Any] = [
        CensoredData.right_censored(times, ~seen)
        for times, seen in (ended(first_a, 16), ended(first_b, 16))
    ]
    oracle: Any = logrank(samples[0], samples[1])
    z, p = log_rank(first_a, 16, first_b, 16)
    assert (z, p) == pytest.approx((oracle.statistic, oracle.pvalue), rel=1e-10)
    assert z > 0  # a is solved sooner
    assert log_rank(first_b, 16, first_a, 16) == pytest.approx((-z, p), rel=1e-10)


def test_log_rank_by_hand():
    # At step 1 two of three against one of three, of six at risk: 2 - 3/2 seen beyond expected,
    # and a variance of 3 (1/2) (1/2) 3/5.
    z, p = log_rank([1, 1, -1], 1, [1, -1, -1], 1)
    assert z == pytest.approx(0.5 / math.sqrt(0.45), rel=1e-12)
    assert p == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)
    assert log_rank([-1, -1], 4, [-1], 4) == (0, 1)
    assert log_rank([4], 4, [-1], 2) == (0, 1)
    assert log_rank([2, 2], 4, [2], 4) == (0, 1)


@pytest.mark.parametrize("key", [1, 2, 3])
def test_log_rank_rejects_equals_as_often_as_it_says(key):
    # False-fail rate 2e-6 by both binomial tails at an error of 0.05; one of 0.1 or more passes
    # with probability below 1e-4. Slower training must be found out nearly always.
    repeats, n = 2000, 80
    fewest, most = binom.isf([1 - 1e-6, 1e-6], repeats, 0.05)
    assert binom.cdf(most, repeats, 0.1) < 1e-4
    rng = np.random.default_rng(key)
    pairs = [(draw(rng, n), draw(rng, n)) for _ in range(repeats)]
    assert fewest <= sum(log_rank(a, 16, b, 16)[1] < 0.05 for a, b in pairs) <= most
    slower = [log_rank(draw(rng, n), 16, draw(rng, n, CHANCES / 2), 16) for _ in range(100)]
    assert sum(z > 0 and p < 0.05 for z, p in slower) > 90


def test_curves_that_cross_hide_from_the_log_rank_test():
    # As many solved by the end, some sooner and the rest later: no lean, and none is claimed.
    first_a = np.repeat([4, -1], [60, 40])
    first_b = np.repeat([1, 16, -1], [16, 44, 40])
    assert log_rank(first_a, 16, first_b, 16)[1] > 0.05
    assert log_rank(first_a, 16, np.repeat([16, -1], [60, 40]), 16)[1] < 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: curve([], CHECKS, []), "at least one member"),
        (lambda: curve([1, 2], CHECKS, [True]), r"shapes \(2,\) and \(1,\)"),
        (lambda: curve([3], CHECKS, [True]), "first_solved=3 must be -1 or one of"),
        (lambda: curve([0], CHECKS, [True]), "first_solved=0"),
        (lambda: curve([1.0], CHECKS, [True]), "first_solved has dtype float64"),
        (lambda: curve([2], [2, 1], [True]), r"checks=\[2, 1\] must be"),
        (lambda: curve([-1], [0, 1], [True]), r"checks=\[0, 1\] must be"),
        (lambda: curve([-1], [], [True]), r"checks=\[\] must be"),
        (lambda: kaplan_meier([], []), "at least one member"),
        (lambda: kaplan_meier([1, 2], [True]), r"shapes \(2,\) and \(1,\)"),
        (lambda: kaplan_meier([0], [False]), "at least 1"),
        (lambda: log_rank([], 4, [1], 4), "first_a is empty"),
        (lambda: log_rank([1], 4, [8], 4), "first_b must be -1 or lie between"),
        (lambda: log_rank([-1], 0, [1], 4), "first_a must be"),
        (lambda: log_rank([0], 4, [1], 4), "first_a must be"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
