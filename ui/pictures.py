"""Pictures that visitors have uploaded: under names that nobody can guess, and decoded once.

A picture is kept as long as a session has it. Streamlit keeps a session for two minutes after its tab was closed, and
so over a reload; with the last session that has it, the picture goes.
"""

from __future__ import annotations

import gc
import hashlib
import secrets
import time
import weakref
from dataclasses import dataclass, field
from functools import lru_cache

import camcore
from camcore.cache import ByteLRU


@dataclass(frozen=True, eq=False)
class Upload:
    """A visitor's own picture. ``token``: its name in the page's address."""

    data: bytes
    name: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def __post_init__(self) -> None:
        _kept[self.token] = self


_kept: weakref.WeakValueDictionary[str, Upload] = weakref.WeakValueDictionary()
_open: ByteLRU[camcore.Picture] = ByteLRU(384 << 20, lambda picture: picture.rgb.nbytes)


FREE_EVERY = 600.0
"""Seconds between two searches for sessions that have ended."""


def find(token: str) -> Upload | None:
    """The picture of that name; None where no session has it any more."""
    free_ended_sessions()
    return _kept.get(token)


def free_ended_sessions() -> None:
    """Free what sessions that have ended left behind, at most once in FREE_EVERY seconds.

    Those that were open when TensorFlow was imported are frozen with it (``ui.networks``): no collection after a
    script's run looks at them.
    """
    _free(int(time.monotonic() // FREE_EVERY))


@lru_cache(maxsize=1)
def _free(period: int) -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def opened(data: bytes) -> camcore.Picture:
    """The picture in these bytes. Raises PictureError where there is none that can be used."""
    key = hashlib.sha256(data).hexdigest()
    return _open.get(key) or _open.put(key, camcore.open_picture(data))
