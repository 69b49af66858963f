"""Panels of one member's story over the steps: every function adds to axes that the caller made.

Colours and styles are those of `jaxlab.plotting`. The axis of steps is logarithmic from 1 on, with
the start, step 0, at its left end.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
)

from jaxlab.plotting import BLACK, BLUE, COLOURS, GREY, SERIES, SHADE, SILVER, VERMILION, caption
from jaxlab.replaying.lives import Life, kinks, lives
from jaxlab.replaying.trajectory import Trajectory

FEW = 6  # units that have a colour each
MOST_LINES = 40  # units whose weights are drawn one by one
MOST_BARS = 24  # units with a bar each; more are shown as an image
MOST_NAMED = 16  # bars of which each has its name beside it


def step_axis(axes: Axes, trajectory: Trajectory) -> Axes:
    """Make x the axis of steps."""
    last = max(int(trajectory.steps[-1]), 1)
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xlim(0, last)
    powers = [10**i for i in range(int(np.log10(last)) + 1)]
    kept = powers[:: 1 + len(powers) // 5]
    axes.set_xticks([0, *kept], ["0", *(f"{tick:,}" for tick in kept)])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("step", labelpad=1)
    return axes


def positive(values: np.ndarray) -> np.ndarray:
    """Return values with nan for those that a logarithmic axis cannot show."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def draw_loss(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw the training loss on all rows, in the colour of what became of the member."""
    axes.set_yscale("log")
    axes.plot(
        trajectory.steps,
        positive(trajectory.loss),
        color=COLOURS[trajectory.outcome],
        linewidth=1.5,
    )
    axes.set_ylabel("loss")
    return step_axis(_log_ticks(axes), trajectory)


def _log_ticks(axes: Axes) -> Axes:
    """Give a logarithmic y three to six ticks, whole powers of ten if these are enough."""
    low, high = axes.get_ylim()
    ticks = np.empty(0)
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for parts in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = np.outer(powers, parts).ravel()
        ticks = ticks[(low <= ticks) & (ticks <= high)]
        if len(ticks) >= 3:
            break
    else:
        ticks = np.asarray(MaxNLocator(4).tick_values(low, high))
    axes.yaxis.set_major_locator(FixedLocator(ticks[:: 1 + len(ticks) // 6].tolist()))
    axes.yaxis.set_major_formatter(FuncFormatter(in_short))
    axes.yaxis.set_minor_locator(NullLocator())
    return axes


def in_short(value: float, _: int | None = None) -> str:
    """Format a number on an axis, large and small ones as powers of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    power = int(np.floor(np.log10(abs(value)) + 1e-9))
    part = value / 10.0**power
    return f"$10^{{{power}}}$" if abs(part - 1) < 1e-6 else f"${part:g}\\cdot10^{{{power}}}$"


def draw_errors(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw the relative error of every region; below the line a region is fitted."""
    styles = [SERIES[i % len(SERIES)] for i in range(len(trajectory.regions))]
    errors = positive(trajectory.errors)
    axes.set_yscale("log")
    for i, (name, (colour, dash)) in enumerate(zip(trajectory.regions, styles, strict=True)):
        axes.plot(trajectory.steps, errors[:, i], color=colour, linestyle=dash, label=name)
    axes.axhline(trajectory.setting.task.tolerance, color=BLACK, linewidth=0.7, zorder=1)
    axes.set_ylabel("relative error")
    if len(trajectory.regions) > 1:
        legend_above(axes)
    else:
        caption(axes, "below the line: fitted")
    return step_axis(_log_ticks(axes), trajectory)


def legend_above(axes: Axes, columns: int = 3) -> None:
    """Put the legend above the panel, where it hides nothing."""
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.98), "ncols": columns}
    axes.legend(handlelength=1.7, handletextpad=0.4, columnspacing=0.9, fontsize=6, **place)


def draw_weights(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw all weights of a small network of one hidden layer, else the size of each kernel."""
    network = trajectory.setting.network
    few = len(network.widths) <= 3 and max(network.widths) <= MOST_LINES
    if few and network.activations and trajectory.weights is not None:
        _each_weight(axes, trajectory)
        axes.set_ylabel("weight")
    else:
        for i, sizes in enumerate(trajectory.sizes.T):
            colour, dash = SERIES[i % len(SERIES)]
            axes.plot(trajectory.steps, sizes, color=colour, linestyle=dash, label=f"layer {i + 1}")
        axes.set_ylabel("kernel (rms)")
    legend_above(axes, 2 if few else 3)
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.get_lines()])
    large = np.abs(drawn[np.isfinite(drawn)]).max(initial=0.0)
    if large > 3:  # biases grow far beyond the weights
        _signed_log_ticks(axes, 1.0, large)
    return step_axis(axes, trajectory)


def _each_weight(axes: Axes, trajectory: Trajectory) -> None:
    layers, steps = trajectory.layers, trajectory.steps
    units, deep = layers[0][0].shape[2], len(layers) > 1
    solid, dashed, dotted = "solid", (0, (5, 1.5)), (0, (1, 1.2))
    names = {"kernel": solid} | ({"output weight": dashed} if deep else {})
    few = max(units, layers[-1][0].shape[2]) <= FEW
    for unit in range(units):
        look = {"color": colour_of(trajectory, unit), "linewidth": 1.1 if few else 0.5}
        kernel, bias = layers[0]
        axes.plot(steps, kernel[:, :, unit], linestyle=solid, **look)
        if bias is not None and few:
            axes.plot(steps, bias[:, unit], linestyle=dotted, **look)
        if deep:
            axes.plot(steps, layers[1][0][:, unit], linestyle=dashed, **look)
    if layers[-1][1] is not None:
        if deep:
            axes.plot(steps, layers[-1][1], color=GREY, linestyle=dotted)
        names |= {"bias": dotted} if few else {}
        names |= {"output's bias": dotted} if deep else {}
    for name, dash in names.items():
        colour = GREY if name == "output's bias" else BLACK
        axes.plot([], [], color=colour, linestyle=dash, label=name)


def colour_of(trajectory: Trajectory, unit: int, layer: int = 1) -> str:
    """Return a unit's colour: its own where units are few, else that of its end."""
    widths = trajectory.setting.network.widths
    if layer == 1 and widths[1] <= FEW:
        return SERIES[unit % len(SERIES)][0]
    silent = {(one.layer, one.unit): one.silent_from for one in lives(trajectory)}
    return BLUE if silent.get((layer, unit + 1)) is None else VERMILION


def draw_kinks(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw where the first layer's units bend, as long as they live; the inputs' range is grey."""
    places = kinks(trajectory)
    if places is None:
        raise ValueError("nothing in the first layer bends at a place; look at kinks()")
    low, high = float(trajectory.inputs.min()), float(trajectory.inputs.max())
    silent = {one.unit: one.silent_from for one in lives(trajectory) if one.layer == 1}
    axes.axhspan(low, high, color=SHADE, linewidth=0, zorder=0)
    few = places.shape[1] <= FEW
    kernels = trajectory.layers[0][0][:, 0]
    for unit in range(places.shape[1]):
        end = silent.get(unit + 1)
        shown = np.full(len(places), True) if end is None else trajectory.steps <= end
        look = {"color": colour_of(trajectory, unit), "linewidth": 1.1 if few else 0.5}
        turned = np.flatnonzero(np.diff(np.sign(kernels[shown, unit]))) + 1  # through infinity
        steps = np.insert(trajectory.steps[shown].astype(float), turned, np.nan)
        axes.plot(steps, np.insert(places[shown, unit], turned, np.nan), **look)
    largest = max(abs(low), abs(high)) or 1.0
    _signed_log_ticks(axes, 10.0 ** np.floor(np.log10(largest) - 2), largest)
    reach = (high - low) or largest
    axes.set_ylim(low - 2 * reach, high + 2 * reach)
    axes.set_ylabel("kink at x")
    caption(axes, "grey: range of the inputs")
    return step_axis(axes, trajectory)


def _signed_log_ticks(axes: Axes, threshold: float, largest: float) -> None:
    """Make y logarithmic in both directions, linear up to the threshold; few ticks."""
    axes.set_yscale("symlog", linthresh=threshold)
    decades = int(np.floor(np.log10(max(largest, threshold) / threshold) + 1e-9))
    powers = [threshold * 10.0**i for i in range(0, decades + 1, 1 + decades // 3)]
    ticks = [-p for p in reversed(powers)] + [0.0] + powers
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(in_short))
    axes.yaxis.set_minor_locator(NullLocator())


def draw_lives(axes: Axes, trajectory: Trajectory) -> Axes:
    """Draw every ReLU unit as a bar, as thick as the share of rows on which it is active."""
    units = lives(trajectory)
    if len(units) > MOST_BARS:
        return _as_image(axes, trajectory, units)
    last = len(trajectory.setting.network.widths) - 1
    for place, one in enumerate(units):
        colour = GREY if one.layer == last else colour_of(trajectory, one.unit - 1, one.layer)
        half = 0.42 * one.active
        axes.axhline(place, color=SILVER, linewidth=0.6, zorder=1)
        axes.fill_between(trajectory.steps, place - half, place + half, color=colour, linewidth=0)
        if one.silent_from is not None:
            size = 4.5 if len(units) <= MOST_NAMED else 3.0
            look = {"color": BLACK, "markersize": size, "markeredgewidth": 1.0, "clip_on": False}
            axes.plot([one.silent_from], [place], "x", zorder=4, **look)
    named = range(0, len(units), -(-len(units) // MOST_NAMED))
    axes.set_yticks(named, [_name(trajectory, units[i]) for i in named])
    axes.set_ylim(len(units) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("unit")
    caption(axes, "bar: share of rows active; x: silent")
    return step_axis(axes, trajectory)


def _name(trajectory: Trajectory, one: Life) -> str:
    widths = trajectory.setting.network.widths
    if one.layer == len(widths) - 1:
        return "out"
    return f"{one.layer}.{one.unit}" if len(widths) > 3 else f"{one.unit}"


def _as_image(axes: Axes, trajectory: Trajectory, units: Sequence[Life]) -> Axes:
    """Draw units as rows of an image, dark where active on many rows, layers apart."""
    steps = trajectory.steps.astype(float)
    shares = np.stack([one.active for one in units])
    edges = np.concatenate([steps, steps[-1:]])
    shades = {"cmap": "Blues", "vmin": 0.0, "vmax": 1.0, "rasterized": True}
    axes.pcolormesh(edges, np.arange(len(units) + 1) - 0.5, shares, **shades)
    starts = [i for i, one in enumerate(units) if one.unit == 1]
    for start in starts[1:]:
        axes.axhline(start - 0.5, color=BLACK, linewidth=0.6)
    axes.set_ylim(len(units) - 0.5, -0.5)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value + 1:,.0f}"))
    axes.set_ylabel("unit")
    caption(axes, "dark: active on many rows; white: on none")
    return step_axis(axes, trajectory)
