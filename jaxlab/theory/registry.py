"""Every formula of this package in one list: read off the functions' own docstrings.

A formula is a public function here whose docstring says its formula, assumptions, kind and source.
How far measurement was from it is in measured.csv beside this file, which `python -m docs.results`
writes: this file neither counts nor trains.
"""

import csv
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

MEASURED = Path(__file__).parent / "measured.csv"
COLUMNS = ("formula", "event", "kind", "n", "predicted", "observed", "off", "sweep", "setting")
LABELS = ("formula", "assumptions", "kind", "source")

SPEAKERS = {
    ("initial signs", "*", "*"): "absolute_value.one_sided_at_init",
    ("signs of asymmetric weights", "*", "*"): "joint_laws.one_sided_asymmetric",
    ("fates at birth", "fate_fails", "*"): "absolute_value.training_fails",
    ("fates at birth", "fate_one_side", "*"): "absolute_value.one_side_fitted",
    ("fates at birth", "fate_neither", "*"): "absolute_value.no_side_fitted",
    ("fates on the sphere", "*", "*"): "joint_laws.fails_on_circle",
    ("survival formula", "training_fails", "*"): "absolute_value.training_fails",
    ("survival formula", "one_side_fitted", "*"): "absolute_value.one_side_fitted",
    ("survival formula", "neither_fitted", "*"): "absolute_value.no_side_fitted",
    ("folk formula", "*", "*"): "absolute_value_predictions.folk_training_fails",
    ("momentum law", "*", "*"): "momentum.survival_with_momentum",
    ("gradient flow", "*", "*"): "flow.outcome_of_flow",
    ("sign of the weight", "training_fails", "*"): "negation.too_late",
    ("sign of the weight", "*", "*"): "negation.not_flipped",  # not_flipped_in_10, ...
    ("scalar ReLU output", "born_dead", "*"): "doubling.born_dead",
    ("scalar ReLU output", "dead_after_one_step", "*"): "doubling.above_target",
    ("scalar ReLU output", "dead_after_two_steps", "*"): "doubling.fate_of_map",
    ("scalar ReLU output", "training_fails", "lower bound"): "doubling.born_dead",
    ("scalar ReLU output", "training_fails", "asymptotic"): "doubling.stability_limit",
    ("dead at birth", "*", "exact"): "born_dead.one_direction",
    ("dead at birth", "*", "lower bound"): "born_dead.lower_bound",
    ("dead at birth", "*", "upper bound"): "born_dead.upper_bound",
    ("dead at birth", "*", "empirical"): "born_dead.monte_carlo",
    ("deep and narrow", "*", "exact"): "deep_narrow.two_units",
    ("two hidden layers", "*", "exact"): "deep_narrow.three_layers",
    ("deep and narrow", "*", "lower bound"): "deep_narrow.lower_bound",
    ("deep and narrow", "*", "upper bound"): "deep_narrow.sharper_upper_bound",
    ("single units", "unit_dead", "*"): "units.dead_on_ball",
    ("unit on an interval", "unit_dead", "*"): "units.dead_on_interval",
    ("single units", "fewer_than_two_live", "*"): "units.fewer_live",
    ("single units", "learns_absolute_value", "*"): "units.learns_absolute_value",
    ("single units", "unit_inactive", "*"): "units.inactive_on_cube",
    ("single units", "unit_linear", "*"): "units.inactive_on_cube",
    ("single units", "second_layer_inactive", "*"): "units.second_layer_inactive",
}
"""The formula behind a prediction, by its name, event and kind; * stands for any."""


@dataclass(frozen=True)
class Measured:
    """The largest deviation of a count from a formula, over all settings that were run.

    `off` is how far the rate is from an exact or approximate value, and how far beyond a bound; it
    is below 0 by what is left where the bound is kept.
    """

    event: str
    kind: str
    n: int
    off: float
    where: str


@dataclass(frozen=True)
class Entry:
    """One formula: its function's name, what it returns, and what its docstring says of it."""

    name: str
    event: str
    formula: str
    assumptions: str
    kind: str
    source: str
    measured: tuple[Measured, ...] = ()


def speaker(name: str, event: str, kind: str) -> str:
    """Return the formula behind a prediction; KeyError if it is not known here."""
    for key in ((name, event, kind), (name, event, "*"), (name, "*", kind), (name, "*", "*")):
        if key in SPEAKERS:
            return SPEAKERS[key]
    raise KeyError(f"no formula is known for the prediction {name!r} of {event!r} ({kind})")


@cache
def entries() -> tuple[Entry, ...]:
    """Return all formulas in the order of their files.

    >>> [entry.kind for entry in entries() if entry.name == "deep_narrow.three_layers"]
    ['exact']
    """
    package = importlib.import_module("jaxlab.theory")
    measured, found = _read_measured(), []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"jaxlab.theory.{info.name}")
        for name, text in _documented(module):
            said = _labels(text)
            # What checks assumptions and gathers predictions is no formula of its own.
            if set(LABELS) <= set(said) and not said["assumptions"].startswith("checked"):
                full = f"{info.name}.{name}"
                given = [said[label] for label in LABELS]
                found.append(Entry(full, _event(text), *given, measured=measured.get(full, ())))
    return tuple(found)


def _documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    for name, member in vars(module).items():
        own = inspect.isfunction(member) and member.__module__ == module.__name__
        if own and not name.startswith("_"):
            yield name, " ".join((inspect.getdoc(member) or "").split(">>>")[0].split())


def _labels(text: str) -> dict[str, str]:
    """Return what a docstring says under each label; one label may stand for several at once."""
    word = "|".join(LABELS)
    parts = re.split(rf"\b((?:(?:{word})(?:, | and |))+): ", text, flags=re.IGNORECASE)
    said = {}
    for labels, content in zip(parts[1::2], parts[2::2], strict=True):
        for label in re.findall(word, labels.lower()):
            said[label] = content.strip().rstrip(".")
    return said


def _event(text: str) -> str:
    first = re.split(r"\.(?: |$)", text)[0]
    return first.removeprefix("Return ")


def _read_measured() -> dict[str, tuple[Measured, ...]]:
    if not MEASURED.exists():
        return {}
    found: dict[str, tuple[Measured, ...]] = {}
    with MEASURED.open(newline="") as file:
        for row in csv.DictReader(file):
            where = f"{row['sweep']}: {row['setting']}"
            new = Measured(row["event"], row["kind"], int(row["n"]), float(row["off"]), where)
            found[row["formula"]] = (*found.get(row["formula"], ()), new)
    return found
