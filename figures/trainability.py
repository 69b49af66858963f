"""Two ReLUs learn XOR about half of the time, as a repository counted; leaky ones or ELU far more.

Panel a: how often two units learn XOR, by initial weights and by activation, beside the counts of a
public repository (50 runs each). Panel b: how often n units with random biases learn |x|, and the
bound that two of them must live at birth. Panel c: how often a forum's network is dead at birth and
at the end, with theory for birth and what the forum reports.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import _published
from figures._counts import Numbers, rates, require, share, sizes
from jaxlab import plotting
from jaxlab.plotting import COLOURS
from jaxlab.result import Result
from sweeps import _published as published
from sweeps import trainability as sweep
from sweeps.trainability import FORUM, POSITIVE, UNITS, interval_name

XOR = {
    **{sweep.xor_name(law): law.replace("_", " ") for law in sweep.XOR_LAWS},
    **{sweep.leaky_name(slope): f"leaky ReLU {slope:g}" for slope in sweep.XOR_SLOPES},
    sweep.ELU: "ELU",
}
RELUS = len(sweep.XOR_LAWS)  # of the rows of panel a: plain ReLUs, one law each
INTERVALS = {
    "1": ("|x| ≤ 1", plotting.BLUE, "o", False),
    "sqrt 3": ("|x| ≤ √3", plotting.GREEN, "s", True),
}
LINES = {FORUM: "x = −1 … 5", POSITIVE: "x = 1 … 5"}
REPORTED = (6, 7, 10)  # dead networks by the forum: from, to, of so many


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return the figure with its numbers."""
    names = [interval_name(radius, n) for radius in INTERVALS for n in UNITS]
    require(result, *XOR, *names, *LINES)
    xor = [success(result, name) for name in XOR]
    absolute = {r: [success(result, interval_name(r, n)) for n in UNITS] for r in INTERVALS}
    lines = [death(result, name) for name in LINES]
    said = [
        _published.row(p, result.members.get(p.setting)) for p in published.of(result.sweep.name)
    ]
    figure = Figure(figsize=(plotting.DOUBLE, 2.6), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(1, 0.95, 1))
    draw_xor(panels[0], xor, said)
    draw_absolute(panels[1], absolute)
    draw_lines(panels[2], lines)
    shown = ("XOR, two units (top five: ReLU)", "|x|, random biases", "y = 2x − 1, 1-4-2-1")
    for axes, name, text in zip(panels, "abc", shown, strict=True):
        plotting.letter(axes, name)
        plotting.caption(axes, text)
    numbers = {"xor": xor, "absolute value": absolute, "forum": lines, "published": said}
    return {"trainability": (figure, numbers)}


def success(result: Result, name: str) -> Numbers:
    """Return how many learn their task, with the bound that theory sets."""
    setting, members = result.sweep[name], result.members[name]
    bounds = {p.kind: p.probability for p in sweep.predictions(setting)}
    return {"setting": name, **share(members.names == "solved"), **bounds}


def death(result: Result, name: str) -> Numbers:
    """Return who is dead at birth and at the end, with theory for birth."""
    members, setting = result.members[name], result.sweep[name]
    said = {p.kind: p.probability for p in sweep.predictions(setting)}
    return {
        "setting": name,
        "born_dead": share(members.born_dead),
        "dead": share(members.names == "dead"),
        "solved": share(members.names == "solved"),
        **said,
    }


def draw_xor(axes: Axes, xor: list[Numbers], said: list[Numbers]) -> Axes:
    """Draw how often XOR is learnt, a row for each setting, and what was published of it."""
    at = np.array([i + 0.7 * (i >= RELUS) for i in range(len(xor))])
    look: dict[str, Any] = {"colour": COLOURS["solved"], "marker": "o", "lying": True}
    plotting.draw_rates(axes, at - 0.15, *rates(xor), label=f"here ({sizes(xor)})", **look)
    known, label = {row["setting"]: y for row, y in zip(xor, at, strict=True)}, "published (50)"
    for told in said:
        if told["setting"] in known:
            place = known[told["setting"]] + 0.25
            _published.draw(axes, place, told, label=label, lying=True)
            label = ""
    axes.set(ylim=(at[-1] + 0.7, -0.7), yticks=at, xlabel="share that learn XOR")
    axes.set_yticklabels(list(XOR.values()))
    axes.legend(loc="lower left", bbox_to_anchor=(0, -0.01))
    return plotting.share_axis(axes, lying=True)


def draw_absolute(axes: Axes, absolute: dict[str, list[Numbers]]) -> Axes:
    """Draw how often |x| is learnt by n units on two intervals, below theory's bound."""
    for shift, (radius, rows) in zip((-0.07, 0.07), absolute.items(), strict=True):
        label, colour, marker, dashed = INTERVALS[radius]
        bound = [row["upper bound"] for row in rows]
        plotting.draw_law(axes, UNITS, bound, colour=colour, label=f"bound, {label}", dashed=dashed)
        look = {"colour": colour, "marker": marker, "label": label}
        plotting.draw_rates(axes, np.array(UNITS) + shift, *rates(rows), **look)
    n = sizes([row for rows in absolute.values() for row in rows])
    axes.set(xlabel=f"units n ({n} networks each)", ylabel="share that learn |x|", xticks=UNITS)
    axes.legend(loc="lower right")
    return plotting.share_axis(axes)


def draw_lines(axes: Axes, lines: list[Numbers]) -> Axes:
    """Draw who is dead at birth and at the end, theory for birth, and the forum's report."""
    at = np.arange(len(lines), dtype=float)
    low, high, n = REPORTED
    axes.axhspan(low / n, high / n, color=plotting.SHADE, linewidth=0.0)
    plotting.note(axes, 0.5, 0.92, f"shaded: forum’s {low} or {high} of {n}")
    theory = (("exact", "black", "theory"), ("bound", plotting.GREY, "bounds"))
    for kind, colour, label in theory:
        for row, x in zip(lines, at, strict=True):
            found = [value for key, value in row.items() if key.endswith(kind)]
            shown = label if found else ""
            plotting.draw_predictions(axes, [x] * len(found), found, colour=colour, label=shown)
    for key, shift, label, colour, marker, filled in (
        ("born_dead", -0.12, "born dead", plotting.BLUE, "o", False),
        ("dead", 0.12, "dead at the end", COLOURS["dead"], "X", True),
    ):
        look = {"colour": colour, "marker": marker, "filled": filled, "label": label}
        plotting.draw_rates(axes, at + shift, *rates([row[key] for row in lines]), **look)
    axes.set(xlim=(-0.6, len(lines) - 0.4), xticks=at, ylabel="share that are dead")
    axes.set_xticklabels(list(LINES.values()))
    axes.legend(loc="lower center", ncols=2, columnspacing=0.8, handlelength=1.0)
    return plotting.share_axis(axes)
