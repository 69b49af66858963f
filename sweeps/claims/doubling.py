"""The thread on learning 2x from raw numbers through a ReLU output."""

import dataclasses

import numpy as np

from jaxlab import forensics
from jaxlab.claims import Statement
from jaxlab.result import Result
from jaxlab.theory import Prediction
from jaxlab.verdicts import Ruling, Verdict, both, exactly, monotone, never, works
from sweeps import doubling as sweep
from sweeps.claims.evidence import (
    count,
    failures_by_class,
    middle,
    over,
    percent,
    succeeds,
    success,
)
from sweeps.claims.tolerances import TOLERANCES, failure_share
from sweeps.doubling import POSTED, stopped, units

TITLE = "doubling: y = 2x from x = 1..999"
LOG = ((8533120007.8465, 1, 79_999), (32532613324.8, 80_000, 99_999))  # loss, first and last x
LEARNS = 0.5  # of the variance left: who sees it fall so far knows that the network learns
FEW_UNITS = 16  # so few that their weights are kept
FEW = {7: "x=1..7, 12 units", 9: "x=1..9, 12 units"}


def statements(found: Result) -> list[Statement]:
    """Return what was said, with rulings."""
    made = [*_log(), *_death(found), *_small(found), *_remedies(found), *_accuracy()]
    return [Statement(claim, TITLE, text, *rest) for claim, text, *rest in made]


def _log():
    read, ones = [], True
    for loss, first, last in LOG:
        x = np.arange(first, last + 1.0)
        explained = forensics.explain(loss, x[:, None], 2 * x)
        ones &= len(explained.matching) == 1 and "always 1" in explained.matching[0].name
        read.append(f"{len(x):,} rows: {', '.join(c.name for c in explained.matching)}")
    yield (
        "D0",
        "The log in the thread shows a network whose output is always 1, not a dead ReLU (ours)",
        exactly(ones),
        f"Which constant scores the printed losses: {'; '.join(read)}",
    )


def _death(found: Result):
    failing = theirs(found, POSTED, "training_fails")
    yield (
        "D1",
        "The posted program never learns",
        never(*success(found, POSTED)),
        f"Failures: {failures_by_class(found.members[POSTED])}",
        succeeds(failing),
    )
    yield _any_width(found)
    for steps, claim, text in (
        (1, "D2", "The first step overshoots so far that the output unit's input turns negative"),
        (2, "D2 second", "After two steps the output unit's input is negative (ours)"),
    ):
        members = found.members[stopped(POSTED, steps)]
        alive = ~members.born_dead
        yield (
            claim,
            text,
            over(works, members.entering[alive, 1] < 0),
            f"Of those not born dead; their median is {middle(members.entering[alive, 1]):+.2g}, "
            f"at the start {middle(members.entering[alive, 0]):+.2g}",
            _of_the_living(found, steps),
        )
    yield (
        "D3",
        "It is stuck at the output 0 for ever",
        over(works, found.members[POSTED].names == "dead"),
        "Counted are those certified: every gradient is exactly 0 on all rows, and plain SGD has "
        "no momentum",
        failing,
    )
    members = found.members[stopped(units(FEW_UNITS), 1)]
    if members.final_weights is None:
        raise ValueError(f"the weights of {FEW_UNITS} units are always kept")
    kernels = members.final_weights[~members.born_dead, :FEW_UNITS]
    yield (
        "D9",
        "All the weights become negative in the first update",
        over(works, np.asarray(np.all(kernels < 0, axis=1))),
        f"Of networks with {FEW_UNITS} units, not born dead; of all their kernels "
        f"{percent(int((kernels < 0).sum()), kernels.size)} are negative after it",
    )
    for steps, claim in ((1, "D5"), (2, "D5 second")):
        yield _more_negative(found, steps, claim)


def _any_width(found: Result):
    """Whether it learns is settled by the second step: plain SGD brings no dead network back."""
    dead = [found.members[stopped(units(h), 2)].names == "dead" for h in sweep.WIDTHS]
    shares = ", ".join(
        f"{percent(*count(d))} ({h})" for h, d in zip(sweep.WIDTHS, dead, strict=True)
    )
    slow = success(found, f"kappa={min(sweep.KAPPAS):g}")
    return (
        "D1 any",
        "Nor does it learn with another number of hidden units, the rate being the posted one",
        both(*[over(works, d) for d in dead]),
        f"Certified dead after two steps, by units: {shares}; the poster names no change that was "
        f"tried; at a learning rate below the stability limit {percent(*slow)} learn",
    )


def theirs(found: Result, name: str, event: str) -> Prediction | None:
    """Return theory's sharpest prediction of an event in a setting, None where it has none."""
    said = [p for p in sweep.predictions(found.sweep[name]) if p.event == event]
    sharp = [p for p in said if p.kind in ("exact", "asymptotic") and p.probability is not None]
    return sharp[0] if sharp else None


def _of_the_living(found: Result, steps: int) -> Prediction | None:
    """Return the prediction of death within one or two steps, given that one was born alive."""
    name = stopped(POSTED, steps)
    event = {1: "dead_after_one_step", 2: "dead_after_two_steps"}[steps]
    dead, born = (theirs(found, name, which) for which in (event, "born_dead"))
    if dead is None or born is None or dead.probability is None or born.probability is None:
        return None
    rate = (dead.probability - born.probability) / (1 - born.probability)
    return dataclasses.replace(dead, probability=min(max(rate, 0.0), 1.0))


def _more_negative(found: Result, steps: int, claim: str):
    """More negative means: more of them below the median of all widths together."""
    chosen = [found.members[stopped(units(h), steps)] for h in sweep.WIDTHS]
    entering = [m.entering[~m.born_dead, 1] for m in chosen]
    pooled = middle(np.concatenate(entering))
    below = [int((values < pooled).sum()) for values in entering]
    medians = ", ".join(
        f"{middle(v):+.2g} ({h})" for h, v in zip(sweep.WIDTHS, entering, strict=True)
    )
    update = "a single update" if steps == 1 else "the second update (ours)"
    return (
        claim,
        f"More hidden units make the output more negative after {update}",
        trend(below, [len(values) for values in entering], sweep.WIDTHS),
        f"Median input of the output unit, by units: {medians}",
    )


def trend(counts: list[int], ns: list[int], scores: tuple[int, ...]) -> Ruling:
    """Return the ruling on a rising rate; undecided where a group is empty."""
    empty = Ruling(Verdict.UNDECIDED, note="some widths have no seed so far that is a case of it")
    return monotone(counts, ns, scores, "rising") if all(ns) else empty


def _small(found: Result):
    for rows, claim in ((7, "D4"), (9, "D4 all")):
        name = FEW[rows]
        which = "that the split leaves" if rows == 7 else "all of them, ours"
        yield (
            claim,
            f"x = 1..9 with 12 hidden units will train ({rows} rows, {which})",
            works(*success(found, name)),
            f"Failures: {failures_by_class(found.members[name])}",
            succeeds(theirs(found, name, "training_fails")),
        )


def _remedies(found: Result):
    for name, longer, claim, text in (
        (
            sweep.NORMAL,
            f"{sweep.NORMAL}, 100 epochs",
            "D6",
            "Standard normal inputs and a linear output work",
        ),
        (
            sweep.ADAM,
            f"{sweep.ADAM}, 400 epochs",
            "D7",
            "Raw inputs, a linear output and Adam at 1e-4 work",
        ),
    ):
        epochs = [found.sweep[n].training.epochs for n in (name, longer)]
        members = found.members[name]
        left = (members.rmse / members.spread) ** 2
        failing = {t: 100 * failure_share(members, t) for t in TOLERANCES}
        shares = ", ".join(f"{100 * t:g} %: {share:.1f} %" for t, share in failing.items())
        yield (
            claim,
            f"{text}: within {epochs[0]} epochs it learns more than half",
            over(works, left < LEARNS),
            f"Judged is what the best constant leaves, the variance: the median network leaves "
            f"{100 * middle(left):.1f} % of it; it fails at a tolerance of {shares}",
        )
        yield (
            f"{claim} longer",
            f"{text}: with {epochs[1]} epochs it is learnt (ours)",
            works(*success(found, longer)),
            f"Failures: {failures_by_class(found.members[longer])}",
        )


def accuracy(targets: np.ndarray, outputs: np.ndarray, *, rounded: bool) -> float:
    """Return what Keras reports as accuracy of one output a row.

    Keras 2.0 compared targets with `rounded` outputs, later versions with outputs above 0.5.
    """
    named = np.round(outputs) if rounded else outputs > 0.5
    return float(np.mean(targets == named))


def says_nothing(targets: np.ndarray) -> tuple[bool, str]:
    """Say if accuracy is of no use for these targets, and what it is, in both versions of Keras.

    It is of no use if it puts answers that are 1 % off within 5 points of a dead network's, as
    fixed here before any was computed.
    """
    answers = {"perfect": targets, "1 % off": 1.01 * targets, "dead": 0 * targets}
    blind, said = True, []
    for rounded, version in ((False, "computes it now"), (True, "computed it in 2018")):
        scores = {n: accuracy(targets, a, rounded=rounded) for n, a in answers.items()}
        blind &= abs(scores["1 % off"] - scores["dead"]) <= 0.05
        shares = ", ".join(f"{n} {100 * score:.0f} %" for n, score in scores.items())
        said.append(f"as Keras {version}: {shares}")
    return blind, "; ".join(said)


def _accuracy():
    blind, said = says_nothing(2.0 * np.arange(1, 601))
    text = "Accuracy says nothing about a regression (ours)"
    yield "D8", text, exactly(blind), f"Accuracy of answers, {said}"
