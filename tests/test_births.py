"""Exact: which networks theory speaks of at birth; statistical: counts of 4,000 agree with it.

A true formula is rejected by one seed in 100,000 here; the control shows what would be rejected.
"""

import dataclasses

import numpy as np
import pytest

import jaxlab
from jaxlab import Initialiser, Network, Scaling, Setting, Sweep, Training, births, own_tasks
from jaxlab.compare import binomial_test

POSITIVE = own_tasks.from_formula("x % 2", 0, 9, whole_numbers=True)
BOTH = own_tasks.from_formula("abs(x)", -1, 1, rows=4)
NET = Network((1, 2, 2, 1), ("relu", "relu", "linear"))
STEP = Training(epochs=1, max_steps=1)


def test_counts_of_births_are_what_theory_says():
    setting = Setting("positive", POSITIVE, Network((1, 2, 1), ("relu", "linear")), training=STEP)
    ((name, count, n, said),) = births.comparisons(jaxlab.run(Sweep("births", [setting]), 4000))
    assert (name, n, said.kind, said.probability) == ("positive", 4000, "exact", 0.25)
    assert binomial_test(count, n, 0.25) > 1e-5
    assert binomial_test(count, n, 0.3) < 1e-5


def test_of_inputs_on_both_sides_there_are_bounds():
    kinds = [p.kind for p in births.predictions(Setting("both", BOTH, NET))]
    assert kinds == ["lower bound", "upper bound"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"initialisers": (Initialiser("pytorch"),) * 3}, "biases do not start at zero"),
        ({"initialisers": (Initialiser("linspace"),) * 3}, "not independent draws"),
        ({"network": dataclasses.replace(NET, activations=("relu", "tanh", "linear"))}, "tanh"),
    ],
)
def test_where_it_says_nothing_there_is_a_reason(changes, reason):
    (said,) = births.predictions(dataclasses.replace(Setting("s", POSITIVE, NET), **changes))
    assert said.probability is None
    assert reason in said.reason


def test_rows_of_a_seed_s_own_may_have_any_signs():
    task = dataclasses.replace(POSITIVE, scaling=Scaling("standard"))
    (said,) = births.predictions(Setting("s", task, NET))
    assert "for each seed" in said.reason
    tanh = Setting("s", BOTH, Network((1, 2, 1), ("tanh", "linear")))
    result = jaxlab.Result(Sweep("s", (tanh,)), {"s": None})  # pyright: ignore
    assert births.comparisons(result) == []
    assert not np.any([p.reason for p in births.predictions(Setting("s", POSITIVE, NET))])
