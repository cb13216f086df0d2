"""What is measured: the score of one class of one picture, asked again with parts of the picture taken away."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.framing import Frame
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.refine import on_input
from camcore.methods import control
from camcore.methods.control import COARSE
from camcore.methods.perturbations import pictures_per_chunk
from camcore.network import Network
from camcore.pictures.picture import Picture

# The blur that insertion starts from (Petsiuk 2018).
_BLUR_KERNEL, _BLUR_SIGMA = 11, 5.0

Array = NDArray[Any]
Raster = NDArray[np.float64]
Ranks = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Case:
    """One class of one picture as a network sees it.

    ``x``: the preprocessed input (1, H, W, C), in the network's layout. The picture fills the area ``frame.placed`` of
    it; a letterbox's padding around it belongs to no map and is never changed.
    """

    network: Network
    x: Array
    frame: Frame
    class_index: int

    @cached_property
    def picture(self) -> Array:
        """``x`` as (H, W, C)."""
        return self.network.channels_last(self.x)[0]

    @cached_property
    def black(self) -> Array:
        """What deletion leaves (H, W, C): 0 of the preprocessed input, as the published curves do."""
        return np.zeros_like(self.picture)

    @cached_property
    def mean(self) -> Array:
        """The picture's mean colour (C,), in the input's own values."""
        mean = self.picture[self.area].mean(axis=(0, 1), dtype=np.float64)
        return (np.rint(mean) if self.picture.dtype.kind in "iu" else mean).astype(self.picture.dtype)

    @cached_property
    def blurred(self) -> Array:
        """What insertion starts from (H, W, C): the picture under a Gaussian of kernel 11 and σ 5, mirrored outside."""
        picture = np.asarray(self.picture, np.float64)
        blurred = cv2.GaussianBlur(picture, (_BLUR_KERNEL, _BLUR_KERNEL), _BLUR_SIGMA).reshape(picture.shape)
        whole = np.rint(blurred) if self.picture.dtype.kind in "iu" else blurred
        start: Array = self.picture.copy()
        start[self.area] = whole.astype(start.dtype)[self.area]
        return start

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns of the input that the picture fills."""
        y0, x0, y1, x1 = self.frame.placed
        return slice(y0, y1), slice(x0, x1)

    @property
    def area_size(self) -> tuple[int, int]:
        """(height, width) of that area in input pixels."""
        y0, x0, y1, x1 = self.frame.placed
        return y1 - y0, x1 - x0

    def as_batch(self, rows: Array) -> Array:
        """Pictures (m, H, W, C) as the network's input; rounded where it takes whole numbers."""
        kind = self.x.dtype
        whole = np.rint(rows) if kind.kind in "iu" else rows
        return self.network.as_input(whole.astype(kind, copy=False))

    def scores(self, rows: Array) -> NDArray[np.float64]:
        """The class's score (m,) for pictures (m, H, W, C): its probability, the plain score where there is none."""
        logits, probabilities = self.network.answer(self.as_batch(rows))
        if not self.has_probabilities:
            return logits[:, self.class_index].astype(np.float64)
        return probabilities[:, self.class_index]

    def log_odds(self, rows: Array) -> NDArray[np.float64]:
        """log p/(1 − p) of the class (m,) for pictures (m, H, W, C); the plain score where there is no probability.

        From the scores, so that it is exact where p is 1 to rounding.
        """
        found, probabilities = self.network.answer(self.as_batch(rows))
        logits = found.astype(np.float64)
        own = logits[:, self.class_index]
        if not self.has_probabilities:
            return own
        if self.network.traced.scores.of_map:  # whose probabilities are no function of the scores
            p = probabilities[:, self.class_index]
            tiny = np.finfo(p.dtype).tiny
            return np.log(np.maximum(p, tiny)) - np.log(np.maximum(1 - p, tiny))
        if self.network.activation == "sigmoid" or self.network.classes == 1:
            return own
        others = np.delete(logits, self.class_index, axis=1)
        top = others.max(axis=1)
        return own - top - np.log(np.exp(others - top[:, np.newaxis]).sum(axis=1))

    def from_log_odds(self, odds: ArrayLike) -> NDArray[np.float64]:
        """Scores of log-odds: probabilities, where there are any."""
        z = np.asarray(odds, np.float64)
        return 0.5 * (1 + np.tanh(0.5 * z)) if self.has_probabilities else z

    @property
    def has_probabilities(self) -> bool:
        """False for a single number, a regression: there the score is the output itself."""
        return self.network.score_kind != "value"

    def check(self, m: CamMap) -> None:
        """Raise CamcoreError for a map of another picture, network, framing or class."""
        if (m.network, m.frame, m.class_index) != (self.network.name, self.frame, self.class_index):
            raise CamcoreError(
                f"A map of {m.network}, class {m.class_index} ({m.label}), framed by {m.framing!r} for a picture of "
                f"{_size(m.frame.picture_size)} cannot be judged with {self.network.name}, class {self.class_index}, "
                f"{self.frame.framing!r}, {_size(self.frame.picture_size)}. Maps are judged together where they are of "
                "one picture, network, framing and class."
            )


def case_of(network: Network, pic: Picture, class_index: int, framing: str | None = None) -> Case:
    """The case of a class of a picture. Raises ModelError, PictureError or CamcoreError for what cannot be."""
    index = network.check_class(class_index)
    x, frame = network.prepare(pic, framing)
    return Case(network, network.check_input(x), frame, index)


@dataclass(frozen=True, eq=False)
class Subject:
    """A map to be judged: ``raster`` (h, w) float64 in 0..1 on the input pixels that the picture fills.

    ``map``: what it was drawn from; None for a control, which needs neither picture nor network. ``seed``: of a
    random control.
    """

    name: str
    raster: Raster
    map: CamMap | None = None
    seed: int | None = None

    @property
    def control(self) -> bool:
        """Whether it is one of the controls that are always there."""
        return self.map is None

    @cached_property
    def mark(self) -> bytes:
        """Equal for equal rasters."""
        return digest(self.raster)

    @property
    def same_everywhere(self) -> bool:
        """Whether no place stands out."""
        return bool(np.ptp(self.raster) == 0)


def subject_of(case: Case, m: CamMap) -> Subject:
    """A map as it lies on the case's input."""
    case.check(m)
    return Subject(m.method, raster_of(case, m), m)


def raster_of(case: Case, m: CamMap, values: Array | None = None) -> Raster:
    """A map's values, or others (h, w) in their place, on the input pixels that the picture fills."""
    drawn = m if values is None else replace(m, values=values)
    return np.asarray(on_input(drawn)[case.area], np.float64)


def controls(case: Case, randoms: int, grid: tuple[int, int] = (COARSE, COARSE)) -> tuple[Subject, ...]:
    """The centred blob, and ``randoms`` fields of noise seeds 0, 1, …, on the input's pixels.

    The noise is bilinear between ``grid`` (h, w) uniform values; all else as in camcore.methods.control.
    """
    h, w = case.area_size

    def noise(seed: int) -> Raster:
        values = np.random.default_rng(seed).random(grid)
        return np.asarray(cv2.resize(values, (w, h), interpolation=cv2.INTER_LINEAR), np.float64)

    fields = (Subject("random", noise(seed), None, seed) for seed in range(randoms))
    return Subject("centre", control.centre((h, w))), *fields


# ---- asking


@dataclass(frozen=True, eq=False)
class Question:
    """A changed picture. Equal ``key``, equal picture: it is asked once. ``make`` draws it, (H, W, C)."""

    key: Hashable
    make: Callable[[], Array]


Answers = dict[Hashable, float]


def ask(
    case: Case,
    questions: Iterable[Question],
    answers: Answers,
    read: Callable[[Array], NDArray[np.float64]] | None = None,
) -> Iterator[int]:
    """Have the answers to all questions in ``answers``, in chunks; yields after each how many passes it took.

    ``read``: from pictures (m, H, W, C) to their answers (m,); None: the case's scores.
    """
    chunk: dict[Hashable, Array] = {}
    size = pictures_per_chunk(case.network)

    def answer() -> int:
        found = (read or case.scores)(np.stack(list(chunk.values())))
        answers.update(zip(chunk, map(float, found), strict=True))
        count = len(chunk)
        chunk.clear()
        return count

    for question in questions:
        if question.key not in answers and question.key not in chunk:
            chunk[question.key] = question.make()
            if len(chunk) == size:
                yield answer()
    if chunk:
        yield answer()


def original(case: Case) -> Question:
    """The picture as it is."""
    return Question("original", lambda: case.picture)


def digest(array: Array) -> bytes:
    """A short mark, equal for equal arrays."""
    return blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()


def _size(size: tuple[int, int]) -> str:
    return "×".join(map(str, size))
