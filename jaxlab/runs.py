"""Run a sweep: train what is missing, show progress, keep the results."""

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from jaxlab import chunks, distributed, engine, grouping, shards, surroundings, waiting
from jaxlab.provenance import short
from jaxlab.result import Members, Result
from jaxlab.seed_ranges import ranges
from jaxlab.spec import Setting, Sweep
from jaxlab.store import Folder, identity_of
from jaxlab.stored import Stored

PROBE_SHARE = 0.05  # of a call's steps, to estimate what all will take
QUIET_SECONDS = 2.0  # shorter runs say nothing

Seeds = int | Sequence[int] | np.ndarray


@surroundings.front_door
def run(
    sweep: Sweep,
    seeds: Seeds | Mapping[str, Seeds] = 1000,
    *,
    out: str | Path | None = None,
    shard: tuple[int, int] = shards.WHOLE,
    mix: bool = False,
    lane_width: int | None = None,
    progress: bool = False,
    command: str = "",
) -> Result:
    """Train the seeds of every setting and return what became of them.

    `seeds` is a number (0, 1, ...), a list, or one of these for each setting's name. With `out`,
    members already in that folder are not trained again, new ones are kept there after every call,
    and the result reads them from there; in memory are only the seeds of all. `shard` (I, N)
    trains the I-th of N parts only, which may be filled side by side. `mix` accepts a folder with
    members of other versions or machines. `lane_width` is the number of members trained side by
    side; it is part of their identity. ValueError for impossible seeds or an unknown task,
    `jaxlab.ResultsError` for a folder that holds something else or is being filled.

    Of several processes (see `jaxlab.distributed`) the first reads and writes the folder.
    """
    asked = _asked(sweep, seeds)
    if lane_width is not None and lane_width < 1:
        raise ValueError(f"lane_width is {lane_width}; it must be at least 1")
    groups = grouping.groups(sweep, lane_width)
    lanes = {s.name: g.lanes for g in groups for s in g.settings}
    if distributed.several():
        seeds_told = {name: ranges(its) for name, its in asked.items()}
        told = {"sweep": sweep.to_json(), "seeds": seeds_told, "progress": progress}
        distributed.check_alike(told | identity_of(sweep, lanes))
    if out is None:
        found: dict[str, list[Members]] = {setting.name: [] for setting in sweep.settings}

        def keep(name: str, seeds: np.ndarray, arrays: engine.Arrays) -> None:
            found[name].append(Members(seeds, **arrays))

        _train(groups, asked, sweep, keep, progress)
        return Result(sweep, {name: Members.concatenated(lots) for name, lots in found.items()})
    folder = Folder(out, sweep, identity_of(sweep, lanes), mix=mix)
    part = shards.Shard(*shard)
    if distributed.is_first():
        _fill(folder, groups, asked, part, progress, command)
    else:  # the first knows what is missing, and writes
        wanted = distributed.from_first({})
        _train(groups, wanted, sweep, lambda *found: None, progress)
    return Result(sweep, Stored(sweep, folder.chunks, _of_shard(sweep, asked, part)))


def _asked(sweep: Sweep, seeds: Seeds | Mapping[str, Seeds]) -> dict[str, np.ndarray]:
    names = [setting.name for setting in sweep.settings]
    of_setting = dict(seeds) if isinstance(seeds, Mapping) else dict.fromkeys(names, seeds)
    if set(of_setting) != set(names):
        raise ValueError(
            f"seeds are given for {', '.join(of_setting)}; the settings are {', '.join(names)}"
        )
    # The same seeds are one array, however many settings have them: lists of seeds can be long.
    different = {id(its): np.sort(grouping.check_seeds(its)) for its in of_setting.values()}
    return {name: different[id(of_setting[name])] for name in names}


def _of_shard(
    sweep: Sweep, asked: Mapping[str, np.ndarray], shard: shards.Shard
) -> dict[str, np.ndarray]:
    if shard == shards.WHOLE:
        return dict(asked)
    chosen = {}
    for position, setting in enumerate(sweep.settings):
        seeds = asked[setting.name]
        chosen[setting.name] = seeds[shard.has(position, seeds // chunks.CHUNK)]
    return chosen


def _fill(
    folder: Folder,
    groups: Sequence[grouping.Group],
    asked: Mapping[str, np.ndarray],
    shard: shards.Shard,
    progress: bool,
    command: str,
) -> None:
    """Train what a folder lacks of a shard, and keep it there."""
    sweep, path = folder.sweep, folder.path
    folder.check()  # before anything is written
    with ExitStack() as stack:
        with shards.briefly(path):
            stack.enter_context(shards.writing(path, shard))
            folder.check(shards.others_write(path, shard))
            if shard == shards.WHOLE:
                folder.chunks.clean()
        mine = _of_shard(sweep, asked, shard)
        wanted = {s.name: _missing(folder, s, mine[s.name], shard) for s in sweep.settings}
        with shards.briefly(path):
            others_write = shards.others_write(path, shard)
            folder.check(others_write)
            folder.write_manifest(asked, others_write)
        distributed.from_first(wanted)
        missing = sum(map(len, wanted.values()))
        if not missing:
            return
        by = folder.identity["fingerprint"]
        total = done = sum(map(len, mine.values()))
        done -= missing

        def keep(name: str, seeds: np.ndarray, arrays: engine.Arrays) -> None:
            nonlocal done
            folder.chunks.add(sweep[name], seeds, arrays, by)
            record.trained(len(seeds))
            done += len(seeds)

        try:
            with shards.recorded(path, command, shard, short(by)) as record:

                def compiled(runners: Sequence[engine.Runner]) -> None:
                    record.compiled()
                    for runner in runners:
                        record.trains_by(runner.path)

                _train(groups, wanted, sweep, keep, progress, compiled)
        except KeyboardInterrupt as stop:
            stop.add_note(f"{done:,} of {total:,} networks are in {path}")
            with shards.briefly(path):
                folder.write_manifest(asked)
            raise
        with shards.briefly(path):
            folder.write_manifest(asked)


def _missing(
    folder: Folder, setting: Setting, seeds: np.ndarray, shard: shards.Shard
) -> np.ndarray:
    # Chunks of others are theirs to check: there may be many, and they may be writing.
    known = folder.chunks.seeds(setting, None if shard == shards.WHOLE else seeds)
    return np.setdiff1d(seeds, known) if len(known) else seeds


def _train(
    groups: Sequence[grouping.Group],
    wanted: Mapping[str, np.ndarray],
    sweep: Sweep,
    keep: Callable[[str, np.ndarray, engine.Arrays], None],
    progress: bool,
    compiled: Callable[[Sequence[engine.Runner]], None] = lambda runners: None,
) -> None:
    """Train the wanted seeds and hand (setting, seeds, results) to `keep` after every call."""
    groups = [g for g in groups if any(len(wanted[s.name]) for s in g.settings)]
    runners = _compile(groups, wanted, sweep.paired, progress)
    cost = [_estimate(runner, wanted) if progress else 1.0 for runner in runners]
    compiled(runners)
    with _bar(sweep, wanted, sum(cost), progress) as bar:
        for runner, seconds in zip(runners, cost, strict=True):
            calls = _calls(runner, wanted)
            for parts in engine.run_group(runner, wanted):
                for name, seeds, arrays in parts:
                    keep(name, seeds, arrays)
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

    hidden = None if progress and distributed.is_first() else True  # None: on a terminal only
    # Compiling releases the interpreter, so programs are compiled side by side, but processes that
    # train as one must do the same things in the same order.
    workers = max(1, jax.local_device_count()) if jax.process_count() == 1 else 1
    compiled = waiting.side_by_side(ready, groups, workers)
    bar = {"total": len(groups), "desc": "compiling", "ncols": 79, "file": sys.stderr}
    return list(tqdm(compiled, disable=hidden, leave=False, **bar))


def _probe(runner: engine.Runner, wanted: Mapping[str, np.ndarray], steps: int) -> float:
    own = runner.group.schedule
    checks = tuple(min(check, steps) for check in own.checks)  # as many: the program stays the same
    schedule = dataclasses.replace(own, travel=0, checks=checks)
    which, seeds = next(engine.calls(runner, wanted))
    start = time.perf_counter()
    runner(which, seeds, schedule)
    return time.perf_counter() - start


def _calls(runner: engine.Runner, wanted: Mapping[str, np.ndarray]) -> int:
    return -(-sum(len(wanted[s.name]) for s in runner.group.settings) // runner.size)


def _estimate(runner: engine.Runner, wanted: Mapping[str, np.ndarray]) -> float:
    total = runner.group.schedule.checks[-1]
    part = max(1, round(PROBE_SHARE * total))
    short, long = (waiting.call(_probe, runner, wanted, steps) for steps in (1, 1 + part))
    return _calls(runner, wanted) * (short + max(long - short, 0.0) * total / part)


def _bar(sweep: Sweep, wanted: Mapping[str, np.ndarray], seconds: float, progress: bool):
    count = sum(len(seeds) for seeds in wanted.values())
    settings = sum(1 for seeds in wanted.values() if len(seeds))
    quiet = not progress or seconds < QUIET_SECONDS or not distributed.is_first()
    if not quiet:
        devices = f"{jax.device_count()} {jax.default_backend()} device(s)"
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
