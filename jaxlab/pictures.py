"""Figures as files: the same bytes for the same figure, and all of its files or an error."""

import io
from collections.abc import Mapping
from pathlib import Path

from matplotlib import style
from matplotlib.figure import Figure

from jaxlab import files
from jaxlab.plotting import STYLE

# Dates and versions would make two files of the same picture differ.
METADATA: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def as_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file, "png" or "pdf"; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with style.context(dict(STYLE), after_reset=True):
        figure.savefig(buffer, format=kind, metadata=dict(METADATA[kind]))
    return buffer.getvalue()


def save(out: Path, name: str, made: Mapping[str, bytes]) -> list[Path]:
    """Write files of one name, by their endings; ValueError if the folder cannot be written to."""
    paths = {ending: out / f"{name}.{ending}" for ending in made}
    try:
        files.make_folder(out)
        for ending, path in paths.items():
            files.write_atomically(path, made[ending])
    except OSError as error:
        raise unwritable(out, error) from error
    return list(paths.values())


def unwritable(out: Path, error: Exception) -> ValueError:
    """Return the error that names a folder no picture can be written to, and why."""
    reason = getattr(error, "strerror", None) or str(error)
    return ValueError(f"cannot write to {out}: {reason}; choose another --out")
