"""Exact: the command line of the report."""

import pytest
import samples

import jaxlab.__main__ as command
from jaxlab import report
from jaxlab.tools import report as tool


def call(monkeypatch, *arguments) -> int:
    line = ["jaxlab", "report", *map(str, arguments)]
    return samples.exit_code(monkeypatch, command.call, *line)


def test_the_report_is_written_where_it_is_told(monkeypatch, tmp_path, capsys):
    given = []

    def html_of(folder, *, progress):
        given.append((folder, progress))
        return '<meta name="generator" content="jaxlab report">'

    monkeypatch.setattr(report, "html_of", html_of)
    assert call(monkeypatch, tmp_path) == 0
    assert call(monkeypatch, tmp_path, "--out", tmp_path / "a.html", "--quiet") == 0
    assert given == [(tmp_path, True), (tmp_path, False)]
    assert (tmp_path / "report.html").read_text() == (tmp_path / "a.html").read_text()
    said = [f"written: {tmp_path / name}" for name in ("report.html", "a.html")]
    assert capsys.readouterr().out.splitlines() == said


@pytest.mark.parametrize("words", [[], ["here", "there"], ["here", "--out"]])
def test_a_wrong_command_ends_with_one_line(monkeypatch, capsys, words):
    assert call(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_folder_without_results_is_named_and_left_alone(monkeypatch, capsys, tmp_path):
    assert call(monkeypatch, tmp_path) == 2
    assert "holds no results (no manifest.json); give the folder of" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_help_fits_a_terminal():
    lines = tool.parser().format_help().splitlines()
    assert max(map(len, lines)) <= 100
    assert any("python -m jaxlab report results/absolute_value" in line for line in lines)
