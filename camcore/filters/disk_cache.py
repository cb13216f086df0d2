"""A cache of arrays on disk: a file for each key, written whole or not at all, the oldest removed.

The folder is ``$CAMCORE_CACHE``, else ``camcore`` in ``$XDG_CACHE_HOME`` or ``~/.cache``. It can be deleted at any
time. A file that cannot be read is made anew; where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.files import opened_plain, write_arrays

Array = NDArray[Any]

LIMIT_BYTES = 256 << 20
_SUFFIX = ".npz"
_LOG = logging.getLogger(__name__)


def folder() -> Path:
    """The folder of the cache, whether or not it exists."""
    own = os.environ.get("CAMCORE_CACHE")
    base = Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "camcore"
    return base.expanduser().absolute() / "filters"


def path_for(*key: object) -> Path:
    """The file of a key, which counts by its ``repr``."""
    return folder() / (hashlib.blake2b(repr(key).encode(), digest_size=20).hexdigest() + _SUFFIX)


def get(path: Path) -> dict[str, Array] | None:
    """The arrays of a file, which now counts as used; None where there is none, or none that can be read."""
    try:
        with opened_plain(path) as content, np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        os.utime(path)
        return arrays
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile and numpy raise whatever they stumble over in a damaged file
        _LOG.info("%s cannot be read (%s) and is made anew", path, error)
        with suppress(OSError):
            path.unlink()
        return None


def put(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays under ``path``; says so in the log where that is not possible."""
    try:
        write_arrays(path, arrays)
    except CamcoreError as error:
        _LOG.warning("nothing is kept: %s", error)


def evict(limit: int = LIMIT_BYTES) -> None:
    """Remove the files not used for longest until the rest has at most ``limit`` bytes."""
    kept = []
    with suppress(OSError):
        for path in folder().iterdir():
            with suppress(OSError):
                if path.suffix == _SUFFIX:
                    status = path.stat()
                    kept.append((status.st_mtime_ns, status.st_size, path))
    room = limit
    for _, size, path in sorted(kept, reverse=True):
        room -= size
        if room < 0:
            with suppress(OSError):
                path.unlink()
