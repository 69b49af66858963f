"""Exact: the command that replays: what it finds, writes, prints and refuses."""

import contextlib
import dataclasses
import io

import pytest
import samples

import jaxlab.__main__ as command
from jaxlab import chunks, pictures, store
from jaxlab.replaying import moving
from jaxlab.tools import replay


@pytest.fixture
def results(whole, tmp_path, monkeypatch):
    """Return a folder to work in that has results of the small sweep."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "small").symlink_to(whole)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chunks, "CHUNK", 20)  # as it was written
    return tmp_path


def called(monkeypatch, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = samples.exit_code(monkeypatch, command.call, "jaxlab", "replay", *words)
    return code, out.getvalue(), err.getvalue()


def test_one_network_is_drawn_and_told(results, monkeypatch):
    line = ("small", "--setting", "k=2", "--seed", "7", "--out", "new/deep")
    code, out, err = called(monkeypatch, *line)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("small: k=2, seed 7: ")
    assert "the same, bit for bit, as in results/small" in " ".join(out.split())
    made = {path.name: path.read_bytes() for path in (results / "new" / "deep").iterdir()}
    assert set(made) == {"k=2-seed-7.png", "k=2-seed-7.pdf"}
    called(monkeypatch, *line)
    again = {path.name: path.read_bytes() for path in (results / "new" / "deep").iterdir()}
    assert made == again


def test_outcomes_find_seeds_and_two_stand_side_by_side(results, whole, monkeypatch):
    monkeypatch.setattr(moving, "FRAMES", 2)
    found = store.read_sweep(whole)
    common, other = sorted(set(found.members["k=2"].names.tolist()))[:2]
    words = ("--outcome", common, "--against", other, "--animate", "--quiet", "--out", "new")
    code, out, _ = called(monkeypatch, "small", "--setting", "k=2", *words)
    assert code == 0
    first, second = (int(found.seeds("k=2", outcome)[0]) for outcome in (common, other))
    assert f"seed {first}: {common}" in out
    assert f"seed {second}: {other}" in out
    stem = f"k=2-seed-{first}-and-{second}"
    assert sorted(p.name for p in (results / "new").iterdir()) == [
        f"{stem}.{kind}" for kind in ("gif", "pdf", "png")
    ]


def test_files_go_beside_the_results_or_where_results_would_be(results, monkeypatch):
    asked = []

    def write(out, name, made):
        asked.append((out, name, sorted(made)))
        return [out / name]

    monkeypatch.setattr(pictures, "save", write)
    monkeypatch.setattr(replay, "_check_writable", lambda out: None)
    called(monkeypatch, "small", "--setting", "fast", "--seed", "0")
    (path, name, kinds), *_ = asked
    assert path.as_posix() == "results/small/replay"
    assert (name, kinds) == ("fast-seed-0", ["pdf", "png"])


def test_a_check_for_room_leaves_no_trace(tmp_path):
    replay._check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot write to .*choose another --out"):
        replay._check_writable(tmp_path / "file" / "b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("small", "--seed", "1"), "no --setting is given; small has: k=2, fast"),
        (("small", "--setting", "k", "--seed", "1"), "no setting is called 'k'; small has: k=2"),
        (("small", "--setting", "k=2"), "0 networks are asked for; give one or two"),
        (("small", "--setting", "k=2", "--seed", "1", "--seed", "1"), "2 networks are asked for"),
        (("small", "--setting", "k=2", "--outcome", "diverged"), "ended as 'diverged'"),
        (("nothing", "--seed", "1"), "no sweep is called 'nothing'"),
        (
            ("negation", "--setting", "normal, ReLU", "--outcome", "dead", "--results", "none"),
            "make them with python -m sweeps negation --out none, or give a --seed",
        ),
    ],
)
def test_wrong_commands_end_in_one_line(words, said, results, monkeypatch):
    code, out, err = called(monkeypatch, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err


def test_names_of_files_are_safe():
    names = ("normal, slope 0.001", "../..", "x" * 200, "x>0", "x<0")
    rates = (1, 2, 3, 4, 5)
    settings = [
        dataclasses.replace(samples.setting(rate=rate), name=name)
        for name, rate in zip(names, rates, strict=True)
    ]
    sweep = samples.sweep(*settings)
    found = [replay.file_name(sweep, name, [1, 2]) for name in names]
    assert found[:2] == ["normal-slope-0.001-seed-1-and-2", "setting-seed-1-and-2"]
    assert len(set(found)) == len(names)
    assert max(map(len, found)) < 200
