"""Verdicts on what somebody said, by rules that know counts only.

Each rule turns counts into a `Ruling`; `settle` corrects those that rest on a test for there being
many of them. The thresholds stand here, fixed before any count is seen. One rate against theory is
in `compare`, the tests are in `contrast`, the words that are judged in `claims`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
from scipy.stats import norm

from jaxlab.compare import holm
from jaxlab.contrast import boschloo, cochran_armitage, mcnemar, newcombe, paired_difference
from jaxlab.power import seeds_to_distinguish
from jaxlab.tally import Interval, check_count, check_probability, clopper_pearson

Direction = Literal["rising", "falling"]

WORKS = 0.95
"""What works does so for at least this share of seeds."""
NEVER = 0.05
"""What never happens does so for at most this share of seeds."""
TOLERANCE = 0.03
"""A rate up to this far from the one stated is still about it."""
MARGIN = Fraction(1, 20)
"""What helps raises the rate by more than this."""
LEVEL = 0.01
"""A difference or a trend is there where its Holm p-value is below this."""

_POWER = 0.9  # with which the seeds named by an undecided ruling decide
_TOO_CLOSE, _TOO_MANY = 2e-4, 1e6  # a rate to a limit; times the seeds: nobody would run them
_LIMIT_Z, _POWER_Z = float(norm.isf(0.025)), float(norm.isf(1 - _POWER))


class Verdict(StrEnum):
    """Name what the counts say about a statement."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class HolmTest:
    """Hold a test's p-value alone and what the verdict is where it is significant, and where not.

    `least` and `most` bound the multiple of the seeds that would decide, whatever the test needs.
    """

    p_value: float
    significant: Verdict
    otherwise: Verdict
    least: float
    most: float


@dataclass(frozen=True)
class Ruling:
    """Hold a verdict and the numbers it rests on.

    `observed` is the rate count / n with its exact interval; where two groups or a trend are judged
    it is the difference in the direction claimed, with Newcombe's interval, n counts the members of
    all groups and count is None. `p_holm` is what `settle` made of the test's p-value. `note` says
    what would decide an undecided statement. All intervals are 95 % ones.
    """

    verdict: Verdict
    n: int | None = None
    count: int | None = None
    observed: float | None = None
    interval: Interval | None = None
    test: HolmTest | None = None
    p_holm: float | None = None
    note: str = ""
    parts: tuple["Ruling", ...] = ()

    @property
    def p_value(self) -> float | None:
        """Return the p-value of the test alone, None without a test."""
        return self.test and self.test.p_value


def works(count: int, n: int) -> Ruling:
    """Rule on "this works": the lower limit of the success rate is at least 0.95.

    Refuted where the upper limit is below 0.95; either error has probability at most 0.025, here
    and in `never` and `about`. Raises ValueError unless 0 <= count <= n > 0.

    >>> [str(works(count, 1000).verdict) for count in (964, 963, 935)]
    ['supported', 'undecided', 'refuted']
    """
    interval = _exact(count, n)
    return _of_rate(count, n, interval.low >= WORKS, interval.high < WORKS, [WORKS])


def never(count: int, n: int) -> Ruling:
    """Rule on "this never happens": the upper limit of its rate is at most 0.05.

    Refuted where the lower limit is above 0.05. Raises ValueError unless 0 <= count <= n > 0.

    >>> [str(never(count, 1000).verdict) for count in (36, 37, 65)]
    ['supported', 'undecided', 'refuted']
    """
    interval = _exact(count, n)
    return _of_rate(count, n, interval.high <= NEVER, interval.low > NEVER, [NEVER])


def about(count: int, n: int, p: float) -> Ruling:
    """Rule on "this happens with probability about p": the interval lies inside p +- 0.03.

    Refuted where they are disjoint. Raises ValueError unless 0 <= count <= n > 0 and 0 <= p <= 1.

    >>> [str(about(count, 10_000, 0.5).verdict) for count in (5200, 5300, 5400)]
    ['supported', 'undecided', 'refuted']
    """
    check_probability("p", p)
    interval, allowed = _exact(count, n), Interval(p - TOLERANCE, p + TOLERANCE)
    limits = [limit for limit in (allowed.low, allowed.high) if 0 < limit < 1]
    return _of_rate(count, n, interval.inside(allowed), interval.disjoint(allowed), limits)


def helps(count_with: int, n_with: int, count_without: int, n_without: int) -> Ruling:
    """Rule on "this helps": it raises the success rate by more than 0.05, and not by chance.

    Supported where the difference seen is above 0.05 and Boschloo's two-sided test has a Holm
    p-value below 0.01; refuted where Newcombe's interval lies wholly below 0.05. The verdict is
    that of a statement alone until `settle` has seen the whole table. The test is one of equal
    rates: a true difference of just 0.05 ends up supported in about half of all large runs. Raises
    ValueError unless 0 <= count <= n > 0 for both.

    >>> [str(helps(count, 1000, 500, 1000).verdict) for count in (600, 540, 500)]
    ['supported', 'undecided', 'refuted']
    """
    groups = (count_with, n_with, count_without, n_without)
    difference, interval = _difference(*groups)
    return _of_difference(difference, interval, boschloo(*groups), n_with + n_without)


def outnumbers(first: int, second: int, n: int) -> Ruling:
    """Rule on "this happens more often than that" of two things that exclude each other.

    Both are counted among the same n members, so that McNemar's exact test and the interval of a
    paired difference apply; the margin and the verdicts are those of `helps`. Raises ValueError
    unless both counts are at least 0 and together at most n > 0.

    >>> [str(outnumbers(count, 300, 1000).verdict) for count in (400, 340, 300)]
    ['supported', 'undecided', 'refuted']
    """
    _exact(first + second, n)
    difference, interval = Fraction(first - second, n), paired_difference(first, second, n)
    return _of_difference(difference, interval, mcnemar(first, second), n)


def monotone(
    counts: Sequence[int], ns: Sequence[int], scores: Sequence[float], direction: Direction
) -> Ruling:
    """Rule on "the rate rises (falls) with the score" by the two-sided Cochran-Armitage test.

    Supported where the trend has a Holm p-value below 0.01 and the direction claimed, refuted where
    it has the other one. Without a trend it is refuted, too, where Newcombe's interval of the
    change from the lowest score to the highest lies wholly below 0.05 in the direction claimed: a
    flat rate could otherwise never be called flat, and so small a change is no help either. The
    test looks for a lean, not at each step: it does not see a dip on the way. Raises ValueError as
    `cochran_armitage` does, and for an empty group at either end.

    >>> str(monotone([10, 20, 30], [100] * 3, [1, 2, 3], "falling").verdict)
    'refuted'
    """
    if direction not in get_args(Direction):
        raise ValueError(f"direction={direction!r} must be rising or falling")
    z, p_value = cochran_armitage(counts, ns, scores)
    lowest, highest = int(np.argmin(scores)), int(np.argmax(scores))
    first, last = (lowest, highest) if direction == "rising" else (highest, lowest)
    difference, interval = _difference(counts[last], ns[last], counts[first], ns[first])
    otherwise, times = _flat(difference, interval)
    claimed = (z > 0) == (direction == "rising")
    significant = Verdict.SUPPORTED if claimed else Verdict.REFUTED
    test = HolmTest(p_value, significant, otherwise, least=0.0, most=times)
    return _of_test(test, sum(ns), difference, interval)


def sooner(count1: int, n1: int, count2: int, n2: int, p_value: float) -> Ruling:
    """Rule on "this one is solved sooner than that one": by a margin, and not by chance.

    The counts are those solved by one step, the same for both and chosen without regard to which
    is which: the one by which half of all are solved. Supported where the share of the first is
    larger by more than 0.05 and the log-rank test of all times has a Holm p-value below 0.01;
    refuted where Newcombe's interval of the difference lies wholly below 0.05. Raises ValueError
    unless 0 <= count <= n > 0 for both and 0 <= p_value <= 1.

    >>> [str(sooner(count, 1000, 500, 1000, 1e-9).verdict) for count in (600, 540, 500)]
    ['supported', 'undecided', 'refuted']
    """
    check_probability("p_value", p_value)
    difference, interval = _difference(count1, n1, count2, n2)
    return _of_difference(difference, interval, p_value, n1 + n2)


def exactly(holds: bool) -> Ruling:
    """Rule on a statement that an exact check decides, whatever the seed."""
    return Ruling(Verdict.SUPPORTED if holds else Verdict.REFUTED)


def untestable() -> Ruling:
    """Rule that no count could speak for or against a statement; its evidence says why."""
    return Ruling(Verdict.NOT_TESTABLE)


def both(*rulings: Ruling) -> Ruling:
    """Rule on a statement of several parts: all must be supported, one that is refuted refutes it.

    Anything else is undecided. The numbers are those of the part that decides: the first refuted
    one, else the first not supported, else the first. Raises ValueError without any part.

    >>> str(both(works(990, 1000), exactly(False)).verdict)
    'refuted'
    """
    parts = tuple(part for ruling in rulings for part in ruling.parts or (ruling,))
    if not parts:
        raise ValueError("both() got no ruling; it needs at least one")
    refuted = [part for part in parts if part.verdict is Verdict.REFUTED]
    lacking = [part for part in parts if part.verdict is not Verdict.SUPPORTED]
    decisive = (refuted or lacking or parts)[0]
    verdict = Verdict.UNDECIDED if lacking and not refuted else decisive.verdict
    return replace(decisive, verdict=verdict, parts=parts)


def settle(rulings: Iterable[Ruling]) -> list[Ruling]:
    """Return the rulings of a whole table, in order, after Holm's correction over all their tests.

    The family are the tests of `helps`, `outnumbers`, `monotone` and `sooner`, parts of other
    statements included: the chance of any significant one where nothing differs is at most 0.01.
    A note's number of seeds allows for the family, too.
    """
    groups = [(ruling, ruling.parts or (ruling,)) for ruling in rulings]
    p_values = [part.p_value for _, parts in groups for part in parts]
    family = sum(p is not None for p in p_values)
    adjusted = iter(holm(p_values).tolist())
    settled = [(r, [_settled(p, next(adjusted), family) for p in parts]) for r, parts in groups]
    return [both(*parts) if ruling.parts else parts[0] for ruling, parts in settled]


def _settled(ruling: Ruling, p_holm: float, family: int) -> Ruling:
    test = ruling.test
    if test is None:
        return ruling
    verdict = test.significant if p_holm < LEVEL else test.otherwise
    note = _more_seeds(ruling.n or 0, test, family) if verdict is Verdict.UNDECIDED else ""
    return replace(ruling, verdict=verdict, p_holm=p_holm, note=note)


def _of_difference(difference: Fraction, interval: Interval, p_value: float, n: int) -> Ruling:
    """Rule on a difference that must exceed the margin and not be there by chance."""
    otherwise, times = _flat(difference, interval)
    test = HolmTest(p_value, otherwise, otherwise, least=times, most=times)
    if difference > MARGIN:
        # The difference must stay above the margin as surely as the test is to be significant.
        reach = (float(difference) - interval.low) * _POWER_Z / _LIMIT_Z
        least = (reach / float(difference - MARGIN)) ** 2
        test = replace(test, significant=Verdict.SUPPORTED, least=least, most=math.inf)
    return _of_test(test, n, difference, interval)


def _of_test(test: HolmTest, n: int, difference: Fraction, interval: Interval) -> Ruling:
    ruling = Ruling(Verdict.UNDECIDED, int(n), None, float(difference), interval, test)
    return replace(_settled(ruling, test.p_value, family=1), p_holm=None)


def _of_rate(count: int, n: int, supported: bool, refuted: bool, limits: list[float]) -> Ruling:
    verdict = Verdict.REFUTED if refuted else Verdict.UNDECIDED
    verdict = Verdict.SUPPORTED if supported else verdict
    note = _seeds(count / n, limits) if verdict is Verdict.UNDECIDED else ""
    return Ruling(verdict, int(n), int(count), count / n, _exact(count, n), note=note)


def _exact(count: int, n: int) -> Interval:
    if check_count("count", count, "n", n)[1] == 0:
        raise ValueError("n=0 must be at least 1; there is no verdict without seeds")
    return clopper_pearson(count, n)


def _difference(count1: int, n1: int, count2: int, n2: int) -> tuple[Fraction, Interval]:
    """Return rate 1 - rate 2, unrounded since a round number is its limit, and the interval."""
    for count, n in ((count1, n1), (count2, n2)):
        _exact(count, n)
    difference = Fraction(int(count1), int(n1)) - Fraction(int(count2), int(n2))
    return difference, newcombe(count1, n1, count2, n2)


def _flat(difference: Fraction, interval: Interval) -> tuple[Verdict, float]:
    """Return the verdict without a test, and what multiple of the seeds should make it refuted."""
    verdict = Verdict.REFUTED if interval.high < MARGIN else Verdict.UNDECIDED
    if difference >= MARGIN:
        return verdict, math.inf
    reach = (interval.high - float(difference)) * (1 + _POWER_Z / _LIMIT_Z)
    return verdict, (reach / float(MARGIN - difference)) ** 2


def _seeds(rate: float, limits: list[float]) -> str:
    """Say how many seeds tell `rate` from the limits on both its sides, or from the nearest."""
    nearest = min(limits, key=lambda limit: abs(rate - limit))
    if abs(rate - nearest) < _TOO_CLOSE:
        return f"no number of seeds would do at a rate so close to {100 * nearest:g} %"
    between = min(limits) < rate < max(limits)
    power = (1 + _POWER) / 2 if between else _POWER
    asked = limits if between else [nearest]
    # A tail of 0.025 decides, so a two-sided test at that level is on the safe side.
    needed = max(seeds_to_distinguish(limit, rate, 0.025, power) for limit in asked)
    return f"{needed:,} seeds would do if the rate is the one seen"


def _more_seeds(n: int, test: HolmTest, family: int) -> str:
    """Say how many seeds should decide, since every uncertainty shrinks with their root."""
    seen = norm.isf(test.p_value / 2)
    asked = norm.isf(LEVEL / family / 2) + _POWER_Z
    times = min(max((asked / seen) ** 2 if seen > 0 else math.inf, test.least), test.most)
    if times > _TOO_MANY:
        return "no number of seeds would do with rates so close to the limits"
    return f"about {math.ceil(times * n):,} seeds in all would do if the rates are those seen"
