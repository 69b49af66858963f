"""Exact: a table of all members gives back every number's bits, and only whole tables appear."""

import csv
import dataclasses
import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import samples

from jaxlab import Result, block, chunks, engine, export, outcomes, run, store, tasks
from jaxlab.result import Members, Pieces
from jaxlab.sealed import ResultsError
from jaxlab.stored import Stored

AWKWARD = 'k=2, "wide" üβ ;1'
FLOATS = ("loss", "rmse", "rounded_rmse", "line_rmse", "mean_output", "mean_target", "spread")
NASTY = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4028235e38, 0.1, 16777217], np.float32)


def awkward() -> Result:
    """Return settings of different regions and widths, one without weights, odd names and floats.

    Members 0 to 7 of three settings; of what a member may lack, something is always lacking.
    """
    line = dataclasses.replace(samples.setting(), name="line", task=tasks.doubling(5))
    sweep = samples.sweep(samples.setting(), samples.setting(AWKWARD, k=3), line)
    names = [*outcomes.OUTCOMES[:6], "constant", "constant"]
    numbers: dict[str, np.ndarray] = {n: np.roll(NASTY, i) for i, n in enumerate(FLOATS)}
    numbers |= {"mean_target": np.zeros(8, np.float32), "spread": np.ones(8, np.float32)}
    numbers |= {"mean_output": np.full(8, 0.05, np.float32), "born_dead": np.arange(8) % 2 == 0}
    pair = np.stack([NASTY, NASTY[::-1]], axis=1)
    numbers |= {"errors": pair, "entering": pair[::-1]}
    numbers["first_solved"] = np.array([-1, 0, 1, 2**31 - 1, -1, 7, -1, 3], np.int32)
    common = samples.members(names, **numbers)
    one, two = (np.tile(pair, (1, n)) for n in (4, 5))
    members = {
        "k=2": dataclasses.replace(common, initial_weights=one, final_weights=-one),
        AWKWARD: dataclasses.replace(common, initial_weights=two, final_weights=two[::-1]),
        "line": dataclasses.replace(common, errors=pair[:, :1], seen=np.zeros((8, 32, 2))),
    }
    return Result(sweep, members)


@pytest.fixture(scope="module")
def large() -> Result:
    """Return trained networks of two widths; of the wider ones no weights are kept."""
    sweep = samples.sweep(samples.setting(), samples.setting("k=3", k=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "MAX_KEPT_PARAMETERS", 7)
        engine._train_program.cache_clear()  # what is kept is compiled in
        found = run(sweep, 12, lane_width=samples.LANES)
    engine._train_program.cache_clear()
    return found


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def from_csv(path: Path) -> list[dict]:
    """Return the rows as Python's objects, None for an empty cell, numbers as float32."""
    rows = []
    for row in read_csv(path):
        found: dict = {name: text or None for name, text in row.items()}
        for name, text in row.items():
            if not text or name in ("setting", "outcome", "constant"):
                continue
            if name.endswith("_weights"):
                found[name] = np.array(text.split(" "), np.float32)
            elif name in ("seed", "first_solved"):
                found[name] = int(text)
            elif name in ("born_dead", "certified"):
                found[name] = {"true": True, "false": False}[text]
            else:
                found[name] = np.float32(text)
        rows.append(found)
    return rows


def from_parquet(path: Path) -> list[dict]:
    """Return the rows as Python's objects, None for null, numbers as float32."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    for field in table.schema:
        if field.type in (pa.float32(), pa.list_(pa.float32())):
            for row in rows:
                row[field.name] = None if row[field.name] is None else np.float32(row[field.name])
    return rows


READERS = {"csv": from_csv, "parquet": from_parquet}


def wanted(result: Result) -> Iterator[dict]:
    """Yield what every row must say, written out member by member."""
    regions = {s.name: list(tasks.example(s.task)[2]) for s in result.sweep.settings}
    every = list(dict.fromkeys(region for names in regions.values() for region in names))
    for name, members in result.members.items():
        for i, seed in enumerate(members.seeds.tolist()):
            errors = dict(zip(regions[name], members.errors[i], strict=True))
            weights = members.initial_weights, members.final_weights
            initial, final = (None if w is None else w[i] for w in weights)
            solved = int(members.first_solved[i])
            yield {
                "setting": name,
                "seed": seed,
                "outcome": outcomes.OUTCOMES[members.outcome[i]],
                "loss": members.loss[i],
                **{f"error_{region}": errors.get(region) for region in every},
                "first_solved": None if solved == -1 else solved,
                "born_dead": bool(members.born_dead[i]),
                "certified": bool(members.certified[i]),
                "entering_before": members.entering[i, 0],
                "entering_after": members.entering[i, 1],
                **{name: getattr(members, name)[i] for name in FLOATS[1:]},
                "constant": str(members.constants[i]) or None,
                "initial_weights": initial,
                "final_weights": final,
            }


def bits(value: object) -> object:
    """Return what tells any two values apart; every nan is the same one, as text has but one."""
    if isinstance(value, (np.ndarray, np.floating)):
        assert value.dtype == np.float32
        return np.where(np.isnan(value), np.float32(np.nan), value).tobytes()
    return value


def assert_rows(path: Path, result: Result) -> None:
    found, right = READERS[path.suffix[1:]](path), list(wanted(result))
    assert len(found) == len(right)
    for row, other in zip(found, right, strict=True):
        assert list(row) == list(other)
        assert {k: bits(v) for k, v in row.items()} == {k: bits(v) for k, v in other.items()}


@pytest.mark.parametrize("kind", export.KINDS)
def test_reading_gives_every_bit_back(kind, large, tmp_path):
    for number, result in enumerate((awkward(), large)):
        path = export.write(result, tmp_path / str(number), kind)
        assert path == tmp_path / str(number) / f"members.{kind}"
        assert_rows(path, result)
    assert large.members["k=3"].initial_weights is None
    assert large.members["k=2"].initial_weights is not None


def test_regions_are_named_as_they_are_judged(tmp_path):
    """|x| is left alone on the left by networks that fit its right side only."""
    errors = np.array([[0.01, 1.0]], np.float32)
    members = samples.members(["right_only"], errors=errors)
    result = Result(samples.sweep(samples.setting()), {"k=2": members})
    row = next(read_csv(export.write(result, tmp_path, "csv")))
    assert (row["error_right"], row["error_left"]) == ("0.01", "1.0")


def test_errors_by_region_follow_from_the_weights_in_their_order(small_result, tmp_path):
    x = np.asarray(tasks.example(samples.setting().task)[0], float)[:, 0]
    sides = {"error_right": x > 0, "error_left": x < 0}
    for row in from_csv(export.write(small_result, tmp_path, "csv")):
        w, b, a = row["final_weights"][:6].astype(float).reshape(3, 2)
        outputs = np.maximum(np.outer(x, w) + b, 0) @ a + row["final_weights"][6]
        for name, side in sides.items():
            right = np.sqrt(((outputs - abs(x))[side] ** 2).mean() / (x[side] ** 2).mean())
            assert row[name] == pytest.approx(right, rel=1e-4, abs=1e-5)


def test_the_schema_says_what_columns_are_and_what_was_run(tmp_path):
    result = awkward()
    path = export.write(result, tmp_path, "parquet")
    schema = pq.read_schema(path)
    texts = pa.dictionary(pa.int32(), pa.string())
    assert {schema.field(name).type for name in ("setting", "outcome", "constant")} == {texts}
    assert {schema.field(name).type for name in ("born_dead", "certified")} == {pa.bool_()}
    assert {schema.field(name).type for name in (*FLOATS, "error_right")} == {pa.float32()}
    assert schema.field("initial_weights").type == pa.list_(pa.float32())
    assert schema.field("seed").type == pa.int64()
    assert "seen" not in schema.names
    assert schema.metadata[b"jaxlab.sweep"].decode() == result.sweep.to_json()
    assert schema.metadata[b"jaxlab.digest"].decode() == result.sweep.digest


@pytest.mark.parametrize("kind", export.KINDS)
def test_memory_and_folder_give_the_same_bytes_however_they_are_cut(kind, monkeypatch, tmp_path):
    monkeypatch.setattr(chunks, "CHUNK", 20)
    monkeypatch.setattr(Stored, "PIECE", 1)
    monkeypatch.setattr(export, "ROWS_OF_TEXT", 5)
    monkeypatch.setattr(export, "ROW_GROUP", 10)
    seeds = np.r_[13:38, 41:50, 2**32 - 1]
    names = [setting.name for setting in samples.sweep().settings]
    chosen = dict(zip(names, (seeds, seeds[5:]), strict=True))
    kept = run(samples.sweep(), chosen, out=tmp_path / "small", lane_width=samples.LANES)
    whole = Result(kept.sweep, {name: kept.members[name] for name in reversed(names)})
    results = kept, kept, whole, store.read_sweep(tmp_path / "small")
    paths = [export.write(r, tmp_path / str(i), kind) for i, r in enumerate(results)]
    assert len({path.read_bytes() for path in paths}) == 1
    rows = READERS[kind](paths[0])
    right = [(name, seed) for name, some in chosen.items() for seed in some]
    assert [(row["setting"], row["seed"]) for row in rows] == right


def test_what_is_written_at_once_divides_the_windows_of_a_folder():
    assert chunks.CHUNK * Stored.PIECE % export.ROW_GROUP == 0
    assert export.ROW_GROUP % export.ROWS_OF_TEXT == 0


class Stopped(Pieces):
    """Members whose second piece cannot be had."""

    def __init__(self, members: Mapping[str, Members], error: BaseException):
        self.members, self.error = members, error

    def __getitem__(self, name: str) -> Members:
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def pieces(self) -> Iterator[Mapping[str, Members]]:
        """Yield one piece and then fail."""
        yield self.members
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ResultsError("damaged")], ids=repr)
@pytest.mark.parametrize("kind", export.KINDS)
def test_what_is_not_complete_replaces_nothing_and_leaves_nothing(kind, error, tmp_path):
    result = awkward()
    (tmp_path / f"members.{kind}").write_text("precious")
    before = samples.content(tmp_path)
    with pytest.raises(type(error)):
        export.write(Result(result.sweep, Stopped(result.members, error)), tmp_path, kind)
    assert samples.content(tmp_path) == before
    export.write(result, tmp_path, kind)
    assert list(samples.content(tmp_path)) == [f"members.{kind}"]
    assert_rows(tmp_path / f"members.{kind}", result)


@pytest.mark.parametrize("kind", export.KINDS)
def test_a_full_disk_ends_with_one_line_and_leaves_nothing(kind, monkeypatch, tmp_path):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsError, match=r"cannot write to .*: No space left") as caught:
        export.write(awkward(), tmp_path, kind)
    assert "\n" not in str(caught.value)
    assert samples.content(tmp_path) == {}


@pytest.mark.parametrize("kind", export.KINDS)
def test_a_folder_that_is_a_file_ends_with_one_line(kind, tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ResultsError, match="cannot write to"):
        export.write(awkward(), tmp_path / "file", kind)
    assert (tmp_path / "file").read_text() == "precious"


def test_without_pyarrow_only_parquet_is_refused_and_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = r"--export parquet needs pyarrow: pip install 'jaxlab\[export\]'"
    with pytest.raises(ValueError, match=said):
        export.check("parquet")
    with pytest.raises(ValueError, match=said):
        export.write(awkward(), tmp_path / "new", "parquet")
    assert samples.content(tmp_path) == {}
    export.check("csv")
    assert_rows(export.write(awkward(), tmp_path, "csv"), awkward())


def test_importing_does_not_import_pyarrow():
    code = "import sys, jaxlab.export; assert 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_an_unknown_kind_and_no_members_are_refused(tmp_path):
    with pytest.raises(ValueError, match="kind is 'xlsx'; it must be one of csv, parquet"):
        export.check("xlsx")
    empty = Result(samples.sweep(), {"k=2": samples.members([])})
    with pytest.raises(ValueError, match="has no members to export"):
        export.write(empty, tmp_path, "csv")
    assert samples.content(tmp_path) == {}
