"""Finding concepts in one or several pictures: asked in the background, kept for everybody."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from camcore.errors import CamcoreError, PictureError
from camcore.features.concepts import Concepts, find_concepts
from camcore.features.patches import picture_files
from camcore.pictures.picture import open_picture
from ui.picture_folders import named
from ui.questions import NetworkKey
from ui.rasters import shrink
from ui.works import Part, Work

SIDE = 480
"""Long side of the pictures that concepts are drawn on, in pixels."""
FROM_FOLDER = 12
"""So many pictures of a folder, evenly drawn, are looked at together."""


@dataclass(frozen=True)
class Question:
    """``k`` concepts at one layer of one network; None: the recommended layer. ``pictures``: their digests."""

    network: NetworkKey
    pictures: tuple[str, ...]
    framing: str
    layer: str | None
    k: int
    folder: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """Concepts, and what they are drawn on: pictures with long side SIDE, uint8 (H, W, 3), and their titles."""

    concepts: Concepts
    pictures: tuple[np.ndarray, ...]
    titles: tuple[str, ...]
    labels: tuple[str, ...]
    network: str
    weights_note: str
    left_out: int = 0


def finding(question: Question, pictures: Sequence[tuple[str, Any]]) -> Work:
    """The Work whose value is a Found, in parts. ``pictures``: (title, Picture); empty where they are in a folder."""
    root, version = named(question.folder) if question.folder else (None, 0)

    def steps(net: Any) -> Generator[Part, None, None]:
        given, left_out = (pictures, 0) if root is None else _from_folder(root)
        drawn = tuple(shrink(picture.rgb, SIDE) for _, picture in given)
        titles = tuple(title for title, _ in given)
        looked_at = [picture for _, picture in given]
        for found in find_concepts(net, looked_at, question.k, question.layer, question.framing):
            yield Part(found.done, Found(found, drawn, titles, tuple(net.labels), net.name, net.weights_note, left_out))

    return Work(question.network, ("concepts", question, version), "Finding concepts", steps, _bytes)


def _from_folder(folder: Path) -> tuple[list[tuple[str, Any]], int]:
    """Pictures evenly drawn from a folder, and how many of those could not be opened."""
    files = picture_files(folder)
    count = min(FROM_FOLDER, len(files))
    found, damaged = [], 0
    for file in (files[i * len(files) // count] for i in range(count)):
        try:
            found.append((file.name, open_picture(file)))
        except PictureError:
            damaged += 1
    if not found:
        raise CamcoreError(f"None of the pictures drawn from '{folder}' can be opened. Replace the damaged files.")
    return found, damaged


def _bytes(found: Found) -> int:
    c = found.concepts
    effects = c.effects.concepts.nbytes if c.effects is not None else 0
    return int(c.maps.nbytes + c.parts.nbytes + effects + sum(picture.nbytes for picture in found.pictures))
