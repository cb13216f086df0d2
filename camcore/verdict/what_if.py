"""Experiments on the picture: a part is hidden, the network asked again, and the same map made again.

    from camcore.verdict.what_if import what_if
    for step in what_if(net, pic, m, (40, 60, 200, 220), fill="blur"):
        print(step.result.changes[0])

A box is hidden, or everything around it (``keep``). What stands in its place is made up, and every way of making it up
leaves traces of its own: a conclusion that holds for one fill only is about the fill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, floor
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, one_of, shown, whole
from camcore.errors import CamcoreError
from camcore.framing import NEUTRAL, reduced_size
from camcore.heatmaps.arguments import a_map, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.recompute import recompute_passes, recompute_request
from camcore.heatmaps.run import stream
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction
from camcore.text import sides

FILLS = ("grey", "blur", "inpaint")

# Blur and inpainting are computed at this size at most: of what they leave nothing is finer.
_SIDE = 512

# The blur's deviation as a share of the longer side: no feature of an object is left.
_BLUR = 1 / 20
_INPAINT_RADIUS = 3

Box = tuple[int, int, int, int]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ScoreChange:
    """One class, before and after; probabilities are NaN where the network gives none."""

    before: Prediction
    after: Prediction


@dataclass(frozen=True, eq=False)
class WhatIf:
    """The scores and the map before and after.

    ``box``: (top, left, bottom, right) edges in whole pixels of the picture. ``picture``: the changed one.
    ``changes``: the class of the map first, then the classes that were or are among the most probable, in the order of
    the larger of the two probabilities. ``map``: of the picture as it is; ``again``: the same of the changed picture,
    None while it is not there yet.
    """

    box: Box
    fill: str
    keep: bool
    picture: Picture
    changes: tuple[ScoreChange, ...]
    map: CamMap
    again: CamMap | None = None


@dataclass(frozen=True, eq=False)
class WhatIfStep:
    """``done`` of ``total`` passes; in the last step ``result`` is whole."""

    result: WhatIf
    done: float
    total: float
    seconds: float


@checked(network=a_network, pic=a_picture, m=a_map, keep=flag, top=whole(1, example=5))
def what_if(
    network: Network, pic: Picture, m: CamMap, box: Box, fill: str = "grey", keep: bool = False, top: int = 5
) -> Iterator[WhatIfStep]:
    """The scores and the map ``m`` again, of the picture with a box hidden, or with nothing but the box (``keep``).

    The scores come with the first step, the map with the last. Closing the generator stops the work.

    Raises, at the call, CamcoreError for a box that has no pixel or leaves none to change, an unknown fill, or a map
    of another network or picture; MethodError for a map that was fused from several.
    """
    request = recompute_request(network, m)
    changed = hidden(pic, box, fill, keep)
    if (m.network, m.frame.picture_size) != (network.name, (pic.height, pic.width)):
        raise CamcoreError(
            f"A map of {m.network} on a picture of {sides(m.frame.picture_size)} says nothing of {network.name} on one "
            f"of {sides((pic.height, pic.width))}. Ask about the map's own network and picture."
        )
    (task,) = request.tasks
    total = 2 + recompute_passes(network, m)

    def steps() -> Iterator[WhatIfStep]:
        start = perf_counter()
        changes = _changes(network, pic, changed, m, top)
        known = WhatIf(clipped(box, pic), fill, keep, changed, changes, m)
        yield WhatIfStep(known, min(2.0, total), total, perf_counter() - start)
        options = {m.method: dict(m.options)}
        layers = None if task.path is None else [task.path]
        for part in stream(network, changed, m.method, layers, m.class_index, m.framing, options, m.refine):
            known = replace(known, again=(*part.maps, *part.partial)[-1])
            done = 2 + (total - 2) * part.done / max(part.total, 1)
            yield WhatIfStep(known, total if part.maps else min(done, total), total, perf_counter() - start)

    return steps()


@checked(network=a_network, m=a_map)
def what_if_passes(network: Network, m: CamMap) -> float:
    """The cost of ``what_if`` in forward passes of one picture."""
    return 2 + recompute_passes(network, m)


@checked(pic=a_picture, fill=one_of(*FILLS, kind="fill"), keep=flag)
def hidden(pic: Picture, box: Box, fill: str = "grey", keep: bool = False) -> Picture:
    """The picture with a box filled, or with everything but the box (``keep``).

    ``fill``: ``grey``, ImageNet's mean colour, which most preprocessing turns into nothing; ``blur``, a Gaussian with
    a deviation of 1/20 of the longer side; ``inpaint``, from the surroundings (Telea 2004, as in OpenCV).

    Raises CamcoreError for a box without a pixel, a fill that does not exist, and where nothing would change or, with
    ``inpaint``, no pixel would be left to paint from.
    """
    top, left, bottom, right = clipped(box, pic)
    inside = np.zeros((pic.height, pic.width), bool)
    inside[top:bottom, left:right] = True
    gone = ~inside if keep else inside
    if not gone.any():
        raise CamcoreError("The box covers the whole picture, so nothing around it can be hidden. Draw a smaller one.")
    if fill == "inpaint" and gone.all():
        raise CamcoreError(
            "The box covers the whole picture, so nothing is left to paint it from. Draw a smaller one, or hide it by "
            "grey or blur."
        )
    rgb = pic.rgb.copy()
    rgb[gone] = np.rint(NEUTRAL) if fill == "grey" else _filling(pic.rgb, (top, left, bottom, right), fill, keep)[gone]
    return Picture.from_array(rgb, name=pic.name)


@checked(pic=a_picture)
def clipped(box: Box, pic: Picture) -> Box:
    """The part of a box that lies on the picture, in whole pixels. Raises CamcoreError where there is none."""
    try:
        top, left, bottom, right = (round(float(edge)) for edge in box)
    except (TypeError, ValueError, OverflowError):
        raise CamcoreError(
            f"{shown(box)} is no box. It has four edges, (top, left, bottom, right), in pixels of the picture. "
            "Give four numbers."
        ) from None
    inner = max(0, top), max(0, left), min(pic.height, bottom), min(pic.width, right)
    if inner[0] >= inner[2] or inner[1] >= inner[3]:
        raise CamcoreError(
            f"The box {(top, left, bottom, right)} has no pixel of the picture, which is "
            f"{sides((pic.height, pic.width))} (height × width). It is given as (top, left, bottom, right). Draw it on "
            "the picture."
        )
    return inner


def _filling(rgb: Pixels, box: Box, fill: str, keep: bool) -> Pixels:
    """The filling of the hidden part: a whole picture (H, W, 3), of which only that part is used."""
    size = reduced_size((rgb.shape[0], rgb.shape[1]), _SIDE)
    small = cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA) if size != rgb.shape[:2] else rgb
    if fill == "blur":
        made = cv2.GaussianBlur(small, (0, 0), max(size) * _BLUR, borderType=cv2.BORDER_REFLECT)
    else:
        made = cv2.inpaint(small, _small_mask(box, rgb.shape, size, keep), _INPAINT_RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(made, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def _small_mask(box: Box, shape: tuple[int, ...], size: tuple[int, int], keep: bool) -> Pixels:
    """The hidden part on the reduced picture; a pixel that is hidden in part is hidden."""
    inner, outer = (ceil, floor) if keep else (floor, ceil)
    top, left = (inner(box[axis] * size[axis] / shape[axis]) for axis in (0, 1))
    bottom, right = (outer(box[axis + 2] * size[axis] / shape[axis]) for axis in (0, 1))
    mask = np.full(size, 255 if keep else 0, np.uint8)
    mask[top : max(bottom, top + 1), left : max(right, left + 1)] = 0 if keep else 255
    return mask


def _changes(network: Network, pic: Picture, changed: Picture, m: CamMap, top: int) -> tuple[ScoreChange, ...]:
    every = [_by_class(network, network.prepare(one, m.framing)[0]) for one in (pic, changed)]
    leading = {index for one in every for index in list(one)[:top]} - {m.class_index}

    def larger(index: int) -> float:
        probability = max(one[index].probability for one in every)
        return probability if probability == probability else max(one[index].logit for one in every)

    order = [m.class_index, *sorted(leading, key=larger, reverse=True)]
    return tuple(ScoreChange(every[0][index], every[1][index]) for index in order)


def _by_class(network: Network, x: NDArray[np.number]) -> dict[int, Prediction]:
    """Every class of one input, highest score first; also what lowers the value of a regression."""
    logits, p = (rows[0] for rows in network.answer(x))
    order = np.argsort(-logits, kind="stable").tolist()
    return {i: Prediction(i, network.labels[i], float(p[i]), float(logits[i]), network.score_kind) for i in order}
