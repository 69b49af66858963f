"""Every leaky unit learns within the first epoch; half of all plain ReLUs are dead and stay so.

Three panels: how many are not yet solved, against the steps; how many have not flipped their sign,
against the law of the initial weights; and the step at which each one flips.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import _threshold
from figures._counts import Numbers, rates, require, share
from jaxlab import plotting
from jaxlab.initialisers import kernel_distribution
from jaxlab.plotting import COLOURS
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.survival import median_step
from jaxlab.theory import negation as theory
from sweeps import negation as sweep

LEAKY, RELU = f"{sweep.POSTED}, 100 epochs", "normal, ReLU, 100 epochs"
SLOPES = tuple(f"normal, slope {slope:g}" for slope in sweep.SLOPES[1:])
SIGNS = {"leaky_relu": f"{sweep.POSTED}, sign", "relu": "normal, ReLU, sign"}
BLUE, ORANGE = plotting.BLUE, COLOURS["dead"]
LOOKS = {"leaky_relu": ("leaky ReLU", BLUE, "o"), "relu": ("ReLU", ORANGE, "X")}
MOST_UNITS = 150  # drawn, those with the smallest seeds; all are counted
LATER = tuple(range(5, 81, 5))  # steps at which signs are counted
TICKS = (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)
THRESHOLD = {
    sweep.POSTED: "leaky ReLU",
    "normal, ReLU": "ReLU",
    f"{sweep.POSTED}, 3 layers": "leaky ReLU, 3 layers",
    "normal, ReLU, 3 layers": "ReLU, 3 layers",
    "normal, ReLU, 8 units": "8 ReLUs, ReLU output",
    "normal, ReLU, 8 units, linear output": "8 ReLUs, linear output",
}


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return every figure by file name, with the numbers of its caption."""
    require(result, LEAKY, RELU, *SLOPES, *SIGNS.values())
    signs = {kind: not_flipped(result, name) for kind, name in SIGNS.items()}
    figure = Figure(figsize=(plotting.DOUBLE, 2.3), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(1.25, 1, 0.85))
    draw_survival(panels[0], result)
    draw_signs(panels[1], result, signs)
    draw_flips(panels[2], result)
    for axes, name in zip(panels, "abc", strict=True):
        plotting.letter(axes, name)
    numbers = {
        "survival": [survival(result, name) for name in (LEAKY, RELU, *SLOPES)],
        "not_flipped": signs,
        "flips": flips_found(result),
    }
    return {
        "negation": (figure, numbers),
        "negation_threshold": _threshold.draw(result, THRESHOLD, "the target"),
    }


def survival(result: Result, setting: str) -> Numbers:
    """Return how many are never solved, the certified among them, and when the others are."""
    members = result.members[setting]
    never, half = members.first_solved < 0, median_step(result.survival(setting))
    return {
        "setting": setting,
        "never_solved": share(never),
        "certified_dead": share(never & members.certified),
        "half_are_solved_by": half and half[1],
        "slowest": int(members.first_solved.max()),
        "steps": result.sweep[setting].steps,
    }


def draw_survival(axes: Axes, result: Result) -> Axes:
    """Draw who is not yet solved, the floor of the dead, and where epochs end."""
    dashes = (0, (3, 2))
    for name, colour, dash, label in (
        *((name, plotting.GREY, "solid", "slopes 0.01, 0.1, 0.3") for name in SLOPES),
        (RELU, ORANGE, "solid", "ReLU"),
        (LEAKY, BLUE, dashes, "leaky ReLU, slope 0.001"),
    ):
        found = result.survival(name)
        lines = (values[1:] for values in (found.steps, found.unsolved, found.low, found.high))
        shown = "" if name in SLOPES[1:] else label
        plotting.draw_curve(axes, *lines, colour=colour, dash=dash, label=shown)
    steps, floor = result.sweep[RELU].steps, result.survival(RELU).certified
    law = law_of_signs(result.sweep[RELU], steps)
    plotting.draw_law(
        axes,
        (300, steps),
        np.full(2, law, float),
        colour="black",
        label="theory for ReLU: 1/2",
        dashed=True,
    )
    plotting.note(axes, 10_000, floor - 0.11, f"certified dead: {100 * floor:.1f} %")
    for epochs in (1, 10, 100):
        plotting.mark(axes, epochs * sweep.BATCHES, f"{epochs} epoch{'s' * (epochs > 1)}")
    axes.set(xscale="log", xlim=(300, 1.3 * steps), ylabel="share not yet solved")
    axes.set_xlabel(f"steps of Adam ({result.survival(RELU).n:,} networks each)")
    axes.legend(loc="upper right", frameon=True, framealpha=0.9, edgecolor="white")
    return plotting.share_axis(axes)


def not_flipped(result: Result, setting: str) -> list[Numbers]:
    """Return who has not flipped the sign after some steps, with theory's probability."""
    members, asked = result.members[setting], result.sweep[setting]
    first, rows = members.first_solved, []
    for step in (1, *LATER):
        still = (first < 0) | (first > step)
        rows.append({"step": step, **share(still), "predicted": law_of_signs(asked, step)})
    return rows


def law_of_signs(asked: Setting, step: int) -> float | None:
    """Return theory's P(the sign has not flipped after so many steps); None without a law."""
    law = kernel_distribution(asked, 0)
    if law is None:
        return None
    if asked.network.activations == ("relu",):
        return theory.stuck(law)
    return theory.not_flipped(law, asked.training.optimiser.learning_rate, step)


def draw_signs(axes: Axes, result: Result, signs: dict[str, list[Numbers]]) -> Axes:
    """Draw who has not flipped the sign after so many steps, and the law of the initial weight."""
    plotting.percent_axis(axes, TICKS, 0.0004, 1.6)
    for kind, rows in signs.items():
        label, colour, marker = LOOKS[kind]
        steps = [row["step"] for row in rows]
        law = "$P(w_0 > 2\\eta t)$" if kind == "leaky_relu" else "$P(w_0 \\geq 0)$"
        predicted = np.array([row["predicted"] for row in rows], float)
        plotting.draw_law(axes, steps, predicted, colour=colour, label=f"theory: {law}")
        plotting.draw_rates(axes, steps, *rates(rows), colour=colour, marker=marker, label=label)
    axes.set(xlim=(0, LATER[-1] + 3), xlabel="steps t", ylabel="share with the wrong sign")
    axes.legend(loc="lower left")
    return axes


def flips(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial weight and the step of the flip of all leaky units that must flip."""
    members = result.members[SIGNS["leaky_relu"]]
    if members.initial_weights is None:
        raise ValueError(f"setting {SIGNS['leaky_relu']!r} kept no weights")
    kernel = members.initial_weights[:, 0]
    must = kernel > 0
    return kernel[must], members.first_solved[must]


def flips_found(result: Result) -> Numbers:
    """Return how many flip at the step that theory names, and how many one step later."""
    kernel, step = flips(result)
    late = step - theory.flip_step(kernel, rate_of(result))
    return {f"late_by_{k}": share(late == k) for k in (0, 1)} | {
        "other": share(~np.isin(late, (0, 1)))
    }


def rate_of(result: Result) -> float:
    """Return the learning rate of the units whose signs are watched."""
    return result.sweep[SIGNS["leaky_relu"]].training.optimiser.learning_rate


def draw_flips(axes: Axes, result: Result) -> Axes:
    """Draw each unit's step of the flip against its initial weight, and theory."""
    kernel, step = (values[:MOST_UNITS] for values in flips(result))
    ends = np.array([0.0, 1.05 * kernel.max(initial=0.1)])
    line = ends / (2 * rate_of(result))
    plotting.draw_law(axes, ends, line, colour="black", label="theory: $w_0 / 2\\eta$")
    look = {"colour": BLUE, "marker": "o", "label": "one leaky ReLU", "size": 5.0}
    plotting.draw_points(axes, kernel, step, **look)
    axes.set(xlabel="initial weight $w_0$", ylabel="step of the flip", xlim=ends, ylim=(0, line[1]))
    axes.legend(loc="upper left")
    return axes
