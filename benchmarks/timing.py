"""Times programs in turn, after warming them up; the only file that looks at the clock.

Machines slow down and speed up while one looks: what is to be compared runs alternately, and every
single value is kept beside the median.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LIMIT = 60.0  # seconds; a program that has run for longer in all is not repeated again
STARTED = time.perf_counter()


@dataclass(frozen=True)
class Contestant:
    """A program to be timed. Both functions return when their results are on the host.

    `steps` are the network-steps of one run: an update of one network on one batch is one. `facts`
    say what is run.
    """

    name: str
    warm_up: Callable[[], object]
    run: Callable[[], object]
    steps: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Measurement:
    """One quantity, measured several times."""

    name: str
    unit: str
    values: tuple[float, ...]
    facts: Mapping[str, Any]

    @property
    def median(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as benchmarks.json has it."""
        head = {"name": self.name, "unit": self.unit, "median": self.median}
        return {**head, "repetitions": len(self.values), "values": self.values, **self.facts}


class Run(NamedTuple):
    """How long a call took, and how many cores it kept busy; fewer than expected: others did."""

    seconds: float
    cores_busy: float


def say(text: str) -> None:
    """Print a line of progress, with the time since the start, to standard error."""
    print(f"{time.perf_counter() - STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


def clock(call: Callable[[], object]) -> Run:
    """Call and say how long it took."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    seconds = time.perf_counter() - wall
    return Run(seconds, (time.process_time() - processor) / seconds)


def alternate(contestants: Sequence[Contestant], repetitions: int) -> dict[str, Measurement]:
    """Warm all contestants up, then run them in turn, every other round backwards."""
    runs: dict[str, list[Run]] = {c.name: [] for c in contestants}
    compiled = {c.name: {"compile_seconds": compile_seconds(c)} for c in contestants}
    for i in range(repetitions):
        say(f"  round {i + 1} of {repetitions}")
        for c in contestants[:: -1 if i % 2 else 1]:
            if sum(run.seconds for run in runs[c.name]) < LIMIT:
                runs[c.name].append(clock(c.run))
    return {
        c.name: timed(c.name, c.steps, {**c.facts, **compiled[c.name]}, runs[c.name])
        for c in contestants
    }


def compile_seconds(c: Contestant) -> float:
    """Warm a contestant up twice; return by how much the first time, which compiles, is longer."""
    first, second = clock(c.warm_up).seconds, clock(c.warm_up).seconds
    say(f"  {c.name}: compiled and started in {first:.1f} s")
    return max(0.0, first - second)


def timed(name: str, steps: int, facts: Mapping[str, Any], runs: Sequence[Run]) -> Measurement:
    """Return the network-steps per second of runs that made so many steps each."""
    rates = tuple(steps / run.seconds for run in runs)
    columns = {key: [getattr(run, key) for run in runs] for key in Run._fields}
    return Measurement(name, "network-steps/s", rates, {**facts, "steps": steps, **columns})


def training_nanoseconds(long: Measurement, short: Measurement) -> float | None:
    """Return ns per network-step without what a run costs before and after training.

    From two runs that differ in their epochs only; None where noise hides the difference.
    """
    extra = statistics.median(long.facts["seconds"]) - statistics.median(short.facts["seconds"])
    return 1e9 * extra / (long.facts["steps"] - short.facts["steps"]) if extra > 0 else None
