"""The answer in a sentence: a network does not learn; is that a bug, bad luck or impossible.

The rules know counts only and are those of `jaxlab.verdicts`, fixed before any count was seen.
"""

import dataclasses
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from jaxlab import tasks, verdicts
from jaxlab.result import COLUMNS, Members, Result
from jaxlab.spec import Network, Setting
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.verdicts import Verdict

MOST_SENTENCES = 4  # settings that get one each; of more, one stands for all
MOST_NAMES = 6  # of settings in a list
MOST_NUMBERS = 2**24  # what units receive on all rows, at once


class Kind(StrEnum):
    """What failing to learn is, of a setting as it stands.

    LEARNS: at least 95 % of seeds learn; IMPOSSIBLE: at most 5 % do; LUCK: between. TOO_SHORT: not
    the first, but it would be one of the others, or could be the first, if those that were still
    improving learnt. All are said with the confidence of an exact 95 % interval, else UNDECIDED.
    IMPOSSIBLE is about training as it stands: that no weights would do is a stronger statement,
    which counting cannot make.
    """

    LEARNS = "learns"
    LUCK = "luck"
    IMPOSSIBLE = "impossible"
    TOO_SHORT = "too short"
    UNDECIDED = "undecided"


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
    Kind.TOO_SHORT: "training is too short to tell, for many were still improving",
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

    `lost` is the number of failed members that were solved at an earlier check; `errors` are the
    smallest and the median error of all members at the end, on all rows together, relative to the
    standard deviation of the targets.
    """

    setting: str
    kind: Kind
    tally: Tally
    start: Start | None = None
    lost: int = 0
    errors: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Return the answer: how often it fails, what that is, and what the failed ones do."""
        tally = self.tally
        bounds = clopper_pearson(tally.failed, tally.n).percent
        percent = 100 * tally.failed / tally.n
        rate = f"fails for {percent:.1f} % of {tally.n:,} seeds {bounds}"
        first = f"{self.setting}: {rate}: {self.meaning}."
        return " ".join([first, *self._failures(), *self._start(), *self._errors()])

    @property
    def meaning(self) -> str:
        """Return what the kind means; of what is undecided, between what."""
        if self.kind is not Kind.UNDECIDED:
            return MEANING[self.kind]
        learn = clopper_pearson(self.tally.solved, self.tally.n)
        if learn.low > 0.5:
            return "most seeds learn it, though perhaps not 95 %: another one may do"
        return "few seeds learn it, if any" if learn.high < 0.5 else MEANING[self.kind]

    def _failures(self) -> Iterable[str]:
        counts, failed = self.tally.counts, self.tally.failed
        if not failed:
            return
        found = sorted((c for c in FAILED_AS if counts[c]), key=lambda c: -counts[c])
        words = [f"{share(counts[c], failed)} {FAILED_AS[c]}" for c in found]
        none = [] if counts["diverged"] else ["none diverged"]
        yield f"Of those that fail {', '.join(words + none)}."

    def _start(self) -> Iterable[str]:
        start = self.start
        if start is None or not start.of_failed or not start.failed + start.solved:
            return
        if (start.failed, start.solved) == (start.of_failed, start.of_solved):
            return  # all did, whatever became of them
        who = f"{share(start.failed, start.of_failed).capitalize()} of them"
        others = f", and {share(start.solved, start.of_solved)} of those that learnt,"
        who += others if start.of_solved else ""
        yield f"{who} started without a unit active {start.regions}."

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


def kind_of(tally: Tally) -> Kind:
    """Return what the counts of a setting say.

    >>> some = dict.fromkeys(FAILED_AS, 0)
    >>> [kind_of(Tally(some | {"solved": n, "dead": 1000 - n})).value for n in (0, 500, 990)]
    ['impossible', 'luck', 'learns']
    """
    now, later = (_kind(count, tally.n) for count in (tally.solved, _hopeful(tally)))
    if now in (Kind.LUCK, Kind.IMPOSSIBLE) and later is not now:
        return Kind.TOO_SHORT
    return now


def _hopeful(tally: Tally) -> int:
    return tally.solved + tally.counts["unfinished"]


def _kind(learn: int, n: int) -> Kind:
    often, never = verdicts.works(learn, n).verdict, verdicts.never(learn, n).verdict
    if often is Verdict.SUPPORTED:
        return Kind.LEARNS
    if never is Verdict.SUPPORTED:
        return Kind.IMPOSSIBLE
    return Kind.LUCK if often is never is Verdict.REFUTED else Kind.UNDECIDED


def answer(result: Result, setting: str) -> Answer:
    """Return what the counts of one setting say; ValueError for an unknown name."""
    if setting not in result.members:
        raise ValueError(f"setting is {setting!r}; it must be one of {', '.join(result.members)}")
    return answers(result, [setting])[setting]


def answers(result: Result, settings: Sequence[str]) -> dict[str, Answer]:
    """Return the answers of some settings, read piece by piece."""
    found: dict[str, list[Answer]] = {name: [] for name in settings}
    errors: dict[str, list[np.ndarray]] = {name: [] for name in settings}
    for part in result.parts():
        for name in settings:
            if name in part.members and len(part.members[name].seeds):
                members = part.members[name]
                lost = int(np.sum((members.names != "solved") & (members.first_solved >= 0)))
                start = started(result.sweep[name], members)
                found[name].append(Answer(name, Kind.UNDECIDED, members.tally, start, lost))
                errors[name].append(members.relative_errors)
    return {name: _joined(found[name], np.concatenate(errors[name])) for name in settings}


def _joined(parts: Sequence[Answer], errors: np.ndarray) -> Answer:
    first, *others = parts
    tally, start, lost = first.tally, first.start, first.lost
    for other in others:
        tally, lost = tally + other.tally, lost + other.lost
        start = None if start is None or other.start is None else start + other.start
    finite = errors[np.isfinite(errors)]
    half = float(np.median(np.where(np.isfinite(errors), errors, np.inf)))
    ends = (float(finite.min()), half) if len(finite) and np.isfinite(half) else None
    return Answer(first.setting, kind_of(tally), tally, start, lost, ends)


def most_telling(result: Result) -> str:
    """Return the first setting whose failures are luck; without one, the first."""
    return _first_unlucky(result.tally())


def _first_unlucky(tallies: Mapping[str, Tally]) -> str:
    return next((n for n in tallies if kind_of(tallies[n]) is Kind.LUCK), next(iter(tallies)))


def sentences(result: Result) -> list[str]:
    """Return the answers: one for each of a few settings; else all in short and one in full."""
    names = list(result.members)
    if len(names) <= MOST_SENTENCES:
        return [str(one) for one in answers(result, names).values()]
    tallies = result.tally()
    of_kind: dict[Kind, list[str]] = {}
    for name, tally in tallies.items():
        of_kind.setdefault(kind_of(tally), []).append(name)
    told = [(kind, of_kind[kind]) for kind in Kind if kind in of_kind]
    lines = [f"{MEANING[kind].capitalize()}: {_listed(found)}." for kind, found in told]
    return [*lines, str(answer(result, _first_unlucky(tallies)))]


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
