"""Write HTML: escaped text, elements, tables, and figures of matplotlib as inline SVG.

Whatever is not `Markup` is escaped when it is put into an element, so that a name can hold any
character. Nothing here knows networks; what is written needs no script and no other file.
"""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from jaxlab import validation
from jaxlab.plotting import DPI

VOID = ("br", "meta")  # elements that have no content and no end
ALIGNED = {"l": None, "r": "number", "t": "text"}  # classes of a table's columns
PIXELS = 96  # of CSS in an inch

# Attributes of SVG that hold points, and their numbers: a hundredth of a point cannot be seen.
PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
LONG = re.compile(r"-?\d+\.\d{3,}")

# What HTML cannot hold even escaped: controls and halves of surrogate pairs.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


TURNING = {ord(mark): ascii(mark)[1:-1] for mark in validation.TURNING}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(value: object) -> Markup:
    """Return a value's text as HTML, with U+FFFD for what HTML cannot hold.

    Marks that turn the direction of the text that follows are shown as Python writes them.

    >>> escape("a < b & 'c'")
    'a &lt; b &amp; &#x27;c&#x27;'
    """
    if isinstance(value, Markup):
        return value
    text = UNWRITABLE.sub("\ufffd", str(value)).translate(TURNING)
    return Markup(html.escape(text))


def joined(*parts: object) -> Markup:
    """Return parts one after the other, each escaped unless it is HTML already."""
    return Markup("".join(map(escape, parts)))


def element(tag: str, /, *content: object, **attributes: object) -> Markup:
    """Return an element; of an attribute's name the last _ is dropped, others become -.

    Attributes that are None are left out.

    >>> element("td", "<", class_="number", id=None)
    '<td class="number">&lt;</td>'
    """
    given = "".join(
        f' {key.removesuffix("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = joined(*content)
    return Markup(f"<{tag}{given}>" + ("" if tag in VOID else f"{inside}</{tag}>"))


def table(
    caption: str, heads: Sequence[str], align: str, rows: Sequence[Sequence[object]]
) -> Markup:
    """Return a table that scrolls in a box of its own; the first cell of a row is its name.

    `align` has a letter for every column: l for words, r for numbers, t for text of several lines.
    Raises ValueError where a row or `align` has another length than `heads`.
    """
    kinds = [ALIGNED[letter] for letter in align]
    first = [
        element("th", head, scope="col", class_=kind)
        for head, kind in zip(heads, kinds, strict=True)
    ]
    lines = []
    for row in rows:
        cells = list(zip(row, kinds, strict=True))
        name = element("th", cells[0][0], scope="row", class_=kinds[0])
        others = [element("td", cell, class_=kind) for cell, kind in cells[1:]]
        lines.append(element("tr", name, *others))
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *first)),
        element("tbody", *(joined("\n", line) for line in lines)),
    )
    return scrolling(caption, whole)


def scrolling(name: str, content: Markup) -> Markup:
    """Return what may be wider than a screen in a box that scrolls; keyboards reach it by name."""
    return element("section", content, class_="scroll", aria_label=name, tabindex=0)


def picture(figure: Figure, title: str, description: str) -> Markup:
    """Return a figure as an SVG element with a title and a description for who does not see it.

    Equal figures give equal text, different ones different ids, so that a page can hold several.
    """
    buffer = io.BytesIO()
    same: Any = {"svg.hashsalt": "jaxlab", "svg.fonttype": "path"}
    with matplotlib.rc_context(same), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a box is drawn instead
        figure.savefig(buffer, format="svg", dpi=DPI, metadata={"Date": None})
    drawn = buffer.getvalue().decode()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    # Comments repeat all words, the metadata are of no use here, and the style, which is given
    # below, would hold for the whole page.
    for unwanted in ("<!--.*?-->", "<metadata>.*?</metadata>", "<style .*?</style>"):
        body = re.sub(unwanted, "", body, flags=re.DOTALL)
    mark = "f" + hashlib.sha256((drawn + title).encode()).hexdigest()[:8]
    body = re.sub(r'\bid="', f'id="{mark}-', body)
    body = re.sub(r'\b(?:xlink:)?href="#', f'href="#{mark}-', body).replace("xlink:href", "href")
    body = body.replace("url(#", f"url(#{mark}-")
    body = PLACES.sub(lambda found: LONG.sub(_shorter, found[0]), body)
    wide, high = figure.get_size_inches()
    return element(
        "svg",
        element("title", title, id=f"{mark}-title"),
        element("desc", description, id=f"{mark}-desc"),
        Markup(re.sub(r"\n\s*", "\n", body)),
        role="img",
        aria_labelledby=f"{mark}-title {mark}-desc",
        viewBox=f"0 0 {72 * wide:g} {72 * high:g}",
        width=f"{PIXELS * wide:.0f}",
        height=f"{PIXELS * high:.0f}",
        stroke_linejoin="round",
        stroke_linecap="butt",
    )


def _shorter(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}"


def page(title: str, style: str, body: Markup) -> str:
    """Return a whole document that needs nothing beside it; `style` is CSS of ours."""
    head = element(
        "head",
        *("\n", element("meta", charset="utf-8")),
        *("\n", element("meta", name="viewport", content="width=device-width, initial-scale=1")),
        *("\n", element("meta", name="generator", content=GENERATOR)),
        *("\n", element("title", title)),
        *("\n", element("style", Markup(style))),
        "\n",
    )
    whole = element("html", "\n", head, "\n", element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


GENERATOR = "jaxlab report"
