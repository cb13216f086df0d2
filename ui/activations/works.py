"""What the Activations page has done in the background: one layer's channels, and the strongest of many layers.

Each function describes a Work; nothing is computed before somebody asks for it.
"""

from collections.abc import Generator, Sequence
from typing import Any

import camcore
from camcore.features.channels import Channels, channels
from camcore.features.strongest_channels import StrongestChannels, passes, strongest_channels
from ui.engine import engine
from ui.questions import NetworkKey
from ui.works import Part, Work

PER_LAYER = 16
"""Channels shown of each layer where the whole network is shown."""

Parts = Generator[Part, None, None]


def reading(key: NetworkKey, picture: camcore.Picture, framing: str, layer: str, class_index: int | None) -> Work:
    """A layer's channels; Channels."""

    def steps(net: Any) -> Parts:
        yield Part(1.0, channels(net, picture, layer, class_index, framing, engine().memory))

    def weigh(found: Channels) -> int:
        return found.nbytes

    about = ("reading", picture.sha256, framing, layer, class_index)
    return Work(key, about, f"{key.name} looks at the picture", steps, weigh, 1.5)


def surveying(key: NetworkKey, picture: camcore.Picture, framing: str, infos: Sequence[Any]) -> Work:
    """The strongest channels of each of these layers; a tuple of StrongestChannels, growing pass by pass."""
    paths = tuple(info.path for info in infos)
    total = len(passes(infos))

    def steps(net: Any) -> Parts:
        found: tuple[StrongestChannels, ...] = ()
        for number, part in enumerate(strongest_channels(net, picture, paths, PER_LAYER, framing), 1):
            found += part
            yield Part(number / total, found)

    def weigh(found: tuple[StrongestChannels, ...]) -> int:
        return sum(one.activations.nbytes + 512 for one in found)

    title = f"Looking at {len(paths)} layers, in {total} pass{'es' if total > 1 else ''}"
    return Work(key, ("surveying", picture.sha256, framing, paths), title, steps, weigh, 2.0 * total)
