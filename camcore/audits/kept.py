"""The files of an audit that need not be made again: parts of the same pictures, which were not changed since.

Groups and report are of all parts; where one is missing, they go.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits import groups, report, schema
from camcore.audits.addresses import is_remote
from camcore.audits.database import GROUPS
from camcore.files import opened_plain, unwritable

if TYPE_CHECKING:
    import pyarrow as pa

    from camcore.audits.rows import Chunk


def kept_part(folder: Path, base: str, chunk: Chunk) -> pa.Table | None:
    """The rows of a chunk as an earlier run wrote them; None where they are to be made.

    A picture of this machine that was touched after its row was written is compared by its content. ``base``: what the
    paths lie below.
    """
    rows = schema.read_part(folder, chunk.number)
    if rows is None or rows.column("path").to_pylist() != list(chunk.paths):
        return None
    written = (folder / schema.PARTS / schema.part_name(chunk.number)).stat().st_mtime_ns
    digests = rows.column("sha256").to_pylist()
    files = (None if is_remote(path) or is_remote(base) else os.path.join(base, path) for path in chunk.paths)
    if any(file is not None and _changed(file, written, sha256) for file, sha256 in zip(files, digests, strict=True)):
        return None
    return rows


def remove_results(folder: Path) -> None:
    """Remove groups and report before parts are made: killed in between, the audit would keep those of other rows.

    Raises CamcoreError where they cannot be removed.
    """
    for name in (groups.NAME, GROUPS, report.NAME):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(folder / name, error) from error


def _changed(file: str, written: int, sha256: str | None) -> bool:
    """Tell whether a file has other content than its row says. One that is gone keeps its row."""
    try:
        now = os.stat(file)
        if max(now.st_mtime_ns, now.st_ctime_ns) <= written:
            return False
        with opened_plain(file) as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() != sha256
    except (OSError, ValueError):  # a zero in the name, or half a character
        return False
