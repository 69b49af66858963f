"""Which library's default learns |x|? Six initialisers, 1 to 16 ReLU units.

The forum program with the initial weights of Keras (glorot_uniform), PyTorch, Flax (lecun_normal,
truncated), He, orthogonal matrices, and randomised asymmetric initialisation (RAI). Theory is the
survival formula; where weights are not independent, gradient flow from weights of other seeds.
"""

import dataclasses
from functools import cache

import numpy as np

from jaxlab import Initialiser, Network, Result, Setting, Sweep, engine, tasks
from jaxlab.compare import Comparison
from jaxlab.theory import flow_predictions
from jaxlab.theory.prediction import Prediction
from sweeps.absolute_value import conditions_of, event_counts, setting_predictions

SEEDS = 10_000
QUICK_SEEDS = 16

LAWS = {
    "Keras": Initialiser("glorot_uniform"),
    "PyTorch": Initialiser("pytorch"),
    "Flax": Initialiser("lecun_truncated_normal"),
    "He": Initialiser("he_normal"),
    "orthogonal": Initialiser("orthogonal"),
    "RAI": Initialiser("rai"),
}
UNITS = tuple(range(1, 17))
DRAWN = 20_000  # networks whose fates make a prediction


def build() -> Sweep:
    """Return the sweep: a setting per initialiser and number of units."""
    return Sweep("default_initialisers", tuple(setting(law, k) for law in LAWS for k in UNITS))


def name_of(law: str, k: int) -> str:
    """Return the name of a setting."""
    return f"{law} k={k}"


def setting(law: str, k: int) -> Setting:
    """Return the forum program with k units and the initialiser of that name."""
    network = Network((1, k, 1), ("relu", "linear"))
    return Setting(name_of(law, k), tasks.absolute_value(), network, (LAWS[law],))


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) by the formulas and by fates of drawn weights."""
    rows = []
    for setting in result.sweep.settings:
        counts, n = event_counts(result, setting.name)
        said = list(setting_predictions(setting))
        if expected(setting).name == flow_predictions.NAME:
            said.append(expected(setting))
        rows += [(setting.name, counts[p.event], n, p) for p in said]
    return rows


def expected(setting: Setting) -> Prediction:
    """Return P(training fails) by the survival formula; where it is silent, by gradient flow."""
    said = [p for p in setting_predictions(setting) if p.event == "training_fails"]
    return by_flow(setting) if said[0].probability is None else said[0]


@cache
def by_flow(setting: Setting) -> Prediction:
    """Return the share that gradient flow lets fail, of weights drawn for seeds of their own."""
    other = dataclasses.replace(setting, name=f"{setting.name}, drawn for theory")
    (kernels, _), (outputs, _) = engine.initial_weights(other, np.arange(DRAWN))
    return flow_predictions.prediction(kernels[0], outputs[:, 0], conditions_of(setting))


def report(result: Result, compared: list[Comparison]) -> str:
    """Return the share that fails, measured and predicted, for every initialiser."""
    lines = ["fails after training, %, and below it what theory expects, %"]
    lines.append(f"{'units':>6}" + "".join(f"{law:>12}" for law in LAWS))
    for k in UNITS:
        tallies = [result.members[name_of(law, k)].tally for law in LAWS]
        cells = "".join(f"{100 * t.failed / t.n:12.2f}" for t in tallies)
        said = [expected(result.sweep[name_of(law, k)]).probability for law in LAWS]
        below = "".join(f"{'-':>12}" if p is None else f"{100 * p:12.2f}" for p in said)
        lines += [f"{k:>6}{cells}", f"{'':>6}{below}"]
    rejected = sum(c.verdict == "rejected" for c in compared)
    said = [c for c in compared if c.predicted is not None]
    lines.append(f"({len(said)} predictions, {rejected} rejected: predictions.csv)")
    return "\n".join(lines)
