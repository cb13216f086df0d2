"""Small matrices on one thread.

TensorFlow's threads have just been at work and still wait busily for more. A linear algebra library that spreads a
small matrix over threads of its own has them wait for those, which takes several times as long as one thread needs.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Within the block numpy and scipy multiply and decompose on one thread; one block at a time in a process."""
    with _lock, _libraries().limit(limits=1):
        yield


@functools.cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401 - brings a library of its own, which has to be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
