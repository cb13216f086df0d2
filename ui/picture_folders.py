"""A folder of pictures that a visitor names."""

from pathlib import Path

from ui.picture_folders import root_of


def named(path: str) -> tuple[Path, int]:
    """The folder that a typed path means, and a number that changes when a file in it comes or goes.

    The number is 0 where there is no such folder; whoever reads it will say so.
    """
    root = root_of(path)
    try:
        return root, root.stat().st_mtime_ns
    except (OSError, ValueError):  # ValueError: a path that no system takes
        return root, 0
