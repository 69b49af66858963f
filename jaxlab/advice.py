"""Advice that was measured: variants of a setting, trained, each with its failure rate.

What is tried is a fixed list; what is advised is what the counts say of it, by the rule of
`verdicts.helps`: success is raised by more than 5 points, and not by chance (Holm p < 0.01).
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxlab import files, runs, verdicts
from jaxlab.answer import share
from jaxlab.result import Result
from jaxlab.spec import Initialiser, Scaling, Setting, Sweep
from jaxlab.tally import Tally, clopper_pearson
from jaxlab.variants import vary
from jaxlab.verdicts import Ruling, Verdict

SEEDS = 1000  # of each variant
FILE, FOLDER = "advice.csv", "advice"
STANDARD = Scaling("standard", "standard")


def variants(setting: Setting) -> list[Setting]:
    """Return what could help a setting: the same with one thing changed.

    More units, a layer more, other activations, initialisers, scaled data, other rates, more time.
    """
    network, optimiser = setting.network, setting.training.optimiser
    made = []
    if not network.module:
        hidden = network.widths[1:-1] or (1,)
        kind = network.activations[0] if len(network.widths) > 2 else "relu"
        for factor in (2, 4):
            wide = tuple(factor * width for width in hidden)
            instead = f"{_units(wide)} units, not {_units(hidden)}"
            made.append(vary(setting, instead, hidden=wide))
        made.append(vary(setting, "another layer", hidden=(*hidden, hidden[-1])))
        activations = {
            "leaky ReLU, slope 0.1": ("leaky_relu", 0.1),
            "tanh": ("tanh", network.slope),
        }
        activations["ReLU"] = ("relu", network.slope)
        made += [
            vary(setting, name, hidden=hidden, activation=activation, slope=slope)
            for name, (activation, slope) in activations.items()
            if activation != kind
        ]
        laws = {
            "glorot_uniform": "Glorot's initialiser",
            "he_truncated_normal": "He's initialiser",
            "pytorch": "PyTorch's initialiser",
        }
        made += [
            vary(setting, name, initialiser=Initialiser(law))
            for law, name in laws.items()
            if {law} != {i.law for i in setting.initialisers}
        ]
    if setting.task.scaling is None:
        made.append(vary(setting, "standardised data", scaling=STANDARD))
    for factor, name in ((0.1, "a tenth of the rate"), (10.0, "ten times the rate")):
        made.append(vary(setting, name, learning_rate=factor * optimiser.learning_rate))
    made.append(vary(setting, "four times the epochs", epochs=4 * setting.training.epochs))
    return made


def _units(hidden: tuple[int, ...]) -> str:
    return "-".join(map(str, hidden))


@dataclass(frozen=True)
class Tried:
    """A variant, its counts, and the ruling on whether it raises the share of those that learn."""

    variant: str
    tally: Tally
    ruling: Ruling

    @property
    def advised(self) -> bool:
        """Say whether it helps."""
        return self.ruling.verdict is Verdict.SUPPORTED


@dataclass(frozen=True)
class Advice:
    """What was tried on a setting, the most successful first; str() is a table and a sentence."""

    setting: str
    tally: Tally
    tried: tuple[Tried, ...]

    def __str__(self) -> str:
        """Return the table and the advice, at most 80 columns wide."""
        head = f"{'measured':<26} {'n':>7} {'fails%':>6} {'95% interval':>14} {'better by':>10}"
        lines = [f"{head}  helps?", f"{_row(self.setting, self.tally)} {'':>10}"]
        for one in self.tried:
            better = f"{100 * (one.ruling.observed or 0.0):+.1f}"
            lines.append(f"{_row(one.variant, one.tally)} {better:>10}  {_helps(one.ruling)}")
        lines = [line.rstrip() for line in lines]
        return "\n".join([*lines, "", textwrap.fill(self.sentence, 80)])

    @property
    def sentence(self) -> str:
        """Return what helps, in words and numbers."""
        good = [one for one in self.tried if one.advised]
        fails = share(self.tally.failed, self.tally.n)
        if not good:
            told = f"None of the {len(self.tried)} variants tried helps {self.setting}"
            return f"{told} (fails: {fails})."
        said = [
            f"{one.variant} (fails: {share(one.tally.failed, one.tally.n)})" for one in good[:3]
        ]
        return f"What helped {self.setting} (fails: {fails}) most: {'; '.join(said)}."

    def rows(self) -> list[dict[str, object]]:
        """Return a dictionary per variant, for a CSV file."""
        return [
            _counts(one.variant, one.tally)
            | {
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


def _row(name: str, tally: Tally) -> str:
    interval = clopper_pearson(tally.failed, tally.n)
    bounds = f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
    short = name if len(name) <= 26 else name[:25] + "…"
    return f"{short:<26} {tally.n:>7} {100 * tally.failed / tally.n:6.2f} {bounds:>14}"


def _helps(ruling: Ruling) -> str:
    words = {Verdict.SUPPORTED: "yes", Verdict.REFUTED: "no"}
    return words.get(ruling.verdict, "undecided")


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
    tried = runs.run(
        Sweep(f"advice on {setting}", tuple(variants(base))),
        seeds,
        out=out,
        progress=progress,
        command=command,
    )
    return judged(setting, result.tally()[setting], tried.tally())


def judged(setting: str, before: Tally, tallies: dict[str, Tally]) -> Advice:
    """Return what the counts of a setting and of its variants say."""
    rulings = [verdicts.helps(t.solved, t.n, before.solved, before.n) for t in tallies.values()]
    tried = [
        Tried(name, tally, ruling)
        for (name, tally), ruling in zip(tallies.items(), verdicts.settle(rulings), strict=True)
    ]
    tried.sort(key=lambda one: one.tally.failed / one.tally.n)
    return Advice(setting, before, tuple(tried))


def write(advice: Advice, folder: Path) -> None:
    """Write advice.csv into a folder."""
    files.write_csv(folder / FILE, advice.rows())
