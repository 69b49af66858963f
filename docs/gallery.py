"""Draw every figure whose results are there, and write docs/gallery.md around the pictures.

    python -m docs.gallery --results results

A picture whose results are on another machine is kept; one that nobody has drawn yet keeps its
place, with the command that makes it. Pictures are those of `python -m figures`, in 256 colours.
"""

import importlib
import io
import tempfile
from pathlib import Path

from PIL import Image

import figures.__main__ as drawing
from docs import prose
from docs.prose import DOCS, first_line, rest
from jaxlab import commandline, files
from jaxlab.grid import Grid

PICTURES = DOCS / "figures"
COMMAND = "python -m docs.gallery"
COLOURS = 256
GROUPS = {
    "Five questions from forums": (
        "absolute_value",
        "negation",
        "doubling",
        "arithmetic",
        "squares",
    ),
    "Results of the literature": ("default_initialisers", "dying_relu", "trainability", "boundary"),
    "Theory": ("folk_to_survival",),
    "Maps": (
        "absolute_value_weight_map",
        "absolute_value_input_map",
        "doubling_scale_map",
        "doubling_width_map",
        "negation_map",
    ),
}
OPENING = """\
Every figure of `python -m figures all`, with its message, the command that trains and draws it, and
its data. A picture is made from results alone and never trains; the same results give the same
bytes. Beside each picture the commands write a PDF for a paper, as wide as one or two columns and
with its fonts inside, to `results/figures/`."""
INTRODUCTIONS = {
    "Five questions from forums": """\
Each is about a small network that somebody posted because it did not learn. What the answers said
is ruled on in [the claims](results.md#what-the-threads-say-and-what-became-of-it).""",
    "Results of the literature": "What papers and libraries say, trained again and counted.",
    "Theory": """\
Two formulas for the same failure, and what leads from one to the other; [the theory](theory.md) has
all formulas.""",
    "Maps": """\
One cell, many networks: the commonest outcome over two numbers of a program, and theory's lines
across it.""",
}
AFTER = {
    "default_initialisers": "the laws of Glorot and Bengio 2010 (Keras), LeCun, Bottou, Orr and "
    "Müller 1998 (Flax), He, Zhang, Ren and Sun 2015, Saxe, McClelland and Ganguli 2014 "
    "(orthogonal), and Lu, Shin, Su and Karniadakis 2019 (RAI)",
    "dying_relu": "Lu, Shin, Su and Karniadakis 2019",
    "trainability": "the repository tr_xor, 2025; Shin and Karniadakis 2020; a forum",
    "boundary": "Sohl-Dickstein 2024",
}
"""Who showed it first."""


def draw(name: str, results: Path) -> list[Path]:
    """Draw a sweep's figures into docs/figures and return what was written there."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = drawing.draw(name, results, Path(folder))
        kept = [p for p in drawn if p.suffix != ".pdf" and not is_panel(name, p.stem)]
        contents = {PICTURES / path.name: path.read_bytes() for path in kept}
    files.make_folder(PICTURES)
    for path, content in contents.items():
        files.write_atomically(path, smaller(content) if path.suffix == ".png" else content)
    return list(contents)


def smaller(png: bytes) -> bytes:
    """Return a PNG in a palette of 256 colours, a third of its size; equal ones stay equal."""
    given = Image.open(io.BytesIO(png)).convert("RGB")
    method, dither = Image.Quantize.MEDIANCUT, Image.Dither.NONE
    buffer = io.BytesIO()
    given.quantize(COLOURS, method=method, dither=dither).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def is_panel(name: str, file: str) -> bool:
    """Say whether a figure is but a part of its sweep's main one, whose message it shares."""
    return file != name and drawing.message(name, file) == drawing.message(name, name)


def pictures(name: str) -> list[str]:
    """Return the figures of a sweep that docs/figures holds, the main one first."""
    others = [other for other in drawing.names() if other.startswith(f"{name}_")]
    found = [path.stem for path in sorted(PICTURES.glob(f"{name}*.png"))]
    own = [file for file in found if file == name or file.startswith(f"{name}_")]
    own = [file for file in own if not any(file.startswith(other) for other in others)]
    return [file for file in own if not is_panel(name, file)]


def entry(name: str) -> str:
    """Return what the gallery says of a sweep and its figures."""
    sweep = importlib.import_module(f"sweeps.{name}")
    parts = [f"### {name}", prose.prose(first_line(sweep.__doc__))]
    if name in AFTER:
        parts.append(f"After {AFTER[name]}.")
    found = pictures(name)
    parts += [part for file in found for part in picture(name, file)]
    if not found:
        text = (
            "No picture yet. The first command below trains, then `python -m docs.gallery` draws."
        )
        parts += [f"**{message(name, name)}**", f"*{text}*"]
    table = "grid.npz" if isinstance(sweep.build(), Grid) else "summary.csv"
    made = f"`python -m sweeps {name}`, then `python -m figures {name}`"
    numbers = ", ".join(f"[{file}.json](figures/{file}.json)" for file in found)
    data = f"`results/{name}/{table}`" + (f"; the captions' numbers: {numbers}" if found else "")
    return "\n\n".join([*parts, f"Command: {made}. Data: {data}."])


def picture(name: str, file: str) -> list[str]:
    """Return a picture, its message and its caption."""
    said = message(name, file)
    shown = f"![{said}](figures/{file}.png)"
    return [f"**{said}**", shown, prose.prose(rest(drawing.describing(name, file).__doc__))]


def message(name: str, file: str) -> str:
    """Return a figure's message as Markdown."""
    return prose.prose(drawing.message(name, file))


def text() -> str:
    """Return the gallery, of the pictures that docs/figures holds."""
    parts = [OPENING]
    for title, names in GROUPS.items():
        parts += [f"## {title}", INTRODUCTIONS[title], *map(entry, names)]
    return prose.page("Gallery", COMMAND, parts)


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described(COMMAND, __doc__)
    results, said = Path("results"), "default: results"
    made.add_argument("--results", type=commandline.path, default=results, help=said)
    return made


def main() -> None:
    """Draw what can be drawn and write the gallery."""
    results = parser().parse_args().results
    for name in drawing.names():
        if not drawing.has_results(name, results):
            print(f"kept as it is: {name}, which has no results; {drawing.remedy(name, results)}")
            continue
        for path in draw(name, results):
            print(f"drawn: {path}")
    print(f"written: {prose.write('gallery.md', text())}")


if __name__ == "__main__":
    commandline.run_cleanly(main)
