"""Figures show the numbers of the results, the same bytes each time, and never train.

Exact tests, and one within float32 rounding (functions against the Flax network).
"""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
import samples
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from figures import __main__ as command
from figures import absolute_value as figure
from jaxlab import engine, networks
from jaxlab.result import Members, Result
from jaxlab.store import Folder, identity_of
from jaxlab.tally import clopper_pearson
from jaxlab.theory.absolute_value import fate
from sweeps import absolute_value as sweep

UNITS = (1, 2, 3)
FILES = {
    f"absolute_value{part}.{ending}"
    for part in ("", "_failures", "_functions", "_plane")
    for ending in ("png", "pdf", "json")
}


def members(k: int, n: int = 60) -> Members:
    """Return members whose outcome is their fate; `final` solves on the sides that are fitted."""
    generator = np.random.default_rng(k)
    w, a = generator.uniform(-1, 1, (2, k, n))
    names = fate(w, a)
    right, left = (np.isin(names, ["solved", side]) for side in ("right_only", "left_only"))
    initial = np.concatenate([w, np.zeros((k, n)), a, np.zeros((1, n))]).T
    final = np.zeros((n, 3 * k + 1))
    final[:, 0], final[:, k - 1], final[:, 2 * k : 3 * k] = right, -1.0 * left, 1.0
    return samples.members(
        list(names),
        errors=np.where(np.stack([right, left], 1), 0.001, 0.98).astype(np.float32),
        initial_weights=initial.astype(np.float32),
        final_weights=final.astype(np.float32),
    )


@pytest.fixture(scope="module")
def result() -> Result:
    settings = tuple(sweep.keras_default(k) for k in UNITS)
    built = dataclasses.replace(sweep.build(), settings=settings)
    return Result(built, {f"k={k}": members(k) for k in UNITS})


@pytest.fixture(scope="module")
def results(result, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("results")
    identity = identity_of(result.sweep, dict.fromkeys(result.members, 8))
    folder = Folder(path / "absolute_value", result.sweep, identity)
    folder.path.mkdir()
    folder.write_manifest({})
    for name, found in result.members.items():
        arrays = {name: values for name, values in vars(found).items() if values is not None}
        seeds = arrays.pop("seeds")
        folder.chunks.add(result.sweep[name], seeds, arrays, identity["fingerprint"])
    return path


@pytest.fixture(scope="module")
def drawn(results) -> Path:
    command.draw("absolute_value", results, results / "figures")
    return results / "figures"


def read(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def run(monkeypatch, capsys, *arguments) -> tuple[int, str]:
    """Return the exit code and standard error of `python -m figures`."""
    monkeypatch.setattr(sys, "argv", ["figures", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        command.commandline.run_cleanly(command.main)
    assert isinstance(stop.value.code, int)
    return stop.value.code, capsys.readouterr().err


def test_png_pdf_and_numbers_are_written_and_nothing_else(drawn):
    assert set(read(drawn)) == FILES
    assert (drawn / "absolute_value.png").stat().st_size < 400_000


def test_the_same_results_give_the_same_bytes_whatever_the_users_style(
    drawn, results, tmp_path, monkeypatch
):
    def train(*_args, **_kwargs):
        raise AssertionError("a figure trained")

    monkeypatch.setattr(engine, "Runner", train)
    with matplotlib.rc_context({"font.size": 20, "axes.grid": True}):
        before = dict(matplotlib.rcParams)
        paths = command.draw("absolute_value", results, tmp_path / "new" / "folder")
        assert dict(matplotlib.rcParams) == before
    assert {path.name for path in paths} == FILES
    assert read(tmp_path / "new" / "folder") == read(drawn)


def test_the_rates_of_the_caption_are_counts_of_the_results_and_lie_on_the_axes(result, drawn):
    rows = json.loads((drawn / "absolute_value_failures.json").read_text())["numbers"]["failures"]
    assert rows == figure.failure_rates(result)
    axes = Figure().add_subplot()
    figure.draw_failures(axes, rows)
    for event, points, line in zip(
        figure.EVENTS, axes.containers, (axes.lines[0], axes.lines[2]), strict=True
    ):
        mine = [row for row in rows if row["event"] == event.name]
        assert_array_equal(points[0].get_ydata(), [row["rate"] for row in mine])
        assert_array_equal(line.get_xdata(), UNITS)
        assert_array_equal(line.get_ydata(), [row["predicted"] for row in mine])
        for row, k in zip(mine, UNITS, strict=True):
            found = result.members[f"k={k}"]
            signs = np.sign(found.initial_weights[:, :k])
            one_sided = int(np.sum(np.abs(signs.sum(axis=1)) == k))
            failed = int(np.sum(found.names != "solved"))
            count = {"one_sided_at_init": one_sided, "training_fails": failed}[event.name]
            limits = clopper_pearson(count, 60)
            assert (row["n"], row["count"], row["rate"]) == (60, count, count / 60)
            assert (row["ci_low"], row["ci_high"]) == (limits.low, limits.high)
    assert [r["predicted"] for r in rows[:3]] == [1, 0.5, 0.25]
    assert [r["predicted"] for r in rows[3:]] == pytest.approx([1, 0.71875, 0.47265625])


def test_a_panel_for_every_class_that_occurs_with_its_functions(result):
    drawing = Figure()
    classes = figure.outcome_shares(result)
    figure.draw_classes(drawing, drawing.add_gridspec(1, 1)[0], result, classes)
    tally = result.members["k=2"].tally
    assert {row["outcome"]: row["count"] for row in classes} == {
        name: count for name, count in tally.counts.items() if count
    }
    for axes, row in zip(drawing.axes, classes, strict=True):
        assert len(axes.lines) == row["count"] + 1
        assert axes.texts[0].get_text().startswith(row["outcome"].replace("_", " "))
        assert axes.texts[0].get_text().endswith(f"n = {row['count']}")
    solved = drawing.axes[0].lines
    assert_array_equal(solved[0].get_ydata(), solved[-1].get_ydata())


def test_functions_are_those_of_the_flax_network():
    generator, x = np.random.default_rng(0), np.linspace(-3, 3, 7)
    for k in UNITS:
        weights = generator.normal(size=(5, 3 * k + 1)).astype(np.float32)
        network = sweep.keras_default(k).network
        inputs = jnp.broadcast_to(jnp.asarray(x, jnp.float32)[:, None, None], (7, 1, 5))
        flax = networks.predict(network, jnp.asarray(weights.T), inputs, 0.3)[:, 0, :].T
        assert_allclose(figure.functions(weights, x), flax, rtol=1e-5, atol=1e-5)
    assert np.isnan(figure.functions(np.full((1, 4), np.nan), x)).all()


def test_lone_units_are_those_of_members_that_start_on_both_sides(result):
    found = dataclasses.replace(
        members(2, 3),
        initial_weights=np.array(
            [[1, -2, 0, 0, 0.5, -3, 0], [1, 2, 0, 0, 1, 1, 0], [-3, 4, 0, 0, -2, 5, 0]], float
        ),
        errors=np.array([[0.01, 0.9], [0.01, 0.9], [0.02, 0.03]]),
    )
    units = figure.lone_units(Result(result.sweep, {"k=2": found}))
    assert units["w"].tolist() == [1, -2, -3, 4]
    assert units["a"].tolist() == [0.5, -3, -2, 5]
    assert units["fitted"].tolist() == [True, False, True, True]
    rows = figure.expected_and_found(units)
    table = {row["expected"]: (row["count"], row["n"], row["drawn"]) for row in rows}
    assert table == {"alive": (3, 3, 3), "dead": (0, 1, 1)}
    axes = figure.draw_plane(Figure().add_subplot(), units)
    fitted, missed = axes.collections[1:]
    assert_array_equal(fitted.get_offsets(), [[1, 0.5], [-3, -2], [4, 5]])
    assert_array_equal(missed.get_offsets(), [[-2, -3]])


def test_results_without_the_pair_are_refused(result):
    with pytest.raises(ValueError, match="python -m sweeps absolute_value"):
        figure.draw(Result(result.sweep, {"k=1": result.members["k=1"]}))


def test_missing_results_end_with_the_command_that_makes_them(monkeypatch, capsys, tmp_path):
    for name in ("absolute_value", "all"):
        code, error = run(monkeypatch, capsys, name, "--results", tmp_path)
        assert code == 2
        assert error.count("\n") == 1
        assert f"python -m sweeps absolute_value --out {tmp_path}" in error
    monkeypatch.chdir(tmp_path)
    code, error = run(monkeypatch, capsys, "absolute_value")
    assert (code, error.split(": ")[-1]) == (2, "python -m sweeps absolute_value\n")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_figure_and_an_unusable_folder_end_with_one_line(
    monkeypatch, capsys, results, tmp_path
):
    code, error = run(monkeypatch, capsys, "nonesuch")
    assert (code, error.count("\n")) == (2, 1)
    assert "absolute_value" in error
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="choose another --out"):
        command.save(tmp_path / "file", "name", {"png": b""})


def test_all_draws_what_is_there_and_says_what_is_not(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "names", lambda: ["missing", "present"])
    monkeypatch.setattr(command, "has_results", lambda name, _: name == "present")
    monkeypatch.setattr(command, "draw", lambda name, _, out: [out / f"{name}.png"])
    monkeypatch.setattr(sys, "argv", ["figures", "all", "--results", str(tmp_path)])
    command.main()
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith(f"python -m sweeps missing --out {tmp_path}")
    assert told[1:] == [f"drawn: {tmp_path / 'figures' / 'present.png'}"]


def test_another_process_draws_the_same_bytes_and_starts_no_backend(results, drawn, tmp_path):
    # JAX raises as soon as a backend is started on a platform that does not exist.
    root = Path(command.__file__).parents[1]
    environment = os.environ | {"JAX_PLATFORMS": "nonesuch", "PYTHONHASHSEED": "17"}
    arguments = ["-m", "figures", "absolute_value", "--results", results, "--out", tmp_path]
    subprocess.run([sys.executable, *arguments], check=True, cwd=root, env=environment)
    assert read(tmp_path) == read(drawn)


def test_a_pdf_has_all_its_fonts_inside_as_outlines(drawn):
    for path in drawn.glob("*.pdf"):
        content = path.read_bytes()
        kinds = set(re.findall(rb"/Type /Font /Subtype /(\w+)", content))
        assert kinds == {b"Type0", b"CIDFontType2"}  # neither bitmaps nor fonts by name alone
        embedded = len(re.findall(rb"/FontFile2 \d+ 0 R", content))
        assert embedded == content.count(b"/Type /FontDescriptor") > 0
