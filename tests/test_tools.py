"""Exact: the command line of the tools, from outside for the examples, else in this process.

A wrong command ends with exit code 2, one line on standard error and nothing on standard output.
"""

import contextlib
import io
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

import jaxlab.__main__ as command
from jaxlab import commandline, formula, tables, tools
from jaxlab.tools import forensics

ROOT = Path(__file__).parents[1]
LINE = "python -m jaxlab forensics "
RANGE = ["--range", "1", "9", "--target", "2*x"]


def examples() -> list[str]:
    """Return the commands of the tool's help that need no file."""
    lines = forensics.parser().format_help().splitlines()
    return [line for line in lines if line.startswith(LINE) and "--data" not in line]


def call(monkeypatch, *arguments: str) -> int:
    """Return the exit code of `python -m jaxlab` with these arguments."""
    return samples.exit_code(monkeypatch, command.call, "jaxlab", *arguments)


VERDICTS = {
    "training": ("8533120007.8465", "a constant output 1 (a one-unit softmax or a saturated"),
    "validation": ("32532613324.8000", "a constant output 1 (a one-unit softmax or a saturated"),
    "products": ("7e9", "a constant output 0 (a dead ReLU), or a constant output 1"),
    "squares": ("75777.312879", "the best affine function."),
}


# What `python -m jaxlab` does, for one command after the other, with JAX imported only once.
DRIVER = """
import runpy, shlex, sys
for line in sys.argv[1:]:
    sys.argv = shlex.split(line)[2:]
    runpy.run_module("jaxlab", run_name="__main__", alter_sys=True)
    print(end="\\f")
"""


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """Return what the examples of the help print in a process where no backend can start."""
    line = [sys.executable, "-W", "error", "-c", DRIVER, *examples()]
    env = os.environ | {"JAX_PLATFORMS": "none_at_all"}
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=env, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\f")[:-1]


@pytest.mark.parametrize("name", VERDICTS)
def test_the_examples_of_the_help_work(name, answers):
    loss, verdict = VERDICTS[name]
    assert len(answers) == len(VERDICTS)
    said = next(answer for answer in answers if loss in answer)
    assert f"The best explanation: {verdict}" in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_command_as_it_is_typed():
    """The one command that is called the way a user does, a wrong one."""
    line = [sys.executable, "-m", "jaxlab", "forensics", "--loss", "7e9", "--range", "1", "9"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--range also needs --target" in done.stderr


def test_without_a_name_the_tools_are_listed_a_line_each(monkeypatch, capsys):
    assert call(monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == commandline.scripts(tools)
    assert all(len(line.split()) > 3 and len(line) <= 120 for line in lines)


@pytest.mark.parametrize("name", commandline.scripts(tools))
def test_every_tool_says_how_it_is_called(name, monkeypatch, capsys):
    assert call(monkeypatch, name, "--help") == 0
    said = capsys.readouterr().out
    assert f"usage: python -m jaxlab {name}" in said
    assert f"\npython -m jaxlab {name} " in said.split("examples:")[1]


def test_the_installed_command_is_this_one(monkeypatch, capsys):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"jaxlab": f"{command.__name__}:{command.main.__name__}"}
    monkeypatch.setattr(sys, "argv", ["jaxlab", "nonsense"])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


WRONG = [
    (["forensic"], "'forensic'", "forensics, merge"),
    (["--loss", "1"], "--loss", "--help"),
    (["forensics"], "--loss --rmse is required", "--help"),
    (["forensics", "--loss", "1"], "--range --integers --data is required", "--help"),
    (["forensics", "--loss", "1", "--rmse", "1", *RANGE], "not allowed with", "--help"),
    (["forensics", "--loss", "", *RANGE], "''", "7e9"),
    (["forensics", "--loss", "7,000,000", *RANGE], "'7,000,000'", "8533120007.8465"),
    (["forensics", "--loss", "nan", *RANGE], "'nan'", "7e9"),
    (["forensics", "--loss", "-3", *RANGE], "-3", "at least 0"),
    (["forensics", "--rmse", "1e200", *RANGE], "1e200", "below 1e+140"),
    (["forensics", "--loss", "1", "--rows", "0", *RANGE], "0", "at least 1"),
    (["forensics", "--loss", "1", "--row", "ten", *RANGE], "'ten'", "whole number"),
    (["forensics", "--loss", "1", *RANGE, "--inputs", "x"], "--inputs", "--range does not take"),
    (["forensics", "--loss", "1", "--range", "1", "9"], "--target", "--range also needs"),
    (["forensics", "--loss", "1", "--range", "1", "--target", "x"], "--range", "2 arguments"),
    (["forensics", "--loss", "1", "--range", "1", "z", "--target", "x"], "'z'", "whole number"),
    (["forensics", "--loss", "1", "--range", "9", "1", "--target", "x"], "LOW is 9", "above HIGH"),
    (["forensics", "--loss", "1", "--range", "1", "1" * 30, "--target", "x"], "1" * 30, "at most"),
    (["forensics", "--loss", "1", "--range", "1", "10000001", "--target", "x"], "large", "10,000"),
    (["forensics", "--loss", "1", "--range", "1", "9", "--target", "2x"], "'2x'", "2*x"),
    (["forensics", "--loss", "1", "--range", "1", "9", "--target", "y"], "'y'", "are: x"),
    (["forensics", "--loss", "1", "--range", "1", "9", "--target", ""], "''", "2*x"),
    (["forensics", "--loss", "1", "--range", "-1", "9", "--target", "1/x"], "x = 0", "finite"),
    (["forensics", "--loss", "1", "--range", "1", "9", "--target", "x*1e70"], "targets", "1e+70"),
]
TWICE = ["forensics", "--loss", "1", "--range", "1", "9", "--target", "x"]
WRONG += [
    ([*TWICE, "--target", "2*x"], "argument --target", "is there twice; it may be given once"),
    ([*TWICE, "--ran", "2", "3"], "argument --range", "is there twice"),
    (["ask", "--target", "x", "--hidden", "2", "--hidden", "4"], "--hidden", "with all its values"),
    (["power", "--rate", "0.1", "--rate", "0.2"], "argument --rate", "is there twice"),
]
INTEGERS = ["forensics", "--loss", "1", "--integers", "0"]
WRONG += [
    ([*INTEGERS, "9", "--target", "a"], "--inputs", "--integers also needs"),
    ([*INTEGERS, "9", "--inputs", "--target", "a"], "--inputs", "at least one argument"),
    ([*INTEGERS, "9", "--inputs", "a", "a", "--target", "a"], "'a'", "different plain names"),
    ([*INTEGERS, "9", "--inputs", "e", "--target", "e"], "'e'", "plain names"),
    ([*INTEGERS, "9", "--inputs", "a b", "--target", "a"], "'a b'", "plain names"),
    ([*INTEGERS, "499", "--inputs", "a", "b", "c", "--target", "a"], "large", "10,000,000"),
    ([*INTEGERS, "9", "--inputs", *(f"a{i}" for i in range(99)), "--target", "a1"], "large", "at"),
]


@pytest.mark.parametrize(("arguments", "wrong", "right"), WRONG)
def test_a_wrong_command_ends_with_one_line(arguments, wrong, right, monkeypatch, capsys):
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert wrong in said.err
    assert right in said.err


WORDS = [*formula.FUNCTIONS, *"xab019.,()[]+-*/<>=!^'\"\\\n\t {}", "**", "==", "pi", "lambda:"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=25).map("".join) | st.text(max_size=25)


@given(TEXTS, TEXTS, st.sampled_from(["1", "0.0", "7e9", "12.50"]) | st.text(max_size=9))
def test_no_text_ends_in_a_traceback(target, name, loss):
    with pytest.MonkeyPatch.context() as patch:
        out, err = io.StringIO(), io.StringIO()
        line = [*("forensics", f"--loss={loss}", "--integers", "-3", "3")]
        line += [f"--inputs={name}", f"--target={target}"]
        if name in ("", "\n"):
            line = ["forensics", f"--loss={loss}", "--range", "-3", "3", f"--target={target}"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = call(patch, *line)
    assert code in (0, 2)
    assert bool(out.getvalue()) == (code == 0)
    assert err.getvalue().count("\n") == (code == 2)


def table(folder: Path, text: str) -> str:
    (folder / "data.csv").write_bytes(text.encode("latin-1"))
    return str(folder / "data.csv")


def test_a_table_is_read(monkeypatch, capsys, tmp_path):
    rows = [f"{x},day {x},{2 * x},{3 * x - x}" for x in range(1, 1000)]
    path = table(tmp_path, "\n".join(["x,label, y ,z", *rows, "", ""]))
    line = ["forensics", "--loss", "1332666.6667", "--data", path, "--target-column", "y"]
    assert call(monkeypatch, *line) == 0
    said = capsys.readouterr().out
    assert said.startswith("not numeric, so not inputs: label\n")
    assert "on 999 rows" in said
    assert "The best explanation: a constant output 0 (a dead ReLU)." in said


TABLES = [
    ("", "no", "columns are: none"),
    ("x,y\n1,2\n", "'z'", "columns are: 'x', 'y'"),
    ("x;z\n1;2\n", "'x;z', parted by semicolons", "must be parted by commas"),
    ("z,z,x\n1,2,3\n", "one column 'z'", "'z', 'z', 'x'"),
    ("x,z\n", "'z'", "finite numbers"),
    ("x,z\n1,2\n3,\n", "'z'", "finite numbers"),
    ("x,z\n1,2\n3,inf\n", "'z'", "finite numbers"),
    ("x,z\n1,2\n3,4,5\n", "line 3", "3 cells; the first has 2"),
    ("z\n1\n2\n", "no numeric column", "an input"),
    ("x,z\nred,1\nblue,2\n", "no numeric column", "an input"),
    (
        "x,z\n1,True\n2,False\n",
        "column 'z'",
        "it holds no number in row 1 below the names, but 'True'",
    ),
    ("x,z\n1,1\n2,3_3\n", "column 'z'", "no number in row 2 below the names, but '3_3'"),
    ('x,z\n"1,5",1\n2,3\n', "column 'x'", "with a decimal point, such as 1.5"),
    ("x,z\n1,2\n\xff\xfe,3\n", "data.csv", "comma-separated"),
    ("x,z\n1," + "2" * 200_000 + "\n", "data.csv", "comma-separated"),
]


@pytest.mark.parametrize(("text", "wrong", "right"), TABLES)
def test_a_wrong_table_ends_with_one_line(text, wrong, right, monkeypatch, capsys, tmp_path):
    line = ["forensics", "--loss", "1", "--data", table(tmp_path, text), "--target-column", "z"]
    assert call(monkeypatch, *line) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert wrong in said.err
    assert right in said.err


def test_a_table_that_is_not_there_ends_with_one_line(monkeypatch, capsys, tmp_path):
    for path in (tmp_path / "missing.csv", tmp_path):
        line = ["forensics", "--loss", "1", "--data", str(path), "--target-column", "z"]
        assert call(monkeypatch, *line) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert f"{path} could not be read" in said.err


def test_a_table_too_large_is_not_read_to_its_end(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(tables, "MOST_NUMBERS", 6)
    path = table(tmp_path, "x,z\n" + "1,2\n" * 4 + "not,a,table")
    assert call(monkeypatch, "forensics", "--loss", "1", "--data", path, "--target-column=z") == 2
    assert "at most 6" in capsys.readouterr().err
