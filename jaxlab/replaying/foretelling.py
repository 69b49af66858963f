"""What theory says of one member from its initial weights, and whether it came true.

Each rule checks its own assumptions; where one fails there is no sentence, but the reason.
"""

from typing import NamedTuple

import numpy as np

from jaxlab.conditions import conditions_of, trained_by
from jaxlab.replaying.trajectory import Trajectory
from jaxlab.theory import (
    absolute_value,
    doubling,
    doubling_fate,
    flow,
    momentum,
    negation,
    plateaus,
)
from jaxlab.theory.decoupling import objections

ADAMS = ("adam", "keras_adam")
ONE_SIDE = ("right_only", "left_only")

STEADY = 0.04
"""Largest drift (`decoupling.Conditions`) at which a network that fits one side is named after it.

Beyond, the output's bias still lowers the loss on the other side: by (d/4 - 3 d^2/8) over the
second half of training where 1/6 - d/4 + d^2/8 was left, d the drift; from d = 0.067 on that is
more than a tenth, and the network counts as unfinished, though no side will be gained.
"""


class Foretold(NamedTuple):
    """The outcome that theory expects, "" where it has none, and why, in sentences."""

    outcome: str
    why: str


def foretold(trajectory: Trajectory) -> Foretold:
    """Return what theory expects of a member, or the reason why it has nothing to say of it."""
    setting = trajectory.setting
    network = setting.network
    if network.activations and set(network.activations) == {"linear"}:
        return _affine(trajectory)
    rules = {"doubling": _doubling, "negation": _negation}
    rule = rules.get(setting.task.name)
    if rule is None and _is_absolute_value(trajectory):
        rule = _absolute_value
    if rule is None or network.module:
        return _nothing("it follows single networks on |x|, on 2x and on the input -1 only")
    if trajectory.weights is None:
        return _nothing("the network is too large for its weights to be kept")
    if setting.task.scaling is not None:
        return _nothing("its rows are scaled")
    if any(rate != 1 for rate in setting.training.layer_rates):
        return _nothing("its layers learn at different rates")
    return rule(trajectory)


def _is_absolute_value(trajectory: Trajectory) -> bool:
    """Say whether |x| is learnt on evenly spaced points, whatever the task is called."""
    x, y = trajectory.inputs, trajectory.targets
    low, high = float(x.min()), float(x.max())
    even = np.linspace(low, high, len(x))
    return (
        x.shape[1] == 1
        and low < 0 < high
        and np.array_equal(y, np.abs(x))
        and np.allclose(x[:, 0], even, atol=1e-5 * high)
    )


def _nothing(reason: str) -> Foretold:
    return Foretold("", f"Theory has no sentence for this network: {reason}.")


def _affine(trajectory: Trajectory) -> Foretold:
    best, found = float(trajectory.member.line_rmse[0]), float(trajectory.member.rmse[0])
    return Foretold(
        "",
        "Without activations the network is an affine function, whatever its seed: the best one "
        f"misses these rows by {best:.4g} (root mean square), this one by {found:.4g}.",
    )


def _bias_at_start(trajectory: Trajectory) -> float:
    biases = [np.abs(bias[0]).max() for _, bias in trajectory.layers if bias is not None]
    return float(max(biases, default=0.0))


def _absolute_value(trajectory: Trajectory) -> Foretold:
    setting = trajectory.setting
    network, x = setting.network, trajectory.inputs
    if len(network.widths) != 3 or network.activations[1] != "linear":
        return _nothing("it knows one hidden layer and a linear output")
    if x.min() != -x.max():
        return _nothing("its inputs are not symmetric about 0")
    (kernel, _), (outputs, _) = trajectory.layers
    w, a = kernel[0, 0].astype(float), outputs[0, :, 0].astype(float)
    optimiser = setting.training.optimiser
    if optimiser.learning_rate <= 0:
        return _nothing("its learning rate is 0")
    conditions = conditions_of(setting, float(x.max()), _bias_at_start(trajectory))
    against = objections(conditions, float(max(np.abs(w).max(), np.abs(a).max())))
    if against:
        return _nothing(against[0])
    expected = str(absolute_value.fate(w, a))
    if expected in ONE_SIDE and conditions.drift > STEADY:
        return _nothing(
            f"it expects one side only, but its output's bias may travel {conditions.drift:.2g} of "
            f"the largest input, above {STEADY:g}, and the loss goes on falling"
        )
    why = [_sides(w), *_doomed(w, a), _expects("The rule", expected, trajectory)]
    why += _plateau(trajectory)
    if expected != trajectory.outcome:
        adam = (optimiser.learning_rate, optimiser.b1, optimiser.b2)
        limit = conditions.input_limit
        followed = str(momentum.outcome_under_adam(w, a, *adam, input_limit=limit))
        flowing = str(flow.outcome_of_flow(w, a))
        why.append(
            f"Gradient flow would end as {flowing}, Adam's map of single units as {followed}."
        )
    return Foretold(expected, " ".join(why))


def _plateau(trajectory: Trajectory) -> list[str]:
    """Hold the loss that theory gives for an output that is its bias on one side, or on both."""
    of = {"dead": plateaus.no_side_fitted} | dict.fromkeys(ONE_SIDE, plateaus.one_side_fitted)
    biases = trajectory.layers[1][1]
    if trajectory.outcome not in of or biases is None:
        return []
    bias = float(biases[-1, 0])
    limit, rows = float(trajectory.inputs.max()), trajectory.setting.task.rows
    loss = of[trajectory.outcome](*plateaus.moments(limit, rows), bias)
    sides = "both sides" if trajectory.outcome == "dead" else "the other side"
    only = "" if trajectory.outcome == "dead" else "One side fitted and "
    text = f"{only}the output's bias, {bias:.3g}, on {sides} makes a loss of {_loss(loss)}"
    found = f"; it is {_loss(float(trajectory.loss[-1]))}."
    return [text[0].upper() + text[1:] + found]


def _loss(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _sides(w: np.ndarray) -> str:
    right, left = int((w > 0).sum()), int((w < 0).sum())
    if right and left:
        return f"{_units(right, len(w))} started on the right (kernel > 0), {left} on the left."
    side, sign = ("right", ">") if right else ("left", "<")
    other = "left" if right else "right"
    none = f"nothing answers to inputs on the {other}"
    return f"{_units(right + left, len(w))} started on the {side} (kernel {sign} 0): {none}."


def _units(count: int, of: int) -> str:
    if count == of:
        return {1: "The unit", 2: "Both units"}.get(of, f"All {of} units")
    return f"{count} of {of} units"


def _doomed(w: np.ndarray, a: np.ndarray) -> list[str]:
    dying = np.flatnonzero(a <= -np.abs(w))
    if not len(dying):
        return ["No output weight is negative and as large as its kernel: by the rule all live."]
    if len(dying) > 2:
        text = (
            "have a negative output weight at least as large as the kernel: by the rule they die."
        )
        return [f"{_units(len(dying), len(w))} {text}"]
    text = "is negative and at least as large as its kernel, {:.3g}: by the rule it dies."
    return [
        f"Unit {i + 1}'s output weight, {a[i]:.3g}, " + text.format(w[i]) for i in dying.tolist()
    ]


def _expects(who: str, expected: str, trajectory: Trajectory) -> str:
    came = "as it turned out" if expected == trajectory.outcome else "but it ended otherwise"
    return f"{who} expects {expected}, {came}."


def _doubling(trajectory: Trajectory) -> Foretold:
    setting = trajectory.setting
    numbers, optimiser = setting.task.numbers, setting.training.optimiser
    if len(setting.network.widths) != 3 or setting.network.activations != ("relu", "relu"):
        return _nothing("it knows one hidden layer of ReLUs and a ReLU at the output")
    if trained_by(setting) != "sgd" or optimiser.learning_rate <= 0:
        return _nothing("it follows plain gradient descent at a constant rate")
    if numbers["low"] < 0 or _bias_at_start(trajectory) > 0:
        return _nothing("it takes inputs above 0, and biases of 0 at the start")
    (kernel, _), (outputs, _) = trajectory.layers
    w, a = kernel[0, 0].astype(float), outputs[0, :, 0].astype(float)
    x = np.linspace(numbers["low"], numbers["high"], setting.task.rows)
    step = doubling.kappa(optimiser.learning_rate, float(np.mean(x**2)))
    expected = str(doubling_fate.fate(w, a, step, setting.steps))
    slope = float(np.sum(a * np.maximum(w, 0)))
    if slope <= 0:
        start = f"The slope at the start, {slope:.3g}, is not above 0: the output is 0 throughout."
    else:
        moved = f"moves each weight by {step * (2 - slope):.3g} times its partner"
        start = f"The slope starts at {slope:.3g}; a full-batch step {moved}."
    limit = f"Steps are stable up to kappa = {doubling.STABLE:g}; here it is {step:.4g}."
    return Foretold(expected, f"{start} {limit} {_expects('The map', expected, trajectory)}")


def _negation(trajectory: Trajectory) -> Foretold:
    setting = trajectory.setting
    network, optimiser = setting.network, setting.training.optimiser
    slope = {"relu": 0.0, "leaky_relu": network.slope}.get(network.activations[0], -1.0)
    if network.widths != (1, 1) or not 0 <= slope <= 1:
        return _nothing("it knows a single unit, ReLU or leaky")
    if trained_by(setting) not in ADAMS or optimiser.learning_rate <= 0:
        return _nothing("it knows Adam at a constant rate")
    if _bias_at_start(trajectory) > 0 or setting.task.tolerance != 0.1:
        return _nothing("it knows a bias of 0 at the start and a tolerance of a tenth")
    start = float(trajectory.layers[0][0][0, 0, 0])
    rate = optimiser.learning_rate
    expected = str(negation.fate(start, slope, rate, setting.steps))
    why = f"The kernel started at {start:.3g}, so the input -1 enters the unit as {-start:.3g}"
    if start < 0:
        why += ": the right sign."
    elif slope == 0:
        why += ", where a ReLU passes nothing on, no gradient either."
    else:
        flip = float(negation.flip_step(start, rate))
        why += f"; Adam turns that sign at step {flip:g} or so."
    if not expected:
        return Foretold("", f"{why} What becomes of it then, theory does not say.")
    return Foretold(expected, f"{why} {_expects('Theory', expected, trajectory)}")
