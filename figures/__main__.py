"""Draw figures from the results of sweeps; never train.

python -m figures absolute_value               from results/ into results/figures/
python -m figures all                          every figure whose results are there
python -m figures all --results DIR --out DIR

A figure is a module of this package, named after its sweep or grid, whose `draw(result)` returns
matplotlib figures by file name, each with the numbers of its caption. Its docstring begins with its
message.
"""

import importlib
import json
import pkgutil
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure

import figures
from jaxlab import commandline, grid_runs, pictures, plotting, store
from jaxlab.pictures import METADATA, save

RESULTS = Path("results")


def names() -> list[str]:
    """Return the names of all figures: the modules of this package."""
    return commandline.scripts(figures)


def has_results(name: str, results: Path) -> bool:
    """Say whether a sweep's folder holds members, or a grid's its counts."""
    folder = results / name
    if (folder / grid_runs.FILE).exists():
        return True
    return (folder / "manifest.json").exists() and any((folder / "chunks").glob("*.npz"))


def remedy(name: str, results: Path) -> str:
    """Return the command that makes a sweep's results."""
    out = "" if results == RESULTS else f" --out {shlex.quote(str(results))}"
    return f"python -m sweeps {name}{out}"


def draw(name: str, results: Path, out: Path) -> list[Path]:
    """Draw a sweep's figures from `results`/`name` and return the files written to `out`.

    ValueError names the command that makes missing results, or the folder it cannot write to.
    """
    module = commandline.script(figures, name)
    if not has_results(name, results):
        raise ValueError(f"no results in {results / name}; make them: {remedy(name, results)}")
    is_grid = (results / name / grid_runs.FILE).exists()
    result = (grid_runs.read_grid if is_grid else store.read_sweep)(results / name)
    paths = []
    with style.context(dict(plotting.STYLE), after_reset=True):
        for file, (figure, numbers) in module.draw(result).items():
            said = message(name, file)
            text = {"figure": file, "sweep": name, "message": said, "numbers": numbers}
            paths += save(out, file, contents(figure, text))
    return paths


def describing(name: str, file: str) -> ModuleType:
    """Return the module whose docstring is about a figure: `_part` for `name`_part, else `name`."""
    part = file.removeprefix(name)
    is_shared = part in (module.name for module in pkgutil.iter_modules(figures.__path__))
    shared = importlib.import_module(f"figures.{part}") if is_shared else None
    return shared or commandline.script(figures, name)


def message(name: str, file: str) -> str:
    """Return a figure's message: the first line of the docstring that is about it."""
    return (describing(name, file).__doc__ or "").splitlines()[0]


def contents(figure: Figure, text: Mapping[str, Any]) -> dict[str, bytes]:
    """Return a figure's files by their endings; equal figures give equal bytes."""
    made = {kind: pictures.as_bytes(figure, kind) for kind in METADATA}
    return made | {"json": (json.dumps(text, indent=2) + "\n").encode()}


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m figures", __doc__)
    made.add_argument("name", help=f"{', '.join(names())}, or all")
    made.add_argument("--results", type=commandline.path, default=RESULTS, help="default: results")
    text = "default: the folder figures inside --results"
    made.add_argument("--out", type=commandline.path, help=text)
    return made


def main() -> None:
    """Draw one figure, or all whose results exist."""
    options = parser().parse_args()
    wanted = names() if options.name == "all" else [options.name]
    missing = []
    if options.name == "all":
        missing = [name for name in wanted if not has_results(name, options.results)]
    if missing == wanted:
        commands = ", ".join(remedy(name, options.results) for name in missing)
        raise ValueError(f"{options.results} holds no results to draw; make them: {commands}")
    for name in wanted:
        if name in missing:
            print(f"left out: {name}, which has no results; {remedy(name, options.results)}")
            continue
        if sys.stderr.isatty():  # theory that has to be followed step by step takes minutes
            print(f"drawing {name} ...", file=sys.stderr)
        for path in draw(name, options.results, options.out or options.results / "figures"):
            print(f"drawn: {path}")


if __name__ == "__main__":
    commandline.run_cleanly(main)
