"""Write what a folder of results says as one HTML file, for a screen, a phone or paper.

python -m jaxlab report results/absolute_value
python -m jaxlab report results/absolute_value --out absolute_value.html

DIR is the folder of a sweep, a map or a census. Question, answer, figures, counts with exact
intervals, verdicts on theory and claims, specification, versions and the commands to repeat it are
all in the one file, which loads nothing. An older report is replaced, any other file is not.
"""

from jaxlab import commandline, report


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab report", __doc__)
    made.add_argument("folder", type=commandline.path, metavar="DIR", help="a folder of results")
    text = f"default: {report.FILE} in that folder"
    made.add_argument("--out", type=commandline.path, metavar="FILE.html", help=text)
    made.add_argument("--quiet", action="store_true", help="no progress")
    return made


def main(arguments: list[str]) -> None:
    """Write the report and say where it is."""
    options = parser().parse_args(arguments)
    path = report.write(options.folder, options.out, progress=not options.quiet)
    print(f"written: {path}")
