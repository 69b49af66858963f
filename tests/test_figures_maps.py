"""Maps show the counts of their grids and theory's lines where hand calculation has them.

Exact tests, and rounding to the digits that a hand calculation gives.
"""

import dataclasses
import importlib
import json
import math

import numpy as np
import pytest
from matplotlib import colors, style
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from figures import __main__ as command
from figures import (
    _maps,
    absolute_value_input_map,
    absolute_value_weight_map,
    doubling_scale_map,
    doubling_width_map,
    negation_map,
)
from jaxlab import OUTCOMES, plotting
from jaxlab.grid import Axis, Grid, GridResult

MAPS = (
    "absolute_value_input_map",
    "absolute_value_weight_map",
    "doubling_scale_map",
    "doubling_width_map",
    "negation_map",
)


def thinned(axis: Axis, n: int) -> Axis:
    """Return an axis of `n` of its values, both ends among them."""
    chosen = np.linspace(0, len(axis.values) - 1, n).astype(int)
    return dataclasses.replace(axis, values=[axis.values[i] for i in chosen])


def grid_of(name: str, height: int = 4, width: int = 5) -> Grid:
    """Return a map's grid with few rows and columns."""
    built = importlib.import_module(f"sweeps.{name}").build()
    rows, columns = thinned(built.rows, height), thinned(built.columns, width)
    return dataclasses.replace(built, rows=rows, columns=columns)


def filled(grid: Grid, n: int = 8) -> GridResult:
    """Return a result whose cells hold `n` members of outcomes that differ from cell to cell."""
    counts = np.zeros((*grid.shape, len(OUTCOMES)), int)
    for place, (i, j) in enumerate(np.ndindex(grid.shape)):
        counts[i, j, place % len(OUTCOMES)] = n - 2
        counts[i, j, [0, OUTCOMES.index("dead")]] += 1
    return GridResult(grid, counts)


@pytest.fixture(scope="module", params=MAPS)
def drawn(request):
    result = filled(grid_of(request.param))
    module = importlib.import_module(f"figures.{request.param}")
    with style.context(dict(plotting.STYLE), after_reset=True):
        figure, numbers = module.draw(result)[request.param]
    return result, figure, numbers


def test_the_same_counts_give_the_same_bytes_and_json_holds_the_numbers():
    result, written, numbers = filled(grid_of("doubling_scale_map")), [], None
    with style.context(dict(plotting.STYLE), after_reset=True):
        for _ in range(2):
            figure, numbers = doubling_scale_map.draw(result)["doubling_scale_map"]
            written.append(command.contents(figure, {"numbers": numbers}))
    assert written[0] == written[1]
    assert json.loads(written[0]["json"])["numbers"] == json.loads(json.dumps(numbers))


def test_a_figure_has_panels_and_a_legend_of_the_outcomes_that_occur(drawn):
    result, figure, numbers = drawn
    (legend,) = figure.legends
    labels = [text.get_text().replace(" ", "_") for text in legend.get_texts()]
    key = "commonest" if "commonest" in numbers else "commonest failure"
    assert labels[: len(numbers[key])] == [name.replace(" ", "_") for name in numbers[key]]
    assert all(axes.get_xlabel() for axes in figure.axes)
    assert figure.axes[0].get_ylabel() == result.grid.rows.label


def test_the_caption_s_numbers_are_counts_of_the_cells(drawn):
    result, _, numbers = drawn
    assert numbers["cells"] == result.n.size == 20
    assert numbers["networks"] == result.counts.sum() == 160
    assert numbers["networks_per_cell"] == [8]
    key = "commonest" if "commonest" in numbers else "commonest failure"
    assert sum(numbers[key].values()) == 20
    regions = [value for value in numbers.values() if isinstance(value, dict)]
    for region in (value for value in regions if "as_expected" in value):
        assert 0 <= region["as_expected"] <= region["cells"] <= 20


def test_a_figure_is_listed_and_its_shared_code_is_not():
    assert set(MAPS) <= set(command.names())
    assert "_maps" not in command.names()
    for name in MAPS:
        doc = importlib.import_module(f"figures.{name}").__doc__ or ""
        assert doc.splitlines()[0].endswith(".")


def two_by_two(*cells: dict[str, int]) -> GridResult:
    counts = np.array([[cell.get(name, 0) for name in OUTCOMES] for cell in cells])
    return GridResult(grid_of("doubling_scale_map", 2, 2), counts.reshape(2, 2, -1))


RESULT = two_by_two(
    {"solved": 3, "dead": 5},
    {"dead": 8},
    {"right_only": 3, "left_only": 3, "solved": 2},
    {},
)


def test_the_commonest_outcome_counts_both_sides_as_one_and_leaves_out_who_is_asked():
    assert _maps.commonest(RESULT).tolist() == [["dead", "dead"], ["one side only", ""]]
    assert _maps.commonest(RESULT, 4).tolist() == [["solved", "dead"], ["one side only", ""]]
    failed = _maps.commonest(RESULT, failures_only=True)
    assert failed.tolist() == [["dead", "dead"], ["one side only", ""]]
    rows = np.array([[5], [0]])
    assert _maps.commonest(RESULT, rows).tolist() == [["solved", "dead"], ["one side only", ""]]
    assert _maps.always_dead(RESULT).tolist() == [[5], [0]]


def test_cells_have_the_colours_of_their_outcomes_and_pale_with_strength():
    axes = Figure().add_subplot()
    _maps.draw_map(axes, RESULT.grid, _maps.commonest(RESULT), [[1.0, 0.5], [0.0, 1.0]])
    mesh = axes.collections[0]
    seen = np.asarray(mesh.get_facecolor() if mesh.get_array() is None else mesh.get_array())
    dead = np.array(colors.to_rgb(plotting.COLOURS["dead"]))
    assert_allclose(seen.reshape(4, -1)[:, :3], [dead, (1 + dead) / 2, 0 * dead + 1, 0 * dead + 1])


def test_edges_lie_between_the_cells():
    assert_allclose(_maps.edges([1, 4, 16]), [0.5, 2, 8, 32])
    assert_allclose(_maps.edges([1, 2, 4], log=False), [0.5, 1.5, 3, 5])
    with pytest.raises(ValueError, match="two rows"):
        _maps.edges([1.0])


def test_agreement_counts_the_cells_of_a_region():
    where, found = np.array([True, True, False]), np.array([True, False, True])
    expected = {"cells": 2, "as_expected": 1, "share": 0.5}
    assert _maps.agreement(where, found) == expected
    assert _maps.agreement(~where & found & ~found, found)["share"] is None


def test_text_follows_a_line_on_logarithmic_axes():
    axes = Figure().add_subplot()
    axes.set(xscale="log", yscale="log", xlim=(1, 100), ylim=(1, 1e4))
    axes.set_box_aspect(2.0)
    _maps.write_along(axes, 10, 10, "diagonal", 1.0)
    _maps.write_along(axes, 10, 10, "upright", np.inf)
    angles = [text.get_rotation() for text in axes.texts]
    assert_allclose(angles, [45, 90])


def test_limits_of_doubling():
    grid = grid_of("doubling_scale_map")
    square, mean = doubling_scale_map.moments(grid.base)
    assert_allclose((square, mean), (601 * 1201 / 6, 300.5))
    at = doubling_scale_map.limits(grid, np.array([1.0, 0.1]))
    assert_allclose(at["stability without biases"], [1 / (4 * square), 100 / (4 * square)])
    assert_allclose(at["death"], np.array([0.79904, 79.904]) / (2 * square), rtol=1e-5)
    x, m = square / 100, mean / 10
    largest = 4 * x + 3 + math.sqrt((4 * x - 3) ** 2 + 48 * m**2)
    assert at["stability"][1] == pytest.approx(2 / largest)
    assert doubling_width_map.limit(grid_of("doubling_width_map")) == at["stability"][0]


def test_gradient_flow_reaches_the_tolerance_at_the_time_that_is_drawn():
    s, total, time, step = 0.0, 2.0, 0.0, 1e-5  # s and the sum of a^2 + w^2, by Euler steps
    while s < 1.8:
        s, total = s + step * (2 - s) * total, total + step * 4 * s * (2 - s)
        time += step
    assert doubling_scale_map.kappa_steps(0.1) == pytest.approx(time, rel=1e-3)


def test_failures_by_width_are_those_of_the_column_at_half_the_limit():
    result = filled(grid_of("doubling_width_map", 8, 5))
    column = doubling_width_map.column(result.grid)
    nearest = result.grid.columns.values[column]
    assert abs(math.log10(nearest / 1.04e-6)) <= 0.5 + 1e-9  # columns are a decade apart
    rows = doubling_width_map.failures(result)
    assert [row["born dead"] for row in rows[:2]] == [0.75, 0.625]
    solved = result.counts[:, column, OUTCOMES.index("solved")]
    assert_array_equal([row["count"] for row in rows], 8 - solved)


def test_bounds_of_turning_and_the_units_that_are_followed():
    base = grid_of("negation_map").base
    low, high = negation_map.turning(base, np.array([1e-3, 1.0]))
    assert_allclose(high, 2.0)
    assert low[0] == pytest.approx(1.996, abs=0.001)  # w (1 + s w) = 2, nearly
    assert low[1] == pytest.approx(1.0, abs=0.001)  # w (1 + w) = 2
    assert negation_map.reaches(base, 1e-3, np.array([-1.0, 0.5, 1.9])).tolist() == [
        True,
        True,
        False,
    ]
    edge = negation_map.largest_solved(base, np.array([1e-3]))[0]
    beside = negation_map.reaches(base, 1e-3, np.array([edge, edge + 0.001]))
    assert beside.tolist() == [True, False]


def test_reach_of_momentum_and_its_failures():
    grid = grid_of("absolute_value_weight_map")
    assert absolute_value_weight_map.reach(grid, 0.001, 1.0) == pytest.approx(0.03 / math.sqrt(2))
    # r = 3/4, 13/16 and 1 give 2 (1 - r/2)^2 - (1 - r)^2
    expected = [0.71875, 0.669921875, 0.5, 0.5]
    assert_allclose(absolute_value_weight_map.failing([0.0, 0.5, 1.0, 7.0]), expected)
    rate, scale = _maps.cells(grid)
    needed = 3 * np.maximum(1, math.sqrt(2) * scale)
    assert_array_equal(absolute_value_weight_map.long_enough(grid), 13_000 * rate >= needed)


def test_travel_of_biases():
    grid = grid_of("absolute_value_input_map")
    rate, factor = _maps.cells(grid)
    travel = absolute_value_input_map.travel(grid)
    assert_allclose(travel, 13_000 * rate / (1000 * factor))
    assert_array_equal(absolute_value_input_map.thrown(grid), 10 * rate > 1000 * factor)
