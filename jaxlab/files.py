"""Write files so that nobody ever sees half of one."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a file under a temporary name; at the end, and only without an error, rename it.

    Content and name are on the disk then, and not only on their way there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
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


def write_csv(
    path: Path, rows: Sequence[Mapping[str, object]], columns: Sequence[str] = ()
) -> None:
    """Write rows of the same columns, in the order given or else that of the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns or rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())
