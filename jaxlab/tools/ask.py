"""Ask whether a network learns a formula or a table: bug, bad luck or impossible.

python -m jaxlab ask --target "abs(x)" --range -1000 1000 --hidden 2 --activation relu
python -m jaxlab ask --target "sin(3*x)" --hidden 4 8 --activation tanh --seeds 10000
python -m jaxlab ask --target "a*b" --range 0 9 --whole-numbers --hidden 8-8 --advise
python -m jaxlab ask --target "a != b" --range 0 1 --whole-numbers --hidden 2
python -m jaxlab ask --data my.csv --target-column y --hidden 16 --scale standard
python -m jaxlab ask --target "max(x, 0)" --region "left=x < 0" --region "right=x > 0"

Several values after a flag are tried one with the other, each combination as a setting of its own.
A formula has + - * / % **, comparisons, pi, e, abs, sqrt, exp, log, sin, cos, tan, tanh, sign,
floor, ceil, round, min, max and where; its other names are the inputs. Learnt means that the
root-mean-square error, in every region, is at most a tenth of the targets' standard deviation.
"""

import argparse
import itertools
import math
import re
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

from jaxlab import (
    advice,
    answer,
    births,
    commandline,
    compare,
    looks,
    question,
    reach,
    runs,
    shards,
    spec,
    store,
    tasks,
)
from jaxlab import compared as compared_as
from jaxlab.question import Question
from jaxlab.spec import Initialiser, Network, Optimiser, Scaling, Setting, Sweep, Training
from jaxlab.tally import Tally
from jaxlab.variants import architecture

MOST_SETTINGS = 200
SEEDS, MOST_SEEDS = 1000, 10**7
WIDTH = 80
NOISE = (
    "A table alone does not tell what of an error is noise, which no network can learn; "
    "--tolerance says how much of it is accepted. All rows are trained on, none is held back."
)
LAWS = tuple(law for law in spec.KERNEL_LAWS if law != "values")
GRID = ("hidden", "activation", "initialiser", "optimiser", "learning_rate", "epochs")


def real(text: str) -> float:
    """Parse a finite number, as an argparse type."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def widths(text: str) -> tuple[int, ...]:
    """Parse the widths of hidden layers: "2", "8-8", or "0" for none."""
    if text == "0":
        return ()
    if not re.fullmatch(r"[1-9][0-9]{0,7}(-[1-9][0-9]{0,7})*", text):
        right = "widths such as 2 or 8-8, or 0 for no hidden layer"
        raise argparse.ArgumentTypeError(f"{text!r} is not {right}")
    return tuple(map(int, text.split("-")))


def region(text: str) -> tuple[str, str]:
    """Parse NAME=CONDITION."""
    name, _, condition = (part.strip() for part in text.partition("="))
    if not name or not condition:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=CONDITION, such as left=x<0")
    return name, condition


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab ask", __doc__)
    what = made.add_argument_group("what is to be learnt")
    what.add_argument("--target", metavar="FORMULA", help="such as abs(x), a*b or sin(3*x)")
    ends = ("LOW", "HIGH")
    text = "between which all inputs lie (default: -1 1)"
    what.add_argument("--range", type=real, nargs=2, metavar=ends, help=text)
    text = "points, evenly spaced, or as many as fit a grid (default: 400)"
    rows = commandline.whole(1, spec.MOST_ROWS)
    what.add_argument("--rows", type=rows, metavar="N", help=text)
    text = "all whole numbers of the range instead"
    what.add_argument("--whole-numbers", action="store_true", help=text)
    text = "every seed draws its own --rows"
    what.add_argument("--per-seed", action="store_true", help=text)
    text = "a table with names in its first line, instead of a formula"
    what.add_argument("--data", type=commandline.path, metavar="FILE.csv", help=text)
    text = "the column to be learnt, from all others"
    what.add_argument("--target-column", metavar="NAME", help=text)
    text = "rows that must be learnt on their own; may be given several times"
    what.add_argument("--region", type=region, action="append", metavar="NAME=CONDITION", help=text)
    text = "of the targets' standard deviation that an error may be (default: 0.1)"
    what.add_argument("--tolerance", type=real, default=0.1, metavar="SHARE", help=text)
    text = "how inputs are scaled: " + ", ".join(spec.SCALINGS)
    what.add_argument("--scale", choices=spec.SCALINGS, metavar="HOW", help=text)
    text = "how targets are scaled; the output must be able to answer them"
    what.add_argument("--scale-targets", choices=spec.SCALINGS, metavar="HOW", help=text)
    how = made.add_argument_group("networks and training; several values make a grid")
    text = "hidden widths, such as 2 or 8-8; 0: none (default: 8)"
    how.add_argument("--hidden", type=widths, nargs="+", default=[(8,)], metavar="W", help=text)
    text = "of the hidden layers (default: relu): " + ", ".join(spec.ACTIVATIONS)
    hidden = {"choices": spec.ACTIVATIONS, "nargs": "+", "default": ["relu"], "metavar": "NAME"}
    how.add_argument("--activation", **hidden, help=text)
    text = "of the last layer (default: linear)"
    last = {"choices": spec.ACTIVATIONS, "default": "linear", "metavar": "NAME"}
    how.add_argument("--output-activation", **last, help=text)
    text = "of leaky_relu below zero (default: 0.3)"
    how.add_argument("--slope", type=real, default=0.3, metavar="S", help=text)
    text = "of all layers (default: glorot_uniform, as in Keras, whose he_normal is "
    text += "he_truncated_normal): " + ", ".join(LAWS)
    laws = {"choices": LAWS, "nargs": "+", "default": ["glorot_uniform"], "metavar": "NAME"}
    how.add_argument("--initialiser", **laws, help=text)
    text = "default: keras_adam; " + ", ".join(spec.OPTIMISERS)
    names = {"choices": spec.OPTIMISERS, "nargs": "+", "default": ["keras_adam"], "metavar": "NAME"}
    how.add_argument("--optimiser", **names, help=text)
    rates = {"type": real, "nargs": "+", "default": [1e-3], "metavar": "R"}
    how.add_argument("--learning-rate", **rates, help="default: 0.001")
    epochs = commandline.whole(1, spec.MOST_STEPS)
    counts = {"type": epochs, "nargs": "+", "default": [1000], "metavar": "N"}
    how.add_argument("--epochs", **counts, help="default: 1000")
    text = "default: 32; 0: all rows at once"
    size = commandline.whole(0, spec.MOST_STEPS)
    how.add_argument("--batch-size", type=size, default=32, metavar="N", help=text)
    how.add_argument("--loss", choices=spec.LOSSES, default="mse", help="default: mse")
    run = made.add_argument_group("the run")
    text = f"seeds of each setting (default: {SEEDS:,})"
    count = commandline.whole(1, MOST_SEEDS)
    run.add_argument("--seeds", type=count, default=SEEDS, metavar="N", help=text)
    text = f"also train variants of the first unlucky setting, {advice.SEEDS:,} seeds at most"
    run.add_argument("--advise", action="store_true", help=text)
    results = Path("results")
    text = "the answer's folder is made in it (default: results)"
    run.add_argument("--out", type=commandline.path, default=results, metavar="DIR", help=text)
    run.add_argument("--quiet", action="store_true", help="no progress")
    return made


def asked(options: argparse.Namespace) -> Question:
    """Return what is to be learnt; ValueError for flags that do not go together.

    What is left out of a table, and what float32 is too coarse for, is printed as a remark.
    """
    if (options.target is None) == (options.data is None):
        raise ValueError(
            "give either --target FORMULA or --data FILE.csv with --target-column NAME"
        )
    scaled = {"inputs": options.scale, "targets": options.scale_targets}
    scaled = {side: how for side, how in scaled.items() if how}
    regions = dict(options.region or [])
    if len(regions) < len(options.region or []):
        raise ValueError("--region is given twice with one name; each needs a name of its own")
    told = {"regions": regions, "tolerance": options.tolerance}
    told["scaling"] = Scaling(**scaled) if scaled else None
    what = _of_formula(options, told) if options.data is None else _of_table(options, told)
    for line in what.remarks():
        print(line, file=sys.stderr)
    return what


def _of_formula(options: argparse.Namespace, told: dict[str, Any]) -> Question:
    if options.target_column is not None:
        raise ValueError("--target-column is for --data; a formula needs --target only")
    if options.target.isidentifier() and len(options.target) > 1:
        raise ValueError(
            f"--target {options.target} would be learnt from an input of that name; for XOR "
            "write a != b, for the identity x"
        )
    low, high = options.range or (-1.0, 1.0)
    kind = {"whole_numbers": options.whole_numbers, "per_seed": options.per_seed}
    rows = options.rows or question.own_tasks.ROWS
    return Question(options.target, low, high, rows, **kind, **told)


def _of_table(options: argparse.Namespace, told: dict[str, Any]) -> Question:
    given = {"--range": options.range, "--rows": options.rows, "--per-seed": options.per_seed}
    for flag, value in (given | {"--whole-numbers": options.whole_numbers}).items():
        if value:
            raise ValueError(f"{flag} is for --target; a table has its rows")
    table, left_out = question.read_table(options.data, options.target_column)
    if options.target_column not in table:
        given = f"is {options.target_column!r}" if options.target_column else "is missing"
        raise ValueError(f"--target-column {given}; it must be one of {', '.join(table)}")
    if not len(table) > 1:
        raise ValueError(
            f"{options.data} has no column of numbers besides {options.target_column!r}"
        )
    if left_out:
        print("not numeric, so not inputs:", *left_out, file=sys.stderr)
    return Question(options.target_column, source=options.data.name, table=table, **told)


def name_of(options: argparse.Namespace) -> str:
    """Return what is to be learnt in a word."""
    return options.target if options.data is None else options.target_column


def sweep_of(options: argparse.Namespace, task: spec.Task) -> Sweep:
    """Return a setting for every combination of what was given; names tell what differs."""
    lists = [list(dict.fromkeys(getattr(options, name))) for name in GRID]
    count = math.prod(map(len, lists))
    if count > MOST_SETTINGS:
        raise ValueError(f"that makes {count} settings; at most {MOST_SETTINGS} are run at once")
    inputs, targets, _ = tasks.example(task)
    settings = []
    for hidden, activation, law, optimiser, rate, epochs in itertools.product(*lists):
        network = Network(
            (inputs.shape[1], *hidden, targets.shape[1]),
            (*[activation] * len(hidden), options.output_activation),
            slope=options.slope,
        )
        told = {"initialiser": law, "optimiser": optimiser, "learning_rate": f"rate {rate!r}"}
        told["epochs"] = f"{epochs} epochs"
        several = [
            told[n] for n, values in zip(GRID, lists, strict=True) if n in told and values[1:]
        ]
        name = ", ".join([architecture(network), *several])
        training = Training(Optimiser(optimiser, rate), options.loss, options.batch_size, epochs)
        settings.append(Setting(name, task, network, (Initialiser(law),), training))
        reach.check(settings[-1])
    unique = {setting.name: setting for setting in settings}  # no layer, whatever its activation
    return Sweep(f"ask {name_of(options)[:60]}", tuple(unique.values()))


def main(arguments: list[str]) -> None:
    """Train, count and answer; ValueError for what cannot be asked."""
    options = parser().parse_args(arguments)
    commandline.use_all_cores()
    what = asked(options)
    sweep = sweep_of(options, what.task())
    words = re.sub(r"[^A-Za-z0-9]+", "_", what.target).strip("_")[:24]
    folder = options.out / f"ask_{words}_{sweep.digest[:8]}"
    command = shlex.join(["python", "-m", "jaxlab", "ask", *arguments])
    how = {"progress": not options.quiet, "command": command}
    try:
        runs.run(sweep, options.seeds, out=folder, **how)
    finally:
        if (folder / store.MANIFEST).exists():  # also of a run that was stopped
            what.write(folder)
    with shards.briefly(folder):
        found = store.read_sweep(folder)  # earlier seeds, too
        found.to_csv(folder / "summary.csv")
        compared = compare.compare_all(compared_as.counted(births.comparisons, found))
        compared_as.write(folder, sweep.name, compared)
        looked = looks.record(folder, 0, found)
    print(textwrap.fill(f"Asked: {what}.", WIDTH), found, sep="\n\n", end="\n\n")
    print(answer.as_text(found))
    exact = [row for row in compared if row.predicted is not None and row.kind == "exact"]
    if exact:
        print(f"\n{compared_as.table(exact)}")
    print(looked, end="")
    chosen = answer.most_telling(found)
    tally, kind = found.tally()[chosen], answer.answer(found, chosen).kind
    if what.table and kind is not answer.Kind.LEARNS:
        print(f"\n{textwrap.fill(NOISE, WIDTH)}")
    if options.advise:
        seeds = min(options.seeds, advice.SEEDS)
        print(f"\n{advice.given(found, folder, seeds, **how)}")
    unadvised = kind is not answer.Kind.LEARNS and not options.advise
    setting = chosen if len(found.members) > 1 else None  # a single one needs no name
    print(*_next(arguments, folder, setting, tally, unadvised), sep="\n")


def _next(
    arguments: list[str], folder: Path, setting: str | None, tally: Tally, unadvised: bool
) -> list[str]:
    """Return what was written and what to type next."""
    place = shlex.quote(str(folder))
    lines = [f"\nwritten: {folder}/"]
    counts = tally.counts
    failed = max((c for c in counts if c != "solved"), key=lambda c: counts[c])
    if counts[failed]:
        which = f" --setting {shlex.quote(setting)}" if setting else ""
        against = " --against solved" if counts["solved"] else ""
        told = f"{which} --outcome {failed}{against}"
        lines.append(f"see one fail:\n  python -m jaxlab replay {place}{told}")
    lines.append(f"publish it:\n  python -m jaxlab report {place}")
    if unadvised:
        again = shlex.join(["python", "-m", "jaxlab", "ask", *arguments, "--advise"])
        lines.append(f"what would help:\n  {again}")
    return lines
