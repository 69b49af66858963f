"""Count what is true of networks before any training: a million draws of the initial weights.

A case is a setting, a look at its weights that names events, and what theory says of them. Counts
are kept by setting, so that the same command with more seeds adds to them.
"""

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from jaxlab import engine, files, networks, store
from jaxlab.spec import Setting
from jaxlab.theory.prediction import Prediction

TOGETHER = 2**16  # members drawn and looked at together
FILE, MANIFEST = "counts.csv", "manifest.json"
COLUMNS: tuple[str, ...] = ("setting", "digest", "event", "n", "count")

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
        weights = engine.initial_weights(setting, seeds[first : first + TOGETHER])
        for event, mask in look(weights).items():
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


def run_census(census: Census, seeds: int, *, out: Path, progress: bool, command: str) -> Counts:
    """Count seeds 0, 1, ... of every case; return (n, count) by (setting, event).

    Counts are kept in `out` after every case; what is there is not counted again. `ResultsError`
    if the folder holds something else or cannot be written to.
    """
    known = _read(out / FILE) if (out / FILE).exists() else {}
    _write_manifest(census, out, command)
    look = {"desc": census.name, "ncols": 79, "file": sys.stderr, "delay": 2.0}
    for case in tqdm(census.cases, disable=None if progress else True, **look):
        name, digest = case.setting.name, case.setting.digest
        before = known.get((name, digest), {})
        if not {p.event for p in case.predictions} <= set(before):
            before = {}  # events were named since: count all anew
        done = max((n for n, _ in before.values()), default=0)
        if done >= seeds:
            continue
        new = count(case.setting, case.look, np.arange(done, seeds))
        if before and set(new) != set(before):
            before, new = {}, count(case.setting, case.look, np.arange(seeds))
        known[name, digest] = {e: (seeds, c + before.get(e, (0, 0))[1]) for e, c in new.items()}
        _write(out, known)
    return _of_cases(census, known)


def read_census(census: Census, folder: Path) -> Counts:
    """Return the counts that a folder holds; ResultsError if those of a case are missing."""
    if not (folder / FILE).exists():
        raise store.ResultsError(f"{folder} holds no results (no {FILE})")
    known = _read(folder / FILE)
    for case in census.cases:
        name = case.setting.name
        if (name, case.setting.digest) not in known:
            raise store.ResultsError(f"{folder} lacks the setting {name!r}; run its sweep again")
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
    try:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise ValueError("other columns")
            for row in rows:
                counted = int(row["n"]), int(row["count"])
                if not 0 <= counted[1] <= counted[0]:
                    raise ValueError("more events than networks")
                known.setdefault((row["setting"], row["digest"]), {})[row["event"]] = counted
    except store.UNREADABLE as error:
        text = f"{path} is damaged ({type(error).__name__}); move it away"
        raise store.ResultsError(text) from error
    return known


def _write(out: Path, known: Known) -> None:
    rows = [
        dict(zip(COLUMNS, (name, digest, event, n, hits), strict=True))
        for (name, digest), events in known.items()
        for event, (n, hits) in events.items()
    ]
    files.write_csv(out / FILE, rows, COLUMNS)


def _write_manifest(census: Census, out: Path, command: str) -> None:
    digests = {case.setting.name: case.setting.digest for case in census.cases}
    content = {"census": census.name, "digests": digests, "command": command}
    content["fingerprint"] = store.fingerprint()
    if (out / MANIFEST).exists():
        known = _known(out / MANIFEST)
        if known.get("census") != census.name:
            raise store.ResultsError(f"{out} holds something else; choose another --out")
        if (out / FILE).exists() and known.get("fingerprint") != content["fingerprint"]:
            text = "was counted by other versions or on another machine; choose another --out"
            raise store.ResultsError(f"{out} {text}")
    store.write_result(out / MANIFEST, (json.dumps(content, indent=2) + "\n").encode())


def _known(manifest: Path) -> dict:
    try:
        return dict(json.loads(manifest.read_text()))
    except store.UNREADABLE:
        return {}
