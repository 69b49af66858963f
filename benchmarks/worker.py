"""A process with a fixed number of CPU devices that trains |x| whenever it is told to.

JAX counts its devices once per process, so `devices` starts one of these for each number:

    python -m benchmarks.worker DEVICES MEMBERS EPOCHS

It says so when it has compiled; every line it then reads is answered by one, JSON, after a run.
"""

import json
import resource
import sys
from pathlib import Path

import jax

from benchmarks import cases, engine, timing


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    try:
        # On Linux getrusage begins with the memory of the process that started this one.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Compile, then run and report for every line of standard input."""
    devices, members, epochs = map(int, sys.argv[1:])
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", devices)
    contestant = engine.contestant("worker", cases.absolute_value(epochs), members)
    contestant.warm_up()
    facts = {"steps": contestant.steps, **contestant.facts}
    print(json.dumps(facts), flush=True)
    for _ in sys.stdin:
        run = timing.clock(contestant.run)
        print(json.dumps({"run": run, "peak_bytes": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main()
