"""Exact: the command line of the sweeps, mostly in this process with the training left out.

A wrong command ends with exit code 2, one line on standard error and nothing written.
"""

import csv
import json
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import samples
from samples import LANES, content, lasting

import sweeps.__main__ as command
import sweeps.claims
from jaxlab import OUTCOMES, chunks, commandline, engine, keys
from jaxlab.census import Case, Census
from jaxlab.claims import Statement
from jaxlab.grid import Axis, Grid, GridResult
from jaxlab.theory.prediction import Prediction
from jaxlab.verdicts import works
from sweeps import _run

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    # JAX's devices are counted once per process; the tests have their own.
    monkeypatch.setattr(commandline, "use_all_cores", lambda: None)


def call(monkeypatch, *arguments: str) -> int:
    """Return the exit code of `python -m sweeps` with these arguments."""
    return samples.exit_code(monkeypatch, command.main, "sweeps", *arguments)


@pytest.fixture
def tiny(monkeypatch) -> types.SimpleNamespace:
    """Put a sweep that trains in a moment in the place of every name."""
    module = types.SimpleNamespace(
        __doc__="A tiny sweep.\n",
        SEEDS=12,
        QUICK_SEEDS=5,
        build=samples.sweep,
        comparisons=lambda found: [],
        report=lambda found, compared: "the report",
    )
    monkeypatch.setattr(commandline, "script", lambda package, name: module)
    return module


WRONG = [
    (["absolute"], "'absolute'", "absolute_value"),
    (["absolute_value", "--seeds", "-5"], "-5", "at least 1"),
    (["absolute_value", "--seeds", "0"], "0", "at least 1"),
    (["absolute_value", "--seeds", "ten"], "'ten'", "whole number"),
    (["absolute_value", "--seeds", "1.5"], "'1.5'", "whole number"),
    (["absolute_value", "--seeds", str(2**33)], str(2**33), "at most"),
    (["absolute_value", "--first-seed", "-1"], "-1", "at least 0"),
    (["absolute_value", "--first-seed", str(keys.MAX_SEED), "--seeds", "2"], str(2**32), "at most"),
    (["absolute_value", "--shard", "3/2"], "'3/2'", "1 <= I <= N"),
    (["absolute_value", "--shard", "0/2"], "'0/2'", "1 <= I <= N"),
    (["absolute_value", "--shard", "half"], "'half'", "1/4"),
    (["absolute_value", "--lane-width", "0"], "0", "at least 1"),
    (["absolute_value", "--quik"], "--quik", "--help"),
    (["absolute_value", "surplus"], "surplus", "--help"),
    (["claims", "--shard", "1/2"], "--shard", "whole sweeps"),
    (["claims", "--first-seed", "3"], "--first-seed", "whole sweeps"),
    (["negation_map", "--first-seed", "3"], "--first-seed", "grid"),
    (["negation_map", "--shard", "1/2"], "--shard", "grid"),
    (["negation_map", "--lane-width", "8"], "--lane-width", "grid"),
    (["negation_map", "--mix"], "--mix", "grid"),
    (["negation_map", "--export", "csv"], "--export", "single sweep"),
    (["claims", "--export", "csv"], "--export", "single sweep"),
    (["negation", "--export", "xlsx"], "'xlsx'", "parquet"),
    (["absolute_value", "--cells", "8"], "absolute_value is no map", "--cells"),
    (["absolute_value", "--window", "0", "0", "0", "0"], "absolute_value is no map", "--window"),
    (["absolute_value", "--float64"], "absolute_value is no map", "--float64 are for maps"),
    (["claims", "--float64"], "claims is no map", "--float64 are for maps"),
    (["boundary", "--cells", "1"], "1", "at least 2"),
    (["boundary", "--cells", "4097"], "4097", "at most 4096"),
    (["boundary", "--window", "1", "10", "1"], "--window", "expected 4"),
    (["boundary", "--window", "1", "10", "0", "1"], "0 to 1", "both above 0"),
    (["boundary", "--window", "10", "1", "1", "2"], "10 to 1", "smaller first"),
    (["negation_map", "--window", "1", "nan", "1", "2"], "1 to nan", "two numbers"),
]


@pytest.mark.parametrize(("arguments", "wrong", "right"), WRONG)
def test_a_wrong_command_ends_with_one_line(arguments, wrong, right, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(engine, "Runner", None)
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert wrong in said.err
    assert right in said.err
    assert content(tmp_path) == {}


def test_an_unwritable_folder_ends_with_one_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("precious")
    before = content(tmp_path)
    assert call(monkeypatch, "absolute_value", "--seeds", "3", "--out", str(tmp_path / "file")) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "cannot write to" in said.err
    assert content(tmp_path) == before


def test_results_of_another_sweep_end_with_one_line(whole, tmp_path):
    """The one wrong command that is also tried from outside, in a process of its own."""
    folder = tmp_path / "absolute_value"
    folder.mkdir()
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    before = content(tmp_path)
    line = [sys.executable, "-m", "sweeps", "absolute_value", "--seeds", "3", "--out", tmp_path]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "holds the sweep 'small', not 'absolute_value'" in done.stderr
    assert content(tmp_path) == before


def test_without_a_name_the_sweeps_are_listed_a_line_each(monkeypatch, capsys):
    assert call(monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*command.names(), "claims"]
    assert {*sweeps.claims.THREADS, "negation_map"} <= set(command.names())
    assert all(len(line.split()) > 3 and len(line) <= 120 for line in lines)


def test_a_sweep_writes_what_the_contract_says(tiny, monkeypatch, capsys, tmp_path):
    line = ["small", "--quick", "--quiet", "--lane-width", str(LANES), "--out", str(tmp_path)]
    assert call(monkeypatch, *line) == 0
    said = capsys.readouterr().out
    assert "the report" in said
    folder = tmp_path / "small"
    assert {p.name for p in folder.iterdir()} == {
        *("summary.csv", "predictions.csv", "manifest.json", "looks.json", "chunks", "shards")
    }
    rows = (folder / "summary.csv").read_text().splitlines()
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["small", "k=2", "5"],
        ["small", "fast", "5"],
    ]
    head = (folder / "predictions.csv").read_text().splitlines()[0].split(",")
    promised = "sweep setting event n count observed ci_low ci_high prediction kind predicted"
    assert set(f"{promised} p_value p_holm verdict source".split()) <= set(head)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sweep"]["name"] == "small"
    assert manifest["runs"][0]["command"] == shlex.join(["python", "-m", "sweeps", *line])


def test_a_full_run_extends_a_quick_one_to_the_same_bytes(tiny, monkeypatch, tmp_path, capsys):
    end = ["--quiet", "--lane-width", str(LANES), "--out"]
    assert call(monkeypatch, "small", *end, str(tmp_path / "a")) == 0
    assert call(monkeypatch, "small", "--quick", *end, str(tmp_path / "b")) == 0
    assert lasting(tmp_path / "a/small") != lasting(tmp_path / "b/small")
    assert call(monkeypatch, "small", *end, str(tmp_path / "b")) == 0
    looks = "looks.json"  # the one thing that tells: it says how often was looked
    once, twice = lasting(tmp_path / "a/small"), lasting(tmp_path / "b/small")
    assert once.pop(looks) != twice.pop(looks)
    assert once == twice
    assert "looked at 2 times, with 5, 12 seeds" in capsys.readouterr().out


def test_the_last_shard_to_finish_writes_the_tables(tiny, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(chunks, "CHUNK", 4)
    end = ["--quiet", "--lane-width", str(LANES), "--out"]
    assert call(monkeypatch, "small", *end, str(tmp_path / "a")) == 0
    folder = tmp_path / "b" / "small"
    for shard in ("2/3", "3/3", "1/3"):
        assert not (folder / "summary.csv").exists()
        capsys.readouterr()
        assert call(monkeypatch, "small", "--shard", shard, *end, str(tmp_path / "b")) == 0
    said = capsys.readouterr().out
    assert "the report" in said
    assert lasting(folder) == lasting(tmp_path / "a" / "small")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(run["shard"] for run in manifest["runs"]) == ["1/3", "2/3", "3/3"]
    assert sum(run["members"] for run in manifest["runs"]) == 2 * 12


def test_a_shard_that_is_not_the_last_says_which_are_missing(tiny, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(chunks, "CHUNK", 4)
    line = ["small", "--quiet", "--lane-width", str(LANES), "--out", str(tmp_path), "--shard"]
    assert call(monkeypatch, *line, "2/4") == 0
    said = capsys.readouterr().out
    # Settings at 0 and 1, chunks 0 to 2: shard 2 of 4 has chunk 1 of the first, 0 of the second.
    missing = "shard 1/4 (4 networks), shard 3/4 (8 networks), shard 4/4 (4 networks)"
    assert said == f"shard 2/4 is finished; missing in {tmp_path / 'small'}: {missing}\n"


def test_a_shard_without_any_chunk_is_finished_at_once(tiny, monkeypatch, capsys, tmp_path):
    line = ["small", "--quiet", "--lane-width", str(LANES), "--out", str(tmp_path), "--shard"]
    monkeypatch.setattr(engine, "Runner", None)
    assert call(monkeypatch, *line, "7/9") == 0
    assert "shard 7/9 is finished; missing" in capsys.readouterr().out


def test_wide_networks_have_a_number_of_seeds_of_their_own(tiny):
    tiny.is_wide = lambda setting: setting.name == "fast"
    tiny.WIDE_SEEDS, tiny.WIDE_QUICK_SEEDS = 3, 1

    def numbers(**asked):
        chosen = _run.chosen_seeds(_run.Asked(**asked), tiny, samples.sweep())
        return {name: len(seeds) for name, seeds in chosen.items()}

    assert numbers() == {"k=2": 12, "fast": 3}
    assert numbers(quick=True) == {"k=2": 5, "fast": 1}
    assert numbers(seeds=7) == {"k=2": 7, "fast": 7}
    assert numbers(seeds=7, scale_wide=False) == {"k=2": 7, "fast": 3}


def test_a_grid_is_run_by_name_and_goes_on_with_more_seeds(tiny, monkeypatch, capsys, tmp_path):
    rate = Axis("learning rate", ("training.optimiser.learning_rate",), [0.01, 0.05])
    scale = Axis("weight scale", ("initialisers.*.scale",), [0.5, 1.0, 2.0])
    tiny.build = lambda: Grid("small", samples.setting(), rate, scale)
    end = ["--quiet", "--out", str(tmp_path)]
    assert call(monkeypatch, "small", "--quick", *end) == 0
    said = capsys.readouterr().out
    assert "30 networks in 6 cells" in said
    shown = [line for line in said.splitlines() if not line.startswith("written")]
    assert max(map(len, shown)) <= 80
    names = {path.name for path in (tmp_path / "small").iterdir()}
    assert names == {"grid.npz", "manifest.json", "shards"}
    assert call(monkeypatch, "small", *end) == 0
    assert "72 networks in 6 cells" in capsys.readouterr().out


def test_claims_run_what_is_missing_and_the_second_call_trains_nothing(
    tiny, monkeypatch, capsys, tmp_path
):
    stated = types.SimpleNamespace(statements=_statements)
    monkeypatch.setattr(sweeps.claims, "THREADS", ("small",))
    monkeypatch.setattr(sweeps.claims.importlib, "import_module", lambda name: stated)
    line = ["claims", "--seeds", "6", "--quiet", "--out", str(tmp_path)]
    assert call(monkeypatch, *line) == 0
    said = capsys.readouterr().out
    assert "1 claims: 1 refuted" in said or "1 claims: 1 undecided" in said
    rows = (tmp_path / "claims.csv").read_text().splitlines()
    assert rows[0].startswith("claim,thread,statement,verdict,n,count,observed,ci_low,ci_high")
    assert rows[1].split(",")[:3] == ["X1", "a thread", "two units learn it"]
    before = content(tmp_path)
    monkeypatch.setattr(engine, "Runner", None)
    assert call(monkeypatch, *line) == 0
    assert capsys.readouterr().out == said
    assert content(tmp_path) == before


def _statements(found):
    tally = found.members["k=2"].tally
    return [Statement("X1", "a thread", "two units learn it", works(tally.solved, tally.n), "-")]


def test_a_reader_who_has_seen_enough_is_no_error():
    shell = f"'{sys.executable}' -m sweeps | head -c 5"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (len(done.stdout), done.stderr) == (5, "")


def counting(tiny) -> Census:
    """Put a census in the place of every name: signs of a unit, nothing trained."""

    def look(layers):
        return {"positive": layers[0][0][0, 0] > 0}

    said = Prediction("signs", "positive", "exact", 0.5, "symmetry", "none")
    tiny.build = lambda: Census("small", (Case(samples.setting(), look, (said,)),))
    return tiny.build()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--shard", "1/2"], "has no --first-seed, --shard, --lane-width or --mix; it trains"),
        (["--first-seed", "3"], "counts seeds from 0 on"),
        (["--lane-width", "8"], "counts seeds from 0 on"),
        (["--cells", "8"], "small is no map; --cells"),
        (["--window", "1", "2", "3", "4"], "small is no map"),
        (["--float64"], "small is no map"),
    ],
)
def test_what_a_census_has_not_is_refused_with_one_line(
    option, said, tiny, monkeypatch, capsys, tmp_path
):
    counting(tiny)
    monkeypatch.setattr(engine, "initial_weights", None)
    assert call(monkeypatch, "small", *option, "--out", str(tmp_path)) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert said in printed.err
    assert content(tmp_path) == {}


def test_a_census_is_counted_by_name_and_goes_on_with_more_seeds(
    tiny, monkeypatch, capsys, tmp_path
):
    counting(tiny)
    for option, n in ((["--quick"], "5"), ([], "12"), (["--seeds", "20"], "20")):
        assert call(monkeypatch, "small", *option, "--quiet", "--out", str(tmp_path)) == 0
        assert "positive" in capsys.readouterr().out
        names = {path.name for path in (tmp_path / "small").iterdir()}
        assert names == {"counts.json", "predictions.csv", "manifest.json", "shards"}
        (row,) = csv.DictReader((tmp_path / "small/predictions.csv").read_text().splitlines())
        assert (row["sweep"], row["setting"], row["event"], row["n"]) == (
            *("small", "k=2"),
            *("positive", n),
        )


def test_all_cores_are_asked_for_before_anything_takes_a_device(tiny, monkeypatch, tmp_path):
    asked, made = [], counting(tiny)
    monkeypatch.setattr(commandline, "use_all_cores", lambda: asked.append("cores"))
    tiny.build = lambda: asked.append("built") or made
    assert call(monkeypatch, "small", "--quick", "--quiet", "--out", str(tmp_path)) == 0
    assert asked[:2] == ["cores", "built"]


def test_a_map_is_zoomed_by_name(tiny, monkeypatch, capsys, tmp_path):
    rate = Axis("learning rate", ("training.optimiser.learning_rate",), [0.01, 0.02, 0.04])
    slope = Axis("slope", ("network.slope",), [-1.0, 0.0, 1.0])
    tiny.build = lambda: Grid("small", samples.setting(), rate, slope)
    asked = []

    def run_grid(grid, seeds, **how):
        asked.append((grid, seeds, how["double"], how["command"]))
        return GridResult(grid, np.ones((*grid.shape, len(OUTCOMES)), int))

    monkeypatch.setattr(_run, "run_grid", run_grid)
    end = ["--quiet", "--out", str(tmp_path)]
    window = ["--window", "-0.5", "0.5", "0.01", "0.03"]
    for line in ([], ["--cells", "5"], [*window, "--float64"], ["--quick", *window]):
        assert call(monkeypatch, "small", *line, *end) == 0
    assert [(g.shape, seeds, double) for g, seeds, double, _ in asked] == [
        ((3, 3), 12, False),
        ((5, 5), 12, False),
        ((3, 3), 12, True),
        ((3, 3), 5, False),
    ]
    typed = shlex.join(["python", "-m", "sweeps", "small", *window, "--float64", *end])
    assert asked[2][3] == typed
    assert [asked[2][0].columns.values[i] for i in (0, -1)] == [-0.5, 0.5]
    assert [asked[2][0].rows.values[i] for i in (0, -1)] == [0.01, 0.03]
