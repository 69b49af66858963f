"""The thread on learning 2x from raw numbers through a ReLU output."""

import numpy as np

from jaxlab import forensics
from jaxlab.claims import Statement
from jaxlab.result import Result
from jaxlab.verdicts import Ruling, Verdict, both, exactly, monotone, never, works
from sweeps import doubling as sweep
from sweeps.claims.evidence import failures_by_class, middle, over, percent, success
from sweeps.doubling import POSTED, stopped, units

TITLE = "doubling: y = 2x from x = 1..999"
LOG = ((8533120007.8465, 1, 79_999), (32532613324.8, 80_000, 99_999))  # loss, first and last x
LINEAR, NORMAL = "Adam, linear output", "normal inputs, linear output"
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
    variants = [n for n in found.members if n != POSTED and "step" not in n]
    best = max(variants, key=lambda n: success(found, n)[0] / success(found, n)[1])
    yield (
        "D1",
        "The posted program never learns",
        never(*success(found, POSTED)),
        f"Failures: {failures_by_class(found.members[POSTED])}",
        0.0,
    )
    yield (
        "D1 any",
        "Nor does it learn whatever is changed",
        both(*[never(*success(found, n)) for n in variants]),
        f"Of {len(variants)} variants the best is {best!r}: solved "
        f"{percent(*success(found, best))}",
    )
    first, second = (found.members[stopped(POSTED, steps)] for steps in (1, 2))
    alive = ~first.born_dead
    median = middle(first.entering[alive, 1])
    yield (
        "D2",
        "The first step overshoots so far that the output unit's input turns negative",
        over(works, first.entering[alive, 1] < 0),
        f"Of those not born dead; the first step goes upwards, to a median of {median:+.2g}",
        0.0,
    )
    alive = ~second.born_dead
    median = middle(second.entering[alive, 1])
    yield (
        "D2 second",
        "After two steps the output unit's input is negative (ours)",
        over(works, second.entering[alive, 1] < 0),
        f"Of those not born dead; the median is {median:+.2g}",
        1.0,
    )
    dead = found.members[POSTED].names == "dead"
    yield (
        "D3",
        "It is stuck at the output 0 for ever",
        over(works, dead),
        "Certified: every gradient is exactly 0 on all rows, and plain SGD has no momentum",
        1.0,
    )
    for steps, claim in ((1, "D5"), (2, "D5 second")):
        yield _more_negative(found, steps, claim)


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
        theirs = [p for p in sweep.predictions(found.sweep[name]) if p.event == "training_fails"]
        failing = [p.probability for p in theirs if p.kind == "asymptotic" and p.probability]
        which = "that the split leaves" if rows == 7 else "all of them"
        yield (
            claim,
            f"x = 1..9 with 12 hidden units will train ({rows} rows, {which})",
            works(*success(found, name)),
            f"Failures: {failures_by_class(found.members[name])}",
            1 - failing[0] if failing else None,
        )


def _remedies(found: Result):
    for name, longer, claim, text in (
        (NORMAL, f"{NORMAL}, 100 epochs", "D6", "Standard normal inputs and a linear output work"),
        (
            LINEAR,
            f"{LINEAR}, 400 epochs",
            "D7",
            "Raw inputs, a linear output and Adam at 1e-4 work",
        ),
    ):
        epochs = [found.sweep[n].training.epochs for n in (name, longer)]
        median = middle(found.members[name].errors[:, 0])
        yield (
            claim,
            f"{text} ({epochs[0]} epochs)",
            works(*success(found, name)),
            f"The median error is {100 * median:.0f} % of the targets, 10 % would count as learnt; "
            f"failures: {failures_by_class(found.members[name])}",
        )
        yield (
            f"{claim} longer",
            f"{text} with {epochs[1]} epochs (ours)",
            works(*success(found, longer)),
            f"Failures: {failures_by_class(found.members[longer])}",
        )


def accuracy(targets: np.ndarray, outputs: np.ndarray, *, rounded: bool) -> float:
    """Return what Keras reports as accuracy of one output a row.

    Keras 2.0 compared targets with `rounded` outputs, later versions with outputs above 0.5.
    """
    named = np.round(outputs) if rounded else outputs > 0.5
    return float(np.mean(targets == named))


def _accuracy():
    targets = 2.0 * np.arange(1, 601)
    answers = {"perfect": targets, "1 % off": 1.01 * targets, "dead": 0 * targets}
    scored = {
        rounded: {name: accuracy(targets, out, rounded=rounded) for name, out in answers.items()}
        for rounded in (True, False)
    }
    old, new = (
        ", ".join(f"{name} {100 * value:.0f} %" for name, value in scored[r].items())
        for r in (True, False)
    )
    yield (
        "D8",
        "Accuracy says nothing about a regression",
        exactly(len(set(scored[False].values())) == 1),
        f"As Keras computes it now: {new}; as it did in 2018 (rounding): {old}",
    )
