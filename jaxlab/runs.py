"""Run a sweep: train what is missing, show progress, keep the results."""

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from jaxlab import engine, grouping
from jaxlab.result import Members, Result
from jaxlab.spec import Sweep
from jaxlab.store import Folder, identity_of

PROBE_SHARE = 0.05  # of a call's steps, to estimate what all will take
QUIET_SECONDS = 2.0  # shorter runs say nothing

Seeds = int | Sequence[int] | np.ndarray


def run(
    sweep: Sweep,
    seeds: Seeds | Mapping[str, Seeds] = 1000,
    *,
    out: str | Path | None = None,
    lane_width: int | None = None,
    progress: bool = False,
    command: str = "",
) -> Result:
    """Train the seeds of every setting and return what became of them.

    `seeds` is a number (0, 1, ...), a list, or one of these for each setting's name. With `out`,
    members already in that folder are not trained again and new ones are kept there after every
    call. `lane_width` is the number of members trained side by side; it is part of their identity.
    ValueError for impossible seeds or an unknown task, `jaxlab.store.ResultsError` for a folder
    that holds something else.
    """
    names = [setting.name for setting in sweep.settings]
    of_setting = dict(seeds) if isinstance(seeds, Mapping) else dict.fromkeys(names, seeds)
    if set(of_setting) != set(names):
        raise ValueError(
            f"seeds are given for {', '.join(of_setting)}; the settings are {', '.join(names)}"
        )
    asked = {name: grouping.check_seeds(its) for name, its in of_setting.items()}
    if lane_width is not None and lane_width < 1:
        raise ValueError(f"lane_width is {lane_width}; it must be at least 1")
    groups = grouping.groups(sweep, lane_width)
    lanes = {s.name: g.lanes for g in groups for s in g.settings}
    folder = None if out is None else Folder(out, sweep, identity_of(sweep, lanes))
    if folder is not None:
        folder.open()
    found = _load(folder, sweep)
    if folder is not None:
        folder.write_manifest(command)  # after loading, so that a damaged folder stays as it is
    wanted = {name: _missing(asked[name], found[name]) for name in names}
    _train(groups, wanted, sweep, folder, found, progress)
    return Result(sweep, {n: _select(parts, asked[n]) for n, parts in found.items()})


Parts = dict[str, list[Members]]


def _load(folder: Folder | None, sweep: Sweep) -> Parts:
    loaded = {s.name: None if folder is None else folder.load(s) for s in sweep.settings}
    return {name: [] if members is None else [members] for name, members in loaded.items()}


def _missing(asked: np.ndarray, parts: list[Members]) -> np.ndarray:
    return asked if not parts else np.setdiff1d(asked, parts[0].seeds)


def _select(parts: list[Members], asked: np.ndarray) -> Members:
    fields = [f for f in Members.__dataclass_fields__ if getattr(parts[0], f) is not None]
    joined = {f: np.concatenate([getattr(p, f) for p in parts]) for f in fields}
    keep = np.isin(joined["seeds"], asked)
    joined = {f: values[keep] for f, values in joined.items()}
    return Members.joined(joined.pop("seeds"), joined)


def _train(groups, wanted, sweep: Sweep, folder, found: Parts, progress: bool) -> None:
    groups = [g for g in groups if any(len(wanted[s.name]) for s in g.settings)]
    if not groups:
        return
    runners = _compile(groups, wanted, sweep.paired, progress)
    cost = [_estimate(runner, wanted) if progress else 1.0 for runner in runners]
    with _bar(sweep, wanted, sum(cost), progress) as bar:
        for runner, seconds in zip(runners, cost, strict=True):
            calls = sum(1 for _ in engine.calls(runner, wanted))
            for parts in engine.run_group(runner, wanted):
                for name, seeds, arrays in parts:
                    if folder is not None:
                        folder.add(sweep[name], seeds, arrays)
                    found[name].append(Members(seeds, **arrays))
                bar.update(seconds / calls)


def _compile(
    groups: Sequence[grouping.Group],
    wanted: Mapping[str, np.ndarray],
    paired: bool,
    progress: bool,
) -> list[engine.Runner]:
    def ready(group: grouping.Group) -> engine.Runner:
        runner = engine.Runner(group, paired=paired)
        _probe(runner, wanted, 1)
        return runner

    hidden = None if progress else True  # None: shown on a terminal only
    with ThreadPoolExecutor(max(1, jax.local_device_count())) as pool:
        # Compiling releases the interpreter, so programs are compiled side by side.
        bar = {"total": len(groups), "desc": "compiling", "ncols": 79, "file": sys.stderr}
        return list(tqdm(pool.map(ready, groups), disable=hidden, leave=False, **bar))


def _probe(runner: engine.Runner, wanted: Mapping[str, np.ndarray], steps: int) -> float:
    own = runner.group.schedule
    checks = tuple(min(check, steps) for check in own.checks)  # as many: the program stays the same
    schedule = dataclasses.replace(own, travel=0, checks=checks)
    which, seeds = next(engine.calls(runner, wanted))
    start = time.perf_counter()
    runner(which, seeds, schedule)
    return time.perf_counter() - start


def _estimate(runner: engine.Runner, wanted: Mapping[str, np.ndarray]) -> float:
    total = runner.group.schedule.checks[-1]
    part = max(1, round(PROBE_SHARE * total))
    short, long = _probe(runner, wanted, 1), _probe(runner, wanted, 1 + part)
    calls = sum(1 for _ in engine.calls(runner, wanted))
    return calls * (short + max(long - short, 0.0) * total / part)


def _bar(sweep: Sweep, wanted: Mapping[str, np.ndarray], seconds: float, progress: bool):
    count = sum(len(seeds) for seeds in wanted.values())
    settings = sum(1 for seeds in wanted.values() if len(seeds))
    quiet = not progress or seconds < QUIET_SECONDS
    if not quiet:
        devices = f"{jax.local_device_count()} {jax.default_backend()} device(s)"
        text = f"training {count:,} networks in {settings} settings on {devices}: about "
        print(text + duration(seconds), file=sys.stderr, flush=True)
    shape = "{desc} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left"
    hidden = True if quiet else None  # None: shown on a terminal only
    return tqdm(
        total=seconds, desc=sweep.name, bar_format=shape, disable=hidden, ncols=79, file=sys.stderr
    )


def duration(seconds: float) -> str:
    """Return a length of time in words: "40 s", "3 min", "2.5 h".

    >>> duration(200)
    '3 min'
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
