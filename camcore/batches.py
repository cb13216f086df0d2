"""Pictures as batches of a network's input, with their frames and those that could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, PictureError
from camcore.framing import Frame, frame_picture
from camcore.pictures.picture import Picture, open_picture
from camcore.training.folders import Skipped

if TYPE_CHECKING:
    from camcore.network import Network

Array = NDArray[np.floating]

BATCH = 32


@dataclass(frozen=True, eq=False)
class Batch:
    """Pictures made ready: their indices, the network's input (n, h, w, c), their frames, and what failed."""

    indices: NDArray[np.int64]
    x: Array
    frames: tuple[Frame, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def seen(self) -> int:
        """How many files this batch took, usable or not."""
        return len(self.indices) + len(self.skipped)


def open_files(files: Sequence[Path], start: int = 0) -> Iterator[tuple[int, Picture | Skipped]]:
    """The pictures of files from a place in the list on, each with its index; Skipped where one cannot be opened."""
    for index in range(start, len(files)):
        try:
            yield index, open_picture(files[index])
        except PictureError as error:
            yield index, Skipped(files[index], str(error))


def framed_batches(
    network: Network, pictures: Iterable[tuple[int, Picture | Skipped]], framing: str, batch: int = BATCH
) -> Iterator[Batch]:
    """Pictures with their indices as batches of the network's input; the last one may be smaller."""
    indices: list[int] = []
    pixels: list[Array] = []
    frames: list[Frame] = []
    skipped: list[Skipped] = []

    def ready() -> Batch:
        x = network.preprocess(np.stack(pixels)) if pixels else np.empty((0,))
        made = Batch(np.array(indices, np.int64), x, tuple(frames), tuple(skipped))
        for gathered in (indices, pixels, frames, skipped):
            gathered.clear()
        return made

    for index, pic in pictures:
        if isinstance(pic, Skipped):
            skipped.append(pic)
        else:
            rgb, frame = frame_picture(pic, network.input_size, framing)
            indices.append(index)
            pixels.append(rgb)
            frames.append(frame)
        if len(indices) + len(skipped) == batch:
            yield ready()
    if indices or skipped:
        yield ready()


def check_batch(batch: int) -> None:
    """Raise CamcoreError for a batch of less than one picture."""
    if batch < 1:
        raise CamcoreError(f"A batch of {batch} pictures cannot be computed. It needs at least 1; {BATCH} is usual.")
