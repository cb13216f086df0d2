"""Arrays computed of pictures, kept within a number of bytes, so that one more method costs only that."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.checks import checked, whole

Arrays = tuple[NDArray[np.floating], ...]


class Memory:
    """Activations, gradients and scores of perturbed pictures, by network, picture, framing and layer.

    Hand the same one to ``explain`` and ``stream`` again: a further method, class or layer of the same picture then
    costs only what is new, and stopped work goes on where it was. At most ``limit_bytes`` are kept, the least
    recently used dropped first; safe to use from several threads. For networks whose weights do not change: what is
    kept would be that of the earlier weights. Raises CamcoreError for a limit that is no whole number, or negative.
    """

    @checked(limit_bytes=whole(0, example=512 << 20))
    def __init__(self, limit_bytes: int = 512 << 20) -> None:
        self._kept: ByteLRU[Arrays] = ByteLRU(limit_bytes, lambda arrays: sum(one.nbytes for one in arrays) + 256)

    def get(self, key: Hashable) -> Arrays | None:
        """The arrays kept under a key; None where they are not, or not any more."""
        return self._kept.get(key)

    def put(self, key: Hashable, arrays: Arrays) -> None:
        """Keep arrays; nobody may change them afterwards."""
        for array in arrays:
            if isinstance(array, np.ndarray) and array.flags.writeable:
                array.setflags(write=False)
        self._kept.put(key, arrays)

    @property
    def bytes(self) -> int:
        """Bytes kept at the moment."""
        return self._kept.bytes
