"""Which weights files this program itself downloaded: Keras's cache is shared with others' work, and theirs stay.

For each download there is a small note in a folder beside the cache, with the file's size and time.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_FOLDER = "camcore_downloads"


def remember(path: Path) -> None:
    """Note that the file at ``path`` is a download of this program's. Without the note it can only not be removed."""
    with suppress(OSError):
        note = _note(path)
        note.parent.mkdir(exist_ok=True)
        note.write_text(_stamp(path), "utf-8")


def is_ours(path: Path) -> bool:
    """Whether the file is one that this program downloaded, unchanged since."""
    try:
        return _note(path).read_text("utf-8") == _stamp(path)
    except OSError:
        return False


def forget(path: Path) -> None:
    """Take the note away, once the file is gone."""
    with suppress(OSError):
        _note(path).unlink()


def _note(path: Path) -> Path:
    return path.parent.parent / _FOLDER / path.name


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
