"""What the page on a classifier has done in the background: one picture, a folder of them, its training.

Each function describes a Work; nothing is computed before somebody asks for it.
"""

import functools
import hashlib
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from camcore.training.folders import LabelledFolder, class_names, read_folder
from ui.questions import NetworkKey
from ui.rasters import shrink
from ui.works import Part, Work

FRAMING = "crop"
THUMB_SIDE = 320
"""Long side of the pictures in the gallery, in pixels."""
FORMINGS = 2

Parts = Generator[Part, None, None]


def network_key(saved: SavedNetwork) -> NetworkKey:
    """The engine's name for a saved network as its file is now."""
    return NetworkKey(saved.name, version=saved.version)


# ---- one picture


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network makes of a picture. ``evidence``: of the two classes to compare; empty where ``why_not`` says why.

    ``grid``, ``channels``: of the layer that is averaged.
    """

    predictions: tuple[Any, ...]
    activation: str
    evidence: tuple[Evidence, ...] = ()
    why_not: str = ""
    grid: tuple[int, int] | None = None
    channels: int = 0

    @property
    def said(self) -> Evidence:
        """The evidence for the class that the network says."""
        first = self.predictions[0].index
        return next(one for one in self.evidence if one.class_index == first)


def seeing(saved: SavedNetwork, picture: camcore.Picture) -> Work:
    """Predictions, and the evidence for both of two classes or for the two most probable ones; a Seen."""

    def steps(net: Any) -> Parts:
        predictions = tuple(net.predict(picture, top=5, framing=FRAMING))
        first = Seen(predictions, net.activation)
        yield Part(None, first)
        classes = [0, 1] if net.classes == 2 else [one.index for one in predictions[:2]]
        try:
            info = net.layer_with_grid()
            found = evidence(net, picture, classes, FRAMING)
        except (LayerError, MethodError) as error:
            yield Part(1.0, Seen(predictions, net.activation, why_not=str(error)))
        else:
            yield Part(1.0, Seen(predictions, net.activation, found, "", info.grid, info.channels))

    return Work(
        network_key(saved), ("seeing", picture.sha256), "The network looks at the picture", steps, _seen_bytes, 2.0
    )


def _seen_bytes(seen: Seen) -> int:
    return 4096 + _evidence_bytes(seen.evidence)


def _evidence_bytes(found: Sequence[Evidence]) -> int:
    return sum(one.map.nbytes + 512 for one in found)


# ---- how attention forms

_formings: ByteLRU[CheckpointNetwork] = ByteLRU(512 << 20, lambda forming: 64 << 20, FORMINGS)
_opening = threading.Lock()


def forming(saved: SavedNetwork, picture: camcore.Picture, classes: Sequence[int]) -> Work:
    """The evidence for these classes at every checkpoint and at the end; a tuple of Stages, growing."""
    wanted = tuple(classes)

    def steps(_: Any) -> Parts:
        with _opening:
            key = (saved.folder, saved.sha256)
            opened = _formings.get(key) or _formings.put(key, CheckpointNetwork(saved))
        done: tuple[EpochEvidence, ...] = ()
        for stage in opened.of(picture, wanted, FRAMING):
            done = (*done, stage)
            yield Part(len(done) / len(opened.stages), done)

    def weigh(stages: tuple[EpochEvidence, ...]) -> int:
        return sum(_evidence_bytes(stage.evidence) for stage in stages)

    key = ("forming", picture.sha256, wanted)
    return Work(network_key(saved), key, "Looking with each checkpoint", steps, weigh)


# ---- a folder


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What a network says about a folder's pictures. ``root`` None: where they lie is not known here."""

    predictions: Predictions
    root: Path | None
    seconds: float = 0.0


_evaluated: ByteLRU[Evaluated] = ByteLRU(64 << 20, lambda one: _evaluated_bytes(one), 32)


def evaluating(saved: SavedNetwork, root: Path) -> Work:
    """The predictions for every picture of a folder; an Evaluated, once it is whole."""

    def steps(net: Any) -> Parts:
        names = [name for name in class_names(root) if any(_visible(root / name))]
        if len(names) > 1:  # a folder of something else is refused before it is walked through
            class_indices(net, LabelledFolder(root, tuple(names), (), np.empty(0, np.int64)))
        data = read_folder(root, least=1)
        key = (network_key(saved), _content(data))
        found = _evaluated.get(key)
        if found is None:
            for step in predict_folder(net, data, FRAMING):
                yield Part(step.done / max(step.total, 1))
            if not len(step.predictions):
                raise CamcoreError(
                    f"None of the {step.total} pictures in '{root}' could be opened, so there is nothing to count. "
                    f"The first one: {step.predictions.skipped[0].reason} Give another folder."
                )
            found = _evaluated.put(key, Evaluated(step.predictions, root, step.seconds))
        yield Part(1.0, found)

    key = ("evaluating", root, _stamp(root))
    return Work(network_key(saved), key, "Looking at the test pictures", steps, _evaluated_bytes)


def _evaluated_bytes(one: Evaluated) -> int:
    p = one.predictions
    return p.probabilities.nbytes + p.labels.nbytes + sum(64 + len(file) for file in p.files)


def _visible(folder: Path) -> Generator[Path, None, None]:
    try:
        yield from (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return


def _stamp(root: Path) -> tuple[Any, ...]:
    """Changes where a class comes or goes, or a picture directly in it; quick to have."""
    try:
        return tuple((name, (root / name).stat().st_mtime_ns) for name in class_names(root)[:1000])
    except (CamcoreError, OSError):
        return ()


def _content(data: LabelledFolder) -> str:
    """Tells a folder's files from all others, wherever they lie."""
    digest = hashlib.sha256(repr(data.classes).encode())
    for index, file in enumerate(data.files):
        status = file.stat()
        digest.update(f"{relative(data, index)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def averaging(saved: SavedNetwork, evaluated: Evaluated) -> Work:
    """The mean maps of right and wrong pictures of each class; Averages, growing."""
    root = evaluated.root
    assert root is not None

    def steps(net: Any) -> Parts:
        for step in average_maps(net, evaluated.predictions, root, framing=FRAMING):
            yield Part(step.done / max(step.total, 1), step)

    def weigh(averages: Averages) -> int:
        return sum(group.evidence.nbytes + group.values.nbytes for group in averages.groups)

    key = ("averaging", root, _stamp(root))
    return Work(network_key(saved), key, "Averaging the maps", steps, weigh)


# ---- the gallery


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture of the gallery, small, with the evidence for the class said. ``problem``: why there is none."""

    file: str
    rgb: NDArray[np.uint8] | None
    evidence: Evidence | None
    problem: str = ""


_shots: ByteLRU[Shot] = ByteLRU(96 << 20, lambda shot: _shot_bytes(shot))


def shooting(saved: SavedNetwork, root: Path, wanted: Sequence[tuple[str, int]]) -> Work:
    """A page of the gallery: (file, class said) → a tuple of Shots, growing."""
    pairs = tuple(wanted)

    def steps(net: Any) -> Parts:
        done: tuple[Shot, ...] = ()
        for file, said in pairs:
            key = (network_key(saved), root, file, _modified(root / file), said)
            done = (*done, _shots.get(key) or _shots.put(key, _shot(net, root, file, said)))
            yield Part(len(done) / len(pairs), done)

    def weigh(shots: tuple[Shot, ...]) -> int:
        return sum(_shot_bytes(shot) for shot in shots)

    return Work(network_key(saved), ("shooting", root, pairs), "Looking at these pictures", steps, weigh)


def _shot(net: Any, root: Path, file: str, said: int) -> Shot:
    try:
        picture = camcore.open_picture(root / file)
    except camcore.PictureError as error:
        return Shot(file, None, None, str(error))
    small = shrink(picture.rgb, THUMB_SIDE)
    try:
        return Shot(file, small, evidence(net, picture, [said], FRAMING)[0])
    except MethodError as error:
        return Shot(file, small, None, str(error))


def _shot_bytes(shot: Shot) -> int:
    return 512 + (shot.rgb.nbytes if shot.rgb is not None else 0)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


# ---- files beside the network


@functools.lru_cache(maxsize=32)
def _read(read: Any, path: Path, stamp: int) -> Any:
    return read(path)


def beside(saved: SavedNetwork, name: str, read: Any) -> Any:
    """``read(path)`` of a file in the network's folder, kept until it changes; None where there is no such file.

    Raises CamcoreError where it is damaged.
    """
    path = saved.folder / name
    stamp = _modified(path)
    return _read(read, path, stamp) if stamp else None
