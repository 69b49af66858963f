"""Rounding and exact: the units that rows are scaled to, and back from.

Numbers are compared relative to the largest of their column, the size at which float32 rounds.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import ROUNDING, assert_rounding
from samples import scaled_by_hand

from jaxlab import Network, Setting, scaling, tasks
from jaxlab.spec import SCALINGS, Scaling

RANDOM = np.random.default_rng(0)
COLUMNS = {
    "spread": RANDOM.normal(20, 5, 50),
    "integers": RANDOM.integers(0, 500, 50),
    "from zero": np.arange(50) ** 2,
    "zeros": np.zeros(50),
    "constant": np.full(50, 7.0),
}
VALUES = np.stack(list(COLUMNS.values()), axis=1).astype(np.float32)
FACTORS = (1.0, 0.25, 30.0)


def fitted(name: str, values: np.ndarray, factor: float = 1.0) -> tuple[jax.Array, np.ndarray]:
    """Return units and scaled values."""
    units = scaling.fit(jnp.asarray(values), jnp.float32(SCALINGS.index(name)), jnp.float32(factor))
    return units, np.asarray(scaling.apply(units, jnp.asarray(values)), float)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", SCALINGS)
def test_rows_are_scaled_as_by_hand_and_come_back(name, factor):
    units, found = fitted(name, VALUES, factor)
    assert units.shape == (3, VALUES.shape[1])
    size = abs(VALUES).max(axis=0)
    worth = np.asarray(units[1], float)
    # What a column's largest number is rounded by, in units.
    rounding = ROUNDING * np.maximum(1, factor + (0 if name == "log" else size / worth))
    assert (abs(found - factor * scaled_by_hand(name, VALUES)) <= rounding).all()
    back = np.asarray(scaling.undo(units, jnp.asarray(found, jnp.float32)), float)
    assert (abs(back - VALUES) <= 20 * ROUNDING * np.maximum(1, size)).all()


def test_raw_values_are_not_touched_at_all():
    units, found = fitted("raw", VALUES)
    assert np.array_equal(found, VALUES)
    assert np.array_equal(scaling.undo(units, jnp.asarray(VALUES)), VALUES)


@pytest.mark.parametrize("factor", FACTORS)
def test_each_scaling_does_what_its_name_says(factor):
    varied = VALUES[:, :3]
    for name, ends in (("unit", (0, factor)), ("symmetric", (-factor, factor))):
        _, found = fitted(name, varied, factor)
        assert_rounding(found.min(axis=0) / factor, [ends[0] / factor] * 3)
        assert_rounding(found.max(axis=0) / factor, [ends[1] / factor] * 3)
    _, found = fitted("standard", varied, factor)
    assert_rounding(found.mean(axis=0) / factor, [0] * 3)
    assert_rounding(found.std(axis=0) / factor, [1] * 3)
    _, found = fitted("log", varied, factor)
    assert found[0, 2] == 0, "log(1 + 0)"


@pytest.mark.parametrize("name", SCALINGS)
def test_equal_values_stay_finite(name):
    for value in (0.0, 7.0):
        _, found = fitted(name, np.full((4, 1), value, np.float32), 2.0)
        wanted = {"raw": 2 * value, "log": 2 * np.log1p(value)}.get(name, 0.0)
        assert_rounding(found, np.full((4, 1), wanted))


def test_codes_may_be_traced_and_differ_between_members():
    codes, factors = jnp.arange(5.0), jnp.linspace(0.5, 2, 5)

    def both(code, factor):
        units = scaling.fit(jnp.asarray(VALUES), code, factor)
        return units, scaling.apply(units, jnp.asarray(VALUES))

    units, found = jax.jit(jax.vmap(both, out_axes=-1))(codes, factors)
    back = jax.jit(scaling.undo)(units, found)  # the member axis is last
    for i, name in enumerate(SCALINGS):
        its_units, alone = fitted(name, VALUES, float(factors[i]))
        assert_rounding(found[..., i] / abs(alone).max(), alone / abs(alone).max())
        wanted = np.asarray(scaling.undo(its_units, jnp.asarray(alone, jnp.float32)))
        assert_rounding(back[..., i] / 1000, wanted / 1000)


def test_a_scaling_becomes_numbers():
    given = Scaling("unit", "log", 2.0, 0.5)
    assert scaling.numbers_of(given) == [1.0, 4.0, 2.0, 0.5]
    assert scaling.numbers_of(Scaling()) == [0.0, 0.0, 1.0, 1.0]


def test_logarithms_of_what_has_none_are_refused():
    task = dataclasses.replace(tasks.absolute_value(8, -5.0, 5.0), scaling=Scaling("log"))
    setting = Setting("s", task, Network((1, 1), ("linear",)))
    with pytest.raises(ValueError, match="inputs of -5; they must be above -1"):
        tasks.check_fit(setting)
    log_targets = dataclasses.replace(task, scaling=Scaling("raw", "log"))
    tasks.check_fit(dataclasses.replace(setting, task=log_targets))
