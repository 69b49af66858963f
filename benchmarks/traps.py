"""What is arranged in a process: that it dies at a step of writing a file, or finds no space.

A file is written in steps (`jaxlab.files.write_atomically`): opened under a temporary name,
written, synced, renamed, and its folder synced.
"""

import errno
import os
import resource
import signal
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NoReturn

from jaxlab import provenance
from jaxlab.chunks import Chunks

STEPS = ("begun", "half", "written", "synced", "renamed", "done")


def die() -> NoReturn:
    """Kill this process, as the system does that runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def find_no_space() -> NoReturn:
    """Raise what a full disk raises."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Trap:
    """Acts when the `nth` file whose name matches is at a step, and at all files after it."""

    def __init__(self, pattern: str, step: str, nth: int = 1, act: Callable[[], None] = die):
        self.pattern, self.step, self.nth, self.act = pattern, step, nth, act
        self.seen, self.watched, self.renamed = 0, False, False

    def __call__(self) -> None:
        """Set the trap in this process."""
        opening, sync, replacing = Path.open, os.fsync, Path.replace

        def open_(path: Path, mode: str = "r", *rest: Any, **named: Any):
            if mode == "wb":
                self._look_at(path.name)
                self._reach("begun")
            file: Any = opening(path, mode, *rest, **named)
            return _Half(file, self.act) if self._at("half") and mode == "wb" else file

        def fsync(file: Any) -> None:
            self._reach("renamed" if self.renamed else "written")
            sync(file)
            self._reach("done" if self.renamed else "synced")

        def replace(path: Path, target: Path) -> Path:
            self.renamed = True
            return replacing(path, target)

        Path.open, os.fsync, Path.replace = open_, fsync, replace  # pyright: ignore

    def _look_at(self, name: str) -> None:
        self.seen += fnmatch(name, f".{self.pattern}.*.tmp")
        self.watched, self.renamed = self.seen >= self.nth, False

    def _at(self, step: str) -> bool:
        return self.watched and step == self.step

    def _reach(self, step: str) -> None:
        if self._at(step):
            self.act()


class _Half:
    """A file of which only the first half is written before the trap acts."""

    def __init__(self, file: Any, act: Callable[[], None]):
        self.file, self.act = file, act

    def write(self, content: bytes) -> None:
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        self.act()

    def __enter__(self) -> "_Half":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


class Small:
    """A disk on which no file can be larger than so many bytes."""

    def __init__(self, size: int):
        self.size = size

    def __call__(self) -> None:
        """Set the limit; Python ignores the signal that comes with it, and the system says so."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))


class Telling:
    """A process that adds a line to a file for every lot of networks once it is on disk."""

    def __init__(self, path: Path):
        self.path = path

    def __call__(self) -> None:
        """Begin to tell."""
        add, file = Chunks.add, os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

        def told(self: Chunks, setting: Any, seeds: Any, arrays: Any, by: Any) -> None:
            add(self, setting, seeds, arrays, by)
            os.write(file, f"{len(seeds)}\n".encode())

        Chunks.add = told


def other_machine() -> None:
    """Let results seem to be made on a machine with another processor."""
    provenance._cpu_features = lambda: "another"
