"""Put together what several processes or machines have trained, and write the tables.

python -m jaxlab merge results/absolute_value
python -m jaxlab merge results/absolute_value machine1/absolute_value machine2/absolute_value
"""

import importlib
from typing import Any

from jaxlab import commandline, export, looks, merging, shards, store
from jaxlab.result import Result
from jaxlab.sealed import ResultsError
from jaxlab.store import Folder


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m jaxlab merge", __doc__)
    text = "the folder of a sweep, with or without results"
    made.add_argument("folder", type=commandline.path, help=text)
    text = "folders of the same sweep whose networks are brought there; they stay as they are"
    made.add_argument("sources", type=commandline.path, nargs="*", help=text)
    text = "accept networks of different versions or machines, whose last bits may differ"
    made.add_argument("--mix", action="store_true", help=text)
    text = "write the tables also where networks are missing"
    made.add_argument("--partial", action="store_true", help=text)
    text = "also write a row for every network: members.csv, or members.parquet (needs pyarrow)"
    made.add_argument("--export", choices=export.KINDS, help=text)
    return made


def main(argv: list[str]) -> None:
    """Merge the folders, name what overlaps or is missing, and write the tables if nothing is."""
    options = parser().parse_args(argv)
    path = options.folder
    if options.export:
        export.check(options.export)
    if options.sources:
        overlaps = merging.merge(path, options.sources, mix=options.mix)
        for name, count in overlaps.items():
            print(f"overlap: {count:,} networks of {name!r} are in two folders, and are the same")
    folder = store.read_folder(path)
    with shards.briefly(path):
        lacking = merging.missing(folder, merging.asked_for(folder))
        words = merging.in_words(folder, lacking)
        if lacking and not options.partial:
            text = "train them, or have the tables of what is there with --partial"
            raise ResultsError(f"{path} is not complete; missing: {words}; {text}")
        found = store.read_sweep(path)
        written = _write_tables(folder, found)
    print(*folder.mixture(), *([f"missing: {words}"] if lacking else []), sep="\n", end="")
    print(found, f"\nwritten: {written}", sep="\n")
    if options.export:
        print(f"exported: {export.write(found, path, options.export)}")


def _write_tables(folder: Folder, found: Result) -> str:
    """Write the tables of a sweep; its predictions if it is one of those in `sweeps`."""
    path, name = folder.path, found.sweep.name
    running = _running(found)
    if running is None:
        found.to_csv(path / "summary.csv")
        return f"{path}/summary.csv (predictions are those of sweeps run by name)"
    running.tables(name, path)
    seeds = [its.min() for its in merging.asked_for(folder).values() if len(its)]
    said = looks.record(path, int(min(seeds)), found)
    draw = f"python -m figures {name} --results {path.parent}"
    return f"{path}/summary.csv, predictions.csv{said}\nits figure: {draw}"


def _running(found: Result) -> Any:
    """Return the module that runs sweeps by name; None if a result is of none of these."""
    script = commandline.beside("sweeps", found.sweep.name)
    if script is None or script.build() != found.sweep:
        return None
    return importlib.import_module("sweeps._run")
