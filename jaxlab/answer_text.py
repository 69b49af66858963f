"""An answer and its sentences: what was counted of one setting, in plain words."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jaxlab.kinds import FEWEST_STEPS, Kind, kind_of
from jaxlab.limits import Limit
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.tolerances import Sensitivity

FEWEST_ON_A_PLATEAU, ON_A_PLATEAU = 4, 0.01  # members; relative differences of their errors

SHORTLY = {
    Kind.LEARNS: "it learns",
    Kind.LUCK: "luck of the seed",
    Kind.IMPOSSIBLE: "impossible, or nearly",
}
FAILED_AS = {
    "right_only": "fit the right side only",
    "left_only": "fit the left side only",
    "partial": "fit some regions only",
    "constant": "answer a constant",
    "linear": "are the best straight line",
    "dead": "are dead",
    "diverged": "diverged",
    "unfinished": "are unfinished",
    "other": "settled on something else",
}
MEANING = {
    Kind.LEARNS: "it learns, so where yours does not, look for a bug",
    Kind.LUCK: "luck of the seed: another one may do",
    Kind.IMPOSSIBLE: "impossible, or nearly, as it is set up: another seed will not do",
    Kind.TOO_SHORT: "training is too short to tell",
    Kind.UNDECIDED: "too few seeds to tell",
}


@dataclass(frozen=True)
class Start:
    """How many of the failed, and of the solved, members had no active unit in a region at start.

    Units are those of the first hidden layer, of ReLUs; active is a unit that is above zero on at
    least one of the region's rows. `regions` names those that count, in words.
    """

    regions: str
    failed: int
    of_failed: int
    solved: int
    of_solved: int

    def __add__(self, other: "Start") -> "Start":
        """Return the counts of both together."""
        mine, its = dataclasses.astuple(self)[1:], dataclasses.astuple(other)[1:]
        return Start(self.regions, *(a + b for a, b in zip(mine, its, strict=True)))


@dataclass(frozen=True)
class Plateau:
    """An error at which `count` of the `of` failed members without another name have settled.

    `error` is relative to the standard deviation of the targets; theirs are within a hundredth of
    it.
    """

    error: float
    count: int
    of: int

    @classmethod
    def among(cls, errors: np.ndarray) -> "Plateau | None":
        """Return what most of some errors (members,) have in common; None if nothing.

        >>> Plateau.among(np.array([0.8, 0.8, 0.801, 0.5]))
        Plateau(error=0.8, count=3, of=4)
        """
        middle = float(np.median(errors)) if len(errors) >= FEWEST_ON_A_PLATEAU else math.inf
        if not math.isfinite(middle):
            return None
        count = int(np.sum(np.abs(errors - middle) <= ON_A_PLATEAU * middle))
        return cls(middle, count, len(errors)) if 2 * count > len(errors) else None


@dataclass(frozen=True)
class Answer:
    """What a setting's counts say; str() is some sentences.

    `lost` is the number of failed members that were solved at an earlier check, `born_dead` that of
    those which no gradient reached before training; `errors` are the smallest and the median error
    of all members at the end, on all rows together, relative to the standard deviation of the
    targets; `sensitivity` says what the counts were at other tolerances, `limit` why no weights
    do, where that is known; `steps` is how long training was, `spread` whether tolerances are
    shares of the targets' standard deviation, and not of their size; `plateau` is what most of
    those in the class `other` have in common.
    """

    setting: str
    kind: Kind
    tally: Tally
    start: Start | None = None
    lost: int = 0
    errors: tuple[float, float] | None = None
    born_dead: int = 0
    sensitivity: Sensitivity | None = None
    limit: Limit | None = None
    steps: int = FEWEST_STEPS
    spread: bool = True
    plateau: Plateau | None = None

    def __str__(self) -> str:
        """Return the answer: how often it fails, what that is, and what the failed ones do."""
        tally = self.tally
        if not tally.n:
            return f"{self.setting}: no seeds were trained."
        bounds = clopper_pearson(tally.failed, tally.n).percent
        percent = 100 * tally.failed / tally.n
        rate = f"fails for {percent:.1f} % of {tally.n:,} seeds {bounds}"
        first = f"{self.setting}: {rate}: {self.meaning}."
        rest = self._failures(), self._unsettled(), self._start(), self._errors(), self._tolerance()
        return " ".join([first, *(sentence for part in rest for sentence in part)])

    @property
    def meaning(self) -> str:
        """Return what the kind means; of what is undecided, between what."""
        tally = self.tally
        if self.limit is not None and self.kind is Kind.IMPOSSIBLE:
            least = f"{percent(self.limit.error)} of the targets' {self._size}"
            whose = "a region's error" if self.limit.regions > 1 else "the error"
            how = f"{self.limit.reason}, so that {whose} is at least {least}"
            return f"provably impossible as it is set up: {how}"
        if self.kind is Kind.TOO_SHORT and self.steps < FEWEST_STEPS:
            made = "1 step" if self.steps == 1 else f"{self.steps} steps"
            return f"{MEANING[self.kind]}, for it made only {made}"
        if self.kind is Kind.TOO_SHORT:
            moving = share(tally.improving, tally.failed)
            return f"{MEANING[self.kind]}, for {moving} of those that fail were still improving"
        if self.kind is Kind.IMPOSSIBLE and self.sensitivity and self.sensitivity.turns:
            allowed = exact_percent(self.sensitivity.tolerance)
            return f"impossible, or nearly, at a tolerance of {allowed}: another seed will not do"
        if self.kind is not Kind.UNDECIDED:
            return MEANING[self.kind]
        least = clopper_pearson(tally.solved, tally.n).low
        most = clopper_pearson(tally.solved + tally.improving, tally.n).high
        if least > 0.5:
            return "most seeds learn it, though perhaps not 95 %: another one may do"
        if most < 0.5:
            return "few seeds learn it, if any"
        return "too early to tell" if self._hangs_on_the_improving else MEANING[self.kind]

    @property
    def _size(self) -> str:
        return "standard deviation" if self.spread else "size"

    @property
    def _hangs_on_the_improving(self) -> bool:
        return kind_of(dataclasses.replace(self.tally, improving=0)) is not self.kind

    def _failures(self) -> Iterable[str]:
        counts, failed = self.tally.counts, self.tally.failed
        if not failed:
            return
        found = sorted((c for c in FAILED_AS if counts[c]), key=lambda c: -counts[c])
        words = [f"{share(counts[c], failed)} {FAILED_AS[c]}" for c in found]
        none = [] if counts["diverged"] else ["none diverged"]
        yield f"Of those that fail {', '.join(words + none)}."
        if self.plateau is not None:
            common = f"share one error, {percent(self.plateau.error)} of the targets' standard"
            many = share(self.plateau.count, self.plateau.of)
            yield f"Of those that settled on something else {many} {common} deviation: a plateau."
        if self.born_dead:
            yield f"{share(self.born_dead, failed).capitalize()} of them were dead at birth."

    def _unsettled(self) -> Iterable[str]:
        """Say what those that had settled decide, whatever becomes of the others."""
        tally = self.tally
        settled = tally.failed - tally.improving
        if not tally.improving or self.limit is not None or self.kind is Kind.LEARNS:
            return
        if self.kind is not Kind.TOO_SHORT:
            moving = share(tally.improving, tally.failed).capitalize()
            yield f"{moving} of those that fail were still improving."
        if settled:
            least = 100 * clopper_pearson(settled, tally.n).low
            yield f"Even if all of these learnt it, at least {least:.1f} % of seeds would fail."

    def _start(self) -> Iterable[str]:
        start = self.start
        if start is None or not start.of_failed or not start.failed + start.solved:
            return
        if (start.failed, start.solved) == (start.of_failed, start.of_solved):
            return  # all did, whatever became of them
        who = f"{share(start.failed, start.of_failed).capitalize()} of those that fail"
        others = f", and {share(start.solved, start.of_solved)} of those that learnt,"
        who += others if start.of_solved else ""
        yield f"{who} started without a unit of the first layer active {start.regions}."

    def _errors(self) -> Iterable[str]:
        failed = self.tally.failed
        if self.lost >= failed / 100 > 0:
            yield (
                f"{share(self.lost, failed).capitalize()} of those that fail had fitted it at an "
                "earlier check: a smaller rate may hold it."
            )
        if self.errors is not None and failed and self.kind is not Kind.LEARNS:
            best, half = map(percent, self.errors)
            spread = "of the targets' standard deviation"
            yield f"Errors end at {best} {spread} for the best seed, {half} for half of them."

    def _tolerance(self) -> Iterable[str]:
        """Say how the answer hangs on the tolerance, where the errors of seeds crowd near it."""
        found = self.sensitivity
        if found is None or not found.turns or self.kind is Kind.TOO_SHORT:
            return
        (first, fewest), *others = found.failed
        counts = [f"{_seeds(fewest, found.n)} fail at {exact_percent(first)}"]
        counts += [f"{_seeds(failed, found.n)} at {exact_percent(t)}" for t, failed in others]
        size = f"of the targets' {self._size}"
        yield f"The answer hangs on the tolerance: {', '.join(counts)} {size}."
        for tolerance, kind in found.turns:
            yield f"At {exact_percent(tolerance)} it would be: {SHORTLY[kind]}."


def _seeds(count: int, n: int) -> str:
    """Return a share of seeds in words."""
    return {"all": "all seeds", "none": "no seeds"}.get(share(count, n), share(count, n))


def exact_percent(tolerance: float) -> str:
    """Return a tolerance in per cent, as it was set.

    >>> exact_percent(0.1), exact_percent(0.125)
    ('10 %', '12.5 %')
    """
    return f"{100 * tolerance:.3g} %"


def share(count: int, n: int) -> str:
    """Return a share in words: "none", "all", or per cent that is neither 0 nor 100.

    >>> share(0, 9), share(9, 9), share(1, 3), share(1, 10_000)
    ('none', 'all', '33 %', '0.01 %')
    """
    if count in (0, n):
        return "all" if count else "none"
    percent = 100 * count / n
    digits = next(d for d in range(12) if 0 < float(f"{percent:.{d}f}") < 100)
    return f"{percent:.{digits}f} %"


def percent(error: float) -> str:
    """Return a relative error in per cent, as precisely as anybody wants it.

    >>> percent(0.1234), percent(1e-7), percent(1.4), percent(5e4)
    ('12 %', 'below 0.01 %', '140 %', '5,000,000 %')
    """
    if error < 1e-4:
        return "below 0.01 %"
    return f"{100 * error:,.0f} %" if error >= 0.1 else f"{100 * error:.2g} %"
