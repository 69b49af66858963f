"""The story of one member, or of several side by side, as a figure or an animation."""

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxlab.plotting import DOUBLE, STYLE
from jaxlab.replaying import function_panels, panels, telling
from jaxlab.replaying.lives import kinks, lives
from jaxlab.replaying.trajectory import Trajectory

# Dates and versions would make two files of the same picture differ.
LINE = 0.125  # inches that a line of text takes
Panel = Callable[[Axes, Trajectory], Axes]
ORDER: Sequence[Panel] = (
    panels.draw_loss,
    panels.draw_weights,
    panels.draw_kinks,
    panels.draw_lives,
    function_panels.draw_function,
)


def chosen_panels(trajectory: Trajectory) -> list[Panel]:
    """Return the panels that make sense for a member's network and task."""
    found: list[Panel] = [panels.draw_loss, panels.draw_errors, panels.draw_weights]
    if kinks(trajectory) is not None and np.ptp(trajectory.inputs) > 0:
        found.append(panels.draw_kinks)
    if lives(trajectory):
        found.append(panels.draw_lives)
    return [*found, function_panels.draw_function]


def figure(trajectories: Sequence[Trajectory]) -> Figure:
    """Return one member's story as a figure, or several members' as its columns."""
    with style.context(dict(STYLE), after_reset=True):
        return _alone(trajectories[0]) if len(trajectories) == 1 else _beside(trajectories)


def _alone(trajectory: Trajectory) -> Figure:
    drawn = chosen_panels(trajectory)
    lines = [line for part in telling.why(trajectory) for line in textwrap.wrap(part, 136)]
    made = Figure(figsize=(DOUBLE, 3.9 + LINE * len(lines)), layout="constrained")
    made.suptitle(telling.title(trajectory), x=0.008, ha="left", fontsize=9, fontweight="bold")
    below = made.add_subfigure(made.add_gridspec(1, 1)[0])
    below.suptitle("\n".join(lines), x=0.008, ha="left", fontsize=6.8, linespacing=1.25)
    grid = below.add_gridspec(2, 6)
    above = -(-len(drawn) // 2)
    for row, some in enumerate((drawn[:above], drawn[above:])):
        wide = 6 // len(some)
        for i, draw in enumerate(some):
            draw(below.add_subplot(grid[row, i * wide : (i + 1) * wide]), trajectory)
    return made


def _beside(trajectories: Sequence[Trajectory]) -> Figure:
    wanted = {draw for one in trajectories for draw in chosen_panels(one)}
    drawn = [draw for draw in ORDER if draw in wanted]
    wrap = 136 // len(trajectories)
    texts = [[x for p in telling.why(t) for x in textwrap.wrap(p, wrap)] for t in trajectories]
    tall = LINE * (max(map(len, texts)) + 1.8)
    made = Figure(figsize=(DOUBLE, tall + 1.3 * len(drawn)), layout="constrained")
    ratios = [tall, *[1.3] * len(drawn)]
    shape = len(ratios), len(trajectories)
    grid = made.subplots(*shape, sharey="row", squeeze=False, height_ratios=ratios)
    for axes, one, text in zip(grid[0], trajectories, texts, strict=True):
        _write(axes, telling.title(one), "\n".join(text))
    for axes, draw in zip(grid[1:], drawn, strict=True):
        for i, (one, its) in enumerate(zip(trajectories, axes, strict=True)):
            if draw in chosen_panels(one):
                draw(its, one)
            else:
                its.set_axis_off()
            if i:
                its.set_ylabel("")
            if draw in ORDER[:-1] and draw is not drawn[-2]:  # the steps' axis of the last will do
                its.set_xlabel("")
                its.tick_params(labelbottom=False)
    return made


def _write(axes: Axes, title: str, text: str) -> None:
    axes.set_axis_off()
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    place |= {"ha": "left", "va": "top"}
    axes.annotate(title, (0, 1), (-24, 0), fontsize=8, fontweight="bold", **place)
    axes.annotate(text, (0, 1), (-24, -14), fontsize=6.5, linespacing=1.25, **place)
