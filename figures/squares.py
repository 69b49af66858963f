"""No network without activations beats the best line; ReLUs do, reliably with inputs of order one.

Two parts: what networks of four kinds answer, beside x^2 and the best line; and every network's
error, against the error of that line and the one that was reported.
"""

from typing import NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from figures import _threshold
from figures._counts import Numbers, failed, require, share
from figures._strips import spread
from jaxlab import plotting
from jaxlab.plotting import COLOURS, MARKERS
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.theory import baselines
from sweeps import squares as sweep
from sweeps.claims.squares import REPORTED

MOST_NETWORKS = 16  # whose answers are drawn, those with the smallest seeds
MOST_POINTS = 1000  # of a row of errors, likewise; all are counted
POINTS = 32  # at which a network's answers are drawn
MILLION = 1e6
BELOW = 0.999  # of the best line's error: what lies between is rounding
LINE = plotting.BLUE
SMALL = "square, 20 units, ReLU, x/1000"
SPARE = "square and spare, 20 units, ReLU"
CURVES = {
    "square": "no activations",
    "square, ReLU": "ReLU, x/10$^6$ (posted)",
    "square, ReLU, x/1000": "ReLU, x/1000",
    SMALL: "20 ReLUs, x/1000",
}
ERRORS = {
    "square": "no activations",
    "square, ReLU": "ReLU",
    "square, ReLU, 1500 epochs": "… 1500 epochs",
    "square, ReLU, x/1000": "… x/1000",
    "square, 20 units, linear": "20 units, linear",
    "square, 20 units, ReLU": "20 ReLUs",
    SMALL: "… x/1000",
    SPARE: "… and a spare input",
}
THRESHOLD = {
    "sum": "a + b, no activations",
    "square": "x², no activations",
    "square, ReLU": "x², ReLU",
    "square, ReLU, x/1000": "x², ReLU, x/1000",
    SMALL: "x², 20 ReLUs, x/1000",
    SPARE: "the same and a spare input",
}


class Answers(NamedTuple):
    """Hold what networks answer, `y` (members, points) at `x`, and what became of them."""

    x: np.ndarray
    y: np.ndarray
    outcomes: np.ndarray


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return every figure by file name, with the numbers of its caption."""
    require(result, *CURVES, *ERRORS)
    rows = [errors(result, name) for name in ERRORS]
    figure = Figure(figsize=(plotting.DOUBLE, 2.9), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.05), wspace=0.08)
    plotting.letter(draw_curves(figure, grid[0], result), "a")
    plotting.letter(draw_errors(figure.add_subplot(grid[1]), result, rows), "b")
    numbers = {"reported": REPORTED, "best_line": best_line(), "errors": rows}
    return {
        "squares": (figure, numbers),
        "squares_threshold": _threshold.draw(result, THRESHOLD, "the targets' standard deviation"),
    }


def best_line() -> float:
    """Return the root-mean-square error of the best straight line on 1, 2, ..., 1000."""
    return float(baselines.squares(sweep.LARGEST).affine) ** 0.5


def answers(result: Result, setting: str) -> Answers:
    """Return what the first networks of a setting answer, in original units.

    Small networks keep their weights and are asked at evenly spaced x; others keep answers at some
    of their own rows. ValueError where there is neither.
    """
    members = result.members[setting]
    names = members.names[:MOST_NETWORKS]
    if members.seen is not None:
        seen = members.seen[:MOST_NETWORKS].astype(float)
        return Answers(seen[..., 0], seen[..., -1], names)
    if members.final_weights is None:
        raise ValueError(f"setting {setting!r} kept neither answers nor weights")
    x = np.linspace(1, sweep.LARGEST, POINTS)
    y = outputs(result.sweep[setting], members.final_weights[:MOST_NETWORKS], x)
    return Answers(np.broadcast_to(x, y.shape), y, names)


def outputs(setting: Setting, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the outputs (members, points) of small networks with packed weights (members, p).

    They have one input, one hidden layer and a linear output; x and outputs are in original units.
    """
    scaling, k = setting.task.scaling, setting.network.widths[1]
    factors = (1.0, 1.0) if scaling is None else (scaling.input_factor, scaling.target_factor)
    w, b, a, c = np.split(weights[..., None].astype(float), (k, 2 * k, 3 * k), axis=1)
    entering = w * (factors[0] * x) + b
    is_relu = setting.network.activations[0] == "relu"
    hidden = np.maximum(entering, 0.0) if is_relu else entering
    return (np.sum(a * hidden, axis=1) + c[:, 0]) / factors[1]


def draw_curves(figure: Figure, place: SubplotSpec, result: Result) -> Axes:
    """Draw answers, x^2 and the best line, a small panel for each kind of network."""
    x = np.linspace(0, sweep.LARGEST, 201)
    slope, intercept = (float(value) for value in baselines.squares_line(sweep.LARGEST))
    grid = place.subgridspec(2, 2).subplots(sharex=True, sharey=True, squeeze=False)
    for axes, (setting, label) in zip(grid.flat, CURVES.items(), strict=True):
        found = answers(result, setting)
        line = (slope * x + intercept) / MILLION
        plotting.draw_law(axes, x, line, colour=LINE, label="best line")
        plotting.draw_law(axes, x, x**2 / MILLION, colour="black", label="x²", dashed=True)
        for name in dict.fromkeys(found.outcomes):
            mine = found.outcomes == name
            look = {"colour": COLOURS[name], "marker": MARKERS[name], "label": name, "size": 2.5}
            plotting.draw_points(
                axes, found.x[mine].ravel(), found.y[mine].ravel() / MILLION, **look
            )
        plotting.caption(axes, label)
        axes.set(xlim=(-20, 1020), ylim=(-0.3, 1.1), xticks=(0, 500, 1000), yticks=(0, 0.5, 1))
    grid[0, 0].legend(*_both_lines(grid[0, 0]), loc="upper left")
    for axes in grid[1]:
        axes.set_xlabel("x")
    for axes in grid[:, 0]:
        axes.set_ylabel("answer / 10$^6$")
    return grid[0, 0]


def _both_lines(axes: Axes) -> tuple[list, list]:
    handles, labels = axes.get_legend_handles_labels()
    return handles[:2], labels[:2]


def errors(result: Result, setting: str) -> Numbers:
    """Return a setting's errors in original units, and who fails or beats the line on its rows."""
    members = result.members[setting]
    found = np.nan_to_num(members.rmse.astype(float), nan=np.inf, posinf=np.inf)
    ends = np.quantile(found, (0, 0.5, 1), method="inverted_cdf")  # inf - inf is not a number
    quantiles = [float(value) if np.isfinite(value) else None for value in ends]
    return {
        "setting": setting,
        **dict(zip(("smallest", "median", "largest"), quantiles, strict=True)),
        "median_of_best_lines": float(np.median(members.line_rmse)),
        "below_their_line": share(found < BELOW * members.line_rmse),
        "failed": share(failed(members)),
    }


def draw_errors(axes: Axes, result: Result, rows: list[Numbers]) -> Axes:
    """Draw every network's error, a row for each setting, the reported one and the best line's."""
    axes.set_xscale("log")
    look = {"colour": "black", "marker": "*", "label": "reported", "size": 28.0}
    plotting.draw_points(axes, [REPORTED], [0], **look)
    for y, row in enumerate(rows, start=1):
        members = result.members[row["setting"]]
        found = members.rmse[:MOST_POINTS].astype(float)
        shown = np.isfinite(found) & (found > 0)
        offsets = np.zeros(len(found))
        offsets[shown] = 0.7 * spread(np.log(found[shown]))
        for name in dict.fromkeys(members.names[:MOST_POINTS][shown]):
            mine = shown & (members.names[:MOST_POINTS] == name)
            size = plotting.point_size(int(shown.sum()))
            look = {"colour": COLOURS[name], "marker": MARKERS[name], "label": name, "size": size}
            plotting.draw_points(axes, found[mine], y + offsets[mine], **look)
    labels = [f"{ERRORS[row['setting']]} ({row['failed']['n']:,})" for row in rows]
    axes.set_yticks(range(len(rows) + 1), ["reported", *labels])
    axes.set(ylim=(len(rows) + 0.6, -0.6), xlabel="root-mean-square error")
    text = f"best line {best_line():,.0f}, reported {REPORTED:,.0f}"
    plotting.mark(axes, best_line(), text, colour=LINE, dash="solid")
    handles, labels = axes.get_legend_handles_labels()
    outcomes = dict(zip(labels[1:], handles[1:], strict=True))
    legend = axes.legend(outcomes.values(), outcomes, loc="upper left", scatterpoints=1)
    for handle in legend.legend_handles:
        cast(PathCollection, handle).set_sizes([12.0])
    return axes
