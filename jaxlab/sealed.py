"""Files with a checksum of what they hold: arrays (npz) and JSON that prove to be whole.

Nothing here unpickles, and no file can ask for more memory than `LARGEST`: files of strangers are
safe to open.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab.files import make_folder, write_atomically

LARGEST = 2**31  # bytes of arrays in one file
UNREADABLE = (
    *(OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError, OverflowError),
    *(EOFError, zipfile.BadZipFile, zlib.error),
)


class ResultsError(ValueError):
    """A results folder that cannot be used as asked; its text is one clear line."""


def damaged(path: Path, error: Exception | str, remedy: str = "move it away") -> ResultsError:
    """Return the error that names a damaged file: how it shows, and what to do."""
    how = error if isinstance(error, str) else str(error) or type(error).__name__
    return ResultsError(f"{path} is damaged ({' '.join(how.split())[:80]}); {remedy}")


def write_result(path: Path, content: bytes) -> None:
    """Write a file of results, its folder too; ResultsError if that cannot be written to."""
    try:
        make_folder(path.parent)
        write_atomically(path, content)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> ResultsError:
    """Return the error that names a folder nothing can be written to, and why."""
    reason = error.strerror or str(error)
    return ResultsError(f"cannot write to {folder}: {reason}; free space or choose another --out")


def _checksum(mark: str, arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256(mark.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}".encode())
        total.update(array.data if array.size else b"")
    return total.hexdigest()


def arrays_as_bytes(
    mark: str, arrays: Mapping[str, np.ndarray], *, compressed: bool = False
) -> bytes:
    """Return an npz file of arrays and a text that says what they are, with their checksum."""
    content = io.BytesIO()
    write = np.savez_compressed if compressed else np.savez
    proof = {"mark": np.array(mark), "checksum": np.array(_checksum(mark, arrays))}
    write(content, allow_pickle=False, **(dict(arrays) | proof))
    return content.getvalue()


def read_arrays(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Return the mark and the arrays of a file; ResultsError if it is damaged, old or foreign."""
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise ValueError("larger than any file of jaxlab")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        mark, checksum = str(arrays.pop("mark")), arrays.pop("checksum", None)
    except UNREADABLE as error:
        raise damaged(path, error) from error
    _check_sum(path, None if checksum is None else str(checksum), _checksum(mark, arrays))
    return mark, arrays


def _check_sum(path: Path, found: str | None, right: str) -> None:
    if found is None:
        text = "has no checksum: it is of an older version of jaxlab, or not of jaxlab"
        raise ResultsError(f"{path} {text}; choose another --out or move it away")
    if found != right:
        raise damaged(path, "checksum")


def json_as_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON text that ends with the checksum of all before."""
    sealed = dict(content) | {"checksum": _json_checksum(content)}
    return (json.dumps(sealed, indent=2) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; ResultsError if it is damaged, old or foreign."""
    try:
        content = dict(json.loads(path.read_bytes()))
        checksum, right = content.pop("checksum", None), _json_checksum(content)
    except UNREADABLE as error:
        raise damaged(path, error) from error
    _check_sum(path, checksum, right)
    return content


def _json_checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
