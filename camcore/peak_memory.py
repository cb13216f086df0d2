"""The most memory a piece of work took, over what was in use when it began.

Two counts are kept, and the larger rise counts. The kernel's (Linux) is of the whole process's resident size; but
memory that TensorFlow once took it keeps, so a second run of the same work does not raise it. TensorFlow's own (with
oneDNN's allocator) is of the tensors in use, whoever holds their memory; but it knows no numpy arrays. Both are of the
whole process: what other threads do at the same time is in them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

_PROCESS = Path("/proc/self")
_DEVICE = "CPU:0"


@dataclass(frozen=True)
class Start:
    """Bytes in use when the work began; None for a count that this system does not keep."""

    resident: int | None
    tensors: int | None


def begin() -> Start:
    """The bytes in use now; the highest so far is forgotten in both counts."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
        resident = _resident("VmRSS")
    except OSError:
        resident = None
    return Start(resident, _tensors("current", forget=True))


def peak_over(start: Start) -> int | None:
    """The rise of use above ``start`` since, in bytes, 0 or more; None where the system keeps neither count."""
    highest = (_resident("VmHWM"), start.resident), (_tensors("peak"), start.tensors)
    rises = [peak - low for peak, low in highest if peak is not None and low is not None]
    return max(0, *rises) if rises else None


def _resident(what: str) -> int | None:
    try:
        match = re.search(rf"^{what}:\s+(\d+) kB", (_PROCESS / "status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match.group(1)) * 1024 if match else None


def _tensors(what: str, forget: bool = False) -> int | None:
    tf: ModuleType | None = sys.modules.get("tensorflow")  # where it is not loaded, no tensor is in use
    if tf is None:
        return None
    try:
        if forget:
            tf.config.experimental.reset_memory_stats(_DEVICE)
        return int(tf.config.experimental.get_memory_info(_DEVICE)[what])
    except (AttributeError, KeyError, ValueError, tf.errors.OpError):  # an allocator without statistics
        return None
