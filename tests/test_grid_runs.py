"""Exact and invariance: a grid's programs, its members and its file.

A cell's counts are those of a paired sweep of its settings with the same seeds, and the same
however often a run was killed or extended. In 64-bit numbers nearly all members end as in 32-bit
ones (a class may change where training is unstable), and only there are close cells different.
"""

import dataclasses
import json

import numpy as np
import pytest
import samples
from samples import LANES

from jaxlab import (
    OUTCOMES,
    Initialiser,
    ResultsError,
    Setting,
    engine,
    grid_runs,
    grouping,
    run,
    sealed,
    store,
    tasks,
)
from jaxlab.grid import Axis, Grid, GridResult
from jaxlab.grid_runs import GridFile, parts, read_grid, run_grid
from jaxlab.spec import Scaling

GRID, SEEDS = samples.GRID, 6


@pytest.fixture(autouse=True)
def narrow_blocks(monkeypatch):
    """Use the lane width of the other small sweeps: their program serves here too."""
    monkeypatch.setattr(grouping, "lane_width", lambda setting: LANES)


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> tuple[GridResult, bytes]:
    """The small grid run at once, and its file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "lane_width", lambda setting: LANES)
        folder = tmp_path_factory.mktemp("grid")
        return run_grid(GRID, SEEDS, out=folder), (folder / "grid.npz").read_bytes()


def cell(grid: Grid, i: int, j: int) -> Setting:
    """Return what a cell of a grid stands for."""
    setting = grid.columns.at(grid.rows.at(grid.base, i), j)
    return dataclasses.replace(setting, name=f"{i}, {j}")


def test_rows_are_grouped_by_program_and_cells_hold_every_number():
    units = Axis("units", ("network.widths.1",), (1, 2, 3))
    assert [part.rows for part in parts(dataclasses.replace(GRID, rows=units))] == [
        (0,),
        (1,),
        (2,),
    ]
    low = Axis("low", ("task.numbers.low",), (-2.0, -1.0))  # of rows that all share: a program each
    assert len(parts(dataclasses.replace(GRID, rows=low))) == 2
    (part,) = parts(GRID)
    assert (part.rows, part.size) == ((0, 1, 2), 12)
    wanted = grouping.columns([cell(GRID, i, j) for i in range(3) for j in range(4)])
    assert set(part.cells) == set(wanted)
    for name, values in wanted.items():
        assert np.array_equal(part.cells[name], values), name


def test_numbers_of_own_rows_and_their_scaling_need_no_program():
    task = tasks.of_integers("square", 20, 0, 9, scaling=Scaling("unit", "unit"))
    base = dataclasses.replace(GRID.base, task=task)
    high = Axis("high", ("task.numbers.high",), (1.0, 99.0))
    factor = Axis("factor", ("task.scaling.target_factor",), (0.5, 5.0))
    (part,) = parts(Grid("own", base, high, factor))
    assert part.cells["task high"].tolist() == [1, 1, 99, 99]
    assert part.cells["scaling"][:, 3].tolist() == [0.5, 5, 0.5, 5]


@pytest.mark.parametrize("path", ["network.widths.1", "training.epochs", "training.batch_size"])
def test_a_column_that_changes_the_program_is_refused(path):
    columns = Axis("the columns", (path,), (2, 3, 4))
    with pytest.raises(ValueError, match="the columns changes the program; it must be the axis of"):
        parts(dataclasses.replace(GRID, columns=columns))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (GRID.rows, GRID.rows),
        (GRID.rows, Axis("the same", ("network.slope", samples.RATE), (0.3, 0.5))),
        (Axis("one", (samples.RATE,), (0.03,)), GRID.rows),  # a single row
        (
            Axis("units", ("network.widths.1", samples.RATE), (1, 2, 3)),
            GRID.rows,
        ),  # a row for each program
        (GRID.columns, Axis("first", ("initialisers.0.scale",), (1.0, 2.0))),
    ],
)
def test_axes_that_meet_are_refused(rows, columns):
    with pytest.raises(ValueError, match="change the same number; the axes must not meet"):
        parts(dataclasses.replace(GRID, rows=rows, columns=columns))


def assert_cells_are_those_of_a_sweep(found: GridResult, seeds: int) -> None:
    grid, (rows, columns) = found.grid, found.grid.shape
    cells = [cell(grid, i, j) for i in range(rows) for j in range(columns)]
    wanted = run(samples.sweep(*cells, paired=True), seeds, lane_width=LANES)
    for setting in cells:
        i, j = map(int, setting.name.split(", "))
        counts = np.bincount(wanted.members[setting.name].outcome, minlength=len(OUTCOMES))
        assert np.array_equal(found.counts[i, j], counts), setting.name
    assert (found.n == seeds).all()


def test_cells_are_settings_of_a_paired_sweep(result):
    found, _ = result
    assert_cells_are_those_of_a_sweep(found, SEEDS)
    assert len(np.unique(found.counts.reshape(-1, len(OUTCOMES)), axis=0)) > 3
    assert np.array_equal(found.share("solved", "dead"), found.counts[..., [0, 6]].sum(2) / SEEDS)


def test_rows_may_have_a_program_each():
    laws = (Initialiser("pytorch"),)
    base = dataclasses.replace(GRID.base, initialisers=laws * 2)
    units = Axis("units", ("network.widths.1",), (2, 3))
    assert_cells_are_those_of_a_sweep(run_grid(Grid("units", base, units, GRID.columns), 4), 4)


class KilledError(Exception):
    """What a test raises in the middle of a run."""


@pytest.mark.parametrize("survived", [0, 1, 3])
def test_a_killed_run_goes_on_to_the_same_bytes(survived, result, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "MAX_BLOCKS", 1)
    monkeypatch.setattr(engine, "devices_mesh", lambda: samples.mesh(2))  # calls of 16 members
    original, calls = engine.Runner.__call__, []

    def dying(self, which, seeds):
        if len(calls) == survived:
            raise KilledError
        calls.append(len(seeds))
        return original(self, which, seeds)

    with monkeypatch.context() as patch:
        patch.setattr(engine.Runner, "__call__", dying)
        with pytest.raises(KilledError):
            run_grid(GRID, SEEDS, out=tmp_path)
    assert calls == [16] * survived
    assert not survived or read_grid(tmp_path).n.sum() == 16 * survived
    run_grid(GRID, SEEDS, out=tmp_path)
    assert (tmp_path / "grid.npz").read_bytes() == result[1]
    assert {path.name for path in tmp_path.iterdir()} == {"grid.npz", "manifest.json", "shards"}
    assert not list(tmp_path.rglob("*.tmp"))


def test_more_seeds_later_are_added_and_none_is_trained_twice(result, tmp_path, monkeypatch):
    run_grid(GRID, 2, out=tmp_path)
    assert np.array_equal(run_grid(GRID, SEEDS, out=tmp_path).counts, result[0].counts)
    assert (tmp_path / "grid.npz").read_bytes() == result[1]
    monkeypatch.setattr(engine, "Runner", None)
    for seeds in (SEEDS, 2):
        assert np.array_equal(run_grid(GRID, seeds, out=tmp_path).counts, result[0].counts)
    read = read_grid(tmp_path)
    assert read.grid == GRID
    assert np.array_equal(read.counts, result[0].counts)


def other_versions() -> dict[str, str]:
    return {"jax": "another"}


def test_a_file_of_something_else_is_refused_and_left_alone(result, tmp_path, monkeypatch):
    path = tmp_path / "grid.npz"
    good = result[1]
    path.write_bytes(good)
    other = dataclasses.replace(GRID, base=dataclasses.replace(GRID.base, name="another"))
    fewer = dataclasses.replace(
        GRID, rows=dataclasses.replace(GRID.rows, values=GRID.rows.values[:2])
    )
    for grid in (other, fewer):
        with pytest.raises(ResultsError, match=r"^[^\n]*grid.npz holds another grid[^\n]*$"):
            run_grid(grid, SEEDS, out=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(store, "fingerprint", other_versions)
        with pytest.raises(ResultsError, match="made elsewhere"):
            run_grid(GRID, SEEDS, out=tmp_path)
    assert path.read_bytes() == good
    for damaged in (b"", b"PK", good[:-30], good.replace(b"counts", b"county"), good[:200]):
        path.write_bytes(damaged)
        for attempt in (lambda: run_grid(GRID, SEEDS, out=tmp_path), lambda: read_grid(tmp_path)):
            with pytest.raises(ResultsError, match=r"^[^\n]*grid.npz is damaged[^\n]*$"):
                attempt()
        assert path.read_bytes() == damaged


def test_a_folder_without_results_and_one_that_cannot_be_written_are_said_so(tmp_path):
    with pytest.raises(ResultsError, match=r"holds no results \(no grid.npz\)"):
        read_grid(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"^[^\n]*cannot write to [^\n]*choose another --out$"):
        run_grid(GRID, 1, out=tmp_path / "file")


@pytest.mark.parametrize("seeds", [0, -1, 2**33])
def test_an_impossible_number_of_seeds_is_refused(seeds):
    with pytest.raises(ValueError, match="seeds is"):
        run_grid(GRID, seeds)


def test_a_folder_of_something_else_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "Runner", None)
    foreign = sealed.json_as_bytes({"sweep": "precious"})
    for content, said in ((foreign, "holds something else"), (b"{}", "has no checksum")):
        (tmp_path / "manifest.json").write_bytes(content)
        with pytest.raises(ResultsError, match=rf"^[^\n]*{said}[^\n]*$"):
            run_grid(GRID, SEEDS, out=tmp_path)
        assert (tmp_path / "manifest.json").read_bytes() == content
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ResultsError, match=r"^cannot write to [^\n]*$"):
        run_grid(GRID, SEEDS, out=tmp_path / "file")


def test_a_large_grid_is_written_as_often_as_writing_is_cheap(tmp_path, monkeypatch):
    saved = []
    file = GridFile(tmp_path, GRID, grid_runs.parts(GRID))
    monkeypatch.setattr(file, "save", lambda: saved.append(1))
    file.save_now_and_then()
    assert len(saved) == 1, "what it costs is not known before the first time"
    file.cost = 1.0
    file.save_now_and_then()
    file.saved -= 15
    file.save_now_and_then()
    assert len(saved) == 1
    file.saved -= 10
    file.save_now_and_then()
    assert len(saved) == 2


@pytest.mark.parametrize("survived", [0, 2])
def test_a_stopped_run_keeps_what_it_has_not_yet_written(survived, result, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "MAX_BLOCKS", 1)
    monkeypatch.setattr(engine, "devices_mesh", lambda: samples.mesh(2))  # calls of 16 members
    original, saves, calls = engine.Runner.__call__, [], []

    def stopping(self, which, seeds):
        if len(calls) == survived:
            raise KeyboardInterrupt
        calls.append(len(seeds))
        return original(self, which, seeds)

    with monkeypatch.context() as patch:
        patch.setattr(engine.Runner, "__call__", stopping)
        patch.setattr(GridFile, "save_now_and_then", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            run_grid(GRID, SEEDS, out=tmp_path)
        assert read_grid(tmp_path).n.sum() == 16 * survived
        patch.setattr(engine.Runner, "__call__", original)
        save = GridFile.save
        patch.setattr(GridFile, "save", lambda self: saves.append(1) or save(self))
        run_grid(GRID, SEEDS, out=tmp_path)
    assert len(saves) == 1, "at the end"
    assert (tmp_path / "grid.npz").read_bytes() == result[1]


class Stopping(np.ndarray):
    """An array whose length is asked for once too often: Ctrl-C at an unlucky moment."""

    def __len__(self):
        raise KeyboardInterrupt


def test_a_run_stopped_between_counts_and_their_number_goes_on(result, tmp_path, monkeypatch):
    original = grid_runs._trained

    def unlucky(*given):
        for cells, *others in original(*given):
            yield cells.view(Stopping), *others

    with monkeypatch.context() as patch:
        patch.setattr(grid_runs, "_trained", unlucky)
        with pytest.raises(KeyboardInterrupt):
            run_grid(GRID, SEEDS, out=tmp_path)
    assert read_grid(tmp_path).n.sum() > 0
    run_grid(GRID, SEEDS, out=tmp_path)
    assert (tmp_path / "grid.npz").read_bytes() == result[1]


@pytest.fixture(scope="module")
def double(tmp_path_factory) -> tuple[GridResult, bytes]:
    """The small grid in 64-bit numbers, and its file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "lane_width", lambda setting: LANES)
        folder = tmp_path_factory.mktemp("double")
        found = run_grid(GRID, SEEDS, out=folder, double=True)
        return found, (folder / "grid.npz").read_bytes()


def test_in_64_bits_nearly_all_members_end_alike(result, double):
    one, other = result[0].counts, double[0].counts
    assert np.array_equal(one.sum(axis=-1), other.sum(axis=-1))
    assert np.abs(one - other).sum() / 2 <= 0.05 * one.sum()
    shifted = np.roll(one, 1, axis=1)  # negative control: the neighbouring cells
    assert np.abs(shifted - other).sum() / 2 > 0.2 * one.sum()


def mark_of(folder) -> str:
    with np.load(folder / "grid.npz") as file:
        return json.loads(str(file["mark"]))[1]["dtype"]


def test_numbers_of_another_size_are_refused(result, double, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "Runner", None)
    for (_, content), is_double in ((result, False), (double, True)):
        (tmp_path / "grid.npz").write_bytes(content)
        assert mark_of(tmp_path) == ("float64" if is_double else "float32")
        run_grid(GRID, SEEDS, out=tmp_path, double=is_double)
        with pytest.raises(ResultsError, match="holds another grid"):
            run_grid(GRID, SEEDS, out=tmp_path, double=not is_double)
        assert (tmp_path / "grid.npz").read_bytes() == content


def test_64_bits_tell_apart_what_32_bits_do_not(double):
    del double  # compiled by then
    step = 1e-12
    (part,) = parts(GRID.zoomed((0.1, 30.0, 0.03, 0.03 * (1 + 2 * step)), 3))
    cells = np.array([0, 3, 6, 1])  # three rates a step apart, and another scale
    for is_double in (True, False):
        runner = engine.Runner(part.group, paired=True, cells=part.cells, double=is_double)
        found = runner(cells, np.zeros(4, int))
        assert found["final_weights"].dtype == (np.float64 if is_double else np.float32)
        assert np.array_equal(found["initial_weights"][:3], [found["initial_weights"][0]] * 3)
        a, b, c, other = found["final_weights"]
        assert np.abs(a - other).max() > 0.01
        if not is_double:
            assert a.tobytes() == b.tobytes() == c.tobytes()
            continue
        assert 0.01 * step < np.abs(a - b).max() < 100 * step
        # Smooth at this scale: two steps are twice as far as one.
        assert np.abs(a - c).max() == pytest.approx(2 * np.abs(a - b).max(), rel=0.1)
