"""The patches of many pictures that excite a channel most.

Each picture gives a channel its single best cell, so that one picture does not fill the list. All channels of a
layer are looked for at once, picture after picture; what is kept is a few numbers per channel.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camcore.batches import BATCH, framed_batches, open_files
from camcore.checks import checked, of_type, optional, whole
from camcore.errors import CamcoreError, LayerError
from camcore.features.cells import field_on_picture
from camcore.files import opened_plain
from camcore.framing import frame_for
from camcore.heatmaps.arguments import a_framing, a_network, a_path, a_picture, paths
from camcore.heatmaps.request import Layer
from camcore.network import Network
from camcore.pictures.file_kinds import begins_as_picture
from camcore.pictures.picture import Picture
from camcore.training.folders import Skipped

TOP = 9
MOST_FILES = 100_000

# Activations per pass, so that an early layer of large grids stays within some 100 MB.
_CHUNK_VALUES = 16 << 20


@dataclass(frozen=True)
class Patch:
    """One answer of a channel: its value at the cell (row, column) for a picture's file."""

    file: Path
    row: int
    column: int
    value: float


@dataclass(frozen=True, eq=False)
class StrongestPatches:
    """The strongest answers of every channel of a layer to the first ``done`` of ``files``.

    values: float32 (K, top), strongest first, −inf where there are not so many pictures. pictures, cells: int64
    (K, top), the place in ``files`` and row · w + column. skipped: files that could not be used.
    """

    layer: str
    framing: str
    grid: tuple[int, int]
    files: tuple[Path, ...]
    done: int
    values: NDArray[np.float32]
    pictures: NDArray[np.int64]
    cells: NDArray[np.int64]
    skipped: tuple[Skipped, ...] = ()

    @checked(channel=whole())
    def of(self, channel: int) -> tuple[Patch, ...]:
        """The patches of one channel, strongest first. Raises LayerError for a channel that the layer has not."""
        if not 0 <= channel < len(self.values):
            raise LayerError(
                f"Layer {self.layer!r} has no channel {channel}: it has {len(self.values)}, 0 to "
                f"{len(self.values) - 1}. Choose one of these."
            )
        answers = zip(self.values[channel], self.pictures[channel], self.cells[channel], strict=True)
        return tuple(
            Patch(self.files[n], *divmod(int(cell), self.grid[1]), float(value))
            for value, n, cell in answers
            if np.isfinite(value)
        )


@checked(folder=a_path)
def picture_files(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Every picture below a folder, in alphabetical order, found by how a file begins; hidden ones are left out.

    Raises CamcoreError where there is no such folder, it cannot be read, holds no picture, or more than MOST_FILES.
    """
    root = Path(folder)
    if not os.path.isdir(root):  # unlike Path.is_dir, False for a name that is too long, too
        raise CamcoreError(
            f"There is no folder '{str(root)[:300]}'. Pictures are read from a folder on this machine. Correct the "
            "path."
        )
    try:
        pictures = tuple(path for path in _files(root) if _is_picture(path))
    except OSError as error:
        raise CamcoreError(
            f"The folder '{root}' cannot be read: {error.strerror or error}. Allow reading it, or choose another."
        ) from error
    if not pictures:
        raise CamcoreError(f"The folder '{root}' holds no pictures. Give one with JPEG, PNG or WebP files in it.")
    return pictures


def _files(root: Path) -> list[Path]:
    """All files below a folder but hidden ones; none is opened before it is clear that they are not too many."""
    files: list[Path] = []
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += (Path(parent, name) for name in names if not name.startswith("."))
        if len(files) > MOST_FILES:
            raise CamcoreError(
                f"'{root}' holds more than {MOST_FILES:,} files, too many to be looked through. It may be a folder "
                "above the one that is meant. Give the one with the pictures."
            )
    return sorted(files)


def _is_picture(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with opened_plain(path) as file:
            return begins_as_picture(file.read(16))
    except OSError:
        return False  # one file that may not be read does not spoil the others


@checked(
    network=a_network,
    files=paths,
    framing=a_framing,
    top=whole(1, 1000, example=9),
    so_far=optional(of_type(StrongestPatches, "Give what an earlier run yielded last, or leave it out.")),
)
def strongest_patches(
    network: Network,
    files: Sequence[Path],
    layer: Layer | None = None,
    framing: str | None = None,
    top: int = TOP,
    so_far: StrongestPatches | None = None,
) -> Iterator[StrongestPatches]:
    """Look through pictures for what excites each channel of ``layer`` most; StrongestPatches after each batch.

    ``so_far``: what an earlier, stopped run of the same question yielded last; work goes on from there. Of equal
    values the earlier picture and the earlier cell come first. Pictures that cannot be opened are skipped and
    listed. Costs one forward pass each; closing the generator stops the work. Raises at the call: LayerError for a
    layer without a heatmap, CamcoreError for an unknown framing, no files, or a ``so_far`` of something else.

    With ``net = camcore.load("cats_vs_dogs")`` and ``file``, the path of a picture:

    >>> *_, patches = camcore.strongest_patches(net, [file], top=3)
    >>> patches.values.shape, patches.done
    ((96, 3), 1)
    >>> patches.of(0)[0].file == file
    True
    """
    info = network.layer_with_grid(layer)
    framing = network.framing_for(framing)
    assert info.grid is not None
    chosen = tuple(files)
    if not chosen:
        raise CamcoreError(
            "0 pictures make no patches. There has to be at least 1, such as picture_files(folder) finds."
        )
    if so_far is None:
        shape = (info.channels or 0, top)
        nothing = np.full(shape, -np.inf, np.float32), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        so_far = StrongestPatches(info.path, framing, info.grid, chosen, 0, *nothing)
    elif (so_far.layer, so_far.framing, so_far.files, so_far.values.shape[1]) != (info.path, framing, chosen, top):
        raise CamcoreError(
            "What was found so far belongs to another layer, framing, list or set of pictures. Begin anew without it."
        )
    return _searched(network, so_far, info.channels or 1)


def _searched(network: Network, so_far: StrongestPatches, channels: int) -> Iterator[StrongestPatches]:
    batch = min(BATCH, max(1, _CHUNK_VALUES // (so_far.grid[0] * so_far.grid[1] * channels)))
    for part in framed_batches(network, open_files(so_far.files, so_far.done), so_far.framing, batch):
        values, pictures, cells = so_far.values, so_far.pictures, so_far.cells
        skipped = (*so_far.skipped, *part.skipped)
        if len(part.indices):
            A = network.tap(part.x, [so_far.layer]).activations[so_far.layer]
            flat = A.reshape(len(A), -1, A.shape[3])
            best = flat.argmax(axis=1)  # (n, K)
            peaks = np.take_along_axis(flat, best[:, np.newaxis], axis=1)[:, 0].astype(np.float32)
            broken = ~np.isfinite(peaks).all(axis=1)
            peaks[broken] = -np.inf
            reason = "The network's activations for it are not finite numbers: it overflows on this picture."
            skipped += tuple(Skipped(so_far.files[i], reason) for i in part.indices[broken])
            numbers = np.broadcast_to(part.indices, peaks.T.shape)
            values = np.concatenate((values, peaks.T), axis=1)
            order = np.argsort(-values, axis=1, kind="stable")[:, : so_far.values.shape[1]]
            values = np.take_along_axis(values, order, axis=1)
            pictures = np.take_along_axis(np.concatenate((pictures, numbers), axis=1), order, axis=1)
            cells = np.take_along_axis(np.concatenate((cells, best.T), axis=1), order, axis=1)
        so_far = replace(
            so_far, done=so_far.done + part.seen, values=values, pictures=pictures, cells=cells, skipped=skipped
        )
        yield so_far


@checked(network=a_network, pic=a_picture, framing=a_framing)
def cut_out(network: Network, patch: Patch, pic: Picture, layer: str, framing: str | None = None) -> NDArray[np.uint8]:
    """The patch as pixels of its original picture: uint8 (h, w, 3), the cell's receptive field as far as it was seen.

    Where the field is not known, or is larger than the input, that is all that the network saw.
    """
    frame = frame_for((pic.height, pic.width), network.input_size, network.framing_for(framing))
    info = network.layer(layer)
    box = field_on_picture(info, (patch.row, patch.column), frame) or frame.seen
    top, left = (int(np.floor(edge + 1e-6)) for edge in box[:2])
    bottom, right = (int(np.ceil(edge - 1e-6)) for edge in box[2:])
    return pic.rgb[max(top, 0) : max(bottom, top + 1), max(left, 0) : max(right, left + 1)]
