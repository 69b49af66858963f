"""Almost all that fail at a + b are born dead; products do best scaled, with a linear output.

Two panels for the product, one for each activation of the output: how many solve it and what
becomes of the others, by scaling; and a panel that holds failures against deaths at birth.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import _threshold
from figures._counts import Numbers, failed, rates, require, share, sizes
from jaxlab import plotting
from jaxlab.plotting import COLOURS
from jaxlab.result import Members, Result
from jaxlab.spec import Setting
from sweeps import arithmetic as sweep

SCALINGS = {
    "raw": "raw",
    "unit": "0 to 1",
    "symmetric": "−1 to 1",
    "standard": "standard",
    "log": "log",
}
OUTPUTS = {"": "ReLU output", ", linear output": "linear output"}
FUNCTIONS = {
    "sum": "a + b",
    "times 3": "3 a",
    "plus 100": "a + 100",
    "minus 10": "a − 10",
    "minus 100": "a − 100",
    "square": "a²",
    "product": "a b",
}
# What members are counted as: name, colour, marker, shift to the side of the setting's place.
CLASSES = (
    ("solved", COLOURS["solved"], "o", -0.22),
    ("dead", COLOURS["dead"], "X", 0.0),
    ("neither", COLOURS["other"], "s", 0.22),
)
THRESHOLD = {
    "sum": "a + b",
    "plus 100": "a + 100",
    "product": "a b, raw",
    "product, unit": "a b, 0 to 1",
    "product, unit, linear output": "a b, 0 to 1, linear output",
    "product, standard, linear output": "a b, standard, linear output",
}


def draw(result: Result) -> dict[str, tuple[Figure, Numbers]]:
    """Return every figure by file name, with the numbers of its caption."""
    products = {suffix: [product(scaled, suffix) for scaled in SCALINGS] for suffix in OUTPUTS}
    require(result, *FUNCTIONS, *(name for names in products.values() for name in names))
    said = {name: born_dead(result.sweep[name]) for name in FUNCTIONS}
    births = [birth(result.members[name], name, said[name]) for name in FUNCTIONS]
    scaled = {suffix: [classes(result, name) for name in products[suffix]] for suffix in OUTPUTS}
    figure = Figure(figsize=(plotting.DOUBLE, 2.5), layout="constrained")
    grid = figure.add_gridspec(1, 3, width_ratios=(1, 1, 1.25), wspace=0.06)
    panels = grid.subplots(sharey=True, squeeze=False)[0]
    for axes, (suffix, title) in zip(panels, OUTPUTS.items(), strict=False):
        draw_classes(axes, scaled[suffix])
        plotting.caption(axes, f"product, {title}")
    draw_births(panels[2], births)
    plotting.caption(panels[2], "raw numbers, ReLU output")
    n = sizes([row["failed"] for row in births])
    panels[0].set_ylabel(f"share of networks ({n} each)")
    panels[0].legend(loc="upper right", ncols=1)
    for axes, name in zip(panels, "abc", strict=True):
        plotting.letter(axes, name, reach=24 if name == "a" else 4)  # b and c have no tick labels
    numbers = {"relu_output": scaled[""], "linear_output": scaled[", linear output"]}
    return {
        "arithmetic": (figure, numbers | {"births": births}),
        "arithmetic_threshold": _threshold.draw(
            result, THRESHOLD, "the targets' standard deviation"
        ),
    }


def product(scaled: str, suffix: str) -> str:
    """Return the name of the product's setting with a scaling and an output."""
    return f"product{'' if scaled == 'raw' else f', {scaled}'}{suffix}"


def classes(result: Result, setting: str) -> Numbers:
    """Return how many of a setting's members are solved, dead or neither."""
    names = result.members[setting].names
    solved, dead = names == "solved", names == "dead"
    masks = {"solved": solved, "dead": dead, "neither": ~solved & ~dead}
    return {"setting": setting, **{name: share(mask) for name, mask in masks.items()}}


def draw_classes(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw how many are solved, dead or neither, for each scaling."""
    places = np.arange(len(rows))
    for name, colour, marker, shift in CLASSES:
        measured = rates([row[name] for row in rows])
        look = {"colour": colour, "marker": marker, "label": name}
        plotting.draw_rates(axes, places + shift, *measured, **look)
    _name_places(axes, SCALINGS)
    axes.set_xlabel("scale of inputs and targets")
    return plotting.share_axis(axes)


def born_dead(setting: Setting) -> float | None:
    """Return theory's probability of a death at birth, exact or from networks drawn for it."""
    said = [p for p in sweep.predictions(setting) if p.kind in ("exact", "empirical")]
    return said[0].probability if said else None


def birth(members: Members, setting: str, predicted: float | None) -> Numbers:
    """Return how many fail and how many are born dead, with theory's probability of the latter."""
    return {
        "setting": setting,
        "failed": share(failed(members)),
        "born_dead": share(members.born_dead),
        "failed_of_those_born_alive": int((failed(members) & ~members.born_dead).sum()),
        "predicted": predicted,
    }


def draw_births(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw how many fail and how many are born dead, for each function, and theory."""
    places = np.arange(len(rows))
    known = [row["predicted"] is not None for row in rows]
    theory = [row["predicted"] for row in rows if row["predicted"] is not None]
    text = "theory: born dead"
    plotting.draw_predictions(axes, places[known], theory, colour="black", label=text)
    for name, label, colour, marker, filled in (
        ("failed", "fail", "black", "o", False),
        ("born_dead", "born dead", COLOURS["dead"], "X", True),
    ):
        look = {"colour": colour, "marker": marker, "label": label, "filled": filled}
        plotting.draw_rates(axes, places, *rates([row[name] for row in rows]), **look)
    _name_places(axes, FUNCTIONS)
    axes.set_xlabel("what is to be learnt")
    axes.legend(loc="lower right")
    return plotting.share_axis(axes)


def _name_places(axes: Axes, labels: Mapping[str, str]) -> None:
    axes.set_xticks(range(len(labels)), labels.values(), rotation=30, ha="right")
    axes.tick_params(axis="x", pad=1)
    axes.set_xlim(-0.6, len(labels) - 0.4)
