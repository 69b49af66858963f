"""Deep narrow ReLU networks end as constants: with He's weights by birth, else by training.

Panel a: how many networks of width 2 are born dead, and how many end as a constant, by depth, for
three laws of initial weights on |x|. Panel b: the same by width at 10 layers. Panel c: the four
targets of the paper, beside its counts. Theory is about birth, without biases and on one input: it
has exact values for width 2 and bounds for others.
"""

from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures import _published
from figures._counts import Numbers, rates, require, share, sizes
from jaxlab import plotting
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.theory import deep_narrow
from sweeps import _published as published
from sweeps import dying_relu as sweep
from sweeps.dying_relu import LAYERS, name_of

LOOKS = {
    "He": (plotting.VERMILION, "o"),
    "PyTorch": (plotting.BLUE, "s"),
    "RAI": (plotting.GREEN, "^"),
}
TARGET = "absolute_value"
DEPTHS = tuple(sorted((*sweep.DEPTHS, LAYERS)))
WIDTHS = (sweep.WIDTH[TARGET], *sweep.WIDTHS)
LABELS = {"sine": "x sin 5x", "step_and_sine": "step + sine", "folded_plane": "plane"}
BY_DEPTH = {law: [name_of(TARGET, law, n) for n in DEPTHS] for law in LOOKS}
BY_WIDTH = [name_of(TARGET, "He", width=n) for n in WIDTHS]
BY_TARGET = [name_of(target, law) for target in sweep.TARGETS for law in LOOKS]
WIDEST = 10.6


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return the figure with its numbers."""
    require(result, *chain(*BY_DEPTH.values()), *BY_WIDTH, *BY_TARGET)
    depth = {law: [births(result, name) for name in names] for law, names in BY_DEPTH.items()}
    width = [births(result, name) for name in BY_WIDTH]
    target = [births(result, name) for name in BY_TARGET]
    said = [
        _published.row(p, result.members.get(p.setting)) for p in published.of(result.sweep.name)
    ]
    figure = Figure(figsize=(plotting.DOUBLE, 3.0), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(1.15, 0.9, 1.05))
    draw_depths(panels[0], depth)
    draw_widths(panels[1], width, said)
    draw_targets(panels[2], target, said)
    shown = ("|x|, width 2", f"|x|, {LAYERS} layers, He", f"{LAYERS} layers")
    for axes, name, text in zip(panels, "abc", shown, strict=True):
        plotting.letter(axes, name)
        plotting.caption(axes, text)
    figure.legend(handles=entries(panels), loc="outside lower center", ncols=5, columnspacing=1.2)
    numbers = {"by depth": depth, "by width": width, "by target": target, "published": said}
    return {"dying_relu": (figure, numbers)}


def births(result: Result, name: str) -> Numbers:
    """Return who is born dead and who ends as a constant, with what theory says of birth."""
    members = result.members[name]
    return {
        "setting": name,
        "layers": len(result.sweep[name].network.activations),
        "width": result.sweep[name].network.widths[1],
        "born_dead": share(members.born_dead),
        "collapsed": share(sweep.collapsed(members)),
        **theory(result.sweep[name]),
    }


def theory(setting: Setting) -> dict[str, float]:
    """Return theory's exact value of being born dead, or its bounds, or nothing."""
    said = sweep.predictions(setting)
    return {p.kind: p.probability for p in said if p.probability is not None}


def draw_pair(axes: Axes, at: np.ndarray, rows: list[Numbers], law: str, **look) -> Axes:
    """Draw who is born dead, open, and who collapsed, filled, in the look of a law."""
    colour, marker = LOOKS[law]
    for key, filled in (("born_dead", False), ("collapsed", True)):
        found = [row[key] for row in rows]
        given = {"colour": colour, "marker": marker, "filled": filled, "label": ""} | look
        plotting.draw_rates(axes, at, *rates(found), **given)
    return axes


def draw_depths(axes: Axes, depth: dict[str, list[Numbers]]) -> Axes:
    """Draw births and ends by depth, theory's exact value for He and its bounds."""
    layers = np.arange(2, DEPTHS[-1] + 3)
    exact = [deep_narrow.two_units(int(n)) for n in layers]
    plotting.draw_law(axes, layers, exact, colour=LOOKS["He"][0], label="")
    draw_bounds(axes, layers, [(sweep.WIDTH[TARGET], int(n)) for n in layers])
    for i, (law, rows) in enumerate(depth.items()):
        draw_pair(axes, np.array(DEPTHS) * 1.06 ** (i - 1), rows, law)
    n = sizes([row["born_dead"] for rows in depth.values() for row in rows])
    axes.set(xscale="log", xlim=(2.6, 23), xlabel="layers")
    axes.set_ylabel(f"share of networks ({n} each)")
    _plain(axes, DEPTHS)
    return plotting.share_axis(axes)


def draw_bounds(axes: Axes, x: np.ndarray, shapes: list[tuple[int, int]]) -> Axes:
    """Draw theory's bounds on being born dead, of (width, layers) at every x."""
    low = [float(deep_narrow.lower_bound(*shape)) for shape in shapes]
    high = [float(deep_narrow.sharper_upper_bound(*shape)) for shape in shapes]
    axes.fill_between(x, low, high, color=plotting.SHADE, linewidth=0.0, zorder=0)
    for bound in (low, high):
        plotting.draw_law(axes, x, bound, colour=plotting.GREY, label="", dashed=True)
    return axes


def draw_widths(axes: Axes, width: list[Numbers], said: list[Numbers]) -> Axes:
    """Draw births and ends by width for He, theory's bounds, and what was published."""
    widths = np.arange(2, int(WIDEST) + 1)
    draw_bounds(axes, widths, [(int(n), LAYERS) for n in widths])
    for row in width:
        if "exact" in row:
            at, colour = [row["width"]], LOOKS["He"][0]
            plotting.draw_predictions(axes, at, [row["exact"]], colour=colour, label="")
    draw_pair(axes, np.array(WIDTHS, float), width, "He")
    known = {name_of(TARGET, "He", width=int(n)): n for n in widths}
    for told in said:
        if told["setting"] in known:
            _published.draw(axes, known[told["setting"]] + 0.35, told)
    axes.set(xlim=(1.4, WIDEST), xlabel="width")
    _plain(axes, (*WIDTHS, 10))
    return plotting.share_axis(axes)


def _plain(axes: Axes, ticks: tuple[int, ...]) -> None:
    axes.xaxis.set_major_locator(FixedLocator([float(t) for t in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw_targets(axes: Axes, target: list[Numbers], said: list[Numbers]) -> Axes:
    """Draw births and ends of all targets and laws, a row for each, and what was published."""
    places, laws = {}, list(LOOKS)
    for i, row in enumerate(target):
        y = places[row["setting"]] = i + 0.8 * (i // len(laws))
        draw_pair(axes, np.array([y]), [row], laws[i % len(laws)], lying=True)
        if "exact" in row:
            look: dict[str, Any] = {"colour": LOOKS["He"][0], "label": "", "lying": True}
            plotting.draw_predictions(axes, [y], [row["exact"]], **look)
    for told in said:
        if told["setting"] in places:
            _published.draw(axes, places[told["setting"]] + 0.42, told, lying=True)
    axes.set(ylim=(max(places.values()) + 0.9, -0.9), yticks=list(places.values()))
    axes.set_yticklabels([_label(i) for i in range(len(target))])
    axes.set_xlabel("share of networks")
    return plotting.share_axis(axes, lying=True)


def _label(i: int) -> str:
    law = list(LOOKS)[i % len(LOOKS)]
    name = list(sweep.TARGETS)[i // len(LOOKS)]
    return f"{LABELS.get(name, sweep.TARGETS[name])}   {law}" if law == "He" else law


def entries(panels: np.ndarray) -> list:
    """Return the legend: what marks and lines mean, whatever panel they are in."""
    hidden = panels[0]
    made = []
    for law, (colour, marker) in LOOKS.items():
        made += hidden.plot([], [], marker, color=colour, markersize=4, label=law)
    grey = {"color": plotting.GREY, "markersize": 4}
    made += hidden.plot([], [], "o", markerfacecolor="white", label="born dead", **grey)
    made += hidden.plot([], [], "o", label="end as a constant", **grey)
    made += hidden.plot([], [], color=LOOKS["He"][0], label="born dead: theory for He")
    made += hidden.plot([], [], color=plotting.GREY, linestyle=(0, (4, 2)), label="… bounds")
    made += hidden.plot([], [], "D", color="black", markersize=3.6, label="published")
    white = {"color": "black", "markerfacecolor": "white", "markersize": 3.6}
    made += hidden.plot([], [], "^", label="… “more/less than”", **white)
    return made + hidden.plot([], [], "D", label="… “about”", **white)
