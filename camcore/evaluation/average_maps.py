"""Mean maps: of each class, over the pictures that a network gets right and over those that it gets wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from camcore.batches import BATCH, check_batch, framed_batches
from camcore.errors import CamcoreError, MethodError, PictureError
from camcore.evaluation.predict import Predictions
from camcore.files import content_checked, read_json, write_whole
from camcore.heatmaps.cam_map import normalised
from camcore.heatmaps.compute import raw_map
from camcore.methods import find_method
from camcore.methods.registry import MethodInfo
from camcore.network import Network
from camcore.pictures.picture import Picture, open_picture
from camcore.training.folders import Skipped

Of = Literal["said", "true"]
AVERAGES = "average_maps.json"
"""The mean maps beside a network that ``python -m camcore evaluate … --out`` writes."""


@dataclass(frozen=True, eq=False)
class GroupMean:
    """The mean over the ``count`` pictures of class ``label`` that were said rightly (``correct``) or wrongly.

    evidence: float64 (h, w), mean of the signed raw maps. values: float64 (h, w), mean of the maps in 0..1.
    Both on the layer's own grid, and zero where no picture belongs to the group.
    """

    label: int
    correct: bool
    count: int
    evidence: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Averages:
    """``done`` of ``total`` pictures after ``seconds``; the groups' means over those, class by class, right first.

    of: each picture's map is that of the class it was said to be (``said``) or of its own class (``true``).
    """

    groups: tuple[GroupMean, ...]
    method: str
    layer: str
    of: Of
    framing: str
    done: int
    total: int
    seconds: float
    skipped: tuple[Skipped, ...] = ()


def average_maps(
    network: Network,
    p: Predictions,
    root: str | os.PathLike[str],
    *,
    method: str | None = None,
    layer: object = None,
    of: Of = "said",
    threshold: float = 0.5,
    framing: str | None = None,
    batch: int = BATCH,
) -> Iterator[Averages]:
    """Mean maps over the pictures of ``p``, whose files lie below ``root``; an Averages after each batch.

    method: one that needs a single pass; None: exact CAM where the network has it, else Grad-CAM. layer: None
    for the default one. Files that cannot be opened any more are skipped and counted. Closing the generator
    stops the work. Raises MethodError, LayerError or CamcoreError at the call.
    """
    chosen = network.framing_for(framing)
    check_batch(batch)
    if of not in ("said", "true"):
        raise CamcoreError(f"of={of!r} is not a choice of class. Take 'said' or 'true'.")
    if p.classes != network.labels:
        raise CamcoreError(
            f"These predictions tell {len(p.classes)} classes apart, {', '.join(p.classes[:4])}, but {network.name} "
            f"has {', '.join(network.labels[:4])}. They are another network's. Predict the pictures with "
            f"{network.name}."
        )
    path = network.layer_with_grid(layer).path
    info = single_pass_method(network, method, path)
    predicted = p.predicted(threshold)
    explained = predicted if of == "said" else p.labels

    def steps() -> Iterator[Averages]:
        start = perf_counter()
        grid = network.layer(path).grid
        assert grid is not None
        sums = {(int(label), right): np.zeros((2, *grid)) for label in np.unique(p.labels) for right in (True, False)}
        counts = dict.fromkeys(sums, 0)
        skipped: list[Skipped] = []
        done = 0
        for part in framed_batches(network, _pictures(p, Path(root)), chosen, batch):
            skipped += part.skipped
            done += part.seen
            raw = raw_maps(network, info, path, part.x, explained[part.indices]) if len(part.indices) else []
            for i, one in zip(part.indices, raw, strict=True):
                group = int(p.labels[i]), bool(predicted[i] == p.labels[i])
                sums[group] += one, normalised(one, info.min_max)
                counts[group] += 1
            groups = tuple(GroupMean(*group, counts[group], *(sums[group] / max(1, counts[group]))) for group in sums)
            yield Averages(groups, info.key, path, of, chosen, done, len(p), perf_counter() - start, tuple(skipped))

    return steps()


def write_averages(path: str | os.PathLike[str], averages: Averages, classes: tuple[str, ...]) -> Path:
    """Write the means as JSON; the file is whole or not there. CamcoreError where it cannot be written."""
    content = {
        "method": averages.method,
        "layer": averages.layer,
        "of": averages.of,
        "framing": averages.framing,
        "pictures": averages.done - len(averages.skipped),
        "classes": list(classes),
        "groups": [
            {
                "label": classes[group.label],
                "correct": group.correct,
                "count": group.count,
                "evidence": np.round(group.evidence, 6).tolist(),
                "values": np.round(group.values, 6).tolist(),
            }
            for group in averages.groups
        ],
    }
    return write_whole(Path(path), json.dumps(content, ensure_ascii=False).encode("utf-8"))


def read_averages(path: str | os.PathLike[str]) -> Averages:
    """Read what ``write_averages`` wrote. Raises CamcoreError where the file is missing or damaged."""
    home = Path(path)
    remedy = "python -m camcore evaluate … --out writes them. Correct the path, or write them again."
    with content_checked(home, "average maps", remedy):
        content = read_json(home)
        groups = tuple(
            GroupMean(
                content["classes"].index(group["label"]),
                bool(group["correct"]),
                int(group["count"]),
                np.array(group["evidence"], np.float64),
                np.array(group["values"], np.float64),
            )
            for group in content["groups"]
        )
        shapes = {array.shape for group in groups for array in (group.evidence, group.values)}
        if len(shapes) != 1 or len(shapes.pop()) != 2:
            raise ValueError("its maps have different shapes")
        if content["of"] not in ("said", "true"):
            raise ValueError(f"of is {content['of']!r}")
        method, layer, framing = (str(content[key]) for key in ("method", "layer", "framing"))
        total = int(content["pictures"])
        return Averages(groups, method, layer, content["of"], framing, total, total, 0.0)


def single_pass_method(network: Network, method: str | None, layer: str) -> MethodInfo:
    """The method by its key; None: ``cam`` where it is exact at this layer, else ``gradcam``.

    Raises MethodError for one that needs many passes for each picture, or that is not defined at the layer.
    """
    if method is None:
        try:
            network.check_linear_head(layer)
        except MethodError:
            return find_method("gradcam")
        return find_method("cam")
    info = find_method(method)
    if not info.input.shares_backward:
        raise MethodError(
            f"{info.title} needs many passes for every picture, too many for a folder of them. Choose a method of "
            "the gradient family, such as 'gradcam' or 'layercam'."
        )
    if info.at_own_layer:
        network.check_linear_head(layer)
    return info


def raw_maps(
    network: Network, info: MethodInfo, layer: str, x: NDArray[np.number], classes: NDArray[np.int64]
) -> list[NDArray[np.float32]]:
    """The raw map (h, w) of each image of a preprocessed batch, for a class of its own each: one shared pass."""
    tapped = network.tap(x, [layer], [classes.tolist()])
    options = info.checked({})
    gradients = tapped.gradients[0][layer]
    return [raw_map(info, (A, G), options)[0] for A, G in zip(tapped.activations[layer], gradients, strict=True)]


def _pictures(p: Predictions, root: Path) -> Iterator[tuple[int, Picture | Skipped]]:
    for index, name in enumerate(p.files):
        try:
            yield index, open_picture(root / name)
        except PictureError as error:
            yield index, Skipped(root / name, str(error))
