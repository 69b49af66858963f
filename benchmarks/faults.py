"""Break runs in every way there is, many times, and hold what is left against an unbroken run.

python -m benchmarks.faults              everything: about 40 minutes on two cores
python -m benchmarks.faults --quick      each fault a few times: about 10 minutes
python -m benchmarks.faults --out DIR    write DIR/benchmarks/faults.json

Processes are killed, interrupted, refused space and started side by side; files are damaged,
exchanged and forged. In the end the same command must have written the same bytes as ever.
"""

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import jaxlab.shards
from benchmarks import damage, machine, traps
from benchmarks.processes import Arrange, nothing
from benchmarks.timing import say
from benchmarks.traps import STEPS, Trap
from benchmarks.trials import (
    CENSUS,
    MAP,
    SMALL,
    Tried,
    Words,
    Workshop,
    differences,
    readable,
    temporaries,
)
from jaxlab import ResultsError, commandline, files

LONG: Words = (*SMALL, "--seeds", "3000")
SPLIT: Words = (*SMALL, "--first-seed", "4000", "--seeds", "400")  # on both sides of a chunk's end
SHIPPED: Words = ("negation_map", "--seeds", "300")
OF_SHARDS = "1-of-1.json"
WRITTEN = {  # which command writes which files; in this order all are still to be written
    OF_SHARDS: SMALL,
    "*.npz": SMALL,
    "manifest.json": SMALL,
    "summary.csv": SMALL,
    "predictions.csv": SMALL,
    "grid.npz": MAP,
    "counts.json": CENSUS,
}
WRITES = {"manifest.json": 2, OF_SHARDS: 2, "summary.csv": 1, "predictions.csv": 1}  # in a run
GOES_ON = "nothing but the end of the process; the same command goes on"


@dataclass(frozen=True)
class Plan:
    """How often faults are tried."""

    kills: int = 200
    kills_anew: int = 60
    rounds: int = 3
    signals: int = 20
    signals_anew: int = 4
    flips: int = 3000
    places: int = 30
    shard_kills: int = 10
    members: tuple[int, ...] = (10_000, 100_000, 1_000_000)


QUICK = Plan(50, 10, 1, 4, 2, 1000, 5, 2)


def killed(shop: Workshop, words: Words, kills: int, *, seed: int = 0, anew: bool = False) -> Tried:
    """Kill a run at random moments, so often, then let it finish.

    Every other kill waits for a block of its own, so that the run gets on even where starting takes
    longer than the moments are apart.
    """
    tried = Tried("SIGKILL at a random moment" + (", real command" if anew else ""), GOES_ON)
    shop.unbroken(words, anew=anew)
    rng, out = np.random.default_rng(seed), shop.folder()
    start, told = shop.start_anew if anew else shop.start, shop.base / f"{out.name}.told"
    arranged = () if anew else (traps.Telling(told),)
    folder, before, starting, amid = out / words[0], 0, 0.0, 0
    while tried.times < kills:
        process = start(words, out, *arranged)
        if tried.times % 2:
            process.wait(float(rng.uniform(0, 1.3 * starting)))
        elif process.until(partial(_has_more, folder, before)):
            starting = time.perf_counter() - process.began
            process.wait(float(rng.exponential(0.05)))
        ended = process.end(signal.SIGKILL)
        if ended.code != -signal.SIGKILL:
            tried.check(False, f"finished after {tried.times} kills, with {ended}")
            break
        tried.times += 1
        count = _readable(tried, folder)
        amid += count > before
        tried.lost += max(0, before - count, _told(told) - count)
        before = count
    facts = {"seconds_unbroken": shop.seconds[words], "members_at_the_last_kill": before}
    tried.facts = facts | {"kills_after_new_blocks": amid, "command": " ".join(words)}
    shop.finish(tried, words, out, start(words, out, *arranged).end())
    return tried


def _readable(tried: Tried, folder: Path) -> int:
    try:
        return readable(folder)
    except ResultsError as error:
        tried.check(False, f"{tried.fault}: unreadable afterwards: {error}")
        return 0


def _has_more(folder: Path, count: int) -> bool:
    return readable(folder) > count


def _told(path: Path) -> int:
    return sum(map(int, path.read_text().split())) if path.exists() else 0


def killed_while_writing(shop: Workshop, rounds: int) -> Tried:
    """Kill at every step of writing every kind of file: the first of a run, the second, ..."""
    tried = Tried("SIGKILL at each step of writing each kind of file", GOES_ON)
    for words in (SMALL, MAP, CENSUS):
        out = shop.folder()  # one run, which gets a little further each time
        for pattern in (name for name, by in WRITTEN.items() if by == words):
            for step in STEPS:
                _dies(shop, tried, words, out, Trap(pattern, step))
        shop.finish(tried, words, out)
    for pattern, words in WRITTEN.items():
        for nth in range(2, 1 + min(rounds, WRITES.get(pattern, rounds))):
            for step in STEPS:
                out = shop.folder()
                _dies(shop, tried, words, out, Trap(pattern, step, nth))
                shop.finish(tried, words, out)
    return tried


def _dies(shop: Workshop, tried: Tried, words: Words, out: Path, trap: Trap) -> None:
    ended = shop.run(words, out, trap)
    tried.times += 1
    tried.check(ended.code == -signal.SIGKILL, f"{trap.pattern} never {trap.step}: {ended}")
    _readable(tried, out / words[0])


def stopped(
    shop: Workshop, words: Words, number: signal.Signals, times: int, *, anew: bool = False
) -> Tried:
    """Interrupt a run once it has its first block, again and again, then let it finish."""
    name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[number]
    code = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    tried = Tried(name + (", real command" if anew else ""), f"one line, exit code {code}")
    shop.unbroken(words, anew=anew)
    rng, out, before = np.random.default_rng(number), shop.folder(), 0
    folder, start = out / words[0], shop.start_anew if anew else shop.start
    for _ in range(times):
        process = start(words, out)
        process.until(partial(_has_more, folder, before))
        process.wait(float(rng.exponential(0.05)))
        ended = process.end(number)
        tried.times += 1
        parts = f"networks are in {folder}", "to go on: python -m sweeps " + words[0]
        tried.expect(ended, code, "stopped", *parts)
        tried.check(not temporaries(folder), f"{name} leaves temporary files")
        count = _readable(tried, folder)
        tried.lost += max(0, before - count)
        before = count
    shop.finish(tried, words, out, start(words, out).end())
    return tried


def full(shop: Workshop) -> Tried:
    """Let the disk be full at every step of writing every kind of file, then free it."""
    tried = Tried("full disk (ENOSPC, EFBIG) or no folder", "one line, exit code 2")
    for pattern, words in WRITTEN.items():
        out = shop.folder()
        for step in ("begun", "half", "written", "synced"):
            _fails(shop, tried, words, out, Trap(pattern, step, 1, traps.find_no_space))
        if pattern == "*.npz":
            _fails(shop, tried, words, out, Trap(pattern, "half", 2, traps.find_no_space))
        shop.finish(tried, words, out)
    sizes = {SMALL: (500, 2000, 4000, 8000), MAP: (1000,), CENSUS: (500,)}
    for words, limits in sizes.items():
        out = shop.folder()
        for size in limits:
            _fails(shop, tried, words, out, traps.Small(size))
        shop.finish(tried, words, out)
    below = shop.folder()
    below.write_text("precious")
    for words in (SMALL, MAP, CENSUS):
        tried.expect(shop.run(words, below), 2, str(below))
        tried.times += 1
    tried.check(below.read_text() == "precious", "a file where a folder should be is overwritten")
    return tried


def _fails(shop: Workshop, tried: Tried, words: Words, out: Path, arrange: Arrange) -> None:
    tried.expect(shop.run(words, out, arrange), 2, str(out))
    tried.check(not temporaries(out), f"{vars(arrange)} leaves temporary files")
    _readable(tried, out / words[0])
    tried.times += 1


def two_writers(shop: Workshop, kills: int) -> Tried:
    """Start a second process where one is writing; kill the first, and the second may."""
    tried = Tried("a second process on the same part", "one line names who is writing, exit code 2")
    first = {(): ("--shard", "2/3"), ("--shard", "1/2"): ("--shard", "1/3")}
    first |= {("--shard", "2/2"): ()}
    for _ in range(kills):
        out = shop.folder()
        folder = out / LONG[0]
        for mine, others in first.items():
            with shop.start((*LONG, *mine), out) as process:
                before = readable(folder)
                process.until(partial(_has_more, folder, before))
                for words in ((*LONG, *mine), (*LONG, *others)):
                    tried.expect(shop.run(words, out), 2, "is being filled", f"pid {process.pid}")
                    tried.times += 1
        with shop.start(LONG, out) as process:  # all locks are free again
            count = readable(folder)
            freed = process.until(partial(_has_more, folder, count))
            tried.check(freed, "a killed process keeps its lock")
    return tried


def shards_at_once(shop: Workshop, of: int, times: int) -> Tried:
    """Fill a folder by processes at once, of which one is killed and later started again."""
    sees = "who ends names what is missing; the last writes the tables"
    tried = Tried(f"{of} shards at once, one killed", sees)
    parts = [(*SPLIT, "--shard", f"{i}/{of}") for i in range(1, of + 1)]
    shop.unbroken(SPLIT)
    for i in range(times):
        out, number = shop.folder(), i % of
        told = shop.base / f"{out.name}.told"
        arranged = {number: traps.Telling(told)}
        with ExitStack() as stack:
            processes = [
                stack.enter_context(shop.start(part, out, arranged.get(j, nothing)))
                for j, part in enumerate(parts)
            ]
            victim = processes.pop(number)
            victim.until(partial(_has_told, told))
            ended = victim.end(signal.SIGKILL)
            others = [process.end() for process in processes]
        tried.times += 1
        own = f"shard {number + 1}/{of}"
        tried.check(ended.code == -signal.SIGKILL, f"{own} ended before its kill: {ended}")
        for ended in others:
            tried.expect(ended, 0)
            tried.check(own in ended.printed, f"{own} is not missing: {ended.printed}")
            tried.hear(next((s for s in ended.printed.splitlines() if "missing" in s), ""))
        shop.finish(tried, SPLIT, out, shop.run(parts[number], out))
    return tried


def _has_told(path: Path) -> bool:
    return _told(path) > 0


def merged(shop: Workshop, of: int) -> Tried:
    """Bring folders together that were filled apart: incomplete, twice, killed, and at odds."""
    sees = "one line names what is missing, twice or different"
    tried = Tried("folders of shards merged, incomplete or at odds", sees)
    name = SPLIT[0]
    parts = [(*SPLIT, "--shard", f"{i}/{of}") for i in range(1, of + 1)]
    outs = [shop.folder() for _ in parts]
    for part, out in zip(parts, outs, strict=True):
        tried.expect(shop.run(part, out), 0)
    folders = [out / name for out in outs]

    def merge(target: Path, sources: Sequence[Path], code: int, *said: str, arrange=nothing):
        words = ["jaxlab", "merge", str(target), *map(str, sources)]
        ended = shop.processes.run(words, arrange)
        tried.times += 1
        tried.expect(ended, code, *said)
        return ended

    target = shop.folder() / name
    merge(target, folders[:-1], 2, f"missing: shard {of}/{of}")
    merge(target, folders[-1:], 0)
    shop.compare(tried, SPLIT, target)
    target = shop.folder() / name
    for step in STEPS:
        merge(target, folders, -signal.SIGKILL, arrange=Trap("*.npz", step, 2))
    merge(target, folders, 0)
    shop.compare(tried, SPLIT, target)
    target, whole = shop.folder() / name, shop.unbroken(SPLIT)
    ended = merge(target, [folders[0], whole], 0)
    tried.check("overlap: " in ended.printed, f"no overlap is named: {ended.printed}")
    shop.compare(tried, SPLIT, target)
    odd = Path(shutil.copytree(folders[0], shop.folder() / name))
    damage.change_a_network(odd)
    target = shop.folder() / name
    merge(target, [odd, whole], 2, "hold different networks of the seeds")
    tried.check(not target.exists(), "a refused merge has written")
    return tried


def mixed(shop: Workshop) -> Tried:
    """Go on, and merge, where part of the networks was made on another machine."""
    tried = Tried("networks of another machine", "one line; with --mix, all that is mixed is named")
    half, other = (*SPLIT, "--shard", "1/2"), (*SPLIT, "--shard", "2/2")
    shop.unbroken(SPLIT)
    here, there, out = shop.folder(), shop.folder(), shop.folder()
    tried.expect(shop.run(half, here), 0)
    tried.expect(shop.run(other, there, traps.other_machine), 0)
    target = shop.folder() / SPLIT[0]
    words = ["jaxlab", "merge", str(target), str(here / SPLIT[0]), str(there / SPLIT[0])]
    tried.expect(shop.processes.run(words), 2, "made elsewhere (cpu_features")
    ended = shop.processes.run([*words, "--mix"])
    tried.expect(ended, 0)
    tried.check(ended.printed.count("mixed: ") == 2, f"--mix names nothing: {ended.printed}")
    tried.expect(shop.run(half, out, traps.other_machine), 0)
    tried.expect(shop.run(other, out), 2, "made elsewhere (cpu_features")
    ended = shop.run((*other, "--mix"), out)
    tried.expect(ended, 0)
    tried.check(ended.printed.count("mixed: ") == 2, f"--mix names nothing: {ended.printed}")
    for folder in (target, out / SPLIT[0]):
        names = [name for name in differences(shop.unbroken(SPLIT), folder) if "chunks" not in name]
        tried.check(not names, f"mixed tables differ: {names}")
    tried.times += 4
    return tried


def memory(shop: Workshop, members: int) -> dict[str, Any]:
    """Return what it takes to train so many |x| networks briefly, keep them and count them."""
    words, out = ("many", "--seeds", str(members)), shop.folder()
    started = time.perf_counter()
    ended = shop.run(words, out)
    if ended.code:
        raise RuntimeError(f"{members} members: {ended.said}")
    (record,) = jaxlab.shards.records(out / words[0])
    peak = float(ended.printed.rsplit("peak memory: ", 1)[1].split()[0])
    shutil.rmtree(out)
    return {
        "members": members,
        "peak_mib": peak,
        "peak_mib_training": record["peak_memory_mib"],
        "seconds": time.perf_counter() - started,
        "members_per_second": record["members_per_second"],
    }


def faults(plan: Plan) -> Iterator[Callable[[Workshop], Tried]]:
    """Yield all that is tried."""
    yield partial(killed, words=LONG, kills=plan.kills)
    yield partial(killed, words=SHIPPED, kills=plan.kills_anew, anew=True)
    yield partial(killed_while_writing, rounds=plan.rounds)
    for number in (signal.SIGINT, signal.SIGTERM):
        yield partial(stopped, words=LONG, number=number, times=plan.signals)
        told = {"times": plan.signals_anew, "anew": True}
        yield partial(stopped, words=SHIPPED, number=number, **told)
    yield full
    yield partial(damage.flipped, flips=plan.flips)
    yield partial(damage.truncated, places=plan.places)
    yield damage.forged
    yield partial(two_writers, kills=plan.rounds)
    yield partial(shards_at_once, of=4, times=plan.shard_kills)
    yield partial(merged, of=4)
    yield mixed


def table(found: Sequence[Tried]) -> str:
    """Return what was tried as text."""
    lines = [f"{'fault':<58} {'tried':>6} {'lost':>5} {'defects':>8}"]
    lines += [f"{t.fault:<58} {t.times:>6,} {t.lost:>5} {len(t.defects):>8}" for t in found]
    return "\n".join([*lines, *(f"DEFECT {d}" for t in found for d in t.defects)])


def main() -> None:
    """Try all faults, write the JSON file, print the table; exit code 1 if there is a defect."""
    parser = commandline.described("python -m benchmarks.faults", __doc__)
    parser.add_argument("--quick", action="store_true", help="each fault a few times")
    out = Path("results")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"default: {out}")
    options = parser.parse_args()
    plan, tried = QUICK if options.quick else Plan(), []
    path = options.out / "benchmarks" / "faults.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = machine.about("benchmarks.faults") | {"versions": machine.versions()}
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(Path(folder))
        for fault in faults(plan):
            tried.append(fault(shop))
            say(f"{tried[-1].fault}: {tried[-1].times} times, {len(tried[-1].defects)} defects")
        told = []
        for members in plan.members:
            told.append(memory(shop, members))
            say(f"{members:,} networks: {told[-1]['peak_mib']:.0f} MiB")
    content = {**known, "faults": [t.to_json() for t in tried], "memory": told}
    files.write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
    print(table(tried), f"\nwritten: {path}", sep="\n")
    if any(t.defects or t.lost for t in tried):
        raise SystemExit(1)


if __name__ == "__main__":
    commandline.run_cleanly(main)
