"""Exact: the rows of the tasks, their regions, and what fits them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples

from jaxlab import Network, Setting, Task, tasks


def setting(task: Task, widths=(1, 2, 1)) -> Setting:
    return Setting("s", task, Network(widths, ("linear",) * (len(widths) - 1)))


@pytest.mark.parametrize("rows", [1, 2, 40, 41, 400])
def test_absolute_value_is_even_and_spaced_evenly(rows):
    inputs, targets, regions = tasks.example(tasks.absolute_value(rows, -1000, 1000))
    x, y = np.asarray(inputs)[:, 0], np.asarray(targets)[:, 0]
    np.testing.assert_allclose(x, np.linspace(-1000, 1000, rows), rtol=1e-6, atol=1e-3)
    assert np.array_equal(y, abs(x))
    if rows > 1:
        assert np.array_equal(x, -x[::-1]), "not symmetric to the last bit"
    assert np.array_equal(regions["right"], x > 0)
    assert np.array_equal(regions["left"], x < 0)


def test_a_network_that_does_not_fit_is_refused():
    tasks.check_fit(setting(samples.setting().task))
    with pytest.raises(ValueError, match=r"\(2, 1\); .* has 1 inputs a row, .* must be 1"):
        tasks.check_fit(setting(samples.setting().task, (2, 1)))
    with pytest.raises(ValueError, match=r"\(1, 2\); .* has 1 targets a row"):
        tasks.check_fit(setting(samples.setting().task, (1, 2)))


def _wrong_rows(key, rows, numbers):
    return jnp.zeros((rows + 1, 1)), jnp.zeros((rows, 1))


def _no_columns(key, rows, numbers):
    return jnp.zeros(rows), jnp.zeros((rows, 1))


def _fine(key, rows, numbers):
    return jax.random.normal(key, (rows, 1)), jnp.zeros((rows, 1))


@pytest.mark.parametrize(
    ("draw", "regions", "said"),
    [
        (_wrong_rows, tasks.whole, r"makes inputs \(6, 1\); they must be \(5, "),
        (_no_columns, tasks.whole, r"makes inputs \(5,\); they must be \(5, "),
        (_fine, lambda x: {"all": x > 0}, r"region 'all' .* shape \(5, 1\); it must be \(5,\)"),
    ],
)
def test_a_task_that_makes_the_wrong_shapes_is_refused(draw, regions, said, monkeypatch):
    monkeypatch.setattr(tasks, "_DEFINITIONS", {})
    tasks.define("mine", draw, regions, random=True)
    with pytest.raises(ValueError, match=said):
        tasks.check_fit(setting(Task("mine", 5)))


def test_a_defined_task_is_found_and_an_unknown_one_lists_the_others(monkeypatch):
    monkeypatch.setattr(tasks, "_DEFINITIONS", {})
    tasks.define("mine", _fine, tasks.whole, random=True)
    found = tasks.definition(Task("mine", 5))
    assert dataclasses.astuple(found) == (_fine, tasks.whole, True)
    with pytest.raises(ValueError, match="'yours'; it must be one of mine"):
        tasks.definition(Task("yours", 5))
