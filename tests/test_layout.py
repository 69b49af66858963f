"""Exact: who may import and do what, read off the source; and how jaxlab behaves as a guest."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jaxlab"
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]
COMPILING = {"jit", "shard_map", "pmap", "make_mesh"}
COMPILERS = {"engine.py"}
NATIVE = {"native/" + path.name for path in (PACKAGE / "native").glob("*.py")}


def imports(text: str) -> set[str]:
    """Return the full names of all that a source text imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def compiles(text: str) -> set[str]:
    """Return which of jax's compiling functions a source text names."""
    nodes = list(ast.walk(ast.parse(text)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return COMPILING & (attributes | {name.split(".")[-1] for name in imports(text)})


@cache
def source(name: str) -> str:
    return (PACKAGE / name).read_text()


def within(imported: set[str], *packages: str) -> set[str]:
    return {i for i in imported if any(i == p or i.startswith(p + ".") for p in packages)}


def reached(name: str) -> Iterator[str]:
    """Yield a file of the package and all files that it imports, directly or not."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        yield current
        for imported in within(imports(source(current)), "jaxlab"):
            parts = imported.split(".")[1:]
            for end in range(1, len(parts) + 1):
                path = "/".join(parts[:end])
                waiting += [n for n in (f"{path}.py", f"{path}/__init__.py") if n in NAMES]


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("theory/")])
def test_theory_imports_nothing_that_trains(name):
    imported = imports(source(name))
    assert not within(imported, "jax", "flax", "optax")
    assert within(imported, "jaxlab") == within(imported, "jaxlab.theory")


@pytest.mark.parametrize("name", NAMES)
def test_only_networks_and_modules_import_flax(name):
    assert bool(within(imports(source(name)), "flax")) == (name in {"networks.py", "modules.py"})


@pytest.mark.parametrize("name", NAMES)
def test_only_native_code_imports_llvmlite_and_only_what_runs_it_imports_that(name):
    imported = imports(source(name))
    assert not within(imported, "llvmlite") or name in NATIVE
    assert not within(imported, "jaxlab.native") or name in NATIVE | {
        "engine.py",
        "block.py",
        "provenance.py",
    }


@pytest.mark.parametrize("name", NAMES)
def test_only_the_engine_compiles_and_shards(name):
    assert bool(compiles(source(name))) == (name in COMPILERS)


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("spec.py", {"keys.py", "tasks.py", "networks.py", "training.py", "engine.py"}),
        ("training.py", {"outcomes.py", "engine.py", "store.py", "runs.py", "initialisers.py"}),
        ("outcomes.py", {"training.py", "engine.py", "store.py"}),
        ("block.py", {"engine.py", "grouping.py", "store.py", "runs.py", "result.py"}),
        *[(n, {"engine.py", "block.py", "outcomes.py", "initialisers.py"}) for n in sorted(NATIVE)],
        ("engine.py", {"store.py", "runs.py", "result.py", "compare.py", "tally.py"}),
        ("scaling.py", {"training.py", "engine.py", "tasks.py", "outcomes.py"}),
        ("tasks.py", {"training.py", "engine.py", "outcomes.py", "block.py"}),
        ("grid.py", {"engine.py", "training.py", "grid_runs.py", "store.py"}),
        ("grid_runs.py", {"runs.py", "compare.py"}),
        ("tally.py", {"training.py", "engine.py", "outcomes.py"}),
        ("sealed.py", {"spec.py", "store.py", "engine.py"}),
        ("shards.py", {"spec.py", "store.py", "engine.py"}),
        ("store.py", {"engine.py", "runs.py", "compare.py"}),
        ("merging.py", {"engine.py", "runs.py", "compare.py"}),
        ("plotting.py", {"training.py", "engine.py", "runs.py"}),
    ],
)
def test_dependencies_point_one_way(name, without):
    assert not without & set(reached(name))


@pytest.mark.parametrize(
    "text", ["import jax\nf = jax.jit(g)", "from jax import jit", "@jax.jit\ndef f(): pass"]
)
def test_a_compiling_file_would_be_noticed(text):
    assert compiles(text) == {"jit"}
    assert imports("def f():\n    from flax import nnx") == {"flax.nnx"}


GUEST = """
import jax
before = dict(jax.config.values)
import jaxlab
import jaxlab.networks, jaxlab.store, jaxlab.commandline, jaxlab.engine
changed = {k for k, v in jax.config.values.items() if before.get(k, v) != v}
assert not changed, changed
# Refused as soon as a backend has started:
jax.config.update("jax_num_cpu_devices", 3)
assert jax.local_device_count() == 3
try:
    jax.config.update("jax_num_cpu_devices", 2)
except RuntimeError:
    pass
else:
    raise AssertionError("a started backend would not have been noticed")
"""


def test_importing_starts_no_backend_prints_nothing_and_changes_no_setting():
    command = [sys.executable, "-W", "error", "-c", GUEST]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
