"""The names of the classes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_IMAGENET = Path(__file__).parent / "data" / "imagenet_classes.txt"


@lru_cache(maxsize=1)
def imagenet_labels() -> tuple[str, ...]:
    """The 1,000 ImageNet class names in output order, as Keras' ``decode_predictions`` gives them.

    Source: imagenet_class_index.json, which ``decode_predictions`` downloads.
    """
    lines = _IMAGENET.read_text(encoding="utf-8").splitlines()
    return tuple(line.split(maxsplit=1)[1] for line in lines if not line.startswith("#"))


def generic_labels(classes: int) -> tuple[str, ...]:
    """Labels "class 0", "class 1", … for a network whose classes nobody named."""
    return tuple(f"class {index}" for index in range(classes))
