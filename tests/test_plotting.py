"""What is given to a drawing function is what lies on the axes. Exact tests."""

import ast
import inspect
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal

from jaxlab import OUTCOMES, plotting

X = np.array([1.0, 2.0, 4.0])


@pytest.fixture
def axes():
    return Figure().add_subplot()


def data(line):
    return np.column_stack(line.get_data())


def test_rates_are_points_with_their_intervals(axes):
    rates, low, high = np.array([1.0, 0.5, 0.25]), [0.75, 0.375, 0.125], [1.0, 0.75, 0.5]
    same = plotting.draw_rates(
        axes, X, rates, low, high, colour="#0072B2", marker="s", label="measured"
    )
    assert same is axes
    (drawn,) = axes.containers
    points, _, (bars,) = drawn.lines
    assert_array_equal(data(points), np.column_stack([X, rates]))
    ends = [[[x, a], [x, b]] for x, a, b in zip(X, low, high, strict=True)]
    assert_array_equal(bars.get_segments(), ends)
    assert (points.get_marker(), points.get_color()) == ("s", "#0072B2")
    assert points.get_linestyle() == "None"
    assert drawn.get_label() == "measured"


def test_lying_rates_exchange_the_axes(axes):
    rates, low, high = np.array([1.0, 0.5, 0.25]), [0.75, 0.375, 0.125], [1.0, 0.75, 0.5]
    plotting.draw_rates(axes, X, rates, low, high, colour="k", marker="o", label="", lying=True)
    points, _, (bars,) = axes.containers[0].lines
    assert_array_equal(data(points), np.column_stack([rates, X]))
    ends = [[[a, x], [b, x]] for x, a, b in zip(X, low, high, strict=True)]
    assert_array_equal(bars.get_segments(), ends)


@pytest.mark.parametrize("lying", [False, True])
def test_predictions_are_short_lines_at_their_settings(axes, lying):
    look = {"colour": "black", "label": "theory", "lying": lying}
    assert plotting.draw_predictions(axes, [0, 3], [0.5, 1.0], **look) is axes
    (lines,) = axes.collections
    ends = np.array([[[-0.36, 0.5], [0.36, 0.5]], [[2.64, 1.0], [3.36, 1.0]]])
    assert_array_equal(lines.get_segments(), ends[..., ::-1] if lying else ends)
    assert lines.get_label() == "theory"


def test_a_curve_holds_its_value_to_the_next_step_within_its_band(axes):
    y = np.array([1.0, 0.5, 0.25])
    look = {"colour": "#0072B2", "label": "share", "dash": (0, (1, 1))}
    assert plotting.draw_curve(axes, X, y, y / 2, np.minimum(2 * y, 1), **look) is axes
    (line,), (band,) = axes.lines, axes.collections
    assert_array_equal(data(line), np.column_stack([X, y]))
    assert line.get_drawstyle() == "steps-post"
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
    assert {(1, 0.5), (2, 0.5), (2, 0.25), (4, 0.125), (2, 1.0), (4, 0.5)} <= corners


@pytest.mark.parametrize("lying", [False, True])
def test_shares_have_an_axis_from_none_to_all(axes, lying):
    assert plotting.share_axis(axes, lying=lying) is axes
    axes.figure.canvas.draw()
    limits, labels = (
        (axes.get_xlim(), axes.get_xticklabels())
        if lying
        else (axes.get_ylim(), axes.get_yticklabels())
    )
    assert limits[0] < 0
    assert limits[1] > 1
    assert [label.get_text() for label in labels] == ["0 %", "25 %", "50 %", "75 %", "100 %"]


def test_a_mark_is_a_line_with_a_name_above_the_panel(axes):
    axes.set(xlim=(1, 100), xscale="log")
    assert plotting.mark(axes, 10.0, "an epoch", colour="#0072B2", dash="solid") is axes
    axes.figure.canvas.draw()
    (line,), (text,) = axes.lines, axes.texts
    assert list(line.get_xdata()) == [10.0, 10.0]
    assert (line.get_color(), text.get_text()) == ("#0072B2", "an epoch")
    assert text.get_window_extent().y0 > axes.get_window_extent().y1


def test_every_curve_of_a_series_has_a_colour_and_a_dash_of_its_own():
    colours, dashes = zip(*plotting.SERIES, strict=True)
    assert len(set(colours)) == len(set(dashes)) == len(plotting.SERIES)


def test_open_markers_are_white_inside(axes):
    for filled, inside in ((True, "#0072b2"), (False, "#ffffff")):
        look = {"colour": "#0072B2", "marker": "o", "label": "", "filled": filled}
        plotting.draw_rates(axes, X, X / 8, X / 9, X / 7, **look)
        assert to_hex(axes.containers[-1].lines[0].get_markerfacecolor()) == inside


def test_a_rate_of_zero_keeps_its_interval_on_a_logarithmic_axis(axes):
    plotting.percent_axis(axes, (1, 0.1, 0.01), 0.001, 1.0)
    plotting.draw_rates(axes, [1], [0.0], [0.0], [0.1], colour="k", marker="o", label="")
    axes.figure.canvas.draw()
    (bars,) = axes.containers[0].lines[2]
    assert_array_equal(bars.get_segments(), [[[1.0, 0.0], [1.0, 0.1]]])


def test_a_law_is_a_line_without_points(axes):
    assert plotting.draw_law(axes, X, X / 8, colour="#D55E00", label="theory") is axes
    plotting.draw_law(axes, X, X / 9, colour="#D55E00", label="other", dashed=True)
    solid, dashed = axes.lines
    assert_array_equal(data(solid), np.column_stack([X, X / 8]))
    assert_array_equal(data(dashed), np.column_stack([X, X / 9]))
    assert (solid.get_color(), solid.get_marker(), solid.get_label()) == (
        "#D55E00",
        "None",
        "theory",
    )
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")


def test_functions_are_drawn_faintly_under_their_target(axes):
    outputs = np.array([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]] * 20)
    assert plotting.draw_functions(axes, X, outputs, -X, colour="#009E73") is axes
    *members, target = axes.lines
    assert_array_equal([line.get_ydata() for line in members], outputs)
    assert_array_equal(data(target), np.column_stack([X, -X]))
    assert all(line.get_zorder() < target.get_zorder() for line in members)
    colours = {line.get_color() for line in members}
    assert colours == {to_rgba("#009E73", 0.2)}


@pytest.mark.parametrize("n", [0, 3, plotting.MANY, plotting.MANY + 1])
def test_points_keep_their_places_and_only_many_become_an_image(axes, n):
    x = np.linspace(-1, 1, n)
    look = {"colour": "#D55E00", "marker": "X", "label": "dead", "size": 2.0}
    assert plotting.draw_points(axes, x, x**2, **look) is axes
    (points,) = axes.collections
    assert_array_equal(points.get_offsets(), np.column_stack([x, x**2]))
    assert to_hex(points.get_facecolor()[0]) == "#d55e00"
    assert points.get_sizes() == [2.0]
    assert points.get_label() == "dead"
    assert points.get_rasterized() == (n > plotting.MANY)


def test_a_boundary_is_a_line_over_a_shaded_region(axes):
    y = np.array([-2.0, 0.0, -2.0])
    assert plotting.draw_boundary(axes, [-2, 0, 2], y, -3.0) is axes
    assert_array_equal(data(axes.lines[0]), [[-2, -2], [0, 0], [2, -2]])
    (region,) = axes.collections
    corners = {tuple(corner) for corner in region.get_paths()[0].vertices.tolist()}
    assert corners == {(-2, -2), (0, 0), (2, -2), (-2, -3), (0, -3), (2, -3)}


def test_probabilities_are_labelled_in_per_cent(axes):
    plotting.percent_axis(axes, (1, 0.5, 0.01, 0.0001), 0.005, 1.5)
    axes.figure.canvas.draw()
    assert axes.get_yscale() == "log"
    assert axes.get_ylim() == (0.005, 1.5)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["100 %", "50 %", "1 %"]


def test_points_shrink_as_they_become_many():
    sizes = [plotting.point_size(n) for n in (0, 100, 1000, 10_000, 1_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 0


def test_every_outcome_has_a_colour_and_a_marker_of_its_own():
    for look in (plotting.COLOURS, plotting.MARKERS):
        assert tuple(look) == OUTCOMES
        assert len(set(look.values())) == len(OUTCOMES)


def test_panels_are_named_outside_the_data(axes):
    axes.plot(X, X)
    plotting.letter(axes, "a")
    plotting.caption(axes, "solved")
    axes.figure.canvas.draw()
    frame = axes.get_window_extent()
    letter, caption = (text.get_window_extent() for text in axes.texts)
    assert letter.x1 < frame.x0
    assert caption.y0 > frame.y1
    assert axes.get_title() == ""


def test_a_note_stands_where_it_was_put(axes):
    plotting.note(axes, 0.25, -0.5, "boundary", angle=45)
    (text,) = axes.texts
    assert (text.get_position(), text.get_text(), text.get_rotation()) == (
        (0.25, -0.5),
        "boundary",
        45,
    )


def test_the_global_state_is_left_alone(axes):
    before = dict(matplotlib.rcParams)
    plotting.draw_law(axes, X, X, colour="k", label="")
    plotting.percent_axis(axes, (1,), 0.1, 1.0)
    assert dict(matplotlib.rcParams) == before


def test_plotting_needs_neither_jax_nor_the_training_side():
    tree = ast.parse(Path(inspect.getfile(plotting)).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"collections", "typing", "numpy", "matplotlib"}


def test_the_style_names_only_settings_that_exist_and_embeds_fonts():
    assert set(plotting.STYLE) <= set(matplotlib.rcParams)
    assert plotting.STYLE["pdf.fonttype"] == 42
