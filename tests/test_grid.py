"""Exact: what a grid consists of, its JSON form and how it is shown."""

import dataclasses

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
    for values in ((1, 1), (2, 1), (0, float("nan"))):
        with pytest.raises(ValueError, match="must ascend"):
            Axis("a", (samples.RATE,), values)


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
