"""A semaphore that is first come, first served."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

POLL = 0.2
"""Seconds between two checks while waiting."""

POLL = 0.2
"""Seconds between two checks while waiting."""


class FifoSemaphore:
    """``count``: how many threads may hold it at once.

    Python's own would let long work that acquires it again and again overtake those who wait.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    @contextlib.contextmanager
    def acquired(self, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Waits in the order of coming, and holds it for the block. ``check`` may end the wait by an exception."""
        turn = threading.Event()
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
        try:
            while not turn.wait(POLL):
                check()
        except BaseException:  # an interrupted wait passes its turn on
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:
                    self._pass_on()
            raise
        try:
            yield
        finally:
            with self._lock:
                self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
