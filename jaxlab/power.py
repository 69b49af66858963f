"""How many seeds a question needs, and what a number of seeds can tell, from exact binomial tails.

Exact intervals and tests of counts do not improve steadily with n: they saw up and down as the
integers fall. Every number of seeds here is therefore the smallest from which on the goal is met
for good, so that a run a little longer than planned is never worse off than the plan.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy import special
from scipy.stats import binom

from jaxlab.tally import check_inside_unit, check_probability, clopper_pearson_limits

_MOST_SEEDS = 2**40
_BLOCK = 256
_EXACT_EACH = 200  # seeds of each of two settings up to which their test is computed exactly


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
    _check_question({"p0": p0, "p1": p1}, alpha, power)
    return _smallest_for_good(
        lambda n: binomial_power(n, p0, p1, alpha) >= power,
        # Two counts to spare: the critical value moves by one with the integers, and by another
        # one with what lies across the mean.
        safe=lambda n: binomial_power(n, p0, p1, alpha, spare=2) >= power,
        goal=f"p0={p0} against p1={p1}",
        start=_normal_guess(p0, p1, alpha, power),
    )


def _check_question(rates: Mapping[str, float], alpha: float, power: float) -> None:
    """Raise ValueError unless two rates, by name, can be told apart at such a level and power."""
    for name, rate in rates.items():
        check_probability(name, rate)
    check_inside_unit("alpha", alpha)
    check_inside_unit("power", power)
    if len(set(rates.values())) == 1:
        told = " and ".join(f"{name}={rate}" for name, rate in rates.items())
        raise ValueError(f"{told} must differ to be told apart")


def binomial_power(n: np.ndarray, p0: float, p1: float, alpha: float, spare: int = 0) -> np.ndarray:
    """Return the probability that the exact two-sided test of p0 gives p < alpha under p1.

    `n` is an array of numbers of trials. With `spare` the count must clear the critical value on
    its side by that many counts more.

    >>> float(binomial_power(np.array([5]), 0.5, 1.0, alpha=0.1)[0])
    1.0
    """
    n = np.atleast_1d(np.asarray(n, dtype=np.int64))
    low, high = _rejected(n, p0, alpha)
    return binom.cdf(low - spare, n, p1) + binom.sf(high + spare - 1, n, p1)


def seeds_without_failure(rate: float, level: float = 0.95) -> int:
    """Return after how many seeds without a single failure their rate is known to be below `rate`.

    The smallest n whose one-sided exact upper limit for a count of 0 is at most `rate`; about
    3 / rate at the level 0.95 (the "rule of three"). Raises ValueError unless both lie strictly
    between 0 and 1.

    >>> seeds_without_failure(0.01)
    299
    """
    check_inside_unit("rate", rate)
    check_inside_unit("level", level)
    # Not rounded up across a whole number that is met: 1 - 0.95 is a little more than 0.05.
    return max(1, math.ceil(math.log1p(-level) / math.log1p(-rate) - 1e-9))


def two_sample_power(n: int, p1: float, p2: float, alpha: float) -> float:
    """Return the chance that n seeds of each of two settings tell their rates p1 and p2 apart.

    The test is Fisher's exact one, the smaller tail doubled, with p < alpha; that of
    `contrast.boschloo` for small samples is never less powerful. Exact; takes n^2 memory.

    >>> round(two_sample_power(20, 0.1, 0.6, alpha=0.05), 4)
    0.9085
    """
    check_probability("p1", p1)
    check_probability("p2", p2)
    check_inside_unit("alpha", alpha)
    if n < 1:
        raise ValueError(f"n={n} must be at least 1")
    counts = np.arange(n + 1)
    return float(binom.pmf(counts, n, p1) @ _told_apart(n, alpha) @ binom.pmf(counts, n, p2))


@lru_cache(maxsize=512)
def _told_apart(n: int, alpha: float) -> np.ndarray:
    """Return of which pairs of counts (n + 1, n + 1) the test finds the rates different."""
    hits = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(hits + 1) - special.gammaln(n - hits + 1)
    other = np.arange(2 * n + 1)[:, None] - hits  # of every total, what the second setting has
    possible = (other >= 0) & (other <= n)
    chance = np.where(possible, ways + ways[np.clip(other, 0, n)], -np.inf)
    chance = np.exp(chance - chance.max(axis=1, keepdims=True))
    less = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    table = less[hits[:, None] + hits, hits[:, None]]
    return 2 * np.minimum(table, table.T) < alpha  # of samples of one size the tails mirror


def seeds_to_compare(p1: float, p2: float, alpha: float, power: float) -> int:
    """Return how many seeds each of two settings needs for their rates to be told apart.

    By `two_sample_power`, and for good, up to 200 seeds each; beyond by the formula of Casagrande,
    Pike and Smith (Biometrics 34 (1978) 483), which meets the power to 0.01 and asks for a few
    more seeds than needed where a rate is near 0 or 1. Raises ValueError as `seeds_to_distinguish`
    does.

    >>> seeds_to_compare(0.1, 0.6, alpha=0.05, power=0.8), seeds_to_compare(0.25, 0.3, 0.05, 0.8)
    (17, 1291)
    """
    _check_question({"p1": p1, "p2": p2}, alpha, power)
    about = _casagrande(p1, p2, alpha, power)
    if about > _MOST_SEEDS:
        raise ValueError(f"p1={p1} against p2={p2} needs more than 2**40 seeds; ask for less")
    if about > _EXACT_EACH:
        return math.ceil(about)
    sure = math.ceil(1.1 * about) + 10
    failing = (n for n in range(sure, 0, -1) if two_sample_power(n, p1, p2, alpha) < power)
    return next(failing, 0) + 1


def _casagrande(p1: float, p2: float, alpha: float, power: float) -> float:
    difference, middle = abs(p1 - p2), (p1 + p2) / 2
    reach = special.ndtri(1 - alpha / 2) * math.sqrt(2 * middle * (1 - middle))
    reach += special.ndtri(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    area = max(reach, 0.0) ** 2
    return (math.sqrt(area) + math.sqrt(area + 4 * difference)) ** 2 / (4 * difference**2)


def detectable(n: int, p0: float, alpha: float, power: float) -> tuple[float, float]:
    """Return the rates nearest to p0 that n seeds tell from it: below it and above.

    A rate is told if the exact test of p0 gives p < alpha with probability at least `power`; nan
    stands on a side where none is. Raises ValueError unless n >= 1, 0 <= p0 <= 1, and alpha and
    power lie strictly between 0 and 1.

    >>> [round(rate, 2) for rate in detectable(210, 0.5, alpha=0.05, power=0.8)]
    [0.4, 0.6]
    """
    check_probability("p0", p0)
    check_inside_unit("alpha", alpha)
    check_inside_unit("power", power)
    trials = np.atleast_1d(np.int64(_checked_seeds(n)))
    low, high = _rejected(trials, p0, alpha)

    def told(p1: float) -> bool:
        return bool((binom.cdf(low, trials, p1) + binom.sf(high - 1, trials, p1))[0] >= power)

    return _nearest(told, p0, 0.0), _nearest(told, p0, 1.0)


def comparable(n: int, p1: float, alpha: float, power: float) -> tuple[float, float]:
    """Return the rates nearest to p1 that another setting must have to be told from it.

    Both settings have n seeds; as `detectable`, by the test of `seeds_to_compare`.

    >>> [round(rate, 2) for rate in comparable(1291, 0.25, alpha=0.05, power=0.8)]
    [0.2, 0.3]
    """
    check_probability("p1", p1)
    check_inside_unit("alpha", alpha)
    check_inside_unit("power", power)
    _checked_seeds(n)

    def told(p2: float) -> bool:
        if n <= _EXACT_EACH:
            return two_sample_power(n, p1, p2, alpha) >= power
        return _casagrande(p1, p2, alpha, power) <= n

    return _nearest(told, p1, 0.0), _nearest(told, p1, 1.0)


def _checked_seeds(n: int) -> int:
    if not 1 <= n <= _MOST_SEEDS:
        raise ValueError(f"n={n} must be at least 1 and at most 2**40")
    return n


def _nearest(told: Callable[[float], bool], p: float, end: float) -> float:
    """Return the rate nearest to p, towards an end, that is told from it; nan if the end is not."""
    if p == end or not told(end):
        return math.nan
    near, far = p, end
    while abs(far - near) > 1e-7:
        middle = (near + far) / 2
        near, far = (near, middle) if told(middle) else (middle, far)
    return far


def _rejected(n: np.ndarray, p0: float, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return up to and from which counts the test of p0 rejects it."""
    return _rejected_below(n, p0, alpha), n - _rejected_below(n, 1 - p0, alpha)


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
    """Return a little more than the seeds the normal approximation asks for."""
    reach = special.ndtri(1 - alpha / 2) * np.sqrt(p0 * (1 - p0))
    reach += special.ndtri(power) * np.sqrt(p1 * (1 - p1))
    return int(min(1.05 * (reach / (p1 - p0)) ** 2 + 10, _MOST_SEEDS))


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
    size = _BLOCK
    while high > 1:
        block = np.arange(max(1, high - size), high)
        failing = np.flatnonzero(~holds(block))
        if failing.size:
            return int(block[failing[-1]]) + 1
        high, size = int(block[0]), 2 * size
    return 1
