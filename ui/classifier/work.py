"""The work of the page on a classifier: one picture, its training, and the files beside the network."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import camcore
from camcore.cache import ByteLRU
from camcore.errors import LayerError, MethodError
from camcore.features.checkpoints import CheckpointNetwork, EpochEvidence
from camcore.heatmaps.evidence import Evidence, evidence
from camcore.models.saved import SavedNetwork
from camcore.predictions import Prediction
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network

THUMB_SIDE = 320
"""Long side of the small pictures, in pixels."""
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
        predictions = tuple(net.predict(picture, top=5, framing=saved.framing))
        first = PictureEvidence(predictions, net.activation)
        yield Update(None, first)
        classes = [0, 1] if net.classes == 2 else [one.index for one in predictions[:2]]
        try:
            info = net.layer_with_grid()
            found = evidence(net, picture, classes, saved.framing)
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
        for stage in opened.of(picture, explained, saved.framing):
            done = (*done, stage)
            yield Update(len(done) / len(opened.stages), done)

    def size(stages: tuple[EpochEvidence, ...]) -> int:
        return sum(_evidence_bytes(stage.evidence) for stage in stages)

    key = ("checkpoints", picture.sha256, explained)
    return Work(network_key(saved), key, "Looking with each checkpoint", steps, size)


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


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
