"""The layers of a rebuilt model of Keras 2 in the order of its file, with the names that they have there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Piece:
    """A layer as it stands in the file. ``kind``: its class there. ``inside``: of a nested model, its own layers."""

    name: str
    kind: str
    layer: Any
    inside: tuple[Piece, ...] | None = None
