"""Bug, luck or impossible: what failing to learn is, from the counts of one setting.

The thresholds are those of `jaxlab.verdicts`, fixed before any count was seen.
"""

import dataclasses
from enum import StrEnum

from jaxlab import verdicts
from jaxlab.spec import Setting
from jaxlab.tally import Tally, clopper_pearson

FEWEST_STEPS = 20  # in fewer nothing settles but what has died or diverged


class Kind(StrEnum):
    """What failing to learn is, of a setting as it stands.

    LEARNS: at least 95 % of seeds learn; IMPOSSIBLE: at most 5 % do; LUCK: between; each with the
    confidence of an exact 95 % interval, and whatever becomes of those that were still improving.
    TOO_SHORT: it depends on these, and they are most of those that fail. UNDECIDED: neither.
    IMPOSSIBLE is about training as it stands: that no weights would do is a stronger statement,
    which counting cannot make; see `jaxlab.limits`.
    """

    LEARNS = "learns"
    LUCK = "luck"
    IMPOSSIBLE = "impossible"
    TOO_SHORT = "too short"
    UNDECIDED = "undecided"


def kind_of(tally: Tally) -> Kind:
    """Return what the counts of a setting say.

    >>> [kind_of(Tally({"solved": n, "dead": 1000 - n})).value for n in (0, 500, 990)]
    ['impossible', 'luck', 'learns']
    >>> kind_of(Tally({"solved": 500, "other": 500}, improving=500)).value
    'too short'
    """
    now, later = (kind_of_count(count, tally.n) for count in _learning(tally))
    if now is later or now is Kind.LEARNS:
        return now
    return Kind.TOO_SHORT if 2 * tally.improving >= tally.failed else Kind.UNDECIDED


def kind_of_count(learn: int, n: int) -> Kind:
    """Return what it is that so many of n seeds learn, all others having settled.

    Of no seeds it is undecided.
    """
    if not n:
        return Kind.UNDECIDED
    interval = clopper_pearson(learn, n)
    if interval.low >= verdicts.WORKS:
        return Kind.LEARNS
    if interval.high <= verdicts.NEVER:
        return Kind.IMPOSSIBLE
    between = interval.low > verdicts.NEVER and interval.high < verdicts.WORKS
    return Kind.LUCK if between else Kind.UNDECIDED


def _learning(tally: Tally) -> tuple[int, int]:
    """Return how many learn if none, and if all, of those still improving do."""
    return tally.solved, tally.solved + tally.improving


def with_time(setting: Setting, tally: Tally) -> Tally:
    """Return the counts of a setting with who had no time to settle among the improving."""
    if setting.steps >= FEWEST_STEPS:
        return tally
    settled = tally.counts["dead"] + tally.counts["diverged"]
    return dataclasses.replace(tally, improving=tally.failed - settled)
