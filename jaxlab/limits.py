"""What no weights can do: proofs, made without training, that a network cannot learn its task.

Each gives a lower bound on the error by which a region is judged, whatever the weights are. Where
the bound is above the tolerance, no seed, time or optimiser helps. That there is no proof here says
nothing.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from jaxlab import reach, scaling, tasks
from jaxlab.spec import Scaling, Setting

MOST_NUMBERS = 10**6  # of inputs and targets, so that a proof takes no time to speak of
SAFETY = 1.001  # by how much a bound must exceed the tolerance, for both are rounded


@dataclass(frozen=True)
class Limit:
    """Hold a proof: why no weights do, and the least error, in the units of the tolerance.

    Of several `regions` it is that of the one with the largest.
    """

    reason: str
    error: float
    regions: int = 1


@dataclass(frozen=True)
class _Rows:
    """Rows in float64: as a network sees its inputs and targets (rows, columns), and judged.

    `original` undoes the scaling of outputs; `weights` (regions, rows) turn squared errors, in
    original units and averaged over outputs, into a region's squared relative error.
    """

    inputs: np.ndarray
    seen_targets: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    original: Callable[[np.ndarray], np.ndarray]


def limit_of(setting: Setting) -> Limit | None:
    """Return a proof that no weights solve a setting's task; None where none is known.

    None as well where every seed draws its own rows, or the task is defined by another program.
    """
    task = setting.task
    if not tasks.is_defined(task) or tasks.definition(task).random:
        return None
    rows = _rows_of(setting)
    if rows is None:
        return None
    proofs = [_equal_inputs(rows), _bounded(setting, rows), _straight(setting, rows)]
    strongest = max((proof for proof in proofs if proof), key=lambda p: p.error, default=None)
    if strongest is None or strongest.error <= SAFETY * task.tolerance:
        return None
    return dataclasses.replace(strongest, regions=len(rows.weights))


def _rows_of(setting: Setting) -> _Rows | None:
    task = setting.task
    inputs, targets, regions = tasks.example(task)
    if inputs.size + targets.size > MOST_NUMBERS:
        return None
    scaled = task.scaling or Scaling()
    numbers = scaling.numbers_of(scaled)
    units = [
        scaling.fit(part, jnp.float32(numbers[i]), jnp.float32(numbers[2 + i]))
        for i, part in enumerate((inputs, targets))
    ]
    seen = [scaling.apply(*pair) for pair in zip(units, (inputs, targets), strict=True)]

    def original(outputs: np.ndarray) -> np.ndarray:
        return np.asarray(scaling.undo(units[1], jnp.asarray(outputs, jnp.float32)), np.float64)

    exact = np.asarray(targets, np.float64)
    masks = np.stack([np.asarray(mask) for mask in regions.values() if np.any(mask)])
    weights = _region_weights(exact, masks, spread=tasks.definition(task).spread)
    shown, aims = (np.asarray(part, np.float64) for part in seen)
    return _Rows(shown, aims, exact, weights, original)


def _region_weights(targets: np.ndarray, masks: np.ndarray, *, spread: bool) -> np.ndarray:
    """Return (regions, rows): a region's squared relative error, summed row by row."""
    sizes = (masks @ np.mean(targets**2, axis=1)) / masks.sum(axis=1)
    if spread:
        sizes = np.full(len(masks), np.mean((targets - targets.mean(axis=0)) ** 2))
    return masks / (masks.sum(axis=1) * np.where(sizes > 0, sizes, 1.0))[:, None]


def _least(rows: _Rows, errors: np.ndarray) -> float:
    """Return the largest region's relative error, of the least squared errors (rows, out)."""
    return float(np.sqrt(np.max(rows.weights @ np.mean(errors, axis=1))))


def _equal_inputs(rows: _Rows) -> Limit | None:
    """Prove it from rows whose inputs are the same and whose targets are not."""
    seen = rows.inputs.astype(np.float32)
    _, group, counts = np.unique(seen, axis=0, return_inverse=True, return_counts=True)
    if len(counts) == len(seen):
        return None
    squared = max(_within(group.reshape(-1), region, rows.targets) for region in rows.weights)
    if not squared > 0:
        return None
    same = int(counts[counts > 1].sum())
    return Limit(f"{same:,} rows share their inputs with rows of other targets", squared**0.5)


def _within(group: np.ndarray, region: np.ndarray, targets: np.ndarray) -> float:
    """Return a region's least squared relative error of outputs that groups of rows share."""
    total = np.zeros(len(targets))
    for target in targets.T:
        weight = np.bincount(group, region)
        mean = np.bincount(group, region * target) / np.where(weight > 0, weight, 1.0)
        total += region * (target - mean[group]) ** 2
    return float(total.sum()) / targets.shape[1]


def _bounded(setting: Setting, rows: _Rows) -> Limit | None:
    """Prove it from the range of an output, which targets leave as they are seen."""
    if not reach.is_bounded(setting.network):
        return None
    low, high = reach.of(setting.network)
    nearest = np.clip(rows.seen_targets, low, high)
    if np.array_equal(nearest, rows.seen_targets):
        return None
    error = _least(rows, (rows.original(nearest) - rows.targets) ** 2)
    ends = f"below {low:g}" if np.isinf(high) else f"outside of {low:g} to {high:g}"
    name = setting.network.activations[-1]
    return Limit(f"the output, {name}, cannot give targets {ends}", error)


def _straight(setting: Setting, rows: _Rows) -> Limit | None:
    """Prove it from there being no activation: then the network is an affine function."""
    network, scaled = setting.network, setting.task.scaling
    if network.module or set(network.activations) != {"linear"}:
        return None
    if scaled is not None and scaled.targets == "log":
        return None
    columns = [rows.inputs, *([np.ones((len(rows.inputs), 1))] if network.use_bias else [])]
    design = np.concatenate(columns, axis=1)
    # The largest error of several regions is at least that of any mean of them.
    mixtures = [*rows.weights, rows.weights.mean(axis=0)]
    error = max(_best_line(design, rows.targets, mixture) for mixture in mixtures)
    return Limit("without an activation every network is a straight line", error)


def _best_line(design: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Return the least weighted error of linear functions of the design's columns."""
    scale = np.max(np.abs(design), axis=0)
    root = np.sqrt(weights)[:, None]
    left, right = root * design / np.where(scale > 0, scale, 1.0), root * targets
    solution = np.linalg.lstsq(left, right, rcond=None)[0]
    return float(np.sqrt(np.sum((right - left @ solution) ** 2) / targets.shape[1]))


def line_limit(setting: Setting, line_rmse: np.ndarray, spread: np.ndarray) -> Limit | None:
    """Return the proof of a network without activations whose seeds draw rows of their own.

    `line_rmse` and `spread` (members,) are those of `jaxlab.Members`. It speaks of these seeds
    only, and of tasks that are judged on all rows together against the spread.
    """
    task, network = setting.task, setting.network
    if not tasks.is_defined(task) or network.module or set(network.activations) != {"linear"}:
        return None
    meaning = tasks.definition(task)
    straight = task.scaling is None or task.scaling.targets != "log"
    straight = straight and (task.scaling is None or task.scaling.inputs != "log")
    if not (meaning.random and meaning.spread and meaning.regions is tasks.whole and straight):
        return None
    least = float(np.min(line_rmse / spread))
    if not least > SAFETY * task.tolerance:
        return None
    return Limit("without an activation every network is a straight line", least)
