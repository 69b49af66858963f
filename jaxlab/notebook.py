"""How a result shows itself: a figure of all settings, and HTML for a notebook."""

from collections.abc import Mapping

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from jaxlab import html, outcomes, plotting
from jaxlab.html import Markup, element, joined
from jaxlab.result import Result
from jaxlab.tally import Tally, clopper_pearson

MOST_BARS = 40  # settings in one figure

LONGEST = 36  # characters of a name beside a bar
Tallies = Mapping[str, Tally]
IN_NOTEBOOK = """
.jaxlab { overflow-x: auto } .jaxlab table { border-collapse: collapse; margin: 0 0 1em }
.jaxlab caption { text-align: left; padding: 0.3em 0 } .jaxlab thead { border-bottom: 1px solid }
.jaxlab th, .jaxlab td { text-align: left; padding: 0.15em 0.6em; white-space: nowrap }
.jaxlab svg { max-width: 100%; height: auto; background: #fff }
.jaxlab .number { text-align: right; font-variant-numeric: tabular-nums }
"""


def draw(tallies: Tallies) -> Figure:
    """Return a figure of what became of every setting's members, with the failure rates.

    Of more than 40 settings the first 40 are drawn, and it is said that there are others. Settings
    without seeds have no bar; ValueError where none has any.
    """
    tallies = {name: tally for name, tally in tallies.items() if tally.n}
    if not tallies:
        raise ValueError("no seeds were trained; there is nothing to draw")
    shown = dict(list(tallies.items())[:MOST_BARS])
    occurring = [c for c in outcomes.OUTCOMES if any(t.counts[c] for t in shown.values())]
    order = [c for c in occurring if c != "solved"] + ["solved"] * ("solved" in occurring)
    shares = {c: np.array([t.counts[c] / t.n for t in shown.values()]) for c in order}
    limits = [clopper_pearson(t.failed, t.n) for t in shown.values()]
    low, high = np.array([(limit.low, limit.high) for limit in limits]).T
    names = [n if len(n) <= LONGEST else n[: LONGEST - 1] + "…" for n in shown]
    rows = -(-(len(order) + 1) // 5)  # of the legend
    with style.context(dict(plotting.STYLE), after_reset=True):
        height = 0.55 + 0.19 * len(shown) + 0.16 * rows
        figure = Figure(figsize=(plotting.DOUBLE, height), layout="constrained")
        axes = plotting.draw_outcomes(figure.add_subplot(), names, shares, low, high)
        others = len(tallies) - len(shown)
        more = f" (the first {len(shown)} of {len(tallies)} settings)" if others else ""
        axes.set_xlabel(f"share of all seeds{more}")
        figure.legend(loc="outside lower center", ncols=5)
    return figure


def described(tallies: Tallies) -> tuple[str, str]:
    """Return the figure's title and, for who does not see it, the failure rates in words."""
    said = ", ".join(f"{name} {100 * t.failed / t.n:.1f} %" for name, t in tallies.items() if t.n)
    title = "What became of the networks of each setting"
    return title, f"Bars of outcomes. Share that fails: {said}."


def table(tallies: Tallies, theory: Mapping[str, tuple[str, object]] | None = None) -> Markup:
    """Return the counts as a table: failure rate with exact interval, outcomes in per cent.

    Last, where there are any, comes the share of all that failed and were still improving.
    `theory` is what is predicted of a setting's failure rate, and the verdict on that.
    """
    occurring = [c for c in outcomes.OUTCOMES if any(t.counts[c] for t in tallies.values())]
    said = [] if theory is None else ["theory %", "verdict"]
    heads = ["setting", "n", "fails %", "95 % interval", *said]
    heads += [c.replace("_", " ") for c in occurring]
    moving = any(tally.improving for tally in tallies.values())
    heads += ["improving"] * moving
    rows: list[list[object]] = []
    for name, tally in tallies.items():
        rate = f"{100 * tally.failed / tally.n:.2f}" if tally.n else ""
        limits = bounds(tally.failed, tally.n) if tally.n else ""
        cells = [name, f"{tally.n:,}", rate, limits]
        counts = [tally.counts[c] for c in occurring] + [tally.improving] * moving
        shares = [f"{100 * count / tally.n:.1f}" if count else "0" for count in counts]
        rows.append([*cells, *([] if theory is None else theory.get(name, ("", ""))), *shares])
    caption = "How often every setting fails, and what became of its networks, in % of all seeds"
    align = "lrrr" + ("rl" if said else "") + "r" * (len(occurring) + moving)
    return html.table(caption, heads, align, rows)


def bounds(count: int, n: int) -> str:
    """Return the exact 95 % interval of a rate, in per cent.

    >>> bounds(7142, 10_000)
    '[70.5, 72.3]'
    """
    return clopper_pearson(count, n).percent


def as_html(result: Result) -> str:
    """Return a result as a notebook shows it: the table and the figure."""
    tallies = result.tally()
    if not any(tally.n for tally in tallies.values()):
        return str(element("p", str(result)))
    own = element("style", Markup(IN_NOTEBOOK))
    picture = html.picture(draw(tallies), *described(tallies))
    return str(element("div", joined(own, table(tallies), picture), class_="jaxlab"))
