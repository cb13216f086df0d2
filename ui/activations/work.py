"""The work of the Activations page: one layer's channels, where a token looks, and the strongest of many layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import camcore
from camcore.features.attention import AttentionRows, Token, attention_rows
from camcore.features.channels import Channels, channels
from camcore.features.strongest_channels import StrongestChannels, passes, strongest_channels
from camcore.text import counted
from ui.jobs.work import Update, Updates, Work
from ui.map_cache import map_cache
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.graph.layers import LayerInfo
    from camcore.network import Network

PER_LAYER = 16
"""Channels shown of each layer where the whole network is shown."""


def channels_work(
    key: NetworkKey, picture: camcore.Picture, framing: str, layer: str, class_index: int | None
) -> Work[Channels]:
    """Computes a layer's channels."""

    def steps(net: Network, _: object) -> Updates[Channels]:
        yield Update(1.0, channels(net, picture, layer, class_index, framing, map_cache().memory))

    about = ("channels", picture.sha256, framing, layer, class_index)
    return Work(key, about, f"{key.title} looks at the picture", steps, lambda found: found.nbytes, 1.5)


def attention_work(key: NetworkKey, picture: camcore.Picture, framing: str, token: Token) -> Work[AttentionRows]:
    """Computes where a token looks; for a further token of the same picture from what is kept."""

    def steps(net: Network, _: object) -> Updates[AttentionRows]:
        yield Update(1.0, attention_rows(net, picture, token, framing, map_cache().memory))

    about = ("attention", picture.sha256, framing, token)
    return Work(key, about, f"{key.title} looks at the picture", steps, lambda found: found.nbytes, 1.0)


def overview_work(
    key: NetworkKey, picture: camcore.Picture, framing: str, infos: Sequence[LayerInfo]
) -> Work[tuple[StrongestChannels, ...]]:
    """Computes the strongest channels of each of these layers, growing pass by pass."""
    paths = tuple(info.path for info in infos)
    total = len(passes(infos))

    def steps(net: Network, _: object) -> Updates[tuple[StrongestChannels, ...]]:
        found: tuple[StrongestChannels, ...] = ()
        for number, part in enumerate(strongest_channels(net, picture, paths, PER_LAYER, framing), 1):
            found += part
            yield Update(number / total, found)

    def size(found: tuple[StrongestChannels, ...]) -> int:
        return sum(one.activations.nbytes + 512 for one in found)

    title = f"Looking at {counted(len(paths), 'layer')}, in {counted(total, 'pass')}"
    return Work(key, ("overview", picture.sha256, framing, paths), title, steps, size, 2.0 * total)
