"""Commands as processes of their own that begin in a moment, can be killed and made to fail.

Python and JAX take seconds to import. A fork server does that once; every command is then forked
from it, before JAX has started, and is a process like any other. It may use programs that JAX has
compiled before and kept on disk.
"""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
from tqdm import tqdm

import benchmarks.swept
import jaxlab.__main__
import sweeps.__main__
from jaxlab import commandline, records

ROOT = Path(__file__).parent.parent
PRELOADED = ["benchmarks.processes", "benchmarks.traps", "figures.__main__", "jaxlab.tools.merge"]
LIMIT = 600.0  # seconds; no command here takes nearly as long
MAINS = {"sweeps": sweeps.__main__.main, "jaxlab": jaxlab.__main__.call}

Arrange = Callable[[], None]


def _main(
    words: Sequence[str], said: tuple[Path, Path], compiled: Path, save: bool, arrange: Arrange
) -> None:
    """Be the command `python -m WORDS`, on one core, so that a call holds few networks."""
    for path, stream in zip(said, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), stream)
    sys.argv, sys.orig_argv = list(words), [sys.executable, "-m", *words]
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})
    jax.config.update("jax_compilation_cache_dir", str(compiled))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0 if save else 1e9)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # Its own lock is one that a killed process would leave behind in the system.
    tqdm.set_lock(threading.RLock())
    sweeps.__path__.extend(benchmarks.swept.__path__)
    arrange()
    try:
        commandline.run_cleanly(MAINS[words[0]])
    finally:
        print(f"peak memory: {records.peak_memory()} MiB", flush=True)


def nothing() -> None:
    """Arrange nothing."""


class Ended(NamedTuple):
    """How a command ended: its exit code, or minus a signal's number, and what it said."""

    code: int
    printed: str
    said: str

    @property
    def line(self) -> str:
        """What it said, with the names of folders left out."""
        words = " ".join(self.said.split()).split(" ")
        return " ".join("…/" + w.rsplit("/", 1)[1] if w.startswith("/") else w for w in words)


class Processes:
    """Where processes put what they say, and the programs that JAX has compiled."""

    def __init__(self, folder: Path):
        self.folder, self.numbers = folder, itertools.count()
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)
        (folder / "said").mkdir(parents=True, exist_ok=True)

    def start(
        self, words: Sequence[str], arrange: Arrange = nothing, *, save: bool = False
    ) -> "Process":
        """Start `python -m WORDS`, forked; `arrange` is called in it before it begins.

        With `save`, what it compiles is kept for others.
        """
        told = words, self._said(), self.folder / "compiled", save, arrange
        process = self.context.Process(target=_main, args=told, daemon=True)
        process.start()
        assert process.pid is not None

        def wait(seconds: float) -> int | None:
            process.join(seconds)
            return process.exitcode

        return Process(process.pid, wait, told[1])

    def start_anew(self, words: Sequence[str]) -> "Process":
        """Start `python -m WORDS` as from a shell; of the sweeps only those that are shipped."""
        said = self._said()
        with said[0].open("wb") as out, said[1].open("wb") as err:
            command = [sys.executable, "-m", *words]
            # A session of its own: Ctrl-C here does not reach it, and what is sent there stays.
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=err, start_new_session=True
            )

        def wait(seconds: float) -> int | None:
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None

        return Process(process.pid, wait, said)

    def run(self, words: Sequence[str], arrange: Arrange = nothing, *, save: bool = False) -> Ended:
        """Start a command as `start` does and wait for its end."""
        return self.start(words, arrange, save=save).end()

    def _said(self) -> tuple[Path, Path]:
        number = next(self.numbers)
        out, err = (self.folder / "said" / f"{number}.{kind}" for kind in ("out", "err"))
        return out, err


class Process:
    """A command that is running, or has ended; as a context, it is dead at the end."""

    def __init__(self, pid: int, wait: Callable[[float], int | None], said: tuple[Path, Path]):
        self.pid, self.wait, self.said, self.began = pid, wait, said, time.perf_counter()

    def send(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.wait(0) is None:
            os.kill(self.pid, number)

    def until(self, happened: Callable[[], bool], seconds: float = LIMIT) -> bool:
        """Wait until something happens; False where the process ends first."""
        end = time.perf_counter() + seconds
        while not happened():
            if self.wait(0.005) is not None or time.perf_counter() > end:
                return False
        return True

    def end(self, number: int | None = None) -> Ended:
        """Wait for its end, having sent a signal if one is given."""
        if number is not None:
            self.send(number)
        code = self.wait(LIMIT)
        if code is None:
            self.send(signal.SIGKILL)
            raise TimeoutError(f"process {self.pid} did not end within {LIMIT:g} s")
        printed, said = (p.read_text() if p.exists() else "" for p in self.said)
        return Ended(code, printed, said)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.end(signal.SIGKILL)
