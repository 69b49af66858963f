"""Tables of predictions held against counts, and the deviations that the registry quotes."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from docs.tables import bounds, markdown, percent, share
from figures import boundary
from figures import default_initialisers as defaults
from figures._published import event
from jaxlab import census, commandline, files, sealed, store
from jaxlab.compare import Comparison, compare_all
from jaxlab.grid_runs import read_grid
from jaxlab.result import Result
from jaxlab.theory import registry
from sweeps import (
    _run,
    default_initialisers,
    dying_relu,
    folk_to_survival,
    initialisation,
)
from sweeps._published import PUBLISHED
from sweeps.absolute_value import THREAD

TRAINED = ("absolute_value", "negation", "doubling", "arithmetic", "trainability", "dying_relu")
TRAINED += ("default_initialisers", "folk_to_survival")
README_UNITS = (2, 4, 8)
Compared = Mapping[str, Sequence[Comparison]]


def counted(results: Path) -> tuple[dict[str, Result], Compared]:
    """Return every sweep's result, and its comparisons and the census's by their names."""
    import sweeps

    found = {name: store.read_sweep(results / name) for name in TRAINED}
    compared = {
        name: compare_all(commandline.script(sweeps, name).comparisons(result))
        for name, result in found.items()
    }
    cases = initialisation.build()
    counts = census.read_census(cases, results / cases.name)
    compared[cases.name] = compare_all(_run.comparisons(cases, counts))
    return found, compared


def off(row: Comparison) -> float:
    """Return how far a rate is from what is predicted; beyond it, for a bound."""
    distance = row.observed - (row.predicted or 0.0)
    return {"lower bound": -distance, "upper bound": distance}.get(row.kind, abs(distance))


def write_measured(compared: Compared) -> None:
    """Write the largest deviation from each formula where the registry reads it."""
    worst: dict[tuple[str, str, str], tuple[str, Comparison]] = {}
    for sweep, rows in compared.items():
        for row in rows:
            if row.predicted is None or row.prediction == THREAD:
                continue  # what a thread says is no formula of theory
            key = registry.speaker(row.prediction, row.event, row.kind), row.event, row.kind
            before = worst.get(key)
            if before is None or off(row) > off(before[1]):
                worst[key] = sweep, row
    lines = [
        {
            "formula": formula,
            "event": event,
            "kind": kind,
            "n": row.n,
            "predicted": f"{row.predicted:.6f}",
            "observed": f"{row.observed:.6f}",
            "off": f"{off(row):.6f}",
            "sweep": sweep,
            "setting": row.setting,
        }
        for (formula, event, kind), (sweep, row) in sorted(worst.items())
    ]
    files.write_csv(registry.MEASURED, lines, registry.COLUMNS)
    registry.entries.cache_clear()


def prediction_table(rows: Sequence[Comparison]) -> str:
    """Return prediction, kind, event, both rates, interval, n and verdict, a row for each."""
    cells = [
        [
            f"{row.setting}: {row.event.replace('_', ' ')}",
            row.prediction,
            row.kind,
            percent(row.predicted, 3),
            percent(row.observed, 3),
            f"[{percent(row.ci_low, 3)}, {percent(row.ci_high, 3)}]",
            f"{row.n:,}",
            str(row.verdict),
        ]
        for row in rows
        if row.predicted is not None
    ]
    head = ["event", "prediction", "kind", "predicted %", "measured %", "95 % interval", "n"]
    return markdown([*head, "verdict"], cells)


def withheld_table(rows: Sequence[Comparison]) -> str:
    """Return the events of which theory says nothing, with what was counted and the reason."""
    cells = [
        [
            f"{row.setting}: {row.event.replace('_', ' ')}",
            percent(row.observed, 3),
            f"{row.n:,}",
            row.source.removeprefix("none: "),
        ]
        for row in rows
        if row.predicted is None
    ]
    return markdown(["event", "measured %", "n", "why there is no prediction"], cells)


def deviation_table() -> str:
    """Return, for every formula that was held against counts, how far they were from it."""
    rows = [
        [
            entry.name,
            one.kind,
            one.event.replace("_", " "),
            _deviation(one.off),
            f"{one.n:,}",
            one.where,
        ]
        for entry in registry.entries()
        for one in entry.measured
    ]
    head = ["formula", "kind", "event", "largest deviation, points", "n", "where"]
    return markdown(head, rows)


def _deviation(value: float) -> str:
    return f"{100 * value:.2f}" if value >= 0 else f"kept, {-100 * value:.2f} left"


def defaults_table(result: Result) -> str:
    """Return failures on |x| by initialiser and number of units, measured and predicted."""
    found = [defaults.failures(result, law) for law in default_initialisers.LAWS]
    rows = [
        [str(k), percent(2.0 ** (1 - k))]
        + [f"{share(row['count'], row['n'])}; {percent(row['predicted'])}" for row in of_k]
        for k, of_k in zip(default_initialisers.UNITS, zip(*found, strict=True), strict=True)
    ]
    return markdown(["units", "2^(1-k)", *default_initialisers.LAWS], rows)


def readme_defaults(result: Result) -> str:
    """Return, for each initialiser, how often few units fail and how many it takes for 99 %."""
    found = {law: defaults.failures(result, law) for law in default_initialisers.LAWS}
    rows = [
        [f"{row['k']} units fail, %", *(percent(of_law[i]["rate"], 1) for of_law in found.values())]
        for i, row in enumerate(found["Keras"])
        if row["k"] in README_UNITS
    ]
    enough = [_enough(defaults.units_needed(of_law)) for of_law in found.values()]
    return markdown(["", *found], [*rows, ["units for 99 %", *enough]])


def _enough(needed: Mapping[str, int | None]) -> str:
    """Return how many units it takes, and between which numbers that surely lies."""
    most = max(default_initialisers.UNITS)
    if needed["measured"] is None:
        return f"> {most}"
    return f"{needed['measured']} [{needed['low']}, {needed['high'] or f'> {most}'}]"


def scales_table(result: Result, k: int) -> str:
    """Return failures of k units by the scale of weights and the optimiser."""
    names = list(folk_to_survival.optimisers())
    rows = []
    for ratio in folk_to_survival.RATIOS:
        cells = [f"{ratio:g}"]
        for name in names:
            tally = result.members[folk_to_survival.name_of(k, name, ratio)].tally
            cells.append(share(tally.failed, tally.n, 1))
        rows.append(cells)
    return markdown(["weight scale / rate", *names], rows)


def published_table(found: Mapping[str, Result]) -> str:
    """Return published frequencies beside ours, each with its interval; '-' where none is ours."""
    rows = []
    for entry in PUBLISHED:
        theirs, ours, n = f"{entry.relation} {percent(entry.rate, 1)}".removeprefix("= "), "-", "-"
        if entry.count is not None and entry.n is not None:
            theirs += f" {bounds(entry.count, entry.n, 1)}"
        members = found[entry.sweep].members.get(entry.setting)
        if members is not None:
            row = event(entry.event, members)
            ours, n = share(row["count"], row["n"]), f"{row['n']:,}"
        what = f"{entry.setting}: {entry.event.replace('_', ' ')}"
        of = "-" if entry.n is None else f"{entry.n:,}"
        rows.append([what, theirs, of, ours, n, entry.source, entry.note])
    head = ["event", "published %", "of", "ours %", "of", "source", "note"]
    return markdown(head, rows)


def boundary_sentence(results: Path) -> str:
    """Return how large the map of the boundary is, its dimension, and the command that made it."""
    folder = results / "boundary"
    result = read_grid(folder)
    names = boundary.commonest(result)
    found = boundary.numbers(result, names, boundary.find(names))
    (low, high), sizes = found["interval"], found["fitted sizes"]
    manifest = sealed.read_json(folder / "manifest.json")
    command, boxes = manifest["runs"][-1]["command"], found["boxes"]
    window = "; ".join(f"{label} {a:g} to {b:g}" for label, (a, b) in found["window"].items())
    finest = math.log2(boxes[0] / boxes[1])
    return (
        f"In this window ({window}; {manifest['dtype']}): "
        f"{found['networks']:,} networks, {found['boundary cells']:,} blocks of four cells that "
        f"the edge passes: dimension {found['dimension']:.2f} [{low:.2f}, {high:.2f}], from boxes "
        f"of {sizes[0]} to {sizes[-1]} cells; from 1 to 2 cells the slope is {finest:.2f}. "
        f"Made with `{command}`."
    )


def deaths_table(result: Result) -> str:
    """Return who is born dead and who ends as a constant, for every deep narrow network."""
    rows = []
    for name, members in result.members.items():
        cells = [name]
        for mask in (members.born_dead, dying_relu.collapsed(members), members.names == "solved"):
            cells.append(share(int(mask.sum()), len(mask)))
        rows.append([*cells, f"{len(members.seeds):,}"])
    return markdown(["network", "born dead %", "collapsed %", "solved %", "n"], rows)
