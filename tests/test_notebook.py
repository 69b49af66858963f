"""Exact: a result's table and figure hold the counts, whatever the settings are called."""

import markup
import numpy as np
import pytest
import samples
from matplotlib.container import ErrorbarContainer
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose

import jaxlab
from jaxlab import OUTCOMES, answer, html, notebook
from jaxlab.html import element
from jaxlab.result import Result, summary_rows
from jaxlab.tally import Tally, clopper_pearson

STRANGE = 'a<b & "$x$" $\\frac'


def tally(**counts: int) -> Tally:
    return Tally(dict.fromkeys(OUTCOMES, 0) | counts)


TALLIES = {
    "k=2": tally(solved=286, right_only=325, left_only=324, dead=65),
    STRANGE: tally(solved=999, dead=1),
    "never": tally(constant=50),
}


def result(tallies=TALLIES) -> Result:
    settings = [samples.setting(name) for name in tallies]
    names = [[o for o, n in t.counts.items() for _ in range(n)] for t in tallies.values()]
    of_setting = dict(zip(tallies, map(samples.members, names), strict=True))
    return Result(samples.sweep(*settings), of_setting)


def as_page(text: str) -> markup.Page:
    return markup.check(html.page("a", "", html.joined(element("h1", "a"), html.Markup(text))))


def test_the_table_has_rates_intervals_and_the_outcomes_that_occur():
    found = as_page(notebook.table(TALLIES))
    heads = ["setting", "n", "fails %", "95 % interval"]
    outcomes = ["solved", "right only", "left only", "constant", "dead"]
    assert found.texts("th")[:9] == heads + outcomes
    rows = np.array(found.texts("td")).reshape(3, 8)
    assert found.texts("th")[9:] == list(TALLIES)
    rate = ["1,000", "71.40", "[68.5, 74.2]"]
    assert rows[0].tolist() == [*rate, "28.6", "32.5", "32.4", "0", "6.5"]
    assert rows[1, [1, 2, 7]].tolist() == ["0.10", "[0.0, 0.6]", "0.1"]
    assert rows[2, [1, 3, 6]].tolist() == ["100.00", "0", "100.0"]


def test_theory_stands_beside_the_settings_it_speaks_of():
    found = as_page(notebook.table(TALLIES, {"k=2": ("≈ 71.88", element("b", "consistent"))}))
    rows = np.array(found.texts("td")).reshape(3, 10)
    assert rows[:, 3:5].tolist() == [["≈ 71.88", "consistent"], ["", ""], ["", ""]]


def test_bars_end_at_the_failure_rate_and_then_what_is_solved_begins():
    figure = notebook.draw(TALLIES)
    (axes,) = figure.axes
    found: dict[str, np.ndarray] = {}
    for bars in axes.containers:
        boxes = [patch for patch in bars if isinstance(patch, Rectangle)]
        if boxes:
            found[str(bars.get_label())] = np.array([(b.get_x(), b.get_width()) for b in boxes])
    assert_allclose(found["solved"][:, 0], [0.714, 0.001, 1.0])
    assert_allclose(found["solved"][:, 1], [0.286, 0.999, 0.0], atol=1e-12)
    assert_allclose(found["dead"][:, 1], [0.065, 0.001, 0.0])
    (marked,) = [c for c in axes.containers if isinstance(c, ErrorbarContainer)]
    points, _, (whiskers,) = marked.lines
    assert_allclose(np.asarray(points.get_xdata(), float), [0.714, 0.001, 1.0])
    limits = clopper_pearson(714, 1000)
    assert_allclose(whiskers.get_segments()[0][:, 0], [limits.low, limits.high])
    assert [label.get_text() for label in axes.get_yticklabels()] == list(TALLIES)
    hatches = {bars[0].get_hatch() for bars in axes.containers if isinstance(bars[0], Rectangle)}
    assert len(hatches) == len(found)


def test_of_many_settings_some_are_drawn_and_that_is_said():
    many = {f"setting {i} {'x' * 60}": tally(solved=i, dead=90 - i) for i in range(90)}
    (axes,) = notebook.draw(many).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == notebook.MOST_BARS
    assert max(map(len, names)) == notebook.LONGEST
    assert axes.get_xlabel() == "share of all seeds (the first 40 of 90 settings)"


def test_a_result_draws_and_shows_itself():
    shown = result()
    assert shown.draw().axes
    found = as_page(shown._repr_html_())
    assert found.texts("th")[9:] == list(TALLIES)
    assert "k=2 71.4 %" in found.texts("desc")[0]
    assert shown._repr_html_() == shown._repr_html_()


def test_a_result_without_seeds_says_so(tmp_path):
    sweep = samples.sweep()
    # Two settings are two chunks, so that the third of four shards has none.
    none = jaxlab.run(sweep, seeds=8, out=tmp_path / "small", shard=(3, 4))
    empty = samples.members(["solved"]).of(np.empty(0, np.int64))
    for result in (none, Result(sweep, {}), Result(sweep, {"k=2": empty})):
        assert str(result) == "small: no seeds were trained"
        assert as_page(result._repr_html_())
        assert sum(tally.n for tally in result.tally().values()) == 0
        with pytest.raises(ValueError, match="no seeds were trained; there is nothing to draw"):
            notebook.draw(result.tally())
    assert answer.sentences(Result(sweep, {"k=2": empty})) == ["k=2: no seeds were trained."]


def test_a_setting_without_seeds_stands_there_beside_the_others():
    members = samples.members(["solved", "dead"])
    result = Result(samples.sweep(), {"k=2": members, "fast": members.of(np.empty(0, np.int64))})
    lines = str(result).splitlines()
    assert lines[1].split() == ["k=2", "2", "50.00", "[1.3,", "98.7]", "50.0"]
    assert lines[2].split() == ["fast", "0"]
    cells = as_page(result._repr_html_()).texts("td")
    assert cells[5:8] == ["0", "", ""]
    rows = summary_rows(result)
    assert [row["failure_rate"] for row in rows] == ["0.5", ""]


@pytest.mark.parametrize("count", [0, 7142, 10_000])
def test_bounds_are_the_exact_ones(count):
    limits = clopper_pearson(count, 10_000)
    assert notebook.bounds(count, 10_000) == f"[{100 * limits.low:.1f}, {100 * limits.high:.1f}]"
