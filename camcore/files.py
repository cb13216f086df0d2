"""Files written whole or not at all; JSON and CSV as everybody here reads and writes them."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError

Json = Any
"""A value of JSON: text, a number, a truth value, null, or a list or an object of these."""


@contextmanager
def replaced_whole(path: Path, suffix: str = ".part", sync: bool = False) -> Iterator[Path]:
    """A new file's path beside ``path``, which takes its place where the block ends well, and else goes.

    ``suffix``: of the new file's name. ``sync``: have the file on the disk before it takes the place. Raises OSError;
    the earlier file then stays as it was.
    """
    part = path.with_name(f".{uuid.uuid4().hex}{suffix}")
    try:
        yield part
        if sync:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with suppress(OSError):  # a file system that became read-only refuses to delete even what is not there
            part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file, and the folder for it, in place of an earlier one. CamcoreError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def write_arrays(path: Path, arrays: NDArray[np.generic] | Mapping[str, NDArray[np.generic]]) -> Path:
    """Write an array as ``.npy``, or several by name as ``.npz``, as ``write_whole`` writes a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path) as part, part.open("wb") as file:
            if isinstance(arrays, Mapping):
                np.savez(file, allow_pickle=False, **arrays)
            else:
                np.save(file, arrays, allow_pickle=False)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows, the header first, as CSV in UTF-8: commas, a line feed after each row; an empty row is an empty line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def to_npz(**arrays: ArrayLike) -> bytes:
    """Arrays under their names as a compressed NumPy file, which ``numpy.load`` reads."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()


def unwritable(path: Path, error: OSError) -> CamcoreError:
    """The error of a file or folder that cannot be written."""
    return CamcoreError(
        f"'{path}' cannot be written: {error.strerror or error}. What was there before is as it was. Free space, allow "
        "writing, or choose another folder."
    )


def json_ready(value: object) -> Json:
    """The value as JSON has it: numbers that are not finite as null, tuples and arrays as lists, paths as text."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return json_ready(value.tolist())
    if isinstance(value, (list, tuple)):
        return [json_ready(one) for one in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Path):
        return str(value)
    assert isinstance(value, SupportsFloat)
    number = float(value)
    return number if math.isfinite(number) else None


def read_json(path: Path, most_bytes: int = 256 << 20, finite: bool = False) -> Json:
    """The value in a JSON file of at most ``most_bytes``. Raises OSError, and ValueError as ``parse_json`` does."""
    size = path.stat().st_size
    if size > most_bytes:
        raise ValueError(f"it has {size:,} bytes, and at most {most_bytes:,} are read")
    return parse_json(path.read_bytes(), finite)


@contextmanager
def content_checked(path: Path, kind: str, remedy: str) -> Iterator[None]:
    """A block that reads a file's content; where it is missing or does not fit, CamcoreError says so.

    ``kind``: what the file holds, such as "groups of an audit". ``remedy``: where it comes from, and what to do.
    """
    try:
        yield
    except OSError as error:
        raise CamcoreError(f"The {kind}, '{path}', cannot be read: {error.strerror or error}. {remedy}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CamcoreError(
            f"'{path}' holds no {kind} ({type(error).__name__}: {error}). It was damaged, or is another file. {remedy}"
        ) from error


def read_json_object(path: Path) -> dict[str, Json] | None:
    """The object in a JSON file; None where there is no such file, or none that can be read."""
    with suppress(OSError, ValueError):
        value = read_json(path)
        return value if isinstance(value, dict) else None
    return None


def parse_json(text: str | bytes, finite: bool = False) -> Json:
    """The value of a JSON text, in UTF-8 where it is bytes; ``finite``: without NaN and Infinity. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant if finite else None)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")
