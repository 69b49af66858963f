"""How an answer depends on the tolerance: the share that fails as a function of it.

Every seed's error is known, so that another tolerance costs nothing. Where the errors of seeds
crowd near the criterion, the answer hangs on it, and this says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxlab.kinds import Kind, kind_of_count
from jaxlab.result import Members

# Multiples of the tolerance: at which shares are given, and at which a turn is looked for.
SHOWN = (0.5, 1.0, 1.5, 2.0)
BELOW = tuple(i / 20 for i in range(19, 9, -1))
ABOVE = tuple(i / 20 for i in range(21, 41))
TRIVIAL = 1.0  # the tolerance from which on answering a constant counts as learning
DECIDED = (Kind.LEARNS, Kind.LUCK, Kind.IMPOSSIBLE)


def deciding_errors(members: Members) -> np.ndarray:
    """Return each member's largest region's error (members,), inf where it diverged.

    A member is solved where it is at most the tolerance.
    """
    errors = members.errors.max(axis=1)
    return np.where(np.isnan(errors) | (members.names == "diverged"), np.inf, errors)


@dataclass(frozen=True)
class Sensitivity:
    """How many of n seeds fail at other tolerances, and where the answer changes.

    `failed` are pairs (tolerance, count). `turns` are pairs (tolerance, kind), one at most below
    and one above: the nearest at which the counts say another kind. There are none where the
    answer is the same within a factor of two. Tolerances of 1 or more are left out: at these a
    constant counts as learnt.
    """

    n: int
    tolerance: float
    failed: tuple[tuple[float, int], ...]
    turns: tuple[tuple[float, Kind], ...]


def sensitivity(errors: np.ndarray, tolerance: float) -> Sensitivity:
    """Return how the counts of deciding errors (seeds,) depend on the tolerance.

    >>> found = sensitivity(np.linspace(0.11, 0.2, 1000), 0.1)
    >>> [count for _, count in found.failed], [(t, str(kind)) for t, kind in found.turns]
    ([1000, 1000, 555, 0], [(0.12, 'luck')])
    """
    n, ascending = len(errors), np.sort(errors)

    def learning(multiple: float) -> int:
        limit = ascending.dtype.type(multiple * tolerance)  # rounded as where members are judged
        return int(np.searchsorted(ascending, limit, "right"))

    def telling(multiple: float) -> bool:
        return multiple * tolerance < TRIVIAL

    def turn(multiples: Sequence[float]) -> list[tuple[float, Kind]]:
        kinds = ((m, kind_of_count(learning(m), n)) for m in multiples if telling(m))
        others = ((m, kind) for m, kind in kinds if kind in DECIDED and kind is not now)
        return [(round(m * tolerance, 12), kind) for m, kind in others][:1]

    now = kind_of_count(learning(1.0), n)
    failed = tuple((round(m * tolerance, 12), n - learning(m)) for m in SHOWN if telling(m))
    return Sensitivity(n, tolerance, failed, (*turn(BELOW), *turn(ABOVE)))
