"""The story of one member, or of several side by side, as an animation."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jaxlab.plotting import BLACK, COLOURS, DOUBLE, STYLE
from jaxlab.replaying import function_panels, panels
from jaxlab.replaying.lives import lives
from jaxlab.replaying.trajectory import Trajectory

FRAMES, PER_SECOND, DPI = 60, 10, 110
REST = 6  # frames for which the end stays
Move = Callable[[int], None]
"""Shows a moment, given by its position."""


def animation(trajectories: Sequence[Trajectory]) -> bytes:
    """Return a GIF of the function, the loss and the units' lives, moment by moment.

    All must have been seen at the same steps. Equal trajectories give equal bytes.
    """
    count = len(trajectories[0].steps)
    frames = np.unique(np.linspace(0, count - 1, FRAMES).round().astype(int)).tolist()
    with style.context(dict(STYLE), after_reset=True), tempfile.TemporaryDirectory() as folder:
        made, moves = first_frame(trajectories)
        path, writer = Path(folder) / "story.gif", PillowWriter(fps=PER_SECOND)
        with writer.saving(made, str(path), DPI):
            for frame in [*frames, *[frames[-1]] * REST]:
                for move in moves:
                    move(frame)
                writer.grab_frame()
        return path.read_bytes()


def first_frame(trajectories: Sequence[Trajectory]) -> tuple[Figure, list[Move]]:
    """Return a figure with a column for each member, or a row of one, and what moves its panels."""
    all_can_die = all(lives(one) for one in trajectories)
    drawn = [draw_answer, draw_dot, *[draw_cursor] * all_can_die]
    several = len(trajectories) > 1
    shape = (len(drawn), len(trajectories)) if several else (1, len(drawn))
    size = (DOUBLE, 1.5 * len(drawn) + 0.3) if several else (DOUBLE, 2.3)
    made, moves = Figure(figsize=size, layout="constrained"), []
    grid = made.subplots(*shape, squeeze=False, sharey="row" if several else "none")
    for column, one in enumerate(trajectories):
        places = grid[:, column] if several else grid[0]
        moves += [draw(axes, one) for draw, axes in zip(drawn, places, strict=True)]
        moves.append(_titled(made, places[0], one, several))
        for axes in places if column else ():
            axes.set_ylabel("")
    for move in moves:
        move(len(trajectories[0].steps) - 1)  # the longest title
    made.draw_without_rendering()
    made.set_layout_engine("none")  # else panels would jump from frame to frame
    return made, moves


def _titled(made: Figure, axes: Axes, one: Trajectory, several: bool) -> Move:
    name = f"{one.setting.name}, seed {one.seed}: {one.outcome}"

    def move(moment: int) -> None:
        text = f"{name}; step {one.steps[moment]:,}"
        if several:
            axes.set_title(text, loc="left", fontsize=7.5, fontweight="bold")
        else:
            made.suptitle(text, x=0.01, ha="left", fontsize=8, fontweight="bold")

    return move


def draw_answer(axes: Axes, one: Trajectory) -> Move:
    """Draw the target and what the network answers now: over x, or against the targets."""
    inputs, targets = one.inputs, one.targets
    if inputs.shape[1] > 1 or targets.shape[1] > 1:
        x, y, marker, line = targets.ravel(), targets.ravel(), ".", "none"
        axes.set(xlabel="target", ylabel="output")
    else:
        few = len(np.unique(inputs)) <= function_panels.FEW_POINTS
        x, y, marker, line = inputs[:, 0], targets[:, 0], "." if few else "", "solid"
        axes.set(xlabel="x", ylabel="output")
    order = np.argsort(x, kind="stable")
    look = {"color": BLACK, "linestyle": function_panels.DASHED, "linewidth": 0.9}
    axes.plot(x[order], y[order], **look)
    (now,) = axes.plot(x, y, color=function_panels.EARLY_TO_LATE[-1], linestyle=line, marker=marker)
    now.set_markersize(2.5)
    low, high = float(y.min()), float(y.max())
    room = 0.4 * ((high - low) or abs(high) or 1.0)
    axes.set_ylim(low - room, high + room)
    axes.yaxis.set_major_formatter(FuncFormatter(panels.in_short))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(panels.in_short))

    def move(moment: int) -> None:
        now.set_data(x[order], one.outputs[moment].ravel()[order])

    return move


def draw_dot(axes: Axes, one: Trajectory) -> Move:
    """Draw the loss with a dot at the present moment."""
    panels.draw_loss(axes, one)
    (dot,) = axes.plot([], [], "o", color=COLOURS[one.outcome], markersize=5, clip_on=False)

    shown = panels.positive(one.loss)

    def move(moment: int) -> None:
        dot.set_data(one.steps[moment : moment + 1], shown[moment : moment + 1])

    return move


def draw_cursor(axes: Axes, one: Trajectory) -> Move:
    """Draw the units' lives with a line at the present moment."""
    panels.draw_lives(axes, one)
    line = axes.axvline(0, color=BLACK, linewidth=0.9)

    def move(moment: int) -> None:
        line.set_xdata([one.steps[moment]] * 2)

    return move
