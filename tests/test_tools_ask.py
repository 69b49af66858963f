"""Exact: what the command asks, runs, prints and writes; what is refused in one line."""

import pytest
import samples

import jaxlab.__main__ as command
from jaxlab import Scaling, store
from jaxlab.tools import _named, ask


def call(monkeypatch, *arguments: object) -> int:
    """Return the exit code of `python -m jaxlab ask` with these arguments."""
    monkeypatch.setattr("jaxlab.commandline.use_all_cores", lambda: None)
    return samples.exit_code(monkeypatch, command.call, "jaxlab", "ask", *map(str, arguments))


def test_a_formula_is_asked_and_answered(monkeypatch, capsys, tmp_path):
    line = ["--target", "abs(x)", "--hidden", 2, "--rows", 40, "--epochs", 3, 12, "--quiet"]
    assert call(monkeypatch, *line, "--seeds", 30, "--out", tmp_path) == 0
    (folder,) = tmp_path.iterdir()
    said = capsys.readouterr().out
    assert "Asked: abs(x) on 40 points from -1 to 1." in said
    assert "1-2-1 relu, 3 epochs: fails for" in said
    assert f"python -m jaxlab report {folder}" in said
    assert f"python -m jaxlab replay {folder} --setting '1-2-1 relu, 3 epochs'" in said
    assert max(len(row) for row in said.split("written:")[0].splitlines()) <= 80
    assert {p.name for p in folder.iterdir()} >= {"summary.csv", "question.json", "manifest.json"}
    # Asked again with more seeds, it goes on in the same folder.
    assert call(monkeypatch, *line, "--seeds", 35, "--out", tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 1
    found = store.read_sweep(folder)
    assert [t.n for t in found.tally().values()] == [35, 35]
    assert _named.sweep_of(str(folder)) == found.sweep


def test_a_table_is_asked_and_answered(monkeypatch, capsys, tmp_path):
    table = tmp_path / "my.csv"
    table.write_text("a,b,y\n" + "\n".join(f"{a},{b},{a != b:d}" for a in (0, 1) for b in (0, 1)))
    line = ["--data", table, "--target-column", "y", "--hidden", "2-2", "--epochs", 2, "--seeds", 5]
    assert call(monkeypatch, *line, "--activation", "tanh", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "Asked: y from a, b, on the 4 rows of my.csv." in said
    assert "2-2-2-1 tanh" in said


def test_every_combination_is_a_setting_named_by_what_differs():
    line = ["--target", "x", "--hidden", "0", "2", "--activation", "relu", "tanh"]
    options = ask.parser().parse_args(
        [*line, "--learning-rate", "0.1", "0.01", "--initialiser", "rai"]
    )
    sweep = ask.sweep_of(options, ask.asked(options).task())
    names = [s.name for s in sweep.settings]
    nets = ("1-1", "1-2-1 relu", "1-2-1 tanh")
    assert sorted(names) == sorted(
        f"{net}, rate {rate}" for net in nets for rate in ("0.1", "0.01")
    )
    assert {i.law for s in sweep.settings for i in s.initialisers} == {"rai"}


def scaling_of(*flags: str) -> Scaling | None:
    return ask.asked(ask.parser().parse_args(["--target", "x > 0", *flags])).scaling


def test_inputs_and_targets_are_scaled_each_on_its_own():
    assert scaling_of() is None
    assert scaling_of("--scale", "standard") == Scaling("standard", "raw")
    assert scaling_of("--scale-targets", "unit") == Scaling("raw", "unit")
    assert scaling_of("--scale", "log", "--scale-targets", "unit") == Scaling("log", "unit")


def test_what_float32_is_too_coarse_for_is_said_once_with_its_remedy(monkeypatch, capsys, tmp_path):
    table = tmp_path / "late.csv"
    table.write_text("t,y\n" + "\n".join(f"{1_700_000_000 + i},{i / 40}" for i in range(41)))
    line = ["--data", table, "--target-column", "y", "--hidden", 2, "--epochs", 2, "--seeds", 5]
    line += ["--quiet", "--out", tmp_path / "out"]
    assert call(monkeypatch, *line) == 0
    said = capsys.readouterr().err
    assert said.startswith("column 't' is too fine for float32: 41 values become 1, by up to ")
    assert "; scale inputs, by --scale standard or " in said
    assert said.count("\n") == 1
    assert call(monkeypatch, *line, "--scale", "standard") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "Asked: y from t less 1,700,000,020, on the 41 rows of late.csv." in said.out


def test_devices_are_set_up_before_anything_is_computed(monkeypatch):
    calls = []
    monkeypatch.setattr("jaxlab.commandline.use_all_cores", lambda: calls.append("cores"))
    monkeypatch.setattr(ask, "asked", lambda options: calls.append("asked") or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask.main(["--target", "x"])
    assert calls == ["cores", "asked"]


def test_a_large_tolerance_needs_no_margin():
    options = ask.parser().parse_args(["--target", "x", "--tolerance", "0.6"])
    task = ask.asked(options).task()
    assert (task.tolerance, task.margin) == (0.6, 0.6)


SIGMOID = ["--target", "x > 0", "--output-activation", "sigmoid", "--scale-targets", "standard"]
WRONG = [
    (SIGMOID, "targets is 'standard', which takes them to -1 and 1, but the output activation"),
    ([], "either --target FORMULA or --data"),
    (["--target", "x", "--data", "a.csv"], "either --target FORMULA or --data"),
    (["--target", "x", "--target-column", "y"], "--target-column is for --data"),
    (["--data", "no.csv", "--target-column", "y"], "no.csv could not be read"),
    (["--data", "no.csv", "--rows", 3], "--rows is for --target"),
    (["--target", "2x"], "'2x' cannot be read"),
    (["--target", "x", "--range", 1, 0], "low below high"),
    (["--target", "x", "--range", 1, "nan"], "'nan' is not a finite number"),
    (["--target", "x", "--hidden", "2,2"], "'2,2' is not widths such as"),
    (["--target", "x", "--region", "left"], "'left' is not NAME=CONDITION"),
    (["--target", "x", "--region", "left=z<0"], "uses 'z'"),
    (["--target", "x", "--activation", "step"], "invalid choice: 'step'"),
    (["--target", "x", "--tolerance", "0"], "tolerance is 0"),
    (["--target", "x", "--tolerance", "1"], "must be below 1, or a constant would count as learnt"),
    (["--target", "x", "--range", "0", "1", "--range", "2", "3"], "--range: is there twice"),
    (["--target", "a ^ b"], "a power is written **, such as a**b, and exclusive or !="),
    (["--target", "x", "--scale", "log"], "must be above -1"),
    (["--target", "x", "--learning-rate", "-1"], "learning_rate is -1"),
    (["--target", "x", "--epochs", *range(1, 202)], "201 settings; at most 200"),
    (["--target", "x", "--hidden", "99999999"], "widths"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_what_cannot_be_asked_is_one_line(monkeypatch, capsys, tmp_path, line, message):
    assert call(monkeypatch, *line, "--out", tmp_path / "out") == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert message in said.err
    assert not (tmp_path / "out").exists()
