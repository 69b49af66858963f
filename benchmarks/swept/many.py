"""Very many |x| networks of two units, trained for one epoch: what keeping them takes."""

from benchmarks import cases
from jaxlab import Sweep
from sweeps.absolute_value import comparisons

SEEDS = QUICK_SEEDS = 10_000

__all__ = ["QUICK_SEEDS", "SEEDS", "build", "comparisons", "report"]


def build() -> Sweep:
    """Return the sweep."""
    return Sweep("many", (cases.absolute_value(1),))


def report(result, compared) -> str:
    """Return what there is to say, which is nothing."""
    del result, compared
    return ""
