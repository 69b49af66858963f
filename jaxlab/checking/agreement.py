"""Whether the same seeds ended alike in jaxlab and in another framework, member by member."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxlab.contrast import mcnemar, paired_difference
from jaxlab.tally import Interval, clopper_pearson


@dataclass(frozen=True)
class Ends:
    """How members ended, by ascending seed; all arrays have the member axis first.

    outcome: names; loss: training loss on all rows; error: the largest relative error of a region;
    weights: (members, parameters), None where jaxlab keeps none.
    """

    outcome: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    weights: np.ndarray | None


@dataclass(frozen=True, repr=False)
class Agreement:
    """Members of one setting in jaxlab (`ours`) and in another framework (`theirs`)."""

    setting: str
    framework: str
    order: str
    seeds: np.ndarray
    ours: Ends
    theirs: Ends
    versions: Mapping[str, str]
    date: str

    @property
    def agree(self) -> np.ndarray:
        """Say of each member if it has the same outcome in both."""
        return self.ours.outcome == self.theirs.outcome

    @property
    def interval(self) -> Interval:
        """The exact 95 % interval of the share of seeds that agree."""
        return clopper_pearson(int(self.agree.sum()), len(self.seeds))

    @property
    def only(self) -> tuple[int, int]:
        """How many members are solved in jaxlab only, and in the other framework only."""
        ours, theirs = self.ours.outcome == "solved", self.theirs.outcome == "solved"
        return int((ours & ~theirs).sum()), int((theirs & ~ours).sum())

    @property
    def p_value(self) -> float:
        """McNemar's exact p-value for both to solve equally many."""
        return mcnemar(*self.only)

    @property
    def difference(self) -> Interval:
        """The 95 % interval of the share solved in jaxlab less that in the other framework."""
        return paired_difference(*self.only, len(self.seeds))

    @property
    def loss_differences(self) -> np.ndarray:
        """Each member's difference of final losses, relative to the larger."""
        larger = np.maximum(np.abs(self.ours.loss), np.abs(self.theirs.loss))
        apart = np.abs(self.ours.loss - self.theirs.loss)
        return np.where(larger > 0, apart / np.where(larger > 0, larger, 1), 0.0)

    @property
    def weight_differences(self) -> np.ndarray:
        """Each member's largest difference of a weight, relative to its largest; nan if unknown."""
        if self.ours.weights is None or self.theirs.weights is None:
            return np.full(len(self.seeds), np.nan)
        apart = np.abs(self.ours.weights - self.theirs.weights).max(axis=1)
        return apart / np.abs(self.ours.weights).max(axis=1)

    def rows(self) -> list[dict[str, object]]:
        """Return a dictionary per member, for a CSV file."""
        made = f"{self.framework} {self.versions[self.framework]}"
        columns: dict[str, list] = {
            "seed": self.seeds.tolist(),
            "jaxlab": self.ours.outcome.tolist(),
            "other": self.theirs.outcome.tolist(),
            "agree": np.where(self.agree, "yes", "no").tolist(),
            "jaxlab_loss": [f"{x:.8g}" for x in self.ours.loss],
            "other_loss": [f"{x:.8g}" for x in self.theirs.loss],
            "jaxlab_error": [f"{x:.6g}" for x in self.ours.error],
            "other_error": [f"{x:.6g}" for x in self.theirs.error],
            "weights_differ": [f"{x:.3g}" for x in self.weight_differences],
        }
        told: dict[str, object] = {"setting": self.setting, "framework": made}
        told |= {"order": self.order, "date": self.date}
        members = zip(*columns.values(), strict=True)
        return [told | dict(zip(columns, values, strict=True)) for values in members]
