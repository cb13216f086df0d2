"""How much of a class's map falls on a region, over many pictures: energy beside area, with an interval.

Energy is Σ of the rectified map inside the region / Σ over all that the network saw (Wang 2020, energy-based
pointing game). A map that does not care about the region has as much energy there as the region has area.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, PictureError
from camcore.evaluation.average_maps import raw_maps, single_pass_method
from camcore.evaluation.predict import BATCH, check_batch, framed_batches, relative
from camcore.files import to_csv, write_whole
from camcore.heatmaps.cam_map import normalised
from camcore.metrics.intervals import bootstrap
from camcore.metrics.localisation import energy_share
from camcore.network import Network
from camcore.pictures.picture import open_picture
from camcore.training.folders import LabelledFolder, Skipped, opened

Box = tuple[float, float, float, float]  # top, left, bottom, right, as shares of the picture's sides
Mask = NDArray[np.bool_]
Region = Box | Callable[[Path], Mask]  # one box for all, or a mask (H, W) for each picture's file


@dataclass(frozen=True)
class Share:
    """One picture: the share of the map's energy on the region, and of the area that the network saw.

    An empty map has the energy 0 everywhere; it counts, and ``empty`` says so.
    """

    file: str
    energy: float
    area: float
    empty: bool


@dataclass(frozen=True)
class Energy:
    """The mean over ``n`` pictures with its bootstrap 95 % interval, beside the region's mean area.

    All NaN where there are no pictures. empty: how many maps were.
    """

    value: float
    low: float
    high: float
    area: float
    n: int
    empty: int


@dataclass(frozen=True, eq=False)
class Measured:
    """``done`` of ``total`` pictures after ``seconds``: their shares, and the mean map (h, w) of values in 0..1."""

    shares: tuple[Share, ...]
    mean_map: NDArray[np.float64]
    method: str
    layer: str
    done: int
    total: int
    seconds: float
    skipped: tuple[Skipped, ...] = ()

    @property
    def energy(self) -> Energy:
        """The mean over the pictures so far."""
        return summary(self.shares)


def energy_in_region(
    net: Network,
    data: LabelledFolder,
    region: Region,
    class_index: int,
    *,
    method: str | None = None,
    layer: Any = None,
    framing: str | None = None,
    batch: int = BATCH,
) -> Iterator[Measured]:
    """The energy of one class's maps on a region of every picture; a Measured after each batch.

    region: a box for all pictures, or a function from a picture's file to its mask (H, W), which may raise
    PictureError. method: one that needs a single pass; None: exact CAM where the network has it, else Grad-CAM.
    Pictures and masks that cannot be used are skipped and counted. Closing the generator stops the work.
    Raises MethodError, LayerError, ModelError (no such class) or CamcoreError (no such box) at the call.
    """
    index = net.check_class(class_index)
    framing = net.framing_for(framing)
    check_batch(batch)
    if not callable(region):
        check_box(region)
    path = net.layer_with_grid(layer).path
    info = single_pass_method(net, method, path)

    def steps() -> Iterator[Measured]:
        start = perf_counter()
        place = net.layer(path)
        assert place.grid is not None
        total, count = np.zeros(place.grid), len(data) + len(data.skipped)
        shares: list[Share] = []
        skipped = list(data.skipped)
        done = len(skipped)
        for part in framed_batches(net, opened(data), framing, batch):
            done += part.seen
            skipped += part.skipped
            raw = raw_maps(net, info, path, part.x, np.full(len(part.indices), index)) if len(part.indices) else []
            for i, frame, one in zip(part.indices, part.frames, raw, strict=True):
                values = normalised(one)
                try:
                    inside = region(data.files[i]) if callable(region) else box_mask(region, frame.picture_size)
                    share = energy_share(frame.to_picture(values, place.cells(net.input_size)), inside)
                except CamcoreError as error:  # a mask that is missing, damaged or of another size
                    skipped.append(Skipped(data.files[i], str(error)))
                    continue
                shares.append(Share(relative(data, i), *share))
                total += values
            mean, seconds = total / max(1, len(shares)), perf_counter() - start
            yield Measured(tuple(shares), mean, info.key, path, done, count, seconds, tuple(skipped))

    return steps()


def summary(shares: Sequence[Share], seed: int = 0) -> Energy:
    """The mean energy of some pictures with its bootstrap 95 % interval (percentiles, drawn by the seed)."""
    if not shares:
        unknown = float("nan")
        return Energy(unknown, unknown, unknown, unknown, 0, 0)
    energy = bootstrap([share.energy for share in shares], seed)
    area = float(np.mean([share.area for share in shares]))
    empty = sum(share.empty for share in shares)
    return Energy(energy.mean, energy.low, energy.high, area, energy.n, empty)


def check_box(box: Box) -> None:
    """Raise CamcoreError for what is not (top, left, bottom, right) in shares of the sides."""
    if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
        raise CamcoreError(
            f"The box {box} is none. A box is top, left, bottom, right as shares of the picture's height and width, "
            "from 0 to 1. The top left quarter is 0, 0, 0.5, 0.5."
        )


def box_mask(box: Box, size: tuple[int, int]) -> Mask:
    """The pixels of a picture (H, W) whose centres lie in the box: bool (H, W)."""
    rows = (np.arange(size[0]) + 0.5) / size[0]
    columns = (np.arange(size[1]) + 0.5) / size[1]
    inside_rows, inside_columns = (rows >= box[0]) & (rows < box[2]), (columns >= box[1]) & (columns < box[3])
    return inside_rows[:, None] & inside_columns[None, :]


def masks_beside(data: LabelledFolder, folder: str | os.PathLike[str]) -> Callable[[Path], Mask]:
    """A region from a folder of mask pictures: what is not black counts.

    The mask of ``cat/7.jpg`` is ``cat/7.png`` (or any other format) there, or ``7.png`` where the folder is flat.
    Raises CamcoreError where there is no such folder; the function raises PictureError for a picture without
    a mask of its own size.
    """
    home = Path(folder).expanduser()
    if not home.is_dir():
        raise CamcoreError(
            f"The folder of masks '{home}' is not there. It holds a mask picture for each photograph, under the same "
            "name. Correct the path."
        )
    by_stem = {path.relative_to(home).with_suffix("").as_posix(): path for path in home.rglob("*") if path.is_file()}

    def mask(file: Path) -> Mask:
        name = file.relative_to(data.root) if file.is_relative_to(data.root) else Path(file.name)
        path = by_stem.get(name.with_suffix("").as_posix()) or by_stem.get(name.stem)
        if path is None:
            raise PictureError(f"There is no mask for it in '{home}'.")
        return np.asarray(open_picture(path).rgb.any(axis=2))

    return mask


def write_shares(path: str | os.PathLike[str], shares: Sequence[Share]) -> Path:
    """Write ``file,energy,area,empty``, a row for each picture; CamcoreError where that is not possible."""
    rows = ([share.file, f"{share.energy:.6f}", f"{share.area:.6f}", int(share.empty)] for share in shares)
    return write_whole(Path(path), to_csv([["file", "energy", "area", "empty"], *rows]))
