"""Half of all networks are born dead; step 1 throws the others to 10^9, step 2 below zero.

Two panels: what enters the output unit before training, after one step and after two; and how
often the posted program and what others proposed fail, against theory.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures import _threshold
from figures._counts import Numbers, failed, percent, rates, require, share, sizes
from figures._strips import spread
from jaxlab import plotting
from jaxlab.plotting import COLOURS
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.theory.doubling import kappa
from sweeps import doubling as sweep

POSTED = sweep.POSTED
ONE, TWO = sweep.stopped(POSTED, 1), sweep.stopped(POSTED, 2)
# The rows of the first panel: setting, column of what enters the output, name.
MOMENTS = ((ONE, 0, "at the start"), (ONE, 1, "after step 1"), (TWO, 1, "after step 2"))
ALIVE = plotting.BLUE
MOST_POINTS = 2000  # drawn in a row, those with the smallest seeds; all are counted
TICKS = (-1e8, -1e5, -100, 0, 100, 1e5, 1e9)
SETTINGS = {
    POSTED: "posted",
    "kappa=0.4": "smaller learning rate",
    "kappa=0.65": "smaller learning rate",
    "x=1..7, 12 units": "x = 1..7, 12 units",
    "x=1..9, 12 units": "x = 1..9, 12 units",
    "linear output": "linear output",
    "normal inputs": "normal inputs",
    "normal inputs, linear output": "… and linear output",
    "normal inputs, linear output, 100 epochs": "… and 100 epochs",
    "Adam, linear output": "Adam, linear output",
    "Adam, linear output, 400 epochs": "… and 400 epochs",
}
THRESHOLD = {
    POSTED: "posted",
    "kappa=0.4": "κ = 0.4",
    "kappa=0.65": "κ = 0.65",
    "x=1..7, 12 units": "x = 1..7, 12 units",
    "normal inputs, linear output, 100 epochs": "normal inputs, linear output",
    "Adam, linear output, 400 epochs": "Adam, linear output",
}


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return every figure by file name, with the numbers of its caption."""
    require(result, ONE, TWO, *SETTINGS)
    moments = [entering(result, *moment) for moment in MOMENTS]
    failures = [failure(result, name) for name in SETTINGS]
    figure = Figure(figsize=(plotting.DOUBLE, 2.75), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    draw_entering(left, result, moments)
    draw_failures(right, failures)
    plotting.letter(left, "a")
    plotting.letter(right, "b")
    return {
        "doubling": (figure, {"entering": moments, "failures": failures}),
        "doubling_threshold": _threshold.draw(result, THRESHOLD, "the targets' root mean square"),
    }


def entering(result: Result, setting: str, column: int, name: str) -> Numbers:
    """Return who is born dead, whose output unit gets a negative input, and the living's median."""
    members = result.members[setting]
    values, alive = members.entering[:, column], ~members.born_dead
    return {
        "when": name,
        "setting": setting,
        "born_dead": share(~alive),
        "negative": share(values < 0),
        "negative_of_those_born_alive": share(values[alive] < 0),
        "median_of_those_born_alive": float(np.median(values[alive])) if alive.any() else None,
    }


def draw_entering(axes: Axes, result: Result, moments: list[Numbers]) -> Axes:
    """Draw what enters the output unit, a row for each moment; shaded where the output is 0."""
    axes.set_xscale("asinh", linear_width=1.0)
    axes.axvspan(-1e11, 0, color=plotting.SHADE, linewidth=0.0, zorder=0)
    for y, ((setting, column, _), row) in enumerate(zip(MOMENTS, moments, strict=True)):
        members = result.members[setting]
        values, dead = members.entering[:MOST_POINTS, column], members.born_dead[:MOST_POINTS]
        for chosen, colour, label in (
            (dead, COLOURS["dead"], "born dead"),
            (~dead, ALIVE, "others"),
        ):
            found = values[chosen].astype(float)
            offsets = y + 0.6 * spread(np.arcsinh(found))
            look = {"colour": colour, "marker": "o", "label": "" if y else label, "size": 1.2}
            plotting.draw_points(axes, found, offsets, **look)
        plotting.note(axes, -3e5, y - 0.43, f"{percent(row['negative'])} below 0")
    plotting.note(axes, -3e5, 2.5, "output 0")
    axes.set(xlim=(-2e10, 2e11), ylim=(2.65, -0.7), yticks=range(3))
    axes.set_yticklabels([name for *_, name in MOMENTS])
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_power))
    axes.set_xlabel(
        f"mean input of the output unit ({sizes([m['negative'] for m in moments])} networks)"
    )
    axes.legend(loc="lower right", markerscale=3)
    return axes


def _power(value: float, _: int) -> str:
    if abs(value) < 1000:
        return f"{value:g}".replace("-", "−")
    return f"${'-' if value < 0 else ''}10^{{{np.log10(abs(value)):.0f}}}$"


def failure(result: Result, setting: str) -> Numbers:
    """Return how many fail and how many are dead at the end, with what theory says of failing."""
    members = result.members[setting]
    dead = {f"dead_{name}": value for name, value in share(members.names == "dead").items()}
    row = {"setting": setting, "kappa": kappa_of(result.sweep[setting])}
    return {**row, **share(failed(members)), **dead, "predicted": predicted(result, setting)}


def kappa_of(setting: Setting) -> float | None:
    """Return the size of a step relative to the problem; None where theory knows none."""
    optimiser, task = setting.training.optimiser, setting.task
    if task.name != "doubling" or optimiser.name != "sgd":
        return None
    x = np.linspace(task.numbers["low"], task.numbers["high"], task.rows)
    return kappa(optimiser.learning_rate, float(np.mean(x**2)))


def predicted(result: Result, setting: str) -> float | None:
    """Return theory's probability of failing, None where it has none but a bound."""
    if kappa_of(result.sweep[setting]) is None:
        return None
    said = sweep.predictions(result.sweep[setting])
    (whole,) = (p for p in said if p.event == "training_fails" and p.kind != "lower bound")
    return whole.probability


def draw_failures(axes: Axes, failures: list[Numbers]) -> Axes:
    """Draw how often each setting fails and dies, a row for each, and theory."""
    rows = np.arange(len(failures))
    known = [row["predicted"] is not None for row in failures]
    theory = [row["predicted"] for row in failures if row["predicted"] is not None]
    plotting.draw_predictions(axes, rows[known], theory, colour="black", label="theory", lying=True)
    look = {"colour": "black", "marker": "o", "filled": False, "lying": True}
    plotting.draw_rates(axes, rows, *rates(failures), label="fail", **look)
    dead = [np.array([row[f"dead_{k}"] for row in failures]) for k in ("rate", "ci_low", "ci_high")]
    look = {"colour": COLOURS["dead"], "marker": "X", "lying": True}
    plotting.draw_rates(axes, rows, *dead, label="dead", **look)
    axes.set(ylim=(len(rows) - 0.4, -0.6), yticks=rows)
    axes.set_xlabel("share of networks (unstable: κ > 1/2)")
    axes.set_yticklabels([label(row) for row in failures])
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return plotting.share_axis(axes, lying=True)


def label(row: Numbers) -> str:
    """Return a setting's name in the figure, with its kappa."""
    size = row["kappa"]
    text = "" if size is None else f" (κ = {size:,.0f})" if size > 10 else f" (κ = {size:.2g})"
    return SETTINGS[row["setting"]] + text
