"""Small matrices on one thread.

TensorFlow's threads have just been at work and still wait busily for more. A linear algebra library that spreads a
small matrix over threads of its own has them wait for those, which takes several times as long as one thread needs.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_depth = 0  # of nested and concurrent blocks; guarded by the lock, as the limit is
_limits = contextlib.ExitStack()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Within the block numpy and scipy multiply and decompose on one thread, in the whole process.

    Blocks may be nested and may run beside each other; the last one to end lets the libraries have their threads back.
    """
    global _depth
    with _lock:
        if not _depth:
            _limits.enter_context(_libraries().limit(limits=1))
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _limits.close()


@functools.cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401 - brings a library of its own, which has to be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
