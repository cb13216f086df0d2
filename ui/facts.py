"""What pages need to know of a network. Frozen values, no network in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Facts:
    """What a page needs to know of a network, without holding the network itself.

    ``title``: its name; ``layers``: its LayerInfos; ``said``: its first answers to the picture, by framing;
    ``scored_over``: as Network has it.
    """

    title: str
    weights_note: str
    labels: tuple[str, ...]
    layers: tuple[Any, ...]
    default_layer: str | None
    ladder: tuple[str, ...]
    said: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    scored_over: str = ""

    @classmethod
    def of(cls, net: Any) -> "Facts":
        """The facts of a loaded network."""
        return cls(
            net.name,
            net.weights_note,
            tuple(net.labels),
            tuple(net.layers),
            net.default_layer,
            tuple(net.ladder),
            scored_over=net.scored_over,
        )

    def layer(self, path: str) -> Any:
        """The LayerInfo of a path."""
        return next(info for info in self.layers if info.path == path)
