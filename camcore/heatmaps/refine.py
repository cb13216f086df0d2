"""Refinements that apply to any method: averaging over small changes of the picture, the main component instead of
the sum, and the fusion of several maps into one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, number, one_of, optional, shown
from camcore.errors import CamcoreError, MethodError, nearest
from camcore.framing import CellGrid
from camcore.heatmaps.arguments import maps as map_list
from camcore.heatmaps.cam_map import CamMap

if TYPE_CHECKING:
    from camcore.methods.info import MethodInfo
    from camcore.network import Network

Array = NDArray[np.floating]

REFINEMENTS = ("aug", "eigen")

# Brightness factors of augmentation smoothing, each also mirrored.
BRIGHTNESS = (0.9, 1.0, 1.1)


def check_refinements(refine: str | Sequence[str]) -> tuple[str, ...]:
    """The refinements as a tuple in a fixed order. Raises MethodError for one that there is not.

    ``aug``: the mean of the raw maps over the picture and its mirror image, each at brightness 0.9, 1 and 1.1 (a factor
    on the network's input), mapped back. ``eigen``: the first principal component of the weighted activations
    instead of their sum. Both as in pytorch-grad-cam.
    """
    if not isinstance(refine, str | list | tuple | set | frozenset):
        raise MethodError(
            f"refine={shown(refine)} names no refinements. Maps are refined by {', '.join(REFINEMENTS)}. Name one, or "
            "give a list of them."
        )
    names = [refine] if isinstance(refine, str) else list(refine)
    for name in names:
        if not isinstance(name, str) or name not in REFINEMENTS:
            near = nearest(name, REFINEMENTS)
            raise MethodError(
                f"There is no refinement {shown(name)}. Maps are refined by {', '.join(REFINEMENTS)}."
                + (f" Did you mean {near!r}?" if near else "")
            )
    return tuple(name for name in REFINEMENTS if name in names)


def check_weighted(info: MethodInfo) -> None:
    """Raise MethodError where a method weighs no activations, so that they have no main component."""
    if info.weights is None:
        raise MethodError(
            f"{info.title} weighs no activations, so the refinement 'eigen' does not apply to it. Use it with "
            "'gradcam' or another method that does, or leave it out."
        )


def augmented(network: Network, x: NDArray[np.number]) -> Iterator[tuple[NDArray[np.number], bool]]:
    """The six inputs of augmentation smoothing, and whether each is mirrored; the input itself first."""
    for mirrored in (False, True):
        for factor in sorted(BRIGHTNESS, key=lambda factor: factor != 1):
            picture = network.channels_last(x)
            picture = picture[:, :, ::-1] if mirrored else picture
            yield network.as_input(np.ascontiguousarray(picture * np.asarray(factor, x.dtype))), mirrored


@checked(maps=map_list, how=one_of("max", "mean"), gamma=optional(number(above=0, example=2.0)))
def fuse(maps: Sequence[CamMap], how: Literal["max", "mean"] = "max", gamma: float | None = None) -> CamMap:
    """Maps of several layers as one, on the network's input grid: their maximum or mean, place by place.

    ``values`` are upsampled bilinearly to the input. ``gamma``: first scaled by tanh(γ·values), as LayerCAM does with
    shallow layers (γ = 2; Jiang 2021, equation 9), so that their few strong cells do not hide the rest. The result
    has ``layer`` None and the first map's other facts.

    Raises CamcoreError for no maps, for maps of different pictures, networks or classes, or another ``how``.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> fused = camcore.fuse(camcore.explain(net, pic, "layercam", layers=net.ladder), gamma=2)
    >>> fused.values.shape, fused.layer
    ((192, 192), None)
    """
    if not maps:
        raise CamcoreError("No maps were given to fuse. Give at least one.")
    first = maps[0]
    for m in maps:
        if (m.network, m.frame, m.class_index) != (first.network, first.frame, first.class_index):
            raise CamcoreError(
                f"Maps of {first.network}, class {first.class_index} and of {m.network}, class {m.class_index} were to "
                "be fused. Only maps of one picture, network and class can be: ask for several layers or methods."
            )
    h, w = first.frame.input_size
    stack = []
    for m in maps:
        values = on_input(m)
        stack.append(values if gamma is None else np.tanh(gamma * values))
    raw = np.max(stack, axis=0) if how == "max" else np.mean(stack, axis=0)
    top = raw.max()
    return replace(
        first,
        layer=None,
        raw=raw.astype(np.float32),
        values=(raw / top if top > 0 else raw).astype(np.float32),
        warning=" ".join(dict.fromkeys(m.warning for m in maps if m.warning)) or None,
        seconds=max(m.seconds for m in maps),
        offset=None,
        evidence=None,
        cells=CellGrid.uniform((h, w), (h, w)),
    )


def on_input(m: CamMap) -> Array:
    """A map's ``values`` upsampled bilinearly to the network's input, float32 (H, W), by the place of its cells."""
    h, w = m.frame.input_size
    at = [
        np.clip((np.arange(side) - first) / stride, 0, count - 1).astype(np.float32)
        for side, first, stride, count in zip((h, w), m.cells.first_centre, m.cells.stride, m.values.shape, strict=True)
    ]
    x, y = np.meshgrid(at[1], at[0])
    return np.asarray(cv2.remap(m.values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
