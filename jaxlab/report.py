"""Write what a folder of results says as one HTML file, which needs no other file and no network.

Equal results give equal bytes: all dates are those of the manifest.
"""

import sys
from importlib import resources
from pathlib import Path

from tqdm import tqdm

from jaxlab import files, html
from jaxlab.html import Markup, element, joined
from jaxlab.reporting import maps
from jaxlab.reporting.facts import Report

FILE = "report.html"
READ = 4096  # bytes in which a page says who wrote it


def write(folder: Path, out: Path | None = None, *, progress: bool = False) -> Path:
    """Write the report of a folder to `out` (default: report.html in it) and return its path.

    A report of ours is replaced. ValueError where the file is another one or cannot be written,
    ResultsError where the folder holds no results or damaged ones.
    """
    path = out or folder / FILE
    _check_ours(path)
    content = html_of(folder, progress=progress).encode()
    try:
        files.write_atomically(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"cannot write {path}: {reason}; choose another --out") from error
    return path


def _check_ours(path: Path) -> None:
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; --out is the name of a file")
        if not path.exists():
            return
        with files.opened(path) as file:
            start = file.read(READ)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"cannot read {path}: {reason}; choose another --out") from error
    if f'content="{html.GENERATOR}"'.encode() not in start:
        raise ValueError(f"{path} is no report of jaxlab; choose another --out or move it away")


def html_of(folder: Path, *, progress: bool = False) -> str:
    """Return the report of a folder as a page; ResultsError where it holds no results."""
    look = {"ncols": 79, "file": sys.stderr, "leave": False, "disable": not progress or None}
    with tqdm(desc="reading", **look) as bar:
        report = maps.of_folder(folder)
        bar.reset(total=len(report.sections))
        written = []
        for heading, section in report.sections:
            bar.set_description(heading)
            written.append((heading, section()))
            bar.update()
    return page(report, [(heading, content) for heading, content in written if content])


def page(report: Report, sections: list[tuple[str, Markup]]) -> str:
    """Return a report and its sections as a page."""
    marks = [f"section-{i}" for i in range(1, len(sections) + 1)]
    named = list(zip(marks, sections, strict=True))
    links = [element("li", element("a", heading, href=f"#{mark}")) for mark, (heading, _) in named]
    top = element(
        "header",
        element("p", "jaxlab report: ", element("strong", report.name), class_="name"),
        element("h1", report.question),
        *(element("p", text) for text in report.about),
        element("nav", element("ul", *links), aria_label="Contents"),
    )
    parts = [
        element("section", element("h2", heading, id=mark), content, aria_labelledby=mark)
        for mark, (heading, content) in named
    ]
    style = resources.files("jaxlab.reporting").joinpath("report.css").read_text("utf-8")
    body = joined("\n", top, "\n", element("main", *(joined("\n", part) for part in parts)), "\n")
    return html.page(f"{report.name} – jaxlab report", style, body)
