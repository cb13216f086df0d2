"""The share of both networks' maps that lies inside the object's mask, picture by picture of two audits."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.sources import SUFFIXES, open_row
from camcore.errors import CamcoreError
from camcore.framing import CellGrid, frame_for
from camcore.metrics.localisation import energy_share
from camcore.metrics.object_masks import ObjectMask, read_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.audits.manifest import Manifest
    from camcore.audits.store import Audit

BATCH = 32
"""Pictures between two steps."""


@dataclass(frozen=True, eq=False)
class InsideMasks:
    """Shares of the maps' sums on the object, ``old`` and ``new`` (n,), of the pictures ``paths``.

    ``without``: pictures that have no mask; ``unusable``: those whose mask cannot be used, for the ``reason`` of the
    first.
    """

    paths: tuple[str, ...]
    old: NDArray[np.float64]
    new: NDArray[np.float64]
    without: int = 0
    unusable: int = 0
    reason: str = ""

    @property
    def looked_at(self) -> int:
        """Pictures whose mask was opened, usable or not."""
        return len(self.paths) + self.unusable


def mask_files(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The masks below a folder, by their paths there without ending; nothing is opened.

    Raises CamcoreError where there are none.
    """
    root = Path(folder).expanduser()
    try:
        files = [Path(at, name) for at, _, names in os.walk(root, onerror=_raise) for name in sorted(names)]
    except OSError as error:
        raise CamcoreError(
            f"The masks in '{root}' cannot be read: {error.strerror or error}. It is a folder with a mask for each "
            "picture, at the same path below it: pictures/cat/a.jpg, masks/cat/a.png. Correct the path."
        ) from error
    found = {
        file.relative_to(root).with_suffix("").as_posix(): file for file in files if file.suffix.lower() in SUFFIXES
    }
    if not found:
        raise CamcoreError(f"There are no pictures in '{root}', so nothing has a mask. Give the folder of the masks.")
    return found


def masks_of(paths: Sequence[str], masks: Mapping[str, Path]) -> dict[str, Path]:
    """The mask of each picture that has one: at its path without ending, or at its name where no other has it."""
    plain = {path: posixpath.splitext(path)[0] for path in paths}
    names = Counter(posixpath.basename(one) for one in plain.values())
    found = {}
    for path, one in plain.items():
        name = posixpath.basename(one)
        mask = masks.get(one) or (masks.get(name) if names[name] == 1 else None)
        if mask is not None:
            found[path] = mask
    return found


def inside_masks(old: Audit, new: Audit, paths: Sequence[str], masks: Mapping[str, Path]) -> Iterator[InsideMasks]:
    """The maps of two audits on the masks of these pictures, a batch more at each step."""
    files = masks_of(paths, masks)
    asked = list(files)
    known: list[str] = []
    shares: list[tuple[float, float]] = []
    unusable, reason = 0, ""
    for start in range(0, max(1, len(asked)), BATCH):
        batch = asked[start : start + BATCH]
        for path, one, other in zip(batch, old.maps(batch), new.maps(batch), strict=True):
            try:
                mask = read_mask(files[path], open_row(new.manifest, path))
            except CamcoreError as error:
                unusable, reason = unusable + 1, reason or str(error)
                continue
            known.append(path)
            shares.append((_share(old.manifest, one, mask), _share(new.manifest, other, mask)))
        both = np.array(shares, np.float64).reshape(-1, 2)
        yield InsideMasks(tuple(known), both[:, 0], both[:, 1], len(paths) - len(asked), unusable, reason)


def _share(manifest: Manifest, values: NDArray[np.floating], mask: ObjectMask) -> float:
    """The share of a map's sum on the object; 0 where the map is zero."""
    size = manifest.network.input_size
    frame = frame_for((mask.inside.shape[0], mask.inside.shape[1]), size, manifest.framing)
    drawn = frame.to_picture(values, manifest.cells or CellGrid.uniform(manifest.grid, size))
    drawn[mask.ignored] = np.nan
    return energy_share(drawn, mask.inside)[0]


def _raise(error: OSError) -> None:
    raise error
