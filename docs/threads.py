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

    def share(name: str) -> str:
        row = claims[name]
        rate, low, high = (100 * float(row[k]) for k in ("observed", "ci_low", "ci_high"))
        return f"{rate:.1f} % [{low:.1f}, {high:.1f}]"

    def verdict(*names: str) -> str:
        return "; ".join(claims[name]["verdict"] for name in names)

    rows = [
        [
            "turn -1 into 1 with one unit",
            "it only needs time: 100 epochs work where 10 do not",
            verdict("N2"),
            f"{share('N1')} still say 0 after 10 epochs; with a plain ReLU {share('N1 ReLU')}",
        ],
        [
            "learn 2x from 1, 2, 3, ...",
            "the first step makes the output negative; there it stays",
            verdict("D2", "D3"),
            f"of the living {share('D2')} are negative after it, {share('D2 second')} a step later",
        ],
        [
            "multiply two integers",
            "large numbers: normalise them, say by logarithms",
            verdict("A5 log"),
            f"then {share('A5 log')} learn it; {share('A9')} of all are born dead",
        ],
        [
            "square a number",
            "without activations it is a straight line; so add ReLUs",
            verdict("S4", "S9"),
            f"with ReLUs {share('S9')} learn it, of {claims['S9']['n']}; with x/1000 "
            f"{share('S7 wide')}",
        ],
        [
            "fit |x| with two ReLU units",
            "half start one-sided and fail; a third unit makes it a quarter",
            verdict("V3 signs", "V3"),
            f"{share('V2')} learn it with two units, {share('V3 fits')} with three",
        ],
    ]
    head = ["they tried to", "they were told", "verdict", "counted"]
    return markdown(head, rows).replace("--:", ":--")


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
                percent(float(np.mean((first < 0) | (first > np.ceil(part * steps)))))
                for part in SHARES_OF_TIME
            ]
            lost = np.mean((first >= 0) & (members.names != "solved"))
            dead = np.mean(members.names == "dead")
            ends = [percent(float(dead)), percent(float(lost))]
            rows.append([f"{result.sweep.name}: {name}", str(steps), *left, *ends])
    parts = [f"after {100 * part:g} %" for part in SHARES_OF_TIME]
    return markdown(["setting", "steps", *parts, "dead %", "solved, then lost %"], rows)
