"""Exact: theory's sentence about one member, on weights made by hand, and when it has none."""

import dataclasses

import numpy as np
import pytest
import samples
import stories

from jaxlab import Initialiser, Network, Optimiser, Setting, Training, tasks
from jaxlab.replaying.foretelling import STEADY, foretold
from jaxlab.theory import plateaus

LONG = Training(epochs=6500)  # on fewer rows than the posted program, for as many steps


def program(k: int, training: Training = LONG) -> Setting:
    """Return the forum program on |x| with k units."""
    task = tasks.absolute_value(samples.ROWS, -1000.0, 1000.0)
    return Setting("program", task, Network((1, k, 1), ("relu", "linear")), training=training)


def on_wide_inputs(outcome: str, w, a, last: float = 0.0, **given):
    """Return a network of the forum program that stands still."""
    setting = given.pop("setting", program(len(w)))
    biases = [np.zeros(len(w))] * 2
    return stories.told(outcome, [w] * 2, [a] * 2, biases, [0.0, last], setting=setting, **given)


def test_a_network_on_one_side_is_told_with_the_loss_of_its_bias():
    found = foretold(on_wide_inputs("right_only", [1.0, 0.5], [0.8, 0.4], last=12.0))
    assert found.outcome == "right_only"
    assert "Both units started on the right (kernel > 0)" in found.why
    assert "nothing answers to inputs on the left" in found.why
    assert "by the rule all live" in found.why
    assert "The rule expects right_only, as it turned out." in found.why
    assert "the output's bias, 12, on the other side makes a loss of " in found.why


def test_the_loss_of_a_flat_output_is_that_of_the_network():
    dead = on_wide_inputs("dead", [-0.2, -0.3], [-0.5, -0.7], last=5.0)
    flat = np.abs(dead.inputs) * 0 + 5.0
    loss = np.full(2, ((flat - dead.targets) ** 2).mean())
    why = foretold(dataclasses.replace(dead, loss=loss)).why
    value = f"{loss[0]:,.0f}"
    assert f"on both sides makes a loss of {value}; it is {value}." in why
    assert "Unit 1's output weight, -0.5, is negative and at least as large as its kernel" in why


def test_a_rule_that_errs_says_so_and_what_finer_theories_say():
    found = foretold(on_wide_inputs("solved", [0.01, 1.0], [-0.02, 1.0]))
    assert found.outcome == "right_only"
    assert "expects right_only, but it ended otherwise." in found.why
    assert "Gradient flow would end as " in found.why


def test_both_sides_are_counted():
    why = foretold(on_wide_inputs("solved", [1.0, -1.0, 2.0], [1.0, 1.0, 1.0])).why
    assert why.startswith("2 of 3 units started on the right (kernel > 0), 1 on the left.")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        (samples.setting(), "inputs end at 1, below 100"),
        (program(2, Training(Optimiser("sgd"))), "the optimiser is sgd"),
        (program(2, Training(epochs=1)), "training is too short"),
        (program(2, Training(epochs=100_000)), "biases may travel 0.2 of the largest input"),
        (program(2, Training(epochs=30_000)), "its output's bias may travel 0.06 of the largest"),
        (program(2, Training(layer_rates=(0.0, 1.0))), "at different rates"),
        (dataclasses.replace(samples.setting(), task=tasks.negation()), "knows a single unit"),
        (dataclasses.replace(samples.setting(), task=tasks.doubling()), "a ReLU at the output"),
        (
            dataclasses.replace(samples.setting(), task=tasks.doubling_normal()),
            "it follows single networks on |x|, on 2x and on the input -1 only",
        ),
    ],
)
def test_where_an_assumption_fails_there_is_the_reason(setting, reason):
    limit = setting.task.numbers.get("high", 1.0)
    x = np.linspace(-limit, limit, samples.ROWS, dtype=np.float32)[:, None]
    y = 2 * x if "doubling" in setting.task.name else np.abs(x)
    found = foretold(dataclasses.replace(stories.DYING, setting=setting, inputs=x, targets=y))
    assert found.outcome == ""
    assert found.why.startswith("Theory has no sentence for this network: ")
    assert reason in found.why


def test_both_sides_and_none_are_named_also_where_the_bias_moves_the_loss():
    drifting = program(2, Training(epochs=30_000))
    for w, expected in (([1.0, -1.0], "solved"), ([0.1, -0.1], "dead")):
        found = foretold(on_wide_inputs(expected, w, [-0.5, -0.5], setting=drifting))
        assert found.outcome == expected


def test_the_loss_of_one_side_falls_by_a_tenth_where_named_networks_end():
    # Half the mean of (|x| - c)^2 when the bias has gone half its way and all of it.
    for drift, falls in ((STEADY, False), (0.066, False), (0.068, True)):
        half, end = (plateaus.one_side_fitted(0.5, 1 / 3, c) for c in (drift / 2, drift))
        assert (end < 0.9 * half) is falls


def test_the_rows_decide_what_is_learnt_and_not_the_name():
    wide = on_wide_inputs("right_only", [1.0, 0.5], [0.8, 0.4], last=12.0)
    named = dataclasses.replace(wide.setting, task=dataclasses.replace(wide.setting.task, name="f"))
    assert foretold(dataclasses.replace(wide, setting=named)) == foretold(wide)
    other = dataclasses.replace(wide, setting=named, targets=2 * wide.targets)
    assert foretold(other).outcome == ""


def test_biases_at_the_start_are_read_off_the_member():
    biased = stories.told("other", [[1.0]] * 2, [[1.0]] * 2, [[9.0]] * 2, setting=program(1))
    assert "initial biases reach 9" in foretold(biased).why


def test_without_activations_only_a_line_is_possible():
    line = dataclasses.replace(samples.setting(), network=Network((1, 2, 1), ("linear",) * 2))
    why = foretold(dataclasses.replace(stories.DYING, setting=line)).why
    assert "affine function, whatever its seed" in why


@pytest.mark.parametrize(
    ("kernel", "activation", "expected", "words"),
    [
        (0.2, "relu", "dead", "a ReLU passes nothing on"),
        (-0.2, "relu", "solved", "the right sign"),
        (0.02, "leaky_relu", "solved", "Adam turns that sign at step 10 or so"),
    ],
)
def test_one_unit_on_minus_one(kernel, activation, expected, words):
    network = Network((1, 1), (activation,), slope=0.1)
    train = Training(batch_size=1, epochs=10_000)
    setting = Setting("one", tasks.negation(), network, (Initialiser(),), train)
    weights = np.array([[kernel, 0.0]] * 2, np.float32)
    parts = {"setting": setting, "weights": weights, "member": samples.members([expected])}
    found = foretold(dataclasses.replace(stories.DYING, **parts))
    assert found.outcome == expected
    assert words in found.why
    assert f"Theory expects {expected}, as it turned out." in found.why


def test_doubling_by_gradient_descent():
    network = Network((1, 2, 1), ("relu", "relu"))
    train = Training(Optimiser("sgd", 1e-6), batch_size=0, epochs=200)
    setting = Setting("double", tasks.doubling(), network, training=train)
    alive = stories.told("solved", [[1.0, -1.0]] * 2, [[0.5, 1.0]] * 2, setting=setting)
    assert foretold(alive).outcome in ("solved", "unfinished")
    assert "The slope starts at 0.5; a full-batch step moves each weight" in foretold(alive).why
    dead = stories.told("dead", [[1.0, -1.0]] * 2, [[-0.5, 1.0]] * 2, setting=setting)
    assert foretold(dead).outcome == "dead"
    assert "The slope at the start, -0.5, is not above 0" in foretold(dead).why
