"""The answer in a sentence: a network does not learn; is that a bug, bad luck or impossible.

What it is follows from counts by the rules of `jaxlab.kinds`, or from a proof of `jaxlab.limits`.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxlab import limits, tasks
from jaxlab.answer_text import MEANING, Answer, Plateau, Start
from jaxlab.kinds import Kind, kind_of, with_time
from jaxlab.limits import Limit
from jaxlab.outcomes import OUTCOMES
from jaxlab.result import COLUMNS, Members, Result
from jaxlab.spec import Network, Setting
from jaxlab.tally import Tally
from jaxlab.tolerances import deciding_errors, sensitivity

MOST_SENTENCES = 4  # settings that get one each; of more, one stands for all
MOST_NAMES = 6  # of settings in a list
MOST_NUMBERS = 2**24  # what units receive on all rows, at once
OF_MANY = {Kind.UNDECIDED: "undecided: few seeds, or some of them still improving"}


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
    """What an answer takes of some members: an answer about them alone, and every one's errors.

    `nameless` are the relative errors of those in the class `other`.
    """

    answer: Answer
    relative_errors: np.ndarray
    deciding_errors: np.ndarray
    nameless: np.ndarray
    line: Limit | None


def _part(setting: Setting, members: Members) -> _Part:
    failed = members.names != "solved"
    lost = int(np.sum(failed & (members.first_solved >= 0)))
    born_dead = int(np.sum(failed & members.born_dead))
    start = started(setting, members)
    about = Answer(setting.name, Kind.UNDECIDED, members.tally, start, lost, born_dead=born_dead)
    line = limits.line_limit(setting, members.line_rmse, members.spread)
    errors, nameless = members.relative_errors, members.names == "other"
    return _Part(about, errors, deciding_errors(members), errors[nameless], line)


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
    deciding, relative, nameless = (
        np.concatenate([getattr(part, of) for part in parts])
        for of in ("deciding_errors", "relative_errors", "nameless")
    )
    return Answer(
        setting.name,
        kind_of(tally) if limit is None else Kind.IMPOSSIBLE,
        tally,
        start,
        sum(one.lost for one in answers),
        _best_and_median(relative),
        sum(one.born_dead for one in answers),
        sensitivity(deciding, setting.task.tolerance),
        limit,
        setting.steps,
        not tasks.is_defined(setting.task) or tasks.definition(setting.task).spread,
        Plateau.among(nameless),
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
