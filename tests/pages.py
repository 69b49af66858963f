"""The blocks of a page of Markdown, and what runs them in this process.

A page's blocks run in order, in one folder and one namespace. The word after ``` says what a block
is: `python` is run (and `python needs keras` only with Keras); `sh`, or no word, are commands;
`python PATH` and `csv PATH` are files; `text` was printed by the block above. In `text`, ... stands
for anything, and numbers are not compared. `slow` blocks run only where all seeds do, else their
code is compiled and their flags are parsed.
"""

import contextlib
import importlib
import importlib.util
import io
import re
import runpy
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
import samples

import figures
import jaxlab.tools
import sweeps
from jaxlab import commandline

FENCE = re.compile(r"^```(\w*) ?(.*)\n((?:.*\n)*?)```$", flags=re.MULTILINE)
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")

NOT_RUN = {
    "pip install": "changes the environment",
    "python -m pytest": "is what runs this",
    "sbatch": "needs Slurm",
    "sh -c": "stands for what Kubernetes runs",
}
RESULTS = {
    "python -m jaxlab replay absolute_value --setting k=2 --outcome": "needs a full sweep",
    "python -m jaxlab report results/absolute_value": "needs it, too",
}
ELSEWHERE = {"python -m sweeps absolute_value": "30 s; .ci/run does it, with --quick"}
KERAS, SCRIPT = "python -m jaxlab check", "docs.example"
FEW = {
    "python -m sweeps": ["--quick", "--seeds", "16"],
    "python -m jaxlab ask": ["--seeds", "16"],
    "python -m jaxlab check": ["--seeds", "1"],
}
"""What is added to commands to make them fast; these numbers of seeds stand for a page's own."""


class Block(NamedTuple):
    """One block: what it is, more about it, its text, and the line where it begins."""

    language: str
    about: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page; AssertionError if a fence is not closed."""
    found = [
        Block(match[1], match[2], match[3], page[: match.start()].count("\n") + 1)
        for match in FENCE.finditer(page)
    ]
    assert len(re.findall(r"^```", page, flags=re.MULTILINE)) == 2 * len(found)
    return found


def commands(text: str) -> list[str]:
    """Return the commands of a block: lines, put together after a backslash, split at &&."""
    lines = text.replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines for part in line.split("&&") if part.strip()]


def begins(command: str, table) -> str | None:
    """Return which of a table's beginnings a command has."""
    return next((start for start in table if f"{command} ".startswith(f"{start} ")), None)


def parsed(command: str) -> None:
    """Raise SystemExit or ValueError if `python -m PROGRAM ...` has wrong flags or names."""
    _, _, program, *words = shlex.split(command)
    if program == SCRIPT:
        return
    names = {"sweeps": sweeps, "figures": figures, "jaxlab": jaxlab.tools}
    parser = main_module(program).parser
    if program == "jaxlab" and words:
        parser = commandline.script(jaxlab.tools, words.pop(0)).parser
    elif program in names and words and words[0] not in ("all", "claims"):
        commandline.script(names[program], words[0])
    if words or program != "jaxlab":
        parser().parse_args(words)


def main_module(program: str):
    """Return the module that `python -m program` runs."""
    found = importlib.util.find_spec(program)
    assert found is not None, f"there is no {program}"
    package = found.submodule_search_locations is not None
    return importlib.import_module(f"{program}.__main__" if package else program)


def called(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `python -m PROGRAM ...` in this process; AssertionError unless it ends with 0."""
    _, _, program, *words = shlex.split(command)
    if program == SCRIPT:
        runpy.run_module(program, run_name="__main__")
        return
    module, error = main_module(program), io.StringIO()
    main = module.call if program == "jaxlab" else module.main
    with contextlib.redirect_stderr(error):
        code = samples.exit_code(monkeypatch, main, program, *words)
    assert code == 0, f"{command}: {error.getvalue()}"


def masked(text: str) -> str:
    """Return text without what may differ: numbers and the amount of white space."""
    return " ".join(NUMBER.sub("#", text).split())


def printed(shown: str, output: str) -> bool:
    """Say if what a page shows was printed; ... stands for anything."""
    pieces = [re.escape(masked(piece)) for piece in shown.split("...")]
    return re.search(".*".join(pieces), masked(output)) is not None


class Reader:
    """Someone who does what a page says, in the current folder.

    With `full`, commands run as they stand, and all of a `text` must be printed; else with few
    seeds, and only what Python prints and the first line of commands is compared. Keras is used
    with `full` only, and where it is installed. With `only_parse` nothing runs.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, full: bool = False, only_parse: bool = False
    ):
        self.monkeypatch = monkeypatch
        self.only_parse = only_parse
        self.full = full
        self.keras = full and importlib.util.find_spec("keras") is not None
        self.names: dict = {"__name__": "page"}
        self.output: str | None = None
        self.whole = True

    def read(self, page: str) -> None:
        """Run a whole page; AssertionError names the line of the block that fails."""
        for block in blocks(page):
            try:
                self.do(block)
            except (Exception, SystemExit) as error:
                raise AssertionError(
                    f"line {block.line}: {type(error).__name__}: {error}"
                ) from error

    def do(self, block: Block) -> None:
        """Run, write or compare one block."""
        if block.language == "text":
            self.compare(block.text)
        elif block.language in ("python", "csv") and "." in block.about:
            path = Path(block.about)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            importlib.invalidate_caches()
        elif block.language == "python":
            code = compile(block.text, f"line {block.line}", "exec")
            runs = self.keras if block.about == "needs keras" else self.runs(block)
            self.keep(lambda: exec(code, self.names), runs, whole=True)
        else:
            assert block.language in ("", "sh"), f"{block.language} is not known"
            for command in commands(block.text):
                self.command(command, self.runs(block))

    def runs(self, block: Block) -> bool:
        """Say if a block is run here."""
        return self.full or not (self.only_parse or block.about == "slow")

    def keep(self, action, runs: bool, whole: bool) -> None:
        """Do something and keep what it prints, or do nothing."""
        self.output, self.whole = None, whole
        if runs:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                action()
            self.output = out.getvalue()

    def command(self, command: str, runs: bool) -> None:
        """Run a command, or only parse what it would run."""
        for inner in re.findall(r"python -m (?!pytest)[^']*", command):
            words = re.sub(r"\$\(\(.*?\)\)|\$\w+", "1", inner)
            parsed(words)
        skipped = [
            *NOT_RUN,
            *RESULTS,
            *([] if self.keras else [KERAS]),
            *([] if self.full else ELSEWHERE),
        ]
        if not runs or begins(command, skipped):
            self.output = None
            return
        assert command.startswith("python -m "), f"nothing is known of {command!r}"
        few = begins(command, FEW)
        line = (
            command
            if self.full or few is None or command == few
            else " ".join([re.sub(r" --seeds \d+", "", command), *FEW[few]])
        )
        self.keep(lambda: called(line, self.monkeypatch), True, whole=line == command)

    def compare(self, shown: str) -> None:
        """Raise AssertionError unless the block above printed this."""
        if self.output is None:
            return
        lines = [line for line in shown.splitlines() if line.strip(". ")]
        wanted = shown if self.whole else lines[0]
        assert printed(wanted, self.output), f"printed was instead:\n{self.output}"
