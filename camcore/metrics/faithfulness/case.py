"""A case and its subjects: one class of one picture as a network sees it, and the maps that are measured on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.framing import Frame
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.refine import on_input
from camcore.methods import control
from camcore.methods.control import COARSE
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.text import sides

# The blur that insertion starts from (Petsiuk 2018).
_BLUR_KERNEL, _BLUR_SIGMA = 11, 5.0

Pixels = NDArray[np.number]
Raster = NDArray[np.float64]
Ranks = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Case:
    """One class of one picture as a network sees it.

    ``x``: the preprocessed input (1, H, W, C), in the network's layout. The picture fills the area ``frame.placed`` of
    it; a letterbox's padding around it belongs to no map and is never changed.
    """

    network: Network
    x: Pixels
    frame: Frame
    class_index: int

    @cached_property
    def picture(self) -> Pixels:
        """``x`` as (H, W, C)."""
        return self.network.channels_last(self.x)[0]

    @cached_property
    def black(self) -> Pixels:
        """The end of a deletion (H, W, C): 0 of the preprocessed input, as the published curves do."""
        return np.zeros_like(self.picture)

    @cached_property
    def mean(self) -> Pixels:
        """The picture's mean colour (C,), in the input's own values."""
        mean = self.picture[self.area].mean(axis=(0, 1), dtype=np.float64)
        return (np.rint(mean) if self.picture.dtype.kind in "iu" else mean).astype(self.picture.dtype)

    @cached_property
    def blurred(self) -> Pixels:
        """The start of an insertion (H, W, C): the picture under a Gaussian of kernel 11 and σ 5, mirrored outside."""
        picture = np.asarray(self.picture, np.float64)
        blurred = cv2.GaussianBlur(picture, (_BLUR_KERNEL, _BLUR_KERNEL), _BLUR_SIGMA).reshape(picture.shape)
        rounded = np.rint(blurred) if self.picture.dtype.kind in "iu" else blurred
        start: Pixels = self.picture.copy()
        start[self.area] = rounded.astype(start.dtype)[self.area]
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

    def as_batch(self, rows: Pixels) -> Pixels:
        """Pictures (m, H, W, C) as the network's input; rounded where it takes whole numbers."""
        kind = self.x.dtype
        rounded = np.rint(rows) if kind.kind in "iu" else rows
        return self.network.as_input(rounded.astype(kind, copy=False))

    def answer(self, rows: Pixels) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """The network's scores and probabilities (m, classes) for pictures (m, H, W, C)."""
        return self.network.answer(self.as_batch(rows))

    def scores(self, rows: Pixels) -> NDArray[np.float64]:
        """The class's score (m,) for pictures (m, H, W, C): its probability, the plain score where there is none."""
        logits, probabilities = self.answer(rows)
        if not self.has_probabilities:
            return logits[:, self.class_index].astype(np.float64)
        return probabilities[:, self.class_index]

    def log_odds(self, scores: NDArray[np.floating], probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """log p/(1 − p) of the class (m,) in answers (m, classes); the plain score where there is no probability.

        From the scores, so that it is exact where p is 1 to rounding.
        """
        logits = scores.astype(np.float64)
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
                f"{sides(m.frame.picture_size)} cannot be judged with {self.network.name}, class {self.class_index}, "
                f"{self.frame.framing!r}, {sides(self.frame.picture_size)}. Maps are judged together where they are of "
                "one picture, network, framing and class."
            )


def case_of(network: Network, pic: Picture, class_index: int, framing: str | None = None) -> Case:
    """The case of a class of a picture. Raises ModelError, PictureError or CamcoreError for what cannot be."""
    index = network.check_class(class_index)
    x, frame = network.prepare(pic, framing)
    return Case(network, network.check_input(x), frame, index)


@dataclass(frozen=True, eq=False)
class Subject:
    """A map to be measured: ``raster`` (h, w) float64 in 0..1 on the input pixels that the picture fills.

    ``map``: what it was drawn from; None for a control, which needs neither picture nor network. ``seed``: of a
    random control.
    """

    name: str
    raster: Raster
    map: CamMap | None = None
    seed: int | None = None

    @property
    def control(self) -> bool:
        """True for one of the controls that are always there."""
        return self.map is None

    @cached_property
    def digest(self) -> bytes:
        """Equal for equal rasters."""
        return digest(self.raster)

    @property
    def same_everywhere(self) -> bool:
        """True where no place stands out."""
        return bool(np.ptp(self.raster) == 0)


def subject_of(case: Case, m: CamMap) -> Subject:
    """A map on the case's input."""
    case.check(m)
    return Subject(m.method, raster_of(case, m), m)


def raster_of(case: Case, m: CamMap, values: NDArray[np.floating] | None = None) -> Raster:
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


def digest(array: Pixels) -> bytes:
    """A short mark, equal for equal arrays."""
    return blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
