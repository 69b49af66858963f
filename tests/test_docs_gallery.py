"""Exact: the gallery has a place for every figure, and loses no picture that others made."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docs import gallery
from figures import __main__ as drawing
from sweeps import _published as published

LARGEST, TOGETHER = 200_000, 4_000_000  # bytes of a picture, and of all


def png(seed: int = 0) -> bytes:
    """Return a picture of more colours than the gallery keeps."""
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return an empty folder that stands for docs/figures."""
    path = tmp_path / "figures"
    monkeypatch.setattr(gallery, "PICTURES", path)
    return path


def test_every_figure_has_one_place():
    placed = [name for names in gallery.GROUPS.values() for name in names]
    assert sorted(placed) == drawing.names()
    assert list(gallery.INTRODUCTIONS) == list(gallery.GROUPS)


def test_every_picture_is_shown_and_small_and_has_its_numbers():
    found = sorted(gallery.PICTURES.glob("*"))
    text = gallery.text()
    assert found
    assert {path.suffix for path in found} == {".png", ".json"}
    assert all(f"(figures/{path.name})" in text for path in found)
    sizes = [path.stat().st_size for path in found if path.suffix == ".png"]
    assert max(sizes) < LARGEST
    assert sum(sizes) < TOGETHER


def test_whoever_counted_first_is_named():
    for told in published.PUBLISHED:
        assert told.source.removeprefix("repository ") in gallery.AFTER[told.sweep]


def test_a_figure_without_a_picture_keeps_its_place_and_its_command(folder):
    for name in drawing.names():
        text = gallery.entry(name)
        assert f"`python -m sweeps {name}`" in text
        assert "![" not in text
        assert "No picture yet" in text
    assert "results/boundary/grid.npz" in gallery.entry("boundary")
    assert "results/negation/summary.csv" in gallery.entry("negation")


def test_pictures_of_other_sweeps_and_panels_are_not_shown(folder):
    folder.mkdir()
    for file in ("absolute_value", "absolute_value_plane", "absolute_value_input_map"):
        (folder / f"{file}.png").write_bytes(png())
    (folder / "negation_threshold.png").write_bytes(png())
    assert gallery.pictures("absolute_value") == ["absolute_value"]
    assert gallery.pictures("absolute_value_input_map") == ["absolute_value_input_map"]
    assert gallery.pictures("negation") == ["negation_threshold"]
    assert "How a failure rate depends" in gallery.entry("negation")
    assert "(figures/absolute_value_plane.png)" not in gallery.entry("absolute_value")


def test_only_figures_with_results_are_drawn_and_the_others_kept(
    folder, tmp_path, monkeypatch, capsys
):
    folder.mkdir()
    (folder / "boundary.png").write_bytes(b"of another machine")
    made = {"png": png(), "pdf": b"vectors", "json": b"{}\n"}

    def draw(name: str, results: Path, out: Path) -> list[Path]:
        assert name == "negation"
        return [path for file in (name, f"{name}_x") for path in drawing.save(out, file, made)]

    monkeypatch.setattr(drawing, "draw", draw)
    monkeypatch.setattr(drawing, "has_results", lambda name, _: name == "negation")
    monkeypatch.setattr(gallery.prose, "DOCS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["gallery", "--results", str(tmp_path / "results")])
    gallery.main()
    told = capsys.readouterr().out
    assert f"python -m sweeps boundary --out {tmp_path / 'results'}" in told
    assert {path.name for path in folder.iterdir()} == {
        "boundary.png",
        "negation.png",
        "negation.json",
    }
    assert (folder / "boundary.png").read_bytes() == b"of another machine"
    written = (tmp_path / "gallery.md").read_text()
    assert "(figures/boundary.png)" in written
    assert "(figures/negation.json)" in written


def test_a_picture_is_made_smaller_the_same_way_each_time():
    given = png(1)
    small = gallery.smaller(given)
    assert small == gallery.smaller(given)
    assert len(small) < len(given) / 2
    shown = Image.open(io.BytesIO(small))
    assert shown.size == (60, 40)
    assert len(shown.convert("RGB").getcolors() or []) == gallery.COLOURS


@pytest.mark.parametrize(
    ("name", "file", "begins"),
    [
        ("negation", "negation", "Every leaky unit"),
        ("negation", "negation_threshold", "How a failure rate depends"),
        ("default_initialisers", "default_initialisers_fates", "The fate read off"),
        ("folk_to_survival", "folk_to_survival_single_units", "Which single units live"),
        ("absolute_value", "absolute_value_plane", "Half of all"),
        ("absolute_value_input_map", "absolute_value_input_map", "Biases that can cross"),
    ],
)
def test_a_message_is_that_of_what_is_drawn(name, file, begins):
    assert drawing.message(name, file).startswith(begins)
    assert gallery.is_panel(name, file) == (file == "absolute_value_plane")
