"""Exact: the tables of how many seeds a question needs, read back and recomputed."""

import math
import re

import pytest
import samples

import jaxlab.__main__ as command
from jaxlab import power
from jaxlab.tally import clopper_pearson
from jaxlab.tools import power as tool


def numbers(line: str) -> list[int]:
    """Return the whole numbers in the columns at a line's end."""
    return [
        int(word.replace(",", "")) for word in line.split("  ") if re.fullmatch(r" *[\d,]+", word)
    ]


def lines_with(text: str, words: str) -> list[str]:
    return [line for line in text.splitlines() if words in line]


@pytest.fixture
def said(monkeypatch, capsys):
    """Return what a command line prints."""

    def call(*words: str) -> str:
        assert samples.exit_code(monkeypatch, command.call, "jaxlab", "power", *words) == 0
        found = capsys.readouterr()
        assert found.err == ""
        assert max(map(len, found.out.splitlines())) <= 80
        return found.out

    return call


def test_one_question(said):
    text = said("--rate", "0.25", "--margin", "0.05")
    (if_so,) = lines_with(text, "if it is 25 %")
    (ever,) = lines_with(text, "whatever it is (")
    (without,) = lines_with(text, "without a single failure")
    assert numbers(if_so) == [power.seeds_for_interval(0.25, 0.05)]
    assert numbers(ever) == [power.seeds_for_interval(0.5, 0.05)]
    assert numbers(without) == [59]  # the rule of three says 60
    known, two = (numbers(line) for line in lines_with(text, "p < 0.01"))
    assert known == [
        max(power.seeds_to_distinguish(0.25, other, 0.01, p) for other in (0.2, 0.3))
        for p in (0.8, 0.9)
    ]
    assert two == [power.seeds_to_compare(0.25, 0.3, 0.01, p) for p in (0.8, 0.9)]


def test_a_family_takes_more_seeds(said):
    alone, many = (said("--rate", "0.5", "--margin", "0.1", "--family", m) for m in "19")
    assert "p < 0.05 / 9" in many
    for one, other in zip(lines_with(alone, "p < "), lines_with(many, "p < "), strict=True):
        assert all(a < b for a, b in zip(numbers(one), numbers(other), strict=True))
    first = numbers(lines_with(many, "p < 0.05 / 9")[0])
    assert first[0] == power.seeds_to_distinguish(0.5, 0.6, 0.05 / 9, 0.8)


def test_only_sides_that_are_rates_are_asked_about(said):
    assert "tell 100 % from 90 %  " in said("--rate", "1", "--margin", "0.1")
    assert "tell 2 % from 12 %  " in said("--rate", "0.02", "--margin", "0.1")


def test_the_overview_has_a_row_for_every_margin_and_a_column_for_every_rate(said):
    found = [numbers(line) for line in lines_with(said("--margin", "0.1"), "  10 points")]
    within, known, two = (row[3] for row in found)
    assert within == power.seeds_for_interval(0.5, 0.1)
    assert known == power.seeds_to_distinguish(0.5, 0.6, 0.05, 0.8)
    assert two == power.seeds_to_compare(0.5, 0.6, 0.05, 0.8)
    assert [len(row) for row in found] == [4, 4, 4]
    assert len(lines_with(said("--rate", "0"), " point")) > 12


def test_what_a_number_of_seeds_tells(said):
    text = said("--seeds", "400", "--rate", "0.25")
    limits = clopper_pearson(100, 400)
    around = f"-{100 * (0.25 - limits.low):.2f} +{100 * (limits.high - 0.25):.2f}"
    assert lines_with(text, "exact 95 % interval")[0].endswith(f" {around}")
    known, two = lines_with(text, "p < 0.05, power 80 %")
    for line, function in ((known, power.detectable), (two, power.comparable)):
        below, above = function(400, 0.25, 0.05, 0.8)
        assert line.endswith(f" -{100 * (0.25 - below):.2f} +{100 * (above - 0.25):.2f}")
    assert f"below {100 * (1 - 0.05 ** (1 / 400)):.4g} %" in text.replace("\n", " ")


def test_few_seeds_and_many(said):
    alone = said("--seeds", "1", "--rate", "0.5")
    assert alone.count(" - -") == 4  # no difference shows in one seed
    assert "what 1 seed tells" in alone
    assert "-0.01 +0.01" in said("--seeds", "100000000", "--family", "9999")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--rate", "25"], "'25' is not a share from 0 to 1, such as 0.25"),
        (["--rate", "nan"], "'nan' is not a share"),
        (["--margin", "1e-9"], "'1e-9' is not a share from 0.001 to 0.4"),
        (["--margin", "x"], "'x' is not a share"),
        (["--seeds", "0"], "0 is not a whole number"),
        (["--family", "0"], "0 is not a whole number"),
        (["--seeds", "9", "--margin", "0.1"], "leave out one of --seeds, --margin"),
    ],
)
def test_a_wrong_line_is_refused(line, message, monkeypatch, capsys):
    assert samples.exit_code(monkeypatch, command.call, "jaxlab", "power", *line) == 2
    found = capsys.readouterr()
    assert message in found.err
    assert (found.out, found.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("rate", "words"), [(0.25, "25 %"), (1, "100 %"), (0.00123456, "0.1235 %")]
)
def test_rates_in_words(rate, words):
    assert tool.percent(rate) == words


@pytest.mark.parametrize(("margin", "words"), [(0.01, "1 point"), (0.005, "0.5 points")])
def test_margins_in_words(margin, words):
    assert tool.in_points(margin) == words


def test_there_is_no_difference_that_shows():
    assert tool._around(0.0, math.nan, 0.5) == "- +50.0"
    assert tool._around(0.25, 0.25, 0.2509) == "- +0.09"
