"""Counting and intervals: exact, by full enumeration and against statsmodels.

The properties of merging are invariances. Nothing here is random.
"""

import itertools
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from jaxlab.tally import Interval, Tally, clopper_pearson, clopper_pearson_limits, wilson

NAMES = ("solved", "dead", "linear", "other")
NOT_WHOLE: Any = 1.5
# A quantile is good to a few units in the last place; a tail of n <= 50 trials magnifies a
# relative error of the rate by at most n.
RTOL = 1e-12

tallies = st.lists(st.integers(0, 10**12), min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda ks: Tally(dict(zip(NAMES, ks, strict=True)))
)
counts_and_ns = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)


def test_codes_are_counted_and_absent_classes_kept():
    tally = Tally.of(NAMES, np.array([[0, 3, 3], [1, 3, 0]]))
    assert list(tally.counts.items()) == [("solved", 2), ("dead", 1), ("linear", 0), ("other", 3)]
    assert (tally.n, tally.solved, tally.failed) == (6, 2, 4)
    assert tally.rate("dead", "other") == 4 / 6
    assert tally.rate("dead", "dead") == 1 / 6
    assert all(type(k) is int for k in tally.counts.values())


def test_nothing_counted_has_no_rate():
    tally = Tally.of(NAMES, np.array([]))
    assert tally.n == 0
    assert list(tally.counts) == list(NAMES)
    assert math.isnan(tally.rate("solved"))


def test_a_tally_is_a_value():
    counts = {"solved": 1, "dead": 2}
    tally = Tally(counts)
    counts["dead"] = 9
    assert tally.counts["dead"] == 2
    assert pickle.loads(pickle.dumps(tally)) == tally


@settings(deadline=None)
@given(st.lists(st.integers(0, len(NAMES) - 1)), st.data())
def test_parts_merge_to_the_whole(codes, data):
    cut = data.draw(st.integers(0, len(codes)))
    parts = [Tally.of(NAMES, np.array(part, int)) for part in (codes[:cut], codes[cut:])]
    assert parts[0] + parts[1] == Tally.of(NAMES, np.array(codes, int))


@settings(deadline=None)
@given(tallies, tallies, tallies)
def test_merging_is_associative_and_commutative(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert (a + b).n == a.n + b.n


@pytest.mark.parametrize(
    "classes", [("solved",), ("dead", "solved", "linear", "other"), (*NAMES, "new")]
)
def test_other_classes_do_not_merge(classes):
    with pytest.raises(ValueError, match="cannot be merged"):
        _ = Tally.of(NAMES, np.array([0])) + Tally.of(classes, np.array([0]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tally({"dead": -1}), r"counts\['dead'\]=-1"),
        (lambda: Tally({"dead": NOT_WHOLE}), r"counts\['dead'\]=1.5"),
        (lambda: Tally.of(("a", "a"), np.array([0])), "repeats a class"),
        (lambda: Tally.of(NAMES, np.array([0.0])), "float64"),
        (lambda: Tally.of(NAMES, np.array([0, 4])), r"\[0, 4\]"),
        (lambda: Tally.of(NAMES, np.array([-1, 1])), r"\[-1, 1\]"),
        (lambda: Tally({"dead": 1}).solved, "'solved'"),
        (lambda: Tally({"dead": 1}).rate("lost"), "'lost'"),
        (lambda: Interval(0.2, 0.1), "low=0.2"),
        (lambda: Interval(math.nan, 0.1), "low=nan"),
        (lambda: clopper_pearson(3, 2), "count=3 must not exceed n=2"),
        (lambda: clopper_pearson(-1, 2), "count=-1"),
        (lambda: clopper_pearson(1, 2, level=1.0), "level=1.0"),
        (lambda: wilson(1, NOT_WHOLE), "n=1.5"),
        (lambda: wilson(1, 2, level=95), "level=95"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_interval_relations():
    middle = Interval(0.2, 0.4)
    assert 0.2 in middle
    assert 0.4 in middle
    assert 0.41 not in middle
    assert not middle.disjoint(Interval(0.4, 0.5))
    assert middle.disjoint(Interval(0.41, 0.5))
    assert Interval(0.41, 0.5).disjoint(middle)
    assert middle.inside(middle)
    assert not middle.inside(Interval(0.25, 0.5))
    assert not middle.inside(Interval(0.1, 0.3))
    assert middle.half_width == pytest.approx(0.1, rel=RTOL)


@pytest.mark.parametrize("make", [clopper_pearson, wilson])
@settings(deadline=None)
@given(counts_and_ns, levels)
def test_intervals_hold_the_estimate_and_mirror(make, pair, level):
    count, n = pair
    limits, mirror = make(count, n, level), make(n - count, n, level)
    assert count / n in limits
    assert 0 <= limits.low <= limits.high <= 1
    assert (limits.low == 0) == (count == 0)
    assert (limits.high == 1) == (count == n)
    assert mirror.low == pytest.approx(1 - limits.high, rel=1e-9, abs=1e-14)


@settings(deadline=None)
@given(counts_and_ns, st.floats(0.5, 0.98))
def test_limits_rise_with_count_and_widen_with_level(pair, level):
    count, n = pair
    limits, wider = clopper_pearson(count, n, level), clopper_pearson(count, n, level + 0.01)
    assert limits.inside(wider)
    assert wider.half_width > limits.half_width
    if count < n:
        more = clopper_pearson(count + 1, n, level)
        assert more.low > limits.low
        assert more.high > limits.high or count + 1 == n


@pytest.mark.parametrize("make", [clopper_pearson, wilson])
def test_no_trials_say_nothing(make):
    assert make(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize(("make", "method"), [(clopper_pearson, "beta"), (wilson, "wilson")])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_intervals_agree_with_statsmodels(make, method, level):
    for count, n in [(0, 7), (7, 7), (1, 9), (29, 50), (281, 1000), (14_100, 50_000)]:
        limits = make(count, n, level)
        oracle = proportion_confint(count, n, 1 - level, method)
        assert (limits.low, limits.high) == pytest.approx(oracle, rel=1e-10, abs=1e-15)


def test_limits_leave_exactly_half_the_error_in_each_tail():
    def tail(counts, n, rate):
        p = Fraction(rate)
        return float(sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in counts))

    for n in (1, 2, 7, 50):
        for count in {0, 1, n // 3, n - 1, n}:
            limits = clopper_pearson(count, n)
            if count > 0:
                above = tail(range(count, n + 1), n, limits.low)
                assert above == pytest.approx(0.025, rel=RTOL)
            if count < n:
                below = tail(range(count + 1), n, limits.high)
                assert below == pytest.approx(0.025, rel=RTOL)


def least_coverage(make, n, level):
    """Coverage jumps only where a rate leaves an interval, so look just beside every limit."""
    limits = [make(k, n, level) for k in range(n + 1)]
    ends = [end for i in limits for end in (i.low, i.high) if 0 < end < 1]
    rates = [math.nextafter(end, side) for end in ends for side in (0, 1)]
    hit = np.array([[rate in i for i in limits] for rate in rates])
    return (binom.pmf(np.arange(n + 1), n, np.array(rates)[:, None]) * hit).sum(1).min()


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_clopper_pearson_never_covers_too_little(level):
    for n in range(1, 31):
        assert least_coverage(clopper_pearson, n, level) >= level - RTOL


def test_the_coverage_check_can_fail():
    assert least_coverage(wilson, 10, 0.95) < 0.9
    slightly_bold = least_coverage(lambda k, n, level: clopper_pearson(k, n, 0.93), 30, 0.95)
    assert slightly_bold < 0.95


def test_array_limits_are_the_scalar_ones():
    pairs = [(k, n) for n in (0, 1, 5, 40) for k in range(n + 1)]
    low, high = clopper_pearson_limits(*np.array(pairs).T)
    assert [Interval(*ends) for ends in zip(low, high, strict=True)] == list(
        itertools.starmap(clopper_pearson, pairs)
    )
