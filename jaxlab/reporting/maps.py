"""What a report says of a map, which counts in cells, and of a census, which trains nothing."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from jaxlab import census, commandline, grid_runs, outcomes, plotting, sealed, store
from jaxlab.grid import Axis, GridResult
from jaxlab.html import Markup, element, joined, table
from jaxlab.reporting import counted, facts, written
from jaxlab.reporting.facts import Report, paragraphs
from jaxlab.tally import clopper_pearson


def of_grid(folder: Path, content: dict[str, Any]) -> Report:
    """Return the report of a map; ResultsError where the folder holds none."""
    result = grid_runs.read_grid(folder)
    name, base = result.grid.name, result.grid.base
    module, drawing = commandline.beside("sweeps", name), commandline.beside("figures", name)
    question, about = facts.said(module)
    if not question:
        axes = f"{result.grid.rows.label} and {result.grid.columns.label}"
        question = f"What becomes of networks that learn {base.task.name}, over {axes}?"
    varied = joined(*(_axis(axis) for axis in (result.grid.rows, result.grid.columns)))
    return Report(
        name,
        question,
        about,
        [
            ("The answer", partial(paragraphs, in_sentences(result))),
            ("Figures", partial(figures, result, drawing)),
            ("What became of the networks", partial(_counts, result)),
            ("What was run", partial(facts.specification, [base], content["grid"], varied)),
            ("Who made it", partial(facts.made_by, content)),
            ("To reproduce it", partial(facts.reproduce, folder, content, drawing)),
        ],
    )


def in_sentences(result: GridResult) -> list[str]:
    """Return what is commonest where, and how many networks that rests on."""
    rows, columns = result.grid.shape
    cells, members = result.n.size, int(result.n.sum())
    per_cell = sorted({int(n) for n in result.n.ravel()})
    counts = " to ".join(f"{n:,}" for n in dict.fromkeys((per_cell[0], per_cell[-1])))
    each = f"{counts} network{'' if per_cell == [1] else 's'} each"
    names = _commonest(result)
    shares = [(o, int(np.sum(names == o))) for o in outcomes.OUTCOMES]
    found = sorted(((o, n) for o, n in shares if n), key=lambda pair: -pair[1])
    listed = ", ".join(f"{o.replace('_', ' ')} in {100 * n / cells:.1f} %" for o, n in found)
    size = f"{rows} by {columns} cells with {each}"
    return [f"The commonest outcome is {listed} of the cells ({size}; {members:,} in all)."]


def _commonest(result: GridResult) -> np.ndarray:
    names = np.array(outcomes.OUTCOMES)[result.counts.argmax(axis=-1)]
    return np.where(result.n > 0, names, "")


def _counts(result: GridResult) -> Markup:
    counts, names = result.counts.sum(axis=(0, 1)), _commonest(result)
    total = max(1, int(counts.sum()))
    rows = [
        [o.replace("_", " "), f"{n:,}", f"{100 * n / total:.2f}", f"{np.sum(names == o):,}"]
        for o, n in zip(outcomes.OUTCOMES, counts.tolist(), strict=True)
        if n
    ]
    heads = ["outcome", "networks", "% of all", "cells in which it is the commonest"]
    made = table("What became of the networks of all cells together", heads, "lrrr", rows)
    letters = element("pre", str(result), tabindex=0)
    return joined(made, facts.folded("The map in letters", letters), counted.meanings())


def _axis(axis: Axis) -> Markup:
    ends = f"{len(axis.values)} values from {axis.values[0]:g} to {axis.values[-1]:g}"
    return paragraphs([f"Varied: {axis.label} ({', '.join(axis.paths)}), {ends}."])


def figures(result: GridResult, drawing: Any) -> Markup:
    """Return the map's published figure, or the commonest outcome of every cell."""
    made = counted.published(drawing, result) if drawing is not None else Markup()
    if made:
        return made
    grid = result.grid
    text = f"The commonest outcome of every cell: {grid.columns.label} from left to right, "
    text += f"{grid.rows.label} upwards."
    picture = counted.drawn(draw(result), "The commonest outcome of every cell", text)
    return counted.with_caption(picture, text)


def draw(result: GridResult) -> Figure:
    """Return a figure of the commonest outcome of every cell; cells are drawn equally large."""
    grid, names = result.grid, _commonest(result)
    colours = {**{o: to_rgb(c) for o, c in plotting.COLOURS.items()}, "": (1.0, 1.0, 1.0)}
    with style.context(dict(plotting.STYLE), after_reset=True):
        figure = Figure(figsize=(plotting.DOUBLE, 3.4), layout="constrained")
        axes = figure.add_subplot()
        edges = [np.arange(n + 1) - 0.5 for n in reversed(grid.shape)]
        cells = np.array([[colours[name] for name in row] for row in names.tolist()])
        plotting.draw_cells(axes, edges[0], edges[1], cells)
        for axis, (low, high), along in (
            (axes.xaxis, edges[0][[0, -1]], grid.columns),
            (axes.yaxis, edges[1][[0, -1]], grid.rows),
        ):
            places = np.unique(np.linspace(0, len(along.values) - 1, 5).round().astype(int))
            axis.set_ticks(places, [f"{along.values[i]:.3g}" for i in places])
            axis.set_label_text(along.label, parse_math=False)
            axis.set_view_interval(low, high, ignore=True)
        found = [o for o in outcomes.OUTCOMES if np.any(names == o)]
        patches = [Patch(color=plotting.COLOURS[o], label=o.replace("_", " ")) for o in found]
        figure.legend(handles=patches, loc="outside lower center", ncols=5)
    return figure


def of_census(folder: Path, content: dict[str, Any]) -> Report:
    """Return the report of a census; ResultsError where the folder holds none."""
    rows = census.read_counts(folder / census.FILE)
    found = {(setting, event): (n, count) for setting, _, event, n, count in rows}
    counts, name, digests = table_of_counts(found), content["census"], content["digests"]
    predicted, left_out = written.predictions(folder, found)
    question, about = facts.said(commandline.beside("sweeps", name))
    drawing = commandline.beside("figures", name)
    listed = [(setting, element("code", digest)) for setting, digest in digests.items()]
    made = table("Digests of the settings' specifications", ["setting", "digest"], "ll", listed)
    warning = element("p", left_out, class_="warning") if left_out else Markup()
    text = written.in_short(predicted) if predicted else "Nothing is predicted of these counts."
    return Report(
        name,
        question or f"What is true of the networks of {name} before any training?",
        about,
        [
            ("The answer", partial(paragraphs, [left_out or text])),
            ("What was counted", partial(joined, counts)),
            ("Against theory", partial(joined, warning, written.prediction_tables(predicted))),
            ("What was run", partial(joined, facts.folded("Digests", made))),
            ("Who made it", partial(facts.made_by, content)),
            ("To reproduce it", partial(facts.reproduce, folder, content, drawing)),
        ],
    )


def table_of_counts(found: dict[tuple[str, str], tuple[int, int]]) -> Markup:
    """Return how often every event was found among the networks of each setting."""
    rows = []
    for (setting, event), (n, count) in found.items():
        rate = f"{100 * count / n:.3f}" if n else ""
        limits = clopper_pearson(count, n)
        bounds = f"[{100 * limits.low:.3f}, {100 * limits.high:.3f}]"
        numbers = [f"{n:,}", f"{count:,}", rate, bounds]
        rows.append([setting, event.replace("_", " "), *numbers])
    heads = ["setting", "event", "n", "count", "%", "95 % interval"]
    return table("Networks as they are drawn, before any training", heads, "llrrrr", rows)


KINDS = {"grid": (grid_runs.read_manifest, of_grid), "census": (census.read_manifest, of_census)}


def of_folder(folder: Path) -> Report:
    """Return the report of whatever a folder holds; ResultsError where that is nothing."""
    manifest = folder / store.MANIFEST
    if not manifest.exists():
        right = "give the folder of a sweep, a map or a census, such as results/absolute_value"
        raise sealed.ResultsError(f"{folder} holds no results (no {store.MANIFEST}); {right}")
    content = sealed.read_json(manifest)
    for kind, (read, of_kind) in KINDS.items():
        if kind in content:
            return of_kind(folder, read(manifest))
    return counted.of_sweep(folder)
