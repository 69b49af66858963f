"""Settings against each other: tests of equal rates, the interval of a difference, trends.

Two independent samples, pairs that share their seeds, and ordered groups. One rate against
theory is in `compare`.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import boschloo_exact, chi2, hypergeom, norm

from jaxlab.compare import Alternative, binomial_test, check_alternative
from jaxlab.tally import Interval, check_count, check_natural, wilson

_BOSCHLOO_LIMIT = 400


def boschloo(
    count1: int, n1: int, count2: int, n2: int, alternative: Alternative = "two-sided"
) -> float:
    """Return the p-value for two independent samples having the same rate.

    "less" asks whether rate 1 is below rate 2, "greater" whether above; "two-sided" doubles the
    smaller of the two. Up to n1 + n2 = 400 it is Boschloo's exact unconditional test
    (scipy.stats.boschloo_exact, whose time grows faster than n^2). Beyond that it is Fisher's
    exact test, whose p-value is never below Boschloo's, so it is valid but conservative: around
    p = 0.01 and at the switch larger by about a quarter for equal samples, by up to twofold for
    very unequal ones; the excess shrinks slowly with n. An empty sample gives 1. Raises
    ValueError unless 0 <= count <= n for both. Source: Boschloo, Stat. Neerl. 24 (1970) 1.

    >>> round(boschloo(1, 10, 8, 10, "less"), 6)
    0.001288
    """
    count1, n1 = check_count("count1", count1, "n1", n1)
    count2, n2 = check_count("count2", count2, "n2", n2)
    check_alternative(alternative)
    if n1 == 0 or n2 == 0:
        return 1.0
    if n1 + n2 <= _BOSCHLOO_LIMIT:
        table = [[count1, count2], [n1 - count1, n2 - count2]]
        return float(boschloo_exact(table, alternative).pvalue)
    hits = count1 + count2
    less = float(hypergeom.cdf(count1, n1 + n2, hits, n1))
    greater = float(hypergeom.cdf(count2, n1 + n2, hits, n2))
    both = min(1.0, 2 * min(less, greater))
    return {"less": less, "greater": greater, "two-sided": both}[alternative]


def newcombe(count1: int, n1: int, count2: int, n2: int, level: float = 0.95) -> Interval:
    """Return the interval of rate 1 - rate 2 for independent samples.

    The hybrid score interval, built from both Wilson intervals; its coverage is about `level`,
    not at least. An empty sample gives [-1, 1]. Raises ValueError as `wilson` does. Source:
    Newcombe, Stat. Med. 17 (1998) 873, method 10.

    >>> limits = newcombe(56, 70, 48, 80)
    >>> round(limits.low, 4), round(limits.high, 4)
    (0.0524, 0.3339)
    """
    count1, n1 = check_count("count1", count1, "n1", n1)
    count2, n2 = check_count("count2", count2, "n2", n2)
    one, two = wilson(count1, n1, level), wilson(count2, n2, level)
    if n1 == 0 or n2 == 0:
        return Interval(-1.0, 1.0)
    rate1, rate2 = count1 / n1, count2 / n2
    return Interval(
        rate1 - rate2 - math.hypot(rate1 - one.low, two.high - rate2),
        rate1 - rate2 + math.hypot(one.high - rate1, rate2 - two.low),
    )


def mcnemar(b: int, c: int, alternative: Alternative = "two-sided") -> float:
    """Return the exact p-value for two settings sharing their seeds to have the same rate.

    `b` members hit under the first setting only, `c` under the second only; those that agree
    carry no information. "greater" asks whether the first rate is the larger. Raises ValueError
    unless both are integers of at least 0. Source: McNemar, Psychometrika 12 (1947) 153.

    >>> round(mcnemar(1, 7), 7)
    0.0703125
    """
    b, c = check_natural("b", b), check_natural("c", c)
    return binomial_test(b, b + c, 0.5, alternative)


def paired_difference(b: int, c: int, n: int, level: float = 0.95) -> Interval:
    """Return the interval of rate 1 - rate 2 for two settings that share n seeds.

    `b` members hit under the first setting only, `c` under the second only. Wald's interval after
    half a member is added to each of the four kinds, cut to [-1, 1], where differences lie; its
    coverage is about `level`, not at least. A member moved from c to b moves neither limit down.
    Raises ValueError unless b and c are integers of at least 0 with b + c <= n. Source: Agresti and
    Min, Stat. Med. 24 (2005) 729.

    >>> limits = paired_difference(20, 10, 100)
    >>> round(limits.low, 4), round(limits.high, 4)
    (-0.0072, 0.2033)
    """
    check_count("b + c", check_natural("b", b) + check_natural("c", c), "n", n)
    only1, only2, total = b + 0.5, c + 0.5, n + 2
    middle = (only1 - only2) / total
    variance = ((only1 + only2) / total - middle**2) / total
    half = float(norm.isf((1 - level) / 2)) * math.sqrt(variance)
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


def cochran_q(hits: ArrayLike) -> tuple[float, float]:
    """Return (Q, p-value) for several settings sharing their seeds to have the same rate.

    `hits` (members, settings) says who hit under which. Q compares the spread of the settings'
    counts with what each member's own wavering explains, whatever the members' own rates; it is
    about chi-square with settings - 1 degrees of freedom. Where no member wavers: (0, 1). Raises
    ValueError unless there are at least two settings. Source: Cochran, Biometrika 37 (1950) 256.

    >>> q, p = cochran_q([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]])
    >>> round(q, 4), round(p, 4)
    (4.6667, 0.097)
    """
    table = np.asarray(hits, float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"hits have shape {table.shape}; they must be members x settings")
    settings = table.shape[1]
    counts, own = table.sum(axis=0), table.sum(axis=1)
    wavering = (own * (settings - own)).sum()
    if wavering == 0:
        return 0.0, 1.0
    q = settings * (settings - 1) * ((counts - counts.mean()) ** 2).sum() / wavering
    return float(q), float(chi2.sf(q, settings - 1))


def cochran_armitage(
    counts: ArrayLike,
    ns: ArrayLike,
    scores: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
) -> tuple[float, float]:
    """Return (z, p-value) of a linear trend of the rate over ordered groups.

    z > 0 where the rate rises with the score (0, 1, 2, ... unless given), which "greater" asks
    for. Normal approximation with the binomial variance of the pooled rate: in three groups of
    30 its error at a nominal 0.05 is at most 0.053, with a handful of hits far less. Where
    nothing or everything is a hit there is no trend to see: (0, 1). Raises ValueError for shapes
    that differ, counts outside 0 <= count <= n, and scores that are all the same where n > 0.
    Source: Armitage, Biometrics 11 (1955) 375.

    >>> z, p = cochran_armitage([10, 20, 30], [100, 100, 100])
    >>> round(z, 4), round(p, 6)
    (3.5355, 0.000407)
    """
    check_alternative(alternative)
    hits, n = np.asarray(counts, float), np.asarray(ns, float)
    t = np.arange(hits.size, dtype=float) if scores is None else np.asarray(scores, float)
    if not (hits.ndim == 1 and hits.shape == n.shape == t.shape):
        raise ValueError(
            f"counts, ns and scores have shapes {hits.shape}, {n.shape} and {t.shape}; "
            "they must be lists of one length"
        )
    if not np.all((hits >= 0) & (hits <= n)):
        raise ValueError(f"counts={hits.tolist()} must lie between 0 and ns={n.tolist()}")
    if not np.all(np.isfinite(t)) or np.unique(t[n > 0]).size < 2:
        raise ValueError(f"scores={t.tolist()} must be finite and differ between groups")
    pooled = hits.sum() / n.sum()
    centred = t - (n * t).sum() / n.sum()
    variance = pooled * (1 - pooled) * (n * centred**2).sum()
    if variance == 0:
        return 0.0, 1.0
    z = float((centred * hits).sum() / math.sqrt(variance))
    p = {"greater": norm.sf(z), "less": norm.cdf(z), "two-sided": 2 * norm.sf(abs(z))}
    return z, float(p[alternative])
