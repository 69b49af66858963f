"""Exact: claims, their table of 80 columns and their file; no verdict is made here."""

import csv
from dataclasses import astuple, fields, replace
from itertools import starmap
from typing import Any

import pytest

from jaxlab.claims import COLUMNS, Claim, Statement, decided, table, write
from jaxlab.theory.prediction import Prediction
from jaxlab.verdicts import (
    Verdict,
    both,
    exactly,
    helps,
    never,
    settle,
    sooner,
    untestable,
    works,
)

NO_SUCH: Any = "sideways"


def claim(ruling, name="N1", thread="negation", **more):
    (settled,) = settle([ruling])
    given: dict[str, Any] = {"statement": "it only needs time", "evidence": "It did."} | more
    return Claim.of(name, thread, ruling=settled, **given)


def test_what_would_decide_joins_the_evidence():
    assert claim(works(990, 1000)).evidence == "It did."
    ruling = works(93, 100)
    assert "seeds would do" in ruling.note
    assert claim(ruling).evidence == f"It did; {ruling.note}."


SAMPLES = [
    claim(works(9990, 10_000), predicted=0.998),
    claim(helps(600, 1000, 450, 1000), "N2", evidence="Success rose from 45 % to 60 %."),
    claim(untestable(), "D1", "doubling"),
    claim(
        works(930, 1000), "N3", evidence="Of those left " + "some are dead, " * 12 + "others not"
    ),
    claim(exactly(False), "D2", "doubling"),
    claim(sooner(120, 200, 80, 200, 0.001), "D3", "doubling"),
]


def test_a_table_reads_well():
    lines = table(SAMPLES).splitlines()
    assert lines[:10] == [
        "id verdict            n observed %      95 % interval predicted",
        "",
        "negation",
        "N1 supported     10,000      99.90     [99.82, 99.95]     99.80",
        '  "it only needs time"',
        "  It did.",
        "N2 supported      2,000     +15.00   [+10.64, +19.28]",
        '  "it only needs time"',
        "  Success rose from 45 % to 60 %.",
        "N3 refuted        1,000      93.00     [91.24, 94.50]",
    ]
    assert lines[-10:-8] == ["doubling", "D1 not testable"]
    assert lines[-6] == "D2 refuted"
    assert lines[-3] == "D3 supported        400     +20.00   [+10.22, +29.25]"
    assert table([]).splitlines() == lines[:1]


def test_no_line_is_wider_than_80_columns():
    long = [
        claim(never(10**9, 10**12), "a-very-long-name-of-a-claim-" * 3, predicted=1.0),
        claim(helps(0, 10**11, 10**11, 10**11), "x" * 90, "thread " * 20, predicted=-1.0),
        claim(works(1, 9), "N1", statement="why " * 50, evidence="w" * 200),
    ]
    for some in (SAMPLES, long, long[:1], [*SAMPLES, *long]):
        assert max(map(len, table(some).splitlines())) <= COLUMNS
    assert "\na-very-… supported" in table(long)
    # Nothing that was said is lost, broken words or not.
    assert "".join(table(long).split()).count("w" * 200) == 1


def test_the_file_comes_back_as_it_was(tmp_path):
    write(tmp_path / "claims.csv", SAMPLES)
    with (tmp_path / "claims.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = "claim thread statement verdict n count observed ci_low ci_high predicted evidence"
    assert list(rows[0]) == columns.split() == [field.name for field in fields(Claim)]

    def read(name, text):
        if name == "verdict":
            return Verdict(text)
        if name in ("claim", "thread", "statement", "evidence"):
            return text
        kind = int if name in ("n", "count") else float
        return None if text == "" else kind(text)

    for row, given in zip(rows, SAMPLES, strict=True):
        back = list(starmap(read, row.items()))
        assert back == [
            float(f"{value:.6g}") if isinstance(value, float) else value for value in astuple(given)
        ]
    write(tmp_path / "none.csv", [])
    assert (tmp_path / "none.csv").read_text() == columns.replace(" ", ",") + "\n"


def test_a_table_is_decided_as_a_whole():
    borderline = helps(116, 200, 89, 200)  # p = 0.009, alone
    one = Statement("N1", "thread", "it helps", borderline, "It did")
    (alone,) = decided([one])
    assert (alone.verdict, alone.predicted) == (Verdict.SUPPORTED, None)
    two = decided([one, one._replace(claim="N2", ruling=helps(100, 200, 99, 200))])
    assert [claim.claim for claim in two] == ["N1", "N2"]
    assert two[0].verdict == Verdict.UNDECIDED


@pytest.mark.parametrize(("p", "verdict"), [(0.96, "consistent"), (0.9, "rejected")])
def test_a_prediction_gets_a_verdict_of_its_own(p, verdict):
    said = Prediction("a law", "works", "exact", p, "a source", "none")
    one = Statement("N1", "thread", "it works", works(9600, 10_000), "It did", said)
    (claim,) = decided([one, one._replace(claim="N2", predicted=None)])[:1]
    assert (claim.predicted, claim.evidence) == (p, f"It did; theory: {verdict}")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SAMPLES[0], thread=" "), "thread is ' '"),
        (lambda: replace(SAMPLES[0], evidence="two\nlines"), "evidence is 'two"),
        (lambda: Claim.of("N1", "a", "b", helps(1, 9, 2, 9), "c"), "'N1' rests on a test"),
        (lambda: Claim.of("N1", "a", "b", both(exactly(False), helps(1, 9, 2, 9)), "c"), "settle"),
        (lambda: write(NO_SUCH, [SAMPLES[0], SAMPLES[0]]), "N1 occur twice"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
