"""Files with a checksum of what they hold: arrays (npz) and JSON that prove to be whole.

Nothing here unpickles, no file is waited for, and none can ask for more memory than `LARGEST`:
files of strangers are safe to open. What a file says is checked by who reads it, inside `reading`.
"""

import hashlib
import io
import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab import validation
from jaxlab.files import make_folder, read_bytes, write_atomically

LARGEST = 2**31  # bytes of arrays in one file
LARGEST_JSON = 2**27  # bytes; what Python makes of them takes up to thirty times as much memory
LARGEST_LIST = (
    2**16
)  # bytes that list the arrays of a file; without a bound there could be millions
# What ends a zip file: a place that is used only in larger ones, then how long its list is.
END_OF_ZIP = struct.Struct("<4s16x4s4H2LH")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, RuntimeError, MemoryError, ArithmeticError),
    *(AttributeError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error),
    tokenize.TokenError,
)


class ResultsError(ValueError):
    """A results folder that cannot be used as asked; its text is one clear line."""


def damaged(path: Path, error: Exception | str, remedy: str = "move it away") -> ResultsError:
    """Return the error that names a damaged file: how it shows, and what to do."""
    how = error if isinstance(error, str) else str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        how = error.strerror
    return ResultsError(f"{path} is damaged ({' '.join(how.split())[:80]}); {remedy}")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file as damaged, in a ResultsError, where what it says cannot be understood."""
    try:
        yield
    except ResultsError:
        raise
    except UNREADABLE as error:
        raise damaged(path, error) from error


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
    with reading(path):
        content = read_bytes(path, LARGEST)
        _check_sizes(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        mark, checksum = str(arrays.pop("mark")), arrays.pop("checksum", None)
        right = _checksum(mark, arrays)
    _check_sum(path, None if checksum is None else str(checksum), right)
    return mark, arrays


def _check_sizes(content: bytes) -> None:
    """Raise ValueError for a zip file that unpacks to more than any file of jaxlab holds."""
    large, mark, *_, listed, _, comment = END_OF_ZIP.unpack(content[-END_OF_ZIP.size :])
    if large == b"PK\6\7" or mark != b"PK\5\6" or listed > LARGEST_LIST or comment:
        raise ValueError("no file of arrays as jaxlab writes it")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        packed = archive.infolist()
    if sum(entry.file_size for entry in packed) > LARGEST:
        raise ValueError("larger than any file of jaxlab")
    if any(entry.compress_type not in METHODS for entry in packed):
        raise ValueError("packed in another way than jaxlab does")


def _check_sum(path: Path, found: str | None, right: str) -> None:
    if found is None:
        text = "has no checksum: it is of an older version of jaxlab, or not of jaxlab"
        raise ResultsError(f"{path} {text}; choose another --out or move it away")
    if found != right:
        raise damaged(path, "checksum")


def json_as_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON text that ends with the checksum of all before; ResultsError for too much."""
    sealed = dict(content) | {"checksum": _json_checksum(content)}
    text = (json.dumps(sealed, indent=2) + "\n").encode()
    if len(text) > LARGEST_JSON:
        remedy = (
            f"at most {LARGEST_JSON:,} are read again; choose fewer settings or ranges of seeds"
        )
        raise ResultsError(f"what is to be kept takes {len(text):,} bytes; {remedy}")
    return text


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; ResultsError if it is damaged, old or foreign."""
    with reading(path):
        content = validation.read_json(read_bytes(path, LARGEST_JSON).decode())
        validation.check(isinstance(content, dict), "what it holds", content, "fields with values")
        checksum, right = content.pop("checksum", None), _json_checksum(content)
    _check_sum(path, checksum, right)
    return content


def _json_checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
