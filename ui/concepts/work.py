"""The search for concepts in one or several pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from camcore.errors import CamcoreError, PictureError
from camcore.features.concepts import MOST, Concepts, find_concepts
from camcore.features.patches import picture_files
from camcore.pictures.picture import Picture, open_picture
from ui.jobs.work import Update, Updates, Work
from ui.picture_folders import named
from ui.query import NetworkKey
from ui.rasters import shrink

if TYPE_CHECKING:
    from camcore.graph.layers import LayerInfo
    from camcore.network import Network

SIDE = 480
"""Long side of the pictures that concepts are drawn on, in pixels."""
FROM_FOLDER = 12
"""So many pictures of a folder, evenly drawn, are looked at together."""


@dataclass(frozen=True)
class ConceptQuery:
    """``k`` concepts at one layer of one network; None: see ``first_layer``. ``pictures``: their digests."""

    network: NetworkKey
    pictures: tuple[str, ...]
    framing: str
    layer: str | None
    k: int
    folder: str = ""


@dataclass(frozen=True, eq=False)
class FoundConcepts:
    """Concepts and what they are drawn on: pictures with long side SIDE, uint8 (H, W, 3), and their titles."""

    concepts: Concepts
    pictures: tuple[np.ndarray, ...]
    titles: tuple[str, ...]
    labels: tuple[str, ...]
    network: str
    weights_note: str
    left_out: int = 0


def first_layer(layers: Sequence[LayerInfo], ladder: Sequence[str]) -> str | None:
    """The layer to begin with: the last one of the grid before the last, where pictures of different things still share
    patterns; None, for the recommended one, where that has too few channels, or there is none.

    ``layers``: of the network; ``ladder``: the last layer of each of its last grids.
    """
    path = ladder[-2] if len(ladder) > 1 else None
    channels = next((info.channels for info in layers if info.path == path), None)
    return path if (channels or 0) >= MOST else None


def concepts_work(query: ConceptQuery, pictures: Sequence[tuple[str, Picture]]) -> Work[FoundConcepts]:
    """Finds concepts, in parts. ``pictures``: with their titles; empty where they are in a folder."""
    root, version = named(query.folder) if query.folder else (None, 0)

    def steps(net: Network, _: object) -> Updates[FoundConcepts]:
        given, left_out = (pictures, 0) if root is None else _from_folder(root)
        drawn = tuple(shrink(picture.rgb, SIDE) for _, picture in given)
        titles = tuple(title for title, _ in given)
        looked_at = [picture for _, picture in given]
        layer = query.layer or first_layer(net.layers, net.ladder)
        for found in find_concepts(net, looked_at, query.k, layer, query.framing):
            value = FoundConcepts(found, drawn, titles, tuple(net.labels), net.name, net.weights_note, left_out)
            yield Update(found.done, value)

    return Work(query.network, ("concepts", query, version), "Finding concepts", steps, _bytes)


def _from_folder(folder: Path) -> tuple[list[tuple[str, Picture]], int]:
    """Pictures evenly drawn from a folder, and how many of those could not be opened."""
    files = picture_files(folder)
    count = min(FROM_FOLDER, len(files))
    opened: list[tuple[str, Picture]] = []
    damaged = 0
    for file in (files[i * len(files) // count] for i in range(count)):
        try:
            opened.append((file.name, open_picture(file)))
        except PictureError:
            damaged += 1
    if not opened:
        raise CamcoreError(f"None of the pictures drawn from '{folder}' can be opened. Replace the damaged files.")
    return opened, damaged


def _bytes(found: FoundConcepts) -> int:
    c = found.concepts
    effects = c.effects.concepts.nbytes if c.effects is not None else 0
    return int(c.maps.nbytes + c.parts.nbytes + effects + sum(picture.nbytes for picture in found.pictures))
