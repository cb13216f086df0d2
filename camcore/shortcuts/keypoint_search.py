"""The search for copies that move about, in the pixels alone: it asks nothing of what the network looks at.

The evidence of a picture may rest on a cue a little and on the object most, and then no part of the evidence is mostly
the cue's. So keypoints are described as well (SIFT of each colour: Lowe, "Distinctive image features from
scale-invariant keypoints", IJCV 2004): what was put into several pictures by a machine has nearly the same description
in them, nearer than nearly all pictures of other classes come to it. It proposes; a template that is then looked for
pixel by pixel decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.graph.blas import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from camcore.framing import Point
    from camcore.shortcuts.transplants import Framed, Pixels

    Array32 = NDArray[np.float32]
    Points = NDArray[np.float64]

PICTURES = 200
"""Pictures of a class that are compared at most."""
QUERIED = 100
"""Pictures whose keypoints are looked for in the others at most."""
PROPOSED = 12
"""Recurring keypoints that are returned at most."""
LEAST = 6
"""Pictures that have such a keypoint."""

_SIDE = 224  # pixels of the shorter side that keypoints are looked for in
_KEYPOINTS = 200  # of a picture, the strongest
_CONTRAST = 0.02  # of SIFT: half of the usual, so that faint marks have keypoints as well
_ALIKE = 0.8  # cosine of two descriptions that may be of the same thing
_MARGIN = 0.03  # by which they are more alike than those of other classes
_COUNTED = 30  # pictures beyond which more of them make no better proposal
_SAME = 0.6  # of two keypoints' pictures, by which they are one
_LENGTH = 128  # numbers of a description that are compared
_MEASURED = 5000  # descriptions that their main axes are measured on, about
_ODD = 30  # others of which one may come as near: they have keypoints of all kinds
_BESIDE = 60  # pictures of the class without a copy that its keypoints are held against
_REACHED = 20  # pictures that the reach is measured in at most
_SHARED = 0.25  # of the other pictures of a copy that have a keypoint of it as well
_FEW = 3  # keypoints of a copy that tell its reach
_LARGEST = 0.25  # share of the picture
_NONE: tuple[Points, Array32] = (np.zeros((0, 2)), np.zeros((0, 384), np.float32))


@dataclass(frozen=True, eq=False)
class Recurring:
    """Pictures with the same keypoint. ``members``: places among the pictures; ``points``: (y, x), shares of sides."""

    members: NDArray[np.int64]
    points: tuple[Point, ...]


@dataclass(frozen=True, eq=False)
class _Described:
    """Keypoints of pictures. ``descriptions`` (n, d) of unit length; ``points`` (n, 2); ``starts``: by picture."""

    descriptions: Array32
    points: Points
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, picture: int) -> slice:
        """The keypoints of a picture."""
        return slice(int(self.starts[picture]), int(self.starts[picture + 1]))

    def along(self, basis: Array32) -> _Described:
        """The same keypoints with their descriptions along the columns of a basis."""
        shorter = self.descriptions @ basis
        lengths = np.linalg.norm(shorter, axis=1, keepdims=True)
        return replace(self, descriptions=np.divide(shorter, lengths, where=lengths > 0, out=np.zeros_like(shorter)))

    def nearest(self, wanted: Array32, pictures: Sequence[int]) -> Array32:
        """The cosine of each wanted description to the most alike one of each picture: (wanted, pictures)."""
        found = np.full((len(wanted), len(pictures)), -1.0, np.float32)
        with one_thread():
            for place, picture in enumerate(pictures):
                found[:, place] = (wanted @ self.descriptions[self.of(picture)].T).max(axis=1, initial=-1.0)
        return found


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints of some pictures of a class and of other classes. ``chosen``: the places of the former, in order."""

    chosen: NDArray[np.int64]
    own: _Described
    beside: _Described

    def limit(self, wanted: Array32, without: Sequence[int] = ()) -> Array32:
        """The cosine beyond which a keypoint is the same, since hardly any other picture comes to it: (n,).

        The others are those of other classes, and pictures of the class by their numbers.
        """
        strange = self.beside.nearest(wanted, range(len(self.beside)))
        if without:
            strange = np.concatenate([strange, self.own.nearest(wanted, without)], axis=1)
        usual = max(1, strange.shape[1] // _ODD)
        return np.asarray(np.maximum(np.sort(strange, axis=1)[:, -usual], _ALIKE) + _MARGIN, np.float32)


def keypoints_of(pictures: Sequence[Framed], others: Sequence[Framed], rng: np.random.Generator) -> Keypoints:
    """The keypoints of at most PICTURES of a class, and of pictures of other classes.

    Their descriptions are shortened to the main axes of the former, which hold all but a hundredth of them.
    """
    chosen = np.sort(rng.permutation(len(pictures))[:PICTURES])
    own, beside = _described([pictures[place] for place in chosen.tolist()]), _described(others)
    some = own.descriptions[:: 1 + len(own.descriptions) // _MEASURED]
    with one_thread():
        basis = np.linalg.eigh(some.T @ some)[1][:, -_LENGTH:]
        return Keypoints(chosen, own.along(basis), beside.along(basis))


def find_recurring(keypoints: Keypoints, rng: np.random.Generator) -> list[Recurring]:
    """Keypoints that come again in at least LEAST pictures, and not in those of other classes; the clearest first."""
    own = keypoints.own
    if len(own) < LEAST or not len(keypoints.beside):
        return []
    queried = np.sort(rng.permutation(len(own))[:QUERIED]).tolist()
    clear, has = [], []
    for picture in queried:
        wanted = own.descriptions[own.of(picture)]
        alike, limit = own.nearest(wanted, range(len(own))), keypoints.limit(wanted)
        has.append(alike > limit[:, None])
        count = has[-1].sum(axis=1)
        nearest = -np.sort(-alike, axis=1)[:, 1 : LEAST + 2].mean(axis=1)  # its own picture comes first
        clear.append(np.where(count >= LEAST, (nearest - limit + _MARGIN) * np.minimum(count, _COUNTED), 0.0))
    wanted = np.concatenate([own.descriptions[own.of(picture)] for picture in queried])
    return [
        Recurring(keypoints.chosen[members], tuple(_point(own, place, wanted[one]) for place in members.tolist()))
        for one, members in _distinct(np.concatenate(clear), np.concatenate(has))
    ]


def reach(keypoints: Keypoints, found: Mapping[int, Point]) -> tuple[Point, Point] | None:
    """The reach of what comes again from a point of it: the corners of its box, less the point; None if unknown.

    ``found``: the point in each picture that has it, by the picture's place; all (y, x) as shares of the sides. A text
    that differs from picture to picture has parts that come again at different places: the median of the boxes that
    hold all of them counts.
    """
    own, places = keypoints.own, keypoints.chosen.tolist()
    members = [number for number, place in enumerate(places) if place in found][:_REACHED]
    without = [number for number, place in enumerate(places) if place not in found][:_BESIDE]
    boxes = []
    for number in members:
        part, beside = own.of(number), [other for other in members if other != number]
        wanted = own.descriptions[part]
        again = own.nearest(wanted, beside) > keypoints.limit(wanted, without)[:, None]
        points = own.points[part][again.mean(axis=1) >= _SHARED] if beside else own.points[:0]
        if len(points) >= _FEW:
            boxes.append(np.stack([points.min(axis=0), points.max(axis=0)]) - found[places[number]])
    if len(boxes) < LEAST:
        return None
    (top, left), (bottom, right) = np.median(boxes, axis=0).tolist()
    return ((top, left), (bottom, right)) if (bottom - top) * (right - left) <= _LARGEST else None


def _distinct(clear: NDArray[np.float64], has: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The clearest keypoints with their pictures; of those in the same pictures one."""
    kept: list[NDArray[np.bool_]] = []
    for one in np.argsort(-clear, kind="stable").tolist():
        if clear[one] <= 0 or len(kept) == PROPOSED:
            return
        if not any((has[one] & other).sum() > _SAME * (has[one] | other).sum() for other in kept):
            kept.append(has[one])
            yield one, np.flatnonzero(has[one])


def _point(described: _Described, picture: int, wanted: Array32) -> Point:
    """The point in a picture that is most like a description."""
    part = described.of(picture)
    y, x = described.points[part][np.argmax(described.descriptions[part] @ wanted)]
    return float(y), float(x)


def _described(pictures: Sequence[Framed]) -> _Described:
    found = [_keypoints(one.pixels) for one in pictures]
    counts = [len(points) for points, _ in found]
    return _Described(
        np.concatenate([_NONE[1], *(descriptions for _, descriptions in found)]),
        np.concatenate([_NONE[0], *(points for points, _ in found)]),
        np.cumsum([0, *counts]),
    )


def _keypoints(pixels: Pixels) -> tuple[Points, Array32]:
    """The strongest keypoints of a picture: their places as shares (y, x), and their descriptions.

    A description has the square roots of three SIFT histograms, one of each colour (Arandjelović and Zisserman, "Three
    things everyone should know to improve object retrieval", CVPR 2012), so that cosines compare histograms.
    """
    height, width = pixels.shape[:2]
    scale = _SIDE / min(height, width)
    size = round(width * scale), round(height * scale)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    seen = pixels if scale == 1 else cv2.resize(pixels, size, interpolation=kind)
    sift = cv2.SIFT.create(nfeatures=_KEYPOINTS, contrastThreshold=_CONTRAST)
    keypoints = sift.detect(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), None)
    if not keypoints:
        return _NONE
    histograms = []
    for colour in range(3):
        values = np.asarray(sift.compute(np.ascontiguousarray(seen[..., colour]), keypoints)[1], np.float32)
        histograms.append(values / np.maximum(values.sum(axis=1, keepdims=True), 1.0) / 3)
    points = np.array([one.pt[::-1] for one in keypoints]) / seen.shape[:2]
    return points, np.sqrt(np.concatenate(histograms, axis=1))
