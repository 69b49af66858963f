"""One unit that is to turn -1 into 1: four slopes, which share a program."""

import dataclasses

from jaxlab import Sweep
from sweeps import negation
from sweeps.negation import SLOPES, comparisons

SEEDS = QUICK_SEEDS = 40
STEPS = 2000

__all__ = ["QUICK_SEEDS", "SEEDS", "build", "comparisons", "report"]


def build() -> Sweep:
    """Return the sweep."""
    settings = [negation.one_unit("normal", slope) for slope in SLOPES]
    short = dataclasses.replace(settings[0].training, epochs=STEPS)
    return Sweep("small", tuple(dataclasses.replace(s, training=short) for s in settings))


def report(result, compared) -> str:
    """Return what there is to say, which is nothing."""
    del result, compared
    return ""
