"""On 2x no width moves the stability limit; width lowers the share born dead, from 3/4 to 1/2.

Panel a: the commonest outcome of the networks that are not born dead, over learning rate and width.
Panel b: the share of all networks that fail at half of the stability limit, by width, against the
share that is born dead. Seeds are the same in all columns. The posted learning rate, 0.01, lies far
to the right of the map.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures import _maps
from figures._counts import Numbers, proportion
from figures.doubling_scale_map import moments
from jaxlab import plotting
from jaxlab.grid import Grid, GridResult
from jaxlab.theory import doubling as theory

SHARE_OF_LIMIT = 0.5  # panel b is the column nearest to this share of the stability limit


def draw(result: GridResult) -> dict[str, tuple[Figure, Numbers]]:
    """Return the map with its numbers."""
    figure = Figure(figsize=(plotting.DOUBLE, 2.6), layout="constrained")
    left, right = figure.subplots(
        1, 2, sharey=True, width_ratios=(1.45, 1), gridspec_kw={"wspace": 0.1}
    )
    names = _maps.commonest(result, _maps.always_dead(result))
    found = numbers(result, names)
    draw_map(left, result.grid, names)
    draw_failures(right, found["fails"])
    plotting.letter(left, "a")
    plotting.letter(right, "b")
    figure.legend(handles=_maps.patches(names), loc="outside lower center", ncols=5)
    return {"doubling_width_map": (figure, found)}


def limit(grid: Grid) -> float:
    """Return theory's stability limit of the learning rate."""
    return theory.stability_limit(*moments(grid.base))


def column(grid: Grid) -> int:
    """Return the column of panel b."""
    rates = np.log(grid.columns.values)
    return int(np.argmin(np.abs(rates - np.log(SHARE_OF_LIMIT * limit(grid)))))


def failures(result: GridResult) -> list[Numbers]:
    """Return for every width the networks that fail in the column, and the share born dead."""
    j, rows = column(result.grid), []
    n, failed = result.n[:, j], (1 - result.share("solved")[:, j]) * result.n[:, j]
    for i, width in enumerate(result.grid.rows.values):
        measured = proportion(round(failed[i]), int(n[i]))
        born = float(theory.born_dead(int(width)))
        rows.append({"hidden units": int(width), **measured, "born dead": born})
    return rows


def numbers(result: GridResult, names: np.ndarray) -> Numbers:
    """Return how often cells are what theory says on each side of the limit, and panel b."""
    rate, _ = _maps.cells(result.grid)
    square, at = moments(result.grid.base)[0], limit(result.grid)
    death = theory.DEATH / (2 * square)
    return {
        **_maps.size(result),
        "commonest": _maps.counts_of(names),
        "stability limit": at,
        "not solved above the stability limit": _maps.agreement(rate >= at, names != "solved"),
        "dead above the death threshold": _maps.agreement(rate >= death, names == "dead"),
        "largest solved rate / stability limit": {
            f"{h:g}": float(np.max(rate[i][names[i] == "solved"], initial=0.0) / at)
            for i, h in enumerate(result.grid.rows.values)
        },
        "fails": failures(result),
        "panel b's learning rate / stability limit": rate[0, column(result.grid)] / at,
    }


def draw_map(axes: Axes, grid: Grid, names: np.ndarray) -> Axes:
    """Draw the outcomes and theory's lines."""
    _maps.draw_map(axes, grid, names)
    ends, square = np.array(axes.get_ylim()), moments(grid.base)[0]
    at, death = limit(grid), theory.DEATH / (2 * square)
    lines = [_maps.Line([at, at], ends), _maps.Line([death, death], ends, (0, (4, 2)))]
    _maps.draw_lines(axes, lines)
    axes.set_box_aspect(0.6)
    _maps.write_along(axes, at / 1.35, 6, "stability limit", np.inf)
    _maps.write_along(axes, death * 1.35, 6, "death", np.inf)
    posted = grid.base.training.optimiser.learning_rate
    plotting.note(axes, 2.1e-5, 90, f"posted: {posted:g}, far right")
    axes.yaxis.set_major_locator(FixedLocator(grid.rows.values))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    return axes


def draw_failures(axes: Axes, rows: list[Numbers]) -> Axes:
    """Draw the share that fails by width, and theory's share that is born dead."""
    width = np.array([row["hidden units"] for row in rows], float)
    born = [row["born dead"] for row in rows]
    axes.plot(born, width, color="black", label="born dead, theory", zorder=2)
    label = f"fail (n = {rows[0]['n']})"
    columns = (np.array([row[k] for row in rows]) for k in ("rate", "ci_low", "ci_high"))
    plotting.draw_rates(
        axes, width, *columns, colour=plotting.VERMILION, marker="o", label=label, lying=True
    )
    plotting.share_axis(axes, lying=True)
    axes.set_xlabel("share of networks, at half the limit")
    axes.legend(loc="lower left")
    return axes
