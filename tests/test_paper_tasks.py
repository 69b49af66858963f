"""Exact, and statistical where rows are drawn: the tasks of papers and of a forum.

Each drawn coordinate is held against its law by a two-sided Kolmogorov-Smirnov test. False fail:
`FALSE_FAIL` each. False pass: of `DRAWS` numbers a law whose distribution function differs by 0.05
anywhere passes with a probability below 1e-7 (the test rejects from 0.019 on; Dvoretzky, Kiefer
and Wolfowitz). Negative controls: the neighbouring laws are told apart.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import FALSE_FAIL, assert_rounding
from scipy import stats

from jaxlab import Network, Setting, Task, keys, paper_tasks, tasks

SPAN, DRAWS = math.sqrt(7), 20_000


def rows_of(task: Task) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets, _ = tasks.example(task)
    return np.asarray(inputs), np.asarray(targets)


def regions_of(task: Task) -> dict[str, list[bool]]:
    return {name: np.asarray(mask).tolist() for name, mask in tasks.example(task)[2].items()}


def drawn(task: Task, seed: int) -> np.ndarray:
    numbers = {name: jnp.float32(value) for name, value in task.numbers.items()}
    key = keys.stream(keys.member_key(keys.root_key(), seed), "data")
    inputs, targets = tasks.definition(task).draw(key, task.rows, numbers)
    return np.concatenate([inputs, targets], axis=1)


ALL = {
    "xor": (paper_tasks.xor(), 2, 1, False),
    "absolute_value": (paper_tasks.on_span("absolute_value"), 1, 1, False),
    "sine": (paper_tasks.on_span("sine"), 1, 1, False),
    "step_and_sine": (paper_tasks.on_span("step_and_sine"), 1, 1, False),
    "folded_plane": (paper_tasks.on_span("folded_plane"), 2, 2, True),
    "affine": (paper_tasks.affine(5, -1, 1, 2, 3), 1, 1, False),
    "random_points": (paper_tasks.random_points(16), 16, 1, True),
    "quadrant": (paper_tasks.quadrant(5), 2, 1, False),
}


@pytest.mark.parametrize("name", ALL)
def test_a_task_has_so_many_inputs_and_targets_and_its_own_rows_if_drawn(name):
    task, inputs, targets, own = ALL[name]
    assert task.name == name
    assert tasks.own_rows(task) == own
    tasks.check_fit(Setting("s", task, Network((inputs, targets), ("linear",))))
    with pytest.raises(ValueError, match="that end must be"):
        tasks.check_fit(Setting("s", task, Network((inputs + 1, targets), ("linear",))))


def test_xor_is_judged_corner_by_corner():
    task = paper_tasks.xor()
    inputs, targets = rows_of(task)
    assert {(*x, y) for x, (y,) in zip(inputs.tolist(), targets.tolist(), strict=True)} == {
        *((-1.0, -1.0, 0.0), (1.0, 1.0, 0.0)),
        *((1.0, -1.0, 1.0), (-1.0, 1.0, 1.0)),
    }
    regions = regions_of(task)
    assert np.array_equal(np.sum(list(regions.values()), axis=0), [1, 1, 1, 1])
    corners = {name: inputs[mask].tolist() for name, mask in regions.items()}
    assert corners == {
        "both_off": [[-1.0, -1.0]],
        "first_on": [[1.0, -1.0]],
        "second_on": [[-1.0, 1.0]],
        "both_on": [[1.0, 1.0]],
    }
    assert (task.rows, task.tolerance, task.margin) == (4, 0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("absolute_value", np.abs),
        ("sine", lambda x: x * np.sin(5 * x)),
        ("step_and_sine", lambda x: (x > 0) + 0.2 * np.sin(5 * x)),
    ],
)
def test_targets_on_the_span_of_the_paper(name, target):
    task = paper_tasks.on_span(name)
    inputs, targets = rows_of(task)
    assert task.rows == 3000 == len(inputs)
    assert_rounding(inputs[:, 0], np.linspace(-SPAN, SPAN, 3000))
    assert_rounding(targets, target(inputs.astype(float)))
    assert tasks.definition(task).spread == (name != "absolute_value")
    assert set(regions_of(task)) == ({"left", "right"} if name == "absolute_value" else {"all"})


def test_the_folded_plane_is_drawn_for_each_seed():
    task = paper_tasks.on_span("folded_plane", DRAWS)
    rows = drawn(task, 0)
    assert rows.shape == (DRAWS, 4)
    a, b = rows[:, 0].astype(float), rows[:, 1].astype(float)
    assert_rounding(rows[:, 2:], np.abs(np.stack([a + b, a - b], axis=1)))
    law, wrong = stats.uniform(-SPAN, 2 * SPAN), stats.uniform(-2.5, 5)
    for column in (a, b):
        assert stats.kstest(column, law.cdf)[1] > FALSE_FAIL > stats.kstest(column, wrong.cdf)[1]
    assert abs(np.corrcoef(a, b)[0, 1]) < stats.norm.isf(FALSE_FAIL / 2) / math.sqrt(DRAWS)
    assert np.array_equal(drawn(task, 0), rows)
    assert not np.isclose(drawn(task, 1), rows).all(axis=1).any()
    assert regions_of(task) == {"all": [True] * DRAWS}


def test_random_points_are_standard_normal_and_of_each_seed():
    task = paper_tasks.random_points(DRAWS // 16)
    rows = drawn(task, 0)
    assert rows.shape == (DRAWS // 16, 17)
    assert not np.isclose(drawn(task, 1), rows).all(axis=1).any()
    inputs, wrong = rows[:, :16].ravel(), stats.norm(0, 1.2)
    assert stats.kstest(inputs, stats.norm.cdf)[1] > FALSE_FAIL > stats.kstest(inputs, wrong.cdf)[1]
    many = drawn(paper_tasks.random_points(DRAWS), 2)
    assert stats.kstest(many[:, 16], stats.norm.cdf)[1] > FALSE_FAIL
    found = np.corrcoef(many.T)[np.triu_indices(17, 1)]
    assert np.abs(found).max() < stats.norm.isf(FALSE_FAIL / 2 / len(found)) / math.sqrt(DRAWS)
    assert not tasks.definition(task).spread


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -3.0), (0.0, 0.5), (-1e3, 0.0)])
def test_an_affine_target(slope, intercept):
    task = paper_tasks.affine(11, -2.0, 3.0, slope, intercept)
    inputs, targets = rows_of(task)
    assert_rounding(inputs[:, 0], np.linspace(-2, 3, 11))
    assert_rounding(targets, slope * inputs + intercept)
    assert tasks.definition(task).spread
    assert regions_of(task) == {"all": [True] * 11}


@pytest.mark.parametrize("rows", [2, 3, 65])
def test_the_quadrant_is_its_directions_ends_on_the_axes(rows):
    inputs, targets = rows_of(paper_tasks.quadrant(rows))
    angle = np.linspace(0, np.pi / 2, rows)
    assert_rounding(inputs, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    assert_rounding(targets, inputs.sum(axis=1, keepdims=True))
    assert inputs[0].tolist() == [1.0, 0.0]
    assert inputs[-1].tolist() == [0.0, 1.0]
    assert (inputs[1:-1] > 0).all()


def test_rows_do_not_depend_on_a_users_64_bits():
    for task, *_ in ALL.values():
        before = tasks.example(task)[:2]
        with jax.enable_x64(True):
            after = tasks.example(task)[:2]
        for one, other in zip(before, after, strict=True):
            assert_rounding(np.asarray(other, np.float32), one)


@pytest.mark.parametrize("name", ["xor", "", "Sine", None])
def test_a_target_that_the_paper_has_not_is_refused(name):
    with pytest.raises(ValueError, match="must be one of absolute_value, sine, step_and_sine, fol"):
        paper_tasks.on_span(name)


@pytest.mark.parametrize("rows", [0, -1, 2.5])
def test_an_impossible_number_of_rows_is_refused(rows):
    for make in (paper_tasks.random_points, paper_tasks.quadrant):
        with pytest.raises(ValueError, match="task rows is"):
            make(rows)
    with pytest.raises(ValueError, match="task rows is"):
        paper_tasks.on_span("sine", rows)


def test_numbers_of_an_affine_target_must_be_finite():
    with pytest.raises(ValueError, match="task number slope is nan"):
        paper_tasks.affine(3, 0, 1, float("nan"), 0)
