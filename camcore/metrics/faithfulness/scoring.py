"""Scores of altered pictures: chunk by chunk, each picture once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from camcore.methods.perturbations import pictures_per_chunk
from camcore.metrics.faithfulness.case import Case, Pixels

Figures = TypeVar("Figures")

Scores = dict[Hashable, float]
"""From an altered picture's key to its score."""


@dataclass(frozen=True, eq=False)
class MetricStep(Generic[Figures]):
    """``results`` so far, in the order in which they are measured; ``done`` of ``total`` forward passes.

    Where maps share passes, or are equal, less is done than was announced. The last step has done all.
    """

    results: tuple[Figures, ...]
    done: float
    total: float
    seconds: float


@dataclass(frozen=True, eq=False)
class AlteredPicture:
    """A changed picture, (H, W, C), drawn by ``make``. Equal ``key``, equal picture: it is scored once."""

    key: Hashable
    make: Callable[[], Pixels]


def original(case: Case) -> AlteredPicture:
    """The picture as it is."""
    return AlteredPicture("original", lambda: case.picture)


def score_pictures(
    case: Case,
    pictures: Iterable[AlteredPicture],
    scores: Scores,
    read: Callable[[Pixels], NDArray[np.float64]] | None = None,
) -> Iterator[int]:
    """Enter the scores of all pictures into ``scores``, in chunks; yields after each how many passes it took.

    ``read``: from pictures (m, H, W, C) to their scores (m,); None: the case's own.
    """
    chunk: dict[Hashable, Pixels] = {}
    size = pictures_per_chunk(case.network)

    def score_chunk() -> int:
        values = (read or case.scores)(np.stack(list(chunk.values())))
        scores.update(zip(chunk, map(float, values), strict=True))
        count = len(chunk)
        chunk.clear()
        return count

    for picture in pictures:
        if picture.key not in scores and picture.key not in chunk:
            chunk[picture.key] = picture.make()
            if len(chunk) == size:
                yield score_chunk()
    if chunk:
        yield score_chunk()
