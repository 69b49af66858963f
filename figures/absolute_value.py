"""Half of all two-unit networks start one-sided, but 72 % do not learn |x|: units die in training.

Three panels: how often k units fail, against theory; the functions that two units ended as; and
which pairs (w, a) of initial weights let a unit live. One figure holds all three, and each has one
of its own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.legend import Legend

from figures._counts import proportion
from jaxlab import plotting
from jaxlab.plotting import COLOURS, MARKERS
from jaxlab.result import Result
from jaxlab.theory import absolute_value as theory
from sweeps import absolute_value as sweep

PAIR = "k=2"
MOST_FUNCTIONS = 200  # networks drawn per class, those with the smallest seeds
MOST_UNITS = 6000  # units drawn, of the networks with the smallest seeds; all are counted
THOUSAND = 1000.0
TICKS = (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)

Numbers = dict[str, Any]


class Event(NamedTuple):
    """An event of theory, the law that predicts it, and how both are drawn."""

    name: str
    law: str
    title: str
    line: str
    colour: str
    marker: str
    filled: bool
    corner: str


EVENTS = (
    Event(
        "one_sided_at_init",
        "initial signs",
        "at initialisation:\nall units on one side",
        "folk formula $2^{1-k}$",
        plotting.BLUE,
        "s",
        False,
        "lower left",
    ),
    Event(
        "training_fails",
        "survival formula",
        "after training:\n|x| not learnt",
        "survival formula",
        plotting.VERMILION,
        "o",
        True,
        "upper right",
    ),
)


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return every figure by file name, with the numbers of its caption."""
    if PAIR not in result.members:
        raise ValueError(f"no members of {PAIR} yet; python -m sweeps absolute_value trains them")
    rates, classes, units = failure_rates(result), outcome_shares(result), lone_units(result)
    numbers = {"failures": rates, "functions": classes, "plane": expected_and_found(units)}
    parts: dict[str, Callable[[Figure, SubplotSpec], Axes]] = {
        "failures": lambda figure, place: draw_failures(figure.add_subplot(place), rates),
        "functions": lambda figure, place: draw_classes(figure, place, result, classes),
        "plane": lambda figure, place: draw_plane(figure.add_subplot(place), units),
    }
    figures = {"absolute_value": (_headline(parts), numbers)}
    for name, part in parts.items():
        height = 0.4 + 1.2 * -(-len(classes) // 2) if name == "functions" else 2.8
        figure = Figure(figsize=(plotting.SINGLE, height), layout="constrained")
        part(figure, figure.add_gridspec(1, 1)[0])
        figures[f"absolute_value_{name}"] = (figure, {name: numbers[name]})
    return figures


def _headline(parts: dict[str, Callable[[Figure, SubplotSpec], Axes]]) -> Figure:
    figure = Figure(figsize=(plotting.DOUBLE, 2.5), layout="constrained")
    grid = figure.add_gridspec(1, len(parts), width_ratios=(1.15, 1.1, 0.95), wspace=0.08)
    for i, part in enumerate(parts.values()):
        plotting.letter(part(figure, grid[i]), "abc"[i])
    return figure


def failure_rates(result: Result) -> list[Numbers]:
    """Return count, interval and prediction of both events for every number of hidden units."""
    rows = []
    for name in result.members:
        if not name.removeprefix("k=").isdigit():
            continue
        counts, n = sweep.event_counts(result, name)
        said = {(p.event, p.name): p for p in sweep.setting_predictions(result.sweep[name])}
        for event in EVENTS:
            measured = {"event": event.name, "setting": name, **proportion(counts[event.name], n)}
            probability = said[event.name, event.law].probability
            rows.append(measured | {"prediction": event.law, "predicted": probability})
    return sorted(rows, key=lambda row: (row["event"], _units(row)))


def _units(row: Numbers) -> int:
    return int(row["setting"].removeprefix("k="))


def draw_failures(axes: Axes, rates: list[Numbers]) -> Axes:
    """Draw both events against the number of hidden units, each with its own legend."""
    floor = np.nanmin(np.array([row["predicted"] for row in rates], float)) / 3
    plotting.percent_axis(axes, TICKS, floor, 2.0)
    for event in EVENTS:
        _draw_event(axes, event, [row for row in rates if row["event"] == event.name])
    counts = sorted({f"{n:,}" for n in (min(r["n"] for r in rates), max(r["n"] for r in rates))})
    axes.set_xlabel(f"hidden units k ({' to '.join(counts)} networks each)")
    axes.set_ylabel("share of networks")
    axes.set_xticks(range(1, 1 + max(map(_units, rates))))
    return axes


def _draw_event(axes: Axes, event: Event, rows: list[Numbers]) -> None:
    k, colour, filled = [_units(row) for row in rows], event.colour, event.filled
    columns = ("rate", "ci_low", "ci_high", "predicted")
    *measured, predicted = (np.array([row[name] for row in rows], float) for name in columns)
    plotting.draw_law(axes, k, predicted, colour=colour, label=event.line, dashed=not filled)
    line = axes.lines[-1]
    look = {"colour": colour, "marker": event.marker, "filled": filled}
    plotting.draw_rates(axes, k, *measured, label="measured", **look)
    handles, labels = [axes.containers[-1], line], ["measured", event.line]
    place: dict[str, Any] = {"loc": event.corner, "title": event.title, "alignment": "left"}
    legend = Legend(axes, handles, labels, **place)  # axes.legend would keep the last one only
    legend.get_title().set_color(colour)
    axes.add_artist(legend)


def outcome_shares(result: Result) -> list[Numbers]:
    """Return count and interval of every class that occurs, and how many members are drawn."""
    tally = result.members[PAIR].tally
    return [
        {
            "outcome": name,
            "setting": PAIR,
            **proportion(k, tally.n),
            "drawn": min(k, MOST_FUNCTIONS),
        }
        for name, k in tally.counts.items()
        if k
    ]


def functions(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the outputs (members, points) of networks with packed weights (members, 3k + 1)."""
    k = weights.shape[1] // 3
    w, b, a, c = np.split(weights[..., None].astype(float), (k, 2 * k, 3 * k), axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # those that diverged hold inf and nan
        return np.sum(a * np.maximum(w * x + b, 0.0), axis=1) + c[:, 0]


def final_weights(result: Result, outcome: str) -> np.ndarray:
    """Return the packed weights (members, parameters) of those that ended in a class."""
    members = result.members[PAIR]
    if members.final_weights is None:
        raise ValueError(f"setting {PAIR!r} kept no weights")
    return members.final_weights[members.names == outcome]


def draw_classes(
    figure: Figure, place: SubplotSpec, result: Result, classes: list[Numbers]
) -> Axes:
    """Draw what the networks ended as, a small panel for every class that occurs."""
    numbers = result.sweep[PAIR].task.numbers
    x = np.linspace(numbers["low"], numbers["high"], 201)
    rows = -(-len(classes) // 2)
    grid = place.subgridspec(rows, 2).subplots(sharex=True, sharey=True, squeeze=False)
    for axes, row in zip(grid.flat, classes, strict=False):
        name, share = row["outcome"], 100 * row["rate"]
        outputs = functions(final_weights(result, name)[:MOST_FUNCTIONS], x)
        curves = (values / THOUSAND for values in (x, outputs, np.abs(x)))
        plotting.draw_functions(axes, *curves, colour=COLOURS[name])
        per_cent = f"{share:.1f}" if share >= 0.1 else f"{share:.1g}"
        text = f"{name.replace('_', ' ')} {per_cent} %\nn = {row['count']:,}"
        plotting.caption(axes, text)
        axes.set(ylim=(-0.1, 1.1), xticks=(-1, 0, 1), yticks=(0, 1))
    for axes in list(grid.flat)[len(classes) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("x / 1000")
    grid[-1, 0].set_ylabel("f(x) / 1000")
    return grid[0, 0]


def lone_units(result: Result) -> Numbers:
    """Return the units that start alone on their side: w, a, and if that side came to be fitted.

    With two units these are the members whose kernels differ in sign, two units each; where both
    start on one side, nothing says which of them fitted it.
    """
    members, tolerance = result.members[PAIR], result.sweep[PAIR].task.tolerance
    w, a = sweep.initial_weights(result, PAIR)
    apart = w[0] * w[1] < 0
    right, left = (members.errors[apart] <= tolerance).T
    own = np.where(w[:, apart] > 0, right, left)
    return {"w": w[:, apart].T.ravel(), "a": a[:, apart].T.ravel(), "fitted": own.T.ravel()}


def expected_and_found(units: Numbers) -> list[Numbers]:
    """Return how many of the units that theory says live or die had their side fitted."""
    alive = theory.fate(units["w"][None], units["a"][None]) != "dead"
    rows = []
    for expected, chosen in (("alive", alive), ("dead", ~alive)):
        share = proportion(int(units["fitted"][chosen].sum()), int(chosen.sum()))
        drawn = {"drawn": int(chosen[:MOST_UNITS].sum())}
        rows.append({"setting": PAIR, "expected": expected, "event": "side fitted"} | share | drawn)
    return rows


def draw_plane(axes: Axes, units: Numbers) -> Axes:
    """Draw the units at their initial weights, coloured by what became of their side."""
    w, a, fitted = (units[name][:MOST_UNITS] for name in ("w", "a", "fitted"))
    edge = 1.03 * float(np.max(np.abs([w, a]), initial=1.0))
    wedge = np.array([-edge, 0.0, edge])
    plotting.draw_boundary(axes, wedge, -np.abs(wedge), -edge)
    size = plotting.point_size(w.size)
    for name, label, chosen in (("solved", "fits it", fitted), ("dead", "never does", ~fitted)):
        look = {"colour": COLOURS[name], "marker": MARKERS[name], "size": size}
        plotting.draw_points(axes, w[chosen], a[chosen], label=label, **look)
    plotting.note(axes, -0.47 * edge, -0.34 * edge, "theory: |a| = |w|", angle=45)
    axes.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal", xticks=(-1, 0, 1))
    axes.set(yticks=(-1, 0, 1), xlabel="initial kernel w", ylabel="initial output weight a")
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    scale = (12.0 / size) ** 0.5
    axes.legend(title="a unit alone on its side", handletextpad=0.2, markerscale=scale, **above)
    return axes
