"""How often results were looked at: who runs more seeds until a verdict appears must say so."""

from pathlib import Path
from typing import Any

from jaxlab import sealed
from jaxlab.keys import MAX_SEED
from jaxlab.result import Result
from jaxlab.validation import check, items, whole

FILE = "looks.json"


def read(folder: Path) -> list[dict[str, int]]:
    """Return the requests that a folder's results were looked at for, oldest first.

    Each has a first_seed and a number of seeds. ResultsError where their file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return []
    content = sealed.read_json(path)
    with sealed.reading(path):
        return [_look(entry) for entry in items("looks", content["looks"], "every request")]


def _look(content: Any) -> dict[str, int]:
    right = "a first_seed and a number of seeds"
    check(
        isinstance(content, dict) and set(content) == {"first_seed", "seeds"},
        "a look",
        content,
        right,
    )
    whole("first_seed", content["first_seed"], 0, MAX_SEED)
    whole("seeds", content["seeds"], 0, MAX_SEED + 1)
    return content


def record(folder: Path, first_seed: int, found: Result) -> str:
    """Record that results were looked at; return what to say of it, for going on changes chances.

    Who runs more seeds until a verdict appears must say so: looks.json lists every request.
    """
    known = read(folder)
    most = max(tally.n for tally in found.tally().values())
    new = {"first_seed": first_seed, "seeds": most}
    if new not in known:
        known.append(new)
        sealed.write_result(folder / FILE, sealed.json_as_bytes({"looks": known}))
    if len(known) == 1:
        return ""
    counts = ", ".join(str(entry["seeds"]) for entry in known)
    return f"\nlooked at {len(known)} times, with {counts} seeds: verdicts allow for one look"
