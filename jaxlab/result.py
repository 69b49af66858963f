"""The result of a sweep in memory: every member's outcome and the counts of them."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jaxlab import outcomes
from jaxlab.files import write_csv
from jaxlab.spec import Setting, Sweep
from jaxlab.survival import Curve, curve
from jaxlab.tally import Tally, clopper_pearson

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Members:
    """The members of one setting, by ascending seed; all arrays have the member axis first.

    outcome: position in `outcomes.OUTCOMES`; improving: was the error still falling, whatever the
    outcome; loss: training loss on all rows; errors (members,
    regions): relative error per region; first_solved: step of the first check at which the member
    was solved, -1 if at none; born_dead: no gradient before the output's bias at initialisation;
    certified: the death certificate at the end; entering (members, 2): mean over rows of what
    enters the output units, before and after training. In the original units of the targets:
    rmse, rounded_rmse (of outputs and targets rounded to whole numbers), line_rmse (of the best
    affine function on the member's rows), mean_output, mean_target and spread (standard deviation
    of the targets). initial_weights and final_weights (members, parameters); for large networks
    instead seen (members, 32, inputs + outputs): what they answer at 32 of their rows. What is not
    kept is None.
    """

    seeds: np.ndarray
    outcome: np.ndarray
    improving: np.ndarray
    loss: np.ndarray
    errors: np.ndarray
    first_solved: np.ndarray
    born_dead: np.ndarray
    certified: np.ndarray
    entering: np.ndarray
    rmse: np.ndarray
    rounded_rmse: np.ndarray
    line_rmse: np.ndarray
    mean_output: np.ndarray
    mean_target: np.ndarray
    spread: np.ndarray
    initial_weights: np.ndarray | None = None
    final_weights: np.ndarray | None = None
    seen: np.ndarray | None = None

    @classmethod
    def joined(cls, seeds: np.ndarray, arrays: Mapping[str, np.ndarray]) -> "Members":
        """Return members sorted by seed from arrays in any order."""
        order = np.argsort(seeds)
        return cls(seeds[order], **{name: values[order] for name, values in arrays.items()})

    @classmethod
    def concatenated(cls, parts: Sequence["Members"]) -> "Members":
        """Return the members of several lots of one setting, sorted by seed."""
        joined = {f: np.concatenate([p.arrays[f] for p in parts]) for f in parts[0].arrays}
        return cls.joined(joined.pop("seeds"), joined)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that was kept, by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: values for name, values in found.items() if values is not None}

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        return sum(values.nbytes for values in self.arrays.values())

    def of(self, seeds: np.ndarray) -> "Members":
        """Return those of the members whose seeds are among these."""
        keep = np.isin(self.seeds, seeds)
        if keep.all():
            return self
        return Members(**{name: values[keep] for name, values in self.arrays.items()})

    @property
    def names(self) -> np.ndarray:
        """Each member's outcome by name."""
        return np.array(outcomes.OUTCOMES)[self.outcome]

    @property
    def relative_errors(self) -> np.ndarray:
        """Each member's error at the end, relative to the targets' standard deviation; inf, nan."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self.rmse / self.spread

    @property
    def constants(self) -> np.ndarray:
        """Which constant a constant output is: "mean", "zero" or "other"; "" for other outputs."""
        named = outcomes.which_constant(self.mean_output, self.mean_target, self.spread)
        return np.where(self.names == "constant", named, "")

    @property
    def tally(self) -> Tally:
        """How many members ended in each class, and how many of the failed were improving.

        The dead are not: what moves in them is the output's bias alone.
        """
        counted = Tally.of(outcomes.OUTCOMES, self.outcome)
        hopeful = self.improving & ~np.isin(self.names, ("solved", "dead"))
        return Tally(counted.counts, int(hopeful.sum()))


class Pieces(Mapping[str, Members]):
    """Members by setting that need not be in memory all at once."""

    @abstractmethod
    def pieces(self) -> Iterator[Mapping[str, Members]]:
        """Yield the members of all settings, some of them at a time."""


@dataclass(frozen=True, repr=False)
class Result:
    """A sweep and what became of its members.

    Those of a folder are read when asked for, one setting at a time; what can be counted bit by bit
    is counted over `parts()`, which never hold more than some ten thousand seeds of a setting.
    """

    sweep: Sweep
    members: Mapping[str, Members]

    def parts(self) -> Iterator["Result"]:
        """Yield the result piece by piece: all settings, some of their members at a time."""
        whole = self.members
        for members in whole.pieces() if isinstance(whole, Pieces) else [whole]:
            yield Result(self.sweep, members)

    @property
    def outcomes(self) -> np.ndarray:
        """Outcome names (setting, seed); ValueError where settings were run on different seeds."""
        lists = [m.seeds for m in self.members.values()]
        if not lists:
            raise ValueError("no seeds were trained; there are no outcomes")
        if any(not np.array_equal(seeds, lists[0]) for seeds in lists):
            raise ValueError("the settings have different seeds; look at .members one by one")
        return np.stack([m.names for m in self.members.values()])

    def tally(self) -> dict[str, Tally]:
        """Return the counts of every setting."""
        counted: dict[str, Tally] = {}
        for part in self.parts():
            for name, members in part.members.items():
                before = counted.get(name)
                counted[name] = members.tally if before is None else before + members.tally
        return counted

    def survival(self, setting: str) -> Curve:
        """Return the share of a setting's members not yet solved after each check."""
        members, asked = self.members[setting], self.sweep[setting]
        checks = asked.training.checks(asked.task.rows)
        return curve(members.first_solved, checks, members.certified)

    def seeds(self, setting: str, outcome: str) -> np.ndarray:
        """Return the seeds of a setting that ended in an outcome; ValueError for unknown names."""
        if setting not in self.members:
            known = ", ".join(self.members)
            raise ValueError(f"setting is {setting!r}; it must be one of {known}")
        if outcome not in outcomes.OUTCOMES:
            known = ", ".join(outcomes.OUTCOMES)
            raise ValueError(f"outcome is {outcome!r}; it must be one of {known}")
        members = self.members[setting]
        return members.seeds[members.names == outcome]

    def to_csv(self, path: str | Path) -> None:
        """Write the counts, a row per setting, with exact intervals and the setting's numbers."""
        write_csv(Path(path), summary_rows(self))

    def draw(self) -> "Figure":
        """Return a figure of what became of every setting's members, with the failure rates."""
        from jaxlab import notebook  # which knows results, and brings matplotlib

        return notebook.draw(self.tally())

    def __repr__(self) -> str:
        """Show the counts as a table of at most 80 columns."""
        return table(self)

    def _repr_html_(self) -> str:
        """Show the table and the figure in a notebook."""
        from jaxlab import notebook

        return notebook.as_html(self)


def summary_rows(result: Result) -> list[dict[str, object]]:
    """Return one dictionary per setting: counts, exact 95 % interval, outcome classes, numbers.

    The rate and its interval are empty where no seeds were trained.
    """
    rows = []
    for name, tally in result.tally().items():
        interval = clopper_pearson(tally.failed, tally.n) if tally.n else None
        rows.append(
            {
                "sweep": result.sweep.name,
                "setting": name,
                "n": tally.n,
                "failed": tally.failed,
                "failure_rate": f"{tally.failed / tally.n:.6g}" if tally.n else "",
                "ci_low": f"{interval.low:.6g}" if interval else "",
                "ci_high": f"{interval.high:.6g}" if interval else "",
            }
            | dict(tally.counts)
            | {"improving": tally.improving}
            | setting_columns(result.sweep[name])
        )
    return rows


def setting_columns(setting: Setting) -> dict[str, object]:
    """Return what tells a setting from others, by column name."""
    network, training = setting.network, setting.training
    own = bool(network.module)
    laws = ["own"] if own else list(dict.fromkeys(i.law for i in setting.initialisers))
    numbers = {name: f"{value:g}" for name, value in training.optimiser.numbers.items()}
    return {
        "hidden_units": network.module or "-".join(map(str, network.widths[1:-1])),
        "activations": "-".join(network.activations),
        "slope": f"{network.slope:g}" if "leaky_relu" in network.activations else "",
        "initialiser": "-".join(laws),
        "kernel_scale": "" if own else "-".join(f"{i.scale:g}" for i in setting.initialisers),
        "bias_scale": "" if own else "-".join(f"{i.bias_scale:g}" for i in setting.initialisers),
        "task": setting.task.name,
        "rows": setting.task.rows,
        "optimiser": training.optimiser.name,
        "schedule": training.optimiser.schedule,
        **numbers,
        "loss": training.loss,
        "batch_size": training.batch_size,
        "epochs": training.epochs,
        "steps": setting.steps,
    }


COLUMNS = 80
SHORT = {
    "right_only": "right",
    "left_only": "left",
    "partial": "part",
    "constant": "const",
    "linear": "line",
    "diverged": "div",
    "unfinished": "unfin",
}


def table(result: Result) -> str:
    """Return the counts as text of at most 80 columns.

    Failure rate with exact interval, then the failed classes that occur, in per cent of all seeds;
    what finds no room is summed up under "rest".
    """
    tallies = result.tally()
    if not any(tally.n for tally in tallies.values()):
        return f"{result.sweep.name}: no seeds were trained"
    width = min(30, max(7, *(len(name) for name in tallies)))
    digits = max(6, *(len(str(tally.n)) for tally in tallies.values()))
    shown, rest = _columns(tallies, (COLUMNS - width - digits - 23) // 6)
    heads = [SHORT.get(c, c) for c in shown] + ["rest"] * bool(rest)
    lines = [f"{'setting':<{width}} {'n':>{digits}} {'fails%':>6} {'95% interval':>14}"]
    lines[0] += "".join(f" {head:>5}" for head in heads)
    for name, tally in tallies.items():
        short = name if len(name) <= width else name[: width - 1] + "…"
        if not tally.n:
            lines.append(f"{short:<{width}} {0:>{digits}}")
            continue
        bounds = clopper_pearson(tally.failed, tally.n).percent
        line = f"{short:<{width}} {tally.n:>{digits}} {100 * tally.failed / tally.n:6.2f}"
        shares = [tally.counts[c] / tally.n for c in shown]
        shares += [sum(tally.counts[c] for c in rest) / tally.n] * bool(rest)
        lines.append(f"{line} {bounds:>14}" + "".join(f" {100 * s:5.1f}" for s in shares))
    note = ["(right of the interval: outcomes, per cent of all seeds)"] if heads else []
    return "\n".join([*lines, *note])


def _columns(tallies: Mapping[str, Tally], room: int) -> tuple[list[str], list[str]]:
    """Return the failed classes to show, in their usual order, and those for which no room is."""
    counted = [tally for tally in tallies.values() if tally.n]
    largest = {c: max(t.counts[c] / t.n for t in counted) for c in outcomes.OUTCOMES}
    occurring = [c for c in outcomes.OUTCOMES if c != "solved" and largest[c] > 0]
    if len(occurring) <= room:
        return occurring, []
    kept = sorted(occurring, key=lambda c: largest[c], reverse=True)[: room - 1]
    return [c for c in occurring if c in kept], [c for c in occurring if c not in kept]
