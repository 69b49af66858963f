"""The fate read off the initial weights errs at |a| = |w|, near 0, and where sides overshoot.

Three panels: misses of members that hang on one unit with a < 0, at that unit's weights; misses of
members whose only side starts too steep; and how often each of three rules errs. The first two pool
Keras, Flax and He, which start without biases. The sweep is `default_initialisers`.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from figures._counts import Numbers, proportion, rates, require
from jaxlab import plotting
from jaxlab.plotting import COLOURS
from jaxlab.result import Result
from jaxlab.theory.absolute_value import fate
from jaxlab.theory.flow import outcome_of_flow
from jaxlab.theory.momentum import outcome_under_adam, threshold
from sweeps.absolute_value import conditions_of, initial_weights

UNITS = (2, 3, 4, 6, 8)
LAWS = ("Keras", "PyTorch", "Flax", "He")
BIASED = "PyTorch"  # starts with biases, which no rule knows of
ONE_SIDED = ("right_only", "left_only")
RULES = ("simple rule", "gradient flow", "Adam's map")
MARKERS = dict(zip(RULES, "osX", strict=True))
MISSES = dict(zip(RULES, (plotting.BLUE, plotting.WINE, plotting.BLACK), strict=True))
MISSED = dict(zip(RULES, ("rule errs", "flow errs", "map errs"), strict=True))
BAND = 3.0  # ways of momentum below which it saves a unit, for small kernels
MOST = 6000  # units and networks drawn palely beside the misses; all are counted
LOWEST = -1.0  # slope that is drawn where a side starts too steep
TICKS = (0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003)


def foretold(result: Result, name: str) -> dict[str, np.ndarray]:
    """Return of each member, by rule, if it is expected to be solved."""
    w, a = initial_weights(result, name)
    optimiser, limit = result.sweep[name].training.optimiser, conditions_of(result.sweep[name])
    numbers = (optimiser.learning_rate, optimiser.b1, optimiser.b2)
    adam = outcome_under_adam(w, a, *numbers, input_limit=limit.input_limit)
    return dict(
        zip(
            RULES,
            (fate(w, a) == "solved", outcome_of_flow(w, a) == "solved", adam == "solved"),
            strict=True,
        )
    )


def deciding_unit(w: np.ndarray, a: np.ndarray, carried: float) -> np.ndarray:
    """Return the position of the unit that each member hangs on, -1 where there is none.

    A member hangs on a unit with a < 0 if, by the simple rule, it would be solved with that unit
    alive and fail with it dead; or if it should fit one side only, and momentum may carry the unit
    to the other, both weights being below 4 l (l is `carried`). Of several the smallest of the
    latter counts, else the one that is nearest to |a| = max(|w|, 3 l).
    """
    alive, dead = np.empty(w.shape, bool), np.empty(w.shape, bool)
    for i in range(len(w)):
        one = (np.arange(len(w)) == i)[:, None]
        alive[i] = fate(w, np.where(one, 1.0, a)) == "solved"
        dead[i] = fate(np.where(one, 0.0, w), np.where(one, -1.0, a)) == "solved"
    size = np.maximum(np.abs(w), np.abs(a))
    swings = (a < 0) & (size < 4 * carried) & np.isin(fate(w, a), ONE_SIDED)
    hangs = (a < 0) & (w != 0) & alive & ~dead
    border = np.maximum(np.abs(w), BAND * carried)
    away = np.abs(np.log(np.where(hangs, np.abs(a), 1) / border))
    order = np.where(swings, size - 1, np.where(hangs, away, np.inf))
    return np.where((hangs | swings).any(axis=0), np.argmin(order, axis=0), -1)


def overshoot(w: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes of the only side expected to be fitted: at the start, and left later.

    Later is when the first kernel with a > 0 reaches 0 under gradient flow, as in
    `jaxlab.theory.crossing`. Both are nan where no or both sides are expected to be fitted, where
    the slope starts at 1 or below, and where there is no such kernel.
    """
    expected = fate(w, a)
    sign = np.select([expected == name for name in ONE_SIDED], [1, -1], 0)
    u = np.maximum(sign * w, 0)
    b = np.where(u > 0, a, 0)
    start, shrinks = np.sum(u * b, axis=0), b > u
    growth = np.where(shrinks, (b + u) / np.where(shrinks, b - u, 1), np.inf)
    g = np.min(growth, axis=0)
    steep = (start > 1) & np.isfinite(g)
    g = np.where(steep, g, 1)
    left = np.sum((u + b) ** 2 / g - (u - b) ** 2 * g, axis=0) / 4
    return np.where(steep, start, np.nan), np.where(steep, left, np.nan)


def gather(result: Result) -> tuple[list[Numbers], Numbers, Numbers]:
    """Return the misses of every setting and rule, the deciding units, and the steep networks.

    A miss goes to the steep networks if its only side starts too steep, to the deciding units if
    it has one, and nowhere otherwise.
    """
    rows: list[Numbers] = []
    units: list[np.ndarray] = []
    steep: list[np.ndarray] = []
    for law in LAWS:
        for k in UNITS:
            name = f"{law} k={k}"
            solved = result.members[name].names == "solved"
            wrong = {rule: said != solved for rule, said in foretold(result, name).items()}
            first = {"setting": name, "law": law, "k": k}
            rows += [first | {"rule": r} | _misses(m) for r, m in wrong.items()]
            if law == BIASED:
                continue
            w, a = initial_weights(result, name)
            worst = _worst(wrong)
            start, left = overshoot(w, a)
            optimiser = result.sweep[name].training.optimiser
            unit = deciding_unit(w, a, optimiser.learning_rate / (1 - optimiser.b1))
            flat = np.isnan(start) & (unit >= 0)
            at = unit[flat], np.flatnonzero(flat)
            units.append(np.stack([np.abs(w[at]), np.abs(a[at]), solved[flat], worst[flat]]))
            high = ~np.isnan(start)
            steep.append(np.stack([start[high], left[high], solved[high], worst[high]]))
    return rows, _joined(units), _joined(steep)


def _misses(wrong: np.ndarray) -> Numbers:
    return proportion(int(wrong.sum()), len(wrong))


def _worst(wrong: dict[str, np.ndarray]) -> np.ndarray:
    """Return the position of the last rule that errs on each member, -1 where none does."""
    worst = np.full(len(wrong[RULES[0]]), -1)
    for i, rule in enumerate(RULES):
        worst[wrong[rule]] = i
    return worst


def _joined(parts: list[np.ndarray]) -> Numbers:
    x, y, solved, worst = np.concatenate(parts, axis=1)
    return {"x": x, "y": y, "solved": solved == 1, "worst": worst.astype(int)}


def draw(result: Result) -> tuple[Figure, Numbers]:
    """Return the figure, with the numbers of its caption."""
    require(result, *(f"{law} k={k}" for law in LAWS for k in UNITS))
    rows, units, steep = gather(result)
    optimiser = result.sweep[f"{LAWS[0]} k=2"].training.optimiser
    carried = optimiser.learning_rate / (1 - optimiser.b1)
    figure = Figure(figsize=(plotting.DOUBLE, 2.9), layout="constrained")
    panels = figure.subplots(1, 3)
    draw_units(panels[0], units, carried)
    draw_overshoot(panels[1], steep)
    draw_misses(panels[2], [row for row in rows if row["law"] == LAWS[0]])
    for axes, name in zip(panels, "abc", strict=True):
        plotting.letter(axes, name)
    below = {"below the panel": int(np.sum(steep["y"] < LOWEST))}
    parts = {"deciding units": counted(units), "steep sides": counted(steep) | below}
    return figure, {"misses": rows, "momentum carries": carried, **parts}


def counted(points: Numbers) -> Numbers:
    """Return how many points there are, how many are drawn, and of how many each rule is last."""
    missed = {rule: int(np.sum(points["worst"] == i)) for i, rule in enumerate(RULES)}
    return {"n": len(points["worst"]), "drawn": int(_drawn(points).sum()), "last to err": missed}


def _drawn(points: Numbers) -> np.ndarray:
    """Say which points are drawn: all misses, and of the others every so many."""
    every = max(-(-len(points["worst"]) // MOST), 1)
    return (points["worst"] >= 0) | (np.arange(len(points["worst"])) % every == 0)


def _scatter(axes: Axes, points: Numbers) -> None:
    """Draw members in the colour of what became of them, and misses on top of them."""
    plain = _drawn(points) & (points["worst"] < 0)
    for name, chosen in (("solved", points["solved"]), ("dead", ~points["solved"])):
        x, y = points["x"][plain & chosen], points["y"][plain & chosen]
        look = {"colour": _pale(COLOURS[name]), "marker": "o", "size": 1.3}
        label = {"solved": "learnt |x|", "dead": "did not"}[name] if x.size else "_"
        plotting.draw_points(axes, x, y, label=label, **look)
    for i, (rule, size) in enumerate(zip(RULES, (5.0, 7.0, 16.0), strict=True)):
        x, y = points["x"][points["worst"] == i], points["y"][points["worst"] == i]
        look = {"colour": MISSES[rule], "marker": MARKERS[rule], "size": size}
        label = f"{MISSED[rule]}: {x.size}" if x.size else "_"
        plotting.draw_points(axes, x, y, label=label, **look)
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    legend = axes.legend(handletextpad=0.1, columnspacing=0.8, **above)
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([14.0])


def _pale(colour: str) -> str:
    """Return a colour two thirds of the way to white."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{(part + 2 * 255) // 3:02X}" for part in parts)


def draw_units(axes: Axes, units: Numbers, carried: float) -> Axes:
    """Draw the units that decide, at their initial |w| and |a|, with theory's two borders."""
    low, high = 3e-4, 6.0
    _scatter(axes, units)
    near, far = (np.geomspace(*ends, 50) for ends in ((low, 5.5 * carried), (3e-2, high)))
    axes.plot(far, far, color="black", linewidth=0.9, zorder=4)
    bound = carried * threshold(near / carried)
    axes.plot(near, bound, color="black", linewidth=0.9, linestyle=(0, (3, 1.5)), zorder=4)
    plotting.note(axes, 0.75, 4.2, "|a| = |w|")
    plotting.note(axes, 3.2e-3, 0.07, "momentum's\nreach, 3 l")
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    axes.set(xlabel="initial |w| of the deciding unit", ylabel="its initial |a| (a < 0)")
    return axes


def draw_overshoot(axes: Axes, steep: Numbers) -> Axes:
    """Draw networks whose only side starts too steep: at the start, and at the first kernel's 0.

    What lies below the panel came to its target long before a kernel could have reached 0.
    """
    _scatter(axes, steep)
    axes.axhline(1, color="black", linewidth=0.9, zorder=4)
    plotting.note(axes, 2.05, 4.1, "above 1, by flow,\na unit changes\nsides")
    axes.set(xscale="log", xlim=(1, 14), ylim=(LOWEST, 5))
    axes.set_xticks((1, 2, 5, 10), ("1", "2", "5", "10"))
    axes.set_xticks((), minor=True)
    axes.set(xlabel="initial slope of the only side")
    axes.set(ylabel="slope left when its first kernel reaches 0")
    return axes


def draw_misses(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw the share of networks on which each rule errs, by the number of units."""
    for rule, shift in zip(RULES, (-0.18, 0.0, 0.18), strict=True):
        mine = [row for row in rows if row["rule"] == rule]
        x = np.array([row["k"] for row in mine]) + shift
        look = {"colour": MISSES[rule], "marker": MARKERS[rule], "label": rule}
        plotting.draw_rates(axes, x, *rates(mine), **look)
    plotting.percent_axis(axes, TICKS, 2e-5, 1e-2)
    axes.set(xticks=UNITS, xlabel=f"hidden units ({LAWS[0]})")
    axes.set_ylabel("share of networks foretold wrongly")
    axes.legend(loc="upper right")
    return axes
