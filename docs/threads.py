"""Tables of the five threads, made from claims.csv and the sweeps' results."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from docs.tables import markdown, percent
from jaxlab.result import Members, Result
from jaxlab.tally import clopper_pearson

TOLERANCES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
SHARES_OF_TIME = (0.25, 0.5, 1.0)
NEAR = 2.0  # errors within this factor of the tolerance are near it
GAP = 0.01  # with more members than this near the tolerance, the counts depend on it

Rows = Mapping[str, Mapping[str, str]]


def read_claims(path: Path) -> Rows:
    """Return the rows of claims.csv by their ids; ValueError if there is none."""
    if not path.exists():
        raise ValueError(f"no claims in {path}; make them: python -m sweeps claims")
    with path.open(newline="") as file:
        return {row["claim"]: row for row in csv.DictReader(file)}


def readme_table(claims: Rows) -> str:
    """Return, for each thread, what was answered, the verdict on it and what was counted."""

    def share(name: str, digits: int = 1) -> str:
        return f"{100 * float(claims[name]['observed']):.{digits}f} %"

    def verdict(name: str) -> str:
        return claims[name]["verdict"]

    rows = [
        [
            "turn -1 into 1 with one unit",
            "“it only needs time: 100 epochs, not 10”",
            verdict("N2"),
            f"{share('N1')} are done within one epoch; a plain ReLU needs luck, not time",
        ],
        [
            "2x from 1..999",
            "“the first step makes the output negative, and the ReLU kills it”",
            verdict("D2"),
            f"{share('D2')} negative after step one; after step two {share('D2 second')}",
        ],
        [
            "multiply two integers",
            "“normalise, best by the logarithm”",
            verdict("A5 log"),
            f"then {share('A5 log')} learn it; {share('A9')} of these networks are born dead",
        ],
        [
            "square a number",
            "“without activations it is one straight line; put ReLUs in”",
            f"{verdict('S4')}; {verdict('S9')}",
            f"with them {share('S9')} learn it; dividing by 1000, not 10⁶, {share('S7 wide')}",
        ],
        [
            "\\|x\\| with two ReLU units",
            "“half of the seeds fail; a third unit makes it a quarter”",
            verdict("V3"),
            f"{share('V2')} fail; with a third unit {_complement(claims, 'V3 third')}",
        ],
    ]
    head = ["the question", "the answer", "verdict", "counted"]
    lines = markdown(head, [[cell.replace("\\|", "|") for cell in row] for row in rows])
    return lines.replace("--:", ":--")


def _complement(claims: Rows, name: str) -> str:
    return f"{100 * (1 - float(claims[name]['observed'])):.1f} %"


def claims_table(claims: Rows) -> str:
    """Return every claim with its verdict, numbers and evidence."""
    rows = []
    for row in claims.values():
        numbers = {k: float(row[k]) for k in ("observed", "ci_low", "ci_high") if row[k]}
        sign = "+" if row["n"] and not row["count"] else ""
        shown = [f"{100 * value:{sign}.2f}" for value in numbers.values()]
        measured = f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(shown) == 3 else "-"
        predicted = percent(float(row["predicted"])) if row["predicted"] else "-"
        texts = [row["statement"], row["verdict"]]
        rows.append([row["claim"], *texts, row["n"] or "-", measured, predicted, row["evidence"]])
    head = ["claim", "statement", "verdict", "n", "measured %", "predicted %", "evidence"]
    return markdown(head, rows).replace("--:", ":--")


def outcome_table(results: Sequence[Result]) -> str:
    """Return the outcomes of every setting of some sweeps, in per cent of its members."""
    rows = []
    for result in results:
        for name, tally in result.tally().items():
            interval = clopper_pearson(tally.failed, tally.n)
            bounds = f"[{percent(interval.low)}, {percent(interval.high)}]"
            classes = {c: k for c, k in tally.counts.items() if k and c != "solved"}
            ordered = sorted(classes, key=lambda c: -classes[c])
            ended = ", ".join(f"{c} {percent(classes[c] / tally.n, 1)}" for c in ordered)
            kinds = _constants(result.members[name])
            texts = [str(tally.n), percent(tally.failed / tally.n), bounds, (ended + kinds) or "-"]
            rows.append([f"{result.sweep.name}: {name}", *texts])
    return markdown(["setting", "n", "fails %", "95 % interval", "outcomes, % of all"], rows)


def _constants(members: Members) -> str:
    """Say which constants the constant outputs are."""
    named = members.constants[members.constants != ""]
    kinds, counts = np.unique(named, return_counts=True)
    said = ", ".join(f"{kind} {count}" for kind, count in zip(kinds, counts, strict=True))
    return f" (constants: {said})" if said else ""


def tolerance_table(results: Sequence[Result]) -> str:
    """Return failure rates by tolerance, with the share of members that are near the one used."""
    rows = []
    for result in results:
        for name, members in result.members.items():
            used = result.sweep[name].task.tolerance
            worst = np.nan_to_num(members.errors.max(axis=1), nan=np.inf, posinf=np.inf)
            fails = [percent(float(np.mean(worst > t))) for t in TOLERANCES]
            near = np.mean((worst > used / NEAR) & (worst < used * NEAR))
            gap = percent(float(near), 1) + (" no gap" if near > GAP else "")
            rows.append([f"{result.sweep.name}: {name}", *fails, gap])
    head = ["setting", *[f"{100 * t:g} %" for t in TOLERANCES], "near the tolerance %"]
    return markdown(head, rows)


def length_table(results: Sequence[Result]) -> str:
    """Return shares not yet solved after parts of the training, and those certified dead."""
    rows = []
    for result in results:
        for name, members in result.members.items():
            steps, first = result.sweep[name].steps, members.first_solved
            left = [
                percent(float(np.mean((first < 0) | (first > part * steps))))
                for part in SHARES_OF_TIME
            ]
            lost = np.mean((first >= 0) & (members.names != "solved"))
            dead = np.mean(members.names == "dead")
            ends = [percent(float(dead)), percent(float(lost))]
            rows.append([f"{result.sweep.name}: {name}", str(steps), *left, *ends])
    parts = [f"after {100 * part:g} %" for part in SHARES_OF_TIME]
    return markdown(["setting", "steps", *parts, "dead %", "solved, then lost %"], rows)
