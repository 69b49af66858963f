"""How a failure rate depends on what counts as solved and on the length of training.

Two panels of one figure: the share of networks that fail at the end, against the error that is
tolerated; and the share not yet solved, against the steps, with the share that fails at the end as
a point, above the curve where networks were solved and lost it again.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from figures._counts import Numbers, failed, rates, require, share
from jaxlab import plotting
from jaxlab.result import Result
from jaxlab.tally import clopper_pearson_limits

TOLERANCES = np.geomspace(1e-4, 0.5, 141)
TOLD = (1e-4, 1e-3, 1e-2, 0.1, 0.5)  # the tolerances of the caption


def draw(result: Result, labels: Mapping[str, str], relative_to: str) -> tuple[Figure, Numbers]:
    """Return the figure of some settings, by label, and its numbers.

    `relative_to` says what errors are divided by, in words.
    """
    require(result, *labels)
    figure = Figure(figsize=(plotting.DOUBLE, 2.35), layout="constrained")
    grid = figure.add_gridspec(1, 2, wspace=0.08)
    left, right = grid.subplots(sharey=True, squeeze=False)[0]
    _draw_tolerances(left, result, labels, relative_to)
    _draw_steps(right, result, labels)
    plotting.letter(left, "a")
    plotting.letter(right, "b")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=3, columnspacing=1.5
    )
    return figure, {name: numbers(result, name) for name in labels}


def largest_errors(result: Result, setting: str) -> np.ndarray:
    """Return each member's largest error of any region (members,), inf for one that is not finite.

    Regions without rows have error 0.
    """
    found = result.members[setting].errors.max(axis=1).astype(float)
    return np.where(np.isfinite(found), found, np.inf)


def numbers(result: Result, setting: str) -> Numbers:
    """Return the failures at some tolerances, at the end, and those never solved."""
    largest, members = largest_errors(result, setting), result.members[setting]
    return {
        "failed_by_tolerance": {f"{t:g}": share(largest > t) for t in TOLD},
        "failed_at_the_end": share(failed(members)),
        "never_solved": share(members.first_solved < 0),
        "steps": result.sweep[setting].steps,
    }


def _draw_tolerances(
    axes: Axes, result: Result, labels: Mapping[str, str], relative_to: str
) -> None:
    for (name, label), (colour, dash) in zip(labels.items(), plotting.SERIES, strict=False):
        largest = np.sort(largest_errors(result, name))
        n = len(largest)
        over = n - np.searchsorted(largest, TOLERANCES, side="right")
        limits = clopper_pearson_limits(over, n)
        look = {"colour": colour, "dash": dash, "label": f"{label} (n = {n:,})"}
        plotting.draw_curve(axes, TOLERANCES, over / n, *limits, **look)
    axes.set(xscale="log", xlim=(TOLERANCES[0], TOLERANCES[-1]))
    tolerances = {result.sweep[name].task.tolerance for name in labels}
    for tolerance in sorted(tolerances):
        plotting.mark(axes, tolerance, "used here")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set_xlabel(f"tolerated error, relative to {relative_to}")
    axes.set_ylabel("share of networks that fail")
    plotting.share_axis(axes)


def _draw_steps(axes: Axes, result: Result, labels: Mapping[str, str]) -> None:
    solved_at = np.concatenate([result.members[name].first_solved for name in labels])
    first = np.min(solved_at, where=solved_at > 0, initial=100)
    last = max(result.sweep[name].steps for name in labels)
    for name, (colour, dash) in zip(labels, plotting.SERIES, strict=False):
        found = result.survival(name)
        lines = (values[1:] for values in (found.steps, found.unsolved, found.low, found.high))
        plotting.draw_curve(axes, *lines, colour=colour, dash=dash, label="")
        end = rates([share(failed(result.members[name]))])
        look = {"colour": colour, "marker": "o", "label": "", "filled": False}
        plotting.draw_rates(axes, found.steps[-1:], *end, **look)
    axes.set(xscale="log", xlim=(max(1, first / 2), 1.3 * last))
    axes.set_xlabel("steps of training (circles: failed at the end)")
    axes.tick_params(labelleft=False)
    axes.set_ylabel("share not yet solved")
