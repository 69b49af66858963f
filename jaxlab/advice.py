"""Advice that was measured: variants of a setting, trained, each with its failure rate.

What is tried is a fixed list; what is advised is what the counts say of it, by the rule of
`verdicts.helps`: success is raised by more than 5 points, and not by chance (Holm p < 0.01).
"""

import dataclasses
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab import files, reach, runs, shards, verdicts
from jaxlab.answer import answers, most_telling
from jaxlab.answer_text import percent, share
from jaxlab.result import Result
from jaxlab.spec import Initialiser, Scaling, Setting, Sweep
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.variants import vary
from jaxlab.verdicts import Ruling, Verdict

SEEDS = 1000  # of each variant
FILE, FOLDER = "advice.csv", "advice"
LAWS = {
    "glorot_uniform": "Glorot's initialiser",
    "he_truncated_normal": "He's initialiser",
    "pytorch": "PyTorch's initialiser",
}


def variants(setting: Setting) -> list[Setting]:
    """Return what could help a setting: the same with one thing changed, and two with several.

    More units, a layer more, other activations, initialisers, scaled data, other rates, more time;
    what cannot be, of a network too large, say, is left out.
    """
    made: dict[str, Setting] = {}
    for name, changes in _changes(setting).items():
        try:
            changed = vary(setting, name, **changes)
        except ValueError:
            continue
        if changed.digest != setting.digest:
            made[name] = changed
    return list(made.values())


def _changes(setting: Setting) -> dict[str, dict[str, Any]]:
    training = setting.training
    longer = {"epochs": 4 * training.epochs, "max_steps": 4 * training.max_steps}
    rates = {n: {"learning_rate": n * training.optimiser.learning_rate} for n in (0.1, 10.0)}
    faster = rates[10.0] | longer
    found: dict[str, dict[str, Any]] = {}
    if not setting.network.module:
        found |= _of_network(setting)
    found |= _of_scaling(setting)
    found["a tenth of the rate"], found["ten times the rate"] = rates[0.1], rates[10.0]
    found["four times the epochs"] = longer
    found["rate x10, epochs x4"] = faster
    if not setting.network.module:
        hidden = tuple(4 * width for width in setting.network.widths[1:-1]) or (8,)
        found[f"{_units(hidden)} units, rate x10, ep. x4"] = faster | {"hidden": hidden}
    return found


def _of_network(setting: Setting) -> dict[str, dict[str, Any]]:
    network, found = setting.network, {}
    hidden = network.widths[1:-1]
    if not hidden:
        return {f"a layer of {n} ReLUs": {"hidden": (n,), "activation": "relu"} for n in (4, 8)}
    for factor in (2, 4):
        wide = tuple(factor * width for width in hidden)
        found[f"{_units(wide)} units, not {_units(hidden)}"] = {"hidden": wide}
    found["another layer"] = {"hidden": (*hidden, hidden[-1])}
    kinds = {"leaky ReLU, slope 0.1": "leaky_relu", "tanh": "tanh", "ReLU": "relu"}
    for name, kind in kinds.items():
        if set(network.activations[:-1]) != {kind}:
            slope = 0.1 if kind == "leaky_relu" else network.slope
            found[name] = {"activation": kind, "slope": slope}
    for law, name in LAWS.items():
        if {law} != {i.law for i in setting.initialisers}:
            found[name] = {"initialiser": Initialiser(law)}
    return found


def _of_scaling(setting: Setting) -> dict[str, dict[str, Any]]:
    scaling, found = setting.task.scaling or Scaling(), {}
    if scaling.inputs == "raw":
        scaling = dataclasses.replace(scaling, inputs="standard", input_factor=1.0)
        found["standardised inputs"] = {"scaling": scaling}
    if scaling.targets == "raw" and not reach.is_bounded(setting.network):
        scaling = dataclasses.replace(scaling, targets="standard", target_factor=1.0)
        found["standardised inputs and targets"] = {"scaling": scaling}
    return found


def _units(hidden: tuple[int, ...]) -> str:
    return "-".join(map(str, hidden))


@dataclass(frozen=True)
class Tried:
    """A variant, its counts, and the ruling on whether it raises the share of those that learn.

    `error` is the root-mean-square error that half of its members reach, relative to the standard
    deviation of the targets.
    """

    variant: str
    tally: Tally
    ruling: Ruling
    error: float

    @property
    def advised(self) -> bool:
        """Say whether it helps."""
        return self.ruling.verdict is Verdict.SUPPORTED


@dataclass(frozen=True)
class Advice:
    """What was tried on a setting, the most successful first; str() is a table and a sentence."""

    setting: str
    tally: Tally
    error: float
    tried: tuple[Tried, ...]

    def __str__(self) -> str:
        """Return the table and the advice, at most 80 columns wide."""
        head = f"{'measured':<26} {'n':>6} {'fails%':>6} {'95% interval':>14} {'error%':>6} "
        lines = [f"{head}{'better':>6}  helps?", _row(self.setting, self.tally, self.error)]
        for one in self.tried:
            better = f"{100 * (one.ruling.observed or 0.0):+.1f}"
            row = _row(one.variant, one.tally, one.error)
            lines.append(f"{row} {better:>6}  {_helps(one.ruling)}")
        lines = [line.rstrip() for line in lines]
        note = "(error: what half of the seeds reach, in per cent of the targets' spread)"
        return "\n".join([*lines, note, "", textwrap.fill(self.sentence, 80)])

    @property
    def sentence(self) -> str:
        """Return what helps, in words and numbers."""
        good = [one for one in self.tried if one.advised]
        fails = share(self.tally.failed, self.tally.n)
        if not good:
            told = f"None of the {len(self.tried)} variants tried helps {self.setting}"
            nearest = min(self.tried, key=lambda one: one.error)
            near = f"Nearest comes {nearest.variant}: half of its seeds reach an error of"
            return f"{told} (fails: {fails}). {near} {_percent(nearest.error)}."
        said = [
            f"{one.variant} (fails: {share(one.tally.failed, one.tally.n)})" for one in good[:3]
        ]
        return f"What helped {self.setting} (fails: {fails}) most: {'; '.join(said)}."

    def rows(self) -> list[dict[str, object]]:
        """Return a dictionary per variant, for a CSV file."""
        return [
            {
                "setting": self.setting,
                "setting_n": self.tally.n,
                "setting_failed": self.tally.failed,
            }
            | _counts(one.variant, one.tally)
            | {
                "median_error": one.error,
                "difference": one.ruling.observed,
                "diff_low": one.ruling.interval and one.ruling.interval.low,
                "diff_high": one.ruling.interval and one.ruling.interval.high,
                "p_holm": one.ruling.p_holm,
                "verdict": str(one.ruling.verdict),
            }
            for one in self.tried
        ]


def _counts(name: str, tally: Tally) -> dict[str, object]:
    interval = clopper_pearson(tally.failed, tally.n)
    rate = tally.failed / tally.n
    limits = {"ci_low": interval.low, "ci_high": interval.high}
    return {"variant": name, "n": tally.n, "failed": tally.failed, "failure_rate": rate, **limits}


def _row(name: str, tally: Tally, error: float) -> str:
    bounds = clopper_pearson(tally.failed, tally.n).percent
    short = name if len(name) <= 26 else name[:25] + "…"
    shown = f"{100 * error:.1f}" if error < 100 else "-"
    rate = 100 * tally.failed / tally.n
    return f"{short:<26} {tally.n:>6} {rate:6.2f} {bounds:>14} {shown:>6}"


def _percent(error: float) -> str:
    return f"{percent(error)} of the targets' spread"


def _helps(ruling: Ruling) -> str:
    if ruling.verdict is Verdict.SUPPORTED:
        return "yes"
    if ruling.interval is not None and ruling.interval.high < 0:
        return "worse"
    return "no" if ruling.verdict is Verdict.REFUTED else "undecided"


def advise(
    result: Result,
    setting: str,
    seeds: int | Sequence[int] | np.ndarray = SEEDS,
    *,
    out: str | Path | None = None,
    progress: bool = False,
    command: str = "",
) -> Advice:
    """Train the variants of a setting and say which of them help.

    `result` has the counts of the setting itself. With `out`, members are kept in that folder, as
    by `jaxlab.run`. ValueError for an unknown setting. Each variant is a test of its own against
    the setting; the chance that any is called a help though it changes nothing is at most 1 %.
    """
    base = result.sweep[setting]
    # A folder for each specification, so that another setting may be advised later.
    folder = None if out is None else Path(out) / base.digest[:8]
    sweep = Sweep(f"advice on {setting}", variants(base))
    told = {"progress": progress, "command": command}
    tried = runs.run(sweep, seeds, out=folder, **told)
    return judged(setting, result.tally()[setting], tried.tally(), _errors(result, tried, setting))


def _errors(result: Result, tried: Result, setting: str) -> dict[str, float]:
    ends = answers(tried, list(tried.members)) | answers(result, [setting])
    return {name: one.errors[1] if one.errors else math.inf for name, one in ends.items()}


def judged(
    setting: str, before: Tally, tallies: Mapping[str, Tally], errors: Mapping[str, float]
) -> Advice:
    """Return what the counts and the median errors of a setting and of its variants say."""
    rulings = [verdicts.helps(t.solved, t.n, before.solved, before.n) for t in tallies.values()]
    tried = [
        Tried(name, tally, ruling, errors[name])
        for (name, tally), ruling in zip(tallies.items(), verdicts.settle(rulings), strict=True)
    ]
    tried.sort(key=lambda one: (one.tally.failed / one.tally.n, one.error))
    return Advice(setting, before, errors[setting], tuple(tried))


def write(advice: Advice, folder: Path) -> None:
    """Write advice.csv into a folder."""
    files.write_csv(folder / FILE, advice.rows())


def given(result: Result, folder: Path, seeds: int = SEEDS, **told: Any) -> Advice:
    """Advise on the first setting of a folder's result that fails by luck; write advice.csv there.

    `told` is as for `advise`. The variants are kept below the folder.
    """
    found = advise(result, most_telling(result), seeds, out=folder / FOLDER, **told)
    with shards.briefly(folder):
        write(found, folder)
    return found
