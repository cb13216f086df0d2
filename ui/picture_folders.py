"""A folder of pictures that a visitor names."""

from __future__ import annotations

from pathlib import Path

from camcore import CamcoreError
from camcore.training.folders import class_names
from ui import policy

MOST_CLASSES = 2000


def root_of(path: str) -> Path:
    """The folder that a typed path means. CamcoreError on a public server for one that is not open to visitors."""
    return policy.place(path)


def named(path: str) -> tuple[Path, int]:
    """The folder that a typed path means, and a number that changes when a file in it comes or goes.

    The number is 0 where there is no such folder; whoever reads it will say so.
    """
    root = root_of(path)
    try:
        return root, root.stat().st_mtime_ns
    except (OSError, ValueError):  # ValueError: a path that no system takes
        return root, 0


def class_signature(root: Path) -> tuple[tuple[str, int], ...]:
    """A value that changes where a class comes or goes, or a picture directly in it; quick to have."""
    try:
        folders = [root, *(root / name for name in class_names(root)[:MOST_CLASSES])]
        return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders)
    except (CamcoreError, OSError, ValueError):
        return ()  # changes once the folder can be read
