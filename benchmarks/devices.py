"""One and two CPU devices, and peak memory: what needs processes of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.timing import Measurement, Run, say, timed

ROOT = Path(__file__).parent.parent
Process = subprocess.Popen[str]


@contextmanager
def worker(devices: int, members: int, epochs: int) -> Iterator[Process]:
    """Start a process as described in `worker`; end it afterwards, also after an error."""
    numbers = map(str, (devices, members, epochs))
    command = [sys.executable, "-m", "benchmarks.worker", *numbers]
    pipe = subprocess.PIPE
    # A session of its own: Ctrl-C is answered here, once.
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read(process: Process) -> dict[str, Any]:
    """Return a worker's next answer."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ValueError(f"a benchmark process ended early, with exit code {process.wait()}")
    return json.loads(line)


def ask(process: Process) -> dict[str, Any]:
    """Tell a worker to run once and return its answer."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return read(process)


def one_and_two(members: int, epochs: int, repetitions: int) -> list[Measurement]:
    """Measure the engine with one and with two CPU devices, in turn."""
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(n, members, epochs)) for n in (1, 2)]
        facts = [read(w) for w in workers]
        runs: list[list[Run]] = [[], []]
        for i in range(repetitions):
            say(f"  round {i + 1} of {repetitions}")
            for j in (1, 0) if i % 2 else (0, 1):
                runs[j].append(Run(*ask(workers[j])["run"]))
    each = zip(("one device", "two devices"), facts, runs, strict=True)
    return [timed(name, known["steps"], known, found) for name, known, found in each]


def peak_memory(counts: Sequence[int], cores: int) -> list[Measurement]:
    """Measure the largest resident memory of processes that train so many members for an epoch.

    Training longer needs no more: nothing is kept of an epoch.
    """
    measured = []
    for members in counts:
        say(f"  {members:,} members")
        with worker(cores, members, epochs=1) as process:
            facts = read(process)
            peak = ask(process)["peak_bytes"] / 2**20
        measured.append(Measurement(f"{members:,} members", "MiB", (peak,), facts))
    return measured
