"""Numbers and phrases that the evidence of several threads is made of."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from jaxlab import survival
from jaxlab.result import Members, Result
from jaxlab.theory import Prediction
from jaxlab.verdicts import Ruling, Verdict


def success(found: Result, setting: str) -> tuple[int, int]:
    """Return how many members of a setting were solved at the end, and of how many."""
    tally = found.members[setting].tally
    return tally.solved, tally.n


def count(mask: np.ndarray) -> tuple[int, int]:
    """Return how many of the members are true, and how many there are."""
    return int(np.sum(mask)), len(mask)


def over(rule: Callable[[int, int], Ruling], mask: np.ndarray) -> Ruling:
    """Return a rule's ruling on how many of some members are true; undecided if there are none."""
    hits, n = count(mask)
    return rule(hits, n) if n else nobody()


def nobody() -> Ruling:
    """Return the ruling where no member is a case of what was said."""
    return Ruling(Verdict.UNDECIDED, note="none of the seeds so far is a case of it")


def succeeds(failing: Prediction | None) -> Prediction | None:
    """Return a prediction of success from one of failure."""
    if failing is None or failing.probability is None:
        return None
    kinds = {"lower bound": "upper bound", "upper bound": "lower bound"}
    kind = kinds.get(failing.kind, failing.kind)
    return dataclasses.replace(failing, probability=1 - failing.probability, kind=kind)


def middle(values: np.ndarray) -> float:
    """Return the median, nan of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def percent(hits: int, n: int) -> str:
    """Return a share in per cent; "none" or "all" only where it is exactly that.

    >>> percent(0, 5), percent(5, 5), percent(1, 8)
    ('none', 'all', '12.5 %')
    """
    if hits in (0, n):
        return "all" if hits else "none"
    return f"{100 * hits / n:.1f} %"


def failures_by_class(members: Members) -> str:
    """Return what became of those who failed, the commonest first, in shares of all members."""
    tally = members.tally
    ended = {name: k for name, k in tally.counts.items() if k and name != "solved"}
    ordered = sorted(ended, key=lambda name: -ended[name])
    shares = [f"{name.replace('_', ' ')} {100 * ended[name] / tally.n:.1f} %" for name in ordered]
    rest = [f"others {100 * sum(ended[name] for name in ordered[3:]) / tally.n:.1f} %"]
    return ", ".join(shares[:3] + rest * (len(ordered) > 3)) or "none"


def half_solved(found: Result, setting: str) -> str:
    """Return by which step half the members were solved, in words."""
    step = survival.median_step(found.survival(setting))
    return (
        "fewer than half are ever solved"
        if step is None
        else f"half are solved by step {step[1]:,}"
    )
