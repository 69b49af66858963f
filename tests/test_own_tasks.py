"""Exact: rows, targets and regions of one's own tasks, and what is refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlab import tasks
from jaxlab.own_tasks import from_arrays, from_formula, from_function, from_table


def rows_of(task):
    inputs, targets, regions = tasks.example(task)
    return np.asarray(inputs), np.asarray(targets), {n: np.asarray(m) for n, m in regions.items()}


def test_arrays_are_the_rows_and_their_content_is_the_identity():
    task = from_arrays("mine", [1, 2, 3], [[1, 2], [3, 4], [5, 7]], regions={"low": [1, 1, 0]})
    inputs, targets, regions = rows_of(task)
    assert inputs.tolist() == [[1], [2], [3]]
    assert targets.tolist() == [[1, 2], [3, 4], [5, 7]]
    assert {n: m.tolist() for n, m in regions.items()} == {"low": [True, True, False]}
    others = [
        from_arrays("mine", [1, 2, 3], [1, 2, 3]),
        from_arrays("mine", [1, 2, 3], [1, 2, 4]),
        from_arrays("mine", [1, 2, 3], [1, 2, 4], regions={"low": [1, 1, 0]}),
        from_arrays("mine", [1, 2, 3], [1, 2, 4], regions={"low": [1, 0, 0]}),
    ]
    assert len({t.name for t in others}) == 4
    assert rows_of(others[0])[1].ravel().tolist() == [1, 2, 3]  # the later ones are others


def test_a_formula_is_evaluated_on_a_grid():
    inputs, targets, regions = rows_of(from_formula("abs(x)", -3, 3, rows=7))
    assert inputs.ravel().tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert targets.ravel().tolist() == [3, 2, 1, 0, 1, 2, 3]
    assert regions["right"].sum() == regions["left"].sum() == 4  # the row at 0 is on both sides
    inputs, targets, regions = rows_of(from_formula("x % 2", 0, 9, whole_numbers=True))
    assert targets.ravel().tolist() == [0, 1] * 5
    assert list(regions) == ["all"]
    inputs, targets, _ = rows_of(from_formula("max(a, b) - a", 0, {"a": 2, "b": 1}["a"], rows=10))
    assert inputs.shape == (9, 2)
    np.testing.assert_array_equal(targets[:, 0], inputs.max(axis=1) - inputs[:, 0])


def test_regions_are_conditions():
    low, high = {"a": 0, "b": -1}, {"a": 1, "b": 1}
    for per_seed in (False, True):
        task = from_formula("a*b", low, high, rows=50, per_seed=per_seed, regions={"p": "b > a"})
        inputs, _, regions = rows_of(task)
        np.testing.assert_array_equal(regions["p"], inputs[:, 1] > inputs[:, 0])
        assert regions["p"].any()
        assert not regions["p"].all()


@pytest.mark.parametrize("whole", [False, True])
def test_rows_per_seed_are_drawn_from_the_whole_range(whole):
    task = from_formula(
        "a*b", -3, {"a": 3, "b": 3}["a"], rows=2000, whole_numbers=whole, per_seed=True
    )
    draw, keys = tasks.definition(task).draw, jax.random.split(jax.random.key(0), 2)
    numbers = {name: jnp.float32(value) for name, value in task.numbers.items()}
    (x, y), (other, _) = (draw(key, task.rows, numbers) for key in keys)
    np.testing.assert_array_equal(y[:, 0], x[:, 0] * x[:, 1])
    assert not np.array_equal(x, other)
    assert (x == x.round()).all() == whole
    # 2,000 draws leave out one of seven numbers with probability below 1e-130.
    assert np.unique(np.round(x)).tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_a_function_may_have_several_outputs():
    def both(x):
        return jnp.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1)

    task = from_function("both", both, [0, 0], [1, 1], rows=4)
    assert rows_of(task)[1].tolist() == [[0, 0], [1, -1], [1, 1], [2, 0]]


def test_a_table_is_learnt_from_all_other_columns_and_judged_by_conditions():
    table = {"a": [1, 2, 3], "y": [4, 5, 7], "b": [-1, 0, 1]}
    task = from_table("y", table, regions={"low": "b < 1"})
    inputs, targets, regions = rows_of(task)
    assert inputs.tolist() == [[1, -1], [2, 0], [3, 1]]
    assert targets.ravel().tolist() == [4, 5, 7]
    assert regions["low"].tolist() == [True, True, False]
    assert task == from_arrays("y", inputs, targets, regions=regions)


def test_functions_of_one_name_drawn_per_seed_are_told_apart():
    def of(function, regions=None):
        return from_function("f", function, -1, 1, rows=50, per_seed=True, regions=regions)

    single, double = of(lambda x: x), of(lambda x: 2 * x)
    assert single.name != double.name
    assert single == of(lambda x: x)
    assert of(lambda x: x, lambda x: {"r": x[:, 0] > 0.5}).name != single.name
    for task, factor in ((single, 1), (double, 2)):
        inputs, targets, _ = rows_of(task)
        assert (targets == factor * inputs).all()


def test_of_one_formula_drawn_per_seed_each_range_keeps_its_regions():
    both = from_formula("x**2", -1, 1, per_seed=True)
    one = from_formula("x**2", 0, 1, per_seed=True)
    assert (both.name, one.name) == ("x**2 per seed", "x**2, as a whole per seed")
    assert set(rows_of(both)[2]) == {"right", "left"}
    assert set(rows_of(one)[2]) == {"all"}


def test_the_margin_is_a_half_and_follows_a_larger_tolerance():
    drawn = {"per_seed": True, "rows": 50}
    makers = (partial(from_formula, "x", -1, 1), partial(from_formula, "x", -1, 1, **drawn))
    makers += (
        partial(from_arrays, "a", [1, 2], [1, 2]),
        partial(from_function, "f", jnp.abs, 0, 1),
    )
    for make in makers:
        assert make().margin == make(tolerance=0.5).margin == 0.5
        assert make(tolerance=0.6).margin == 0.6
        assert make(margin=0.2).margin == 0.2
        with pytest.raises(ValueError, match=r"tolerance is 1; .* below 1, or a constant would"):
            make(tolerance=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_table("y", {"e": [1, 2], "y": [1, 2]}, regions={"r": "e > 0"}), "column 'e'"),
        (lambda: from_table("y", {"a": [1], "y": [1]}), "all targets are the same"),
        (lambda: from_arrays("a", [1, 2], ["x", "y"]), "targets are no numbers"),
        (lambda: from_arrays("a", [1, 2], [1, float("nan")]), "not finite at row 2"),
        (lambda: from_arrays("a", [1, 2], [1]), "2 rows of inputs and 1 of targets"),
        (lambda: from_arrays("a", [1, 2], [3, 3]), "all targets are the same"),
        (lambda: from_arrays("a", [1, 2], [1, 2], regions={"r": [1]}), "region 'r' has the shape"),
        (lambda: from_arrays("a", [1, 2], [1, 2], regions={}), "no regions"),
        (lambda: from_arrays("a", [], []), "shape"),
        (lambda: from_arrays("a", [1, 2], [1, 2], regions={"r": [0, 0]}), "'r' holds no row"),
        (lambda: from_formula("log(x)", -1, 1, per_seed=True), "targets are not finite"),
        (lambda: from_formula("0*x", -1, 1, per_seed=True), "all targets are the same"),
        (
            lambda: from_formula("x", -1, 1, rows=5, per_seed=True, regions={"r": "x > 0.9"}),
            "'r' is without rows for some seeds",
        ),
        (lambda: from_formula("x", -1, 1, regions={"r": "x + 1"}), "'x . 1' is no condition"),
        (lambda: from_formula("log(x)", -1, 1), "not finite at row 1"),
        (lambda: from_formula("x*t", {"x": 0}, {"x": 1}), "the variables are x, t"),
        (lambda: from_formula("3", 0, 1), "has no variable"),
        (lambda: from_formula("x", 1, 0), "low below high"),
        (lambda: from_formula("x", 0.5, 2, whole_numbers=True), "whole numbers, too"),
        (lambda: from_formula("x", 0, 1e9, whole_numbers=True), "up to 16777216"),
        (lambda: from_formula("a*b*c*d", 0, 99, whole_numbers=True), "draw some of them per seed"),
        (lambda: from_formula("a*b", 0, 1, rows=3), "at least 4"),
        (lambda: from_formula("x", 0, 1, rows=0), "at least 2"),
        (lambda: from_formula("a", 0, 1, regions={"q": "c > 0"}), "uses 'c'"),
        (lambda: from_formula("x", 0, 1e39), "float32 holds no such"),
    ],
)
def test_what_cannot_be_learnt_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
