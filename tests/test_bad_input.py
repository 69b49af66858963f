"""Exact: bad input ends in one line that says what is wrong; never in a traceback or half a folder.

Hypothesis changes valid specifications and command lines, always in the same ways: with MORE = 1
some 850 texts of sweeps and grids and 1,000 command lines, in about a minute. Every field is
also given every nasty value, and every flag that the parsers have every bad word. Raise MORE to
try more. Training, drawing and measuring are replaced by stubs.
"""

import argparse
import contextlib
import copy
import dataclasses
import io
import itertools
import json
import resource
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import samples
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import benchmarks.__main__ as benchmarking
import figures.__main__ as drawing
import jaxlab.__main__ as calling
import sweeps.__main__ as sweeping
from benchmarks import gpu, machine, orders
from docs import results as documenting
from jaxlab import (
    Initialiser,
    Optimiser,
    answer,
    chunks,
    commandline,
    distributed,
    engine,
    files,
    grouping,
    html,
    notebook,
    optimisers,
    power,
    tools,
)
from jaxlab.census import Case, Census
from jaxlab.checking import frameworks
from jaxlab.grid import Axis, Grid, grid_from_json, replaced
from jaxlab.reporting import counted
from jaxlab.spec import Network, Scaling, Setting, Sweep, Training, sweep_from_json

MORE = 1
LONGEST = 500  # characters of an error
ROOM = 2**31  # bytes that a call may take


def trying(examples: int) -> settings:
    """Return how many examples are tried; the first of them may start JAX."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=MORE * examples,
        derandomize=True,
        deadline=20_000,
        suppress_health_check=checks,
        database=None,
    )


@pytest.fixture(scope="module", autouse=True)
def little_memory() -> Iterator[None]:
    """Let whoever takes gigabytes fail with a MemoryError, which is no ValueError."""
    if not sys.platform.startswith("linux"):
        yield  # elsewhere the limit does not hold
        return
    jax.random.key(0)  # a backend takes much address space when it starts
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def unless_refused(function: Callable[..., Any], *given: Any) -> Any:
    """Return what a function returns, or None where a ValueError says in a line why it does not."""
    try:
        return function(*given)
    except ValueError as error:
        said = str(error)
        assert said.strip()
        assert said.isprintable()
        assert len(said) < LONGEST
        return None


# Specifications as JSON: pieces of text, since not all of it can be written by json.dumps.

DEEP = [50, 900, 100_000]
PIECES = [
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e308", "1e-320", "-0.0", "0", "-1"),
    *("0.5", "1.5", "1e3", "0.9999999999999999", "true", "false", "null", "[]", "{}", "[[]]"),
    *("[1]", "[null]", "[1, 1000000000000, 1]", "[0.1, -0.1]", '{"a": 1, "a": 2}', '{"": 1}'),
    *map(str, (16777216, 16777217, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**12, 10**15)),
    *("1" + "0" * 4299, "1" + "0" * 100_000, "0." + "3" * 100_000, "1e-99999"),
    *(json.dumps(text) for text in ("", " ", "1", "nan", "relu", "values", "rai", "x" * 100_000)),
    *(
        json.dumps(text)
        for text in ("..", "../..", "a/b", "/etc/passwd", "~", "a\nb", "\0", "\x1b")
    ),
    *(
        json.dumps(text)
        for text in ("\ud800", "\udcff", "\u2028", "\u202e", "ملف", "💥", "e\u0301")
    ),
    *("[" * n + "]" * n for n in DEEP),
    *('{"a":' * n + "1" + "}" * n for n in DEEP),
    "[" + "1," * 5000 + "1]",
    '["' + "x" * 5000 + '"]',
    "][",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
).map(json.dumps)
FIELDS = [
    *("name", "settings", "paired", "task", "rows", "numbers", "low", "scaling", "inputs"),
    *("network", "widths", "training", "epochs", "optimiser", "initialisers", "law", "values"),
    *(
        "base",
        "columns",
        "label",
        "paths",
        "x",
        "",
        "__class__",
        "self",
        "x" * 5000,
        "\ud800",
        "\0",
    ),
]


def rich() -> Setting:
    """Return a setting in which every field that may be left out is given."""
    task = dataclasses.replace(samples.setting().task, scaling=Scaling("unit", "standard"))
    laws = (Initialiser("values", values=((1.0, -1.0),)), Initialiser("pytorch"))
    training = Training(check_steps=(3, 5), max_steps=9, layer_rates=(1.0, 0.5), check_growth=1e-4)
    return Setting("rich", task, Network((1, 2, 1), ("relu", "linear")), laws, training)


SWEEPS = [Sweep("valid", (samples.setting(), rich())), samples.sweep(paired=True)]


def places(content: Any) -> list[tuple[Any, Any]]:
    """Return (container, key or position) of everything inside."""
    inside = list(content.items() if isinstance(content, dict) else enumerate(content))
    below = [places(part) for _, part in inside if isinstance(part, dict | list)]
    return [(content, key) for key, _ in inside] + [place for each in below for place in each]


CHANGES = [*["piece"] * 12, *["value"] * 2, "remove", "add", "double", "swap", "swap"]


@st.composite
def changed(draw, valid: list[str]) -> str:
    """Draw a valid text with one or more places changed, removed, doubled or added."""
    content = json.loads(draw(st.sampled_from(valid)))
    pieces = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        found = places(content) or [([0], 0)]
        single = [
            (holder, key) for holder, key in found if not isinstance(holder[key], dict | list)
        ]
        some = single if single and draw(st.integers(0, 5)) else found
        holder, key = some[draw(st.integers(0, len(some) - 1))]
        match draw(st.sampled_from(CHANGES)):
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(FIELDS))] = holder[key]
            case "double" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case "swap":
                other, its = found[draw(st.integers(0, len(found) - 1))]
                holder[key] = copy.deepcopy(other[its])
            case kind:
                holder[key] = f"<piece {len(pieces)}>"
                pieces.append(draw(VALUES if kind == "value" else st.sampled_from(PIECES)))
    text = json.dumps(content)
    for i, piece in enumerate(pieces):
        text = text.replace(f'"<piece {i}>"', piece)
    return text


@st.composite
def texts(draw, valid: list[str]) -> str:
    """Draw mostly what is nearly valid, and some of anything."""
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.text(st.characters()) | VALUES | st.sampled_from(PIECES))
    text = draw(changed(valid))
    return text[: draw(st.integers(0, len(text)))] if kind == 1 else text


def can_be_run(setting: Setting) -> None:
    """Hold that a setting has a digest, and that its schedule costs little and fits the engine."""
    assert len(setting.digest) == 64
    assert len(grouping.Schedule.of(setting).arguments()["checks"]) < 10**6
    assert grouping.columns([setting])["scales"].shape[0] == 1
    assert grouping.lane_width(setting) >= 1


@trying(600)
@given(texts([sweep.to_json() for sweep in SWEEPS]))
def test_no_text_of_a_sweep_does_anything_but_be_refused_or_come_back_equal(text):
    sweep = unless_refused(sweep_from_json, text)
    if sweep is not None:
        assert sweep_from_json(sweep.to_json()) == sweep
        for setting in sweep.settings:
            can_be_run(setting)


@trying(250)
@given(texts([samples.GRID.to_json()]))
def test_no_text_of_a_grid_does_anything_but_be_refused_or_come_back_equal(text):
    grid = unless_refused(grid_from_json, text)
    if grid is not None:
        assert grid_from_json(grid.to_json()) == grid
        can_be_run(grid.rows.at(grid.columns.at(grid.base, -1), -1))


@trying(50)
@given(strategies.sweeps)
def test_what_is_accepted_can_be_run(sweep):
    for setting in sweep.settings:
        can_be_run(setting)


# The same from Python, where values can also be of types that JSON has not.


class Rude:
    """An object that cannot be shown."""

    def __repr__(self):
        raise RuntimeError


def bottomless() -> list:
    inside: list = []
    inside.append(inside)
    return inside


def deep(levels: int = 10_000) -> list:
    found: list = []
    for _ in range(levels):
        found = [found]
    return found


NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e-320, 1e308, 1 - 2**-53, float("nan")),
    *(float("inf"), -float("inf"), 2**24, 2**31 - 1, 2**31, 2**64, 10**15, 10**400, 10**5000, 1j),
    *("", "x", "1", "nan", "\0", "\n", "\ud800", "\x1b", "x" * 10**6, b"x", "values", "cosine"),
    *((), [], {}, set(), [1], (1, 1), [[1]], [None], {"a": 1}, {1: 2}, {"a": None}, {"\n": 1}),
    *({"a": 10**400}, {None: 1, "a": 2}, (10**12, 1), (1, 10**12, 1), ("relu",), ("relu", 1)),
    *(range(3), bytearray(3), bottomless(), deep(), object(), Rude(), len, int, Sweep, iter([1])),
    *(np.float32(0.5), np.float64(0.5), np.float64("nan"), np.int64(3), np.bool_(True)),
    *(np.zeros(3), np.zeros((1, 2)), np.str_("relu"), np.array("a"), np.array([None])),
    *(Scaling(), Training(), rich(), SWEEPS[0], samples.GRID.rows),
]
WHOLES = [
    *(rich(), rich().task, Scaling(), rich().network, *rich().initialisers, rich().training),
    *(rich().training.optimiser, SWEEPS[0], samples.GRID, samples.GRID.rows),
]
CASES = [(whole, field.name) for whole in WHOLES for field in dataclasses.fields(whole)]


@pytest.mark.parametrize(("whole", "field"), CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_no_value_of_a_field_does_anything_but_be_refused_or_come_back_equal(whole, field):
    for value in NASTY:
        found = unless_refused(lambda value=value: dataclasses.replace(whole, **{field: value}))
        match found:
            case Sweep():
                assert sweep_from_json(found.to_json()) == found
            case Grid():
                assert grid_from_json(found.to_json()) == found
            case Setting():
                can_be_run(found)
            case None:
                pass
            case _:
                json.dumps(dataclasses.asdict(found), allow_nan=False)


PATHS = ["", ".", "..", "*", "training.epochs", "training..", "initialisers.*.scale", "task.name"]
PATHS += ["initialisers.²", "initialisers.99", "network.widths.*", "task.scaling", "x" * 10**5]
PATHS += ["training." * 10**4, "task.numbers.low", "initialisers." + "9" * 5000, "__class__.x"]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_cell_of_a_grid_does_anything_but_be_refused_or_be_a_setting(path):
    for value in NASTY:
        found = unless_refused(replaced, rich(), path, value)
        assert found is None or isinstance(found, Setting)
        axis = unless_refused(Axis, "axis", (path,), (0.5, value))
        if axis is not None:
            unless_refused(Grid, "grid", rich(), axis, samples.GRID.rows)


# Command lines


class Began(BaseException):
    """What a stub raises: a valid line has got to where the work begins."""


def begin(*given: Any, **named: Any) -> Any:
    raise Began


def call(main: Callable[[], None], *words: str) -> tuple[int, str, str]:
    """Return a command's exit code, 0 for one whose work has begun, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = samples.exit_code(patch, main, "command", *words)
        except Began:
            code = 0
    return code, out.getvalue(), err.getvalue()


def judge(main: Callable[[], None], tree: Path, *words: str) -> int:
    """Return a command's exit code; hold that a wrong line ends as it should.

    That is with one short line on standard error, and nothing else printed or changed in `tree`.
    """
    before = samples.content(tree)
    code, out, err = call(main, *words)
    assert code in (0, 2)
    if code == 2:
        assert out == ""
        assert err.endswith("\n")
        assert err[:-1].strip()
        assert err[:-1].isprintable()
        assert len(err) < LONGEST
        assert samples.content(tree) == before
    return code


def leave_a_folder() -> None:
    Path("half").mkdir()
    raise ValueError("refused, but too late")


def say_two_lines() -> None:
    print("one\ntwo", file=sys.stderr)
    raise SystemExit(2)


def leave_silently() -> None:
    raise SystemExit(2)


def print_first() -> None:
    print("all is well")
    raise ValueError("it is not")


def test_the_judge_notices_what_it_must(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for main in (leave_a_folder, say_two_lines, leave_silently, print_first):
        with pytest.raises(AssertionError):
            judge(main, tmp_path)
    with pytest.raises(TypeError):
        judge(lambda: len(3), tmp_path)  # pyright: ignore
    with pytest.raises(TypeError):
        unless_refused(len, 3)
    for text in ("", "two\nlines", "long" * LONGEST):
        with pytest.raises(AssertionError):
            unless_refused(lambda text=text: begin_with(text))
    assert judge(begin, tmp_path) == 0


def begin_with(text: str) -> None:
    raise ValueError(text)


NAMES = ["small", "map", "census"]
GOOD = [*NAMES, "all", "claims", "negation_map", "born_dead", "theory", "1", "2", "8", "0.5", "1/2"]
GOOD += ["csv", "parquet", "7e9", "2*x", "x", "y", "table.csv", "results", "new", "new/deep"]
LONG = "x" * 300  # longer than a file's name may be
BAD = [
    *("", " ", "-1", "0", "nan", "inf", "-inf", "1e400", "1" * 5000, "1" * 50_000, "1.5", "0x10"),
    *("²/³", "٣", "1/99999999999999999999999", "2/1", "1/0", "-1/2", "1_0", "true", "None", "%s"),
    *("4294967295", "4294967296", "18446744073709551616", "1e308", "-1e308", "1e-320", "9" * 19),
    *("9**9**9", "{}", "@file", "4096", "4097", "99999999", "localhost:1", "a:b", "http://x", ":0"),
    *("\0", "a\0b", "\ud800", "\udcff", "\x1b[31m", "a\nb", "\u2028", "💥", "ملف", "\n"),
    *("file", "file/below", "folder", "folder/../file", "..", "../x", "../../y", "a/b", "./new/."),
    *(LONG, f"new/{LONG}", f"new/a/b/{LONG}/c", "x" * 5000, "a/" * 2000, "new/\udcff", "new/\0"),
    *("/dev/null", "/dev/null/x", "/dev/zero", "/proc/none/x", "--", "-", "-h", "--help", "--hel"),
]
WORDS = st.sampled_from(BAD) | st.text(st.characters(), max_size=9).filter(
    lambda text: not text.startswith("/")
)


def suits(action: argparse.Action, word: str) -> bool:
    """Say whether a flag takes a word as far as its own type tells."""
    try:
        parsed = action.type(word) if callable(action.type) else word
    except (ValueError, argparse.ArgumentTypeError):
        return False
    return action.choices is None or parsed in action.choices


def good_words(action: argparse.Action) -> list[str]:
    return [word for word in GOOD if suits(action, word)] or [""]


def takes(action: argparse.Action) -> int:
    """Return how many words stand after a flag, two where it takes any number."""
    counts = {None: 1, "?": 1, "+": 2, "*": 2}
    return action.nargs if isinstance(action.nargs, int) else counts[action.nargs]


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what a parser takes by a flag."""
    return [a for a in parser._actions if a.dest != "help" and a.option_strings]


@st.composite
def part(draw, action: argparse.Action) -> list[str]:
    """Draw a flag with as many good words as it takes."""
    words = [draw(st.sampled_from(good_words(action))) for _ in range(takes(action))]
    flag = draw(st.sampled_from(action.option_strings))
    return [f"{flag}={words[0]}"] if len(words) == 1 and draw(st.booleans()) else [flag, *words]


@st.composite
def lines(draw, parser: argparse.ArgumentParser, valid: list[list[str]]) -> list[str]:
    """Draw a valid line with some of the flags that a parser knows, then change some words.

    All flags are taken from the parser, so that new ones are among them.
    """
    flags = options(parser)
    line = list(draw(st.sampled_from(valid)))
    for action in draw(st.lists(st.sampled_from(flags), max_size=3)) if flags else []:
        line += draw(part(action))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2, 3]))):
        place = draw(st.integers(0, len(line)))
        match draw(st.sampled_from(["put", "put", "put", "put", "add", "remove"])):
            case "put" if place < len(line):
                flag, is_joined, _ = line[place].partition("=")
                is_flag = flag.startswith("--")
                word = draw(WORDS)
                line[place] = f"{flag}={word}" if is_flag and is_joined else word
            case "remove":
                del line[place : place + 1]
            case _:
                line.insert(place, draw(WORDS | st.sampled_from(GOOD)))
    return line


def bad_lines(parser: argparse.ArgumentParser, valid: list[list[str]]) -> Iterator[list[str]]:
    """Yield valid lines with every flag and every bad word after it, or as their last word."""
    for i, (action, word) in enumerate(itertools.product(options(parser), BAD)):
        line, flag, count = valid[i % len(valid)], action.option_strings[-1], takes(action)
        words = good_words(action)[:1] * count
        if count == 1:
            yield [*line, f"{flag}={word}"]
        elif count:
            place = i % count
            yield [*line, flag, *words[:place], word, *words[place + 1 :]]
    for i, word in enumerate(BAD):
        yield [*valid[i % len(valid)][:-1], word]


@pytest.fixture
def tree(whole, tmp_path) -> "Tree":
    return Tree(whole, tmp_path / "tree")


class Tree:
    """Folders to call commands in, three levels deep, so that ../.. stays among them."""

    def __init__(self, whole: Path, path: Path):
        self.whole, self.path, self.here = whole, path, path / "a" / "b" / "c"

    def renew(self) -> None:
        """Put everything back to where it was."""
        shutil.rmtree(self.path, ignore_errors=True)
        (self.here / "folder").mkdir(parents=True)
        (self.here / "file").write_text("precious")
        (self.here / "table.csv").write_text("x,y\n1,2\n2,5\n3,6\n")
        shutil.copytree(self.whole, self.here / "results" / "small")


def prepare(patch: pytest.MonkeyPatch, stubs: Callable) -> None:
    patch.setattr(commandline, "use_all_cores", lambda: None)
    patch.setattr(chunks, "CHUNK", 20)  # as in the folder that is there
    stubs(patch)


def hold(main: Callable[[], None], stubs: Callable, line: list[str], tree: Tree) -> None:
    """Judge one command line; what a valid one has written is put away again."""
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, stubs)
        if not tree.path.exists():
            tree.renew()
        patch.chdir(tree.here)
        if judge(main, tree.path, *line) == 0:
            tree.renew()


def module(build: Callable[[], Any]) -> types.SimpleNamespace:
    """Return a sweep's or a figure's module."""
    return types.SimpleNamespace(
        __doc__="Something small.\n",
        SEEDS=12,
        QUICK_SEEDS=5,
        build=build,
        comparisons=lambda found: [],
        report=lambda found, compared: "the report",
        draw=lambda result: {"small": (Figure(), {"n": 1})},
    )


def census() -> Census:
    return Census("census", (Case(samples.setting(), begin, ()),))


MODULES = {
    "small": module(samples.sweep),
    "map": module(lambda: samples.GRID),
    "census": module(census),
}
SCRIPT = commandline.script


def no_training(patch: pytest.MonkeyPatch) -> None:
    def script(package: types.ModuleType, name: str):
        return MODULES.get(name) or SCRIPT(package, name)

    patch.setattr(commandline, "script", script)
    for name in ("Runner", "initial_weights", "silence"):
        patch.setattr(engine, name, begin)
    for name in ("_await", "_check_free"):
        patch.setattr(distributed, name, lambda *given: None)
    patch.setattr(distributed, "_explain_aborts", begin)


def no_runner(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "Runner", begin)


def no_drawing(patch: pytest.MonkeyPatch) -> None:
    no_training(patch)
    patch.setattr(drawing, "names", lambda: ["small", "map"])
    made = {"png": b"a picture", "json": b"{}"}
    patch.setattr(drawing, "contents", lambda figure, text: made)


def no_measuring(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(benchmarking, "measure", lambda plan: ({}, "a table"))
    patch.setattr(gpu, "measure", begin)
    patch.setattr(orders, "settings", list)
    patch.setattr(machine, "about", lambda command: {})


def no_tables(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(documenting, "SECTIONS", [begin])


def nothing(patch: pytest.MonkeyPatch) -> None:
    del patch


def no_searching(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(power, "seeds_to_distinguish", begin)


def no_framework(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(frameworks, "opened", begin)


def no_pictures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(html, "picture", lambda figure, title, description: html.escape(title))
    patch.setattr(answer, "sentences", lambda result: [])
    for module, name in ((notebook, "draw"), (counted, "draw_times")):
        patch.setattr(module, name, lambda of_setting: None)


TOOLS = {
    "ask": [
        ["--target", "a*b", "--rows", "9", "--hidden", "2", "0", "--epochs=2"],
        ["--data", "table.csv", "--target-column", "y", "--scale", "unit", "--advise"],
    ],
    "forensics": [
        ["--loss", "7e9", "--range", "1", "9", "--target", "2*x"],
        ["--rmse", "75.5", "--integers", "0", "9", "--inputs", "a", "b", "--target", "a*b"],
        ["--loss", "0.5", "--data", "table.csv", "--target-column", "y"],
    ],
    "theory": [[], ["dead"], ["born_dead", "units"]],
    "power": [["--seeds", "8"], ["--rate=0.5"], ["--rate", "0.5", "--margin", "0.1"]],
    "check": [["small", "--seeds", "2"], ["results/small", "--setting=fast", "--out", "file.csv"]],
    "merge": [["results/small"]],
    "report": [["results/small"], ["results/small", "--out", "page.html", "--quiet"]],
    "replay": [
        ["small", "--setting", "k=2", "--seed", "1"],
        ["results/small", "--setting=fast", "--seed=2", "--seed=3", "--out", "new", "--animate"],
    ],
}
STUBS = {
    "ask": no_runner,
    "report": no_pictures,
    "replay": no_runner,
    "power": no_searching,
    "check": no_framework,
}
FOUND = ["--distributed", "--coordinator", "localhost:1", "--processes=2", "--process-index=1"]
SWEPT = [["small", "--out", "new"], ["map"], ["census"], ["small", "--out", "new", *FOUND]]
LISTED = [["claims"], ["negation_map"], []]
DRAWN = [["small"], ["small", "--results", "results"], ["all"]]
Known = tuple[Callable[[], None], Callable, argparse.ArgumentParser, list[list[str]], int]
COMMANDS: dict[str, Known] = {
    "sweeps": (sweeping.main, no_training, sweeping.parser(), SWEPT, 120),
    "claims": (sweeping.main, no_training, sweeping.parser(), LISTED, 40),
    "figures": (drawing.main, no_drawing, drawing.parser(), DRAWN, 80),
    "benchmarks": (benchmarking.main, no_measuring, benchmarking.parser(), [[]], 80),
    "orders": (orders.main, no_measuring, orders.parser(), [[]], 50),
    "results": (documenting.main, no_tables, documenting.parser(), [[]], 50),
    "tools": (calling.call, nothing, calling.parser(), [[], ["theory"], ["theory", "dead"]], 50),
}
for tool in commandline.scripts(tools):
    its_parser = commandline.script(tools, tool).parser()
    its_lines = [[tool, *line] for line in TOOLS.get(tool, [[]])]
    its_stubs = STUBS.get(tool, nothing)
    COMMANDS[tool] = (calling.call, its_stubs, its_parser, its_lines, 80)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_line_ends_in_a_traceback_or_half_a_folder(command, tree):
    main, stubs, parser, valid, examples = COMMANDS[command]

    @trying(examples)
    @given(lines(parser, valid))
    def hold_for_all(line: list[str]) -> None:
        hold(main, stubs, line, tree)

    hold_for_all()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "claims"])
def test_no_bad_word_after_a_flag_ends_in_a_traceback_or_half_a_folder(command, tree):
    main, stubs, parser, valid, _ = COMMANDS[command]
    for line in bad_lines(parser, valid):
        hold(main, stubs, line, tree)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "results"])
def test_the_lines_that_are_changed_are_valid(command, tree):
    main, stubs, _, valid, _ = COMMANDS[command]
    for line in valid:
        tree.renew()
        with pytest.MonkeyPatch.context() as patch:
            prepare(patch, stubs)
            patch.chdir(tree.here)
            assert call(main, *line)[0] == 0


def test_a_folder_is_made_with_all_above_it_or_not_at_all(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("precious")
    before = samples.content(tmp_path)
    for wrong in (f"a/c/d/{LONG}", "file", "file/below", "a/c/\ud800", "a/c/\0/d"):
        with pytest.raises((OSError, ValueError)):
            files.make_folder(tmp_path / wrong)
        assert samples.content(tmp_path) == before


def test_a_table_without_lines_is_not_read_to_its_end(monkeypatch, tmp_path):
    (tmp_path / "endless.csv").write_text("x" * 2**21)
    monkeypatch.chdir(tmp_path)
    line = ["forensics", "--loss", "1", "--data", "endless.csv", "--target-column", "y"]
    code, out, err = call(calling.call, *line)
    assert (code, out) == (2, "")
    assert "endless.csv has a line of 1,048,576 characters" in err


def test_momentum_that_is_never_spent_is_not_counted():
    almost = 1 - 2**-53
    for optimiser in (
        Optimiser("momentum", momentum=almost),
        Optimiser("adam", b1=almost, b2=almost),
        Optimiser("adam", b1=0.5, b2=0.25 + 2**-54),  # whose ratio is rounded to 1
    ):
        assert optimisers.travel_steps(optimiser) is None
