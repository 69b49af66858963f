"""Panels of what one member answers, at several moments and at one that moves."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jaxlab.plotting import BLACK, SILVER
from jaxlab.replaying.panels import in_short, legend_above, step_axis
from jaxlab.replaying.trajectory import Trajectory

SHOWN = 5  # moments at which the function is drawn
FEW_POINTS = 30  # inputs that are marked each
EARLY_TO_LATE = ("#C9D7E8", "#9DBBD9", "#6A9BC8", "#2F74B0", "#08306B")
DASHED = (0, (2, 2))


def draw_function(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw what the network answers, early in pale and late in dark, against what is asked.

    Over the input; over the steps where all inputs are the same; and where there are several
    inputs or outputs, against the targets, with the line on which both are equal.
    """
    inputs, targets = trajectory.inputs, trajectory.targets
    if inputs.shape[1] > 1 or targets.shape[1] > 1:
        return _against_targets(axes, trajectory)
    if len(np.unique(inputs)) == 1:
        axes.plot(trajectory.steps, trajectory.outputs[:, 0, 0], color=EARLY_TO_LATE[-1])
        axes.axhline(float(targets[0, 0]), color=BLACK, linestyle=DASHED, linewidth=0.8)
        axes.set_ylabel(f"output at x = {float(inputs[0, 0]):g}")
        return step_axis(axes, trajectory)
    order = np.argsort(inputs[:, 0], kind="stable")
    x, marker = inputs[order, 0], "o" if len(np.unique(inputs)) <= FEW_POINTS else ""
    moments = telling_moments(trajectory)
    shades = np.linspace(0, len(EARLY_TO_LATE) - 1, len(moments)).round().astype(int)
    for i, colour in zip(moments, np.array(EARLY_TO_LATE)[shades].tolist(), strict=True):
        label = f"step {trajectory.steps[i]:,}"
        look = {"color": colour, "marker": marker, "markersize": 2.5}
        axes.plot(x, trajectory.outputs[i, order, 0], label=label, **look)
    aim = {"color": BLACK, "linestyle": DASHED, "linewidth": 0.9, "label": "target"}
    axes.plot(x, targets[order, 0], **aim)
    _frame_targets(axes, targets)
    legend_above(axes)
    axes.set(xlabel="x", ylabel="output")
    axes.xaxis.labelpad = 1
    return axes


def _against_targets(axes: Axes, trajectory: Trajectory) -> Axes:
    targets = trajectory.targets.ravel()
    for i, colour, name in ((0, SILVER, "step 0"), (-1, EARLY_TO_LATE[-1], "the end")):
        look = {"s": 3.0, "linewidths": 0.0, "color": colour, "label": name, "rasterized": True}
        axes.scatter(targets, trajectory.outputs[i].ravel(), **look)
    ends = [targets.min(), targets.max()]
    axes.plot(ends, ends, color=BLACK, linestyle=DASHED, linewidth=0.9)
    _frame_targets(axes, trajectory.targets)
    legend_above(axes)
    axes.set(xlabel="target", ylabel="output")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(in_short))
    axes.xaxis.labelpad = 1
    return axes


def _frame_targets(axes: Axes, targets: np.ndarray) -> None:
    """Let no output that went far astray hide the others."""
    low, high = float(targets.min()), float(targets.max())
    room = 0.6 * ((high - low) or 1.0)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - room), min(top, high + room))
    axes.yaxis.set_major_formatter(FuncFormatter(in_short))


def telling_moments(trajectory: Trajectory, count: int = SHOWN) -> list[int]:
    """Return moments from first to last, between which the outputs changed about equally much."""
    outputs = trajectory.outputs.reshape(len(trajectory.steps), -1).astype(float)
    size = float(np.ptp(trajectory.targets)) or 1.0
    change = np.clip(np.abs(np.diff(np.nan_to_num(outputs), axis=0)), 0, size).mean(axis=1)
    way = np.concatenate([[0.0], np.cumsum(change)])
    if not way[-1]:
        return [0, len(way) - 1]
    places = np.searchsorted(way, np.linspace(0, way[-1], count))
    return sorted({0, *np.minimum(places, len(way) - 1).tolist()[1:-1], len(way) - 1})
