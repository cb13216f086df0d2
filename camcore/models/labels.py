"""The names of the classes."""

from __future__ import annotations

import difflib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.errors import ModelError

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


def generic_labels(classes: int) -> tuple[str, ...]:
    """Labels "class 0", "class 1", … for a network whose classes nobody named."""
    return tuple(f"class {index}" for index in range(classes))


def class_named(network: Network, text: str) -> int:
    """The class that a person means by an index or a label, without regard to capitals and underscores.

    Raises ModelError where the network has no such class, or several of that label.
    """
    if text.lstrip("-").isdigit():
        return network.check_class(int(text))
    names = [label.replace("_", " ").lower() for label in network.labels]
    wanted = text.replace("_", " ").lower()
    if names.count(wanted) == 1:
        return names.index(wanted)
    if wanted in names:
        places = [str(index) for index, name in enumerate(names) if name == wanted]
        raise ModelError(f"{len(places)} classes are called {text!r}. Give one by index: {', '.join(places)}.")
    near = difflib.get_close_matches(wanted, names, n=3)
    hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    raise ModelError(
        f"{network.name} has no class {text!r}.{hint} Give a label or an index from 0 to {network.classes - 1}."
    )
