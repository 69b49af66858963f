"""Exact: the tables and the figure of fates count fabricated members rightly."""

import dataclasses

import numpy as np
import pytest
from matplotlib import style
from samples import members

from docs import fates
from figures import _fates
from jaxlab import Result, Sweep
from jaxlab.plotting import STYLE
from jaxlab.theory.absolute_value import fate
from sweeps import default_initialisers, doubling, negation

# Two units: both sides live; one side; the doomed unit is near its border; a side overshoots.
KERNELS = np.array([[0.5, 0.5, 0.5, 1.3], [-0.5, 0.4, -0.50, 0.1]])
OUTPUTS = np.array([[0.2, 0.2, 0.2, 1.3], [0.2, 0.2, -0.51, 1.3]])
HAPPENED = ["solved", "right_only", "solved", "solved"]


def absolute_values(names: tuple[str, ...]) -> Result:
    """Return the four members at every number of units, further units being off."""
    settings, found = [], {}
    for setting in default_initialisers.build().settings:
        if setting.name not in names:
            continue
        k = setting.network.widths[1]
        weights = np.zeros((4, 3 * k + 1), np.float32)
        weights[:, :2], weights[:, 2 * k : 2 * k + 2] = KERNELS.T, OUTPUTS.T
        settings.append(setting)
        found[setting.name] = members(HAPPENED, initial_weights=weights)
    return Result(Sweep("default_initialisers", tuple(settings)), found)


def cells(table: str) -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]


def test_every_rule_has_its_misses_and_its_classes():
    misses, classes = fates.rule_table(absolute_values(("Keras k=2", "He k=3"))).split("\n\n")
    rows = cells(misses)
    assert [row[0] for row in rows[2:]] == ["Keras k=2", "He k=3"]
    for row in rows[2:]:
        assert row[1:3] == ["4", "2, 50.00 [6.76, 93.24]"]  # the border's and the steep one
        assert row[3] == "1, 25.00 [0.63, 80.59]"  # flow knows of units that change sides
    simple, flow, _ = cells(classes)[2:]
    assert simple[:3] == ["simple rule", "1 of 1", "100.00 [2.50, 100.00]"]
    assert simple[3:] == ["1 of 3", "33.33 [0.84, 90.57]"]
    assert (flow[1], flow[3]) == ("2 of 2", "1 of 2")


def test_without_the_setting_there_is_no_table_of_classes():
    assert "\n\n" not in fates.rule_table(absolute_values(("He k=2",)))


def test_a_network_hangs_on_the_unit_that_its_fate_turns_with():
    assert _fates.deciding_unit(KERNELS, OUTPUTS, 0.01).tolist() == [-1, -1, 1, -1]
    small = np.array([[0.5, 0.5], [0.02, 0.02]]), np.array([[0.2, -0.7], [-0.02, -0.01]])
    assert fate(*small).tolist() == ["right_only", "right_only"]
    assert _fates.deciding_unit(*small, 0.01).tolist() == [1, 1]  # momentum may carry it over
    assert _fates.deciding_unit(*small, 0.001).tolist() == [-1, -1]


def test_only_sides_that_start_too_steep_overshoot():
    start, left = _fates.overshoot(KERNELS, OUTPUTS)
    assert np.isnan(start).tolist() == np.isnan(left).tolist() == [True, True, True, False]
    # The second unit's g is 1.4/1.2; the first one, with w = a, grows by 1/g alone.
    assert start[3] == pytest.approx(1.3 * 1.3 + 0.13)
    assert left[3] == pytest.approx(1.3**2 / (1.4 / 1.2))


def test_the_figure_places_every_miss():
    names = tuple(f"{law} k={k}" for law in _fates.LAWS for k in _fates.UNITS)
    result = absolute_values(names)
    with style.context(dict(STYLE), after_reset=True):
        figure, numbers = _fates.draw(result)
    assert len(figure.axes) == 3
    assert {row["count"] for row in numbers["misses"] if row["rule"] == "simple rule"} == {2}
    settings = 3 * len(_fates.UNITS)
    for part in ("deciding units", "steep sides"):
        assert numbers[part]["n"] == sum(numbers[part]["last to err"].values()) == settings
    with pytest.raises(ValueError, match="no members of"):
        _fates.draw(absolute_values(("Keras k=2",)))


def test_the_other_fates_are_confused_with_what_happened():
    relu, leaky = (negation.one_unit("normal", slope) for slope in (0.0, 0.1))
    two = dataclasses.replace(relu, name="two", network=negation.network((1, 2, 1), 0.0))
    w0 = np.array([[-1.0, 0], [1.0, 0], [1.0, 0]], np.float32)
    units = {
        relu.name: members(["solved", "dead", "solved"], initial_weights=w0),
        leaky.name: members(["solved", "solved", "unfinished"], initial_weights=w0),
        two.name: members(["dead"] * 3, initial_weights=np.zeros((3, 7), np.float32)),
    }
    small = doubling.setting("small", h=1, rate=1e-6)
    large = dataclasses.replace(small, name="large")
    # kappa is 0.24: s starts at 1 and -1.
    weights = np.array([[1, 0, 1, 0], [1, 0, -1, 0]], np.float32)
    pairs = {
        small.name: members(["solved", "other"], initial_weights=weights),
        large.name: members(["dead", "dead"]),  # kept no weights
    }
    table = fates.other_tasks_table(
        Result(Sweep("negation", (relu, leaky, two)), units),
        Result(Sweep("doubling", (small, large)), pairs),
    )
    head, _, *rows = cells(table)
    assert head[:3] == ["setting", "expected", "members"]
    assert head[3:7] == ["solved", "dead", "unfinished", "other"]
    assert [row[:7] for row in rows] == [
        ["negation: normal, ReLU", "dead", "2", "1", "1", "0", "0"],
        ["negation: normal, ReLU", "solved", "1", "1", "0", "0", "0"],
        ["negation: normal, slope 0.1", "solved", "3", "2", "0", "1", "0"],
        ["doubling: small", "dead", "1", "0", "0", "0", "1"],
        ["doubling: small", "solved", "1", "1", "0", "0", "0"],
    ]
    assert rows[0][7].startswith("50.00")
    assert rows[3][7].startswith("0.00")
