"""The answer in a sentence: a network does not learn; is that a bug, bad luck or impossible.

What it is follows from counts by the rules of `jaxlab.kinds`, or from a proof of `jaxlab.limits`.
"""

import dataclasses
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxlab import limits, tasks
from jaxlab.kinds import FEWEST_STEPS, Kind, kind_of, with_time
from jaxlab.limits import Limit
from jaxlab.outcomes import OUTCOMES
from jaxlab.result import COLUMNS, Members, Result
from jaxlab.spec import Network, Setting
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.tolerances import Sensitivity, deciding_errors, sensitivity

MOST_SENTENCES = 4  # settings that get one each; of more, one stands for all
MOST_NAMES = 6  # of settings in a list
MOST_NUMBERS = 2**24  # what units receive on all rows, at once


OF_MANY = {Kind.UNDECIDED: "undecided: few seeds, or some of them still improving"}
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
class Answer:
    """What a setting's counts say; str() is some sentences.

    `lost` is the number of failed members that were solved at an earlier check, `born_dead` that of
    those which no gradient reached before training; `errors` are the smallest and the median error
    of all members at the end, on all rows together, relative to the standard deviation of the
    targets; `sensitivity` says what the counts were at other tolerances, `limit` why no weights
    do, where that is known; `steps` is how long training was, `spread` whether tolerances are
    shares of the targets' standard deviation, and not of their size.
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
            how = f"{self.limit.reason}, so that the error is at least {least}"
            return f"provably impossible as it is set up: {how}"
        if self.kind is Kind.TOO_SHORT and self.steps < FEWEST_STEPS:
            made = "1 step" if self.steps == 1 else f"{self.steps} steps"
            return f"{MEANING[self.kind]}, for it made only {made}"
        if self.kind is Kind.TOO_SHORT:
            moving = share(tally.improving, tally.failed)
            return f"{MEANING[self.kind]}, for {moving} of those that fail were still improving"
        if self.kind is Kind.IMPOSSIBLE and self.sensitivity and self.sensitivity.turns:
            allowed = _exact(self.sensitivity.tolerance)
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
        counts = [f"{_seeds(failed, found.n)} at {_exact(t)}" for t, failed in found.failed]
        size = f"of the targets' {self._size}"
        yield f"The answer hangs on the tolerance: there fail {', '.join(counts)} {size}."
        for tolerance, kind in found.turns:
            yield f"At {_exact(tolerance)} it would be: {SHORTLY[kind]}."


def _seeds(count: int, n: int) -> str:
    """Return a share of seeds in words."""
    return {"all": "all seeds", "none": "no seeds"}.get(share(count, n), share(count, n))


def _exact(tolerance: float) -> str:
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


def answer(result: Result, setting: str) -> Answer:
    """Return what the counts of one setting say; ValueError for an unknown name."""
    if setting not in result.members:
        raise ValueError(f"setting is {setting!r}; it must be one of {', '.join(result.members)}")
    return answers(result, [setting])[setting]


def answers(result: Result, settings: Sequence[str]) -> dict[str, Answer]:
    """Return the answers of some settings, read piece by piece."""
    parts: dict[str, list[_Part]] = {name: [] for name in settings}
    for part in result.parts():
        for name in settings:
            if name in part.members and len(part.members[name].seeds):
                parts[name].append(_part(result.sweep[name], part.members[name]))
    return {name: _joined(result.sweep[name], parts[name]) for name in settings}


@dataclass(frozen=True)
class _Part:
    """What an answer takes of some members: an answer about them alone, and every one's errors."""

    answer: Answer
    relative_errors: np.ndarray
    deciding_errors: np.ndarray
    line: Limit | None


def _part(setting: Setting, members: Members) -> _Part:
    failed = members.names != "solved"
    lost = int(np.sum(failed & (members.first_solved >= 0)))
    born_dead = int(np.sum(failed & members.born_dead))
    start = started(setting, members)
    about = Answer(setting.name, Kind.UNDECIDED, members.tally, start, lost, born_dead=born_dead)
    line = limits.line_limit(setting, members.line_rmse, members.spread)
    return _Part(about, members.relative_errors, deciding_errors(members), line)


def _joined(setting: Setting, parts: Sequence[_Part]) -> Answer:
    """Return the answer about the members of all parts; of no part, that there are none."""
    if not parts:
        return Answer(setting.name, Kind.UNDECIDED, Tally.of(OUTCOMES, np.empty(0, int)))
    answers = [part.answer for part in parts]
    tally, start = answers[0].tally, answers[0].start
    for other in answers[1:]:
        tally = tally + other.tally
        start = None if start is None or other.start is None else start + other.start
    tally = with_time(setting, tally)
    limit = _limit(setting, tally, [part.line for part in parts])
    deciding = np.concatenate([part.deciding_errors for part in parts])
    return Answer(
        setting.name,
        kind_of(tally) if limit is None else Kind.IMPOSSIBLE,
        tally,
        start,
        sum(one.lost for one in answers),
        _best_and_median(np.concatenate([part.relative_errors for part in parts])),
        sum(one.born_dead for one in answers),
        sensitivity(deciding, setting.task.tolerance),
        limit,
        setting.steps,
        not tasks.is_defined(setting.task) or tasks.definition(setting.task).spread,
    )


def _limit(setting: Setting, tally: Tally, lines: Sequence[Limit | None]) -> Limit | None:
    """Return why no weights solve it; None where some do, or nothing is known."""
    if tally.solved:
        return None
    known = [line for line in lines if line is not None]
    if len(known) == len(lines):  # one for the rows of every member
        return min(known, key=lambda line: line.error)
    return limits.limit_of(setting)


def _best_and_median(errors: np.ndarray) -> tuple[float, float] | None:
    """Return the smallest and the median of errors (members,); None where half are not finite."""
    finite = errors[np.isfinite(errors)]
    half = float(np.median(np.where(np.isfinite(errors), errors, np.inf)))
    return (float(finite.min()), half) if len(finite) and np.isfinite(half) else None


def kinds(result: Result) -> dict[str, Kind]:
    """Return what failing is, of every setting."""
    found = {}
    for name, tally in result.tally().items():
        counted = with_time(result.sweep[name], tally)
        proven = counted.n > 0 and not tally.solved and limits.limit_of(result.sweep[name])
        found[name] = Kind.IMPOSSIBLE if proven else kind_of(counted)
    return found


def most_telling(result: Result) -> str:
    """Return the first setting whose failures are luck; without one, the first."""
    return _first_unlucky(kinds(result))


def _first_unlucky(kind_by_setting: Mapping[str, Kind]) -> str:
    unlucky = (name for name, kind in kind_by_setting.items() if kind is Kind.LUCK)
    return next(unlucky, next(iter(kind_by_setting)))


def sentences(result: Result) -> list[str]:
    """Return the answers: one for each of a few settings; else all in short and one in full."""
    names = list(result.members)
    if len(names) <= MOST_SENTENCES:
        return [str(one) for one in answers(result, names).values()]
    kind_by_setting = kinds(result)
    lines = []
    for kind in Kind:
        alike = [name for name, its in kind_by_setting.items() if its is kind]
        if alike:
            lines.append(f"{OF_MANY.get(kind, MEANING[kind]).capitalize()}: {_listed(alike)}.")
    return [*lines, str(answer(result, _first_unlucky(kind_by_setting)))]


def as_text(result: Result) -> str:
    """Return the answers as text of at most 80 columns."""
    return "\n".join(textwrap.fill(sentence, COLUMNS) for sentence in sentences(result))


def _listed(names: list[str]) -> str:
    shown = "; ".join(names[:MOST_NAMES])
    return shown + (f"; and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def started(setting: Setting, members: Members) -> Start | None:
    """Return what the initial weights tell; None without them, or without ReLUs or fixed rows."""
    network, weights = setting.network, members.initial_weights
    hidden_relus = len(network.widths) > 2 and network.activations[0] == "relu"
    if weights is None or not hidden_relus or not tasks.is_defined(setting.task):
        return None  # a folder of results may be of a task that another program defines
    if tasks.own_rows(setting.task):
        return None
    inputs, _, regions = tasks.example(setting.task)
    masks = {name: np.asarray(mask) for name, mask in regions.items() if mask.any()}
    awake = [_any_active(network, weights, np.asarray(inputs)[mask]) for mask in masks.values()]
    asleep, failed = ~np.all(awake, axis=0), members.names != "solved"
    return Start(
        _where(masks),
        int(np.sum(asleep & failed)),
        int(np.sum(failed)),
        int(np.sum(asleep & ~failed)),
        int(np.sum(~failed)),
    )


def _where(masks: Mapping[str, np.ndarray]) -> str:
    if set(masks) == {"right", "left"}:
        return "on one side (right or left)"
    if len(masks) == 1:
        (name, mask), *_ = masks.items()
        return "on any row" if mask.all() else f"in the region {name}"
    return f"in a region ({' or '.join(masks)})"


def _any_active(network: Network, weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Say of each member if a unit of the first layer is above zero at any of the rows."""
    fan_in, units = network.widths[:2]
    if fan_in == 1:  # along a line, what is active anywhere is so at an end
        inputs = np.stack([inputs.min(axis=0), inputs.max(axis=0)])
    kernel = weights[:, : fan_in * units].reshape(-1, fan_in, units)
    bias = weights[:, fan_in * units :][:, :units] if network.use_bias else 0.0 * kernel[:, 0]
    some = max(1, MOST_NUMBERS // (len(inputs) * units))
    lots = [slice(i, i + some) for i in range(0, len(weights), some)]
    return np.concatenate(
        [np.any(inputs @ kernel[lot] + bias[lot, None] > 0, axis=(1, 2)) for lot in lots]
    )
