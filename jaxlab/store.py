"""Results on disk: chunks of members and the manifest that says what they are and who made them.

A folder of another specification is reported and never overwritten. What a chunk is, and what makes
it safe, stands in `jaxlab.chunks`.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab import files, manifests, meanings, sealed, shards, tasks
from jaxlab.chunks import FORMAT, Chunks
from jaxlab.manifests import REMEDY
from jaxlab.provenance import differences, fingerprint, short
from jaxlab.result import Result
from jaxlab.sealed import ResultsError
from jaxlab.seed_ranges import ranges, united
from jaxlab.spec import Setting, Sweep, Task, sweep_from_json
from jaxlab.stored import Stored

MANIFEST = manifests.FILE


def identity_of(sweep: Sweep, lanes: Mapping[str, int], dtype: str = "float32") -> dict[str, Any]:
    """Return what makes members what they are beside the sweep's own specification.

    Lane widths and a checksum of the task's rows by setting, and the fingerprint. The checksum is
    there because a specification names its task, and a name can be given another meaning; so can
    those of a user's own module and optimiser (see `meanings`).
    """
    checksums = {task: _data_checksum(task) for task in {s.task for s in sweep.settings}}
    data = {s.name: checksums[s.task] + meanings.checksum(s) for s in sweep.settings}
    lane_widths = {s.name: lanes[s.name] for s in sweep.settings}
    known = {"lane_widths": lane_widths, "data": data, "dtype": dtype}
    return known | {"fingerprint": fingerprint()}


def _data_checksum(task: Task) -> str:
    inputs, targets, regions = tasks.example(task)
    checksum = hashlib.sha256(" ".join(regions).encode())
    for array in (inputs, targets, *regions.values()):
        checksum.update(np.asarray(array).tobytes())
    return checksum.hexdigest()[:16]


class Folder:
    """The results of one sweep in a directory.

    `identity` is what, beside the sweep, makes its members the ones they are: see `identity_of`.
    With `mix`, members of other versions and machines are accepted beside one's own.
    """

    def __init__(
        self, path: str | Path, sweep: Sweep, identity: Mapping[str, Any], *, mix: bool = False
    ):
        self.path, self.sweep, self.identity, self.mix = Path(path), sweep, identity, mix
        self.manifest = self.path / MANIFEST
        own = identity["fingerprint"]
        self.fingerprints = {short(own): own}
        self.chunks = Chunks(self.path / "chunks", self._describe, self.fingerprints)

    def _describe(self, setting: Setting) -> dict[str, Any]:
        told = {"paired": self.sweep.paired, "dtype": self.identity["dtype"]}
        return told | {k: self.identity[k][setting.name] for k in ("lane_widths", "data")}

    def check(self, others_write: bool = False) -> None:
        """Take in what the manifest says; ResultsError if the folder is not this sweep's.

        A manifest without any chunk is a plan that nobody carried out, unless others are about to.
        """
        try:
            known = self._known(others_write) if self.path.exists() else None
        except OSError as error:
            raise sealed.unwritable(self.path, error) from error
        if known is not None:
            foreign = self.chunks.foreign(known["digests"])
            if foreign:
                raise ResultsError(f"{foreign[0]} is no chunk of this sweep; move it away")
            self._compare(known)
            self.fingerprints.update(known["fingerprints"])

    def _known(self, binding: bool = False) -> dict[str, Any] | None:
        if self.manifest.exists():
            known = manifests.read_sweep(self.manifest)
            return known if binding or self.chunks.exist() else None
        # Empty folders and locks are what a run leaves that was killed before its first file.
        found = [*self.path.iterdir(), *self.chunks.path.glob("*")]
        own = (self.chunks.path, self.path / shards.FOLDER)
        if any(path not in own and not files.is_temporary(path) for path in found):
            raise ResultsError(
                f"{self.path} is not empty and holds no {MANIFEST}; choose another --out"
            )
        return None

    def _compare(self, known: Mapping[str, Any]) -> None:
        if known["sweep"]["name"] != self.sweep.name:
            other = known["sweep"]["name"]
            raise self._refusal(f"the sweep {other!r}, not {self.sweep.name!r}")
        if known["sweep"]["paired"] != self.sweep.paired:
            was = "paired" if known["sweep"]["paired"] else "not paired"
            raise self._refusal(f"members that were {was}")
        if known["dtype"] != self.identity["dtype"]:
            raise self._refusal(f"members in {known['dtype']}, not {self.identity['dtype']}")
        for setting in self.sweep.settings:
            self._compare_setting(setting, known)
        own = self.identity["fingerprint"]
        if not self.mix and short(own) not in known["fingerprints"]:
            changed = differences(next(iter(known["fingerprints"].values())), own)
            raise ResultsError(
                f"{self.path} was made elsewhere ({changed}), so that last bits could differ; "
                f"allow that with --mix, or {REMEDY}"
            )

    def _compare_setting(self, setting: Setting, known: Mapping[str, Any]) -> None:
        name = f"setting {setting.name!r}"
        before = known["digests"].get(setting.name, setting.digest)
        if before != setting.digest:
            now = f"({before[:12]}, now {setting.digest[:12]})"
            raise self._refusal(f"{name} of another specification {now}")
        was, now = (i["lane_widths"].get(setting.name) for i in (known, self.identity))
        if was not in (None, now):
            raise self._refusal(f"{name} at lane width {was}, not {now}")
        was, now = (i["data"].get(setting.name) for i in (known, self.identity))
        if was not in (None, now):
            what = f"the task {setting.task.name!r} had other rows;"
            if str(was).split("-")[0] == now.split("-")[0]:
                what = f"a module or an optimiser of {name} had another meaning;"
            raise ResultsError(f"{self.path} was made when {what} {REMEDY}")

    def _refusal(self, what: str) -> ResultsError:
        return ResultsError(f"{self.path} holds {what}; {REMEDY}")

    def mixture(self) -> list[str]:
        """Return a line for each fingerprint and its networks, where there are several."""
        if len(self.fingerprints) < 2:
            return []  # without reading anything
        counts: dict[str, int] = {}
        for setting in self.sweep.settings:
            for _, path in self.chunks.all(setting):
                members = len(self.chunks.read(path, setting)["seeds"])
                by = short(self.chunks.made_by(path))
                counts[by] = counts.get(by, 0) + members
        if len(counts) < 2:
            return []
        first = next(iter(self.fingerprints.values()))
        in_order = [(k, counts[k]) for k in self.fingerprints if k in counts]
        said = {k: differences(first, own) or "the first" for k, own in self.fingerprints.items()}
        return [f"mixed: {count:,} networks made by {k} ({said[k]})" for k, count in in_order]

    def write_manifest(self, asked: Mapping[str, np.ndarray], others_write: bool = False) -> None:
        """Write what the folder holds and is to hold, and the runs recorded so far.

        `asked` are seeds by setting; those asked for earlier stay. Call it under `shards.briefly`.
        """
        own = self.identity
        content: dict[str, Any] = {
            "format": FORMAT,
            "sweep": json.loads(self.sweep.to_json()),
            "digest": self.sweep.digest,
            "dtype": own["dtype"],
            "digests": {s.name: s.digest for s in self.sweep.settings},
            "lane_widths": own["lane_widths"],
            "data": own["data"],
            "fingerprints": self.fingerprints,
            "asked": {name: ranges(seeds) for name, seeds in asked.items()},
        }
        known = self._known(others_write)
        if known is not None:  # settings that are not run now stay known
            for part in ("digests", "lane_widths", "data", "fingerprints"):
                content[part] = known[part] | content[part]
            for name, before in known["asked"].items():
                content["asked"][name] = united(before, content["asked"].get(name, ""))
        content["runs"] = shards.records(self.path)
        written = sealed.json_as_bytes(content)
        if not self.manifest.exists() or files.read_bytes(self.manifest) != written:
            sealed.write_result(self.manifest, written)


def read_folder(path: str | Path) -> Folder:
    """Return a folder of results as its manifest describes it; ResultsError if there is none."""
    manifest = Path(path) / MANIFEST
    if not manifest.exists():
        raise ResultsError(f"{path} holds no results (no {MANIFEST})")
    content = manifests.read_sweep(manifest)
    sweep = sweep_from_json(json.dumps(content["sweep"]))
    own = next(iter(content["fingerprints"].values()))
    folder = Folder(path, sweep, content | {"fingerprint": own})
    folder.fingerprints.update(content["fingerprints"])
    return folder


def read_sweep(path: str | Path) -> Result:
    """Return the result that a folder holds, without training; ResultsError if there is none."""
    folder = read_folder(path)
    members = Stored(folder.sweep, folder.chunks)
    if not members:
        raise ResultsError(f"{path} holds no members yet")
    return Result(folder.sweep, members)
