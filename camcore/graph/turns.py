"""Turns at the machine: one computation at a time, and whoever has computed least comes first.

TensorFlow uses every core for one run; a second one at the same time only slows both. Long work takes the turn anew for
every chunk, so that a short question waits for the chunk in hand and not for those of everybody else.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterator
from time import perf_counter

from camcore.graph.priority_semaphore import PrioritySemaphore

_SEMAPHORE = PrioritySemaphore(max(1, (os.cpu_count() or 1) // 2))
_served = threading.local()


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Wait for this thread's turn, and hold it for the block."""
    before = float(getattr(_served, "seconds", 0.0))
    with _SEMAPHORE.acquired(rank=before):
        began = perf_counter()
        try:
            yield
        finally:
            _served.seconds = before + perf_counter() - began


def give_way() -> None:
    """From now on this thread's turns come after those of all others."""
    _served.seconds = math.inf
