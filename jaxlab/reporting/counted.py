"""What a report says of a sweep: the answer, figures, counts, time to success."""

import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from jaxlab import (
    answer,
    commandline,
    html,
    manifests,
    notebook,
    outcomes,
    plotting,
    question,
    store,
)
from jaxlab.html import Markup, element, joined
from jaxlab.reporting import facts, written
from jaxlab.reporting.errors import Errors
from jaxlab.reporting.errors import section as other_tolerances
from jaxlab.reporting.facts import NOTHING, Report, paragraphs
from jaxlab.result import Result
from jaxlab.spec import Sweep
from jaxlab.survival import Curve, Share, curve, median_step, prospects
from jaxlab.tally import Tally
from jaxlab.tolerances import deciding_errors

MOST_CURVES = len(plotting.SERIES)


class Counted(NamedTuple):
    """What is read off all members, piece by piece: counts, curves and errors by setting."""

    tallies: Mapping[str, Tally]
    curves: Mapping[str, Curve]
    errors: Mapping[str, Errors]


def of_sweep(folder: Path) -> Report:
    """Return the report of a sweep's folder; ResultsError where it holds no members."""
    result, content = store.read_sweep(folder), manifests.read_sweep(folder / store.MANIFEST)
    name, found = result.sweep.name, counted(result)
    failed = {(n, written.TRAINED): (t.n, t.failed) for n, t in found.tallies.items()}
    predicted, left_out = written.predictions(folder, failed)
    title, about = asked(folder, result.sweep)
    drawing = commandline.beside("figures", name) if scripted(result.sweep) else None
    theory = written.of_failing(predicted) or None
    tables = [_stale(folder, found.tallies), notebook.table(found.tallies, theory), meanings()]
    whole = content["sweep"]
    return Report(
        name,
        title,
        about,
        [
            ("The answer", partial(_answer, result)),
            ("Figures", partial(figures, result, found.tallies, drawing)),
            ("What became of the networks", partial(joined, *tables)),
            ("Other tolerances", partial(other_tolerances, found.errors)),
            ("Time to success", partial(times, found.curves)),
            ("What would help", partial(written.advice, folder)),
            ("What was said", partial(written.claims, folder, name)),
            ("Against theory", partial(_theory, predicted, left_out)),
            ("What was run", partial(facts.specification, result.sweep.settings, whole)),
            ("Who made it", partial(facts.made_by, content)),
            ("To reproduce it", partial(facts.reproduce, folder, content, drawing)),
            ("Looks at the results", partial(facts.looks, folder)),
        ],
    )


def counted(result: Result) -> Counted:
    """Return counts, curves of unsolved members and errors, read once and piece by piece."""
    tallies: dict[str, Tally] = {}
    columns: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for part in result.parts():
        for name, members in part.members.items():
            tally = members.tally
            tallies[name] = tallies[name] + tally if name in tallies else tally
            kept = members.first_solved, members.certified, deciding_errors(members)
            columns.setdefault(name, []).append(kept)
    curves, errors = {}, {}
    for name, parts in columns.items():
        setting = result.sweep[name]
        first, certified, deciding = (np.concatenate(part) for part in zip(*parts, strict=True))
        curves[name] = curve(first, setting.training.checks(setting.task.rows), certified)
        errors[name] = Errors(setting.task.tolerance, deciding)
    return Counted(tallies, curves, errors)


def scripted(sweep: Sweep) -> bool:
    """Say whether a sweep is the one that the script of its name builds."""
    module = commandline.beside("sweeps", sweep.name)
    return module is not None and module.build() == sweep


def asked(folder: Path, sweep: Sweep) -> tuple[str, list[str]]:
    """Return the question and what is said of it: by the script, by who asked, or by the tasks.

    The task of who asked becomes known.
    """
    if scripted(sweep):
        return facts.said(commandline.beside("sweeps", sweep.name))
    told = question.read(folder)
    names = dict.fromkeys(s.task.name.replace("_", " ") for s in sweep.settings)
    if told is not None:
        told.task()
    what = ", ".join(names) if told is None else str(told)
    nets = [s.network.module or "-".join(map(str, s.network.widths)) for s in sweep.settings]
    shapes = list(dict.fromkeys(nets))
    shown = ", ".join(shapes[:4]) + (" and others" if len(shapes) > 4 else "")
    unbroken = shown.replace("-", "\u2011")  # by the end of a line
    return f"How often do networks {unbroken} learn {what}?", []


def _answer(result: Result) -> Markup:
    return paragraphs(answer.sentences(result))


def _stale(folder: Path, tallies: Mapping[str, Tally]) -> Markup:
    """Return a warning where summary.csv was written when other members were there."""
    rows = written.rows_of(folder / "summary.csv", ("setting", "n", "failed"))
    there = {row["setting"]: (row["n"], row["failed"]) for row in rows}
    here = {name: (tally.n, tally.failed) for name, tally in tallies.items()}
    if not rows or there == here:
        return NOTHING
    text = "summary.csv is about other counts than these, which are read from chunks/; "
    return element("p", text, "python -m jaxlab merge writes it again.", class_="warning")


def _theory(rows: Sequence[written.Row], left_out: str) -> Markup:
    if left_out:
        return element("p", left_out, class_="warning")
    return written.prediction_tables(rows)


def meanings() -> Markup:
    """Return what the names of the outcomes mean."""
    rows = [(name.replace("_", " "), outcomes.SENTENCES[name]) for name in outcomes.ORDER]
    rows.append(("improving", outcomes.IMPROVING))
    caption = "What can become of a network: the first of these that applies"
    return html.table(caption, ["outcome", "meaning"], "lt", rows)


def figures(result: Result, tallies: Mapping[str, Tally], drawing: ModuleType | None) -> Markup:
    """Return the sweep's published figures, and what became of every setting's networks."""
    made = [published(drawing, result)] if drawing is not None else []
    if not any(made) or len(tallies) <= notebook.MOST_BARS:
        text = "What became of the networks of each setting. The dot is the failure rate; its "
        text += "exact 95 % interval may be too narrow to be seen. The numbers are in the table."
        title, said = notebook.described(tallies)
        made.append(with_caption(drawn(notebook.draw(tallies), title, said), text))
    return joined(*made)


def published(module: ModuleType, result: Any) -> Markup:
    """Return the figures of a script; nothing where it lacks settings that it draws.

    Those whose numbers are all among the first one's are its parts, and left out.
    """
    with style.context(dict(plotting.STYLE), after_reset=True):
        try:
            made = module.draw(result)
        except ValueError:
            return NOTHING
        whole = next(iter(made.values()))[1]
        parts = []
        for i, (name, (figure, numbers)) in enumerate(made.items()):
            if i and all(whole.get(key) == value for key, value in numbers.items()):
                continue
            message, more = facts.said(_describing(module, name))
            picture = drawn(figure, message, " ".join(more))
            parts.append(with_caption(picture, " ".join([message, *more])))
    return joined(*parts)


def _describing(module: ModuleType, file: str) -> ModuleType:
    """Return the module whose docstring is about a figure of a script's."""
    package, _, name = module.__name__.rpartition(".")
    return importlib.import_module(f"{package}.__main__").describing(name, file)


def drawn(figure: Figure, title: str, description: str) -> Markup:
    """Return a figure that scrolls where a screen is too narrow for its words."""
    return html.scrolling(f"Figure: {title}", html.picture(figure, title, description))


def with_caption(picture: Markup, text: str) -> Markup:
    """Return a picture with what it shows below it."""
    return element("figure", picture, element("figcaption", text))


def times(curves: Mapping[str, Curve]) -> Markup:
    """Return how long success takes; nothing where all are solved at the first check or never."""
    levels = {name: len(np.unique(its.unsolved[1:])) for name, its in curves.items()}
    if max(levels.values()) < 3:
        return NOTHING
    telling = [name for name, count in levels.items() if count > 1]
    shown = telling[:MOST_CURVES]
    caption = "How many are not yet solved after each step at which it was checked; the band is "
    caption += "the pointwise 95 % interval."
    others = len(telling) - len(shown)
    caption += f" {others} more settings are in the table." if others else ""
    picture = drawn(draw_times({n: curves[n] for n in shown}), "Time to success", caption)
    rows = [[name, *_prospects(its)] for name, its in curves.items()]
    heads = ["setting", "half are solved by step", "ever solved %", "never will be %", "open %"]
    text = "Solved at some check; never: certified dead; open: neither"
    table = html.table(text, heads, "lrrrr", rows)
    return joined(with_caption(picture, caption), table)


def _prospects(found: Curve) -> list[str]:
    half, parts = median_step(found), prospects(found)
    by = f"{half[0]:,} to {half[1]:,}" if half else "–"
    return [by, *(_share(part) for part in (parts.solved, parts.never, parts.undecided))]


def _share(part: Share) -> str:
    return f"{100 * part.rate:.2f} {notebook.bounds(part.count, part.n)}"


def draw_times(curves: Mapping[str, Curve]) -> Figure:
    """Return a figure of the share that is not yet solved after each check."""
    with style.context(dict(plotting.STYLE), after_reset=True):
        figure = Figure(figsize=(plotting.DOUBLE, 2.7), layout="constrained")
        axes = figure.add_subplot()
        for (name, its), (colour, dash) in zip(curves.items(), plotting.SERIES, strict=False):
            # Some sweeps are checked at every step; where nothing changes nothing is drawn.
            changes = np.flatnonzero(np.diff(its.unsolved)) + 1
            at = np.unique(np.concatenate([[1], changes, [len(its.steps) - 1]]))
            kept = (part[at] for part in (its.steps, its.unsolved, its.low, its.high))
            label = name.replace("$", r"\$")
            plotting.draw_curve(axes, *kept, colour=colour, label=label, dash=dash)
        plotting.share_axis(axes)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
        axes.set(xlabel="steps", ylabel="not yet solved")
        figure.legend(loc="outside right upper")
    return figure
