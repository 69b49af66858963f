"""What is kept about a run: who made it, where, when, from which commit, and how fast."""

import datetime
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import jax

from jaxlab import validation

HERE = Path(__file__).parent


def git_commit() -> str:
    """Return the commit of the checkout jaxlab runs from, with "-dirty" if changed; "" if none."""
    # An installed package may lie in somebody else's repository, which does not track it.
    tracked = _git("ls-files", "--error-unmatch", Path(__file__).name)
    return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") if tracked else ""


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(HERE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def peak_memory() -> float | None:
    """Return the largest memory that this process has had so far, in MiB; None if unknown."""
    if sys.platform == "win32":
        return None
    with suppress(OSError):  # where Linux tells of this process alone, and not of its parents
        told = Path("/proc/self/status").read_text()
        return int(told.split("VmHWM:")[1].split()[0]) / 1024
    import resource  # there is none on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def device_memory() -> float | None:
    """Return the largest memory taken on an accelerator of this process, in MiB; None on CPUs."""
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    peaks = [found["peak_bytes_in_use"] for found in stats if "peak_bytes_in_use" in found]
    return max(peaks) / 2**20 if peaks else None


def now() -> str:
    """Return the date and time, in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass
class Record:
    """What is kept about one run: who, where, when, and how fast, so that a slow machine shows.

    `seconds` is the time of training without compiling; `ended` is "" until the run has ended,
    and `how` says in which way: finished or stopped. `path` says what trained: machine code, XLA or
    both, and why where it should have been the other.
    """

    command: str
    shard: str
    fingerprint: str
    git_commit: str = field(default_factory=git_commit)
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    devices: int = field(default_factory=jax.local_device_count)
    started: str = field(default_factory=now)
    ended: str = ""
    how: str = "running"
    path: str = ""
    members: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    members_per_second: float = 0.0
    peak_memory_mib: float | None = None
    device_memory_mib: float | None = None

    def __post_init__(self):
        self._clock = time.perf_counter()
        self._paths: set[str] = set()

    def compiled(self) -> None:
        """Note that what has passed since the run began went into compiling."""
        self.compile_seconds += self._lap()

    def trains_by(self, path: str) -> None:
        """Note what trains some of the networks."""
        self._paths.add(path)
        self.path = "; ".join(sorted(self._paths))

    def trained(self, members: int) -> None:
        """Note that so many members were trained in what has passed since the last note."""
        self.seconds += self._lap()
        self.members += members

    def _lap(self) -> float:
        before, self._clock = self._clock, time.perf_counter()
        return self._clock - before

    def end(self, how: str) -> None:
        """Note that the run has ended, in which way, and what it took."""
        self.ended, self.how = now(), how
        self.members_per_second = self.members / self.seconds if self.seconds else 0.0
        self.peak_memory_mib, self.device_memory_mib = peak_memory(), device_memory()

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds, rounded as it deserves."""
        found = asdict(self)
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in found.items()}


NEEDED = ("started", "how", "pid", "host")  # by who looks for the process of a run


def check_record(content: Any) -> None:
    """Raise ValueError unless a value is a run's record, as `Record.as_dict` returns it."""
    given, kinds = validation.fields(Record, content), {f.name: f.type for f in fields(Record)}
    for name in NEEDED:
        if name not in given:
            raise ValueError(f"a run has no {name!r}; it must have {', '.join(NEEDED)}")
    for name, value in given.items():
        if kinds[name] is str:
            validation.check(isinstance(value, str), f"{name} of a run", value, "a text")
        elif kinds[name] is int:
            validation.whole(f"{name} of a run", value, 0, 2**63 - 1)
        elif value is not None or kinds[name] is float:
            validation.number(f"{name} of a run", value, 0, "a number, at least 0")
