"""Features of a frozen trunk for every picture of a folder, computed once and kept on disk part by part."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.files import write_arrays
from camcore.framing import frame_picture
from camcore.models.grafting import POOL
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.training.folders import LabelledFolder, Skipped, opened
from camcore.training.views import cut_out, random_part

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float32]
Extract = Callable[[Array], Sequence[Array]]
"""A preprocessed batch (m, H, W, C) → what is kept of it: arrays (m, …)."""

_PART = 128  # pictures in one file: what is lost when the process is killed
_BATCH = 32


@dataclass(frozen=True)
class View:
    """A way of showing pictures to a trunk.

    ``framing``: "" for the network's own. ``mirrored``: the other way round. ``crop``: the number of a random crop,
    0 for none, drawn with ``seed`` and the picture's place in its folder; it shows ``least_area`` of the picture at
    least.
    """

    framing: str = ""
    mirrored: bool = False
    crop: int = 0
    least_area: float = 1.0
    seed: int = 0

    def shown(self, picture: Picture, index: int, net: Network) -> Array:
        """The picture as this network is shown it, RGB 0..255 (h, w, 3)."""
        if self.crop:
            rng = np.random.default_rng((self.seed, self.crop, index))
            box = random_part((picture.width, picture.height), self.least_area, rng)
            x = cut_out(picture, net.input_size, box).astype(np.float32)
        else:
            x, _ = frame_picture(picture, net.input_size, self.framing or net.framing)
        return x[:, ::-1] if self.mirrored else x


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Rows of an array that lies in several files; ``rows[indices]`` reads those rows."""

    parts: tuple[Array, ...]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, indices: NDArray[np.int64]) -> Array:
        starts = np.cumsum([0, *(len(part) for part in self.parts)])
        out = np.empty((len(indices), *self.parts[0].shape[1:]), np.float32)
        owners = np.searchsorted(starts, indices, side="right") - 1
        for owner in np.unique(owners):
            mine = owners == owner
            out[mine] = self.parts[owner][indices[mine] - starts[owner]]
        return out


@dataclass(frozen=True, eq=False)
class TrunkFeatures:
    """The trunk's answers to some pictures: pooled features, and the maps before the blocks to be tuned."""

    data: LabelledFolder
    pooled: StoredRows
    maps: StoredRows | None


def trunk_features(
    net: Network, sets: Sequence[tuple[LabelledFolder, View]], start: keras.KerasTensor | None, folder: Path
) -> Generator[tuple[int, int], None, list[TrunkFeatures]]:
    """Features of each set of pictures in a view, kept in ``folder``; yields (pictures done, in all).

    ``net``: as surgery made it. ``start``: the tensor whose values are kept, too, None for none.
    """
    extract, outputs, key = _extractor(net, start), 1 if start is None else 2, _key(net, start)
    total, before = sum(len(data) for data, _ in sets), 0
    features = []
    for data, view in sets:
        arrays, usable = yield from _collect(extract, outputs, net, data, view, folder, key, before, total)
        features.append(TrunkFeatures(usable, arrays[0], None if start is None else arrays[1]))
        before += len(data)
    return features


def _extractor(net: Network, start: keras.KerasTensor | None) -> Extract:
    """A function from a preprocessed batch to [pooled features] or [pooled features, maps at ``start``]."""
    import keras
    import tensorflow as tf

    pooled = net.model.get_layer(POOL).output
    model = keras.Model(net.model.inputs[0], [pooled] if start is None else [pooled, start])
    spec = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)]

    @tf.function(autograph=False, input_signature=spec)
    def values(x: tf.Tensor) -> list[tf.Tensor]:
        outputs: list[tf.Tensor] = keras.tree.flatten(model(x, training=False))  # of one, Keras makes no list
        return outputs

    def extract(x: Array) -> list[Array]:
        return [np.asarray(array, np.float32) for array in values(tf.convert_to_tensor(net.check_input(x)))]

    return extract


def _key(net: Network, start: keras.KerasTensor | None) -> str:
    """A text that tells the features from others of the same pictures."""
    digest = hashlib.sha256()
    for weight in net.model.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return f"{digest.hexdigest()} {net.input_size} {None if start is None else start.name}"


def _collect(
    extract: Extract,
    outputs: int,
    net: Network,
    data: LabelledFolder,
    view: View,
    folder: Path,
    key: str,
    before: int,
    total: int,
) -> Generator[tuple[int, int], None, tuple[tuple[StoredRows, ...], LabelledFolder]]:
    """Run every picture through ``extract``, which gives ``outputs`` arrays; yields (pictures done, in all).

    Returns those arrays, a row for each picture that could be opened, and the folder of just these pictures. Parts
    that an earlier call with the same ``key``, view and pictures left in ``folder`` are taken again. Raises
    CamcoreError where the folder cannot be written.
    """
    stem = hashlib.sha256(repr((key, view, _PART, _files(data))).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    arrays: list[list[Array]] = [[] for _ in range(outputs)]
    kept: list[int] = []
    skipped: list[Skipped] = []
    for number, start in enumerate(range(0, len(data), _PART)):
        indices = np.arange(start, min(start + _PART, len(data)))
        paths = [folder / f"{stem}-{number:05d}-{i}.npy" for i in range(outputs)]
        index_path = folder / f"{stem}-{number:05d}.npz"
        part = _part_of(index_path, paths)
        if part is None:
            rows, opened_ones, reasons = yield from _computed(extract, net, data, indices, view, before, total)
            for path, array in zip(paths, rows, strict=True):
                write_arrays(path, array)
            kept_here = start + np.array(opened_ones, np.int64)
            write_arrays(index_path, {"kept": kept_here, "reasons": np.array(reasons, np.str_)})
            part = _part_of(index_path, paths)
            assert part is not None
        part_kept, part_reasons, part_rows = part
        kept += part_kept.tolist()
        missing = [i for i in indices.tolist() if i not in set(part_kept.tolist())]
        skipped += [Skipped(data.files[i], str(why)) for i, why in zip(missing, part_reasons, strict=True)]
        for into, rows_here in zip(arrays, part_rows, strict=True):
            if len(rows_here):
                into.append(rows_here)
        yield before + int(indices[-1]) + 1, total
    good = data.take(kept)
    return tuple(StoredRows(tuple(parts)) for parts in arrays), replace(good, skipped=(*data.skipped, *skipped))


def _files(data: LabelledFolder) -> list[tuple[str, int, int]]:
    stamps = []
    for file in data.files:
        try:
            status = file.stat()
            stamps.append((str(file), status.st_size, status.st_mtime_ns))
        except OSError:  # gone since the folder was read; opening it says so
            stamps.append((str(file), -1, 0))
    return stamps


def _part_of(index_path: Path, paths: list[Path]) -> tuple[NDArray[np.int64], NDArray[np.str_], list[Array]] | None:
    """(which pictures, why the others not, rows of each array) of a part; None where it is not whole."""
    try:
        with np.load(index_path, allow_pickle=False) as index:
            kept, reasons = index["kept"], index["reasons"]
        rows = [np.load(path, mmap_mode="r" if path.stat().st_size > 1 << 20 else None) for path in paths]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return (kept, reasons, rows) if all(len(array) == len(kept) for array in rows) else None


def _computed(
    extract: Extract,
    net: Network,
    data: LabelledFolder,
    indices: NDArray[np.int64],
    view: View,
    before: int,
    total: int,
) -> Generator[tuple[int, int], None, tuple[list[Array], list[int], list[str]]]:
    """Some pictures through ``extract``; yields (pictures done, in all).

    Returns (rows of each array, places among ``indices`` of the pictures opened, why the others were not).
    """
    rows: list[Sequence[Array]] = []
    kept: list[int] = []
    reasons: list[str] = []
    for start in range(0, len(indices), _BATCH):
        batch = []
        for place, picture in opened(data.take(indices[start : start + _BATCH])):
            if isinstance(picture, Skipped):
                reasons.append(picture.reason)
            else:
                kept.append(start + place)
                batch.append(view.shown(picture, int(indices[start + place]), net))
        if batch:
            rows.append(extract(net.preprocess(np.stack(batch))))
        yield before + int(indices[0]) + min(start + _BATCH, len(indices)), total
    if not rows:  # none could be opened: an empty part of the right shape
        blank = np.zeros((1, *net.input_size, 3), np.float32)
        rows = [[array[:0] for array in extract(net.preprocess(blank))]]
    return [np.concatenate(arrays) for arrays in zip(*rows, strict=True)], kept, reasons
