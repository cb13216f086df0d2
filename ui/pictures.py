"""Pictures that visitors have uploaded: under names that nobody can guess, and decoded once.

A picture is kept as long as a session has it. Streamlit keeps a session for two minutes after its tab was closed, and
so over a reload; with the last session that has it, the picture goes.
"""

from __future__ import annotations

import hashlib
import secrets
import weakref
from dataclasses import dataclass, field

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


def find(token: str) -> Upload | None:
    """The picture of that name; None where no session has it any more."""
    return _kept.get(token)


def opened(data: bytes) -> camcore.Picture:
    """The picture in these bytes. Raises PictureError where there is none that can be used."""
    key = hashlib.sha256(data).hexdigest()
    return _open.get(key) or _open.put(key, camcore.open_picture(data))
