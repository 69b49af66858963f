"""The answer in a sentence: a network does not learn; is that a bug, bad luck or impossible.

The rules know counts only and are those of `jaxlab.verdicts`, fixed before any count was seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from jaxlab import tasks, verdicts
from jaxlab.result import Members, Result
from jaxlab.spec import Network, Setting
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.verdicts import Verdict

MOST_SENTENCES = 4  # settings that get one each; of more, one stands for all
MOST_NAMES = 6  # of settings in a list
MOST_NUMBERS = 2**24  # what units receive on all rows, at once


class Kind(StrEnum):
    """What failing to learn is, of a setting as it stands.

    LEARNS: at least 95 % of seeds learn; IMPOSSIBLE: at most 5 % do, or would if trained longer;
    TOO_SHORT: at most 5 % do, but more were still improving; LUCK: between. All are said with the
    confidence of an exact 95 % interval, else UNDECIDED. IMPOSSIBLE is about training as it stands:
    that no weights would do is a stronger statement, which counting cannot make.
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
    "unfinished": "were still improving",
    "other": "settled on something else",
}
MEANING = {
    Kind.LEARNS: "it learns, so where yours does not, look for a bug",
    Kind.LUCK: "luck of the seed: another one may do",
    Kind.IMPOSSIBLE: "impossible as it is set up, or nearly: another seed will not do",
    Kind.TOO_SHORT: "training is too short to tell luck from impossible",
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


@dataclass(frozen=True)
class Answer:
    """What a setting's counts say; str() is one or two sentences."""

    setting: str
    kind: Kind
    tally: Tally
    start: Start | None

    def __str__(self) -> str:
        """Return the answer: how often it fails, what that is, and what the failed ones do."""
        tally, interval = self.tally, clopper_pearson(self.tally.failed, self.tally.n)
        bounds = f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
        percent = 100 * tally.failed / tally.n
        rate = f"fails for {percent:.1f} % of {tally.n:,} seeds {bounds}"
        first = f"{self.setting}: {rate}: {MEANING[self.kind]}."
        return " ".join([first, *self._failures(), *self._start()])

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
        who = f"{share(start.failed, start.of_failed).capitalize()} of them"
        others = f", and {share(start.solved, start.of_solved)} of those that learnt,"
        who += others if start.of_solved else ""
        yield f"{who} started without a unit active {start.regions}."


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


def kind_of(tally: Tally) -> Kind:
    """Return what the counts of a setting say.

    >>> some = dict.fromkeys(FAILED_AS, 0)
    >>> [kind_of(Tally(some | {"solved": n, "dead": 1000 - n})).value for n in (0, 500, 990)]
    ['impossible', 'luck', 'learns']
    """
    solved, n = tally.solved, tally.n
    often, never = verdicts.works(solved, n).verdict, verdicts.never(solved, n).verdict
    if often is Verdict.SUPPORTED:
        return Kind.LEARNS
    if never is Verdict.SUPPORTED:
        could = verdicts.never(solved + tally.counts["unfinished"], n).verdict
        return Kind.IMPOSSIBLE if could is Verdict.SUPPORTED else Kind.TOO_SHORT
    both_refuted = often is never is Verdict.REFUTED
    return Kind.LUCK if both_refuted else Kind.UNDECIDED


def answer(result: Result, setting: str) -> Answer:
    """Return what the counts of one setting say; ValueError for an unknown name."""
    if setting not in result.members:
        raise ValueError(f"setting is {setting!r}; it must be one of {', '.join(result.members)}")
    members = result.members[setting]
    start = started(result.sweep[setting], members)
    return Answer(setting, kind_of(members.tally), members.tally, start)


def most_telling(result: Result) -> str:
    """Return the first setting whose failures are luck; without one, the first."""
    tallies = result.tally()
    return next((n for n in tallies if kind_of(tallies[n]) is Kind.LUCK), next(iter(tallies)))


def sentences(result: Result) -> list[str]:
    """Return the answers: one for each of a few settings; else all in short and one in full."""
    names = list(result.members)
    if len(names) <= MOST_SENTENCES:
        return [str(answer(result, name)) for name in names]
    tallies = result.tally()
    of_kind: dict[Kind, list[str]] = {}
    for name, tally in tallies.items():
        of_kind.setdefault(kind_of(tally), []).append(name)
    told = [(kind, of_kind[kind]) for kind in Kind if kind in of_kind]
    lines = [f"{MEANING[kind].capitalize()}: {_listed(found)}." for kind, found in told]
    return [*lines, str(answer(result, most_telling(result)))]


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
    where = {1: "on any row", 2: f"on one side ({' or '.join(masks)})"}
    return Start(
        where.get(len(masks), "in some region"),
        int(np.sum(asleep & failed)),
        int(np.sum(failed)),
        int(np.sum(asleep & ~failed)),
        int(np.sum(~failed)),
    )


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
