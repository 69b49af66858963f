"""A page of HTML taken apart, so that tests can look at what stands in it."""

import re
from html.parser import HTMLParser

VOID = {"br", "meta"}


class Page(HTMLParser):
    """Elements with their attributes and text; AssertionError where tags do not close in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[int] = []
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.text = text
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {[self.found[i][0] for i in self.open]}"

    def handle_starttag(self, tag, attrs):
        """Keep an element."""
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        self.found.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(len(self.found) - 1)

    def handle_startendtag(self, tag, attrs):
        """Keep an element that ends at once, as those of SVG may."""
        assert any(self.found[i][0] == "svg" for i in self.open), f"<{tag}/> outside of SVG"
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        """Close the element that was opened last."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.found[self.open.pop()][0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        """Add text to all elements that are open."""
        for i in self.open:
            self.found[i][2].append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes, _ in self.found if name == tag]

    def texts(self, tag: str) -> list[str]:
        """Return the text inside every element of a kind."""
        return [" ".join("".join(words).split()) for name, _, words in self.found if name == tag]

    def ids(self) -> list[str | None]:
        """Return all ids, in order."""
        return [attributes["id"] for _, attributes, _ in self.found if "id" in attributes]

    def used(self) -> set[str]:
        """Return the ids that links, figures and names refer to."""
        of_links = re.findall(r'href="#([^"]*)"', self.text)
        of_areas = re.findall(r"url\(#([^)]*)\)", self.text)
        labels = [a["aria-labelledby"] or "" for _, a, _ in self.found if "aria-labelledby" in a]
        return {*of_links, *of_areas, *(name for label in labels for name in label.split())}


def check(text: str) -> Page:
    """Return a page that is well-formed, needs nothing from elsewhere and can be used without eyes.

    Every id occurs once and every one referred to exists; figures and tables say what they are;
    headings begin at 1 and leave out no level.
    """
    page = Page(text)
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    assert page.used() <= set(ids)
    known = {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    assert not known & {name for name, _, _ in page.found}
    for name, attributes, _ in page.found:
        assert not {"src", "srcset", "onload", "onclick"} & set(attributes)
        target = attributes.get("href") or "#"
        assert target.startswith("#") or (name == "image" and target.startswith("data:image/png;"))
    assert not re.findall(r"@import|url\((?!#)", text)
    for picture in page.all("svg"):
        assert picture["role"] == "img"
        assert picture["aria-labelledby"]
    assert len(page.texts("caption")) == len(page.all("table"))
    assert all(page.texts("caption"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    levels = [int(name[1]) for name, _, _ in page.found if re.fullmatch("h[1-6]", name)]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    return page
