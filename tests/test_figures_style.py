"""One style: colours come from `jaxlab.plotting` alone, and stay apart for colour-blind eyes.

Colour-blindness is simulated as by Machado, Oliveira and Fernandes 2009 (nobody's cones of one sort
work at all); distances are those of CIE 1976 L*a*b*, in which 2.3 is just noticed. Colours of one
figure keep a distance of 15, about six times that.
"""

import ast
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import CSS4_COLORS, to_rgb

import figures
from jaxlab import plotting

LEAST = 15.0
LIGHTEST = 80.0  # of 100, the lightness of paper
EYES = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colour: str, eyes: str) -> np.ndarray:
    """Return the L*a*b* of a colour as such eyes see it."""
    given = np.array(to_rgb(colour))
    linear = np.where(given <= 0.04045, given / 12.92, ((given + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(EYES[eyes]) @ linear, 0, 1)
    xyz = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one: str, other: str, eyes: str) -> float:
    return float(np.linalg.norm(lab(one, eyes) - lab(other, eyes)))


def modules() -> list[Path]:
    return sorted(file for folder in figures.__path__ for file in Path(folder).glob("*.py"))


@pytest.mark.parametrize("eyes", EYES)
def test_colours_of_outcomes_and_of_curves_stay_apart(eyes):
    for group in (plotting.COLOURS.values(), [colour for colour, _ in plotting.SERIES]):
        for one, other in itertools.combinations(group, 2):
            assert distance(one, other, eyes) >= LEAST, (one, other)


def test_the_measure_finds_colours_that_some_do_not_tell_apart():
    ochre = "#BFAE00"
    assert distance(plotting.ORANGE, ochre, "normal") > LEAST
    assert distance(plotting.ORANGE, ochre, "deuteranopia") < 5
    assert distance("#FFFFFF", "#000000", "tritanopia") == pytest.approx(100, abs=0.1)


def test_what_is_printed_in_grey_has_a_marker_or_a_dash_of_its_own_and_is_seen_on_paper():
    assert list(plotting.MARKERS) == list(plotting.COLOURS)
    assert len(set(plotting.MARKERS.values())) == len(plotting.MARKERS)
    for colour in plotting.COLOURS.values():
        assert lab(colour, "normal")[0] < LIGHTEST


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_no_figure_brings_colours_of_its_own(path):
    allowed = {"black", "white"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value.lower()
            assert not re.fullmatch("#[0-9a-f]{3,8}", word), f"name {word} in jaxlab/plotting.py"
            assert word not in CSS4_COLORS or word in allowed, node.value
