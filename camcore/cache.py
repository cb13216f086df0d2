"""A cache bounded in bytes, for everything that one process keeps for all its visitors."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class ByteLRU(Generic[V]):
    """Least-recently-used cache that holds at most ``limit`` bytes and ``count`` entries; thread-safe.

    The newest entry is always kept, also where it alone is larger than the limit: it is in use anyway.
    """

    def __init__(self, limit: int, size: Callable[[V], int], count: int | None = None) -> None:
        self._limit = limit
        self._size = size
        self._count = count
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> V | None:
        """The value, now the most recently used one; None where it is not held."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, value: V) -> V:
        """Keep the value, let go of the oldest ones beyond the limits, and hand the value back."""
        size = self._size(value)
        with self._lock:
            previous = self._entries.pop(key, None)
            self._bytes += size - (previous[1] if previous else 0)
            self._entries[key] = (value, size)
            while len(self._entries) > 1 and (
                self._bytes > self._limit or (self._count is not None and len(self._entries) > self._count)
            ):
                _, (_, dropped) = self._entries.popitem(last=False)
                self._bytes -= dropped
        return value

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Bytes held at the moment."""
        return self._bytes
