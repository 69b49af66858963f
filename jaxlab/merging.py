"""What a folder still lacks, and one folder out of several that were filled apart."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxlab import chunks, manifests, shards, store
from jaxlab.sealed import ResultsError
from jaxlab.seed_ranges import pairs_in, ranges, seeds_in
from jaxlab.shards import Shard
from jaxlab.store import Folder

Arrays = Mapping[str, np.ndarray]
MOST_NAMED = 5
MOST_NETWORKS = 2**29  # asked for in a folder; the list of all that are missing takes 4 GiB


def missing(folder: Folder, asked: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return, by setting, the seeds that are asked for and not in a folder.

    Where whole chunks are missing these are named without reading any: there may be many others.
    """
    lacking = {}
    for setting in folder.sweep.settings:
        seeds = asked.get(setting.name, np.empty(0, np.int64))
        there = list(folder.chunks.paths(setting))
        lacking[setting.name] = seeds[~np.isin(seeds // chunks.CHUNK, there)]
    if not any(map(len, lacking.values())):
        for setting in folder.sweep.settings:
            seeds = asked.get(setting.name, np.empty(0, np.int64))
            lacking[setting.name] = np.setdiff1d(seeds, folder.chunks.seeds(setting))
    return {name: seeds for name, seeds in lacking.items() if len(seeds)}


def asked_for(folder: Folder) -> dict[str, np.ndarray]:
    """Return, by setting, all seeds that a folder was ever to hold."""
    asked = manifests.read_sweep(folder.manifest)["asked"]
    networks = sum(b - a + 1 for text in asked.values() for a, b in pairs_in(text))
    if networks > MOST_NETWORKS:
        most = f"at most {MOST_NETWORKS:,} can be looked for at once"
        raise ResultsError(f"{folder.manifest} asks for {networks:,} networks; {most}")
    # The same seeds are one array, however many settings have them: lists of seeds can be long.
    lists = {text: seeds_in(text) for text in set(asked.values())}
    return {name: lists[text] for name, text in asked.items()}


def in_words(folder: Folder, lacking: Mapping[str, np.ndarray]) -> str:
    """Return which shards of a folder are missing; by settings if it was divided in two ways."""
    plans = {shard.of for shard in shards.recorded_shards(folder.path)}
    if len(plans) != 1 or plans == {1}:
        counts = {f"setting {name!r}": len(seeds) for name, seeds in lacking.items()}
    else:
        (of,) = plans
        counts = {f"shard {s}": n for s, n in _by_shard(folder, lacking, of).items()}
    named = [f"{name} ({count:,} networks)" for name, count in counts.items()]
    return ", ".join(named[:MOST_NAMED]) + (
        f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    )


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

    Sources stay as they are. Return, by setting, how often a network is in one more folder, and is
    the same there. ResultsError, with nothing written, if the folders are of different sweeps, of
    different versions or machines (unless told to `mix`), or differ in a network that two hold.
    """
    apart = {path.resolve(): path for path in sources if path.resolve() != target.resolve()}
    found = [store.read_folder(path) for path in apart.values()]
    if not found:
        return {}
    overlaps = _checked(target, found, mix)  # before anything is written
    with shards.briefly(target), shards.writing(target):
        _checked(target, found, mix)
        into, asked = _folder(target, found, mix), dict[str, np.ndarray]()
        for source in found:
            into.fingerprints.update(source.fingerprints)
            shards.take_over(target, source.path)
            for name, seeds in asked_for(source).items():
                asked[name] = np.union1d(asked.get(name, np.empty(0, np.int64)), seeds)
        into.write_manifest(asked, others_write=True)
        for source in found:
            _copy(into, source)
    return overlaps


def _folder(target: Path, found: Sequence[Folder], mix: bool) -> Folder:
    known = store.read_folder(target) if (target / store.MANIFEST).exists() else found[0]
    into = Folder(target, known.sweep, known.identity, mix=mix)
    into.check(others_write=True)
    return into


def _checked(target: Path, found: Sequence[Folder], mix: bool) -> dict[str, int]:
    """Return how many networks are in two folders; ResultsError if they do not belong together."""
    everything = list(found)
    if (target / store.MANIFEST).exists():
        everything = [store.read_folder(target), *everything]
    else:
        _folder(target, found, mix)
    for first, other in itertools.pairwise(everything):
        if other.sweep != first.sweep:
            raise ResultsError(f"{first.path} and {other.path} hold different sweeps; keep apart")
        for by in other.fingerprints.values():
            own = dict(other.identity) | {"fingerprint": by}
            Folder(first.path, other.sweep, own, mix=mix).check(others_write=True)
    return _overlaps(everything)


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
