"""Exact: the README's example runs, its commands exist, its tables come from markers."""

import re
import subprocess
import sys
from pathlib import Path

import jaxlab
from jaxlab import outcomes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_runs_and_shows_every_setting(capsys):
    (code,) = blocks("python")
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    shown = capsys.readouterr().out
    assert isinstance(names["result"], jaxlab.Result)
    assert all(name in shown for name in ("1 units", "2 units", "4 units"))
    assert max(len(line) for line in repr(names["result"]).splitlines()) <= 80


def test_the_two_commands_are_there_and_name_a_sweep_that_exists():
    (commands,) = (block for block in blocks("sh") if "pip install" in block)
    lines = commands.splitlines()
    assert len(lines) == 2
    assert lines[1] == "pip install -e '.[test]' && python -m pytest"
    name = lines[0].removeprefix("pip install -e . && python -m sweeps ")
    listing = [sys.executable, "-m", "sweeps"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert name in [line.split()[0] for line in listed.splitlines()]


def test_every_outcome_is_explained():
    assert all(outcome in README for outcome in outcomes.OUTCOMES)


def test_it_is_short():
    assert len(README.splitlines()) <= 130


def test_relative_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert all((ROOT / link.split("#")[0]).exists() for link in links)
