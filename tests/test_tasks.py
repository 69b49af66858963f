"""Exact and statistical: the rows of the tasks, their regions, and what fits them.

False fail: `FALSE_FAIL` a test. False pass: with N draws over m values chi-square rejects a law of
relative squared distance d2 = sum (q - p)^2 / p from uniform once N d2 exceeds about
m - 1 + 5 sqrt(2 (m - 1)) + 14; each negative control is such a law, and is rejected. The test of
replacement misses a rate that is off by 0.12 with less than 1e-6.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from acceptance import FALSE_FAIL, agrees, false_pass, uniform_p_value

from jaxlab import Network, Setting, Task, keys, tasks
from jaxlab.spec import Scaling


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
    assert np.array_equal(regions["right"], x >= 0)
    assert np.array_equal(regions["left"], x <= 0)


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
    assert dataclasses.astuple(found) == (_fine, tasks.whole, True, False, None)
    with pytest.raises(ValueError, match="'yours'; it must be one of mine"):
        tasks.definition(Task("yours", 5))


def drawn(task: Task, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    numbers = {name: jnp.float32(value) for name, value in task.numbers.items()}
    key = keys.stream(keys.member_key(keys.root_key(), seed), "data")
    inputs, targets = tasks.definition(task).draw(key, task.rows, numbers)
    return np.asarray(inputs), np.asarray(targets)[:, 0]


TARGETS = {
    "sum": lambda x: x[:, 0] + x[:, 1],
    "product": lambda x: x[:, 0] * x[:, 1],
    "square": lambda x: x[:, 0] ** 2,
    "square_and_spare": lambda x: x[:, 0] ** 2,
    "multiple": lambda x: 3 * x[:, 0],
    "shifted": lambda x: x[:, 0] + 3,
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_of_integers_are_exact(name):
    constant = 3 if name in ("multiple", "shifted") else None
    task = tasks.of_integers(name, 300, -499, 499, constant=constant, scaling=Scaling("unit"))
    inputs, targets = drawn(task)
    assert inputs.shape == (300, 1 if name in ("square", "multiple", "shifted") else 2)
    assert np.array_equal(inputs, np.round(inputs))
    assert np.array_equal(targets, TARGETS[name](inputs.astype(np.int64)))
    again, others = drawn(task), drawn(task, 1)
    assert np.array_equal(again[0], inputs), "not a function of its key"
    assert np.abs(others[0] - inputs).max() > 100, "not of its own"
    assert tasks.own_rows(task)
    assert tasks.definition(task).spread


def test_a_function_of_integers_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"'ratio'; it must be one of sum, product, .*shifted"):
        tasks.of_integers("ratio", 5, 0, 1)


def chi_square(inputs: np.ndarray, low: int, high: int) -> float:
    return uniform_p_value(np.bincount((inputs - low).astype(int), minlength=high - low + 1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_integers_are_uniform_with_both_ends_and_replacement(seed):
    inputs, _ = drawn(tasks.of_integers("sum", 100_000, -2, 3), seed)
    for column in inputs.T:
        assert (column.min(), column.max()) == (-2, 3)
        assert chi_square(column, -2, 3) > FALSE_FAIL
    pairs = 6 * (inputs[:, 0] + 2) + inputs[:, 1] + 2  # the inputs are independent
    assert chi_square(pairs, 0, 35) > FALSE_FAIL
    column = inputs[:, 0]
    assert chi_square(column[column < 3], -2, 3) < FALSE_FAIL
    rare = np.random.default_rng(0).random(column.size) < 0.1
    assert chi_square(np.where(rare & (column == 3), -2, column), -2, 3) < FALSE_FAIL
    assert chi_square(7 * (column + 2), 0, 35) < FALSE_FAIL, "both inputs the same"


def test_integers_are_drawn_with_replacement():
    task, seeds = tasks.of_integers("square", 40, 0, 999), np.arange(2000)

    def one(seed):
        key = keys.stream(keys.member_key(keys.root_key(), seed), "data")
        numbers = {name: jnp.float32(value) for name, value in task.numbers.items()}
        return tasks.definition(task).draw(key, task.rows, numbers)[0]

    rows = np.sort(np.asarray(jax.vmap(one)(seeds))[..., 0], axis=1)
    repeats = int((np.diff(rows) == 0).any(axis=1).sum())
    rate = 1 - float(np.prod(1 - np.arange(40) / 1000))
    assert agrees(repeats, len(seeds), rate)
    assert max(false_pass(len(seeds), rate, rate + d) for d in (-0.12, 0.12)) < 1e-6
    assert not agrees(0, len(seeds), rate), "what there were without replacement"


def test_negation_and_doubling_are_what_the_threads_posted():
    inputs, targets = drawn(tasks.negation(10))
    assert np.array_equal(inputs, np.full((10, 1), -1.0))
    assert np.array_equal(targets, np.ones(10))
    inputs, targets = drawn(tasks.doubling())
    assert np.array_equal(inputs[:, 0], np.arange(1, 601))
    assert np.array_equal(targets, 2 * np.arange(1, 601))
    normal = tasks.doubling_normal()
    inputs, targets = drawn(normal)
    assert np.array_equal(targets, 2 * inputs[:, 0])
    assert not np.array_equal(inputs, drawn(normal, 1)[0])
    assert [tasks.own_rows(t) for t in (tasks.negation(), tasks.doubling(), normal)] == [0, 0, 1]
    assert tasks.own_rows(dataclasses.replace(tasks.doubling(), scaling=Scaling()))


@pytest.mark.parametrize(
    ("arguments", "constant", "message"),
    [
        (("cube", 9, 0, 5), None, "one of sum, product"),
        (("sum", 9, 5, 0), None, "low first"),
        (("sum", 9, 0, 4.5), None, "integers"),
        (("multiple", 9, 0, 5), None, "must be a number"),
        (("sum", 9, 0, 5), 3.0, "must be None"),
    ],
)
def test_impossible_integers_are_refused(arguments, constant, message):
    with pytest.raises(ValueError, match=message):
        tasks.of_integers(*arguments, constant=constant)
