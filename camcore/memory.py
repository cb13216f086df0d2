"""The most memory a piece of work took, by the kernel's own count (Linux), which sees what TensorFlow allocates.

The count is the whole process's: what other threads do at the same time is in it.
"""

from __future__ import annotations

import ctypes
import re
from contextlib import suppress
from pathlib import Path

_PROCESS = Path("/proc/self")


def begin() -> int | None:
    """Forget the highest resident size so far; returns the size now, in bytes, None where there is no such count.

    What the C library keeps for later is first given back to the system: work that takes it up again would else
    seem to need no memory.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return None
    return _bytes("VmRSS")


def peak_over(start: int | None) -> int | None:
    """How far the resident size rose above ``start`` since ``begin`` gave it, in bytes, 0 or more; None as there."""
    highest = _bytes("VmHWM")
    return None if start is None or highest is None else max(0, highest - start)


def _bytes(what: str) -> int | None:
    try:
        found = re.search(rf"^{what}:\s+(\d+) kB", (_PROCESS / "status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None
