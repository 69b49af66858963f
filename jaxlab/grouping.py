"""Which settings run side by side: one program serves all that differ in numbers only."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import keys, networks, optimisers, scaling, tasks, training
from jaxlab.spec import Initialiser, Network, Optimiser, Scaling, Setting, Sweep, Training

MAX_LANES = 256
FEWEST_LANES = 64  # of networks with so few weights that each is trained in registers
FEW_PARAMETERS = 512
LANE_ENTRIES = 2**17  # activations of one batch of a block: about the fast cache of one core


def lane_width(setting: Setting) -> int:
    """Return the number of members trained side by side: a power of two, fit for the cache."""
    entries = sum(setting.network.widths) * (setting.training.batch_size or setting.task.rows)
    fewest = FEWEST_LANES if setting.network.parameters <= FEW_PARAMETERS else 1
    fitting = 2 ** max(0, (LANE_ENTRIES // entries).bit_length() - 1)
    return max(fewest, min(MAX_LANES, fitting))


def skeleton(setting: Setting) -> Setting:
    """Return the setting with all that the training program takes as an argument left out."""
    network = dataclasses.replace(setting.network, slope=Network.slope)
    given = setting.training.optimiser
    optimiser = Optimiser(given.name, schedule=given.schedule, clip_norm=float(given.clip_norm > 0))
    loss, size = setting.training.loss, setting.training.batch_size
    rates = tuple(1.0 for _ in setting.training.layer_rates)
    train = Training(optimiser, loss, size, epochs=1, layer_rates=rates)
    task = setting.task
    if tasks.own_rows(task):  # rows that all share are made from the numbers beforehand
        zeros = dict.fromkeys(task.numbers, 0.0)
        task = dataclasses.replace(task, numbers=zeros, scaling=Scaling())
    return Setting("skeleton", task, network, training=train)


Meaning = tuple[Any, ...]


def meaning(setting: Setting) -> Meaning:
    """Return what names in a specification mean now: programs are compiled for that, too.

    ValueError for a task, a module or an optimiser that is not defined.
    """
    optimiser = optimisers.definition(setting.training.optimiser)
    return tasks.definition(setting.task), networks.meaning(setting.network), optimiser


def laws(setting: Setting) -> tuple[Initialiser, ...]:
    """Return the initialisers with their scales, arguments of the drawing program, left out."""
    return tuple(dataclasses.replace(i, scale=1.0, bias_scale=1.0) for i in setting.initialisers)


Columns = Mapping[str, np.ndarray]


def columns(settings: Sequence[Setting]) -> Columns:
    """Return all numbers that programs take as arguments, the settings first: the group's columns.

    Those that training reads by name, those of the task as "task name", and the "scales" of the
    initialisers (settings, layers, 2) and the "scaling" (settings, 4) of the rows.
    """
    rows = []
    for setting in settings:
        scales = [(i.scale, i.bias_scale) for i in setting.initialisers]
        task = {f"task {name}": value for name, value in setting.task.numbers.items()}
        scaled = scaling.numbers_of(setting.task.scaling or Scaling())
        rows.append(training.numbers_of(setting) | task | {"scales": scales, "scaling": scaled})
    return {name: np.asarray([row[name] for row in rows], np.float64) for name in rows[0]}


@dataclass(frozen=True)
class Schedule:
    """How long a block trains, one for all its members: until the last of the steps of `checks`."""

    travel: int  # steps until momentum is spent, for the death certificate
    certifiable: bool
    checks: tuple[int, ...]

    @classmethod
    def of(cls, setting: Setting) -> "Schedule":
        """Return how long the members of a setting train."""
        travel = optimisers.travel_steps(setting.training.optimiser)
        return cls(travel or 0, travel is not None, setting.training.checks(setting.task.rows))

    @property
    def half(self) -> int:
        """The step at which half of training is done; that before the first, if it is the only."""
        return -(-self.checks[-1] // 2) if self.checks[-1] > 1 else 0

    def arguments(self) -> dict[str, np.ndarray]:
        """Return what the compiled program is told; checks are padded to few different lengths."""
        padded = np.full(-(-len(self.checks) // 16) * 16, self.checks[-1], np.int32)
        padded[: len(self.checks)] = self.checks
        return {
            "travel": np.array(self.travel, np.int32),
            "certifiable": np.array(self.certifiable),
            "checks": padded,
            "check_count": np.array(len(self.checks), np.int32),
            "half": np.array(self.half, np.int32),
            "one": np.array(1.0, np.float32),
        }


@dataclass(frozen=True)
class Group:
    """Settings that run side by side: one training program, one schedule."""

    skeleton: Setting
    schedule: Schedule
    lanes: int
    settings: tuple[Setting, ...]


def groups(sweep: Sweep, lanes: int | None = None) -> list[Group]:
    """Sort a sweep's settings into groups, in order of first appearance."""
    found: dict[tuple[Setting, Schedule, int], list[Setting]] = {}
    for setting in sweep.settings:
        tasks.check_fit(setting)  # what cannot run is reported before anything does
        meaning(setting)
        key = (skeleton(setting), Schedule.of(setting), lanes or lane_width(setting))
        found.setdefault(key, []).append(setting)
    return [Group(*key, settings=tuple(members)) for key, members in found.items()]


def check_seeds(seeds: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """Return seeds as an array, 0, 1, ... for a number of them.

    ValueError unless all are whole, different and within 32 bits.
    """
    if isinstance(seeds, int | np.integer):
        if not 1 <= seeds <= keys.MOST_SEEDS:
            right = f"at least 1 and at most {keys.MOST_SEEDS} at once"
            raise ValueError(f"seeds is {seeds}; it must be {right}")
        return np.arange(seeds, dtype=np.int64)
    array = np.asarray(seeds)
    if array.size == 0:
        raise ValueError("no seeds given; at least one is needed")
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"seeds are {array.dtype}; they must be whole numbers")
    if array.ndim != 1:
        raise ValueError(f"seeds has {array.ndim} dimensions; it must be a number or one list")
    if array.min() < 0 or array.max() > keys.MAX_SEED:
        span = f"{array.min()} to {array.max()}"
        raise ValueError(f"seeds are {span}; they must lie between 0 and {keys.MAX_SEED}")
    if len(np.unique(array)) != len(array):
        raise ValueError("seeds are given twice; each must be given once")
    return array.astype(np.int64)
