"""A semaphore whose waiting threads go by priority; equals are served in the order of coming."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

POLL = 0.2
"""Seconds between two checks while waiting."""
IN_ORDER = 4
"""Every so many turns one goes to whoever has waited longest, so that nobody waits for ever."""


class _Turn(threading.Event):
    """Set when it has come. ``rank``: lower ones come first."""

    def __init__(self, rank: float) -> None:
        super().__init__()
        self.rank = rank


class PrioritySemaphore:
    """``count``: how many threads may hold it at once. Nobody starves: some turns go to whoever has waited longest.

    Python's own would let long work that acquires it again and again overtake those who wait.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[_Turn] = deque()
        self._passed = 0

    @contextlib.contextmanager
    def acquired(self, check: Callable[[], None] = lambda: None, rank: float = 0.0) -> Iterator[None]:
        """Waits for its turn, the lowest ``rank`` first, equals in the order of coming; holds it for the block.

        ``check`` may end the wait by an exception.
        """
        turn = _Turn(rank)
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
            self._passed += 1
            first = self._waiting[0] if self._passed % IN_ORDER == 0 else min(self._waiting, key=lambda turn: turn.rank)
            self._waiting.remove(first)
            first.set()
        else:
            self._free += 1
