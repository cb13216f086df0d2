"""The work of the page on a classifier: one picture, a folder of them, its training."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

import camcore
from camcore.cache import ByteLRU
from camcore.errors import CamcoreError, LayerError, MethodError
from camcore.evaluation.average_maps import Averages, average_maps
from camcore.evaluation.predict import Predictions, class_indices, predict_folder, relative
from camcore.features.checkpoints import CheckpointNetwork, EpochEvidence
from camcore.heatmaps.evidence import Evidence, evidence
from camcore.models.saved import SavedNetwork
from camcore.predictions import Prediction
from camcore.training.folders import LabelledFolder, class_names, read_folder
from ui.jobs.work import Update, Updates, Work
from ui.picture_folders import class_signature
from ui.query import NetworkKey
from ui.rasters import shrink

if TYPE_CHECKING:
    from camcore.network import Network

FRAMING = "crop"
THUMB_SIDE = 320
"""Long side of the pictures in the gallery, in pixels."""
FORMINGS = 2

V = TypeVar("V")


def network_key(saved: SavedNetwork) -> NetworkKey:
    """The key of a saved network as its file is now."""
    return NetworkKey(saved.name, version=saved.version)


# ---- one picture


@dataclass(frozen=True, eq=False)
class PictureEvidence:
    """A network's answers to a picture. ``evidence``: for the two classes to compare; empty where ``why_not`` says why.

    ``grid``, ``channels``: of the layer that is averaged.
    """

    predictions: tuple[Prediction, ...]
    activation: str
    evidence: tuple[Evidence, ...] = ()
    why_not: str = ""
    grid: tuple[int, int] | None = None
    channels: int | None = 0

    @property
    def said(self) -> Evidence:
        """The evidence for the class that the network says."""
        first = self.predictions[0].index
        return next(one for one in self.evidence if one.class_index == first)


def evidence_work(saved: SavedNetwork, picture: camcore.Picture) -> Work[PictureEvidence]:
    """Predicts, and finds the evidence for both of two classes or for the two most probable ones."""

    def steps(net: Network, _: object) -> Updates[PictureEvidence]:
        predictions = tuple(net.predict(picture, top=5, framing=FRAMING))
        first = PictureEvidence(predictions, net.activation)
        yield Update(None, first)
        classes = [0, 1] if net.classes == 2 else [one.index for one in predictions[:2]]
        try:
            info = net.layer_with_grid()
            found = evidence(net, picture, classes, FRAMING)
        except (LayerError, MethodError) as error:
            yield Update(1.0, PictureEvidence(predictions, net.activation, why_not=str(error)))
        else:
            yield Update(1.0, PictureEvidence(predictions, net.activation, found, "", info.grid, info.channels))

    def size(seen: PictureEvidence) -> int:
        return 4096 + _evidence_bytes(seen.evidence)

    key = ("evidence", picture.sha256)
    return Work(network_key(saved), key, "The network looks at the picture", steps, size, 2.0)


def _evidence_bytes(found: Sequence[Evidence]) -> int:
    return sum(one.map.nbytes + 512 for one in found)


# ---- how attention forms

_formings: ByteLRU[CheckpointNetwork] = ByteLRU(512 << 20, lambda forming: 64 << 20, FORMINGS)
_opening = threading.Lock()


def checkpoints_work(
    saved: SavedNetwork, picture: camcore.Picture, classes: Sequence[int]
) -> Work[tuple[EpochEvidence, ...]]:
    """Finds the evidence for these classes at every checkpoint and at the end."""
    explained = tuple(classes)

    def steps(_: object, __: object) -> Updates[tuple[EpochEvidence, ...]]:
        with _opening:
            key = (saved.folder, saved.sha256)
            opened = _formings.get(key) or _formings.put(key, CheckpointNetwork(saved))
        done: tuple[EpochEvidence, ...] = ()
        for stage in opened.of(picture, explained, FRAMING):
            done = (*done, stage)
            yield Update(len(done) / len(opened.stages), done)

    def size(stages: tuple[EpochEvidence, ...]) -> int:
        return sum(_evidence_bytes(stage.evidence) for stage in stages)

    key = ("checkpoints", picture.sha256, explained)
    return Work(network_key(saved), key, "Looking with each checkpoint", steps, size)


# ---- a folder


@dataclass(frozen=True, eq=False)
class FolderResults:
    """A network's answers to a folder's pictures. ``root`` None: where they lie is not known here."""

    predictions: Predictions
    root: Path | None
    seconds: float = 0.0


_evaluated: ByteLRU[FolderResults] = ByteLRU(64 << 20, lambda one: _evaluated_bytes(one), 32)


def folder_work(saved: SavedNetwork, root: Path) -> Work[FolderResults]:
    """Predicts every picture of a folder; the value comes once it is whole."""

    def steps(net: Network, _: object) -> Updates[FolderResults]:
        names = [name for name in class_names(root) if any(_visible(root / name))]
        if len(names) > 1:  # a folder of something else is refused before it is walked through
            class_indices(net, LabelledFolder(root, tuple(names), (), np.empty(0, np.int64)))
        data = read_folder(root, least=1)
        key = (network_key(saved), _content(data))
        found = _evaluated.get(key)
        if found is None:
            for step in predict_folder(net, data, FRAMING):
                yield Update(step.done / max(step.total, 1))
            if not len(step.predictions):
                raise CamcoreError(
                    f"None of the {step.total} pictures in '{root}' could be opened, so there is nothing to count. "
                    f"The first one: {step.predictions.skipped[0].reason} Give another folder."
                )
            found = _evaluated.put(key, FolderResults(step.predictions, root, step.seconds))
        yield Update(1.0, found)

    key = ("folder", root, class_signature(root))
    return Work(network_key(saved), key, "Looking at the test pictures", steps, _evaluated_bytes)


def _evaluated_bytes(one: FolderResults) -> int:
    p = one.predictions
    return p.probabilities.nbytes + p.labels.nbytes + sum(64 + len(file) for file in p.files)


def _visible(folder: Path) -> Iterator[Path]:
    try:
        yield from (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return


def _content(data: LabelledFolder) -> str:
    """Tells a folder's files from all others, wherever they lie."""
    digest = hashlib.sha256(repr(data.classes).encode())
    for index, file in enumerate(data.files):
        status = file.stat()
        digest.update(f"{relative(data, index)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def averages_work(saved: SavedNetwork, evaluated: FolderResults) -> Work[Averages]:
    """Averages the maps of right and wrong pictures of each class."""
    root = evaluated.root
    assert root is not None

    def steps(net: Network, _: object) -> Updates[Averages]:
        for step in average_maps(net, evaluated.predictions, root, framing=FRAMING):
            yield Update(step.done / max(step.total, 1), step)

    def size(averages: Averages) -> int:
        return sum(group.evidence.nbytes + group.values.nbytes for group in averages.groups)

    key = ("averages", root, class_signature(root))
    return Work(network_key(saved), key, "Averaging the maps", steps, size)


# ---- the gallery


@dataclass(frozen=True, eq=False)
class GalleryPicture:
    """A picture of the gallery, small, with the evidence for the predicted class. ``problem``: why there is none."""

    file: str
    rgb: NDArray[np.uint8] | None
    evidence: Evidence | None
    problem: str = ""


_gallery: ByteLRU[GalleryPicture] = ByteLRU(96 << 20, lambda one: _gallery_bytes(one))


def gallery_work(
    saved: SavedNetwork, root: Path, entries: Sequence[tuple[str, int]]
) -> Work[tuple[GalleryPicture, ...]]:
    """Draws a page of the gallery. ``entries``: (file, predicted class)."""
    pairs = tuple(entries)

    def steps(net: Network, _: object) -> Updates[tuple[GalleryPicture, ...]]:
        done: tuple[GalleryPicture, ...] = ()
        for file, predicted in pairs:
            key = (network_key(saved), root, file, _modified(root / file), predicted)
            done = (*done, _gallery.get(key) or _gallery.put(key, _gallery_picture(net, root, file, predicted)))
            yield Update(len(done) / len(pairs), done)

    def size(pictures: tuple[GalleryPicture, ...]) -> int:
        return sum(map(_gallery_bytes, pictures))

    return Work(network_key(saved), ("gallery", root, pairs), "Looking at these pictures", steps, size)


def _gallery_picture(net: Network, root: Path, file: str, predicted: int) -> GalleryPicture:
    try:
        picture = camcore.open_picture(root / file)
    except camcore.PictureError as error:
        return GalleryPicture(file, None, None, str(error))
    small = shrink(picture.rgb, THUMB_SIDE)
    try:
        return GalleryPicture(file, small, evidence(net, picture, [predicted], FRAMING)[0])
    except MethodError as error:
        return GalleryPicture(file, small, None, str(error))


def _gallery_bytes(one: GalleryPicture) -> int:
    return 512 + (one.rgb.nbytes if one.rgb is not None else 0)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


# ---- files beside the network


@functools.lru_cache(maxsize=32)
def _read(read: Callable[[Path], V], path: Path, stamp: int) -> V:
    return read(path)


def beside(saved: SavedNetwork, name: str, read: Callable[[Path], V]) -> V | None:
    """``read(path)`` of a file in the network's folder, kept until it changes; None where there is no such file.

    Raises CamcoreError where it is damaged.
    """
    path = saved.folder / name
    stamp = _modified(path)
    return _read(read, path, stamp) if stamp else None
