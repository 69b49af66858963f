"""Train one network of a sweep again, with the same bits, and draw and tell its story.

python -m jaxlab replay absolute_value --setting k=2 --seed 17
python -m jaxlab replay absolute_value --setting k=2 --outcome dead --against solved --animate
python -m jaxlab replay results/negation --setting 'normal, ReLU' --seed 2 --out pictures

--outcome and --against find a seed in results on disk; the second network stands beside the first.
"""

import re
import shlex
import sys
from argparse import Namespace
from pathlib import Path

from jaxlab import commandline, files, keys, pictures, store
from jaxlab.outcomes import OUTCOMES
from jaxlab.replaying import moving, story
from jaxlab.replaying.trajectory import replay
from jaxlab.spec import Sweep
from jaxlab.tools import _named

MOST = 2  # networks side by side
LONGEST_NAME = 100  # characters of a file's name that come from a setting's


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab replay", __doc__)
    made.add_argument("name", help="a sweep: its name, or a folder of its results")
    made.add_argument("--setting", help="which of its settings; needed if there are several")
    text = "which network; a second one stands beside it"
    seed = commandline.whole(0, keys.MAX_SEED)
    made.add_argument("--seed", type=seed, action="append", default=[], help=text)
    text = "instead of a seed: the first in the results that ended so"
    made.add_argument("--outcome", choices=OUTCOMES, metavar="OUTCOME", help=text)
    text = "beside it the first that ended so: " + ", ".join(OUTCOMES)
    made.add_argument("--against", choices=OUTCOMES, metavar="OUTCOME", help=text)
    results = {"type": commandline.path, "default": _named.RESULTS}
    made.add_argument("--results", **results, help="where results are; default: results")
    text = "default: the folder replay among the sweep's results, or results/replay/NAME"
    made.add_argument("--out", type=commandline.path, help=text)
    made.add_argument("--animate", action="store_true", help="also write a GIF")
    made.add_argument("--quiet", action="store_true", help="show no progress")
    return made


def main(arguments: list[str]) -> None:
    """Replay, print the story, write its figure; ValueError for what cannot be found."""
    options = parser().parse_args(arguments)
    folder = _named.folder_of(options.name, options.results)
    sweep = _named.sweep_of(options.name, options.results)
    setting = _setting(sweep, options.setting)
    seeds = _seeds(options, sweep, setting, folder)
    out = options.out or (folder or options.results / "replay" / sweep.name)
    out = out / "replay" if options.out is None and folder is not None else out
    _check_writable(out)
    told = {"results": folder, "progress": not options.quiet}
    found = [replay(sweep, setting, seed, **told) for seed in seeds]
    picture = story.figure(found)
    made = {kind: pictures.as_bytes(picture, kind) for kind in pictures.METADATA}
    if options.animate:
        if not options.quiet and sys.stderr.isatty():
            print("drawing the animation: some ten seconds", file=sys.stderr)
        made["gif"] = moving.animation(found)
    paths = pictures.save(out, file_name(sweep, setting, seeds), made)
    print("\n\n".join(map(str, found)))
    print("\nwritten:", *paths, sep="\n  ")


def _setting(sweep: Sweep, asked: str | None) -> str:
    """Return the setting asked for, or the only one; ValueError names those there are."""
    names = [setting.name for setting in sweep.settings]
    if asked in names:
        return asked
    if asked is None and len(names) == 1:
        return names[0]
    said = "no --setting is given" if asked is None else f"no setting is called {asked!r}"
    raise ValueError(f"{said}; {sweep.name} has: {', '.join(names)}")


def _seeds(options: Namespace, sweep: Sweep, setting: str, folder: Path | None) -> list[int]:
    """Return the seeds asked for, by number or by outcome."""
    wanted = [outcome for outcome in (options.outcome, options.against) if outcome]
    count = len(options.seed) + len(wanted)
    if not 1 <= count <= MOST or len(set(options.seed)) < len(options.seed):
        raise ValueError(
            f"{count} networks are asked for; give one or two different ones, by --seed, --outcome "
            "and --against"
        )
    seeds = list(options.seed)
    for outcome in wanted:
        if folder is None:
            out = options.results
            where = "" if out == _named.RESULTS else f" --out {shlex.quote(str(out))}"
            remedy = f"make them with python -m sweeps {sweep.name}{where}, or give a --seed"
            raise ValueError(f"no results of {sweep.name} to find {outcome!r} in; {remedy}")
        ended = [s for s in store.read_sweep(folder).seeds(setting, outcome) if s not in seeds]
        if not ended:
            raise ValueError(f"no other network of {setting!r} in {folder} ended as {outcome!r}")
        seeds.append(int(ended[0]))
    return seeds


def file_name(sweep: Sweep, setting: str, seeds: list[int]) -> str:
    """Return a name that every file system takes, for no other setting of the sweep."""
    alike = [s for s in sweep.settings if _plain(s.name) == _plain(setting)]
    own = f"-{sweep[setting].digest[:8]}" if len(alike) > 1 else ""
    return f"{_plain(setting)}{own}-seed-{'-and-'.join(map(str, seeds))}"


def _plain(setting: str) -> str:
    """Return a setting's name as part of a file's.

    >>> _plain("normal, slope 0.001")
    'normal-slope-0.001'
    """
    return re.sub(r"[^A-Za-z0-9.=_]+", "-", setting).strip("-.")[:LONGEST_NAME] or "setting"


def _check_writable(out: Path) -> None:
    """Raise ValueError where a folder cannot be made, before minutes of training; leave none."""
    try:
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        files.make_folder(out)
        for folder in missing:
            folder.rmdir()
    except (OSError, ValueError) as error:
        raise pictures.unwritable(out, error) from error
