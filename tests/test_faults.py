"""Exact: whatever breaks a run, the same command ends with the same bytes, and nothing is misread.

Every process is a real one. The moments of kills, the flipped bits and the cut places are random
and seeded. What is marked slow (`pytest -m slow`) is tried more briefly in the tests of the store,
of merging and of the export, and by `python -m benchmarks.faults`. Negative controls: the judge
notices a network less, and a bit.
"""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from benchmarks import damage, faults, traps, trials
from benchmarks.trials import SMALL, Tried, Workshop
from docs import faults as tables

MEDIUM = (*SMALL, "--seeds", "400")


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("shop"))


def assert_survived(tried: Tried, times: int) -> None:
    assert not tried.defects, "\n".join(tried.defects)
    assert tried.lost == 0
    assert tried.times >= times


def test_a_kill_at_any_step_of_writing_any_file(shop):
    assert_survived(faults.killed_while_writing(shop, 1), 7 * len(traps.STEPS))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_one_line_that_says_how_to_go_on(number, shop):
    assert_survived(faults.stopped(shop, MEDIUM, number, 1), 1)


@pytest.mark.slow
def test_a_full_disk(shop):
    assert_survived(faults.full(shop), 35)


def test_flipped_bits(shop):
    tried = damage.flipped(shop, 150)
    assert_survived(tried, 150)
    assert tried.facts["refused"] > 100


def test_truncated_files(shop):
    assert_survived(damage.truncated(shop, 5), 70)


def test_foreign_old_new_and_forged_files(shop):
    assert_survived(damage.forged(shop), 30)


def test_a_second_process_on_the_same_part(shop):
    assert_survived(faults.two_writers(shop, 1), 6)


@pytest.mark.slow
def test_four_shards_at_once(shop):
    assert_survived(faults.shards_at_once(shop, 4, 1), 1)


@pytest.mark.slow
def test_folders_are_merged(shop):
    assert_survived(faults.merged(shop, 4), 10)


@pytest.mark.slow
def test_networks_of_another_machine(shop):
    assert_survived(faults.mixed(shop), 4)


def test_memory_does_not_grow_with_the_networks(shop):
    # Both are more than are read at once. A network takes 200 bytes: the difference, 38 MiB.
    few, many = (faults.memory(shop, members) for members in (70_000, 270_000))
    # Lists of seeds take some 80 bytes of it, which is all that may grow.
    assert many["peak_mib"] - few["peak_mib"] < 25


def test_the_judge_notices_a_lost_network_and_a_changed_bit(shop):
    folder, wanted = shop.copy(SMALL), shop.unbroken(SMALL)
    assert (trials.differences(wanted, folder), trials.lost(wanted, folder)) == ([], 0)
    damage.change_a_network(folder)
    assert len(trials.differences(wanted, folder)) == 1
    assert trials.lost(wanted, folder) == 1
    folder = shop.copy(SMALL)
    path = next(folder.glob("chunks/*.npz"))
    with np.load(path) as file:
        arrays = {name: file[name][1:] if file[name].ndim else file[name] for name in file.files}
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    assert len(trials.differences(wanted, folder)) == 1
    assert trials.lost(wanted, folder) == 1
    tried = Tried("a lost network", "")
    shop.compare(tried, SMALL, folder)
    assert tried.lost == len(tried.defects) == 1


def test_the_judge_notices_a_missing_and_a_strange_file(shop):
    folder, wanted = shop.copy(SMALL), shop.unbroken(SMALL)
    (folder / "summary.csv").unlink()
    shutil.copy(next(folder.glob("chunks/*.npz")), folder / "chunks" / "more.npz")
    assert trials.differences(wanted, folder) == ["chunks/more.npz", "summary.csv"]


def test_what_goes_otherwise_is_noted(tmp_path):
    tried = Tried("a fault", "one line")
    tried.expect(trials.Ended(1, "", "Traceback\n  File\nError"), 2, "Error", "DIR")
    assert len(tried.defects) == 3  # the code, the lines, and a word that is not there
    tried.expect(trials.Ended(2, "", "cannot write to DIR: Error"), 2, "Error", "DIR")
    assert len(tried.defects) == 3
    spoilt = Path(tmp_path)
    assert trials.readable(spoilt) == 0


def test_the_tables_of_the_documentation():
    tried = Tried("a fault", "one line", 1234, facts={"kills_after_new_blocks": 3})
    tried.facts |= {"command": "small", "seconds_unbroken": 21.3}
    memory = {"members": 10_000, "peak_mib": 512.4, "seconds": 3.21, "members_per_second": 5000.0}
    found = {"faults": [tried.to_json()], "memory": [memory]}
    assert "| a fault | 1,234 | one line | 0 | 0 |" in tables.fault_table(found)
    assert "| 10,000 | 512 | 3.2 | 5,000 |" in tables.memory_table(found)
    assert "`small` (21 s unbroken) was killed 1234 times" in tables.kills(found)
