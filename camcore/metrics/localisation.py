"""Localisation: the agreement of a map with the object, on the picture's own pixels, given a mask or boxes.

Arrays are as large as the picture, (H, W); a map is NaN where the network did not look, which counts for nothing.
A map may be faithful and yet lie beside the object, where the network looks at the surroundings: these figures say
where the map lies, not whether it is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import CamcoreError
from camcore.metrics.intervals import Interval, bootstrap
from camcore.text import sides

Mask = NDArray[np.bool_]
PixelBox = tuple[float, float, float, float]  # top, left, bottom, right: edges in pixels

# How far beside the object the maximum may lie, in pixels of the picture (Zhang 2018).
TOLERANCE = 15

# The part of a map that its box is drawn around: above this share of its maximum (Zhou 2016; Selvaraju 2017).
BOX_SHARE = 0.15
CAM_BOX_SHARE = 0.2

_TIE_SEED = 0


@dataclass(frozen=True)
class Located:
    """The localisation of one map of one picture.

    ``method``: the method's key or the control's name. ``hit``: the maximum lies on the object or within the
    tolerance. ``energy``: the share of the map's sum on the object; ``area``: the object's share of what the network
    saw, which is what a map reaches that knows nothing. ``iou``: of the map's box and the nearest box of the object.
    ``empty``: the map is zero everywhere; it hits nothing and counts.
    """

    method: str
    hit: bool
    energy: float
    area: float
    iou: float
    empty: bool


@dataclass(frozen=True)
class LocalisationRow:
    """One method over many pictures: shares of hits, energy, area and IoU as means with 95 % intervals."""

    method: str
    pointing: Interval
    energy: Interval
    area: Interval
    iou: Interval
    empty: int


def locate(
    method: str,
    drawn: ArrayLike,
    mask: ArrayLike | None = None,
    boxes: Sequence[PixelBox] | None = None,
    ignored: ArrayLike | None = None,
) -> Located:
    """All figures of one map on the picture (H, W), NaN where the network did not look.

    ``mask``: bool (H, W), the object; or ``boxes``: those around it, of which the union is the object. ``ignored``:
    bool (H, W), pixels that count for neither, such as a mask's border. Raises CamcoreError where sizes differ, or
    neither is given.
    """
    values = np.array(drawn, np.float64)
    if mask is None and not boxes:
        raise CamcoreError("There is no object to look for. Give a mask of the picture's size, or boxes.")
    size = values.shape[0], values.shape[1]
    object_boxes = tuple(boxes or ())
    inside = union(object_boxes, size) if mask is None else np.asarray(mask, bool)
    _check_size(values, inside)
    if ignored is not None:
        _check_size(values, np.asarray(ignored))
        values[np.asarray(ignored, bool)] = np.nan
    if not object_boxes and inside.any():
        object_boxes = (box_around(inside),)
    energy, area, empty = energy_share(values, inside)
    share = CAM_BOX_SHARE if method == "cam" else BOX_SHARE
    return Located(method, pointing_hit(values, inside), energy, area, best_iou(values, object_boxes, share), empty)


def energy_share(values: ArrayLike, region: ArrayLike) -> tuple[float, float, bool]:
    """(energy, area, empty) of a map (H, W), NaN where the network did not look, and a region, bool (H, W).

    energy: the share of the rectified map's sum inside the region, 0 for an empty map (Wang 2020, energy-based
    pointing game). area: the share of what the network saw. Raises CamcoreError where the two do not have the same
    size.
    """
    drawn, inside = np.asarray(values, np.float64), np.asarray(region, bool)
    _check_size(drawn, inside)
    seen = np.isfinite(drawn)
    positive = np.maximum(drawn, 0, where=seen, out=np.zeros_like(drawn))
    total, counted = positive.sum(), int(seen.sum())
    energy = float(positive[inside].sum() / total) if total > 0 else 0.0
    return energy, float((inside & seen).sum() / counted) if counted else 0.0, not total > 0


def pointing_hit(values: ArrayLike, region: ArrayLike, tolerance: float = TOLERANCE) -> bool:
    """True where a map's maximum lies in the region, or no farther from it than ``tolerance`` pixels (Zhang 2018).

    Of several maxima one is taken by a fixed random order. An empty map points nowhere: no hit.
    """
    drawn, inside = np.asarray(values, np.float64), np.asarray(region, bool)
    _check_size(drawn, inside)
    seen = np.isfinite(drawn)
    top = drawn[seen].max(initial=0.0)
    if top <= 0 or not inside.any():
        return False
    maxima = np.flatnonzero(seen & (drawn == top))
    y, x = np.unravel_index(np.random.default_rng(_TIE_SEED).choice(maxima), drawn.shape)
    ys, xs = np.nonzero(inside)
    return bool(np.min((ys - y) ** 2 + (xs - x) ** 2) <= tolerance**2)


def box_of_map(values: ArrayLike, share: float = BOX_SHARE) -> PixelBox | None:
    """The box around the largest connected part of a map that reaches ``share`` of its maximum; None: empty.

    Pixels that touch at a corner are connected (Zhou 2016, section 3.2).
    """
    drawn = np.nan_to_num(np.asarray(values, np.float64))
    top = drawn.max(initial=0.0)
    if top <= 0:
        return None
    count, _, stats, _ = cv2.connectedComponentsWithStats((drawn >= share * top).astype(np.uint8), connectivity=8)
    largest = 1 + int(np.argmax(stats[1:count, cv2.CC_STAT_AREA]))
    left, top_edge, width, height = (float(value) for value in stats[largest, :4])
    return top_edge, left, top_edge + height, left + width


def best_iou(values: ArrayLike, boxes: Iterable[PixelBox], share: float = BOX_SHARE) -> float:
    """The largest IoU of the map's box with one of the boxes, 0..1; 0 for an empty map."""
    map_box = box_of_map(values, share)
    return 0.0 if map_box is None else max((iou(map_box, box) for box in boxes), default=0.0)


def iou(a: PixelBox, b: PixelBox) -> float:
    """Intersection over union of two boxes, 0..1."""
    tall, wide = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, tall) * max(0.0, wide)
    union_area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - common
    return common / union_area if union_area > 0 else 0.0


def box_around(mask: ArrayLike) -> PixelBox:
    """The smallest box around what is set in a mask (H, W). Raises CamcoreError where nothing is."""
    ys, xs = np.nonzero(np.asarray(mask, bool))
    if not len(ys):
        raise CamcoreError("The mask is empty: there is no object in it. Give a mask with at least one pixel set.")
    return float(ys.min()), float(xs.min()), float(ys.max() + 1), float(xs.max() + 1)


def union(boxes: Iterable[PixelBox], size: tuple[int, int]) -> Mask:
    """The pixels of a picture (H, W) whose centres lie in any of the boxes: bool (H, W)."""
    y, x = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    inside = np.zeros(size, bool)
    for top, left, bottom, right in boxes:
        inside |= ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None, :]
    return inside


def table(located: Iterable[Located]) -> tuple[LocalisationRow, ...]:
    """A row for each method, in the order of their first pictures; every picture counts, empty maps too."""
    groups: dict[str, list[Located]] = {}
    for one in located:
        groups.setdefault(one.method, []).append(one)
    return tuple(
        LocalisationRow(
            method=method,
            pointing=bootstrap([float(one.hit) for one in group]),
            energy=bootstrap([one.energy for one in group]),
            area=bootstrap([one.area for one in group]),
            iou=bootstrap([one.iou for one in group]),
            empty=sum(one.empty for one in group),
        )
        for method, group in groups.items()
    )


def _check_size(values: NDArray[np.generic], region: NDArray[np.generic]) -> None:
    if values.shape != region.shape:
        raise CamcoreError(
            f"A region of {sides(region.shape)} does not lie on a map of {sides(values.shape)}. Both are as large as "
            "the picture. Give a mask of the picture's height and width."
        )
