"""Exact: what is text stays text, tables and figures are whole, equal figures are equal bytes."""

import markup
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from jaxlab import html, plotting
from jaxlab.html import Markup, element, joined


def figure(points: int = 3, label: str = "x") -> Figure:
    made = Figure(figsize=(3, 2))
    axes = made.add_subplot()
    x = np.linspace(0, 1, points)
    look = {"colour": "#0072B2", "marker": "o", "label": label, "size": 2.0}
    plotting.draw_points(axes, x, x**2, **look)
    axes.fill_between(x, x, hatch="//", clip_path=axes.patch)
    axes.set_xlabel(label, parse_math=False)
    return made


def page(*parts: Markup) -> str:
    return html.page("a page", "p { color: black }", joined(element("h1", "a page"), *parts))


@given(st.text(st.characters()))
def test_text_comes_back_as_it_was_put_in(text):
    written = str(element("p", text, title=text))
    encoded = written.encode()  # half a surrogate pair could not be
    (found,) = markup.Page(encoded.decode()).found
    shown = html.UNWRITABLE.sub("\ufffd", text)
    assert "".join(found[2]) == shown
    assert found[1] == {"title": shown}


def test_markup_is_not_escaped_again_and_attributes_can_be_left_out():
    inner = element("b", "<")
    assert element("p", inner, ">") == "<p><b>&lt;</b>&gt;</p>"
    assert element("td", 3, class_="number", aria_label="n", id=None) == (
        '<td class="number" aria-label="n">3</td>'
    )
    assert element("br") == "<br>"
    assert joined("a", inner, 1) == "a<b>&lt;</b>1"


def test_a_table_names_its_rows_and_columns_and_scrolls_by_keyboard():
    rows = [["k=2", "71.4", "a < b"], ["k=3", "47.8", ""]]
    found = markup.check(page(html.table("Rates", ["setting", "fails %", "text"], "lrt", rows)))
    assert found.texts("caption") == ["Rates"]
    assert found.texts("th") == ["setting", "fails %", "text", "k=2", "k=3"]
    assert found.texts("td") == ["71.4", "a < b", "47.8", ""]
    scopes = [attributes["scope"] for attributes in found.all("th")]
    assert scopes == ["col"] * 3 + ["row"] * 2
    (box,) = found.all("section")
    assert box == {"class": "scroll", "aria-label": "Rates", "tabindex": "0"}


@pytest.mark.parametrize("rows", [[["k=2"]], [["k=2", "1", "2"]]])
def test_a_row_of_another_length_is_refused(rows):
    with pytest.raises(ValueError, match=r"shorter|longer"):
        html.table("Rates", ["setting", "fails %"], "lr", rows)


def test_figures_have_a_title_a_description_and_ids_of_their_own():
    pictures = [html.picture(figure(n), f"Figure {n} < 9", "Points & more.") for n in (3, 4)]
    found = markup.check(page(*pictures))
    assert found.texts("title")[1:] == ["Figure 3 < 9", "Figure 4 < 9"]
    assert found.texts("desc") == ["Points & more."] * 2
    first, second = (found.all("svg")[i]["aria-labelledby"] for i in (0, 1))
    assert first != second
    assert len(found.all("use")) > 6
    assert len(found.all("pattern")) == 2


def test_a_twin_on_one_page_would_be_noticed():
    twin = html.picture(figure(), "a", "b")
    with pytest.raises(AssertionError):
        markup.check(page(twin, twin))


def test_equal_figures_are_equal_bytes_and_say_neither_when_nor_by_what():
    one, other = (html.picture(figure(), "a", "b") for _ in range(2))
    assert one == other
    for word in ("metadata", "matplotlib.org", "<!--", "<style", "xlink", "dc:date"):
        assert word not in one


def test_many_points_are_an_image_and_few_are_not():
    few, many = (html.picture(figure(n), "a", "b") for n in (99, plotting.MANY + 1))
    assert "data:image/png;base64," in many
    assert "data:image" not in few
    assert many.count("<use") < few.count("<use")


def test_characters_without_a_glyph_warn_nobody():
    markup.check(page(html.picture(figure(label="ملف 💥"), "a", "b")))


def test_a_page_says_its_language_and_fits_a_phone():
    found = markup.check(page())
    assert found.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in found.all("meta")
    names = {attributes.get("name") for attributes in found.all("meta")}
    assert names == {None, "viewport", "generator"}
    assert page().startswith("<!DOCTYPE html>\n<html lang")
