"""Exact: the pages of docs/ that come from docstrings are up to date and leave nothing out."""

import dataclasses
import importlib
import inspect
import re

import pytest

import jaxlab
from docs import __main__ as command
from docs import chapter, prose, reference
from docs.prose import DOCS
from jaxlab.theory import registry


def words(text: str) -> list[str]:
    """Return a page's words: other versions of Python break the lines of --help elsewhere."""
    return text.split()


@pytest.mark.parametrize("name", sorted(command.PAGES))
def test_the_page_says_what_the_code_says_now(name):
    written = (DOCS / name).read_text()
    assert words(written) == words(command.PAGES[name]()), "run: python -m docs"


@pytest.mark.parametrize("name", sorted(command.PAGES))
def test_links_lead_somewhere(name):
    text = (DOCS / name).read_text()
    headings = {prose.anchor(line.lstrip("# ")) for line in text.splitlines() if line[:1] == "#"}
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    for link in links:
        path, _, place = link.partition("#")
        assert (DOCS / path).exists() if path else place in headings, link


def test_every_formula_has_its_entry_with_all_that_is_said_of_it():
    text = chapter.text()
    for entry in registry.entries():
        assert text.count(f"\n`{entry.name}`\n") == 1
        assert " ".join(entry.formula.replace("`", "").split()) in " ".join(text.split())
        found = chapter.described(entry)
        assert len(re.findall("- Measured: ", found)) == max(1, len(entry.measured))
        assert all(f"n = {one.n:,}" in found for one in entry.measured)


def test_what_no_sweep_measures_is_in_the_tests_that_are_named():
    for entry in (entry for entry in registry.entries() if not entry.measured):
        named = chapter.tests_of(entry)
        assert f"`{named}`" in chapter.described(entry)
        assert entry.name.split(".")[1] in (DOCS.parent / named).read_text()


def test_a_file_of_formulas_without_a_place_is_refused(monkeypatch):
    monkeypatch.setattr(chapter, "PARTS", {"Tools": ("laws",)})
    with pytest.raises(ValueError, match="born_dead"):
        chapter.text()


def test_every_name_that_jaxlab_gives_is_in_the_reference():
    text = reference.text()
    for name in jaxlab.__all__:
        assert f"- `jaxlab.{name}`: " in text
        member = getattr(jaxlab, name)
        if callable(member):
            module = member.__module__.removeprefix("jaxlab.")
            assert f"#### {module}.{name}\n" in text, f"list {module} in docs/reference.py"
        elif inspect.ismodule(member) and not hasattr(member, "__path__"):
            assert f"### {member.__name__}\n" in text, f"list {name} in docs/reference.py"


def test_every_tool_has_its_help_at_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    text = reference.helps()
    assert "usage: python -m sweeps [-h] [--seeds N]" in text
    for made in reference.parsers():
        assert f"### {made.prog}\n" in text
    assert importlib.import_module("os").environ["COLUMNS"] == "30"


def example(first: int, /, second: str = "x", *more: float, named: bool = False, **rest) -> None:
    """Do nothing."""


@dataclasses.dataclass
class Example:
    """Hold nothing."""

    first: int
    second: str = "x"
    _third: int = 0

    def method(self, value: int) -> "Example":
        """Return nothing of use.

        >>> 1 + 1
        2
        """
        return self


def test_signatures_read_as_they_are_written():
    said = 'first: int, /, second: str = "x", *more: float, named: bool = False, **rest'
    assert " ".join(reference.signature("f", example).split()) in (
        f"f({said}) -> None",
        f"f( {said}, ) -> None",
    )
    shown = reference.described("Example", Example)
    assert 'Example(first: int, second: str = "x")' in shown
    assert "- `.method(value: int) -> Example`" in shown
    assert "  ```python\n  >>> 1 + 1\n  2\n  ```" in shown


def test_code_is_kept_and_what_looks_like_a_tag_is_not():
    assert prose.prose("a <b> and `<b>`, 1 < 2") == "a &lt;b> and `<b>`, 1 < 2"


def test_a_symbol_at_the_beginning_of_a_heading_stays_small():
    given = {"r, the share": "r, the share", "a bound": "A bound", "Tell which": "Which"}
    assert {event: chapter.heading(event) for event in given} == given
