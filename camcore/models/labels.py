"""The names of the classes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camcore.network import Network

_IMAGENET = Path(__file__).parents[1] / "data" / "imagenet_classes.txt"


@lru_cache(maxsize=1)
def imagenet_labels() -> tuple[str, ...]:
    """The 1,000 ImageNet class names in output order, as Keras' ``decode_predictions`` gives them.

    Source: imagenet_class_index.json, which ``decode_predictions`` downloads.
    """
    lines = _IMAGENET.read_text(encoding="utf-8").splitlines()
    return tuple(line.split(maxsplit=1)[1] for line in lines if not line.startswith("#"))


def class_named(network: Network, text: str) -> int:
    """The class that a person means by an index in digits or a label, without regard to capitals and underscores.

    Raises ModelError where the network has no such class, or several of that label.
    """
    if not isinstance(text, str):
        return network.check_class(text)
    return network.check_class(int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else text)
