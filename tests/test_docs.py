"""Exact: every block and every command of the README and of the pages written by hand runs.

What the blocks of a page are, and how they run, stands in `pages`.
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pages
import pytest

import figures
import sweeps
from jaxlab import commandline

ROOT = Path(__file__).parents[1]
WRITTEN = re.compile(r"<!-- Written by|^Written by `python -m docs", flags=re.MULTILINE)
ALL = {path: path.read_text() for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]}
BY_HAND = {str(p.relative_to(ROOT)): text for p, text in ALL.items() if not WRITTEN.search(text)}
WIDTH = 80
NAMES = ("python -m sweeps ramp", "python -m benchmarks.faults")  # of the how-to; has no parser


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Iterator[Path]:
    """Go to an empty folder where files of `sweeps/` and `figures/` belong to these packages."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commandline, "use_all_cores", lambda: None)
    before = set(sys.modules)
    for package in (sweeps, figures):
        folder = str(tmp_path / package.__name__)
        monkeypatch.setattr(package, "__path__", [*package.__path__, folder])
    rows = [f"{a},{b},{a * b}" for a in range(3) for b in range(3)]
    (tmp_path / "my.csv").write_text("\n".join(["a,b,y", *rows]))  # the reader's own
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            package, _, module = name.rpartition(".")
            delattr(sys.modules[package], module)
            del sys.modules[name]
    importlib.invalidate_caches()


def test_the_pages_written_by_hand():
    assert set(BY_HAND) == {"README.md", "docs/README.md", "docs/howto.md", "docs/tutorial.md"}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_page_does_what_it_says(name, desk, monkeypatch):
    # The README's example runs in test_readme, its first command in .ci/run.
    pages.Reader(monkeypatch, only_parse=name == "README.md").read(BY_HAND[name])


# As in test_keras_live: Keras converts its variables in a way that numpy 2.4 calls deprecated.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", BY_HAND)
def test_a_page_does_what_it_says_with_all_seeds(name, desk, monkeypatch):
    pages.Reader(monkeypatch, full=True).read(BY_HAND[name])


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_commands_within_sentences_have_flags_that_exist(path):
    for command in re.findall(r"`(python -m [^`]*)`", ALL[path]):
        if not pages.begins(command, (*pages.NOT_RUN, *NAMES)):
            pages.parsed(re.sub(r"\b[A-Z]{2,}\b", "1", command))


def test_what_is_not_run_is_used():
    said = " ".join(block.text for text in BY_HAND.values() for block in pages.blocks(text))
    tables = (pages.NOT_RUN, pages.RESULTS, pages.ELSEWHERE, pages.FEW)
    assert [start for table in tables for start in table if start not in said] == []


BROKEN = {
    "no such flag": "```sh\npython -m sweeps absolute_value --sedes 3\n```\n",
    "no such sweep": "```\npip install -e . && python -m sweeps absolute\n```\n",
    "no such flag, quoted": "```sh\nsbatch --wrap 'python -m sweeps negation --shards 1/2'\n```\n",
    "no results": "```sh\npython -m figures negation\n```\n",
    "no such program": "```sh\npython -m sweep\n```\n",
    "an unknown command": "```sh\nmake results\n```\n",
    "an error": "```python\nimport jaxlab\njaxlab.nothing\n```\n",
    "another output": "```sh\npython -m jaxlab power\n```\n```text\nseeds for a rate\n```\n",
    "no such output": "```python\nprint(1, 'a')\n```\n```text\n2 b\n```\n",
    "a fence that is open": "```sh\npython -m sweeps\n",
}


@pytest.mark.parametrize("page", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_page_is_noticed(page, desk, monkeypatch):
    with pytest.raises(AssertionError):
        pages.Reader(monkeypatch).read(page)


def test_blocks_of_a_page_share_names_files_and_folder(desk, monkeypatch):
    page = "```csv a/b.csv\nx\n```\n```python\nfrom pathlib import Path\n```\n"
    page += "```python\ny = Path('a/b.csv').read_text()\n```\n"
    page += "```python\nprint(y, 3.5)\n```\n```text\nx ... 7\n```\n"
    reader = pages.Reader(monkeypatch)
    reader.read(page)
    assert reader.names["y"] == "x\n"


def test_shown_output_fits_a_terminal():
    for name, text in BY_HAND.items():
        for block in pages.blocks(text):
            wide = [line for line in block.text.splitlines() if len(line) > WIDTH]
            assert not (block.language == "text" and wide), f"{name}: {wide}"


def test_links_lead_somewhere():
    for path, text in ALL.items():
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_messages_that_are_explained_are_said_by_the_program():
    source = "".join(path.read_text() for path in (ROOT / "jaxlab").rglob("*.py"))
    table = BY_HAND["docs/howto.md"].split("## When something is refused")[1]
    messages = re.findall(r"^\| `(.*?)` \|", table, flags=re.MULTILINE)
    assert len(messages) >= 6
    for message in messages:
        for piece in filter(None, map(str.strip, message.split("..."))):
            assert piece in source, message
