"""Exact: scaled targets that an output cannot answer are refused, and all others are not."""

import dataclasses
import math

import pytest

from jaxlab import Network, Scaling, Setting, Sweep, advice, grouping, own_tasks, reach
from jaxlab.spec import ACTIVATIONS
from jaxlab.variants import vary

STEP = own_tasks.from_formula("x > 5", 1, 9, whole_numbers=True)  # 0 five times, 1 four times


def setting(output: str, scaling: Scaling | None = None, **network) -> Setting:
    net = Network((1, 2, 1), ("relu", output), **network)
    return Setting("s", dataclasses.replace(STEP, scaling=scaling), net)


# Standardised, the step is -0.894 and 1.118.
FITTING = {
    "linear": {"unit", "symmetric", "standard", "log"},
    "leaky_relu": {"unit", "symmetric", "standard", "log"},
    "relu": {"unit", "log"},
    "tanh": {"unit", "symmetric", "log"},
    "sigmoid": {"unit", "log"},
    "elu": {"unit", "symmetric", "standard", "log"},
    "gelu": {"unit", "log"},
    "softplus": {"unit", "log"},
}


@pytest.mark.parametrize("output", ACTIVATIONS)
def test_scaled_targets_must_lie_within_reach(output):
    for how in ("unit", "symmetric", "standard", "log"):
        scaled = setting(output, Scaling("standard", how))
        if how in FITTING[output]:
            reach.check(scaled)
            continue
        with pytest.raises(
            ValueError, match=f"targets is '{how}'.*{output!r}.*right are unit, "
        ) as e:
            reach.check(scaled)
        assert "\n" not in str(e.value)
    for unscaled in (None, Scaling("standard"), Scaling(input_factor=9.0)):
        reach.check(setting(output, unscaled))


def test_a_factor_counts_and_a_flat_or_falling_leaky_relu_is_never_below_zero():
    with pytest.raises(ValueError, match=r"takes them to 0 and 2, but .*'sigmoid'.* from 0 to 1"):
        reach.check(setting("sigmoid", Scaling(targets="unit", target_factor=2.0)))
    reach.check(setting("leaky_relu", Scaling(targets="symmetric"), slope=0.1))
    with pytest.raises(ValueError, match="'leaky_relu' answers from 0 to inf"):
        reach.check(setting("leaky_relu", Scaling(targets="symmetric"), slope=-0.1))
    assert reach.of(Network((1, 1), module="mine", size=2)) == (-math.inf, math.inf)


def test_a_logarithm_of_what_has_none_is_refused_as_such():
    task = own_tasks.from_formula("x", -5, 5, scaling=Scaling(targets="log"))
    wrong = Setting("s", task, Network((1, 1), ("sigmoid",)))
    reach.check(wrong)
    with pytest.raises(ValueError, match="targets of -5; they must be above -1"):
        grouping.groups(Sweep("s", [wrong]))


def test_no_variant_is_out_of_reach_and_inputs_are_scaled_alone_too():
    with pytest.raises(ValueError, match="the output activation 'sigmoid' answers from 0 to 1"):
        vary(setting("sigmoid"), "v", scaling=Scaling("standard", "standard"))
    both, inputs = "standardised inputs and targets", "standardised inputs"
    for output, wanted in (("sigmoid", {inputs}), ("linear", {inputs, both})):
        made = {v.name: v.task.scaling for v in advice.variants(setting(output))}
        assert {name for name in made if name.startswith("stand")} == wanted
        assert made[inputs] == Scaling("standard", "raw")
    assert made[both] == Scaling("standard", "standard")
    half = advice.variants(setting("linear", Scaling("unit", target_factor=0.5)))
    assert {v.name: v.task.scaling for v in half}[both] == Scaling("unit", "standard")
