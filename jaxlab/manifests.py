"""Manifests, which say what a folder is to hold and who made it, read without trusting a word.

Those of sweeps, maps and censuses share their format, their fingerprints and their runs.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxlab import records, sealed
from jaxlab.chunks import FORMAT
from jaxlab.sealed import ResultsError
from jaxlab.seed_ranges import pairs_in
from jaxlab.spec import Setting, sweep_from_json
from jaxlab.validation import check, items, name, one_of, shown, text, whole

FILE = "manifest.json"
KINDS = ("sweep", "grid", "census")
DTYPES = ("float32", "float64")
WIDEST = 2**31 - 1  # lanes
DIGEST, SHORT = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{8}")
REMEDY = "choose another --out or move it away"


def read(path: Path, kind: str) -> dict[str, Any]:
    """Return what a manifest of a kind says, with all that the kinds have in common checked.

    ResultsError if it is damaged, of another kind, or of a format not known here.
    """
    content = sealed.read_json(path)
    check_format(path, content.get("format"))
    for other in KINDS:
        if other != kind and other in content:
            raise ResultsError(f"{path} is that of a {other}, not of a {kind}")
    with sealed.reading(path):
        check(kind in content, "what it is about", ", ".join(content), f"a {kind}")
        for run in items("runs", content.get("runs"), "the runs recorded so far"):
            records.check_record(run)
    return content


def check_format(path: Path, found: object) -> None:
    """Raise ResultsError unless a file is of this format."""
    if found != FORMAT:
        how = f"is of format {shown(found)}, this version of jaxlab reads format {FORMAT}"
        raise ResultsError(f"{path} {how}; {REMEDY}")


def read_sweep(path: Path) -> dict[str, Any]:
    """Return a sweep's manifest; ResultsError if it is damaged, or of a format not known here."""
    content = read(path, "sweep")
    with sealed.reading(path):
        sweep = sweep_from_json(json.dumps(content["sweep"]))
        check_identity(content, sweep.settings)
        check_by_name("digests", content["digests"], check_digest, sweep.settings)
        check_by_name("asked", content["asked"], lambda what, seeds: pairs_in(seeds))
        check_by_name("fingerprints", content["fingerprints"], check_fingerprint)
        right = "by names of eight hexadecimal digits, one at least"
        names = list(content["fingerprints"])
        check(bool(names) and all(map(SHORT.fullmatch, names)), "fingerprints", names, right)
        altered = [s.name for s in sweep.settings if content["digests"][s.name] != s.digest]
    if altered:
        text = "of a version that trained another network from it"
        raise ResultsError(f"{path} holds setting {altered[0]!r} {text}; {REMEDY}")
    with sealed.reading(path):
        check(content["digest"] == sweep.digest, "digest", content["digest"], sweep.digest)
    return content


def check_identity(content: Mapping[str, Any], settings: Sequence[Setting] = ()) -> None:
    """Raise ValueError or KeyError unless all that makes members theirs is there."""
    one_of("dtype", content["dtype"], DTYPES)
    check_by_name("lane_widths", content["lane_widths"], _check_width, settings)
    check_by_name("data", content["data"], text, settings)


def check_by_name(
    what: str,
    content: Any,
    check_value: Callable[[str, Any], object],
    settings: Sequence[Setting] = (),
) -> None:
    """Raise ValueError unless a mapping has names and right values, and all settings in it."""
    check(isinstance(content, Mapping), what, content, "values by name")
    for key, value in content.items():
        name(f"a name in {what}", key)
        check_value(what, value)
    for setting in settings:
        check(setting.name in content, what, list(content), f"of {shown(setting.name)} too")


def check_digest(what: str, value: object) -> None:
    """Raise ValueError unless a value is a SHA-256 in hexadecimal digits."""
    ok = isinstance(value, str) and DIGEST.fullmatch(value) is not None
    check(ok, what, value, "64 hexadecimal digits")


def check_fingerprint(what: str, content: Any) -> None:
    """Raise ValueError unless a value says in texts by name what fixes the bits of a result."""
    check_by_name(what, content, text)


def _check_width(what: str, value: object) -> None:
    whole(what, value, 1, WIDEST)
