"""Figures of what papers and forums published: counts, theory's lines, published numbers, edges.

Exact tests on made-up members and maps.
"""

import dataclasses
import warnings
from functools import cache
from importlib import import_module

import numpy as np
import pytest
import samples
from matplotlib import style
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from figures import __main__ as command
from figures import _published as drawn_published
from figures import boundary, dying_relu, trainability
from jaxlab import OUTCOMES, plotting
from jaxlab.grid import GridResult
from jaxlab.result import Result
from jaxlab.tally import clopper_pearson
from jaxlab.theory import deep_narrow
from sweeps import _published as published
from sweeps import boundary as boundary_sweep
from sweeps.trainability import FORUM, POSITIVE

FIGURES = {"dying_relu": dying_relu, "trainability": trainability}
N = 20
WAVES = (10.0, 40.0, 0.17, 0.27)


@cache
def made(name: str) -> Result:
    """Return members of every setting that ended anyhow."""
    built, found = import_module(f"sweeps.{name}").build(), {}
    for i, setting in enumerate(built.settings):
        generator = np.random.default_rng(i)
        names = generator.choice(["solved", "dead", "constant", "other"], N)
        facts = {"born_dead": (names == "dead") & (generator.random(N) < 0.5)}
        found[setting.name] = samples.members(list(names), **facts)
    return Result(built, found)


@cache
def drawn(name: str) -> tuple[Figure, dict]:
    with warnings.catch_warnings(), style.context(dict(plotting.STYLE), after_reset=True):
        warnings.simplefilter("error")
        figure, numbers = FIGURES[name].draw(made(name))[name]
        command.contents(figure, {"numbers": numbers})
    return figure, numbers


def agrees(row: dict, mask: np.ndarray) -> bool:
    limits = clopper_pearson(int(mask.sum()), len(mask))
    wanted = (int(mask.sum()), len(mask), mask.mean(), limits.low, limits.high)
    return tuple(row[k] for k in ("count", "n", "rate", "ci_low", "ci_high")) == wanted


def waves(cells: int, window: tuple[float, ...] = WAVES, period: float = 0.1) -> GridResult:
    """Return a map on which all above a wave diverged and all below are solved."""
    grid = boundary_sweep.build().zoomed(window, cells)
    y, x = np.mgrid[:cells, :cells] / cells
    above = y > 0.5 + 0.2 * np.sin(x / period)
    counts = np.zeros((cells, cells, len(OUTCOMES)), int)
    counts[..., OUTCOMES.index("diverged")] = above
    counts[..., OUTCOMES.index("solved")] = ~above
    return GridResult(grid, counts)


def edge(result: GridResult) -> tuple[Figure, dict]:
    """Draw a map, down to the bytes of its files, of which warnings are errors."""
    with style.context(dict(plotting.STYLE) | {"savefig.dpi": 60}, after_reset=True):
        figure, numbers = boundary.draw(result)["boundary"]
        made = command.contents(figure, {"numbers": numbers})
    assert len(made["pdf"]) < 1_500_000
    return figure, numbers


@pytest.mark.parametrize("module", [boundary, dying_relu, trainability])
def test_the_message_is_one_sentence_and_the_figure_is_listed(module):
    message = (module.__doc__ or "").splitlines()[0]
    assert message.endswith(".")
    assert 40 < len(message) < 98
    assert module.__name__.rpartition(".")[2] in command.names()
    assert not {"_published", "published"} & set(command.names())


@pytest.mark.parametrize("name", FIGURES)
def test_missing_settings_are_refused_with_the_command_that_helps(name):
    result = made(name)
    first = next(iter(result.members))
    rest = {k: m for k, m in result.members.items() if k != first}
    with pytest.raises(ValueError, match=f"python -m sweeps {name}"):
        FIGURES[name].draw(Result(result.sweep, rest))


@pytest.mark.parametrize("name", FIGURES)
def test_panels_are_labelled(name):
    figure, _ = drawn(name)
    assert len(figure.axes) == 3
    assert all(axes.texts for axes in figure.axes)


def test_births_and_collapses_are_counts_beside_theory():
    _, told = drawn("dying_relu")
    rows = [*told["by width"], *told["by target"], *sum(told["by depth"].values(), start=[])]  # noqa: RUF017
    for row in rows:
        members = made("dying_relu").members[row["setting"]]
        assert agrees(row["born_dead"], members.born_dead)
        assert agrees(row["collapsed"], np.isin(members.names, ("dead", "constant")))
    assert [row["layers"] for row in told["by depth"]["He"]] == [3, 5, 10, 20]
    exact = [row["exact"] for row in told["by depth"]["He"]]
    assert_allclose(exact, [deep_narrow.two_units(n) for n in (3, 5, 10, 20)])
    assert not any("exact" in row for row in told["by depth"]["RAI"])
    assert [row["width"] for row in told["by width"]] == [2, 3, 5]
    assert told["by width"][1]["lower bound"] == float(deep_narrow.lower_bound(3, 10))
    assert told["by width"][1]["upper bound"] == float(deep_narrow.sharper_upper_bound(3, 10))
    assert len(told["by target"]) == 12


def test_theory_is_drawn_as_lines():
    figure, _ = drawn("dying_relu")
    lines = [np.asarray(line.get_xydata()) for line in figure.axes[0].lines]
    exact = next(data for data in lines if len(data) > 10)
    assert dict(exact)[10] == pytest.approx(deep_narrow.two_units(10))
    figure, told = drawn("trainability")
    bound = np.asarray(figure.axes[1].lines[0].get_ydata())
    assert_allclose(bound, [row["upper bound"] for row in told["absolute value"]["1"]])
    assert bound[0] == 0.5625


def test_successes_and_deaths_are_counts():
    _, told = drawn("trainability")
    members = made("trainability").members
    rows = [*told["xor"], *told["absolute value"]["1"], *told["absolute value"]["sqrt 3"]]
    assert all(agrees(row, members[row["setting"]].names == "solved") for row in rows)
    for row in told["forum"]:
        found = members[row["setting"]]
        assert agrees(row["born_dead"], found.born_dead)
        assert agrees(row["dead"], found.names == "dead")
    posted, positive = told["forum"]
    assert (posted["setting"], positive["setting"]) == (FORUM, POSITIVE)
    assert posted["upper bound"] == positive["exact"] == 0.6484375


@pytest.mark.parametrize("name", FIGURES)
def test_what_was_published_stands_beside_what_was_counted(name):
    _, told = drawn(name)
    known = published.of(name)
    assert len(told["published"]) == len(known) > 0
    for row, said in zip(told["published"], known, strict=True):
        assert all(row[k] == getattr(said, k) for k in ("rate", "relation", "source"))
        if said.count is not None:
            limits = clopper_pearson(said.count, said.n or 0)
            assert (row["ci_low"], row["ci_high"]) == (limits.low, limits.high)
        members = made(name).members.get(said.setting)
        assert (row["counted here"] is None) == (members is None)
        if members is not None:
            assert row["counted here"] == drawn_published.event(said.event, members)


def test_published_settings_are_trained_but_one_and_numbers_fit():
    for said in published.PUBLISHED:
        trained = {s.name for s in import_module(f"sweeps.{said.sweep}").build().settings}
        assert said.setting in trained or "not trained here" in said.note
    counts = {(p.setting, p.event): p.count for p in published.PUBLISHED}
    assert counts["x sin 5x RAI 10x2", "collapsed"] == 292
    assert counts["XOR leaky ReLU 0.1", "training_succeeds"] == 47
    assert len(counts) == len(published.PUBLISHED)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"relation": "near"}, "relation is 'near'"),
        ({"event": "fails"}, "event is 'fails'"),
        ({"rate": 1.2}, "must lie in"),
        ({"rate": 0.5}, "must be count/n"),
        ({"count": None}, "'=' needs a count"),
    ],
)
def test_published_numbers_that_contradict_themselves_are_refused(change, text):
    said = next(p for p in published.PUBLISHED if p.count)
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(said, **change)


def test_a_smooth_edge_is_drawn_with_a_dimension_of_one():
    figure, told = edge(waves(160))
    low, high = told["interval"]
    assert low <= 1 <= high
    assert told["smooth is outside"] is False
    assert told["commonest"]["diverged"] + told["commonest"]["solved"] == told["cells"] == 160**2
    assert told["window"]["learning rate of the hidden layer"] == [10.0, 40.0]
    assert told["boxes"][0] == told["boundary cells"] > 160
    assert told["fitted sizes"] == [4, 8, 16]
    (upper,) = (axes for axes in figure.axes if axes.get_legend())
    texts = [text.get_text() for text in upper.get_legend().get_texts()]  # pyright: ignore
    assert any(text.startswith("dimension 1.0") for text in texts)


def test_a_map_of_noise_is_no_curve():
    result = waves(160)
    above = np.random.default_rng(0).random((160, 160)) < 0.5
    counts = np.zeros_like(result.counts)
    counts[..., OUTCOMES.index("diverged")], counts[..., 0] = above, ~above
    _, told = edge(GridResult(result.grid, counts))
    assert told["dimension"] == pytest.approx(2, abs=0.01)
    assert told["smooth is outside"] is True


@pytest.mark.parametrize("kind", ["small", "all diverged"])
def test_maps_without_a_dimension_are_drawn_too(kind):
    result = waves(32)
    if kind == "all diverged":
        counts = np.zeros_like(result.counts)
        counts[..., OUTCOMES.index("diverged")] = 1
        result = GridResult(result.grid, counts)
    _, told = edge(result)
    assert told["dimension"] is None
    assert ("128 a side" in told["reason"]) or ("no boundary" in told["reason"])


@pytest.mark.parametrize(
    ("window", "wanted"),
    [
        ((0.1, 1e5, 1e-3, 10), ["10^{-1}", "10^{5}"]),
        ((10.0, 40.0, 0.17, 0.27), ["10", "40"]),
        ((30.0, 500.0, 0.1, 0.3), ["50", "500"]),
        ((22.0, 22.5, 0.2, 0.21), ["22.0", "22.4"]),
        ((22.0, 22.00001, 0.2, 0.21), ["0.0", "10.0"]),
    ],
)
def test_ticks_are_round_learning_rates_in_every_window(window, wanted):
    axes, grid = Figure().add_subplot(), boundary_sweep.build().zoomed(window, 8)
    label = boundary.name_ticks(axes.xaxis, grid.columns)
    texts = [text.get_text().strip("$") for text in axes.get_xticklabels()]
    assert 2 <= len(texts) <= 8
    assert len(set(texts)) == len(texts)
    assert [texts[0], texts[-1]] == wanted
    assert label.startswith("learning rate of the hidden layer")
    places = 10.0 ** np.asarray(axes.get_xticks())
    assert places.min() >= window[0] * (1 - 1e-12)
    assert places.max() <= window[1] * (1 + 1e-12)
    if window[1] - window[0] < 1e-3:
        assert "= 22 + 10^{-6}" in label
