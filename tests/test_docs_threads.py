"""Exact: the tables of the threads in README and docs say what claims and results hold."""

import numpy as np
import pytest
from test_claims_of_threads import N, fabricated, judged_claims

from docs import threads
from jaxlab import claims
from sweeps.claims import THREADS


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> threads.Rows:
    path = tmp_path_factory.mktemp("docs") / "claims.csv"
    made = [claim for name in THREADS for claim in judged_claims(name, fabricated(name, half))]
    claims.write(path, made)
    return threads.read_claims(path)


def half(setting) -> float:
    return 0.5


def test_every_claim_has_a_line_with_its_verdict(rows):
    lines = threads.claims_table(rows).splitlines()[2:]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(rows)
    assert all(row["verdict"] in line for row, line in zip(rows.values(), lines, strict=True))


def test_the_readme_has_a_line_for_each_thread(rows):
    lines = threads.readme_table(rows).splitlines()
    assert len(lines) == 2 + len(THREADS)
    assert "50.0 % [47.8, 52.2] learn it with two units, 50.0 %" in lines[-1]
    assert lines[-1].count("|") == 7  # two of them in |x|


def test_missing_claims_are_named(tmp_path):
    with pytest.raises(ValueError, match="python -m sweeps claims"):
        threads.read_claims(tmp_path / "claims.csv")


def test_failures_are_counted_at_every_tolerance_and_length():
    found = fabricated("negation", lambda s: 0.25)
    line = threads.tolerance_table([found]).splitlines()[2]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    # A quarter has the error 0.01, the others 1.
    assert cells[1:] == ["75.00"] * 6 + ["100.00", "0.0"]
    line = threads.length_table([found]).splitlines()[2]
    assert [c.strip() for c in line.strip("|").split("|")][2:] == [
        *("100.00", "100.00", "75.00", "75.00", "0.00")
    ]
    near = {"errors": lambda s: np.linspace(0.0, 1.0, N)[:, None]}
    line = threads.tolerance_table([fabricated("negation", half, lambda s: near)]).splitlines()[2]
    assert line.endswith("| 15.0 no gap |")
    assert "constants" not in threads.outcome_table([found])
