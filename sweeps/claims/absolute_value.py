"""The thread on |x| with two hidden ReLU units."""

import jax.numpy as jnp
import numpy as np

from jaxlab.claims import Statement
from jaxlab.networks import predict
from jaxlab.result import Result
from jaxlab.theory import Prediction
from jaxlab.theory import absolute_value as theory
from jaxlab.theory.decoupling import DRIFT_ALLOWED
from jaxlab.verdicts import about, both, exactly, helps, monotone, never, outnumbers, works
from sweeps import absolute_value as sweep
from sweeps.claims.evidence import (
    count,
    failures_by_class,
    nobody,
    over,
    percent,
    succeeds,
    success,
)

TITLE = "absolute value: |x| with two hidden ReLU units"
UNITS = (2, 3, 4, 6, 8)


def statements(found: Result) -> list[Statement]:
    """Return what was said, with rulings."""
    made = [*_rates(found), *_starts(found), *_remedies(found), *_shape(found)]
    return [Statement(claim, TITLE, text, *rest) for claim, text, *rest in made]


def _fails(found: Result, name: str) -> tuple[int, int]:
    solved, n = success(found, name)
    return n - solved, n


def _predicted(found: Result, name: str) -> Prediction | None:
    said = sweep.setting_predictions(found.sweep[name])
    kinds = ("exact", "empirical", "asymptotic")
    sharp = [p for p in said if p.event == "training_fails" and p.kind in kinds]
    return next((p for p in sharp if p.probability is not None), None)


def _one_sided(found: Result, name: str) -> tuple[int, int]:
    counts, n = sweep.event_counts(found, name)
    return counts["one_sided_at_init"], n


def _rates(found: Result):
    names = found.members["k=2"].names
    failed = names[names != "solved"]
    one_sided = np.isin(failed, ("right_only", "left_only"))
    right, left = int((failed == "right_only").sum()), int((failed == "left_only").sum())
    yield (
        "V1",
        "Where it fails it fits one side only, more often the right one",
        both(over(works, one_sided), outnumbers(right, left, len(names)))
        if len(failed)
        else nobody(),
        f"Of the failures {percent(*count(one_sided))} fit one side only; of all the right one "
        f"{percent(right, len(names))}, the left one {percent(left, len(names))}",
    )
    yield (
        "V2",
        "It works for about half of the seeds",
        about(*success(found, "k=2"), 0.5),
        f"{percent(*_one_sided(found, 'k=2'))} start one-sided; failures: "
        f"{failures_by_class(found.members['k=2'])}",
        _success(found, "k=2"),
    )
    yield (
        "V3 signs",
        "A third unit raises the probability of weights of both signs from 50 % to 75 %",
        both(about(*_one_sided(found, "k=3"), 0.25), about(*_one_sided(found, "k=2"), 0.5)),
        f"One-sided at the start: {percent(*_one_sided(found, 'k=2'))} with two units, "
        f"{percent(*_one_sided(found, 'k=3'))} with three",
    )
    yield (
        "V3",
        "And with it success, from 50 % to 75 %",
        both(about(*success(found, "k=3"), 0.75), about(*success(found, "k=2"), 0.5)),
        f"Solved with two units: {percent(*success(found, 'k=2'))}, with three: "
        f"{percent(*success(found, 'k=3'))}",
    )
    yield (
        "V3 fits",
        "With a third unit it fits perfectly",
        works(*success(found, "k=3")),
        f"Failures: {failures_by_class(found.members['k=3'])}",
        _success(found, "k=3"),
    )
    fails = [_fails(found, f"k={k}") for k in UNITS]
    rates = ", ".join(f"{100 * c / n:.1f} %" for c, n in fails)
    yield (
        "V4",
        "Failures fall with the number of units",
        monotone([c for c, _ in fails], [n for _, n in fails], UNITS, "falling"),
        f"With {', '.join(map(str, UNITS))} units: {rates}",
    )
    yield (
        "V4 half",
        "Geometrically: by half with every unit, 2^(1-k) for four of them",
        about(*_fails(found, "k=4"), theory.one_sided_at_init(4)),
        f"{percent(*_one_sided(found, 'k=4'))} start one-sided; failures: "
        f"{failures_by_class(found.members['k=4'])}",
        _predicted(found, "k=4"),
    )


def _while_biases_stay(found: Result, name: str) -> str:
    """Say how far biases travelled, since a ruling on "never" is one on as short a way."""
    way = sweep.conditions_of(found.sweep[name]).drift
    return (
        f"In {found.sweep[name].training.epochs:,} epochs, in which biases travel at most "
        f"{100 * way:.1f} % of the inputs; theory speaks up to {100 * DRIFT_ALLOWED:g} %"
    )


def _success(found: Result, name: str) -> Prediction | None:
    return succeeds(_predicted(found, name))


def _starts(found: Result):
    for name, claim, text in (
        ("k=2 bad_right", "V5 right", "Units that all start on the right can never learn the left"),
        ("k=2 bad_left", "V5 left", "Units that all start on the left can never learn the right"),
    ):
        yield (
            claim,
            text,
            never(*success(found, name)),
            f"{_while_biases_stay(found, name)}; failures: "
            f"{failures_by_class(found.members[name])}",
            _success(found, name),
        )
    for name, claim, epochs in (("k=2 good_100", "V6", 100), ("k=2 good", "V6 longer", 1000)):
        yield (
            claim,
            f"One positive and one negative kernel solve it ({epochs} epochs"
            + (")" if epochs == 100 else ", ours)"),
            works(*success(found, name)),
            f"Failures: {failures_by_class(found.members[name])}",
            _success(found, name),
        )


def _remedies(found: Result):
    leaky = [f"k=2 leaky_{slope:g}" for slope in sweep.SLOPES]
    shares = ", ".join(
        f"{percent(*success(found, n))} at slope {s:g}"
        for n, s in zip(leaky, sweep.SLOPES, strict=True)
    )
    yield (
        "V7",
        "Leaky ReLU solves it",
        works(*success(found, leaky[-1])),
        f"Solved: {shares}; failures at the last: {failures_by_class(found.members[leaky[-1]])}",
    )
    for name, claim, text in (
        ("k=3", "V9 unit", "Adding a third unit helps"),
        (f"k=2 {sweep.LAYERS}", "V9 layer", "Adding another layer of two units helps"),
    ):
        yield (
            claim,
            text,
            helps(*success(found, name), *success(found, "k=2")),
            f"Solved: {percent(*success(found, 'k=2'))} without, {percent(*success(found, name))} "
            "with it",
        )
    name = f"k=2 {sweep.LAYERS}"
    yield (
        "V9 fits",
        "With another layer of two units it fits",
        works(*success(found, name)),
        f"Failures: {failures_by_class(found.members[name])}",
    )


def _shape(found: Result):
    solved, n = success(found, "k=2")
    x = jnp.linspace(-1000.0, 1000.0, 401)[:, None]
    # Kernels 1 and -1, no biases, output weights 1: relu(x) + relu(-x).
    weights = jnp.array([1.0, -1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    answer = predict(found.sweep["k=2"].network, weights, x, 0.0)
    largest = float(jnp.max(jnp.abs(answer - jnp.abs(x))))
    said = (
        f"relu(x) + relu(-x) is two units and two layers, and off by at most {largest:g}; "
        f"{solved:,} of {n:,} seeds learn it"
    )
    for claim, text in (
        ("V8", "Three layers are needed"),
        ("V10", "Two Dense layers can only fit straight lines"),
    ):
        yield claim, text, exactly(largest > 0), said
