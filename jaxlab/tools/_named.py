"""Sweeps that tools are told by name: a folder of results, or a script of the package `sweeps`."""

from pathlib import Path

from jaxlab import commandline, question, store
from jaxlab.result import Result
from jaxlab.spec import Sweep

RESULTS = Path("results")


def folder_of(name: str, results: Path = RESULTS) -> Path | None:
    """Return the folder that holds a sweep's results: `name` itself, or that name in `results`.

    A question's task becomes known.
    """
    for folder in (Path(name), results / name):
        if (folder / store.MANIFEST).exists():
            asked = question.read(folder)
            if asked is not None:
                asked.task()  # makes its name known
            return folder
    return None


def result_of(name: str, results: Path = RESULTS) -> Result:
    """Return what a folder holds; ValueError (or ResultsError) if there are no results."""
    folder = folder_of(name, results)
    if folder is None:
        remedy = f"make them with python -m sweeps {name}, or name their folder"
        raise ValueError(f"no results called {name!r} here or in {results}; {remedy}")
    return store.read_sweep(folder)


def sweep_of(name: str, results: Path = RESULTS) -> Sweep:
    """Return a sweep that has results, or that a script of the package `sweeps` builds.

    ValueError where there is neither.
    """
    folder = folder_of(name, results)
    if folder is not None:
        return store.read_folder(folder).sweep
    script = commandline.beside("sweeps", name)
    if script is None:
        right = "the name of a sweep (python -m sweeps lists them) or a folder of results"
        raise ValueError(f"no sweep is called {name!r} here or in {results}; give {right}")
    built = script.build()
    if not isinstance(built, Sweep):
        raise ValueError(f"{name} is no sweep of settings, so that no single network has a name")
    return built
