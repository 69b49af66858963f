"""What a report says of other tolerances: the share that fails as a function of the error allowed.

A network has learnt where no region's error is above the task's tolerance. All errors are kept, so
that the counts at any other tolerance are known without training anything again.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from jaxlab import html, plotting
from jaxlab.answer_text import SHORTLY, exact_percent
from jaxlab.html import Markup, element, joined
from jaxlab.reporting.facts import NOTHING
from jaxlab.tally import clopper_pearson
from jaxlab.tolerances import SHOWN, sensitivity

MOST_CURVES = len(plotting.SERIES)
NARROWEST, WIDEST = 0.1, 10.0  # tolerances that are drawn, in multiples of the task's
POINTS = 201  # of a curve, in equal ratios; one of them is the tolerance itself


class Errors(NamedTuple):
    """A setting's tolerance, and the error (members,) that decides of each whether it learnt."""

    tolerance: float
    errors: np.ndarray


def section(by_setting: Mapping[str, Errors]) -> Markup:
    """Return the figure and the table of how many fail at other tolerances."""
    drawn = {name: one for name, one in by_setting.items() if _changes(one)}
    shown = dict(list(drawn.items())[:MOST_CURVES])
    more = len(drawn) - len(shown)
    return joined(_picture(shown, more) if shown else NOTHING, _table(by_setting))


def _limits(tolerance: float) -> np.ndarray:
    return tolerance * np.geomspace(NARROWEST, WIDEST, POINTS)


def _failed(one: Errors) -> np.ndarray:
    """Return how many fail at each of the tolerances that are drawn."""
    ascending = np.sort(one.errors)
    limits = _limits(one.tolerance).astype(ascending.dtype)
    return len(ascending) - np.searchsorted(ascending, limits, "right")


def _changes(one: Errors) -> bool:
    failed = _failed(one)
    return bool(failed[0] != failed[-1])


def _picture(shown: Mapping[str, Errors], more: int) -> Markup:
    title = "The share that fails at other tolerances"
    text = "How many fail if another error counts as learnt; the mark is the tolerance that was "
    text += "judged by, the band the pointwise 95 % interval. Where a curve is steep at the mark, "
    text += "the answer hangs on it."
    text += f" {more} more settings are in the table." if more else ""
    picture = html.scrolling(f"Figure: {title}", html.picture(draw(shown), title, text))
    return element("figure", picture, element("figcaption", text))


def draw(shown: Mapping[str, Errors]) -> Figure:
    """Return a figure of the share that fails over the tolerance, a curve for each setting."""
    with style.context(dict(plotting.STYLE), after_reset=True):
        figure = Figure(figsize=(plotting.DOUBLE, 2.7), layout="constrained")
        axes = figure.add_subplot()
        for (name, one), (colour, dash) in zip(shown.items(), plotting.SERIES, strict=False):
            n, failed = len(one.errors), _failed(one)
            limits = [clopper_pearson(int(count), n) for count in failed]
            low, high = np.array([(limit.low, limit.high) for limit in limits]).T
            label = name.replace("$", r"\$")
            x = _limits(one.tolerance)
            plotting.draw_curve(
                axes, x, failed / n, low, high, colour=colour, label=label, dash=dash
            )
        for tolerance in sorted({one.tolerance for one in shown.values()}):
            plotting.mark(axes, tolerance, exact_percent(tolerance))
        plotting.share_axis(axes)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{100 * t:g} %"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="tolerance: error that counts as learnt", ylabel="share that fails")
        figure.legend(loc="outside right upper")
    return figure


def _table(by_setting: Mapping[str, Errors]) -> Markup:
    heads = ["setting", "tolerance"]
    heads += [f"fails % at {multiple:g} ×" for multiple in SHOWN]
    rows = []
    for name, one in by_setting.items():
        found = sensitivity(one.errors, one.tolerance)
        shares = [f"{100 * count / found.n:.2f}" for _, count in found.failed]
        shares += [""] * (len(SHOWN) - len(shares))  # where a constant would count as learnt
        turns = "; ".join(f"{exact_percent(t)}: {SHORTLY[kind]}" for t, kind in found.turns)
        rows.append([name, exact_percent(one.tolerance), *shares, turns])
    caption = "How many fail at other tolerances, and the nearest at which the answer is another "
    caption += "one, within half and twice the tolerance"
    return html.table(caption, [*heads, "another answer at"], "lr" + "r" * len(SHOWN) + "l", rows)
