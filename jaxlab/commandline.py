"""What all command lines share: one-line errors, device set-up, a clean Ctrl-C."""

import argparse
import importlib.util
import io
import os
import pkgutil
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import jax

from jaxlab import distributed, surroundings, waiting

SCRIPTED = ("sweeps", "figures")  # packages of scripts, which lie beside jaxlab in a checkout
LONGEST_PATH = 1000
GRACE = 10  # seconds in which a command ends, undisturbed by more signals
MOST_SAID = 450  # characters of an error; what is right stands at its end


class _Once(argparse.Action):
    """Keep what follows a flag; a second time is an error, for the first would be forgotten."""

    def __call__(self, parser: Any, namespace, values, option_string=None):
        if option_string and self.dest in parser.filled:
            right = "it may be given once, with all its values"
            raise argparse.ArgumentError(self, f"is there twice; {right}")
        parser.filled.add(self.dest)
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and exit code 2."""

    def __init__(self, *args, **kwargs):  # as argparse's own
        super().__init__(*args, **kwargs)
        self.filled: set[str] = set()
        for store in (None, "store"):
            self.register("action", store, _Once)

    def error(self, message: str) -> NoReturn:
        """Print what was wrong in one line and leave with exit code 2."""
        fail(f"{self.prog}: {message} (see {self.prog} --help)")

    def parse_known_args(self, args=None, namespace=None):  # pyright: ignore
        """Parse as usual; "--flag=--", of which argparse makes an empty list, is an error."""
        given = list(sys.argv[1:] if args is None else args)
        self.filled.clear()
        for flag, _, word in (text.partition("=") for text in given):
            if flag.startswith("--") and word == "--":
                self.error(f"argument {flag}: '--' is no value")
        return super().parse_known_args(given, namespace)


def described(prog: str, doc: str | None) -> Parser:
    """Return a parser whose help is a module's docstring: what it does, then examples."""
    lines = (doc or "").split("\n", 2)
    form = argparse.RawDescriptionHelpFormatter
    epilog = "examples:\n" + lines[2]
    return Parser(prog, description=lines[0], epilog=epilog, formatter_class=form)


def scripts(package: ModuleType) -> list[str]:
    """Return the names of a package's scripts: its modules, but those that begin with _."""
    found = (m.name for m in pkgutil.iter_modules(package.__path__) if not m.ispkg)
    return sorted(name for name in found if not name.startswith("_"))


def script(package: ModuleType, name: str) -> ModuleType:
    """Import a script by name; ValueError lists the names there are."""
    if name not in scripts(package):
        known = ", ".join(scripts(package))
        raise ValueError(f"{package.__name__} has no {name!r}; there are: {known}")
    return importlib.import_module(f"{package.__name__}.{name}")


def package(name: str) -> ModuleType | None:
    """Return `sweeps` or `figures`: as imported already, or from beside jaxlab; None without them.

    The working directory is not looked at: it may be a stranger's, with a `sweeps` of its own.
    """
    if name not in sys.modules:
        front = [sys.modules[other] for other in SCRIPTED if other in sys.modules]
        root = Path((front or [sys.modules["jaxlab"]])[0].__file__ or "").parents[1]
        if not all((root / other / "__init__.py").is_file() for other in SCRIPTED):
            return None
        for other in SCRIPTED:  # both, as they import one another
            if other not in sys.modules:
                _load(root / other)
    return sys.modules.get(name)


def _load(folder: Path) -> None:
    where = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(folder.name, where)
    if spec is None or spec.loader is None:
        raise ImportError(f"{where} cannot be imported")
    sys.modules[folder.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[folder.name])


def beside(name: str, script_name: str) -> ModuleType | None:
    """Return a script of `sweeps` or `figures`, which are there beside jaxlab or not; or None."""
    found = package(name)
    return script(found, script_name) if found and script_name in scripts(found) else None


def fail(message: str) -> NoReturn:
    """Print one line to standard error, the middle of a long one left out; leave with code 2."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(message.split()))
    if len(shown) > MOST_SAID:
        shown = f"{shown[: MOST_SAID // 2]} ... {shown[-MOST_SAID // 2 :]}"
    print(shown, file=sys.stderr)
    raise SystemExit(2)


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return an argparse type for whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        right = f"a whole number, at least {low}" + (f" and at most {high}" if high else "")
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {right}") from None
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{value} is not {right}")
        return value

    return parse


def path(text: str) -> Path:
    """Parse a path, as an argparse type; an empty one is most often an unset shell variable."""
    if not 0 < len(text) <= LONGEST_PATH or "\0" in text:
        right = f"a path: 1 to {LONGEST_PATH} characters, none of them NUL"
        raise argparse.ArgumentTypeError(f"{text!r} is not {right}")
    return Path(text)


def use_all_cores() -> None:
    """Make JAX see as many CPU devices as there are cores; no effect on accelerators.

    Only command lines call this: a program that imports jaxlab keeps its own settings.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    jax.config.update("jax_num_cpu_devices", cores or 1)


class Terminated(KeyboardInterrupt):
    """SIGTERM: what a cluster sends before it kills. It ends a command as Ctrl-C does."""


class _Stop:
    """A handler of signals that ends a command; more of them while it ends do not disturb it."""

    def __init__(self):
        self.came: float | None = None  # when the last signal did that was not passed over

    def __call__(self, number: int, _: object) -> None:
        if self.came is not None and time.monotonic() - self.came < GRACE:
            return
        self.came = time.monotonic()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def run_cleanly(main: Callable[[], None]) -> None:
    """Call a command; an error ends it with one line and exit code 2.

    Ctrl-C and SIGTERM end it with one line that says how to go on, and 130 or 143.
    """
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by who called: print would take the other one
            setattr(sys, stream, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path can hold bytes that are no text
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _run(main)
    except SystemExit as left:
        # Python, as it ends, stops threads wherever they are, which those of XLA do not survive.
        at_once = stop.came is not None or waiting.left_behind()
        distributed.leave(left.code if isinstance(left.code, int) else 0, at_once=at_once)
    except Exception:
        if distributed.several():  # the others would wait for this one
            traceback.print_exc()
            distributed.leave(1)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(main: Callable[[], None]) -> None:
    try:
        main()
        sys.stdout.flush()  # at Python's own end it would be too late for an error in one line
    except (ValueError, distributed.PeerLostError) as error:
        fail(str(error))
    except (MemoryError, RuntimeError, AssertionError) as error:
        missing = surroundings.missing_platform()
        if missing:
            fail(missing)
        if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        fail("memory is too small for that; ask for less at once, or for shards of it")
    except KeyboardInterrupt as stop:
        done = "; ".join(getattr(stop, "__notes__", ["what is finished is kept"]))
        words = sys.orig_argv[1:]
        installed = words and Path(words[0]).name == "jaxlab"
        typed = shlex.join(["jaxlab", *words[1:]] if installed else ["python", *words])
        start = "\n" if sys.stderr.isatty() else ""  # there, after ^C and what is left of a bar
        print(f"{start}stopped: {done}; to go on: {typed}", file=sys.stderr)
        raise SystemExit(143 if isinstance(stop, Terminated) else 130) from None
    except BrokenPipeError:
        # The reader (head, say) has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:  # a full disk, say
        fail(
            f"{error.filename or 'a file'} could not be read or written: {error.strerror or error}"
        )
