"""A network's own preprocessing: third-party code, whose result is checked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from camcore.checks import shown
from camcore.errors import CamcoreError, ModelError

_TO_DO = (
    "It is given RGB float32 0..255 (n, height, width, 3) and returns the network's input for them, an array of "
    "numbers with the same n, height and width. Correct the function, or name one of "
    "camcore.models.preprocessing.PREPROCESSINGS."
)


def preprocessed(
    function: Callable[[NDArray[np.float32]], object], rgb: NDArray[np.float32], network: str
) -> np.ndarray:
    """The result of ``function`` on pictures (n, h, w, 3), checked to be as many of the same size.

    Raises ModelError where it raises, returns nothing, or anything but such pictures.
    """
    try:
        made = function(rgb)
        x = np.asarray(made)
    except CamcoreError:
        raise
    except Exception as error:  # whatever foreign code raises
        raise _wrong(network, f"raised {type(error).__name__}: {str(error).strip().rstrip('.')}") from error
    if made is None:
        raise _wrong(network, "returned None")
    if x.dtype.kind not in "fiub" and "float" not in x.dtype.name:  # bfloat16 has a kind of its own
        raise _wrong(network, f"returned {shown(made)}, which holds no numbers")
    n, h, w = rgb.shape[:3]
    if x.ndim != 4 or (n, h, w) not in ((x.shape[0], *x.shape[1:3]), (x.shape[0], *x.shape[2:])):
        raise _wrong(network, f"made an array of shape {x.shape} of pictures of shape {rgb.shape}")
    return x


def pictures_in(rgb: object) -> NDArray[np.float32]:
    """Pictures (n, h, w, 3) as a float32 copy, which a preprocessing may write into. Raises ModelError."""
    try:
        x = np.array(rgb, np.float32)
    except (TypeError, ValueError, OverflowError):
        x = np.empty(0, np.float32)
    if x.ndim != 4 or x.shape[3] != 3:
        raise ModelError(
            f"{shown(rgb)} cannot be preprocessed: pictures are RGB 0..255 of shape (n, height, width, 3). One picture "
            "gains its first axis by rgb[numpy.newaxis]."
        )
    return x


def _wrong(network: str, what: str) -> ModelError:
    return ModelError(f"The preprocess function of {network} {what}. {_TO_DO}")
