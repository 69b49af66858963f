"""Write docs/reference.md: signatures and docstrings of the public functions, and all --help texts.

    python -m docs.reference

Modules come in the order in which one meets them. Signatures are taken from the source, so that
they read as they were written.
"""

import ast
import functools
import importlib
import inspect
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

import jaxlab
from docs import prose
from docs.prose import anchor
from jaxlab import commandline, tools

COMMAND = "python -m docs.reference"
WIDTH = 88  # characters of a signature in one line
MODULES: Mapping[str, tuple[str, ...]] = {
    "Say what is trained": (
        "spec",
        "tasks",
        "own_tasks",
        "paper_tasks",
        "modules",
        "optimisers",
        "variants",
    ),
    "Train it": ("runs", "result", "replaying.trajectory", "replaying.story"),
    "What became of it": ("outcomes", "answer", "advice", "tally", "survival"),
    "Hold counts against each other and against theory": (
        "compare",
        "contrast",
        "power",
        "verdicts",
        "claims",
    ),
    "Theory": ("theory.prediction", "theory.registry", "theory.laws"),
    "Explain a loss or a picture": ("forensics", "explanation", "replaying.foretelling", "fractal"),
    "Maps and censuses": ("grid", "grid_runs", "census"),
    "Check it elsewhere, report it": ("checking.crosscheck", "checking.agreement", "report"),
    "Results on disk": ("store", "sealed", "merging", "export"),
    "Draw": ("plotting",),
}
"""The modules of `jaxlab` by what one does with them."""
COMMANDS = ("sweeps", "figures", "benchmarks", "jaxlab")


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield a module's own public functions and classes, in the order of its source."""
    for name, member in vars(module).items():
        own = getattr(member, "__module__", None) == module.__name__
        if own and not name.startswith("_") and callable(member):
            yield name, member


def signature(name: str, member: Any) -> str:
    """Return how a function or a class is called, a parameter in each line where it is long."""
    node = _parsed(member)
    if isinstance(node, ast.ClassDef):
        return _fields(name, node)
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    node.args.posonlyargs = [a for a in node.args.posonlyargs if a.arg not in ("self", "cls")]
    node.args.args = [a for a in node.args.args if a.arg not in ("self", "cls")]
    return _called(name, _parameters(node.args), returned)


def _parsed(member: Any) -> ast.ClassDef | ast.FunctionDef:
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(member)))
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    return node


def _parameters(given: ast.arguments) -> list[str]:
    """Return the parameters as they are written, one by one."""
    apart = []
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        apart.append(_parameter(argument, default))
        if given.posonlyargs and argument is given.posonlyargs[-1]:
            apart.append("/")
    if given.vararg:
        apart.append(f"*{ast.unparse(given.vararg)}")
    elif given.kwonlyargs:
        apart.append("*")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        apart.append(_parameter(argument, default))
    if given.kwarg:
        apart.append(f"**{ast.unparse(given.kwarg)}")
    return apart


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    said = ast.unparse(argument)
    if default is None:
        return said
    return f"{said}{' = ' if argument.annotation else '='}{ast.unparse(default)}"


def _fields(name: str, node: ast.ClassDef) -> str:
    """Return a class's call: its annotated fields, or what its `__init__` takes."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            part.args.args = part.args.args[1:]
            return _called(name, _parameters(part.args), "")
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    return _called(name, [ast.unparse(part) for part in fields if _is_public(part)], "")


def _is_public(part: ast.AnnAssign) -> bool:
    return not ast.unparse(part.target).startswith("_")


def _called(name: str, parameters: list[str], returned: str) -> str:
    parameters, returned = [p.replace("'", '"') for p in parameters], returned.replace("'", "")
    line = f"{name}({', '.join(parameters)}){returned}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {text}," for text in parameters), f"){returned}"])


def documented(text: str | None) -> str:
    """Return a docstring as Markdown, its examples as blocks of code."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    shown = []
    for block in blocks:
        before, arrow, example = block.partition(">>> ")
        if before.strip():
            shown.append(prose.prose(before.strip()))
        if arrow:
            shown.append(f"```python\n{arrow}{example}\n```")
    return "\n\n".join(shown)


def described(name: str, member: Any) -> str:
    """Return what there is to say of a function, or of a class with its methods."""
    module = member.__module__.removeprefix("jaxlab.")
    parts = [f"#### {module}.{name}", f"```python\n{signature(name, member)}\n```"]
    parts.append(documented(member.__doc__))
    if inspect.isclass(member):
        parts += [_method(key, found) for key, found in vars(member).items() if key[0] != "_"]
    return "\n\n".join(part for part in parts if part)


def _method(name: str, member: Any) -> str:
    """Return a method or a property in one item of a list; "" for what is neither."""
    is_read = isinstance(member, property | functools.cached_property)
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    function = getattr(function, "__func__", function)  # of a class method
    if not isinstance(function, FunctionType) or not function.__doc__:
        return ""
    called = name if is_read else " ".join(signature(name, function).split())
    said = textwrap.indent(documented(function.__doc__), "  ").strip()
    return f"- `.{called}`\n\n  {said}"


def section(name: str) -> str:
    """Return all of one module's public functions and classes."""
    module = importlib.import_module(f"jaxlab.{name}")
    found = [described(*pair) for pair in public(module)]
    return "\n\n".join([f"### jaxlab.{name}", documented(module.__doc__), *found])


def top_level() -> str:
    """Return the names that `import jaxlab` gives, with what each is."""
    lines = []
    for name in jaxlab.__all__:
        member = getattr(jaxlab, name)
        if not callable(member) and not isinstance(member, ModuleType):
            shown = ", ".join(map(str, member))
            lines.append(f"- `jaxlab.{name}`: {shown}")
            continue
        first = inspect.cleandoc(member.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        lines.append(f"- `jaxlab.{name}`: {prose.prose(first)}")
    return "\n".join(lines)


def parsers() -> Iterator[commandline.Parser]:
    """Yield the parsers of all command lines, the tools' after that of `jaxlab`."""
    for package in COMMANDS:
        yield importlib.import_module(f"{package}.__main__").parser()
    for name in commandline.scripts(tools):
        yield commandline.script(tools, name).parser()


def helps() -> str:
    """Return what every command line says to --help, at 80 columns and without colours."""
    with mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}):
        return "\n\n".join(
            f"### {made.prog}\n\n```text\n{made.format_help().rstrip()}\n```" for made in parsers()
        )


def text() -> str:
    """Return the whole reference."""
    opening = (
        "What `import jaxlab` gives, then every module's public functions and classes with their "
        "docstrings, then the command lines. Shapes stand in brackets after an array's name; "
        "a *member* is one trained network, a *setting* what its sweep calls its kind. "
        "The formulas of `jaxlab.theory` have [a chapter of their own](theory.md)."
    )
    titles = ["import jaxlab", *MODULES, "Command lines"]
    contents = "\n".join(f"- [{title}](#{anchor(title)})" for title in titles)
    parts = [opening, contents, "## import jaxlab", top_level()]
    for title, names in MODULES.items():
        parts += [f"## {title}", *map(section, names)]
    return prose.page("Reference", COMMAND, [*parts, "## Command lines", helps()])


def parser() -> commandline.Parser:
    """Return the command line."""
    return commandline.described(COMMAND, __doc__)


def main() -> None:
    """Write the reference."""
    parser().parse_args()
    print(f"written: {prose.write('reference.md', text())}")


if __name__ == "__main__":
    commandline.run_cleanly(main)
