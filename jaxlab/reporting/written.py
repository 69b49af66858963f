"""What stands in tables beside the results: predictions, claims and advice, shown as they are."""

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxlab import files
from jaxlab.compare import Verdict
from jaxlab.html import Markup, element, joined, table
from jaxlab.reporting.facts import NOTHING, paragraphs
from jaxlab.sealed import ResultsError
from jaxlab.theory import registry

Row = Mapping[str, Any]
Counted = Mapping[tuple[str, str], tuple[int, int]]
VACUOUS = str(Verdict.VACUOUS)
LARGEST = 2**26  # bytes of a table
TRAINED = "training_fails"  # the event that is counted for every setting of a sweep
COUNTS = ("n", "count", "failed", "setting_n", "setting_failed")
NUMBERS = (
    *("n", "count", "observed", "ci_low", "ci_high", "predicted", "p_value", "p_holm"),
    *(
        "setting_n",
        "setting_failed",
        "failed",
        "failure_rate",
        "difference",
        "diff_low",
        "diff_high",
    ),
)
PREDICTED = ("setting", "event", "n", "count", "observed", "ci_low", "ci_high", "prediction")
PREDICTED += ("kind", "predicted", "p_holm", "verdict", "source")
CLAIMED = ("claim", "thread", "statement", "verdict", "n", "count", "observed", "ci_low")
CLAIMED += ("ci_high", "predicted", "evidence")
ADVISED = (
    "setting",
    "setting_n",
    "setting_failed",
    "variant",
    "n",
    "failed",
    "failure_rate",
    "ci_low",
    "ci_high",
    "difference",
)
ADVISED += ("diff_low", "diff_high", "p_holm", "verdict")
MARKS = {"lower bound": "≥", "upper bound": "≤", "exact": "="}


def rows_of(path: Path, columns: Sequence[str]) -> list[Row]:
    """Return a table's rows with these columns, numbers as numbers or None; [] without the file.

    ResultsError names the file where a column is missing or a number is none.
    """
    if not path.exists():
        return []
    try:
        with (
            files.opened(path, LARGEST) as binary,
            io.TextIOWrapper(binary, "utf-8", newline="") as file,
        ):
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(f"it has no column {missing[0]!r}")
            return [{name: _value(name, row[name] or "") for name in columns} for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        how = error.strerror if isinstance(error, OSError) else error
        text = f"{path} is no table that jaxlab wrote: {how}"
        raise ResultsError(f"{text}; move it away, or write it again") from error


def _value(name: str, text: str) -> Any:
    if name not in NUMBERS:
        return files.text_of_cell(text)
    value = float(text or "nan")
    if name in COUNTS and text:
        if not (value.is_integer() and value >= 0):
            raise ValueError(f"{name} is {text[:30]!r}, which is no count")
        return int(value)
    if math.isinf(value):
        raise ValueError(f"{name} is {text[:30]!r}, which is not finite")
    return None if math.isnan(value) else value


def count(row: Row, name: str = "n") -> str:
    """Return a count, or nothing where there is none."""
    return "" if row[name] is None else f"{row[name]:,}"


def percent(row: Row, name: str = "observed", sign: str = "") -> str:
    """Return a rate in per cent, or nothing where there is none."""
    return "" if row[name] is None else f"{100 * row[name]:{sign}.2f}"


def interval(row: Row, low: str = "ci_low", high: str = "ci_high", sign: str = "") -> str:
    """Return the limits of a rate in per cent, or nothing where there are none."""
    if row[low] is None or row[high] is None:
        return ""
    return f"[{100 * row[low]:{sign}.2f}, {100 * row[high]:{sign}.2f}]"


def predictions(folder: Path, counted: Counted) -> tuple[list[Row], str]:
    """Return the rows of predictions.csv, or none and the reason where they are of other counts.

    `counted` is (n, count) by setting and event, as far as it is known without recomputing it.
    """
    rows = rows_of(folder / "predictions.csv", PREDICTED)
    of_setting = {setting: n for (setting, _), (n, _) in counted.items()}
    for row in rows:
        n, count = counted.get((row["setting"], row["event"]), (None, None))
        most = of_setting.get(row["setting"], 0)
        if (row["n"] or 0) > most or (n is not None and (n, count) != (row["n"], row["count"])):
            there = f"{row['count']} of {row['n']} networks there"
            here = f"{count} of {n} here" if n is not None else f"{most} here"
            return [], (
                f"predictions.csv is left out, for it is about other counts: {row['setting']}, "
                f"{row['event'].replace('_', ' ')}: {there}, {here}. "
                f"python -m jaxlab merge writes it again."
            )
    return rows, ""


def of_failing(rows: Sequence[Row]) -> dict[str, tuple[str, Markup]]:
    """Return what theory says of failing, by setting, in per cent, and the verdict on it.

    Of several laws that of the first number, before bounds, of which a vacuous one comes last;
    those that are rejected are named.
    """
    of_setting: dict[str, list[Row]] = {}
    for row in rows:
        if row["event"] == TRAINED and row["predicted"] is not None:
            of_setting.setdefault(row["setting"], []).append(row)
    found = {}
    for name, its in of_setting.items():
        first = min(its, key=lambda row: ("bound" in row["kind"], row["verdict"] == VACUOUS))
        others = [row["prediction"] for row in its if row["verdict"] == "rejected"]
        others = [law for law in others if law != first["prediction"]]
        more = [element("br"), f"rejected: {', '.join(others)}"] if others else []
        found[name] = theory(first), joined(first["verdict"], *more)
    return found


def theory(row: Row) -> str:
    """Return what is predicted, in per cent, with the sign that its kind calls for."""
    return f"{MARKS.get(row['kind'], '≈')} {percent(row, 'predicted')}"


def in_short(rows: Sequence[Row]) -> str:
    """Return how many predictions have each verdict, in a sentence.

    What cannot fail is no test passed: vacuous bounds are counted apart.
    """
    numbers = [row for row in rows if row["predicted"] is not None]
    tested = [row for row in numbers if row["verdict"] != VACUOUS]
    counts = Counter(row["verdict"] for row in tested)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    vacuous, held = len(numbers) - len(tested), len(rows) - len(numbers)
    apart = f"; vacuous, which no count could contradict: {vacuous}" if vacuous else ""
    apart += f"; withheld: {held}" if held else ""
    return f"Predictions tested: {len(tested)}{f' ({words})' if words else ''}{apart}."


def prediction_tables(rows: Sequence[Row]) -> Markup:
    """Return counts against theory, those that are rejected first; laws; what is withheld."""
    if not rows:
        return NOTHING
    tested = [row for row in rows if row["predicted"] is not None]
    tested = sorted(tested, key=lambda row: row["verdict"] != "rejected")
    heads = ["setting", "event", "n", "found %", "95 % interval", "theory %", "law", "kind"]
    cells = [
        [
            *(row["setting"], row["event"].replace("_", " "), count(row)),
            *(percent(row), interval(row), theory(row), row["prediction"], row["kind"]),
            *(_p(row["p_holm"]), row["verdict"]),
        ]
        for row in tested
    ]
    caption = "What was counted, and what theory says of it"
    made = table(caption, [*heads, "Holm p", "verdict"], "llrrrrllrl", cells)
    return joined(element("p", in_short(rows)), made, _laws(tested), _withheld(rows))


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}" if value >= 1e-4 else "< 0.0001"


def _laws(rows: Sequence[Row]) -> Markup:
    formulas = {entry.name: entry for entry in registry.entries()}
    sources: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        try:
            name = registry.speaker(row["prediction"], row["event"], row["kind"])
        except KeyError:  # a law of the user's own
            name = ""
        of_law = sources.setdefault((row["prediction"], name), [])
        of_law += [row["source"]] if row["source"] not in of_law else []
    cells = []
    for (law, name), texts in sources.items():
        entry = formulas.get(name)
        formula, assumptions = (entry.formula, entry.assumptions) if entry else ("", "")
        listed = element("ul", *(element("li", text) for text in texts))
        cells.append([law, formula, assumptions, listed if len(texts) > 1 else texts[0]])
    heads = ["law", "formula", "valid for", "source"]
    return table("The laws, what they assume and where they are from", heads, "lttt", cells)


def _withheld(rows: Sequence[Row]) -> Markup:
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["predicted"] is None:
            reason = row["source"].removeprefix("none: ")
            settings = found.setdefault((row["prediction"], reason), [])
            settings += [row["setting"]] if row["setting"] not in settings else []
    if not found:
        return NOTHING
    cells = [[law, reason, ", ".join(its)] for (law, reason), its in found.items()]
    heads = ["law", "reason", "settings"]
    return table("Where there is no prediction, and why", heads, "ltt", cells)


def claims(folder: Path, name: str) -> Markup:
    """Return the claims that are about this sweep, from the table in the folder above."""
    everything = rows_of(folder.absolute().parent / "claims.csv", CLAIMED)
    rows = [row for row in everything if row["thread"].partition(":")[0].replace(" ", "_") == name]
    if not rows:
        return NOTHING
    cells, thread = [], rows[0]["thread"].partition(": ")[2]
    for row in rows:
        sign = "+" if row["n"] is not None and row["count"] is None else ""
        limits = interval(row, sign=sign)
        numbers = [percent(row, sign=sign), limits, percent(row, "predicted", sign)]
        cells.append(
            [
                f"“{row['statement']}”",
                row["verdict"],
                row["evidence"],
                count(row),
                *numbers,
                row["claim"],
            ]
        )
    heads = ["what was said", "verdict", "evidence", "n", "observed %", "95 % interval"]
    caption = "Statements and verdicts; a number with a sign is a difference, in points"
    made = table(caption, [*heads, "predicted %", "id"], "tltrrrrl", cells)
    return joined(paragraphs([f"Thread: {thread}"]), made)


def advice(folder: Path) -> Markup:
    """Return the variants that were measured, and what each of them changes."""
    rows = rows_of(folder / "advice.csv", ADVISED)
    if not rows:
        return NOTHING
    cells = [
        [
            *(row["variant"], count(row)),
            *(percent(row, "failure_rate"), interval(row)),
            *(percent(row, "difference", "+"), interval(row, "diff_low", "diff_high", "+")),
            *(_p(row["p_holm"]), row["verdict"]),
        ]
        for row in rows
    ]
    heads = ["variant", "n", "fails %", "95 % interval", "better by", "of it the interval"]
    failed, n = (count(rows[0], name) for name in ("setting_failed", "setting_n"))
    of = f"{rows[0]['setting']}, which fails for {failed} of {n} seeds"
    caption = (
        f"What was tried on {of}: by how many points more learn, and the verdict on ‘it helps’"
    )
    return table(caption, [*heads, "Holm p", "verdict"], "lrrrrrrl", cells)
