"""How often results were looked at: who runs more seeds until a verdict appears must say so."""

from pathlib import Path

from jaxlab import sealed
from jaxlab.result import Result

FILE = "looks.json"


def record(folder: Path, first_seed: int, found: Result) -> str:
    """Record that results were looked at; return what to say of it, for going on changes chances.

    Who runs more seeds until a verdict appears must say so: looks.json lists every request.
    """
    path = folder / FILE
    known = sealed.read_json(path)["looks"] if path.exists() else []
    most = max(tally.n for tally in found.tally().values())
    new = {"first_seed": first_seed, "seeds": most}
    if new not in known:
        known.append(new)
        sealed.write_result(path, sealed.json_as_bytes({"looks": known}))
    if len(known) == 1:
        return ""
    counts = ", ".join(str(entry["seeds"]) for entry in known)
    return f"\nlooked at {len(known)} times, with {counts} seeds: verdicts allow for one look"
