"""Claims: what somebody said, the verdict that counts give it, and the evidence in a sentence.

A `Statement` joins words to the ruling on them; `decided` turns all statements of a table into
claims. The rules of judgement are in `verdicts`.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from jaxlab.compare import compare_all
from jaxlab.files import write_csv
from jaxlab.theory.prediction import Prediction
from jaxlab.verdicts import Ruling, Verdict, settle

COLUMNS = 80


class Statement(NamedTuple):
    """What was said, where, and the ruling on it, which may not be settled yet.

    `claim` is its id, `evidence` one sentence on what was found, `predicted` what theory says of
    the rate that is judged, in the words of the ruling.
    """

    claim: str
    thread: str
    text: str
    ruling: Ruling
    evidence: str
    predicted: Prediction | None = None


def decided(statements: Sequence[Statement]) -> list["Claim"]:
    """Return the claims of a whole table, after Holm's correction over all its tests.

    The verdict on a prediction, from `compare` and of a Holm family of its own, joins the evidence.
    """
    rulings = settle([statement.ruling for statement in statements])
    rows = [
        (s.claim, r.count, r.n, s.predicted)
        for s, r in zip(statements, rulings, strict=True)
        if s.predicted is not None and r.count is not None and r.n is not None
    ]
    compared = {row.setting: row for row in compare_all(rows)}
    return [
        Claim.of(
            *(s.claim, s.thread, s.text, ruling),
            s.evidence + (f"; theory: {compared[s.claim].verdict}" if s.claim in compared else ""),
            compared[s.claim].predicted if s.claim in compared else None,
        )
        for s, ruling in zip(statements, rulings, strict=True)
    ]


@dataclass(frozen=True)
class Claim:
    """Hold a statement and its verdict: a row of claims.csv.

    `claim` is the statement's id, `thread` where it was made, `evidence` one sentence on what was
    found. The numbers are those of `Ruling`, None where nothing was counted; `predicted` is what
    theory says `observed` should be. Raises ValueError for a text that is empty or breaks a line.
    """

    claim: str
    thread: str
    statement: str
    verdict: Verdict
    n: int | None
    count: int | None
    observed: float | None
    ci_low: float | None
    ci_high: float | None
    predicted: float | None
    evidence: str

    def __post_init__(self) -> None:
        for name in ("claim", "thread", "statement", "evidence"):
            text = getattr(self, name)
            if not text.strip() or len(text.splitlines()) > 1:
                raise ValueError(f"{name} is {text!r}; it must be text on one line")

    @classmethod
    def of(
        cls,
        claim: str,
        thread: str,
        statement: str,
        ruling: Ruling,
        evidence: str,
        predicted: float | None = None,
    ) -> "Claim":
        """Return the claim that a ruling makes of a statement; what it needs joins the evidence.

        Raises ValueError for a ruling that rests on a test and was not settled.
        """
        if any(part.test and part.p_holm is None for part in ruling.parts or (ruling,)):
            raise ValueError(f"claim {claim!r} rests on a test; settle the whole table first")
        if ruling.note:
            evidence = f"{evidence.rstrip('.')}; {ruling.note}."
        limits = ruling.interval and (ruling.interval.low, ruling.interval.high)
        low, high = limits or (None, None)
        numbers = (ruling.n, ruling.count, ruling.observed, low, high, predicted)
        return cls(claim, thread, statement, ruling.verdict, *numbers, evidence)


def table(claims: Sequence[Claim]) -> str:
    """Return the claims as text of at most 80 columns, grouped by thread.

    A line of numbers in per cent, differences with their sign; the statement; the evidence.
    """
    digits = max(7, *(len(f"{c.n or 0:,}") for c in claims)) if claims else 7
    width = max(2, min(COLUMNS - 55 - digits, max((len(c.claim) for c in claims), default=2)))
    form = f"{{:<{width}}} {{:<12}} {{:>{digits}}} {{:>10}} {{:>18}} {{:>9}}"
    lines = [form.format("id", "verdict", "n", "observed %", "95 % interval", "predicted")]
    for thread in dict.fromkeys(claim.thread for claim in claims):
        lines += ["", *textwrap.wrap(thread, COLUMNS)]
        for claim in claims:
            if claim.thread == thread:
                lines += [form.format(*_cells(claim, width)).rstrip(), *_sentences(claim)]
    return "\n".join(lines)


def write(path: Path, claims: Sequence[Claim]) -> None:
    """Write claims.csv, a row per claim; ValueError where two claims have one id."""
    ids = [claim.claim for claim in claims]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"claims {', '.join(twice)} occur twice; every id stands for one claim")
    columns = [field.name for field in fields(Claim)]
    rows = [dict(zip(columns, map(_written, astuple(claim)), strict=True)) for claim in claims]
    write_csv(path, rows, columns)


def _written(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def _cells(claim: Claim, width: int) -> list[str]:
    sign = "+" if claim.n is not None and claim.count is None else ""

    def percent(value: float | None) -> str:
        return "" if value is None else f"{100 * value:{sign}.2f}"

    name = claim.claim if len(claim.claim) <= width else claim.claim[: width - 1] + "…"
    n = "" if claim.n is None else f"{claim.n:,}"
    counted = claim.ci_low is not None
    limits = f"[{percent(claim.ci_low)}, {percent(claim.ci_high)}]" if counted else ""
    return [name, claim.verdict, n, percent(claim.observed), limits, percent(claim.predicted)]


def _sentences(claim: Claim) -> list[str]:
    wrapper = textwrap.TextWrapper(COLUMNS, initial_indent="  ", subsequent_indent="  ")
    return [*wrapper.wrap(f'"{claim.statement}"'), *wrapper.wrap(claim.evidence)]
