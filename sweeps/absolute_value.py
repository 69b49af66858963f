"""Can k ReLU units learn |x|, and how often do they? The forum program, counted.

Keras defaults (glorot_uniform kernels, zero biases, Adam at 1e-3) on 400 points from -1000 to
1000, batches of 32 reshuffled every epoch, for 1 to 8 hidden units; at 2 and 3 units also other
initialisers, the kernels proposed in the thread, and leaky ReLUs.
"""

import dataclasses
from functools import cache

import numpy as np

from jaxlab import (
    OUTCOMES,
    Initialiser,
    Network,
    Result,
    Setting,
    Sweep,
    Training,
    conditions,
    tasks,
)
from jaxlab.compare import Comparison
from jaxlab.initialisers import bias_limit, kernel_distribution, kernel_values
from jaxlab.tally import clopper_pearson
from jaxlab.theory import absolute_value as theory
from jaxlab.theory.absolute_value_predictions import pattern_predictions, predictions
from jaxlab.theory.decoupling import Conditions
from jaxlab.theory.prediction import Prediction

SEEDS = 10_000
QUICK_SEEDS = 256

LAWS = {
    "he": Initialiser("he_truncated_normal"),
    "lecun": Initialiser("lecun_truncated_normal"),
    "pytorch": Initialiser("pytorch"),
}
PATTERNS = {"bad_right": "all_positive", "bad_left": "all_negative", "good": "linspace"}
THREAD = "the thread's answer"
SHOWN = (
    ("one_sided_at_init", "initial signs"),
    ("training_fails", "survival formula"),
    ("training_fails", THREAD),
)
SLOPES = (0.001, 0.01, 0.1, 0.3)
LAYERS = "2 layers"


def build() -> Sweep:
    """Return the sweep: a setting per number of units, and the variants at 2 and 3 units."""
    settings = [keras_default(k) for k in (1, 2, 3, 4, 6, 8)]
    for k in (2, 3):
        base = keras_default(k)
        for name, law in LAWS.items():
            settings.append(variant(base, name, initialisers=(law,)))
        for name, law in PATTERNS.items():
            kernels = (Initialiser(law), Initialiser("glorot_uniform"))
            settings.append(variant(base, name, initialisers=kernels))
        good = settings[-1]
        settings.append(variant(base, "good_100", good.initialisers, Training(epochs=100)))
        for slope in SLOPES:
            leaky = Network((1, k, 1), ("leaky_relu", "linear"), slope=slope)
            settings.append(variant(base, f"leaky_{slope:g}", network=leaky))
    layers = Network((1, 2, 2, 1), ("relu", "relu", "linear"))
    settings.append(
        variant(keras_default(2), LAYERS, network=layers, initialisers=(Initialiser(),))
    )
    return Sweep("absolute_value", tuple(settings))


def keras_default(k: int) -> Setting:
    """Return the forum program with k hidden units."""
    return Setting(f"k={k}", tasks.absolute_value(), Network((1, k, 1), ("relu", "linear")))


def variant(base: Setting, name: str, initialisers=None, training=None, network=None) -> Setting:
    """Return the base with another part, named after both."""
    changes = {"initialisers": initialisers, "training": training, "network": network}
    given = {field: value for field, value in changes.items() if value is not None}
    return dataclasses.replace(base, name=f"{base.name} {name}", **given)


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for all that theory and the thread say."""
    rows = []
    for setting in result.sweep.settings:
        if len(setting.network.widths) != 3:
            continue  # theory speaks of one hidden layer
        counts, n = event_counts(result, setting.name)
        said = list(setting_predictions(setting))
        if setting.name in ("k=2", "k=3", "k=4"):
            said.append(thread_claim(setting.network.widths[1]))
        rows += [(setting.name, counts[p.event], n, p) for p in said]
    return rows


def thread_claim(k: int) -> Prediction:
    """Return what the thread says of trained networks: a failure rate of exactly 2^(1-k)."""
    return Prediction(
        THREAD,
        "training_fails",
        "exact",
        theory.one_sided_at_init(k),
        "the thread: training fails when all units start on one side, and only then",
        "none stated",
    )


@cache
def setting_predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return theory's predictions for one setting, each with a reason where there is none."""
    conditions = conditions_of(setting)
    kernels, outputs = kernel_values(setting, 0), kernel_distribution(setting, 1)
    if kernels is not None:
        return pattern_predictions(kernels[0], outputs, conditions)
    k = setting.network.widths[1]
    return predictions(k, kernel_distribution(setting, 0), outputs, conditions)


def conditions_of(setting: Setting) -> Conditions:
    """Return how a setting trains, in the words of theory."""
    numbers = setting.task.numbers
    limits = [bias_limit(setting, layer) for layer in range(len(setting.initialisers))]
    return conditions.conditions_of(
        setting, max(abs(numbers["low"]), abs(numbers["high"])), max(limits)
    )


def initial_weights(result: Result, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the hidden kernels and output weights (k, members) before training."""
    weights, k = result.members[name].initial_weights, result.sweep[name].network.widths[1]
    if weights is None:
        raise ValueError(f"setting {name!r} kept no weights")
    return weights[:, :k].T, weights[:, 2 * k : 3 * k].T


def event_counts(result: Result, name: str) -> tuple[dict[str, int], int]:
    """Return how often each of theory's events happened in a setting, and among how many."""
    members = result.members[name]
    w, _ = initial_weights(result, name)
    fitted = (members.errors <= result.sweep[name].task.tolerance).sum(axis=1)
    counts = {
        "one_sided_at_init": int((~((w > 0).any(axis=0) & (w < 0).any(axis=0))).sum()),
        "training_fails": int((members.names != "solved").sum()),
        "one_side_fitted": int((fitted == 1).sum()),
        "neither_fitted": int((fitted == 0).sum()),
    }
    return counts, len(fitted)


def confusion(result: Result, name: str = "k=2") -> dict[tuple[str, str], int]:
    """Return how many members had each (fate, outcome): expected from initial weights, happened."""
    w, a = initial_weights(result, name)
    pairs = zip(theory.fate(w, a).tolist(), result.members[name].names.tolist(), strict=True)
    counts: dict[tuple[str, str], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def report(result: Result, compared: list[Comparison]) -> str:
    """Return what the counts say, as text of at most 80 columns."""
    lines = [
        f"{'':<15} {'started one-sided, %':^24}  {'fails after training, %':^24}".rstrip(),
        f"{'setting':<15} {'found':>6} {'2^(1-k)':>7} {'verdict':<10}  "
        f"{'found':>6} {'theory':>6} {'verdict':<10} thread",
    ]
    for name in result.members:
        rows = {(c.event, c.prediction): c for c in compared if c.setting == name}
        started, trained, thread = (rows.get(key) for key in SHOWN)
        verdict = thread.verdict if thread else ""
        short = name if len(name) <= 15 else name[:14] + "…"
        lines.append(f"{short:<15} {_cells(started, 7)}  {_cells(trained, 6)} {verdict}".rstrip())
    lines.append("(other events, bounds, sources, and why there is no theory: predictions.csv)")
    return "\n".join([*lines, "", answer(result, compared), "", fates(result)])


def _cells(comparison: Comparison | None, width: int) -> str:
    if comparison is None:
        return " " * (width + 18)
    said, verdict = comparison.predicted, comparison.verdict
    theory = f"{100 * said:{width}.2f}" if said is not None else f"{'-':>{width}}"
    return f"{100 * comparison.observed:6.2f} {theory} {verdict if said is not None else '-':<10}"


def fates(result: Result, name: str = "k=2") -> str:
    """Return the fates read off the initial weights against the outcomes, as a small table."""
    counts = confusion(result, name)
    outcomes = [o for o in OUTCOMES if any(outcome == o for _, outcome in counts)]
    lines = [f"{name}: fate read off the initial weights (rows), outcome (columns)"]
    lines.append(f"{'':<10}" + "".join(f" {outcome:>10}" for outcome in outcomes))
    for fate in ("solved", "right_only", "left_only", "dead"):
        cells = "".join(f" {counts.get((fate, outcome), 0):>10}" for outcome in outcomes)
        lines.append(f"{fate:<10}{cells}")
    for text, solved in (("solved", True), ("failed", False)):
        hits, total = hits_of_fate(counts, solved=solved)
        low = clopper_pearson(hits, total).low
        lines.append(f"expected {text}: {hits} of {total} were (at least {100 * low:.2f} %)")
    return "\n".join(lines)


def hits_of_fate(counts: dict[tuple[str, str], int], *, solved: bool) -> tuple[int, int]:
    """Return (how many came true, how many) of the members expected solved, or failed."""
    same = {pair: c for pair, c in counts.items() if (pair[0] == "solved") == solved}
    hits = sum(c for pair, c in same.items() if (pair[1] == "solved") == solved)
    return hits, sum(same.values())


def answer(result: Result, compared: list[Comparison], name: str = "k=2") -> str:
    """Return the answer to the thread's question in a sentence or two."""
    tally = result.members[name].tally
    interval = clopper_pearson(tally.failed, tally.n)
    theory = next(c for c in compared if (c.setting, c.event, c.prediction) == (name, *SHOWN[1]))
    one_sided = (tally.counts["right_only"] + tally.counts["left_only"]) / max(tally.failed, 1)
    dead = tally.counts["dead"] / max(tally.failed, 1)
    said = "no prediction" if theory.predicted is None else f"theory {100 * theory.predicted:.1f} %"
    bounds = f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
    luck = tally.solved > 0 and tally.failed > 0
    verdict = "The seed decides: luck, neither a bug nor impossible." if luck else ""
    return (
        f"With two ReLU units |x| is not learnt for {100 * tally.failed / tally.n:.1f} % of seeds "
        f"{bounds},\n{said}; of those {100 * one_sided:.0f} % fit one side only and "
        f"{100 * dead:.0f} % are dead.\n{verdict}"
    ).rstrip()
