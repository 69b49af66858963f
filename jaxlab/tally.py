"""Counts of outcomes and exact intervals for their rates.

This file turns one class per member into counts, merges counts, and says how well a count pins
down a rate. It knows neither networks nor theory: classes are names, handed in as data.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Tally:
    """Count how many members ended in each class.

    `counts` maps every class to its count, those with a count of 0 too, in the order of the
    list of classes. It is copied on construction. `improving` is how many of the failed were still
    improving and may yet learn, in whatever class. Raises ValueError for a count that is not an
    integer of at least 0, and for more of the improving than failed.

    >>> Tally({"solved": 28, "dead": 70, "other": 2}).failed
    72
    """

    counts: Mapping[str, int]
    improving: int = 0

    def __post_init__(self) -> None:
        counts = {name: check_natural(f"counts[{name!r}]", k) for name, k in self.counts.items()}
        object.__setattr__(self, "counts", counts)
        failed = self.n - counts.get("solved", 0)
        if check_natural("improving", self.improving) > failed:
            raise ValueError(f"improving={self.improving} must be at most {failed}, the failed")

    @classmethod
    def of(cls, names: Sequence[str], codes: np.ndarray) -> "Tally":
        """Count integer codes, each the index of its class in `names`.

        `codes` may have any shape. Raises ValueError for repeated names, codes that are not
        integers, and codes outside 0 <= code < len(names).

        >>> Tally.of(("solved", "dead"), np.array([1, 0, 1])).counts
        {'solved': 1, 'dead': 2}
        """
        if len(set(names)) != len(names):
            raise ValueError(f"names={list(names)} repeats a class; every class is named once")
        flat = np.asarray(codes).ravel()
        if flat.size == 0:
            return cls(dict.fromkeys(names, 0))
        if not np.issubdtype(flat.dtype, np.integer):
            raise ValueError(f"codes has dtype {flat.dtype}; it must hold integers")
        if flat.min() < 0 or flat.max() >= len(names):
            raise ValueError(
                f"codes lie in [{flat.min()}, {flat.max()}]; with {len(names)} names they must "
                f"lie in [0, {len(names) - 1}]"
            )
        return cls(dict(zip(names, np.bincount(flat, minlength=len(names)), strict=True)))

    @property
    def n(self) -> int:
        """Return the number of members counted."""
        return sum(self.counts.values())

    @property
    def solved(self) -> int:
        """Return the number of members in the class `solved`."""
        return self._count("solved")

    @property
    def failed(self) -> int:
        """Return the number of members in any class but `solved`."""
        return self.n - self.solved

    def rate(self, *classes: str) -> float:
        """Return the share of members in any of `classes`, each class taken once.

        It is nan when nothing was counted. Raises ValueError for a class the tally lacks.

        >>> Tally({"solved": 1, "dead": 2, "linear": 1}).rate("dead", "linear")
        0.75
        """
        count = sum(self._count(name) for name in set(classes))
        return count / self.n if self.n else math.nan

    def __add__(self, other: "Tally") -> "Tally":
        """Merge two tallies of the same classes in the same order; ValueError otherwise."""
        if not isinstance(other, Tally):
            return NotImplemented
        if list(self.counts) != list(other.counts):
            raise ValueError(
                f"tallies of {list(self.counts)} and {list(other.counts)} cannot be merged; "
                "the classes and their order must be the same"
            )
        counts = {name: k + other.counts[name] for name, k in self.counts.items()}
        return Tally(counts, self.improving + other.improving)

    def _count(self, name: str) -> int:
        if name not in self.counts:
            raise ValueError(f"class {name!r} is not counted here; one of {list(self.counts)} is")
        return self.counts[name]


@dataclass(frozen=True)
class Interval:
    """Hold the closed interval low <= x <= high; ValueError when low > high or either is nan."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"low={self.low}, high={self.high}: low must not exceed high")

    def __contains__(self, x: float) -> bool:
        return self.low <= x <= self.high

    @property
    def half_width(self) -> float:
        """Return half the distance between the limits."""
        return (self.high - self.low) / 2

    @property
    def percent(self) -> str:
        """The limits in per cent, as text.

        >>> Interval(0.70522, 0.72304).percent
        '[70.5, 72.3]'
        """
        return f"[{100 * self.low:.1f}, {100 * self.high:.1f}]"

    def disjoint(self, other: "Interval") -> bool:
        """Say whether no point lies in both; intervals that touch are not disjoint."""
        return self.high < other.low or other.high < self.low

    def inside(self, other: "Interval") -> bool:
        """Say whether every point of this interval lies in the other; limits may coincide."""
        return other.low <= self.low and self.high <= other.high


def clopper_pearson(count: int, n: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a rate from `count` hits in `n` independent trials.

    It covers the true rate with probability at least `level`, whatever the rate is, each tail
    missing with at most (1 - level) / 2. Count 0 has the lower limit 0, count n the upper limit
    1, and n = 0 gives [0, 1]. Raises ValueError unless 0 <= count <= n and 0 < level < 1.
    Source: Clopper and Pearson, Biometrika 26 (1934) 404.

    >>> limits = clopper_pearson(0, 100)
    >>> limits.low, round(limits.high, 6)
    (0.0, 0.036217)
    """
    count, n = check_count("count", count, "n", n)
    low, high = clopper_pearson_limits(count, n, level)
    return Interval(float(low), float(high))


def clopper_pearson_limits(count: Any, n: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Return the Clopper-Pearson limits (low, high) of whole arrays of counts.

    `count` and `n` broadcast and are not checked. The limits are Beta quantiles, which exist for
    real counts in 0 <= count <= n too; planning a run uses that.
    """
    tail = (1 - check_inside_unit("level", level)) / 2
    count, n = np.asarray(count, float), np.asarray(n, float)
    # The quantile functions return nan for the empty side, where the limit is 0 or 1.
    some, rest = np.maximum(count, np.finfo(float).tiny), np.maximum(n - count, 0)
    low = np.where(count > 0, special.betaincinv(some, rest + 1, tail), 0.0)
    high = np.where(
        rest > 0,
        special.betainccinv(count + 1, np.maximum(rest, np.finfo(float).tiny), tail),
        1.0,
    )
    return low, high


def wilson(count: int, n: int, level: float = 0.95) -> Interval:
    """Return the score interval of a rate, for display; claims use `clopper_pearson`.

    It covers with about `level` on average over rates, for some rates with less. n = 0 gives
    [0, 1]. Raises ValueError as `clopper_pearson` does. Source: Wilson, JASA 22 (1927) 209.

    >>> limits = wilson(5, 10)
    >>> round(limits.low, 6), round(limits.high, 6)
    (0.236593, 0.763407)
    """
    count, n = check_count("count", count, "n", n)
    z = float(special.ndtri((1 + check_inside_unit("level", level)) / 2))
    if n == 0:
        return Interval(0.0, 1.0)
    rate, scale = count / n, 1 + z**2 / n
    centre = (rate + z**2 / (2 * n)) / scale
    reach = z / scale * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # At the ends centre and reach cancel exactly; rounding must not leave a limit beside 0 or 1.
    low = 0.0 if count == 0 else centre - reach
    high = 1.0 if count == n else centre + reach
    return Interval(low, high)


def check_count(count_name: str, count: int, n_name: str, n: int) -> tuple[int, int]:
    """Return (count, n) as integers with 0 <= count <= n; ValueError naming the wrong one."""
    n = check_natural(n_name, n)
    count = check_natural(count_name, count)
    if count > n:
        raise ValueError(f"{count_name}={count} must not exceed {n_name}={n}")
    return count, n


def check_inside_unit(name: str, value: float) -> float:
    """Return `value` if 0 < value < 1; ValueError naming it otherwise."""
    if not 0 < value < 1:
        raise ValueError(f"{name}={value} must lie strictly between 0 and 1")
    return float(value)


def check_probability(name: str, value: float) -> float:
    """Return `value` if 0 <= value <= 1; ValueError naming it otherwise."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} must lie between 0 and 1")
    return float(value)


def check_natural(name: str, value: int) -> int:
    """Return `value` as an integer of at least 0; ValueError naming it otherwise."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r} must be an integer") from None
    if number < 0:
        raise ValueError(f"{name}={number} must be at least 0")
    return number
