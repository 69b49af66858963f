"""How often one unit starts on the right side, asked many times."""

import dataclasses

from benchmarks.swept import small
from jaxlab.census import Case, Census
from sweeps.initialisation import one_unit

SEEDS = QUICK_SEEDS = 40
CASES = 16


def build() -> Census:
    """Return the census: cases of the same drawing program."""
    found, base = one_unit(), small.build().settings[0]
    settings = (dataclasses.replace(base, name=f"draw {i}") for i in range(CASES))
    return Census("small_census", tuple(Case(s, found.look, found.predictions) for s in settings))
