"""What was said in the five threads, statement by statement, held against the sweeps.

Each module states the claims of one thread: `statements(result)` makes them from the result of the
sweep of the same name, and nothing else.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path

from jaxlab import claims, looks
from jaxlab.claims import Claim, Statement
from jaxlab.shards import WHOLE
from sweeps import _run
from sweeps.claims import tolerances

THREADS = ("negation", "doubling", "arithmetic", "squares", "absolute_value")
FILE = "claims.csv"


def run_claims(asked: _run.Asked, out: Path, how: _run.How) -> None:
    """Run what the claims need and is missing, print the table and write claims.csv.

    ValueError for options that only a single sweep has.
    """
    if asked.first_seed or asked.shard != WHOLE:
        raise ValueError("claims need whole sweeps, from seed 0 on: no --first-seed, no --shard")
    asked = asked._replace(scale_wide=False)
    judged, notes = judge(asked, out, how)
    print(claims.table(judged), summary(judged), *notes, sep="\n")
    claims.write(out / FILE, judged)
    print(f"\nwritten: {out / FILE}")


def judge(asked: _run.Asked, out: Path, how: _run.How) -> tuple[list[Claim], list[str]]:
    """Return all claims with their verdicts, and what is to be said of repeated looks."""
    stated, notes = [], []
    restated: list[list[Statement]] = [[] for _ in tolerances.TOLERANCES]
    for name in THREADS:
        found, _ = _run.counted(name, asked, out, how)
        state = importlib.import_module(f"sweeps.claims.{name}").statements
        stated += state(found)
        for table, more in zip(restated, tolerances.restated(state, found), strict=True):
            table += more
        note = looks.record(out / name, asked.first_seed, found)
        notes += [f"{name}: {note.strip()}"] if note else []
    return tolerances.noted(claims.decided(stated), restated), notes


def summary(judged: Sequence[Claim]) -> str:
    """Return in a line how many claims have which verdict."""
    verdicts = [str(claim.verdict) for claim in judged]
    counts = [f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts)]
    return f"\n{len(verdicts)} claims: {', '.join(counts)}"
