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
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

from jaxlab.result import Members, Result
from jaxlab.spec import Setting, Sweep, sweep_from_json

CHUNK = 4096
MANIFEST = ("sweep", "digests", "lane_widths", "fingerprint")
PACKAGES = ("jaxlab", "jax", "jaxlib", "flax", "optax", "numpy")


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
    }


def _cpu_features() -> str:
    # XLA compiles for the features it finds, and other vector widths round differently.
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(flags.encode()).hexdigest()[:16]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename it into place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class Folder:
    """The results of one sweep in a directory."""

    def __init__(self, path: str | Path, sweep: Sweep, lanes: Mapping[str, int]):
        self.path, self.sweep, self.lanes = Path(path), sweep, dict(lanes)
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
        for setting in self.sweep.settings:
            before = known["digests"].get(setting.name, setting.digest)
            if before != setting.digest:
                raise ResultsError(
                    f"{self.path} holds setting {setting.name!r} of another specification "
                    f"({before[:12]}, now {setting.digest[:12]}); {remedy}"
                )
            lanes = self.lanes[setting.name]
            before = known["lane_widths"].get(setting.name, lanes)
            if before != lanes:
                raise ResultsError(
                    f"{self.path} holds setting {setting.name!r} at lane width {before}, "
                    f"not {lanes}; {remedy}"
                )
        if known["fingerprint"] != fingerprint():
            raise ResultsError(
                f"{self.path} was made with other versions, flags or another kind of device, "
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
            return self.read_manifest(self.manifest)
        # An empty chunks folder is what a run leaves that was killed before its first file.
        if any(p.name != "chunks" for p in self.path.iterdir()) or any(self.chunks.glob("*")):
            raise ResultsError(
                f"{self.path} is not empty and holds no manifest.json; choose another --out"
            )
        return None

    def write_manifest(self, command: str) -> None:
        """Write what the folder holds: specification, digests, lane widths, versions, command."""
        content = {
            "sweep": json.loads(self.sweep.to_json()),
            "digests": {s.name: s.digest for s in self.sweep.settings},
            "lane_widths": self.lanes,
            "fingerprint": fingerprint(),
            "command": command,
        }
        write_atomically(self.manifest, (json.dumps(content, indent=2) + "\n").encode())

    def _chunk_path(self, setting: Setting, index: int) -> Path:
        plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", setting.name)
        return self.chunks / f"{plain}.{zlib.crc32(setting.name.encode()):08x}.{index:06d}.npz"

    def _read_chunk(self, path: Path, setting: Setting) -> dict[str, np.ndarray]:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            digest, seeds = str(arrays.pop("digest")), arrays["seeds"]
            if any(len(values) != len(seeds) for values in arrays.values()):
                raise ValueError("arrays of different lengths")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ResultsError(
                f"{path} is damaged ({type(error).__name__}); move it away to train its seeds again"
            ) from error
        if digest != setting.digest:
            raise ResultsError(f"{path} belongs to another specification; move it away")
        return arrays

    def load(self, setting: Setting) -> Members | None:
        """Return all members of a setting that are on disk; None if there are none."""
        stem = self._chunk_path(setting, 0).name.removesuffix("000000.npz")
        paths = sorted(p for p in self.chunks.glob("*.npz") if p.name.startswith(stem))
        parts = [self._read_chunk(path, setting) for path in paths]
        if not parts:
            return None
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
                new = {name: np.concatenate([old[name], new[name]]) for name in new}
            order = np.argsort(new["seeds"])
            content = io.BytesIO()
            arrays_in_order = {name: values[order] for name, values in new.items()}
            digest = {"digest": np.array(setting.digest)}
            np.savez(content, allow_pickle=False, **(digest | arrays_in_order))
            write_atomically(path, content.getvalue())


def read_sweep(path: str | Path) -> Result:
    """Return the result that a folder holds, without training; ResultsError if there is none."""
    manifest = Path(path) / "manifest.json"
    if not manifest.exists():
        raise ResultsError(f"{path} holds no results (no manifest.json)")
    content = Folder.read_manifest(manifest)
    sweep = sweep_from_json(json.dumps(content["sweep"]))
    folder = Folder(path, sweep, content["lane_widths"])
    members = {s.name: found for s in sweep.settings if (found := folder.load(s)) is not None}
    if not members:
        raise ResultsError(f"{path} holds no members yet")
    return Result(sweep, members)
