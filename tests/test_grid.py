"""Exact: what a grid consists of, its JSON form, its windows and how it is shown."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from jaxlab import OUTCOMES
from jaxlab.grid import Axis, Grid, GridResult, grid_from_json, replaced
from jaxlab.spec import Scaling

GRID = samples.GRID


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        (samples.RATE, 0.5, lambda s: s.training.optimiser.learning_rate),
        ("network.slope", 0.5, lambda s: s.network.slope),
        ("network.widths.1", 7.0, lambda s: s.network.widths[1]),
        ("initialisers.1.scale", 2.0, lambda s: s.initialisers[1].scale),
        ("task.numbers.high", 9.0, lambda s: s.task.numbers["high"]),
        ("task.scaling.target_factor", 9.0, lambda s: s.task.scaling.target_factor),
        ("training.epochs", 2.6, lambda s: s.training.epochs - 0.4),
    ],
)
def test_a_number_is_replaced_at_its_path(path, value, wanted):
    scaled = dataclasses.replace(
        GRID.base, task=dataclasses.replace(GRID.base.task, scaling=Scaling())
    )
    found = replaced(scaled, path, value)
    assert wanted(found) == value
    back = replaced(found, path, wanted(scaled))
    assert back == scaled


def test_a_star_replaces_all():
    found = replaced(GRID.base, samples.SCALE, 3.0)
    assert [i.scale for i in found.initialisers] == [3.0, 3.0]
    assert (
        replaced(GRID.base, "initialisers.0.scale", 3.0).initialisers[1]
        == GRID.base.initialisers[1]
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("network.slop", "no 'slop' in Network"),
        ("networks.slope", "no 'networks' in Setting"),
        ("initialisers.2.scale", "no '2' in "),
        ("initialisers.-1.scale", "no '-1' in "),
        ("initialisers.scale", "no 'scale' in "),
        ("task.numbers.top", "no 'top' in "),
        ("task.scaling.input_factor", "no 'input_factor' in None"),
        ("training.steps", "no 'steps' in Training"),
        ("network.parameters", "no 'parameters' in Network"),
        ("network.slope.x", "no 'x' in 0.3"),
        ("", "no '' in Setting"),
        ("network.activations", "must lead to a number"),
        ("network.use_bias", "must lead to a number"),
    ],
)
def test_a_path_to_nowhere_is_refused(path, said):
    with pytest.raises(ValueError, match="leads") as error:
        replaced(GRID.base, path, 1.0)
    assert said in str(error.value)


def test_axes_must_have_paths_and_ascending_values():
    for wrong in (((), (1,)), ((samples.RATE,), ())):
        with pytest.raises(ValueError, match="'a' is empty"):
            Axis("a", *wrong)
    for values in ((1, 1), (2, 1)):
        with pytest.raises(ValueError, match="must ascend"):
            Axis("a", (samples.RATE,), values)
    wrong_values: tuple[Any, ...] = (float("nan"), float("inf"), "1", None, True, 10**400)
    for value in wrong_values:
        with pytest.raises(ValueError, match=r"each of values is .*; it must be a finite number"):
            Axis("a", (samples.RATE,), (0, value))


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        (Axis("a", ("network.slop",), (1, 2)), "no 'slop' in Network"),
        (Axis("a", (samples.RATE,), (-1, 2)), "learning_rate is -1.0"),
        (Axis("a", ("network.widths.1",), (1, 1e300)), "each of widths is 1000"),
    ],
)
def test_a_grid_with_an_impossible_corner_is_refused(axis, said):
    with pytest.raises(ValueError, match=said):
        Grid("g", GRID.base, axis, GRID.columns)


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=5, unique=True).map(sorted))
def test_json_gives_back_an_equal_grid(values):
    grid = Grid("g", GRID.base, Axis("rate", (samples.RATE, "network.slope"), values), GRID.columns)
    assert grid_from_json(grid.to_json()) == grid
    assert grid.shape == (len(values), 4)


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"name": "a", "base": 3}', "nothing"])
def test_json_of_something_else_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        grid_from_json(text)


@pytest.mark.parametrize("columns", [1, 2, 7, 60])
def test_shown_it_has_a_letter_a_cell_and_no_more_than_80_columns(columns):
    axis = Axis("rate", (samples.RATE,), np.geomspace(1e-4, 0.0123, columns).tolist())
    counts = np.zeros((3, columns, len(OUTCOMES)), int)
    counts[..., 0] = 1
    counts[0, 0] = [0, 0, 0, 0, 0, 0, 3, 2, 2, 2]
    counts[1, :, :] += np.eye(len(OUTCOMES), dtype=int)[np.arange(columns) % len(OUTCOMES)]
    counts[2, -1] = 0  # not trained yet
    grid = Grid("g", GRID.base, Axis("k", ("network.widths.1",), (1, 2, 30)), axis)
    lines = str(GridResult(grid, counts)).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:2] == ["k (upwards)", "x rate: the commonest outcome"]
    assert lines[2].rstrip() == f"{30:>9} {'.' * (columns - 1)}".rstrip()
    assert lines[4] == f"{1:>9} #{'.' * (columns - 1)}"
    assert lines[5].split() == [f"{axis.values[0]:.3g}", f"{axis.values[-1]:.3g}"]
    assert columns < 7 or lines[5].endswith("0.0123")
    key = " ".join(lines[6:])
    assert all(name in key for name in ("solved", "dead", "diverged", "unfinished", "other"))


@pytest.mark.parametrize("rows", [33, 40, 512])
@pytest.mark.parametrize("columns", [71, 80, 4096])
def test_of_a_large_grid_some_rows_and_columns_are_shown(rows, columns):
    counts = np.zeros((rows, columns, len(OUTCOMES)), int)
    counts[..., 0] = 1
    for i, j, outcome in ((0, 0, 6), (-1, 0, 7), (0, -1, 8), (-1, -1, 9)):
        counts[i, j] = np.eye(len(OUTCOMES), dtype=int)[outcome]
    along = Axis("rate", (samples.RATE,), np.geomspace(1e-4, 0.0123, columns).tolist())
    up = Axis("scale", (samples.SCALE,), np.linspace(1, 33, rows).tolist())
    lines = str(GridResult(Grid("g", GRID.base, up, along), counts)).splitlines()
    cells = lines[2:34]
    assert max(map(len, lines)) == 80
    assert len(lines) < 40
    assert [cells[0].split()[0], cells[-1].split()[0]] == ["33", "1"]
    assert all(len(line) == 80 for line in cells)
    assert cells[0][10:] == "!" + 68 * "." + "?"
    assert cells[-1][10:] == "#" + 68 * "." + "u"
    assert lines[34].split() == ["0.0001", "0.0123"]
    assert len(lines[34]) == 80


RATES = Axis("rate", (samples.RATE,), np.geomspace(1e-3, 10, 9).tolist())
SLOPES = Axis("slope", ("network.slope",), np.linspace(-1, 1, 9).tolist())


@given(st.floats(1e-9, 1e9), st.floats(1.001, 1e6), st.integers(2, 50))
def test_a_window_of_equal_ratios(low, ratio, count):
    found = RATES.between(low, low * ratio, count)
    assert (found.label, found.paths) == (RATES.label, RATES.paths)
    assert len(found.values) == count
    assert (found.values[0], found.values[-1]) == (low, low * ratio)
    np.testing.assert_allclose(np.diff(np.log(found.values)), np.log(ratio) / (count - 1))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6), st.integers(2, 50))
def test_a_window_of_equal_distances(low, width, count):
    found = SLOPES.between(low, low + width, count)
    assert (found.values[0], found.values[-1]) == (low, low + width)
    np.testing.assert_allclose(np.diff(found.values), width / (count - 1), rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    ("values", "ratios"),
    [
        ((1, 3, 4), False),
        ((1, 2, 3, 4), False),
        ((1, 2, 3, 4, 6, 8, 12, 16), True),
        ((1, 10, 100), True),
        ((1, 2), False),
        ((2,), False),
    ],
)
def test_the_unit_of_an_axis_does_not_say_how_a_window_is_spaced(values, ratios, factor):
    axis = Axis("a", (samples.RATE,), [factor * v for v in values])
    wanted = (2 if ratios else 2.5) * factor
    assert axis.between(factor, 4 * factor, 3).values[1] == pytest.approx(wanted)


WRONG = [
    (RATES, (2.0, 1.0, 5), "window of 'rate' is 2 to 1; it must be two numbers, the smaller first"),
    (RATES, (1.0, 1.0, 5), "the smaller first, both above 0"),
    (RATES, (0.0, 1.0, 5), "both above 0"),
    (RATES, (-1.0, 1.0, 5), "both above 0"),
    (SLOPES, (float("nan"), 1.0, 5), "window of 'slope' is nan to 1"),
    (SLOPES, (0.0, float("inf"), 5), "window of 'slope' is 0 to inf"),
    (SLOPES, (1.0, float(np.nextafter(1, 2)), 5), "must ascend"),  # there are but two numbers
    (SLOPES, (-1e308, 1.7e308, 5), "must be a finite number"),  # their distance is none
    (SLOPES, (0.0, 1.0, 10**12), "number of cells is 1000000000000; .* at most 4096"),
]


@pytest.mark.parametrize(("axis", "window", "said"), WRONG)
def test_an_impossible_window_is_refused(axis, window, said):
    with pytest.raises(ValueError, match=said):
        axis.between(*window)


def test_a_zoomed_grid_has_other_cells_and_is_else_the_same():
    grid = Grid("g", GRID.base, rows=RATES, columns=SLOPES)
    found = grid.zoomed((-0.5, 0.25, 1e-2, 1.0), 5)
    assert (found.name, found.base, found.shape) == (grid.name, grid.base, (5, 5))
    assert (found.columns.values[0], found.columns.values[-1]) == (-0.5, 0.25)
    np.testing.assert_allclose(found.rows.values, np.geomspace(1e-2, 1, 5))
    assert grid.zoomed().shape == (9, 9)
    np.testing.assert_allclose(grid.zoomed().rows.values, RATES.values)
    window = grid.zoomed(window=(0.0, 0.5, 2.0, 3.0))
    assert window.shape == (9, 9)
    assert window.rows.values[0] == 2
    more = grid.zoomed(cells=17)
    assert more.shape == (17, 17)
    assert (more.columns.values[0], more.columns.values[-1]) == (-1, 1)
    assert grid_from_json(found.to_json()) == found
    with pytest.raises(ValueError, match="window of 'rate'"):
        grid.zoomed((-0.5, 0.25, 0.0, 1.0))
