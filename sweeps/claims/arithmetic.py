"""The thread on adding and multiplying two integers."""

import numpy as np

from jaxlab.claims import Statement
from jaxlab.result import Members, Result
from jaxlab.theory import Prediction
from jaxlab.verdicts import about, exactly, helps, never, works
from sweeps import arithmetic as sweep
from sweeps.claims.doubling import says_nothing
from sweeps.claims.evidence import (
    count,
    failures_by_class,
    middle,
    nobody,
    over,
    percent,
    succeeds,
    success,
)

TITLE = "arithmetic: add or multiply two integers"
OURS = {"log": "", "unit": "", "symmetric": "", "standard": " (ours)"}
SAME_LOSS = 1e-3  # relative: two losses of one and the same function on the same rows


def statements(found: Result) -> list[Statement]:
    """Return what was said, with rulings."""
    made = [*_tasks(found), *_scaling(found), *_metrics(found), *_birth(found)]
    return [Statement(claim, TITLE, text, *rest) for claim, text, *rest in made]


def zero_loss(members: Members) -> np.ndarray:
    """Return the mean squared error (members,) of the output 0 on each member's own rows."""
    return members.spread**2 + members.mean_target**2


def _tasks(found: Result):
    yield (
        "A1",
        "Addition trains perfectly",
        works(*success(found, "sum")),
        f"Failures: {failures_by_class(found.members['sum'])}",
        succeeds(_born_dead(found, "sum")),
    )
    total = found.members["sum"]
    yield (
        "A1 accuracy",
        "The accuracy is 100 % for adding two integers",
        over(works, total.rounded_rmse == 0),
        "Counted are those whose every answer, rounded, is right; of the solved "
        f"{percent(*count(total.rounded_rmse[total.names == 'solved'] == 0))}",
    )
    product = found.members["product"]
    yield (
        "A2",
        "Multiplication does not converge at all",
        never(*success(found, "product")),
        f"Failures: {failures_by_class(product)}",
    )
    same = np.abs(product.loss / zero_loss(product) - 1) < SAME_LOSS
    silent = product.mean_output == 0  # on every row, for the ReLU at the output is never negative
    rest = middle(product.loss[~same] / product.spread[~same] ** 2)
    zero = np.mean(zero_loss(product))
    yield (
        "A2 loss",
        "A loss around 7e9, as in the thread, is the signature of the output 0, and of nothing "
        "else (ours)",
        exactly(np.array_equal(same, silent)) if same.any() else nobody(),
        f"{zero:.2g} is what the output 0 scores; {percent(*count(same))} score it, "
        f"{percent(*count(silent))} answer 0 to every row; of those who score it "
        f"{percent(*count(product.names[same] == 'dead'))} are dead; the others' median loss is "
        f"{rest:.3f} of the targets' variance",
    )
    yield (
        "A3",
        "Squaring one integer fails the same way",
        never(*success(found, "square")),
        f"Failures: {failures_by_class(found.members['square'])}",
    )
    for name, claim in zip(sweep.CONSTANTS, ("times", "plus", "minus", "minus much"), strict=True):
        yield (
            f"A4 {claim}",
            f"One integer {name} is fine",
            works(*success(found, name)),
            f"Failures: {failures_by_class(found.members[name])}",
        )


def _scaling(found: Result):
    words = {
        "log": "Log-normalising",
        "unit": "Scaling to [0, 1]",
        "symmetric": "Scaling to [-1, 1]",
        "standard": "Standardising",
    }
    for output in ("", ", linear output"):
        for scaled, text in words.items():
            name = f"product, {scaled}{output}"
            yield (
                f"A5 {scaled}{' linear' if output else ''}",
                f"{text} inputs and targets cures multiplication"
                + (", the output being linear (ours)" if output else OURS[scaled]),
                works(*success(found, name)),
                f"Failures: {failures_by_class(found.members[name])}",
            )
    scaled, raw = success(found, "product, unit"), success(found, "product")
    yield (
        "A6",
        "Large numbers are the cause: the same network on scaled numbers does better",
        helps(*scaled, *raw),
        f"Raw {percent(*raw)} solved, scaled to [0, 1] {percent(*scaled)}",
    )
    linear = success(found, "product, linear output")
    yield (
        "A6 output",
        "And not the ReLU at the output: with a linear one raw numbers fail as well (ours)",
        never(*linear),
        f"Failures: {failures_by_class(found.members['product, linear output'])}",
    )


def _metrics(found: Result):
    numbers = np.arange(sweep.LOW, sweep.HIGH + 1.0)
    blind, said = says_nothing(np.add.outer(numbers, numbers).ravel())
    yield "A7", "Accuracy is the wrong metric", exactly(blind), f"Accuracy of answers, {said}"
    members = found.members["sum"]
    solved = members.names == "solved"
    if members.seen is None:
        raise ValueError("these networks are too large for their weights to be kept")
    seen = members.seen[solved][:, :10].astype(float)
    signed = np.sum(seen[..., 2] - seen[..., 0] - seen[..., 1], axis=1)
    errors = np.tile([-1.0, 1.0], 5)
    yield (
        "A8",
        "For some good network the thread's total rmse, a root of a sum of signed errors, is nan "
        "(ours)",
        exactly(bool(np.isnan(_root(signed)).any())) if solved.any() else nobody(),
        f"One would do; it is nan for {percent(*count(signed < 0))} of the networks that have "
        f"learnt the sum, and {_root(errors.sum()):g} for errors of +1 and -1",
    )


def _root(value):
    with np.errstate(invalid="ignore"):
        return np.sqrt(value)


def _birth(found: Result):
    members = found.members["sum"]
    failed, said = members.names != "solved", _born_dead(found, "sum")
    yield (
        "A9",
        "This architecture is dead at birth as often as signs say (ours)",
        about(*count(members.born_dead), said.probability or 0.0),
        "Dead at birth: no gradient on any row before the first step",
        said,
    )
    yield (
        "A9 sum",
        "Death at birth explains the failures on a + b (ours)",
        over(works, members.born_dead[failed]),
        f"Of those born alive {percent(*count(failed[~members.born_dead]))} fail",
    )


def _born_dead(found: Result, name: str) -> Prediction:
    said = sweep.predictions(found.sweep[name])
    return next(p for p in said if p.kind == "empirical" and p.probability)
