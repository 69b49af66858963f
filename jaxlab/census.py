"""Count what is true of networks before any training: a million draws of the initial weights.

A case is a setting, a look at its weights that names events, and what theory says of them. Counts
are kept by setting, so that the same command with more seeds adds to them.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from jaxlab import engine, manifests, networks, sealed, shards, surroundings, waiting
from jaxlab.chunks import FORMAT
from jaxlab.keys import MAX_SEED
from jaxlab.provenance import fingerprint, short
from jaxlab.sealed import ResultsError
from jaxlab.spec import Setting
from jaxlab.theory.prediction import Prediction
from jaxlab.validation import items, name, whole

TOGETHER = 2**16  # members drawn and looked at together
FILE, MANIFEST = "counts.json", manifests.FILE

Layers = Sequence[tuple[np.ndarray, np.ndarray | None]]
Look = Callable[[Layers], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """A setting, the events to count in it, and the predictions of them.

    `look` takes (kernel, bias) of every layer, member axis last, and returns (members,) truth
    values by event.
    """

    setting: Setting
    look: Look
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True)
class Census:
    """A named list of cases whose settings' names are all different."""

    name: str
    cases: tuple[Case, ...]

    def __post_init__(self):
        names = [case.setting.name for case in self.cases]
        if len(set(names)) != len(names):
            raise ValueError(f"names of settings are {names}; they must all be different")


def count(setting: Setting, look: Look, seeds: np.ndarray) -> dict[str, int]:
    """Return how many of the seeds' networks have each event at the start."""
    counts: dict[str, int] = {}
    for first in range(0, len(seeds), TOGETHER):
        some = seeds[first : first + TOGETHER]
        events = waiting.call(lambda some=some: look(engine.initial_weights(setting, some)))
        for event, mask in events.items():
            counts[event] = counts.get(event, 0) + int(np.sum(mask))
    return counts


def born_dead(setting: Setting) -> Look:
    """Return the look that finds networks born dead on the rows of the setting's task.

    It is the same that judges members of sweeps: no gradient reaches a weight before the output's
    bias on any row.
    """
    silent = engine.silence(setting)

    def look(layers: Layers) -> dict[str, np.ndarray]:
        flat = networks.pack(jax.tree.map(jnp.asarray, list(layers)))
        return {"born_dead": np.asarray(silent(flat))}

    return look


Counts = dict[tuple[str, str], tuple[int, int]]


@surroundings.front_door
def run_census(census: Census, seeds: int, *, out: Path, progress: bool, command: str) -> Counts:
    """Count seeds 0, 1, ... of every case; return (n, count) by (setting, event).

    Counts are kept in `out` after every case; what is there is not counted again. `ResultsError`
    if the folder holds something else, is being filled or cannot be written to.
    """
    _check(census, out)  # before anything is written
    with ExitStack() as stack:
        with shards.briefly(out):
            stack.enter_context(shards.writing(out))
            _check(census, out)
            known = _read(out / FILE) if (out / FILE).exists() else {}
            _write_manifest(census, out)
        todo = [case for case in census.cases if _done(known, case) < seeds]
        if not todo:
            return _of_cases(census, known)
        by = short(fingerprint())
        with shards.recorded(out, command, shards.WHOLE, by) as record:
            look = {"desc": census.name, "ncols": 79, "file": sys.stderr, "delay": 2.0}
            for case in tqdm(todo, disable=None if progress else True, **look):
                done = _done(known, case)
                known[_key(case)] = _counted(case, done, seeds, known.get(_key(case), {}))
                _write(out, known)
                record.trained(seeds - done)
        _write_manifest(census, out)
    return _of_cases(census, known)


def _key(case: Case) -> tuple[str, str]:
    return case.setting.name, case.setting.digest


def _done(known: "Known", case: Case) -> int:
    """Return how many seeds of a case are counted; 0 where events were named since."""
    before = known.get(_key(case), {})
    named = {prediction.event for prediction in case.predictions}
    return max((n for n, _ in before.values()), default=0) if named <= set(before) else 0


def _counted(case: Case, done: int, seeds: int, before: Mapping[str, tuple[int, int]]):
    new = count(case.setting, case.look, np.arange(done, seeds))
    if done and set(new) != set(before):  # a look that names other events than it did
        done, new = 0, count(case.setting, case.look, np.arange(seeds))
    return {event: (seeds, hits + (before[event][1] if done else 0)) for event, hits in new.items()}


def read_census(census: Census, folder: Path) -> Counts:
    """Return the counts that a folder holds; ResultsError if those of a case are missing."""
    if not (folder / FILE).exists():
        raise ResultsError(f"{folder} holds no results (no {FILE})")
    known = _read(folder / FILE)
    for case in census.cases:
        name = case.setting.name
        if (name, case.setting.digest) not in known:
            raise ResultsError(f"{folder} lacks the setting {name!r}; run its sweep again")
    return _of_cases(census, known)


Known = dict[tuple[str, str], dict[str, tuple[int, int]]]


def _of_cases(census: Census, known: Known) -> Counts:
    return {
        (case.setting.name, event): counted
        for case in census.cases
        for event, counted in known[case.setting.name, case.setting.digest].items()
    }


def _read(path: Path) -> Known:
    known: Known = {}
    for setting, digest, event, n, hits in read_counts(path):
        known.setdefault((setting, digest), {})[event] = n, hits
    return known


def read_counts(path: Path) -> list[tuple[str, str, str, int, int]]:
    """Return the rows (setting, digest, event, n, count) of a file; ResultsError if damaged."""
    content = sealed.read_json(path)
    manifests.check_format(path, content.get("format"))
    with sealed.reading(path):
        return [_row(row) for row in items("counts", content["counts"], "a row per event")]


def _row(row: Any) -> tuple[str, str, str, int, int]:
    setting, digest, event, n, hits = items("a row of counts", row, "five parts")
    name("setting", setting)
    manifests.check_digest("digest", digest)
    name("event", event)
    whole("number of networks", n, 0, MAX_SEED + 1)
    whole("number of events", hits, 0, n)
    return setting, digest, event, n, hits


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a census's manifest says; ResultsError where it is damaged."""
    content = manifests.read(path, "census")
    with sealed.reading(path):
        name("census", content["census"])
        manifests.check_by_name("digests", content["digests"], manifests.check_digest)
        manifests.check_fingerprint("fingerprint", content["fingerprint"])
    return content


def _write(out: Path, known: Known) -> None:
    rows = [
        [name, digest, event, n, hits]
        for (name, digest), events in known.items()
        for event, (n, hits) in events.items()
    ]
    content = {"format": FORMAT, "counts": rows}
    sealed.write_result(out / FILE, sealed.json_as_bytes(content))


def _write_manifest(census: Census, out: Path) -> None:
    digests = {case.setting.name: case.setting.digest for case in census.cases}
    content = {"format": FORMAT, "census": census.name, "digests": digests}
    content |= {"fingerprint": fingerprint(), "runs": shards.records(out)}
    sealed.write_result(out / MANIFEST, sealed.json_as_bytes(content))


def _check(census: Census, out: Path) -> None:
    if not (out / MANIFEST).exists():
        return
    known = sealed.read_json(out / MANIFEST)
    manifests.check_format(out / MANIFEST, known.get("format"))
    if known.get("census") != census.name:
        raise ResultsError(f"{out} holds something else; choose another --out")
    if (out / FILE).exists() and known.get("fingerprint") != fingerprint():
        text = "was counted by other versions or on another machine; choose another --out"
        raise ResultsError(f"{out} {text}")
