"""Exact: which panels a story has, what they show, and that equal stories are equal files."""

import dataclasses
import io

import numpy as np
import pytest
import samples
import stories
from matplotlib.figure import Figure
from PIL import Image

from jaxlab import Network, pictures, tasks
from jaxlab.replaying import function_panels, moving, panels, story

SOLVED = stories.told("solved", [[1.0, -0.5], [1.0, -1.0]] * 2, [[0.5, 0.5], [1.0, 1.0]] * 2)


def names(trajectory) -> list[str]:
    return [panel.__name__ for panel in story.chosen_panels(trajectory)]


def several_inputs():
    """Return a story on two inputs, whose first layer bends along lines."""
    network = Network((2, 2, 1), ("relu", "linear"))
    setting = dataclasses.replace(samples.setting(), network=network)
    inputs = np.repeat(stories.DYING.inputs, 2, axis=1)
    return dataclasses.replace(stories.DYING, setting=setting, inputs=inputs, weights=None)


def test_panels_are_those_that_make_sense():
    whole = ["draw_loss", "draw_errors", "draw_weights", "draw_kinks", "draw_lives"]
    assert names(stories.DYING) == [*whole, "draw_function"]
    assert names(several_inputs()) == [*whole[:3], "draw_lives", "draw_function"]
    smooth = dataclasses.replace(samples.setting(), network=Network((1, 2, 1), ("tanh", "linear")))
    assert "draw_lives" not in names(dataclasses.replace(stories.DYING, setting=smooth))
    same = dataclasses.replace(stories.DYING, inputs=stories.DYING.inputs * 0 + 1)
    assert "draw_kinks" not in names(same)


def axes_of(figure: Figure, label: str):
    return next(axes for axes in figure.axes if axes.get_ylabel() == label)


def test_one_story_shows_its_numbers():
    figure = stories.DYING.draw()
    assert len(figure.axes) == 6
    loss = axes_of(figure, "loss").get_lines()[0]
    np.testing.assert_array_equal(loss.get_xdata(), stories.DYING.steps)
    np.testing.assert_array_equal(loss.get_ydata(), stories.DYING.loss)
    marks = [line for line in axes_of(figure, "unit").get_lines() if line.get_marker() == "x"]
    assert [np.asarray(mark.get_xdata()).tolist() for mark in marks] == [[10]]
    dead_kink = axes_of(figure, "kink at x").get_lines()[1]
    assert max(np.asarray(dead_kink.get_xdata())) == 10  # not drawn beyond its death


def test_two_stories_share_their_axes():
    figure = story.figure([stories.DYING, SOLVED])
    left, right = (axes for axes in figure.axes if axes.get_ylim() == figure.axes[2].get_ylim())
    assert left.get_shared_y_axes().joined(left, right)
    texts = [text.get_text() for axes in figure.axes[:2] for text in axes.texts]
    assert [t for t in texts if t.startswith("small: ")] == [
        "small: k=2, seed 0: right_only",
        "small: k=2, seed 0: solved",
    ]


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_equal_stories_are_equal_files(kind):
    once, again = (pictures.as_bytes(several_inputs().draw(), kind) for _ in range(2))
    assert once == again
    assert kind == "png" or (b"/FontFile2" in once and b"CreationDate" not in once)


def test_losses_of_nothing_and_of_infinity_are_drawn_around():
    loss = np.array([1.0, 0.0, np.inf, np.nan])
    figure = dataclasses.replace(stories.DYING, loss=loss).draw()
    pictures.as_bytes(figure, "png")
    nothing = dataclasses.replace(stories.DYING, loss=np.full(4, np.nan), errors=np.zeros((4, 2)))
    pictures.as_bytes(nothing.draw(), "png")


def test_many_units_become_an_image_and_many_weights_the_sizes_of_kernels():
    many = stories.told("other", np.ones((3, 50)), np.ones((3, 50)))
    figure = many.draw()
    assert len(axes_of(figure, "unit").collections) == 1
    assert len(axes_of(figure, "kernel (rms)").get_lines()) == 2


def test_one_input_only_is_shown_over_the_steps():
    one = {"inputs": -np.ones((4, 1)), "targets": np.ones((4, 1))}
    setting = dataclasses.replace(samples.setting(), task=tasks.negation())
    made = dataclasses.replace(
        stories.DYING, setting=setting, outputs=stories.DYING.outputs[:, :4], **one
    )
    axes = function_panels.draw_function(Figure().add_subplot(), made)
    assert axes.get_ylabel() == "output at x = -1"


def test_moments_shown_are_those_between_which_most_changes():
    outputs = np.zeros((8, 3, 1))
    outputs[5:] = 1.0  # all at once
    made = dataclasses.replace(stories.DYING, steps=np.arange(8), outputs=outputs)
    assert function_panels.telling_moments(made) == [0, 5, 7]
    still = dataclasses.replace(made, outputs=outputs * 0)
    assert function_panels.telling_moments(still) == [0, 7]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1000.0, "1000"), (1e5, "$10^{5}$"), (-2e5, r"$-2\cdot10^{5}$")],
)
def test_numbers_on_axes_are_short(value, text):
    assert panels.in_short(value) == text


def test_an_animation_moves_and_equal_stories_are_equal_files(monkeypatch):
    monkeypatch.setattr(moving, "FRAMES", 2)
    monkeypatch.setattr(moving, "REST", 1)
    once = moving.animation([stories.DYING])
    assert once == moving.animation([stories.DYING])
    with Image.open(io.BytesIO(once)) as image:
        assert getattr(image, "n_frames", 1) == 2
        first = image.convert("RGB").tobytes()
        image.seek(1)
        assert image.convert("RGB").tobytes() != first
    figure, moves = moving.first_frame([several_inputs(), SOLVED])
    assert (len(figure.axes), len(moves)) == (6, 8)


def test_a_notebook_shows_text_and_figure():
    shown = stories.DYING._repr_html_()
    assert shown.startswith("<pre>small: k=2, seed 0: right_only")
    assert 'alt="k=2, seed 0: right_only"' in shown
    assert "data:image/png;base64,iVBOR" in shown
