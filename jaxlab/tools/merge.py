"""Put together what several processes or machines have trained, and write the tables.

python -m jaxlab merge results/absolute_value
python -m jaxlab merge results/absolute_value machine1/absolute_value machine2/absolute_value
"""

import importlib

from jaxlab import commandline, merging, shards, store
from jaxlab.sealed import ResultsError


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m jaxlab merge", __doc__)
    text = "the folder of a sweep, with or without results"
    made.add_argument("folder", type=commandline.path, help=text)
    text = "folders of the same sweep whose networks are brought there; they stay as they are"
    made.add_argument("sources", type=commandline.path, nargs="*", help=text)
    text = "accept networks of different versions or machines, whose last bits may differ"
    made.add_argument("--mix", action="store_true", help=text)
    return made


def main(argv: list[str]) -> None:
    """Merge the folders, name what overlaps or is missing, and write the tables if nothing is."""
    options = parser().parse_args(argv)
    path = options.folder
    if options.sources:
        overlaps = merging.merge(path, options.sources, mix=options.mix)
        for name, count in overlaps.items():
            print(f"overlap: {count:,} networks of {name} are in two folders, and are the same")
    folder = store.read_folder(path)
    with shards.briefly(path):
        lacking = merging.missing(folder)
        if lacking:
            words = merging.in_words(folder, lacking)
            raise ResultsError(f"{path} is not complete; missing: {words}; run them, then merge")
        found = store.read_sweep(path)
        tables = _tables(found.sweep.name)
        if tables is None:
            found.to_csv(path / "summary.csv")
            print(found, f"\nwritten: {path}/summary.csv (predictions belong to sweeps by name)")
            return
        tables(path)
    for line in folder.mixture():
        print(line)
    print(found, f"\nwritten: {path}/summary.csv, predictions.csv", sep="\n")


def _tables(name: str):
    """Return what writes the tables of a sweep of that name; None where there is no such sweep."""
    try:  # sweeps use jaxlab and are not part of it: they are there beside it, or not
        sweeps, running = (importlib.import_module(m) for m in ("sweeps", "sweeps._run"))
    except ModuleNotFoundError:
        return None
    if name not in commandline.scripts(sweeps):
        return None
    return lambda folder: running.tables(name, folder)
