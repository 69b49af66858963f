"""How many seeds a question needs, from exact binomial tails.

Exact intervals and tests of counts do not improve steadily with n: they saw up and down as the
integers fall. Every answer here is therefore the smallest n from which on the goal is met for
good, so that a run a little longer than planned is never worse off than the plan.
"""

from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.stats import binom

from jaxlab.tally import check_inside_unit, check_probability, clopper_pearson_limits

_MOST_SEEDS = 2**40
_BLOCK = 1024


def seeds_for_interval(rate: float, half_width: float, level: float = 0.95) -> int:
    """Return the smallest n from which on the interval of the expected count is narrow enough.

    For the n returned and every larger one, the Clopper-Pearson interval at the integer nearest
    to n * rate (a tie goes towards n / 2) has a half-width of at most `half_width`. A count by
    chance nearer to n / 2 has a wider interval; rate=0.5 is the worst case and covers them all.
    Raises ValueError unless 0 <= rate <= 1, 0 < half_width < 0.5 and 0 < level < 1, and when
    more than 2**40 seeds would be needed.

    >>> seeds_for_interval(0.5, 0.01)
    9701
    """
    check_probability("rate", rate)
    check_inside_unit("level", level)
    if not 0 < half_width < 0.5:
        raise ValueError(f"half_width={half_width} must lie strictly between 0 and 0.5")
    rare = min(rate, 1 - rate)

    def narrow(count: np.ndarray, n: np.ndarray) -> np.ndarray:
        low, high = clopper_pearson_limits(count, n, level)
        return high - low <= 2 * half_width

    # Rounding errors of n * rate must not turn a count just below a tie into the next lower one.
    dust = 1e-9
    return _smallest_for_good(
        lambda n: narrow(np.floor(n * rare + 0.5 + dust), n),
        safe=lambda n: narrow(np.minimum(n * rare + 0.5 + dust, n / 2), n),
        goal=f"half_width={half_width}",
    )


def seeds_to_distinguish(p0: float, p1: float, alpha: float, power: float) -> int:
    """Return the smallest n from which on the exact binomial test of p0 finds p1 out.

    For the n returned and every larger one, the two-sided exact test of the rate p0 gives
    p < alpha with probability at least `power` when the rate is p1. A member of a Holm family of
    m tests is safe with alpha / m. Raises ValueError unless p0 and p1 differ and lie in [0, 1]
    and alpha and power lie strictly between 0 and 1, and when more than 2**40 seeds would be
    needed.

    >>> seeds_to_distinguish(0.5, 0.6, alpha=0.05, power=0.8)
    210
    """
    check_probability("p0", p0)
    check_probability("p1", p1)
    check_inside_unit("alpha", alpha)
    check_inside_unit("power", power)
    if p0 == p1:
        raise ValueError(f"p0={p0} and p1={p1} must differ to be told apart")
    return _smallest_for_good(
        lambda n: binomial_power(n, p0, p1, alpha) >= power,
        safe=lambda n: binomial_power(n, p0, p1, alpha, spare=1) >= power,
        goal=f"p0={p0} against p1={p1}",
        start=_normal_guess(p0, p1, alpha, power),
    )


def binomial_power(n: np.ndarray, p0: float, p1: float, alpha: float, spare: int = 0) -> np.ndarray:
    """Return the probability that the exact two-sided test of p0 gives p < alpha under p1.

    `n` is an array of numbers of trials. With `spare` the count must clear the critical value on
    its side by that many counts more.

    >>> float(binomial_power(np.array([5]), 0.5, 1.0, alpha=0.1)[0])
    1.0
    """
    n = np.atleast_1d(np.asarray(n, dtype=np.int64))
    low = _rejected_below(n, p0, alpha) - spare
    high = n - _rejected_below(n, 1 - p0, alpha) + spare
    return binom.cdf(low, n, p1) + binom.sf(high - 1, n, p1)


def _rejected_below(n: np.ndarray, p: float, alpha: float) -> np.ndarray:
    """Return the largest count up to n * p that the two-sided test of p rejects, -1 if none."""
    below, above = np.floor(n * p).astype(np.int64), np.ceil(n * p).astype(np.int64)

    def accepted(count: np.ndarray) -> np.ndarray:
        # The test adds up all counts no more probable than this one; equal ones across the
        # mean differ by rounding, hence the factor (scipy.stats.binomtest uses the same).
        density = binom.pmf(count, n, p) * (1 + 1e-7)
        across = _first_true(lambda x: binom.pmf(x, n, p) <= density, above, n + 1)
        return binom.cdf(count, n, p) + binom.sf(across - 1, n, p) >= alpha

    return _first_true(accepted, np.zeros_like(n), below + 1) - 1


def _first_true(
    predicate: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Bisect, elementwise, for the first x in low <= x < high that is true, else high."""
    while np.any(low < high):
        middle = (low + high) // 2
        true = predicate(middle) | (low >= high)
        low, high = np.where(true, low, middle + 1), np.where(true, middle, high)
    return high


def _normal_guess(p0: float, p1: float, alpha: float, power: float) -> int:
    """Return roughly half the seeds the normal approximation asks for, at least 1."""
    reach = special.ndtri(1 - alpha / 2) * np.sqrt(p0 * (1 - p0))
    reach += special.ndtri(power) * np.sqrt(p1 * (1 - p1))
    return max(1, int(min((reach / (p1 - p0)) ** 2 / 2, _MOST_SEEDS)))


def _smallest_for_good(
    holds: Callable[[np.ndarray], np.ndarray],
    safe: Callable[[np.ndarray], np.ndarray],
    goal: str,
    start: int = 1,
) -> int:
    """Return the smallest n from which on `holds` is true.

    `safe` at n must imply `holds` at n and at every larger n. It marks a place beyond the last
    tooth of the saw, from which the walk back to the last n that fails can begin.
    """
    high = start
    while not safe(np.array([high]))[0]:
        high *= 2
        if high > _MOST_SEEDS:
            raise ValueError(f"{goal} needs more than 2**40 seeds; ask for less")
    low = high // 2
    while high - low > _BLOCK:
        grid = np.linspace(low, high, 33).astype(np.int64)
        first = max(1, int(np.argmax(safe(grid))))
        low, high = int(grid[first - 1]), int(grid[first])
    while high > 1:
        block = np.arange(max(1, high - _BLOCK), high)
        failing = np.flatnonzero(~holds(block))
        if failing.size:
            return int(block[failing[-1]]) + 1
        high = int(block[0])
    return 1
