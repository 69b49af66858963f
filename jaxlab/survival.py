"""Time to success: the share of members still unsolved after every check, and what to expect.

Members are looked at only when there is a check: a success seen at one happened after the check
before it and no later than at it. Curves are exact at the checks and say nothing about the steps
between them. This file knows steps and flags, neither networks nor training.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import CensoredData, ecdf, norm

from jaxlab.tally import Interval, clopper_pearson, clopper_pearson_limits


@dataclass(frozen=True)
class Curve:
    """Hold the share of members not yet solved after each check.

    steps: 0 and then the checks; unsolved, low, high: the share and its pointwise 95 % interval
    after each of them, all 1 at step 0, before anything was looked at; n: members; certified: the
    share that is certified dead and was solved at no check, below which the curve cannot fall
    however long training goes on. The intervals of neighbouring steps share their members.
    """

    steps: np.ndarray
    unsolved: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    certified: float


def curve(first_solved: ArrayLike, checks: ArrayLike, certified: ArrayLike) -> Curve:
    """Return the curve of members that were all observed until the last of the same checks.

    `first_solved` (members,) is the step of the first check at which a member was solved, -1 if at
    none; `checks` the ascending steps of all checks; `certified` (members,) the death certificate,
    which counts only where a member was never solved. With no early censoring Kaplan and Meier's
    estimate is the plain share, so the intervals are exact (Clopper-Pearson). Raises ValueError
    for shapes that differ, no members, checks that do not ascend from 1 and a step that is none.

    >>> found = curve([2, -1, 8, 2], checks=[2, 4, 8], certified=[False, True, False, False])
    >>> found.unsolved.tolist(), found.certified
    ([1.0, 0.5, 0.5, 0.25], 0.25)
    """
    steps, first = _whole("checks", checks), _whole("first_solved", first_solved)
    dead = np.asarray(certified, bool)
    if not steps.size or steps[0] < 1 or np.any(np.diff(steps) <= 0):
        raise ValueError(f"checks={steps.tolist()} must be steps of at least 1 that ascend")
    if first.size == 0 or dead.shape != first.shape:
        raise ValueError(
            f"first_solved and certified have shapes {first.shape} and {dead.shape}; "
            "they must be one number and one flag for each of at least one member"
        )
    strange = np.setdiff1d(first, [-1, *steps])
    if strange.size:
        raise ValueError(f"first_solved={strange[0]} must be -1 or one of the {steps.size} checks")
    solved = np.searchsorted(np.sort(first[first > 0]), steps, side="right")
    left, n = first.size - solved, first.size
    low, high = clopper_pearson_limits(left, n)
    return Curve(
        steps=np.concatenate([[0], steps]),
        unsolved=np.concatenate([[1.0], left / n]),
        low=np.concatenate([[1.0], low]),
        high=np.concatenate([[1.0], high]),
        n=n,
        certified=float(np.mean(dead & (first < 0))),
    )


def kaplan_meier(
    times: ArrayLike, observed: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (steps, unsolved, low, high) of members that were observed for different times.

    `times` (members,) is the step of a member's first solved check where `observed` is true, else
    of its last check; for members of runs of different lengths, pooled. Assumes that a member's
    last check says nothing about its success later: one that is certified dead belongs in with the
    longest time of all. `steps` is 0 and every distinct time. The 95 % bands are pointwise and
    approximate (Greenwood's variance on the scale of log(-log)). Where that is undefined, bounds
    are borrowed: while all are unsolved the lower one is the exact one of the members still
    watched; once none is left the limits are 0 and the upper one of the step before. Raises
    ValueError for shapes that differ, no members and times below 1. Source: Kaplan and Meier, JASA
    53 (1958) 457, by scipy.stats.ecdf.

    >>> steps, unsolved, low, high = kaplan_meier([1, 2, 2, 3], [True, True, False, False])
    >>> steps.tolist(), unsolved.tolist()
    ([0, 1, 2, 3], [1.0, 0.75, 0.5, 0.5])
    """
    ends, seen = _whole("times", times), np.asarray(observed, bool)
    if ends.size == 0 or seen.shape != ends.shape or ends.min(initial=1) < 1:
        raise ValueError(
            f"times and observed have shapes {ends.shape} and {seen.shape}; they must be a step of "
            "at least 1 and a flag for each of at least one member"
        )
    estimate = ecdf(CensoredData.right_censored(ends, ~seen)).sf
    steps, unsolved = estimate.quantiles, estimate.probabilities
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where all or none are left
        band = estimate.confidence_interval(0.95, method="log-log")
    low, high = band.low.probabilities, band.high.probabilities
    watched, _ = _at_risk(ends, seen, steps)
    whole = unsolved == 1
    low[whole], high[whole] = clopper_pearson_limits(watched[whole], watched[whole])
    if unsolved[-1] == 0:
        low[-1] = 0.0
        high[-1] = high[-2] if high.size > 1 else clopper_pearson(0, ends.size).high
    return (
        np.append(0, steps).astype(int),
        np.append(1.0, unsolved),
        np.append(1.0, low),
        np.append(1.0, high),
    )


def log_rank(
    first_a: ArrayLike, last_a: ArrayLike, first_b: ArrayLike, last_b: ArrayLike
) -> tuple[float, float]:
    """Return (z, two-sided p-value) for two settings taking equally long to success.

    `first` (members,) is the step of the first solved check, -1 for none; `last`, a number or one
    for each member, that of the last check. z > 0 where a is solved sooner. Normal approximation
    with the variance for ties, which is right if both were checked at the same steps: a finer grid
    alone makes a setting look faster. With no success, or nobody else left at any, (0, 1). Raises
    ValueError for no members, and unless -1 or 1 <= first <= last. Source: Mantel, Cancer
    Chemother. Rep. 50 (1966) 163.

    >>> z, p = log_rank([1, 1, 2, -1], 4, [2, 4, -1, -1], 4)
    >>> round(z, 4), round(p, 4)
    (1.099, 0.2718)
    """
    # scipy.stats.logrank multiplies four counts as 64-bit integers, which overflow without a word
    # at some 60,000 members a group; hence not that.
    a, b = _observations("a", first_a, last_a), _observations("b", first_b, last_b)
    steps = np.unique(np.concatenate([times[seen] for times, seen in (a, b)]))
    (risk_a, hits_a), (risk_b, hits_b) = _at_risk(*a, steps), _at_risk(*b, steps)
    risk, hits = risk_a + risk_b, hits_a + hits_b
    share = risk_a / risk
    variance = hits * share * (1 - share) * (risk - hits) / np.maximum(risk - 1, 1)
    if variance.sum() == 0:
        return 0.0, 1.0
    z = float((hits_a - hits * share).sum() / math.sqrt(variance.sum()))
    return z, float(2 * norm.sf(abs(z)))


def median_step(found: Curve) -> tuple[int, int] | None:
    """Return the (previous check, check] in which half of the members came to be solved.

    None when fewer than half were solved at any check.

    >>> median_step(curve([2, -1, 8, 8], checks=[2, 4, 8], certified=[False] * 4))
    (4, 8)
    """
    reached = np.flatnonzero(found.unsolved <= 0.5)
    if not reached.size:
        return None
    return int(found.steps[reached[0] - 1]), int(found.steps[reached[0]])


@dataclass(frozen=True)
class Share:
    """Count `count` of `n` members."""

    count: int
    n: int

    @property
    def rate(self) -> float:
        """Return the share."""
        return self.count / self.n

    @property
    def interval(self) -> Interval:
        """Return the exact 95 % interval of the share."""
        return clopper_pearson(self.count, self.n)


@dataclass(frozen=True)
class Prospects:
    """Say how many were solved at a check, never will be, and may yet be.

    solved: at some check, lost again or not; never: certified dead, so that no more time helps;
    undecided: neither. Of the undecided nothing is promised: they need more time, or are stuck in
    a way that no certificate covers (diverged, oscillating, trained with weight decay).
    """

    solved: Share
    never: Share
    undecided: Share


def prospects(found: Curve) -> Prospects:
    """Return whether those not solved by the last check need more time or cannot be helped by it.

    >>> found = curve([2, -1, 8, -1], checks=[2, 8], certified=[False, True, False, False])
    >>> prospects(found).never, prospects(found).undecided.rate
    (Share(count=1, n=4), 0.25)
    """
    left, never = round(found.unsolved[-1] * found.n), round(found.certified * found.n)
    counts = (found.n - left, never, left - never)
    return Prospects(*(Share(count, found.n) for count in counts))


def _observations(name: str, first: ArrayLike, last: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps until which members were unsolved, and whether success ended it."""
    first = _whole(f"first_{name}", first)
    if first.size == 0:
        raise ValueError(f"first_{name} is empty; a group needs at least one member")
    end = np.broadcast_to(np.asarray(last), first.shape)
    seen = first != -1
    if np.any(end < 1) or np.any(seen & ((first < 1) | (first > end))):
        raise ValueError(f"first_{name} must be -1 or lie between 1 and last_{name}, at least 1")
    return np.where(seen, first, end), seen


def _at_risk(
    times: np.ndarray, seen: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many were unsolved and watched just before each step, and how many it solved."""
    ends, hits = np.sort(times), np.sort(times[seen])
    watched = times.size - np.searchsorted(ends, steps)
    solved = np.searchsorted(hits, steps, side="right") - np.searchsorted(hits, steps)
    return watched.astype(float), solved.astype(float)


def _whole(name: str, values: ArrayLike) -> np.ndarray:
    """Return a list of integers as an array; ValueError naming it otherwise."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(
            f"{name} has dtype {array.dtype}, shape {array.shape}; it must be a list of integers"
        )
    return array
