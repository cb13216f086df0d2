"""Turns at a scarce thing, first come, first served."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

POLL = 0.2
"""Seconds between two checks while waiting."""


class Turns:
    """``places``: how many may have a turn at once.

    A semaphore would let long work that takes one turn after the other overtake those who wait.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()

    @contextlib.contextmanager
    def turn(self, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Waits for a place, in the order of coming; it is free again after the block. ``check`` may end the wait."""
        called = threading.Event()
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                called.set()
            else:
                self._waiting.append(called)
        try:
            while not called.wait(POLL):
                check()
        except BaseException:  # an interrupted wait gives its place on
            with self._lock:
                if called in self._waiting:
                    self._waiting.remove(called)
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
