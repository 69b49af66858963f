"""The rules of verdicts: exact, by enumerating counts and summing binomial tails.

Every rule is fed the neighbouring counts between which its verdict flips, and its errors are
computed, not simulated. Nothing here is random.
"""

import re
from bisect import bisect_left
from dataclasses import astuple
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from jaxlab import verdicts
from jaxlab.compare import holm
from jaxlab.contrast import (
    boschloo,
    cochran_armitage,
    mcnemar,
    newcombe,
    paired_difference,
)
from jaxlab.tally import clopper_pearson
from jaxlab.verdicts import (
    Ruling,
    Verdict,
    about,
    both,
    exactly,
    helps,
    monotone,
    never,
    outnumbers,
    settle,
    sooner,
    untestable,
    works,
)

SUPPORTED, UNDECIDED, REFUTED = Verdict.SUPPORTED, Verdict.UNDECIDED, Verdict.REFUTED
NO_SUCH: Any = "sideways"


@pytest.fixture
def without_advice(monkeypatch):
    """Leave out the seeds that would do, which take longer to find than the verdict."""
    monkeypatch.setattr(verdicts, "seeds_to_distinguish", lambda *_: 0)


def flips(rule, counts):
    """Return (count, verdict) of the first count and of every one where the verdict changes."""
    found = [(count, rule(count).verdict) for count in counts]
    changes = [pair for last, pair in pairwise(found) if last[1] != pair[1]]
    return [found[0], *changes]


def chance(rule, n, rates, wanted):
    """Return the exact probability of a verdict of `rule` on two groups of n.

    The verdict must rise from refuted to supported with the first count and fall with the second,
    so that for each second count it is enough to find where it flips, from where it last did.
    """
    order = [REFUTED, UNDECIDED, SUPPORTED]
    goal = max(order.index(wanted), 1)
    least, most = binom.ppf([1e-7, 1 - 1e-7], n, rates[1]).astype(int)
    seconds, firsts = range(least, most + 1), []
    for second in seconds:

        def reached(first, second=second):
            return first > n or order.index(rule(first, second).verdict) >= goal

        low, step = firsts[-1] if firsts else 0, 1
        while not reached(low + step - 1):
            low, step = low + step, 2 * step
        firsts.append(bisect_left(range(low + step), True, lo=low, key=reached))
    upper = binom.sf(np.array(firsts) - 1, n, rates[0])
    return binom.pmf(seconds, n, rates[1]) @ (1 - upper if wanted == REFUTED else upper)


def test_what_works_flips_where_a_limit_passes_95_percent(without_advice):
    assert flips(lambda k: works(k, 1000), range(900, 1001)) == [
        (900, REFUTED),
        (936, UNDECIDED),
        (964, SUPPORTED),
    ]
    assert clopper_pearson(964, 1000).low >= 0.95 > clopper_pearson(963, 1000).low
    assert clopper_pearson(936, 1000).high >= 0.95 > clopper_pearson(935, 1000).high
    # Without a failure it takes 72 seeds, since 0.025^(1/72) = 0.9501.
    assert (works(72, 72).verdict, works(71, 71).verdict) == (SUPPORTED, UNDECIDED)


def test_what_never_happens_mirrors_what_works(without_advice):
    for n in (1, 72, 300):
        mirrored = [works(n - count, n).verdict for count in range(n + 1)]
        assert [never(count, n).verdict for count in range(n + 1)] == mirrored
    assert flips(lambda k: never(k, 1000), range(100)) == [
        (0, SUPPORTED),
        (37, UNDECIDED),
        (65, REFUTED),
    ]


def test_what_outnumbers_needs_the_margin_and_the_test_of_pairs():
    assert flips(lambda k: outnumbers(k, 300, 1000), range(200, 500)) == [
        (200, REFUTED),
        (302, UNDECIDED),
        (368, SUPPORTED),
    ]
    ends = [paired_difference(count, 300, 1000).high for count in (301, 302)]
    assert ends[0] < 0.05 <= ends[1]
    assert mcnemar(368, 300) < 0.01 <= mcnemar(367, 300)
    ruling = outnumbers(368, 300, 1000)
    assert (ruling.n, ruling.count, ruling.observed) == (1000, None, 0.068)
    assert ruling.interval == paired_difference(368, 300, 1000)
    # What excludes each other in one sample differs by more than two samples would.
    apart = helps(368, 1000, 300, 1000).interval
    assert ruling.interval is not None
    assert apart is not None
    assert ruling.interval.half_width > apart.half_width


def test_sooner_goes_by_the_test_and_its_direction():
    groups = (120, 200, 80, 200), (80, 200, 120, 200)
    assert [sooner(*g, 0.0099).verdict for g in groups] == [SUPPORTED, REFUTED]
    assert [sooner(*g, 0.0101).verdict for g in groups] == [UNDECIDED, REFUTED]
    # One of two tests in the table: the smaller p-value is doubled.
    lone, other = settle([sooner(*groups[0], 0.006), sooner(105, 200, 95, 200, 0.9)])
    assert (lone.verdict, lone.p_holm, other.verdict) == (UNDECIDED, 0.012, UNDECIDED)


def test_a_delay_below_the_margin_is_none_however_surely_it_is_there():
    # 10,000 of each, as many as one likes: 4 points are there for certain, and too few.
    small, large = (
        sooner(5200, 10_000, 4800, 10_000, 1e-30),
        sooner(5300, 10_000, 4700, 10_000, 1e-30),
    )
    assert (small.verdict, large.verdict) == (UNDECIDED, SUPPORTED)
    assert sooner(5100, 10_000, 4900, 10_000, 1e-30).verdict == REFUTED
    assert sooner(600, 1000, 500, 1000, 0.5).verdict == UNDECIDED


def test_about_flips_where_the_interval_leaves_the_band_and_where_it_is_out(without_advice):
    assert flips(lambda k: about(k, 10_000, 0.5), range(4500, 5500)) == [
        (4500, REFUTED),
        (4602, UNDECIDED),
        (4799, SUPPORTED),
        (5202, UNDECIDED),
        (5399, REFUTED),
    ]
    assert clopper_pearson(5201, 10_000).high <= 0.53 < clopper_pearson(5202, 10_000).high
    assert clopper_pearson(5398, 10_000).low <= 0.53 < clopper_pearson(5399, 10_000).low
    # Below 0.02 there is nothing the rate could be but about it.
    assert flips(lambda k: about(k, 2000, 0.02), range(200)) == [
        (0, SUPPORTED),
        (81, UNDECIDED),
        (121, REFUTED),
    ]


def test_help_needs_the_margin_and_the_test():
    assert flips(lambda k: helps(k, 1000, 500, 1000), range(450, 600)) == [
        (450, REFUTED),
        (507, UNDECIDED),
        (559, SUPPORTED),
    ]
    assert newcombe(506, 1000, 500, 1000).high < 0.05 <= newcombe(507, 1000, 500, 1000).high
    assert boschloo(559, 1000, 500, 1000) < 0.01 <= boschloo(558, 1000, 500, 1000)
    # With many seeds it is the margin that decides: 0.05 itself is not more than 0.05.
    many = [helps(k, 10_000, 5000, 10_000).verdict for k in (5500, 5501)]
    assert many == [UNDECIDED, SUPPORTED]
    assert helps(5000, 10_000, 5501, 10_000).verdict == REFUTED
    # Rounded, 0.35 - 0.3 exceeds 0.05.
    assert helps(3500, 10_000, 3000, 10_000).verdict == UNDECIDED


def test_a_trend_has_the_claimed_direction_the_other_or_none():
    def rising(last):
        return monotone([450, 500, last], [1000] * 3, [1, 2, 4], "rising")

    (_, flat, lean) = found = flips(rising, range(300, 700))
    assert [verdict for _, verdict in found] == [REFUTED, UNDECIDED, SUPPORTED]
    ends = [newcombe(last, 1000, 450, 1000).high for last in (flat[0] - 1, flat[0])]
    assert ends[0] < 0.05 <= ends[1]
    trends = [cochran_armitage([450, 500, lean[0] - k], [1000] * 3, [1, 2, 4])[1] for k in (0, 1)]
    assert trends[0] < 0.01 <= trends[1]
    cases: list[tuple[list[int], verdicts.Direction, Verdict]] = [
        ([500, 450, 400], "rising", REFUTED),
        ([500, 450, 400], "falling", SUPPORTED),
        ([400, 450, 500], "falling", REFUTED),
    ]
    for counts, direction, verdict in cases:
        assert monotone(counts, [1000] * 3, [1, 2, 3], direction).verdict == verdict
        assert monotone(counts[::-1], [1000] * 3, [3, 2, 1], direction).verdict == verdict


def test_a_small_trend_in_the_other_direction_refutes_by_the_test_alone():
    # The interval of the change reaches above 0.05; that the middle groups fall is certain.
    counts, ns = [50, 9000, 1000, 50], [100, 10_000, 10_000, 100]
    ruling = monotone(counts, ns, [1, 2, 3, 4], "rising")
    assert ruling.interval is not None
    assert ruling.interval.high > 0.05
    assert ruling.verdict == REFUTED


def test_a_flat_rate_is_called_flat_once_there_are_seeds_enough():
    flat = [monotone([n // 2] * 3, [n] * 3, [1, 2, 3], "rising") for n in (200, 4000)]
    assert [ruling.verdict for ruling in flat] == [UNDECIDED, REFUTED]
    # A lean that is certain is one, however small.
    counts, ns = [500_000, 505_000, 510_000], [1_000_000] * 3
    assert monotone(counts, ns, [1, 2, 3], "rising").verdict == SUPPORTED


def test_checks_and_what_no_count_can_tell():
    assert [exactly(True).verdict, exactly(False).verdict] == [SUPPORTED, REFUTED]
    assert untestable() == Ruling(Verdict.NOT_TESTABLE)


@pytest.mark.parametrize("n", [400, 1000])
@pytest.mark.parametrize(
    ("rule", "limits"),
    [
        (works, [0.95]),
        (never, [0.05]),
        (lambda k, n: about(k, n, 0.5), [0.47, 0.53]),
        (lambda k, n: about(k, n, 0.05), [0.02, 0.08]),
    ],
)
def test_at_a_limit_a_rate_is_wrongly_placed_with_at_most_one_in_40(
    rule, limits, n, without_advice
):
    verdicts = np.array([str(rule(k, n).verdict) for k in range(n + 1)])
    for limit in limits:
        mass = binom.pmf(np.arange(n + 1), n, limit)
        wrong = [mass[verdicts == verdict].sum() for verdict in (SUPPORTED, REFUTED)]
        assert max(wrong) <= 0.025
        # A rule that never speaks would keep the level, too.
        assert max(wrong) > 0.003


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5])
def test_what_changes_nothing_is_rarely_called_help(rate):
    n = 250
    supported = chance(lambda a, b: helps(a, n, b, n), n, (rate, rate), SUPPORTED)
    assert supported <= 0.005
    assert rate < 0.3 or supported > 0.002


def test_what_helps_by_the_margin_is_rarely_refuted_and_supported_half_the_time():
    # Newcombe's interval is approximate: a tail of about 0.025.
    n = 1000
    for rates in [(0.55, 0.5), (0.1, 0.05), (0.95, 0.9)]:
        refuted = chance(lambda a, b: helps(a, n, b, n), n, rates, REFUTED)
        assert 0.02 < refuted < 0.03
    # Once the test is sure to see 0.05, the margin alone decides: a fair coin, as documented.
    n = 20_000
    for without in (9700, 10_000, 10_300):
        pair = [helps(without + k, n, without, n).verdict for k in (1000, 1001)]
        assert pair == [UNDECIDED, SUPPORTED]


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_no_trend_is_rarely_called_one_and_a_trend_of_the_margin_rarely_refuted(rate):
    def rule(last, first):
        return monotone([first, last], [n, n], [1, 2], "rising")

    n = 200
    # The normal approximation's 0.005 a side.
    assert 0.003 < chance(rule, n, (rate, rate), SUPPORTED) < 0.006
    n = 500
    assert 0.02 < chance(rule, n, (rate + 0.05, rate), REFUTED) < 0.03


def seeds(ruling):
    """Return the number in the note of an undecided ruling."""
    assert ruling.verdict == UNDECIDED
    (number,) = re.findall(r"([\d,]+) seeds", ruling.note)
    return int(number.replace(",", ""))


@pytest.mark.parametrize(
    ("rule", "count", "n"),
    [
        (works, 93, 100),
        (works, 60, 60),
        (never, 0, 20),
        (never, 7, 100),
        (lambda k, n: about(k, n, 0.5), 50, 100),
        (lambda k, n: about(k, n, 0.5), 55, 100),
        (lambda k, n: about(k, n, 0.01), 1, 100),
    ],
)
def test_with_the_seeds_named_a_rate_is_decided_nine_times_out_of_ten(rule, count, n, monkeypatch):
    needed, rate = seeds(rule(count, n)), count / n
    assert needed > n
    monkeypatch.setattr(verdicts, "seeds_to_distinguish", lambda *_: 0)

    def decided(n):
        least, most = binom.ppf([1e-7, 1 - 1e-7], n, rate).astype(int)
        counts = [k for k in range(least, most + 1) if rule(k, n).verdict != UNDECIDED]
        return binom.pmf(counts, n, rate).sum()

    assert decided(needed) >= 0.9
    # The tail of 0.025 against the two-sided test costs some seeds, but not a multiple.
    assert decided(needed // 2) < 0.9


@pytest.mark.parametrize(
    ("groups", "verdict"), [((60, 50), SUPPORTED), ((57, 50), SUPPORTED), ((51, 50), REFUTED)]
)
@pytest.mark.parametrize("direction", ["", "rising"])
def test_with_the_seeds_named_a_difference_is_decided_nine_times_out_of_ten(
    groups, verdict, direction
):
    def rule(a, b, n):
        return monotone([b, a], [n, n], [1, 2], direction) if direction else helps(a, n, b, n)

    n = seeds(rule(groups[0], groups[1], 100)) // 2
    rates = [count / 100 for count in groups]
    decided = chance(lambda a, b: rule(a, b, n), n, rates, verdict)
    # By the normal approximation; a trend may be refuted or supported, whichever is the sooner.
    assert 0.88 < decided < 0.93


def test_the_seeds_named_allow_for_the_family(monkeypatch):
    n = seeds(settle([helps(60, 100, 50, 100)] * 5)[0]) // 2
    monkeypatch.setattr(verdicts, "LEVEL", 0.01 / 5)
    assert 0.88 < chance(lambda a, b: helps(a, n, b, n), n, (0.6, 0.5), SUPPORTED) < 0.93


def test_seeds_that_nobody_has_are_not_named():
    for ruling in (works(950, 1000), about(53, 100, 0.5), helps(11, 100, 6, 100)):
        assert ruling.verdict == UNDECIDED
        assert ruling.note.startswith("no number of seeds")
    assert works(1000, 1000).note == works(0, 1000).note == helps(0, 900, 0, 900).note == ""


def test_a_larger_family_takes_a_borderline_verdict_back():
    borderline, other = helps(565, 1000, 500, 1000), helps(5100, 10_000, 5000, 10_000)
    p_value = boschloo(565, 1000, 500, 1000)
    assert 0.01 / 3 < p_value < 0.01 / 2
    for others, verdict in [(0, SUPPORTED), (1, SUPPORTED), (2, UNDECIDED)]:
        rulings = settle([*[other] * others, borderline])
        assert rulings[-1].verdict == verdict
        assert rulings[-1].p_value == p_value
        assert rulings[-1].p_holm == pytest.approx((others + 1) * p_value)
    # Rulings without a test are no part of the family; parts of others are.
    assert settle([works(9, 90), untestable(), borderline])[2].verdict == SUPPORTED
    *_, last = settle([both(other, exactly(True)), other, borderline])
    assert last.verdict == UNDECIDED
    assert seeds(last) > 2000


def test_settling_keeps_the_order_and_may_be_repeated():
    given = [
        works(990, 1000),
        helps(600, 1000, 500, 1000),
        both(works(990, 1000), helps(565, 1000, 500, 1000)),
        monotone([10, 20, 30], [100] * 3, [1, 2, 3], "rising"),
        monotone([20, 21, 22], [100] * 3, [1, 2, 3], "rising"),
        untestable(),
    ]
    settled = settle(given)
    assert [ruling.observed for ruling in settled] == [ruling.observed for ruling in given]
    tests = [given[1], given[2].parts[1], given[3], given[4]]
    adjusted = holm([ruling.p_value for ruling in tests]).tolist()
    assert [settled[i].p_holm for i in (0, 1, 3, 4)] == [None, adjusted[0], *adjusted[2:]]
    assert settled[2].parts[1].p_holm == adjusted[1]
    assert settled[2].verdict == SUPPORTED
    assert settle(settled) == settled
    # A family that grows afterwards corrects anew, and takes the whole back with its part.
    again = settle([*settled, *[given[4]] * 3])
    assert again[2].verdict == UNDECIDED
    assert again[0] == settled[0]
    assert settle([]) == []


def test_all_parts_must_hold_and_one_refutes():
    yes, no, unknown, never_tested = exactly(True), exactly(False), works(30, 30), untestable()
    for parts, verdict in [
        ([yes], SUPPORTED),
        ([yes, works(990, 1000)], SUPPORTED),
        ([yes, unknown], UNDECIDED),
        ([yes, never_tested], UNDECIDED),
        ([unknown, yes, no], REFUTED),
        ([never_tested, no], REFUTED),
    ]:
        assert both(*parts).verdict == both(*parts[::-1]).verdict == verdict
        assert both(both(*parts[:1]), *parts[1:]) == both(*parts)
    assert both(yes, unknown, works(0, 9)).n == 9
    assert both(yes, unknown).note == unknown.note
    assert both(works(990, 1000), yes).count == 990


def test_rulings_carry_what_they_rest_on():
    rate = never(3, 400)
    assert (rate.n, rate.count, rate.observed) == (400, 3, 0.0075)
    assert rate.interval == clopper_pearson(3, 400)
    assert rate.p_value is None
    difference = helps(30, 40, 20, 50)
    assert (difference.n, difference.count) == (90, None)
    assert difference.observed == pytest.approx(0.35)
    assert difference.interval == newcombe(30, 40, 20, 50)
    # Of a trend, the change from the lowest score to the highest, in the direction claimed.
    trend = monotone([5, 30, 20], [50, 60, 40], [9, 1, 5], "falling")
    assert (trend.n, trend.observed) == (150, pytest.approx(0.4))
    assert trend.interval == newcombe(30, 60, 5, 50)
    counted = helps(*np.array([30, 40, 20, 50]))
    assert astuple(counted) == astuple(difference)
    assert type(counted.n) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: works(5, 4), "count=5"),
        (lambda: never(0, 0), "n=0"),
        (lambda: about(1, 4, 1.5), "p=1.5"),
        (lambda: helps(1, 4, 0, 0), "n=0"),
        (lambda: helps(5, 4, 0, 3), "count=5"),
        (lambda: monotone([1, 2], [3, 3], [1, 2], NO_SUCH), "direction='sideways'"),
        (lambda: monotone([1, 2], [3], [1, 2], "rising"), "shapes"),
        (lambda: monotone([0, 2, 1], [0, 3, 3], [1, 2, 3], "rising"), "n=0"),
        (both, "at least one"),
        (lambda: outnumbers(0, 0, 0), "n=0"),
        (lambda: outnumbers(3, 3, 5), "count=6"),
        (lambda: sooner(5, 9, 4, 9, 1.5), "p_value=1.5"),
        (lambda: sooner(0, 0, 4, 9, 0.5), "n=0"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
