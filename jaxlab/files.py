"""Write files so that nobody ever sees half of one; read those that strangers may have written."""

import csv
import errno
import io
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LARGEST = 2**31  # bytes of a file that is read
AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)  # Windows has neither


@contextmanager
def opened(path: Path, most: int = LARGEST) -> Iterator[BinaryIO]:
    """Open a file of at most `most` bytes for reading, without waiting for anybody.

    OSError unless it is a regular file: a pipe could be waited for, and a device read, for ever.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        state = os.fstat(file.fileno())  # of what was opened, which nobody can exchange any more
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
        yield file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | AT_ONCE)


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Return the content of a regular file of at most `most` bytes; OSError if it is none."""
    with opened(path, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)  # and no byte that was added since


def make_folder(path: Path) -> None:
    """Make a folder and the missing ones above it, all or none; OSError if it cannot be made."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            made.append(folder)
        path.mkdir(exist_ok=True)  # an error where it is a file
    except (OSError, ValueError):  # a ValueError for a text that no file system can encode
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a file under a temporary name; at the end, and only without an error, rename it.

    Content and name are on the disk then, and not only on their way there.
    """
    # Not the process's number: in containers that fill one folder all may have the same.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        error.filename = str(path)  # which the system leaves out where there is no space
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file all at once, as `replaced` does."""
    with replaced(path) as file:
        file.write(content)


def is_temporary(path: Path) -> bool:
    """Say whether a file is one that a process left which had no time to clean up."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _sync_folder(folder: Path) -> None:
    # Without this a power cut could undo the renaming. Windows opens no folders, and need not.
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


# What a spreadsheet takes for a formula, which it runs; the wide ones are those of East Asia.
FORMULA = re.compile("[\\t\\r\\n]|\\s*[=+@＝＋－＠-]")
KEPT = "'"  # before what is text all the same


def cell_of(value: object) -> object:
    """Return a cell for a value: text that a spreadsheet would run begins with an apostrophe.

    Texts that are numbers stay as they are. `text_of_cell` gives back the text. Source: OWASP, CSV
    Injection.

    >>> cell_of("=1+1"), cell_of("-0.5"), cell_of(-0.5), cell_of("x")
    ("'=1+1", '-0.5', -0.5, 'x')
    """
    return KEPT + value if isinstance(value, str) and _runs(value) else value


def text_of_cell(cell: str) -> str:
    """Return the text that `cell_of` made a cell of.

    >>> text_of_cell("'=1+1"), text_of_cell("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith(KEPT) and _runs(cell[1:]) else cell


def _runs(text: str) -> bool:
    bare = text.lstrip(KEPT)  # text that has apostrophes itself gets one more, and keeps its own
    if FORMULA.match(bare) is None:
        return False
    try:
        float(bare)
    except ValueError:
        return True
    return bare != text or not bare.isascii()


def write_csv(
    path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str] = ()
) -> None:
    """Write rows of the same columns, in the order given or else that of the first row.

    No spreadsheet runs what users have called a column or a row: see `cell_of`.
    """
    text, names = io.StringIO(), list(columns or rows[0])
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(cell_of, names))
    writer.writerows([cell_of(row[name]) for name in names] for row in rows)
    write_atomically(path, text.getvalue().encode())
