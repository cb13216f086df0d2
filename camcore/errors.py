"""The errors that camcore raises on purpose.

Every message has three parts: what is wrong, with the value; why; what to do. A page shows
``str(error)`` as it stands, so a message must make sense to somebody who never saw the code.
"""

import difflib
from collections.abc import Iterable


class CamcoreError(Exception):
    """Anything camcore refuses: the parent of all its errors, and a wrong framing or option."""


class PictureError(CamcoreError):
    """The bytes are not a picture that can be used."""


class ModelError(CamcoreError):
    """The network cannot be built, loaded or asked this (weights, outputs, class index)."""


class LayerError(CamcoreError):
    """The layer does not exist, or has no grid that a heatmap could be drawn on."""


class MethodError(CamcoreError):
    """The method does not exist, does not fit this network, or has no such option."""


def nearest(name: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name in ``known`` that was probably meant, without regard to case; None: nothing near, or no text given.

    ``cutoff``: how alike the two must be, 0..1, as in ``difflib``.
    """
    return next(iter(similar(name, known, 1, cutoff)), None)


def similar(name: object, known: Iterable[str], most: int = 3, cutoff: float = 0.6) -> list[str]:
    """The names in ``known`` that may have been meant, at most ``most``, the likeliest first; as ``nearest`` tells."""
    if not isinstance(name, str):
        return []
    by_lower = {key.lower(): key for key in known}
    return [by_lower[key] for key in difflib.get_close_matches(name.lower(), by_lower, most, cutoff)]
