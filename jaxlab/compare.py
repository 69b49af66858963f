"""Counts against theory: exact tests of one rate and the verdicts on predictions.

This file holds the rules by which a count agrees with a prediction or does not, fixed before
any count is seen. Counting and the intervals of one rate are in `tally`, settings against each
other in `contrast`, the seeds a test needs in `power`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, cast, get_args

import numpy as np
from scipy.stats import binom, binomtest

from jaxlab.tally import Interval, check_count, check_probability, clopper_pearson
from jaxlab.theory.prediction import Prediction

Alternative = Literal["two-sided", "less", "greater"]

REJECTION_LEVEL = 1e-3
"""Exact predictions and bounds are rejected where the Holm p-value is below this."""
EQUIVALENCE_LEVEL = 0.05
"""Approximate predictions are consistent where the equivalence p-value is below this."""
RESOLUTION = 0.01
"""The largest half-width of the 95 % interval at which not being rejected means something."""

_ALTERNATIVES: dict[str, Alternative] = {
    "exact": "two-sided",
    "lower bound": "less",
    "upper bound": "greater",
}


def binomial_test(count: int, n: int, p: float, alternative: Alternative = "two-sided") -> float:
    """Return the exact p-value of `count` hits in `n` trials when the rate is `p`.

    "less" asks whether the rate is below `p`, "greater" whether above; "two-sided" adds up all
    counts that are at most as probable as the one seen. n = 0 gives 1. Raises ValueError unless
    0 <= count <= n and 0 <= p <= 1. Source: scipy.stats.binomtest.

    >>> round(binomial_test(0, 5, 0.5), 10), binomial_test(1, 5, 0.0)
    (0.0625, 0.0)
    """
    count, n = check_count("count", count, "n", n)
    check_probability("p", p)
    check_alternative(alternative)
    # scipy's probabilities overflow for smaller rates; no n makes them differ from 0.
    p = 0.0 if p < 1e-290 else p
    return float(binomtest(count, n, p, alternative).pvalue) if n else 1.0


def check_alternative(alternative: str) -> None:
    """Raise ValueError unless `alternative` is one of the three."""
    if alternative not in get_args(Alternative):
        raise ValueError(
            f"alternative={alternative!r} must be one of {', '.join(get_args(Alternative))}"
        )


def equivalence(count: int, n: int, p: float, margin: float) -> float:
    """Return the exact p-value for the claim that the rate is less than `margin` away from `p`.

    Two one-sided binomial tests: the hypotheses rate <= p - margin and rate >= p + margin must
    both be refuted, the larger p-value counts. A hypothesis no rate can meet (p - margin < 0 or
    p + margin > 1) is refuted for free. A small value speaks *for* agreement. Raises ValueError
    unless 0 <= count <= n, 0 <= p <= 1 and margin > 0. Source: Schuirmann, J. Pharmacokinet.
    Biopharm. 15 (1987) 657, with binomial tails.

    >>> round(equivalence(50, 100, 0.5, 0.1), 6)
    0.027099
    """
    count, n = check_count("count", count, "n", n)
    check_probability("p", p)
    if not 0 < margin < math.inf:
        raise ValueError(f"margin={margin} must be above 0 and finite")
    below = float(binom.sf(count - 1, n, p - margin)) if p - margin >= 0 else 0.0
    above = float(binom.cdf(count, n, p + margin)) if p + margin <= 1 else 0.0
    return max(below, above)


def holm(p_values: Sequence[float | None] | np.ndarray) -> np.ndarray:
    """Return p-values adjusted so that the chance of any false rejection stays at the level.

    `p_values` is one-dimensional; nan and None are no part of the family and stay nan. Holds
    under any dependence. Raises ValueError for a value outside [0, 1]. Source: Holm, Scand. J.
    Stat. 6 (1979) 65.

    >>> holm([0.01, None, 0.04, 0.03]).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    adjusted = np.array([math.nan if p is None else p for p in p_values], dtype=float)
    family = np.flatnonzero(~np.isnan(adjusted))
    p = adjusted[family]
    if np.any((p < 0) | (p > 1)):
        raise ValueError(f"p_values={p.tolist()} must lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(p.size, 0, -1)
    adjusted[family[order]] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


class Verdict(StrEnum):
    """Name what a count says about a prediction."""

    CONSISTENT = "consistent"
    REJECTED = "rejected"
    UNDECIDED = "undecided"
    VACUOUS = "vacuous"
    NO_PREDICTION = "no prediction"


@dataclass(frozen=True)
class Comparison:
    """Hold one count against one prediction: a row of predictions.csv.

    `observed` is nan when n = 0, and the interval is the exact 95 % one. `p_value` belongs to
    the test the kind calls for: for exact predictions and bounds a small one speaks against the
    prediction; for approximate ones it is that of `equivalence`, and a small one speaks for it.
    `p_holm` is None for the latter and for bounds that no count could contradict, which belong to
    no family, and both are None without a prediction.
    """

    setting: str
    event: str
    n: int
    count: int
    observed: float
    ci_low: float
    ci_high: float
    prediction: str
    kind: str
    predicted: float | None
    p_value: float | None
    p_holm: float | None
    verdict: Verdict
    source: str


def compare_all(rows: Sequence[tuple[str, int, int, Prediction]]) -> list[Comparison]:
    """Hold every (setting, count, n, prediction) of a sweep against its prediction.

    All exact predictions and bounds in `rows` form one Holm family, so a sweep is handed in
    whole. An exact prediction is rejected at a Holm p-value below 1e-3 of the two-sided test; a
    lower bound likewise if the rate is significantly below it, an upper bound above. What is not
    rejected is consistent if the interval's half-width is at most 0.01, else undecided. A bound
    that no count of n could contradict (`can_fail`) is in no family, and vacuous in place of
    consistent; a lower bound of 0 or an upper one of 1 is vacuous whatever n is. An approximate
    prediction is consistent if the rate is shown to lie within the tolerance (p < 0.05), rejected
    if the interval is disjoint from predicted +- tolerance, else undecided. Raises ValueError
    unless 0 <= count <= n.
    """
    p_values = [_p_value(count, n, prediction) for _, count, n, prediction in rows]
    adjusted = holm(
        [
            p if row[3].kind in _ALTERNATIVES and can_fail(row[3], row[2]) else None
            for row, p in zip(rows, p_values, strict=True)
        ]
    )
    return [
        _compare(row, p, None if math.isnan(p_holm) else p_holm)
        for row, p, p_holm in zip(rows, p_values, adjusted.tolist(), strict=True)
    ]


def can_fail(prediction: Prediction, n: int) -> bool:
    """Say whether some count of n members would contradict a prediction; only bounds may not.

    The count farthest from a bound must have a p-value below 1e-3 alone. Lower bounds of 0 and
    upper bounds of 1 hold whatever is counted, bounds near them unless n is large.

    >>> bound = Prediction("a law", "born_dead", "lower bound", 0.001, "counting", "none")
    >>> can_fail(bound, 1000), can_fail(bound, 10_000)
    (False, True)
    """
    farthest = {"lower bound": 0, "upper bound": n}
    if prediction.probability is None or prediction.kind not in farthest:
        return True
    return (_p_value(farthest[prediction.kind], n, prediction) or 0.0) < REJECTION_LEVEL


def _p_value(count: int, n: int, prediction: Prediction) -> float | None:
    if prediction.probability is None:
        return None
    if prediction.kind in _ALTERNATIVES:
        return binomial_test(count, n, prediction.probability, _ALTERNATIVES[prediction.kind])
    # The record itself refuses an approximate probability without a tolerance.
    return equivalence(count, n, prediction.probability, cast(float, prediction.tolerance))


def _compare(
    row: tuple[str, int, int, Prediction], p_value: float | None, p_holm: float | None
) -> Comparison:
    setting, count, n, prediction = row
    interval = clopper_pearson(count, n)
    return Comparison(
        setting=setting,
        event=prediction.event,
        n=n,
        count=count,
        observed=count / n if n else math.nan,
        ci_low=interval.low,
        ci_high=interval.high,
        prediction=prediction.name,
        kind=prediction.kind,
        predicted=prediction.probability,
        p_value=p_value,
        p_holm=p_holm,
        verdict=_verdict(interval, prediction, p_value, p_holm),
        source=_source(prediction),
    )


def _source(prediction: Prediction) -> str:
    """Return where the number comes from and how close it claims to be, or why there is none."""
    if prediction.probability is None:
        return f"none: {prediction.reason}"
    if prediction.tolerance is None:
        return prediction.source
    return f"{prediction.source}; claimed within {100 * prediction.tolerance:.2g} points"


def _verdict(
    interval: Interval,
    prediction: Prediction,
    p_value: float | None,
    p_holm: float | None,
) -> Verdict:
    if prediction.probability is None or p_value is None:
        return Verdict.NO_PREDICTION
    if prediction.kind in _ALTERNATIVES:
        return _of_test(interval, prediction, p_holm)
    if p_value < EQUIVALENCE_LEVEL:
        return Verdict.CONSISTENT
    tolerance = cast(float, prediction.tolerance)
    allowed = Interval(prediction.probability - tolerance, prediction.probability + tolerance)
    return Verdict.REJECTED if interval.disjoint(allowed) else Verdict.UNDECIDED


def _of_test(interval: Interval, prediction: Prediction, p_holm: float | None) -> Verdict:
    """Return the verdict on an exact prediction or a bound; without a p_holm it cannot fail."""
    if p_holm is not None and p_holm < REJECTION_LEVEL:
        return Verdict.REJECTED
    narrow = interval.half_width <= RESOLUTION
    if p_holm is None and (narrow or prediction.probability in (0, 1)):
        return Verdict.VACUOUS
    return Verdict.CONSISTENT if narrow else Verdict.UNDECIDED
