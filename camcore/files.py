"""Files written whole or not at all; JSON and CSV as everybody here reads and writes them."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import re
import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.text import one_line

Json = Any
"""A value of JSON: text, a number, a truth value, null, or a list or an object of these."""


UNFIT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""The errors of code that meets a JSON value of another shape or size than it should have."""

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""The beginning of a text that spreadsheets take for a formula, and of one that was kept from being one."""


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
    """Rows, the header first, as CSV in UTF-8: commas, a line feed after each row; an empty row is an empty line.

    Text that a spreadsheet would take for a formula begins with an apostrophe, which ``from_cell`` takes away again.
    """
    text = io.StringIO(newline="")
    written = ([to_cell(one) if isinstance(one, str) else one for one in row] for row in rows)
    csv.writer(text, lineterminator="\n").writerows(written)
    return text.getvalue().encode("utf-8", "backslashreplace")


def to_cell(text: str) -> str:
    """A text as it stands in a CSV file: a formula gets an apostrophe before it, a number stays."""
    if not FORMULA.match(text):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def from_cell(text: str) -> str:
    """The text that ``to_cell`` wrote."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def to_comment(text: str) -> str:
    """A text as a line of remarks in a file of numbers: no cell of it is one that a spreadsheet would run."""
    return f"# {re.sub(r',(?=[=+@-])', ', ', one_line(text))}"


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


@contextmanager
def opened_plain(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """A file opened for reading, where it is a plain one: a pipe would hang, and a device never end.

    Raises OSError for anything else, and for a name that cannot be one.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a zero in the name, or half a character
        raise OSError(errno.EINVAL, "this cannot be a file's name") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        folder = os.path.isdir(number)
        os.close(number)
        if folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        raise OSError(errno.EINVAL, "it is no plain file", os.fspath(path))
    with open(number, "rb") as file:
        yield file


def read_plain(path: str | os.PathLike[str], most_bytes: int = 256 << 20) -> bytes:
    """The content of a plain file of at most ``most_bytes``. Raises OSError."""
    with opened_plain(path) as file:
        content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            size = max(os.fstat(file.fileno()).st_size, len(content))
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, and at most {most_bytes:,} are read", os.fspath(path))
    return content


def read_text(path: str | os.PathLike[str], most_bytes: int = 256 << 20) -> str:
    """The text in a plain file in UTF-8, line ends as they are. Raises OSError and UnicodeDecodeError."""
    return read_plain(path, most_bytes).decode("utf-8")


def read_json(path: Path, most_bytes: int = 256 << 20, finite: bool = False) -> Json:
    """The value in a plain JSON file of at most ``most_bytes``. Raises OSError, and ValueError as ``parse_json``."""
    try:
        return parse_json(read_plain(path, most_bytes), finite)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ValueError(error.strerror) from error
        raise


@contextmanager
def content_checked(path: Path, kind: str, remedy: str) -> Iterator[None]:
    """A block that reads a file's content; where it is missing or does not fit, CamcoreError says so.

    ``kind``: what the file holds, such as "groups of an audit". ``remedy``: where it comes from, and what to do.
    """
    try:
        yield
    except OSError as error:
        raise CamcoreError(f"The {kind}, '{path}', cannot be read: {error.strerror or error}. {remedy}") from error
    except UNFIT as error:
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
