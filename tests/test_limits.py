"""Exact: proofs of impossibility against least squares by hand, and silence where nothing holds.

The negative control is training: what a proof calls impossible no seed learns, and what seeds learn
no proof calls impossible.
"""

import dataclasses

import numpy as np
import pytest

import jaxlab
from jaxlab import Network, Optimiser, Setting, Sweep, Training, answer, limits, own_tasks, tasks
from jaxlab.kinds import Kind
from jaxlab.spec import Scaling

X = np.linspace(-1, 1, 21)


def setting(task, hidden=(10,), activation="linear", output="linear", **kind) -> Setting:
    activations = (*[activation] * len(hidden), output)
    return Setting("s", task, Network((1, *hidden, 1), activations, **kind))


def arrays(x, y, **how):
    return own_tasks.from_arrays("t", np.asarray(x), np.asarray(y), **how)


def test_a_network_without_activations_is_no_better_than_the_best_line():
    y = X**2
    limit = limits.limit_of(setting(arrays(X, y, regions=tasks.whole)))
    slope, height = np.polyfit(X, y, 1)
    wanted = np.sqrt(np.mean((slope * X + height - y) ** 2)) / y.std()
    assert limit is not None
    assert limit.error == pytest.approx(wanted, rel=1e-5)
    assert "straight line" in limit.reason


def test_three_points_that_lie_on_no_line_are_provably_impossible():
    task = arrays([-1, 0, 1], [-0.2445248, 0.1232554, 0.1713998])
    limit = limits.limit_of(setting(task))
    assert limit is not None
    assert 0.1 < limit.error < 0.45
    sloped = arrays([-1, 0, 1], [-0.2, 0.0, 0.2])
    assert limits.limit_of(setting(sloped)) is None


def test_each_side_of_the_absolute_value_is_a_line_and_both_together_are_none():
    limit = limits.limit_of(setting(tasks.absolute_value(rows=20)))
    assert limit is not None
    assert limit.error == pytest.approx(0.5, 0.1)
    assert limits.limit_of(setting(tasks.absolute_value(rows=20), activation="relu")) is None
    shifted = arrays(X, X + 3, regions=tasks.whole)
    assert limits.limit_of(setting(shifted)) is None
    assert limits.limit_of(setting(shifted, use_bias=False)) is not None


@pytest.mark.parametrize(
    ("output", "wanted"),
    [("relu", True), ("sigmoid", True), ("tanh", False), ("elu", False), ("linear", False)],
)
def test_an_output_that_cannot_reach_the_targets_is_a_proof(output, wanted):
    limit = limits.limit_of(setting(arrays(X, X), activation="tanh", output=output))
    assert (limit is not None) is wanted
    if limit is not None:
        assert output in limit.reason
        half = np.sqrt(np.mean(X[X <= 0] ** 2)) / X.std()  # the left half answered by 0
        assert limit.error == pytest.approx(half, rel=1e-5)


def test_the_output_is_held_against_targets_as_they_are_scaled():
    beyond = setting(arrays(X, 5 * X), activation="tanh", output="sigmoid")
    assert limits.limit_of(beyond) is not None
    scaled = dataclasses.replace(beyond.task, scaling=Scaling(targets="unit"))
    assert limits.limit_of(dataclasses.replace(beyond, task=scaled)) is None


def test_rows_of_equal_inputs_and_other_targets_bound_every_network():
    x, y = [0, 0, 1, 1], [0.0, 1.0, 2.0, 2.0]
    limit = limits.limit_of(setting(arrays(x, y), activation="relu"))
    assert limit is not None
    assert limit.error == pytest.approx(np.sqrt(0.5 / 4) / np.std(y))
    assert limit.reason.startswith("4 rows share their inputs")
    same = arrays([0, 0, 1, 1], [0.0, 0.0, 2.0, 2.0])
    assert limits.limit_of(setting(same, activation="relu")) is None


def test_nothing_is_said_of_rows_that_every_seed_draws():
    task = own_tasks.from_formula("x**2", -1, 1, per_seed=True, rows=20)
    assert limits.limit_of(setting(task)) is None
    assert limits.line_limit(setting(task), np.array([0.4, 0.3]), np.array([1.0, 1.0])) is None
    drawn = setting(tasks.of_integers("square", 20, 0, 9))
    found = limits.line_limit(drawn, np.array([0.4, 0.3]), np.array([1.0, 1.0]))
    assert found is not None
    assert found.error == pytest.approx(0.3)
    assert limits.line_limit(drawn, np.array([0.4, 0.05]), np.array([1.0, 1.0])) is None


def test_what_is_proven_no_seed_learns_and_the_answer_says_so():
    quick = Training(Optimiser(learning_rate=0.05), batch_size=0, epochs=200)
    x = np.linspace(-1, 1, 8)
    line, bent = (
        dataclasses.replace(setting(arrays(x, y, regions=tasks.whole), (2,)), training=quick)
        for y in (0.5 * x, x**2)
    )
    names = dataclasses.replace(line, name="line"), dataclasses.replace(bent, name="bent")
    result = jaxlab.run(Sweep("limits", names), seeds=128)
    found = answer.answers(result, ["line", "bent"])
    assert found["line"].kind is Kind.LEARNS
    assert found["line"].limit is None
    assert found["bent"].kind is Kind.IMPOSSIBLE
    assert "provably impossible as it is set up: without an activation" in str(found["bent"])
    assert answer.kinds(result) == {name: one.kind for name, one in found.items()}
    limit = limits.limit_of(names[1])
    assert limit is not None
    assert result.members["bent"].relative_errors.min() >= 0.999 * limit.error
