"""jaxlab's own engine as a contestant, called as `jaxlab.run` calls it."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from benchmarks import flops
from benchmarks.timing import Contestant, Measurement, training_nanoseconds
from jaxlab import Setting, Sweep, engine, grouping

ONE_EPOCH = ", one epoch"


def contestant(name: str, setting: Setting, members: int) -> Contestant:
    """Return the drawing, training and judging of so many members."""
    (group,) = grouping.groups(Sweep("benchmark", (setting,)))
    runner = engine.Runner(group)

    def run(count: int = members) -> None:
        for _ in engine.run_group(runner, {setting.name: np.arange(count)}):
            pass

    facts = {
        "members": members,
        "epochs": setting.training.epochs,
        "lanes": group.lanes,
        "useful_flop_per_step": flops.per_step(setting),
    }
    one_call = min(members, runner.size)  # all calls are of one shape
    return Contestant(name, lambda: run(one_call), run, members * setting.steps, facts)


def with_one_epoch(name: str, setting: Setting, members: int) -> list[Contestant]:
    """Return the engine twice: as asked, and with one epoch, which tells start and end apart."""
    training = dataclasses.replace(setting.training, epochs=1)
    short = dataclasses.replace(setting, training=training)
    return [contestant(name, setting, members), contestant(name + ONE_EPOCH, short, members)]


def merged(name: str, measured: Mapping[str, Measurement]) -> Measurement:
    """Return the longer of the two with what the shorter one tells about it."""
    long, short = measured[name], measured[name + ONE_EPOCH]
    known = {
        "training_only_ns_per_step": training_nanoseconds(long, short),
        "one_epoch_seconds": short.facts["seconds"],
    }
    return dataclasses.replace(long, facts={**long.facts, **known})
