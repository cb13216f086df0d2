"""Labels, shares and times as people read them, the same everywhere."""

from __future__ import annotations


def readable(label: str) -> str:
    """A label as people write it: ``Egyptian_cat`` → ``Egyptian cat``."""
    return label.replace("_", " ")


def percent(probability: float) -> str:
    """A probability for reading: ``71 %``, ``0.4 %``, ``< 0.1 %``, ``> 99.9 %``; a dash where there is none."""
    if probability != probability:
        return "–"
    share = 100 * probability
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %" if 0 < share < 9.95 or 99 < share < 100 else f"{share:.0f} %"


def duration(seconds: float) -> str:
    """A time for reading: ``31 ms``, ``5.6 s``; what took next to nothing is ``< 1 ms``, not none."""
    if 0 <= seconds < 0.0005:
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"
