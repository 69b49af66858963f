"""Results on disk: chunks of members, the manifest that says what they are, and who made them.

A chunk holds up to `CHUNK` neighbouring seeds of one setting. Every file is written under a
temporary name and renamed, so that a killed run leaves no half file. A folder of another
specification and a damaged chunk are reported and never overwritten.
"""

import hashlib
import io
import json
import os
import platform
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxlab import tasks
from jaxlab.files import write_atomically
from jaxlab.result import Members, Result
from jaxlab.spec import Setting, Sweep, Task, sweep_from_json

CHUNK = 4096
MANIFEST = ("sweep", "digests", "lane_widths", "data", "fingerprint")
COLUMNS = {f.name for f in fields(Members) if f.default is MISSING}
UNREADABLE = (
    *(OSError, ValueError, TypeError, KeyError, RuntimeError),
    *(EOFError, zipfile.BadZipFile, zlib.error),
)
PACKAGES = ("jaxlab", "jax", "jaxlib", "flax", "optax", "numpy", "llvmlite")


class ResultsError(ValueError):
    """A results folder that cannot be used as asked; its text is one clear line."""


def fingerprint() -> dict[str, str]:
    """Return what fixes every bit of a result beside its specification."""
    device = jax.local_devices()[0]
    return {
        **{name: version(name) for name in PACKAGES},
        "backend": jax.default_backend(),
        "device": device.device_kind,
        "machine": platform.machine(),
        "cpu_features": _cpu_features() if device.platform == "cpu" else "",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "x64": str(jax.config.read("jax_enable_x64")),
    }


def write_result(path: Path, content: bytes) -> None:
    """Write a file of results, its folder too; ResultsError if that cannot be written to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"cannot write to {path.parent}: {reason}; choose another --out"
        raise ResultsError(text) from error


def _cpu_features() -> str:
    # XLA compiles for the features it finds, and other vector widths round differently.
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(flags.encode()).hexdigest()[:16]


def identity_of(sweep: Sweep, lanes: Mapping[str, int]) -> dict[str, Any]:
    """Return what makes members what they are beside the sweep's own specification.

    Lane widths and a checksum of the task's rows by setting, and the fingerprint. The checksum is
    there because a specification names its task, and a name can be given another meaning.
    """
    checksums = {task: _data_checksum(task) for task in {s.task for s in sweep.settings}}
    data = {s.name: checksums[s.task] for s in sweep.settings}
    return {"lane_widths": dict(lanes), "data": data, "fingerprint": fingerprint()}


def _data_checksum(task: Task) -> str:
    inputs, targets, regions = tasks.example(task)
    checksum = hashlib.sha256(" ".join(regions).encode())
    for array in (inputs, targets, *regions.values()):
        checksum.update(np.asarray(array).tobytes())
    return checksum.hexdigest()[:16]


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> str:
    names = [name for name in now if was.get(name) != now[name]]
    return ", ".join(
        f"{name} {was.get(name) or 'none'}, now {now[name] or 'none'}" for name in names
    )


def _is_temporary(path: Path) -> bool:
    # What `write_atomically` leaves behind where the process was killed with no time to clean up.
    return path.name.startswith(".") and path.name.endswith(".tmp")


class Folder:
    """The results of one sweep in a directory.

    `identity` is what, beside the sweep, makes its members the ones they are: see `identity_of`.
    """

    def __init__(self, path: str | Path, sweep: Sweep, identity: Mapping[str, Any]):
        self.path, self.sweep = Path(path), sweep
        self.identity = {name: identity[name] for name in ("lane_widths", "data", "fingerprint")}
        self.chunks, self.manifest = self.path / "chunks", self.path / "manifest.json"

    def open(self) -> None:
        """Make the folder or check that it is this sweep's; ResultsError if it cannot be used."""
        try:
            known = self._known_manifest() if self.path.exists() else None
            if known is not None:
                self._compare(known)
            self.chunks.mkdir(parents=True, exist_ok=True)
            if not os.access(self.chunks, os.W_OK):
                raise PermissionError("not writable")
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"cannot write to {self.path}: {reason}; choose another --out"
            raise ResultsError(text) from error

    def _compare(self, known: dict) -> None:
        remedy = "choose another --out or move it away"
        if known["sweep"]["name"] != self.sweep.name:
            other = known["sweep"]["name"]
            raise ResultsError(
                f"{self.path} holds the sweep {other!r}, not {self.sweep.name!r}; {remedy}"
            )
        if known["sweep"]["paired"] != self.sweep.paired:
            was = "paired" if known["sweep"]["paired"] else "not paired"
            raise ResultsError(f"{self.path} holds members that were {was}; {remedy}")
        for setting in self.sweep.settings:
            before = known["digests"].get(setting.name, setting.digest)
            if before != setting.digest:
                raise ResultsError(
                    f"{self.path} holds setting {setting.name!r} of another specification "
                    f"({before[:12]}, now {setting.digest[:12]}); {remedy}"
                )
            was, now = (i["lane_widths"].get(setting.name) for i in (known, self.identity))
            if was not in (None, now):
                name = f"setting {setting.name!r}"
                raise ResultsError(
                    f"{self.path} holds {name} at lane width {was}, not {now}; {remedy}"
                )
            was, now = (i["data"].get(setting.name) for i in (known, self.identity))
            if was not in (None, now):
                task = setting.task.name
                raise ResultsError(
                    f"{self.path} was made when the task {task!r} had other rows; {remedy}"
                )
        changed = _differences(known["fingerprint"], self.identity["fingerprint"])
        if changed:
            raise ResultsError(
                f"{self.path} was made elsewhere ({changed}), "
                f"so that last bits could differ; {remedy}"
            )

    @staticmethod
    def read_manifest(path: Path) -> dict:
        """Return the content of a manifest; ResultsError if it is damaged."""
        try:
            content = json.loads(path.read_text())
            if not all(isinstance(content[name], dict) for name in MANIFEST):
                raise TypeError
            sweep_from_json(json.dumps(content["sweep"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(
                f"{path} is damaged ({type(error).__name__}); move the folder away"
            ) from error
        return content

    def _known_manifest(self) -> dict | None:
        if self.manifest.exists():
            known = self.read_manifest(self.manifest)
            return known if any(self.chunks.glob("*.npz")) else None  # a plan nobody carried out
        # An empty chunks folder is what a run leaves that was killed before its first file.
        found = [p for p in (*self.path.iterdir(), *self.chunks.glob("*")) if p != self.chunks]
        if any(not _is_temporary(p) for p in found):
            raise ResultsError(
                f"{self.path} is not empty and holds no manifest.json; choose another --out"
            )
        return None

    def write_manifest(self, command: str) -> None:
        """Write what the folder holds: specification, digests, lane widths, versions, command."""
        content: dict[str, Any] = {
            "sweep": json.loads(self.sweep.to_json()),
            "digests": {s.name: s.digest for s in self.sweep.settings},
            **self.identity,
            "command": command,
        }
        known = self._known_manifest()
        if known is not None:  # settings that are not run now stay known
            for part in ("digests", "lane_widths", "data"):
                content[part] = known[part] | content[part]
        write_atomically(self.manifest, (json.dumps(content, indent=2) + "\n").encode())

    def _mark(self, setting: Setting) -> str:
        """Return, as text, all that a chunk's members depend on beside their seeds."""
        of_setting = {k: self.identity[k][setting.name] for k in ("lane_widths", "data")}
        mark = {"setting": setting.name, "digest": setting.digest, "paired": self.sweep.paired}
        mark |= of_setting | {"fingerprint": self.identity["fingerprint"]}
        return json.dumps(mark, sort_keys=True)

    def _chunk_path(self, setting: Setting, index: int) -> Path:
        plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", setting.name)
        return self.chunks / f"{plain}.{zlib.crc32(setting.name.encode()):08x}.{index:06d}.npz"

    def _read_chunk(self, path: Path, setting: Setting) -> dict[str, np.ndarray]:
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            mark, seeds = str(arrays.pop("mark")), arrays["seeds"]
            if not arrays.keys() >= COLUMNS:
                raise KeyError
            if any(len(values) != len(seeds) for values in arrays.values()):
                raise ValueError("arrays of different lengths")
        except UNREADABLE as error:
            raise self._damaged(path, type(error).__name__) from error
        if mark != self._mark(setting):
            raise ResultsError(
                f"{path} belongs to another specification, lane width or machine; move it away"
            )
        if len(np.unique(seeds)) != len(seeds):
            raise self._damaged(path, "a seed twice")
        return arrays

    @staticmethod
    def _damaged(path: Path, how: str) -> ResultsError:
        return ResultsError(f"{path} is damaged ({how}); move it away to train its seeds again")

    def load(self, setting: Setting) -> Members | None:
        """Return all members of a setting that are on disk; None if there are none."""
        stem = self._chunk_path(setting, 0).name.removesuffix("000000.npz")
        paths = sorted(p for p in self.chunks.glob("*.npz") if p.name.startswith(stem))
        parts = [self._read_chunk(path, setting) for path in paths]
        if not parts:
            return None
        for path, part in zip(paths, parts, strict=True):
            if part.keys() != parts[0].keys():
                raise self._damaged(path, "other columns than its neighbours")
        joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        return Members.joined(joined.pop("seeds"), joined)

    def add(self, setting: Setting, seeds: np.ndarray, arrays: dict[str, np.ndarray]) -> None:
        """Add new members of a setting to the chunks that their seeds belong to."""
        for index in np.unique(seeds // CHUNK):
            mine = seeds // CHUNK == index
            new = {"seeds": seeds[mine], **{name: v[mine] for name, v in arrays.items()}}
            path = self._chunk_path(setting, int(index))
            if path.exists():
                old = self._read_chunk(path, setting)
                unknown = ~np.isin(new["seeds"], old["seeds"])  # another run may have been faster
                new = {name: np.concatenate([old[name], v[unknown]]) for name, v in new.items()}
            order = np.argsort(new["seeds"])
            content = io.BytesIO()
            arrays_in_order = {name: values[order] for name, values in new.items()}
            mark = {"mark": np.array(self._mark(setting))}
            np.savez(content, allow_pickle=False, **(mark | arrays_in_order))
            write_atomically(path, content.getvalue())


def read_sweep(path: str | Path) -> Result:
    """Return the result that a folder holds, without training; ResultsError if there is none."""
    manifest = Path(path) / "manifest.json"
    if not manifest.exists():
        raise ResultsError(f"{path} holds no results (no manifest.json)")
    content = Folder.read_manifest(manifest)
    sweep = sweep_from_json(json.dumps(content["sweep"]))
    folder = Folder(path, sweep, content)
    members = {s.name: found for s in sweep.settings if (found := folder.load(s)) is not None}
    if not members:
        raise ResultsError(f"{path} holds no members yet")
    return Result(sweep, members)
