"""Weights files on this machine: the folders where they lie, downloads from Keras' server, and which files are such.

This module knows files, not backbones: which file a backbone wants is told by ``camcore.models.published_weights``. A
file that somebody put in place is never changed or deleted, whatever is wrong with it. Keras's cache is shared with
others' work: for each download of this program's there is a small note in a folder beside it, with the file's size
and time.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from camcore.errors import ModelError
from camcore.files import replaced_whole

DownloadProgress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all (0 where the server does not say); may raise to stop."""

TIMEOUT_SECONDS = 10.0  # to connect, and for each silence while reading
SLOWEST = 4 << 10
"""Bytes a second, over SLOW_SECONDS, below which a download is given up."""
SLOW_SECONDS = 30.0
LARGEST = 8 << 30
"""Bytes of a file whose length the server does not tell; Keras publishes none of a quarter of that."""
_CHUNK = 1 << 18
_PART = ".download"
_ABANDONED_SECONDS = 600.0  # since the last byte: its program was killed
_NOTES = "camcore_downloads"


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that Keras publishes."""

    name: str  # in Keras' cache; the address may end in another one
    url: str
    hash: str  # md5 or sha256 in hexadecimal; "" where Keras gives none


# ---- where files lie


def keras_cache() -> Path:
    """The folder that Keras downloads weights to, whether or not it exists yet.

    Source: ``keras.backend.config.keras_home`` and ``keras.utils.get_file``, followed here so that a listing
    needs no Keras import.
    """
    temporary = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / ".keras"
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    return (home if os.access(existing, os.W_OK) else temporary) / "models"


def search_folders() -> tuple[Path, ...]:
    """The folders looked through for weights, in order: those of ``CAMCORE_WEIGHTS``, then Keras' cache."""
    named = os.environ.get("CAMCORE_WEIGHTS", "").split(os.pathsep)
    return (*(Path(folder).expanduser() for folder in named if folder.strip()), keras_cache())


def find_file(names: Iterable[str]) -> Path | None:
    """The first of the names in the first of the folders that has one."""
    names = tuple(names)
    paths = (folder / name for folder in search_folders() for name in names)
    return next((path for path in paths if path.is_file()), None)


# ---- download


def download(file: WeightsFile, progress: DownloadProgress | None = None, advice: str = "") -> Path:
    """Fetch the file into Keras' cache, where Keras finds it too, and return its path.

    It is written under a name of its own and moved into place once it is whole, so that two downloads at a
    time do not disturb each other and a broken one leaves nothing behind. ``CAMCORE_WEIGHTS_URL`` names a
    mirror: a folder on a server that holds the files under the names they have in Keras' cache.
    Raises ModelError, ended by ``advice``, where no whole file with the right hash arrives.
    """
    mirror = os.environ.get("CAMCORE_WEIGHTS_URL", "").strip()
    url = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.url
    target = keras_cache() / file.name
    _remove_abandoned(target.parent)
    with replaced_whole(target, _PART) as part, closing(_fetch(url, part, file, advice)) as steps:
        for done, total in steps:
            if progress is not None:
                progress(done, total)
    remember(target)
    return target


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed programs left of their downloads."""
    for part in folder.glob(f".*{_PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()


def _fetch(url: str, part: Path, file: WeightsFile, advice: str) -> Generator[tuple[int, int], None, None]:
    """Download to ``part``, yielding (bytes done, bytes in all); at the end the file is whole and checked.

    A generator, so that what goes wrong here is told apart from what the caller's progress callback raises.
    """
    import h5py

    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        hasher = hashlib.sha256() if len(file.hash) == 64 else hashlib.md5(usedforsecurity=False)
        done = 0
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, part.open("xb") as out:
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else 0
            since, before = time.monotonic(), 0
            while chunk := response.read1(_CHUNK):  # what is there: a server that sends byte by byte can be left
                out.write(chunk)
                hasher.update(chunk)
                done += len(chunk)
                yield done, total
                if done > LARGEST:
                    raise ValueError(f"it is still not whole after {done:,} bytes")
                seconds = time.monotonic() - since
                if seconds > SLOW_SECONDS:
                    if done - before < SLOWEST * seconds:
                        raise ValueError(f"only {done - before:,} bytes came within {seconds:.0f} seconds")
                    since, before = time.monotonic(), done
        if done < total:
            raise ValueError(f"the connection ended after {done:,} of {total:,} bytes")
        if file.hash and hasher.hexdigest() != file.hash:
            raise ValueError(
                f"what arrived is not the file that Keras published (its hash is {hasher.hexdigest()}, "
                f"it should be {file.hash}) and was thrown away"
            )
        try:
            h5py.File(part, "r").close()
        except OSError as error:
            raise ValueError(f"what arrived is no whole HDF5 file ({error}) and was thrown away") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        what = f"The weights {file.name!r} could not be downloaded from {url}: {_reason(error)}."
        raise ModelError(f"{what} {advice}".rstrip()) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = getattr(error, "reason", error)  # URLError wraps what the socket said
    if isinstance(cause, TimeoutError):
        return f"nothing came for {TIMEOUT_SECONDS:.0f} seconds"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return said.rstrip(".") or type(cause).__name__


# ---- notes on downloads


def remember(path: Path) -> None:
    """Note that the file at ``path`` is a download of this program's. Without the note it can only not be removed."""
    with suppress(OSError):
        note = _note(path)
        note.parent.mkdir(exist_ok=True)
        note.write_text(_stamp(path), "utf-8")


def is_ours(path: Path) -> bool:
    """Tell whether the file is one that this program downloaded, unchanged since."""
    try:
        return _note(path).read_text("utf-8") == _stamp(path)
    except OSError:
        return False


def forget(path: Path) -> None:
    """Take the note away, once the file is gone."""
    with suppress(OSError):
        _note(path).unlink()


def _note(path: Path) -> Path:
    return path.parent.parent / _NOTES / path.name


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
