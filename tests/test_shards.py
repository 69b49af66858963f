"""Exact: shards share out all chunks, no two processes fill the same, and each run is recorded."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from jaxlab import ResultsError, records, sealed, shards
from jaxlab.shards import WHOLE, Shard


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_every_chunk_belongs_to_one_shard(of):
    parts = [Shard(i + 1, of) for i in range(of)]
    for setting in range(5):
        owners = np.stack([part.has(setting, np.arange(100)) for part in parts])
        assert (owners.sum(axis=0) == 1).all()


def test_shards_get_equal_parts_of_every_size_of_network():
    has = [
        [Shard(i, 4).has(setting, np.arange(8)).sum() for i in range(1, 5)] for setting in (0, 1)
    ]
    assert has == [[2, 2, 2, 2]] * 2
    of_one_chunk = [[int(Shard(i, 3).has(s, np.arange(1))[0]) for s in range(6)] for i in (1, 2, 3)]
    assert [sum(row) for row in of_one_chunk] == [2, 2, 2]


@pytest.mark.parametrize(
    "text", ["", "1", "0/1", "2/1", "-1/2", "1/2/3", "a/b", "1.0/2", "١/٢", "1/0"]
)
def test_what_is_no_shard_is_said_so(text):
    with pytest.raises(ValueError, match="is not I/N with 1 <= I <= N, such as 1/4"):
        shards.shard_from(text)


HOLD = """
import sys, time
from pathlib import Path
from jaxlab import shards
folder, number, of = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with shards.briefly(folder):
    lock = shards.writing(folder, shards.Shard(number, of))
    lock.__enter__()
print("held", flush=True)
time.sleep(600)
"""


class Holder:
    """Another process that holds a shard's lock until it is killed."""

    def __init__(self, folder, number: int, of: int):
        line = [sys.executable, "-c", HOLD, str(folder), str(number), str(of)]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def enter(folder, shard: Shard) -> None:
    with shards.briefly(folder), shards.writing(folder, shard):
        pass


def test_a_held_lock_keeps_others_out_until_its_process_is_killed(tmp_path):
    with Holder(tmp_path, 1, 2):
        enter(tmp_path, Shard(2, 2))  # other chunks of the same plan
        with pytest.raises(ResultsError, match=r"is being filled \(shard 1/2\) by another process"):
            enter(tmp_path, Shard(1, 2))
        for other in (WHOLE, Shard(1, 3), Shard(3, 3)):  # other plans: chunks would be shared
            with pytest.raises(ResultsError, match=r"^[^\n]* is being filled \(shard 1/2\)[^\n]*$"):
                enter(tmp_path, other)
    enter(tmp_path, Shard(1, 2))
    enter(tmp_path, WHOLE)


def test_who_holds_the_lock_is_named(tmp_path):
    with shards.recorded(tmp_path, "typed", WHOLE, "abc"), Holder(tmp_path, 1, 1):
        said = (
            rf"is being filled by another process \(last known: pid {os.getpid()} on [^;]+\); wait"
        )
        with pytest.raises(ResultsError, match=said):
            enter(tmp_path, WHOLE)


def test_others_that_write_are_noticed(tmp_path):
    with Holder(tmp_path, 2, 2), shards.briefly(tmp_path):
        assert shards.others_write(tmp_path, Shard(1, 2))
        assert not shards.others_write(tmp_path, Shard(2, 2))
    with shards.briefly(tmp_path):
        assert not shards.others_write(tmp_path, Shard(1, 2))


def test_a_folder_that_is_a_file_is_said_so(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ResultsError, match=r"^cannot write to [^\n]*/file: [^\n]*$"):
        enter(tmp_path / "file", WHOLE)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_file_system_without_locks_is_said_so(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise NotImplementedError("no locks here")

    monkeypatch.setattr(shards.FileLock, "acquire", refuse)
    with pytest.raises(ResultsError, match=r"^cannot write to [^\n]*: no locks here; [^\n]*$"):
        enter(tmp_path, WHOLE)


def test_a_run_is_recorded_from_its_beginning_on(tmp_path):
    with shards.recorded(tmp_path, "typed", Shard(1, 2), "abc") as record:
        (begun,) = shards.records(tmp_path)
        assert (begun["how"], begun["ended"], begun["pid"]) == ("running", "", os.getpid())
        record.compiled()
        record.trained(30)
        record.trained(12)
    (ended,) = shards.records(tmp_path, Shard(1, 2))
    assert (ended["how"], ended["members"], ended["command"]) == ("finished", 42, "typed")
    assert ended["seconds"] >= 0
    assert ended["started"] == begun["started"] <= ended["ended"]
    assert shards.records(tmp_path, Shard(2, 2)) == []
    assert shards.recorded_shards(tmp_path) == [Shard(1, 2)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ResultsError, MemoryError])
def test_a_stopped_run_is_recorded_as_stopped(error, tmp_path):
    def stop() -> None:
        with shards.recorded(tmp_path, "one", WHOLE, "abc") as record:
            record.trained(7)
            raise error

    with pytest.raises(error):
        stop()
    with shards.recorded(tmp_path, "two", WHOLE, "abc"):
        pass
    runs = shards.records(tmp_path)
    assert [(run["command"], run["how"], run["members"]) for run in runs] == [
        ("one", "stopped", 7),
        ("two", "finished", 0),
    ]


def test_records_of_another_folder_are_taken_over_once(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, shard in ((here, Shard(1, 2)), (there, Shard(1, 2)), (there, Shard(2, 2))):
        with shards.recorded(folder, f"{folder.name} {shard}", shard, "abc"):
            pass
    for _ in range(2):
        shards.take_over(here, there)
        said = {run["command"] for run in shards.records(here)}
        assert said == {"here 1/2", "there 1/2", "there 2/2"}
        assert len(shards.records(here)) == 3


def test_a_damaged_record_is_named(tmp_path):
    with shards.recorded(tmp_path, "typed", WHOLE, "abc"):
        pass
    path = tmp_path / "shards" / "1-of-1.json"
    path.write_text(path.read_text().replace("typed", "typos"))
    with pytest.raises(ResultsError, match=r"1-of-1.json is damaged \(checksum\)"):
        shards.records(tmp_path)


def test_a_record_holds_what_tells_a_slow_machine_from_a_slow_program(monkeypatch):
    clock = iter([10.0, 13.0, 15.0, 20.0])
    monkeypatch.setattr(records.time, "perf_counter", lambda: next(clock))
    record = records.Record("typed", "1/1", "abc")
    record.compiled()
    record.trained(100)
    record.trained(250)
    record.end("finished")
    told = record.as_dict()
    assert (told["compile_seconds"], told["seconds"], told["members"]) == (3.0, 7.0, 350)
    assert told["members_per_second"] == 50.0
    assert told["peak_memory_mib"] > 50
    assert json.loads(sealed.json_as_bytes(told))["device_memory_mib"] is None
