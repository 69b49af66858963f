"""What others published beside what was counted here: black diamonds, with their own intervals.

Where only "more than" or "about" is known, an open mark says so: a triangle that points to where
the rate lies, or an open diamond.
"""

from typing import Any

from matplotlib.axes import Axes

from figures._counts import Numbers, proportion
from jaxlab import plotting
from jaxlab.result import Members
from sweeps import dying_relu
from sweeps._published import Published

LOOK: dict[str, Any] = {"color": "black", "linestyle": "none", "markeredgewidth": 0.9, "zorder": 4}
UPWARDS = {">": "^", "<": "v", "about": "D"}
SIDEWAYS = {">": ">", "<": "<", "about": "D"}


def row(published: Published, members: Members | None) -> Numbers:
    """Return what was published, with its exact interval, and the same event counted here.

    `members` of a setting that is not trained here are None; so is what was counted then.
    """
    told: Numbers = {"setting": published.setting, "event": published.event}
    told |= {"source": published.source, "relation": published.relation, "note": published.note}
    if published.count is not None and published.n is not None:
        told |= proportion(published.count, published.n)
    else:
        told |= {"n": published.n, "count": None, "rate": published.rate}
    return {**told, "counted here": None if members is None else event(published.event, members)}


def event(name: str, members: Members) -> Numbers:
    """Return how many members have an event that is published of them."""
    masks = {
        "collapsed": dying_relu.collapsed(members),
        "training_succeeds": members.names == "solved",
        "dead": members.names == "dead",
        "born_dead": members.born_dead,
    }
    return proportion(int(masks[name].sum()), len(members.names))


def draw(axes: Axes, at: float, told: Numbers, *, label: str = "", lying: bool = False) -> Axes:
    """Draw a published rate at a place of the axis that has no rates."""
    if told["count"] is None:
        marker = (SIDEWAYS if lying else UPWARDS)[told["relation"]]
        x, y = (told["rate"], at) if lying else (at, told["rate"])
        axes.plot([x], [y], marker, markersize=3.6, markerfacecolor="white", label=label, **LOOK)
        return axes
    limits = [told["rate"]], [told["ci_low"]], [told["ci_high"]]
    look = {"colour": "black", "marker": "D", "label": label, "lying": lying}
    return plotting.draw_rates(axes, [at], *limits, **look)
