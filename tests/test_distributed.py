"""Exact: two processes with two devices each find every byte that one process finds, as all do.

A lost process, whichever it is and whatever the others do meanwhile, ends them with exit code 2 and
one line, the last of what they write; so does what can be wrong with an address. No time is judged.
"""

import contextlib
import itertools
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
import samples

from jaxlab import Network, Setting, commandline, distributed, engine, grouping, store, tasks

HERE = Path(__file__).parent
CALL = "import sys, test_distributed as t; getattr(t, sys.argv[1])(*sys.argv[2:])"
LONG = 300  # seconds that nothing here takes, however busy the machine
Found = list[dict[str, np.ndarray]]


def own_rows() -> Setting:
    network = Network((1, 2, 1), ("relu", "linear"))
    training = samples.setting().training
    return Setting("own rows", tasks.doubling_normal(samples.ROWS), network, training=training)


def runners() -> Iterator[engine.Runner]:
    """Yield one by machine code, and one by XLA's programs whose members have their own rows."""
    for sweep, fast in [(samples.sweep(), True), (samples.sweep(own_rows()), False)]:
        (group,) = grouping.groups(sweep, samples.LANES)
        yield engine.Runner(group, fast=fast)


def trained(runner: engine.Runner, count: int) -> dict[str, np.ndarray]:
    seeds = np.arange(count)
    return runner(seeds % len(runner.group.settings), seeds)


def all_trained(programs: int = 2) -> Found:
    # 40 members are five lane blocks, 3 leave most devices without any.
    some = itertools.islice(runners(), programs)
    return [trained(runner, count) for runner in some for count in (40, 3)]


def run_cleanly(*address) -> None:
    try:
        distributed.start(*address)
    except ValueError as error:
        print(error)


def train_for_ever(port: str, index: str, told: str) -> None:
    """What each of two processes does: tell what it found, then train until the other is lost."""
    jax.config.update("jax_num_cpu_devices", 2)
    distributed.start(f"127.0.0.1:{port}", 2, int(index))
    write(Path(told), all_trained())
    runner = next(runners())
    try:
        while True:
            trained(runner, 40)
    except distributed.PeerLostError as error:
        print(error, file=sys.stderr)
        distributed.leave(2)


def wait_for_ever(port: str, index: str, told: str) -> None:
    """What each of two processes does: tell what all say, of different lengths; then be busy."""
    distributed.start(f"127.0.0.1:{port}", 2, int(index))
    mine = {f"from {index}, größer": np.arange(int(index)), "0": np.array([[0.5, np.nan]])}
    said = distributed.gather(mine), distributed.from_first(mine)
    write(Path(told), (*said, distributed.is_first()))
    time.sleep(LONG)


def fill_for_ever(port: str, index: str, told: str) -> None:
    """What each of two processes does: fill a folder, tell so, and fill on until one is lost."""
    jax.config.update("jax_num_cpu_devices", 2)
    distributed.start(f"127.0.0.1:{port}", 2, int(index))
    folder = Path(told).parent / "folder"
    samples.run(samples.sweep(), 50, out=folder, lane_width=samples.LANES)
    distributed.gather({})  # the first has written everything
    write(Path(told), samples.lasting(folder))

    def fill() -> None:
        for seeds in itertools.count(60, 10):
            samples.run(samples.sweep(), seeds, out=folder, lane_width=samples.LANES)

    commandline.run_cleanly(fill)


def start_wrongly(port: str) -> None:
    """Start with no cluster; then wait for another process that never comes."""
    run_cleanly()
    distributed.start(f"127.0.0.1:{port}", 2, 0, timeout=2)


def start_late(port: str) -> None:
    """Start when JAX has computed something."""
    jax.devices()
    run_cleanly(f"127.0.0.1:{port}", 2, 0)


def write(path: Path, value) -> None:
    path.with_suffix(".part").write_bytes(pickle.dumps(value))
    path.with_suffix(".part").rename(path)


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@contextlib.contextmanager
def two_processes(name: str, folder: Path):
    """Start two processes; yield them, and what each of them told, when both have."""
    port, told = str(free_port()), [folder / str(i) for i in range(2)]
    lines = [[sys.executable, "-c", CALL, name, port, path.name, str(path)] for path in told]
    running = [subprocess.Popen(x, cwd=HERE, stderr=subprocess.PIPE, text=True) for x in lines]
    try:
        end = time.monotonic() + LONG
        while not all(path.exists() for path in told):
            assert all(process.poll() is None for process in running), "one of them ended"
            assert time.monotonic() < end
            time.sleep(0.1)
        yield running, [pickle.loads(path.read_bytes()) for path in told]
    finally:
        for process in running:
            process.kill()
            process.communicate()


def lose(victim: subprocess.Popen, survivor: subprocess.Popen) -> tuple[int, str]:
    """Kill one process; return how the other ends, and its last line."""
    victim.kill()
    _, written = survivor.communicate(timeout=LONG)
    return survivor.returncode, written.splitlines()[-1]


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[list[Found], tuple[int, str]]:
    """Return what two processes have trained, and how the first ends when the second is lost."""
    with two_processes("train_for_ever", tmp_path_factory.mktemp("pair")) as (running, told):
        return told, lose(running[1], running[0])


@pytest.mark.parametrize(
    ("devices", "programs"), [(1, 1), pytest.param(4, 2, marks=pytest.mark.slow)]
)
def test_every_process_has_every_byte_one_process_finds(pair, devices, programs, monkeypatch):
    monkeypatch.setattr(engine, "devices_mesh", lambda: samples.mesh(devices))
    wanted = all_trained(programs)
    for found in pair[0]:
        for its, right in zip(found, wanted, strict=False):
            assert its.keys() == right.keys()
            for name, values in right.items():
                assert its[name].dtype == values.dtype
                assert its[name].shape == values.shape
                assert its[name].tobytes() == values.tobytes(), name


def test_a_process_killed_in_training_ends_the_other_with_one_line(pair):
    code, line = pair[1]
    assert code == 2
    assert line.startswith(distributed.LOST)


def test_all_hear_all_and_the_first_one_lost_ends_even_one_that_does_not_listen(tmp_path):
    with two_processes("wait_for_ever", tmp_path) as (running, told):
        for i, (all_said, first_said, is_first) in enumerate(told):
            names = [list(said) for said in all_said]
            assert names == [["from 0, größer", "0"], ["from 1, größer", "0"]]
            assert [len(said[names[j][0]]) for j, said in enumerate(all_said)] == [0, 1]
            assert np.array_equal(first_said["0"], [[0.5, np.nan]], equal_nan=True)
            assert list(first_said) == names[0]
            assert is_first == (i == 0)
        assert lose(*running) == (2, distributed.LOST)


def test_processes_that_are_told_different_things_do_not_begin(monkeypatch):
    told = {"sweep": "{}", "seeds": {"k=2": "0-9"}, "lane_widths": {"k=2": 8}}
    original = distributed.gather

    def as_another(arrays):
        other = dict(arrays) | {"lane_widths": np.array('{"k=2": 16}')}
        return [*original(arrays), *original(other)]

    monkeypatch.setattr(distributed, "gather", as_another)
    with pytest.raises(ValueError, match=r"they differ in: lane_widths$"):
        distributed.check_alike(told)


def test_a_folder_filled_by_two_is_that_of_one_and_outlives_the_loss_of_one(tmp_path):
    one = samples.run(samples.sweep(), 50, out=tmp_path / "one", lane_width=samples.LANES)
    with two_processes("fill_for_ever", tmp_path) as (running, told):
        assert told == [samples.lasting(tmp_path / "one")] * 2
        code, line = lose(running[1], running[0])
        assert (code, line.startswith(distributed.LOST)) == (2, True)
    left = store.read_sweep(tmp_path / "folder")
    for name, members in one.members.items():
        assert samples.equal_bits(left.members[name], members)
    more = max(len(members.seeds) for members in left.members.values()) + 10
    for folder in ("one", "folder"):
        samples.run(samples.sweep(), more, out=tmp_path / folder, lane_width=samples.LANES)
    assert samples.lasting(tmp_path / "folder") == samples.lasting(tmp_path / "one")


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ((None, 2, 0), "together or not at all"),
        (("10.0.0.1:80", None, 0), "together or not at all"),
        (("10.0.0.1:80", 2, None), "together or not at all"),
        (("10.0.0.1", 2, 0), "must be host:port"),
        ((":80", 2, 0), "must be host:port"),
        (("10.0.0.1:http", 2, 0), "must be host:port"),
        (("10.0.0.1:65536", 2, 0), "must be host:port"),
        (("10.0.0.1:80", 2, 2), "index is 2"),
        (("10.0.0.1:80", 2, -1), "index is -1"),
        (("10.0.0.1:80", 0, 0), "processes is 0"),
    ],
)
def test_wrong_arguments_are_refused(told, text):
    with pytest.raises(ValueError, match=text):
        distributed.start(*told)


def test_a_coordinator_out_of_reach_and_a_port_in_use_are_refused():
    with pytest.raises(ValueError, match=r"no coordinator at 127\.0\.0\.1:\d+ within 1 seconds"):
        distributed.start(f"127.0.0.1:{free_port()}", 2, 1, timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"port {port} cannot be used"):
            distributed.start(f"127.0.0.1:{port}", 2, 0)


@pytest.mark.parametrize(
    ("name", "code", "printed", "last"),
    [
        ("start_wrongly", 2, "without a cluster give", distributed.LOST),
        ("start_late", 0, "could not join others: jax.distributed.initialize() must be", ""),
    ],
)
def test_no_cluster_no_others_and_a_late_start_are_said_in_a_line(name, code, printed, last):
    line = [sys.executable, "-c", CALL, name, str(free_port())]
    done = subprocess.run(line, cwd=HERE, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == code
    assert printed in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert ("\n" + done.stderr).splitlines()[-1] == last


def test_a_lone_process_is_the_first_hears_itself_and_leaves_as_usual():
    assert distributed.is_first()
    said = {"so": np.arange(3)}
    assert distributed.gather(said) == [said]
    assert distributed.from_first(said) is said
    distributed.check_alike({"anything": [1, "größer"]})
    with pytest.raises(SystemExit) as left:
        distributed.leave(3)
    assert left.value.code == 3
