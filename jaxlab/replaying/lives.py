"""What became of single units: when each fell silent for good, and where it bends.

A ReLU unit that is active on no row gets no gradient; what it adds to the output is constant.
"""

from dataclasses import dataclass

import numpy as np

from jaxlab.replaying.trajectory import Trajectory

CAN_DIE = ("relu",)
BENDING = ("relu", "leaky_relu")


@dataclass(frozen=True, eq=False)
class Life:
    """One ReLU unit: layer and unit, both from 1 on, and at what share of rows it is active.

    active (moments,); silent_from: the first moment from which on it is active on no row, None if
    it is active at the end; that of a unit that was never active is step 0.
    """

    layer: int
    unit: int
    active: np.ndarray
    silent_from: int | None


def lives(trajectory: Trajectory) -> list[Life]:
    """Return the lives of all units that can die, layer by layer; the output may be one of them.

    None where a network has no ReLU, or where its numbers are not finite at the end.
    """
    network, first, found = trajectory.setting.network, 0, []
    if network.module or not np.isfinite(trajectory.loss[-1]):
        return []
    layers = zip(network.widths[1:], network.activations, strict=True)
    for layer, (width, activation) in enumerate(layers, start=1):
        if activation in CAN_DIE:
            for unit in range(width):
                active = trajectory.active[:, first + unit]
                found.append(Life(layer, unit + 1, active, _silent_from(trajectory, active)))
        first += width
    return found


def hidden(trajectory: Trajectory) -> list[Life]:
    """Return the lives of hidden units."""
    last = len(trajectory.setting.network.widths) - 1
    return [life for life in lives(trajectory) if life.layer < last]


def _silent_from(trajectory: Trajectory, active: np.ndarray) -> int | None:
    (at_work,) = np.nonzero(active)
    first = 0 if not len(at_work) else int(at_work[-1]) + 1
    return int(trajectory.steps[first]) if first < len(active) else None


def kinks(trajectory: Trajectory) -> np.ndarray | None:
    """Return where the units of the first layer bend, (moments, units), in original inputs.

    None where the input is not a single number, where nothing bends, and where weights are not
    kept; nan where a kernel is 0.
    """
    network = trajectory.setting.network
    bends = bool(network.activations) and network.activations[0] in BENDING
    if network.widths[0] != 1 or not bends or trajectory.weights is None:
        return None
    kernel, bias = trajectory.layers[0]
    kernel = kernel[:, 0].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.where(kernel == 0, np.nan, -(0 * kernel if bias is None else bias) / kernel)
    if trajectory.units is None:
        return places
    logarithm, one_is, zero_is = trajectory.units[:, 0].tolist()
    plain = places * one_is + zero_is
    with np.errstate(over="ignore"):
        return np.expm1(plain) if logarithm else plain
