"""Write the measured tables of docs/results.md and README.md from results on disk.

    python -m docs.results --results results

Nothing in those tables is typed in: run the sweep that the tables name, then this. Tables whose
results are not there stay as they are, and are named.
`python -m docs.gallery` draws the pictures, `python -m docs` writes the pages without numbers.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from docs import fates, faults, predictions, speed, threads
from docs.tables import markdown, percent
from jaxlab import commandline, files, manifests, outcomes, provenance, sealed, store
from jaxlab.compare import Comparison, compare_all
from jaxlab.contrast import mcnemar
from jaxlab.result import Result
from jaxlab.tally import clopper_pearson
from jaxlab.theory.crossing import crosses
from sweeps import absolute_value, arithmetic, doubling, folk_to_survival, negation, squares
from tests import test_keras_trajectories as keras

ROOT = Path(__file__).parent.parent
HEADLINE = ("k=1", "k=2", "k=3", "k=4", "k=6", "k=8", "k=2 he", "k=2 lecun", "k=2 pytorch")
README_ROWS = ("k=2", "k=3", "k=4", "k=8")


def outcome_table(result: Result) -> str:
    """Return every setting's failure rate, its interval and its outcome classes."""
    tallies = result.tally()
    shown = [c for c in outcomes.OUTCOMES if any(t.counts[c] for t in tallies.values())]
    rows = []
    for name, tally in tallies.items():
        interval = clopper_pearson(tally.failed, tally.n)
        bounds = f"[{percent(interval.low)}, {percent(interval.high)}]"
        counts = [str(tally.counts[c]) for c in shown]
        rows.append([name, str(tally.n), percent(tally.failed / tally.n), bounds, *counts])
    return markdown(["setting", "n", "fails %", "95 % interval", *shown], rows)


def comparison_table(compared: list[Comparison]) -> str:
    """Return every count for which there is a prediction, and the verdict."""
    rows = [
        [
            f"{c.setting}: {c.event}",
            c.prediction,
            c.kind,
            f"{c.count} / {c.n}",
            f"{percent(c.observed)} [{percent(c.ci_low)}, {percent(c.ci_high)}]",
            percent(c.predicted),
            f"{100 * (c.observed - c.predicted):+.2f}",
            "-" if c.p_holm is None else f"{c.p_holm:.1e}",
            str(c.verdict),
        ]
        for c in compared
        if c.predicted is not None
    ]
    head = ["event", "prediction", "kind", "count", "measured %", "predicted %", "difference"]
    return markdown([*head, "Holm p", "verdict"], rows)


def fate_table(result: Result) -> str:
    """Return, for the Keras default, how often the fate read off the initial weights came true."""
    rows = []
    for name in (n for n in result.members if re.fullmatch(r"k=\d+", n)):
        counts = absolute_value.confusion(result, name)
        for fate in ("solved", "failed"):
            hits, total = absolute_value.hits_of_fate(counts, solved=fate == "solved")
            interval = clopper_pearson(hits, total)
            bounds = f"[{percent(interval.low)}, {percent(interval.high)}]"
            share = percent(hits / total) if total else "-"
            rows.append([f"{name}, expected {fate}", str(total), str(hits), share, bounds])
    return markdown(["fate", "members", "came true", "%", "95 % interval"], rows)


def departure_table(result: Result) -> str:
    """Return, member by member, in what the fate and the outcome differ, and why.

    Theory's exception is the unit that changes sides (`jaxlab.theory.crossing`); the difference in
    points is tested by McNemar's exact test, since both are about the same members.
    """
    rows = []
    for name in (n for n in HEADLINE if n in result.members and n != "k=1"):
        w, a = absolute_value.initial_weights(result, name)
        expected = absolute_value.theory.fate(w, a) == "solved"
        solved = result.members[name].names == "solved"
        saved, lost = solved & ~expected, expected & ~solved
        crossed = saved & crosses(w, a)
        slopes = [(a * np.maximum(side * w, 0)).sum(axis=0) for side in (1, -1)]
        steep = saved & (np.maximum(*slopes) > 1)
        counts = [int(mask.sum()) for mask in (saved, crossed, steep, lost)]
        points = 100 * (counts[-1] - counts[0]) / len(solved)
        p_value = mcnemar(counts[0], counts[-1])
        cells = [str(len(solved)), *map(str, counts), f"{points:+.2f}", f"{p_value:.1e}"]
        rows.append([name, *cells])
    head = [
        "units",
        "members",
        "expected failed, solved",
        "of these crossing",
        "of these starting too steep",
    ]
    return markdown([*head, "expected solved, failed", "difference in failure rate", "p"], rows)


def trajectory_table() -> str:
    """Return how closely the recorded Keras runs are repeated."""
    rows = []
    for file in keras.FILES:
        record = json.loads(file.read_text())
        loss, weights = keras.deviations(record, *keras.repeat(record, keras.optimiser(record)))
        rows.append([file.stem, str(record["steps"]), f"{loss:.1e}", f"{max(weights):.1e}"])
    return markdown(["run", "steps", "loss", "weights"], rows)


def headline_table(result: Result, compared: list[Comparison]) -> str:
    """Return the table of the README: at initialisation and after training, side by side."""
    rows = []
    for name in (n for n in README_ROWS if n in result.members):
        of_setting = {(c.event, c.prediction): c for c in compared if c.setting == name}
        started = of_setting["one_sided_at_init", "initial signs"]
        trained = of_setting["training_fails", "survival formula"]
        bounds = f"[{percent(trained.ci_low)}, {percent(trained.ci_high)}]"
        cells = [percent(started.observed), percent(started.predicted)]
        cells += [f"{percent(trained.observed)} {bounds}", percent(trained.predicted)]
        rows.append([name, *cells, str(trained.verdict)])
    head = ["units", "one-sided at start %", "2^(1-k) %", "fails after training %", "theory %"]
    return markdown([*head, "verdict"], rows)


def made_with(result: Result, manifest: dict, looks: list[dict]) -> str:
    """Return one sentence on command, versions and device."""
    prints = next(iter(manifest["fingerprints"].values()))
    versions = ", ".join(f"{name} {prints[name]}" for name in provenance.PACKAGES)
    device = f"{prints['backend']} ({prints['machine']}), looks at the results: {len(looks)}"
    return (
        f"`{manifest['runs'][-1]['command']}`, then `python -m docs.results`; {versions}; {device}."
    )


def replace_between(text: str, name: str, content: str) -> str:
    """Return text with what stands between the two comments of that name replaced."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"the text must hold {start} and {end} once each")
    before, after = text.split(start)[0], text.split(end)[1]
    return f"{before}{start}\n{content}\n{end}{after}"


def read_claims(results: Path) -> threads.Rows:
    """Return the claims of a results folder."""
    return threads.read_claims(results / "claims.csv")


def thread_parts(results: Path, of_absolute_value: Result) -> dict[str, str]:
    """Return the tables of the threads by the names of their places in docs/results.md."""
    modules = {"negation": negation, "doubling": doubling}
    modules |= {"arithmetic": arithmetic, "squares": squares}
    found = {name: store.read_sweep(results / name) for name in modules}
    compared = {n: compare_all(modules[n].comparisons(found[n])) for n in modules}
    everyone = [*found.values(), of_absolute_value]
    return {
        "claims": threads.claims_table(read_claims(results)),
        "thread_outcomes": threads.outcome_table(list(found.values())),
        "thread_comparisons": "\n\n".join(
            f"### {name}\n\n{comparison_table(rows)}" for name, rows in compared.items()
        ),
        "tolerances": threads.tolerance_table(everyone),
        "lengths": threads.length_table(everyone),
    }


def theory_parts(found: Mapping[str, Result], compared: predictions.Compared) -> dict[str, str]:
    """Return the tables of theory and the literature by the names of their places."""
    defaults = found["default_initialisers"]
    births, deaths = compared["initialisation"], compared["dying_relu"]
    parts = {
        "rules": fates.rule_table(defaults),
        "other_fates": fates.other_tasks_table(found["negation"], found["doubling"]),
        "births": predictions.prediction_table(births),
        "births_withheld": predictions.withheld_table(births),
        "deviations": predictions.deviation_table(),
        "defaults": predictions.defaults_table(defaults),
        "deaths": predictions.deaths_table(found["dying_relu"]),
        "deaths_predicted": predictions.prediction_table(deaths),
        "trainability": outcome_table(found["trainability"]),
        "trainability_predicted": predictions.prediction_table(compared["trainability"]),
        "published": predictions.published_table(found),
    }
    for k in folk_to_survival.UNITS:
        parts[f"scales_{k}"] = predictions.scales_table(found["folk_to_survival"], k)
    return parts


@dataclass(frozen=True)
class Tables:
    """Texts by the names of their places in docs/results.md and in README.md."""

    results: Mapping[str, str]
    readme: Mapping[str, str] = field(default_factory=dict)


def absolute_value_tables(results: Path) -> Tables:
    """Return the tables of the main sweep, and the README's headline."""
    folder = results / "absolute_value"
    result = store.read_sweep(folder)
    manifest = manifests.read_sweep(folder / "manifest.json")
    compared = compare_all(absolute_value.comparisons(result))
    looks = sealed.read_json(folder / "looks.json")["looks"]
    made = made_with(result, manifest, looks)
    parts = {"outcomes": outcome_table(result), "comparisons": comparison_table(compared)}
    parts |= {"fates": fate_table(result), "departures": departure_table(result), "made": made}
    parts["matrix"] = f"```\n{absolute_value.fates(result)}\n```"
    answer = absolute_value.answer(result, compared).replace("\n", " ")
    head = f"{headline_table(result, compared)}\n\n{answer}"
    return Tables(parts, {"headline": f"{head}\n\nMade with {made}"})


def keras_tables(results: Path) -> Tables:
    """Return how closely recorded Keras runs are repeated, which needs no results."""
    return Tables({"trajectories": trajectory_table()})


def speed_tables(results: Path) -> Tables:
    """Return the timings."""
    found = speed.read(results / "benchmarks" / "benchmarks.json")
    made = speed.made(found)
    ratios = f"{speed.ratio_table(found)}\n\n{speed.sentence(found)} Made with {made}"
    measured = f"{speed.measurement_table(found)}\n\nMade with {made}"
    return Tables({"measurements": measured}, {"speed": ratios})


def orders_tables(results: Path) -> Tables:
    """Return the comparison of ways to shuffle."""
    orders = speed.read(results / "benchmarks" / "orders.json")
    return Tables({"orders": f"{speed.orders_table(orders)}\n\nMade with {speed.made(orders)}"})


def fault_tables(results: Path) -> Tables:
    """Return what was broken on purpose, and what became of it."""
    broken = speed.read(results / "benchmarks" / "faults.json")
    made = f"{faults.kills(broken)} Made with {speed.made(broken)}"
    parts = {"faults": f"{faults.fault_table(broken)}\n\n{made}"}
    return Tables(parts | {"memory": faults.memory_table(broken)})


def thread_tables(results: Path) -> Tables:
    """Return the claims, and the tables of the sweeps that decide them."""
    parts = thread_parts(results, store.read_sweep(results / "absolute_value"))
    return Tables(parts, {"threads": threads.readme_table(read_claims(results))})


def theory_tables(results: Path) -> Tables:
    """Return what theory says beside what was counted; its tables read the largest deviations."""
    trained, held = predictions.counted(results)
    predictions.write_measured(held)
    by_default = predictions.readme_defaults(trained["default_initialisers"])
    return Tables(theory_parts(trained, held), {"defaults": by_default})


def boundary_tables(results: Path) -> Tables:
    """Return the dimension of the edge of trainability."""
    return Tables({"boundary": predictions.boundary_sentence(results)})


SECTIONS: Sequence[Callable[[Path], Tables]] = (
    absolute_value_tables,
    keras_tables,
    speed_tables,
    orders_tables,
    fault_tables,
    thread_tables,
    theory_tables,
    boundary_tables,
)


def write(results: Path) -> list[str]:
    """Write docs/results.md and the README's tables from the results in a folder.

    Tables whose results are not there stay as they are; return why, a line for each section.
    Without the folder itself nothing is written: ValueError.
    """
    if not results.is_dir():
        raise ValueError(f"{results} is no folder; results are made by python -m sweeps")
    pages = {"results": ROOT / "docs" / "results.md", "readme": ROOT / "README.md"}
    texts, left = {name: path.read_text() for name, path in pages.items()}, []
    for section in SECTIONS:
        try:
            tables = section(results)
        except (ValueError, FileNotFoundError) as error:
            left.append(f"{section.__name__.replace('_', ' ')} stay as they are: {error}")
            continue
        for page, parts in (("results", tables.results), ("readme", tables.readme)):
            for name, content in parts.items():
                texts[page] = replace_between(texts[page], name, content)
    for name, path in pages.items():
        files.write_atomically(path, texts[name].encode())
    return left


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m docs.results", __doc__)
    results, text = Path("results"), "default: results"
    made.add_argument("--results", type=commandline.path, default=results, help=text)
    return made


def main() -> None:
    """Write the tables, and say which were not."""
    for line in write(parser().parse_args().results):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    commandline.run_cleanly(main)
