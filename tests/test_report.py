"""Exact: a report says what the files of a folder say, and is one page that needs nothing else.

The folders hold members of chosen outcomes that nobody trained.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import markup
import numpy as np
import pytest
import samples

from jaxlab import (
    OUTCOMES,
    answer,
    census,
    chunks,
    commandline,
    grid_runs,
    notebook,
    report,
    sealed,
    shards,
    store,
)
from jaxlab.compare import compare_all
from jaxlab.files import write_csv
from jaxlab.provenance import fingerprint, short
from jaxlab.question import Question
from jaxlab.reporting import counted, facts, maps, written
from jaxlab.reporting import errors as errors_section
from jaxlab.result import Result
from jaxlab.spec import OPTIMISERS, Setting, Sweep
from jaxlab.theory.prediction import Prediction

STRANGE = 'k=2 <script>alert("$x$")</script> & co'
COMMAND = "python -m sweeps small --seeds 40 && echo '<done>'"
ENDED = {
    "k=2": ["solved"] * 11 + ["right_only"] * 17 + ["dead"] * 12,
    STRANGE: ["solved"] * 40,
}
SAID = Prediction("a law of ours", "training_fails", "exact", 0.7, "a <book>", "none")
BOUND = Prediction("a bound", "training_fails", "lower bound", 0.99, "a paper", "none")
NONE = Prediction("a law of ours", "born_dead", "exact", None, "a book", "b", reason="too wide")


def small(*names: str) -> Sweep:
    return samples.sweep(*(samples.setting(name) for name in names or ENDED))


def fill(folder: Path, sweep: Sweep, ended: Mapping[str, list[str]], command: str = "") -> Path:
    """Write a folder of results with members that ended as told."""
    lanes = dict.fromkeys(ended, samples.LANES)
    held = store.Folder(folder, sweep, store.identity_of(sweep, lanes))
    held.chunks.path.mkdir(parents=True)
    asked = {name: np.arange(len(its)) for name, its in ended.items()}
    held.write_manifest(asked)
    with shards.recorded(folder, command, shards.WHOLE, short(fingerprint())) as record:
        for name, names in ended.items():
            checks = sweep[name].training.checks(samples.ROWS)
            solved = np.array([n == "solved" for n in names])
            first = np.where(solved, np.resize(checks[-3:], len(names)), -1).astype(np.int32)
            arrays = dict(samples.members(names, first_solved=first).arrays)
            held.chunks.add(sweep[name], arrays.pop("seeds"), arrays, fingerprint())
            record.trained(len(names))
    held.write_manifest(asked)
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return fill(tmp_path / "small", small(), ENDED, COMMAND)


def compared(folder: Path, count: int = 29, n: int = 40) -> None:
    """Write predictions.csv beside the results."""
    rows = compare_all([("k=2", count, n, said) for said in (SAID, BOUND, NONE)])
    columns = ["sweep", *written.PREDICTED[:-3], "p_value", *written.PREDICTED[-3:]]
    table = [{"sweep": "small"} | vars(row) for row in rows]
    write_csv(folder / "predictions.csv", table, columns)


def checked(folder: Path) -> markup.Page:
    return markup.check(report.html_of(folder))


def test_a_report_says_what_was_asked_found_and_run(folder):
    found = checked(folder)
    assert found.texts("h1") == ["How often do networks 1‑2‑1 learn absolute value?"]
    headings = ["The answer", "Figures", "What became of the networks", "Other tolerances"]
    headings += ["Time to success", "What was run", "Who made it", "To reproduce it"]
    assert found.texts("h2") == headings
    assert found.texts("nav") == ["".join(headings)]
    result = store.read_sweep(folder)
    for sentence in answer.sentences(result):
        assert sentence in found.texts("p")
    assert {"k=2", STRANGE} <= set(found.texts("th"))
    cells = found.texts("td")
    assert cells[:3] == ["40", "72.50", "[56.1, 85.4]"]
    assert "0-39".replace("-", "–") in found.texts("th")
    assert COMMAND in cells
    for name, version in fingerprint().items():
        assert not version or (version in cells and name.replace("_", " ") in found.texts("th"))
    (commands, whole) = (found.texts("code")[-1], found.texts("details")[0])
    assert COMMAND in commands
    assert "python -m jaxlab report small" in commands
    assert json.dumps(STRANGE) in whole
    assert found.texts("summary") == ["The whole specification as JSON"]


def test_a_name_is_text_wherever_it_stands(folder):
    text = report.html_of(folder)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_equal_results_are_equal_bytes_wherever_they_lie(folder, tmp_path):
    one = report.write(folder)
    other = report.write(folder, tmp_path / "page.html")
    assert one == folder / "report.html"
    assert one.read_bytes() == other.read_bytes() == report.write(folder).read_bytes()
    assert str(tmp_path) not in one.read_text()


def test_only_a_report_is_replaced(folder, tmp_path):
    foreign = tmp_path / "page.html"
    foreign.write_text("<!DOCTYPE html><title>mine</title>")
    with pytest.raises(ValueError, match=r"page\.html is no report of jaxlab"):
        report.write(folder, foreign)
    assert "mine" in foreign.read_text()
    with pytest.raises(ValueError, match="is a folder"):
        report.write(folder, tmp_path)
    with pytest.raises(ValueError, match=r"cannot (read|write)"):
        report.write(folder, foreign / "page.html")


def test_no_results_are_no_report(tmp_path):
    with pytest.raises(sealed.ResultsError, match="holds no results"):
        report.write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_members_read_in_pieces_are_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 3)
    folder = fill(tmp_path / "small", small(), ENDED)
    result = store.read_sweep(folder)
    monkeypatch.setattr(type(result.members), "PIECE", 2)
    assert len(list(result.parts())) > 3
    found = counted.counted(result)
    assert dict(found.tallies) == result.tally()
    for name in ENDED:
        whole = result.survival(name)
        assert np.array_equal(found.curves[name].unsolved, whole.unsolved)
        assert found.curves[name].certified == whole.certified


def test_bounds_that_cannot_fail_are_no_success():
    verdicts = ("consistent", "vacuous", "consistent")
    rows = [{"predicted": 0.1 * i, "verdict": verdict} for i, verdict in enumerate(verdicts)]
    text = "Predictions tested: 2 (2 consistent); vacuous, which no count could contradict: 1."
    assert written.in_short(rows).startswith(text)
    same = {"setting": "k=2", "event": "training_fails", "kind": "lower bound", "prediction": "law"}
    bounds = [
        same | {"predicted": p, "verdict": v} for p, v in ((0.0, "vacuous"), (0.3, "rejected"))
    ]
    assert written.of_failing(bounds)["k=2"][0] == "\u2265 30.00"


def test_the_share_that_fails_at_other_tolerances_is_drawn_and_given(tmp_path):
    # Exact by hand: of 40 the errors are a quarter each of these; 0.2 counts as learnt.
    errors = np.repeat(np.array([0.1, 0.15, 0.25, 0.5], np.float32), 10)
    members = samples.members(["solved"] * 20 + ["other"] * 20, errors=errors[:, None])
    setting = samples.setting("k=2")
    task = dataclasses.replace(setting.task, tolerance=0.2)
    sweep = samples.sweep(dataclasses.replace(setting, task=task))
    found = counted.counted(Result(sweep, {"k=2": members})).errors
    page = markup.check(f"<!DOCTYPE html><title>t</title>{counted.other_tolerances(found)}")
    cells = page.texts("td")
    assert cells == ["20 %", "75.00", "50.00", "25.00", "25.00", ""]
    failed = errors_section._failed(found["k=2"])
    limits = errors_section._limits(0.2)
    brute = [int(np.sum(errors > np.float32(limit))) for limit in limits]
    assert failed.tolist() == brute
    assert (failed[0], failed[errors_section.POINTS // 2], failed[-1]) == (40, 20, 0)
    assert len(page.texts("figcaption")) == 1


def test_who_was_still_improving_has_a_column_of_its_own(tmp_path):
    made = fill(tmp_path / "moving", small("k=2"), {"k=2": ["unfinished"] * 3 + ["solved"] * 9})
    found = checked(made)
    assert "improving" in found.texts("th")
    assert found.texts("td")[:5] == ["12", "25.00", "[5.5, 57.2]", "75.0", "25.0"]
    settled = fill(tmp_path / "settled", small("k=2"), {"k=2": ["other"] * 3 + ["solved"] * 9})
    first_table = str(notebook.table(store.read_sweep(settled).tally()))
    assert "improving" not in first_table


def test_predictions_stand_there_with_verdicts_laws_and_reasons(folder):
    compared(folder)
    found = checked(folder)
    assert "Against theory" in found.texts("h2")
    text = "Predictions tested: 2 (1 undecided, 1 rejected); withheld: 1."
    assert text in found.texts("p")
    cells = found.texts("td")
    assert cells[3:5] == ["= 70.00", "undecidedrejected: a bound"]
    at = cells.index("training fails")
    assert cells[at : at + 5] == ["training fails", "40", "72.50", "[56.11, 85.40]", "≥ 99.00"]
    assert {"a <book>", "a paper", "too wide"} <= set(cells)


@pytest.mark.parametrize(("count", "n"), [(28, 40), (29, 41), (29, 39)])
def test_predictions_of_other_counts_are_left_out_and_that_is_said(folder, count, n):
    compared(folder, count, n)
    found = checked(folder)
    (warning,) = [text for text in found.texts("p") if "predictions.csv" in text]
    assert f"{count} of {n} networks there, 29 of 40 here" in warning
    assert "a <book>" not in found.texts("td")


def test_a_table_that_is_none_is_named(folder):
    (folder / "predictions.csv").write_text("sweep,setting\n1,2\n")
    with pytest.raises(
        sealed.ResultsError, match=r"predictions\.csv is no table .* column 'event'"
    ):
        report.html_of(folder)
    compared(folder)
    text = (folder / "predictions.csv").read_text()
    (folder / "predictions.csv").write_text(text.replace(",40,29,", ",forty,29,"))
    with pytest.raises(sealed.ResultsError, match=r"predictions\.csv is no table .*forty"):
        report.html_of(folder)


def test_an_old_summary_is_named(folder):
    store.read_sweep(folder).to_csv(folder / "summary.csv")
    assert "summary.csv is about" not in report.html_of(folder)
    text = (folder / "summary.csv").read_text()
    (folder / "summary.csv").write_text(text.replace(",40,29,", ",20,14,"))
    assert "summary.csv is about other counts" in report.html_of(folder)


def claim(name: str, thread: str) -> dict[str, object]:
    numbers: dict[str, object] = {
        "n": 80,
        "count": "",
        "observed": -0.5,
        "ci_low": -0.6,
        "ci_high": -0.4,
    }
    told = {"claim": name, "thread": thread, "statement": f"{name} helps", "verdict": "refuted"}
    return told | numbers | {"predicted": "", "evidence": "It does <not>"}


def test_claims_about_this_sweep_stand_there_and_no_others(folder):
    claims = [claim("X1", "small: a question"), claim("Y1", "smaller: another")]
    write_csv(folder.parent / "claims.csv", claims)
    found = checked(folder)
    assert "“X1 helps”" in found.texts("th")
    assert "Y1" not in found.text
    assert {"It does <not>", "-50.00", "[-60.00, -40.00]"} <= set(found.texts("td"))
    assert "Thread: a question" in found.texts("p")


def test_advice_and_a_question_of_the_folder_stand_there(folder):
    row = {"variant": "4 units", "n": 500, "failed": 150, "failure_rate": 0.3, "ci_low": 0.26}
    row = {"setting": "k=2", "setting_n": 500, "setting_failed": 360} | row
    row |= {"ci_high": 0.342, "difference": -0.42, "diff_low": -0.47, "diff_high": -0.36}
    write_csv(folder / "advice.csv", [row | {"p_holm": 1e-9, "verdict": "supported"}])
    Question("abs(x) + 0 * (x < 2)", -3.0, 3.0, samples.ROWS).write(folder)
    found = checked(folder)
    told = "abs(x) + 0 * (x < 2) on 40 points from -3 to 3"
    assert found.texts("h1") == [f"How often do networks 1‑2‑1 learn {told}?"]
    at = found.texts("td").index("30.00")
    told = ["30.00", "[26.00, 34.20]", "-42.00", "[-47.00, -36.00]", "< 0.0001", "supported"]
    assert found.texts("td")[at : at + 6] == told
    assert any("k=2, which fails for 360 of 500 seeds" in c for c in found.texts("caption"))


def test_time_to_success_is_left_out_where_it_tells_nothing(tmp_path):
    never = fill(tmp_path / "never", small("k=2"), {"k=2": ["dead"] * 9})
    assert "Time to success" not in checked(never).texts("h2")


def test_how_often_results_were_looked_at_is_said(folder):
    looks = [{"first_seed": 0, "seeds": n} for n in (20, 40)]
    sealed.write_result(folder / "looks.json", sealed.json_as_bytes({"looks": looks}))
    (said,) = [text for text in checked(folder).texts("p") if text.startswith("2 times")]
    assert "with 20, 40 seeds" in said


def test_a_task_that_only_another_program_defines_is_reported(tmp_path, monkeypatch):
    setting = samples.setting()
    task = setting.task.__class__("of another program", samples.ROWS)
    own = Sweep("own", (Setting("k=2", task, setting.network, training=setting.training),))
    monkeypatch.setattr(store, "_data_checksum", lambda task: "0" * 16)
    folder = fill(tmp_path / "own", own, {"k=2": ENDED["k=2"]})
    found = checked(folder)
    assert found.texts("h1") == ["How often do networks 1‑2‑1 learn of another program?"]
    assert any("No command is recorded" in text for text in found.texts("p"))


def test_what_settings_share_and_in_what_they_differ():
    one, other = samples.setting(), samples.setting("fast", 3, rate=0.05)
    found = markup.Page(facts.specification([one, other], {}))
    assert found.texts("caption") == ["What all settings share", "In what settings differ"]
    heads = [text for text in found.texts("th") if text in ("widths", "learning rate", "loss")]
    assert heads == ["loss", "widths", "learning rate"]
    assert {"1-2-1", "1-3-1", "0.02", "0.05", "mse"} <= set(found.texts("td"))


def test_every_optimiser_has_its_numbers():
    assert set(facts.USED) == set(OPTIMISERS)
    names = set(samples.setting().training.optimiser.numbers)
    assert all(set(used) <= names for used in facts.USED.values())


def grid(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    file = grid_runs.GridFile(folder, samples.GRID, grid_runs.parts(samples.GRID))
    file.counts[..., OUTCOMES.index("solved")] = 1
    file.counts[0, :, OUTCOMES.index("dead")] = 3
    file.done[:] = file.counts.sum()
    file.save()
    file.write_manifest()
    return folder


def test_a_map_is_reported_with_a_figure_of_its_cells(tmp_path):
    found = checked(grid(tmp_path))
    assert found.texts("h1") == [
        "What becomes of networks that learn absolute_value, over learning rate and scale?"
    ]
    (text,) = [text for text in found.texts("p") if text.startswith("The commonest")]
    assert "solved in 66.7 %, dead in 33.3 % of the cells (3 by 4 cells" in text
    assert "(3 by 4 cells with 1 to 4 networks each; 24 in all)" in text
    assert len(found.all("svg")) == 1
    at = found.texts("th").index("solved")
    assert found.texts("td")[:6] == ["12", "50.00", "8", "12", "50.00", "4"], at


def test_a_census_is_reported_with_its_counts(tmp_path):
    folder = tmp_path / "born"
    folder.mkdir()
    rows = [["k=2", "0" * 64, "training_fails", 40, 29], ["<b>", "1" * 64, "born_dead", 40, 0]]
    content = {"format": chunks.FORMAT, "counts": rows}
    sealed.write_result(folder / census.FILE, sealed.json_as_bytes(content))
    told = {"format": chunks.FORMAT, "census": "born", "digests": {"k=2": "0" * 64}}
    told |= {"fingerprint": fingerprint(), "runs": []}
    sealed.write_result(folder / store.MANIFEST, sealed.json_as_bytes(told))
    compared(folder)
    found = checked(folder)
    assert found.texts("h1") == ["What is true of the networks of born before any training?"]
    wanted = ["training fails", "40", "29", "72.500", "[56.112, 85.399]"]
    assert found.texts("td")[:5] == wanted
    assert "Predictions tested: 2" in found.texts("p")[1]
    sealed.write_result(folder / census.FILE, sealed.json_as_bytes(content | {"counts": [[1]]}))
    with pytest.raises(sealed.ResultsError, match=r"counts\.json"):
        maps.of_folder(folder)


def test_a_sweep_run_by_name_has_its_question_and_its_figures(tmp_path):
    module = commandline.beside("sweeps", "absolute_value")
    assert module is not None
    sweep = module.build()
    assert counted.scripted(sweep)
    assert not counted.scripted(Sweep("absolute_value", sweep.settings[:1]))
    question, about = counted.asked(tmp_path, sweep)
    assert question.startswith("Can k ReLU units learn |x|")
    assert about[0].startswith("Keras defaults")
    assert (
        commandline.beside("sweeps", "__main__")
        is commandline.beside("no_such_package", "a")
        is None
    )
