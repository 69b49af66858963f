"""Exact: what float32 is too coarse for is centred where that is allowed, else warned of.

Negative controls: what float32 holds well is neither moved nor warned of.
"""

import dataclasses
import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from samples import scaled_by_hand

from jaxlab import Network, Scaling, Setting, advice, rounding, scaling, tasks
from jaxlab.own_tasks import from_arrays, from_formula, from_function
from jaxlab.rounding import RoundingWarning
from jaxlab.spec import SCALINGS
from jaxlab.variants import vary

STEPS = np.arange(41.0)
SECONDS = 1_700_000_000 + STEPS
STANDARD = Scaling("standard", "standard")


def rows_of(task) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets, _ = tasks.example(task)
    return np.asarray(inputs), np.asarray(targets)


def scaled(task) -> list[np.ndarray]:
    """Return inputs and targets as a network sees them, scaled in float32 as the task says."""
    found = []
    for values, how in zip(rows_of(task), (task.scaling.inputs, task.scaling.targets), strict=True):
        units = scaling.fit(jnp.asarray(values), jnp.float32(SCALINGS.index(how)), jnp.float32(1))
        found.append(np.asarray(scaling.apply(units, jnp.asarray(values))))
    return found


@pytest.mark.parametrize("how", ["unit", "symmetric", "standard"])
def test_seconds_since_1970_are_scaled_exactly(how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = from_arrays("late", SECONDS, STEPS / 40, scaling=Scaling(how))
    assert task.numbers == {"input 1 less": 1_700_000_020}
    assert rows_of(task)[0][:, 0].tolist() == (STEPS - 20).tolist()
    wanted = scaled_by_hand(how, SECONDS[:, None])
    assert np.abs(scaled(task)[0] - wanted).max() < 1e-6


@pytest.mark.parametrize("how", ["raw", "log"])
def test_where_no_shift_is_allowed_the_loss_and_a_remedy_are_told(how):
    with pytest.warns(RoundingWarning) as caught:
        task = from_arrays("late", SECONDS, STEPS / 40, scaling=Scaling(how))
    (said,) = [str(one.message) for one in caught]
    assert "input 1 is too fine for float32: 41 values become 1, by up to " in said
    assert "--scale standard or Scaling(inputs='standard')" in said
    assert task.numbers == {}
    assert len(np.unique(rows_of(task)[0])) == 1


def test_targets_are_centred_and_told_of_in_the_same_way():
    targets = 1e7 + np.sin(STEPS)
    with pytest.warns(RoundingWarning, match=r"target 1 .*41 values become 3.*--scale-targets st"):
        from_arrays("wave", STEPS, targets)
    task = from_arrays("wave", STEPS, targets, scaling=Scaling(targets="standard"))
    assert task.numbers == {"target 1 less": 1e7}
    assert np.abs(rows_of(task)[1][:, 0] - np.sin(STEPS)).max() < 1e-7
    with pytest.raises(ValueError, match=r"41 values become 1.* nothing to learn; scale targets"):
        from_arrays("wave", STEPS, 1e12 + np.sin(STEPS))


CONTROLS = {
    "far but wide": 1e9 + 1e6 * STEPS,
    "small": 1e-14 * np.sin(STEPS),
    "constant": np.full(41, 0.1),
    "many": np.random.default_rng(0).normal(5, 1, 41),
    "whole": STEPS + 1_000_000,
}


@pytest.mark.parametrize("name", CONTROLS)
def test_what_float32_holds_is_neither_moved_nor_warned_of(name):
    inputs = CONTROLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = [from_arrays("fine", inputs, STEPS, scaling=s) for s in (None, STANDARD)]
    assert made[0].name == made[1].name
    assert made[1].numbers == {}
    assert (rows_of(made[1])[0][:, 0] == inputs.astype(np.float32)).all()
    # Of 100,000 normal numbers some fall together in float32; that is no loss.
    assert not rounding.is_coarse(np.random.default_rng(1).normal(size=(100_000, 1))).any()


def test_another_scaling_begins_with_the_exact_numbers_again():
    with pytest.warns(RoundingWarning):
        raw = from_arrays("late", SECONDS, 1e7 + np.sin(STEPS), tolerance=0.2, margin=0.7)
    base = Setting("s", raw, Network((1, 2, 1), ("relu", "linear")))
    wanted = from_arrays(
        "late", SECONDS, 1e7 + np.sin(STEPS), tolerance=0.2, margin=0.7, scaling=STANDARD
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        there = vary(base, "scaled", scaling=STANDARD).task
        back = vary(dataclasses.replace(base, task=there), "raw", scaling=None, epochs=7).task
        advised = {v.name: v.task for v in advice.variants(base)}
    assert (there, back) == (wanted, raw)
    assert there.numbers == {"input 1 less": 1_700_000_020, "target 1 less": 1e7}
    assert advised["standardised inputs and targets"] == wanted
    assert list(advised["standardised inputs"].numbers) == ["input 1 less"]


def test_data_that_differ_by_a_shift_only_are_other_tasks():
    near, far = (from_arrays("d", start + STEPS, STEPS, scaling=STANDARD) for start in (-20, 2e9))
    assert (rows_of(near)[0] == rows_of(far)[0]).all()
    assert near.name != far.name


def test_regions_are_of_the_exact_inputs():
    task = from_arrays(
        "late",
        SECONDS,
        STEPS,
        regions=lambda t: {"late": t[:, 0] > 1_700_000_030},
        scaling=STANDARD,
    )
    assert np.asarray(tasks.example(task)[2]["late"]).sum() == 10


def test_a_range_too_narrow_for_float32_is_computed_in_float64():
    ends = 1e9, 1.0000001e9
    formula = from_formula("(x - 1000000000)**2", *ends, rows=101, scaling=STANDARD)
    function = from_function("f", lambda x: (x - 1e9) ** 2, *ends, rows=101, scaling=STANDARD)
    for task in (formula, function):
        inputs, targets = rows_of(task)
        assert inputs[:, 0].tolist() == list(range(-50, 51))
        assert targets[:, 0].tolist() == [i**2 for i in range(101)]
    with pytest.warns(RoundingWarning, match="input x is too fine for float32: 101 values become"):
        from_formula("x", *ends, rows=101, scaling=Scaling(targets="unit"))


def test_a_function_whose_values_lie_too_close_is_computed_in_float64():
    with pytest.warns(RoundingWarning, match="target 1 is too fine"):
        from_function("f", lambda x: 1e7 + jnp.sin(x), 0, 6, rows=41)
    found = from_function(
        "f", lambda x: 1e7 + jnp.sin(x), 0, 6, rows=41, scaling=Scaling(targets="unit")
    )
    inputs, targets = rows_of(found)
    assert np.abs(targets - np.sin(inputs.astype(float))).max() < 1e-7


def test_what_is_drawn_per_seed_cannot_be_centred_and_is_warned_of():
    with pytest.warns(RoundingWarning, match=r"inputs from \[1000000000.0\] to .*subtract a const"):
        from_formula("sin(x)", 1e9, 1.0000001e9, per_seed=True, scaling=STANDARD)
    with pytest.warns(RoundingWarning, match="target 1 is too fine for float32: .*subtract a cons"):
        from_formula("10000000 + sin(x)", 0, 6, per_seed=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_formula("a*b", 0, 9999, whole_numbers=True, per_seed=True, rows=50)
        from_formula("x", 16777000, 16777216, whole_numbers=True, per_seed=True, rows=50)


def test_what_float32_cannot_square_is_refused():
    waves = np.sin(STEPS)
    small = r"has a standard deviation of 7.*e-26; it must be at least 1e-15 and at most 1e\+15"
    for how in (None, Scaling(targets="unit")):  # judged in the original units all the same
        with pytest.raises(ValueError, match="what is to be learnt " + small):
            from_arrays("small", STEPS, 1e-25 * waves, scaling=how)
    with pytest.raises(ValueError, match="input 1 " + small):
        from_arrays("small", 1e-25 * waves, STEPS, scaling=STANDARD)
    with pytest.raises(ValueError, match=r"deviation of .*e\+24; it must be"):
        from_formula("x*10**25", -1, 1, per_seed=True)
    from_arrays("small", 1e-25 * waves, STEPS, scaling=Scaling("unit"))  # which squares nothing
    from_arrays("fine", STEPS, np.stack([waves, 1e-25 * waves], axis=1))  # judged together
