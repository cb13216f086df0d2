"""The methods as a list to choose from: in the registry's order, the controls last, and named as such."""

from typing import Any

import camcore

CONTROL = "control"


def keys() -> list[str]:
    """Every method's key."""
    return sorted(camcore.METHODS, key=lambda key: camcore.METHODS[key].family == CONTROL)


def title(key: str) -> str:
    """A method's title in a list."""
    info = camcore.METHODS[key]
    return f"{info.title} (control)" if info.family == CONTROL else str(info.title)


def layer_free(info: Any) -> bool:
    """Whether a method lives on the input's own grid, whatever layer is chosen."""
    return bool(info.layer_free)
