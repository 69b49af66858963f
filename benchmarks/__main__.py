"""Measure the engine against other programs and against the machine.

python -m benchmarks                 everything: about 7 minutes on two cores
python -m benchmarks --quick         a first look: a minute and a half
python -m benchmarks --gpu           a million |x| networks on the GPU at several lane widths
python -m benchmarks --out DIR       write DIR/benchmarks.json (--gpu: DIR/gpu.json)
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import comparisons, devices, gpu, machine, report, scaling, stages
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.timing import Measurement, say
from jaxlab import commandline, files


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m benchmarks", __doc__)
    which = made.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="few repetitions and sizes")
    which.add_argument("--gpu", action="store_true", help="on a GPU, and nothing else")
    out, text = Path("results/benchmarks"), "default: results/benchmarks"
    made.add_argument("--out", type=commandline.path, default=out, metavar="DIR", help=text)
    return made


def sections(plan: Plan) -> dict[str, Callable[[], list[Measurement]]]:
    """Return what is measured, by name and in order."""
    found = {
        "machine": machine.rates,
        "|x|": partial(comparisons.absolute_value, plan),
        "stages of |x|": partial(stages.shares, plan),
    }
    for shape in plan.shapes:
        found[shape.name] = partial(comparisons.shape, plan, shape)
    for name, wanted in scaling.series(plan).items():
        found[name] = partial(scaling.costs, wanted, plan.scaling_repetitions)
    found["CPU devices"] = partial(devices.one_and_two, plan.members, plan.epochs, plan.repetitions)
    found["peak memory"] = partial(devices.peak_memory, plan.memory_members, machine.cores())
    found["machine again"] = machine.rates  # tells how quiet it was meanwhile
    return found


def measure(plan: Plan) -> tuple[dict[str, Any], str]:
    """Measure all sections; return the content of benchmarks.json and the table."""
    known, results = machine.about("benchmarks"), {}
    wanted = sections(plan)
    for i, (name, section) in enumerate(wanted.items(), 1):
        say(f"{i} of {len(wanted)}: {name}")
        results[name] = section()
    found = report.content(results, known)
    return found, report.table(results, found)


def main() -> None:
    """Measure, write the JSON file and print the table."""
    options = parser().parse_args()
    commandline.use_all_cores()
    if options.gpu:
        gpu.check()
    files.make_folder(options.out)  # before minutes of work, not after them
    try:
        if options.gpu:
            found, text = gpu.measure(machine.about("benchmarks"))
        else:
            found, text = measure(QUICK if options.quick else FULL)
    except KeyboardInterrupt:
        say("stopped; nothing was written")
        raise SystemExit(130) from None
    path = options.out / ("gpu.json" if options.gpu else "benchmarks.json")
    files.write_atomically(path, (json.dumps(found, indent=1) + "\n").encode())
    print(text, f"\nwritten: {path}", sep="\n")


if __name__ == "__main__":
    commandline.run_cleanly(main)
