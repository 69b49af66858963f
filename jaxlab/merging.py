"""What a folder still lacks, and one folder out of several that were filled apart."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxlab import chunks, shards, store
from jaxlab.sealed import ResultsError
from jaxlab.shards import Shard
from jaxlab.store import Folder, ranges, seeds_in

Arrays = Mapping[str, np.ndarray]


def missing(folder: Folder) -> dict[str, np.ndarray]:
    """Return, by setting, the seeds that were asked for and are not in a folder."""
    asked = store.read_manifest(folder.manifest)["asked"]
    found = {}
    for setting in folder.sweep.settings:
        seeds = np.setdiff1d(seeds_in(asked.get(setting.name, "")), folder.chunks.seeds(setting))
        if len(seeds):
            found[setting.name] = seeds
    return found


def in_words(folder: Folder, lacking: Mapping[str, np.ndarray]) -> str:
    """Return which shards of a folder are missing; by settings if it was divided in two ways."""
    plans = {shard.of for shard in shards.recorded_shards(folder.path)}
    if len(plans) != 1:
        counts = {f"setting {name}": len(seeds) for name, seeds in lacking.items()}
    else:
        (of,) = plans
        counts = {f"shard {s}": n for s, n in _by_shard(folder, lacking, of).items()}
    named = [f"{name} ({count:,} networks)" for name, count in counts.items()]
    return ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")


def _by_shard(folder: Folder, lacking: Mapping[str, np.ndarray], of: int) -> dict[Shard, int]:
    counts: dict[Shard, int] = {}
    for position, setting in enumerate(folder.sweep.settings):
        seeds = lacking.get(setting.name, np.empty(0, np.int64))
        owners, numbers = np.unique((position + seeds // chunks.CHUNK) % of, return_counts=True)
        for owner, number in zip(owners.tolist(), numbers.tolist(), strict=True):
            shard = Shard(owner + 1, of)
            counts[shard] = counts.get(shard, 0) + number
    return dict(sorted(counts.items()))


def merge(target: Path, sources: Sequence[Path], *, mix: bool = False) -> dict[str, int]:
    """Bring the members of several folders of one sweep together in `target`.

    Sources stay as they are. Return, by setting, how many networks more than one folder holds, and
    holds alike. ResultsError, with nothing written, if the folders are of different sweeps, of
    different versions or machines (unless told to `mix`), or differ in a network that two hold.
    """
    found = [store.read_folder(path) for path in sources]
    if (target / store.MANIFEST).exists():
        found = [store.read_folder(target), *found]
    first = found[0]
    for other in found[1:]:
        if other.sweep != first.sweep:
            raise ResultsError(f"{first.path} and {other.path} hold different sweeps; keep apart")
        for by in other.fingerprints.values():
            own = dict(other.identity) | {"fingerprint": by}
            Folder(first.path, other.sweep, own, mix=mix).check()
    into = Folder(target, first.sweep, first.identity, mix=mix)
    into.check()
    overlaps = _overlaps(found)
    with shards.briefly(target), shards.writing(target):
        for source in found:
            into.fingerprints.update(source.fingerprints)
        for source in found:
            asked = store.read_manifest(source.manifest)["asked"]
            shards.take_over(target, source.path)
            into.write_manifest({name: seeds_in(text) for name, text in asked.items()})
            _copy(into, source)
    return overlaps


def _overlaps(found: Sequence[Folder]) -> dict[str, int]:
    """Count what two folders hold; ResultsError if they hold it differently."""
    counts: dict[str, int] = {}
    for (i, folder), setting in itertools.product(enumerate(found), found[0].sweep.settings):
        for index, path in folder.chunks.all(setting):
            new = folder.chunks.read(path, setting)
            for earlier in found[:i]:
                for known in earlier.chunks.paths(setting).get(index, []):
                    count = _common(known, earlier.chunks.read(known, setting), path, new)
                    if count:
                        counts[setting.name] = counts.get(setting.name, 0) + count
    return counts


def _common(path: Path, known: Arrays, other: Path, new: Arrays) -> int:
    both, mine, its = np.intersect1d(known["seeds"], new["seeds"], return_indices=True)
    # Chunks of one name were made by the same versions on the same machine.
    alike = all(known[name][mine].tobytes() == new[name][its].tobytes() for name in new)
    if path.name == other.name and not alike:
        text = f"hold different networks of the seeds {ranges(both)[:40]}; one of them is wrong"
        raise ResultsError(f"{path} and {other} {text}")
    return len(both)


def _copy(into: Folder, source: Folder) -> None:
    for setting in source.sweep.settings:
        for index, path in source.chunks.all(setting):
            new = source.chunks.read(path, setting)
            known = into.chunks.load(setting, index, index + 1)
            fresh = ~np.isin(new["seeds"], [] if known is None else known.seeds)
            if fresh.any():
                arrays = {name: values[fresh] for name, values in new.items()}
                by = source.chunks.made_by(path)
                into.chunks.add(setting, arrays.pop("seeds"), arrays, by)
