"""Write the pages of docs/ that need no results: the reference, the theory, the gallery's text.

    python -m docs

`python -m docs.gallery` draws the gallery's pictures, `python -m docs.results` writes the tables.
"""

from docs import chapter, gallery, prose, reference
from jaxlab import commandline

PAGES = {"gallery.md": gallery.text, "reference.md": reference.text, "theory.md": chapter.text}


def parser() -> commandline.Parser:
    """Return the command line."""
    return commandline.described("python -m docs", __doc__)


def main() -> None:
    """Write every page."""
    parser().parse_args()
    for name, text in PAGES.items():
        print(f"written: {prose.write(name, text())}")


if __name__ == "__main__":
    commandline.run_cleanly(main)
