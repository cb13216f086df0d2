"""The work on one place of a picture: its cells, what a cell depends on, and patches that excite a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore.cache import ByteLRU
from camcore.features.cells import Cells, look_at_cells
from camcore.features.effective_field import EffectiveField, effective_field
from camcore.features.patches import Patch, StrongestPatches, cut_out, picture_files, strongest_patches
from camcore.pictures.picture import Picture, open_picture
from camcore.render.encode import to_data_url, to_jpeg
from ui.jobs.work import Update, Updates, Work
from ui.map_cache import map_cache
from ui.picture_folders import named
from ui.query import NetworkKey
from ui.rasters import shrink

if TYPE_CHECKING:
    from camcore.network import Network

CHANNELS = 64
"""So many channels stand for all of a layer: a good sample, within a second."""
PATCH_SIDE = 200

_searched: ByteLRU[StrongestPatches] = ByteLRU(64 << 20, lambda found: _patches_bytes(found))
_cut: ByteLRU[str] = ByteLRU(32 << 20, len)


@dataclass(frozen=True)
class CellQuery:
    """One layer of one network, looking at one picture for one class."""

    network: NetworkKey
    picture: str
    framing: str
    layer: str
    class_index: int


def cells_work(query: CellQuery, picture: Picture) -> Work[Cells]:
    """Computes all cells of the layer."""

    def steps(net: Network, _: object) -> Updates[Cells]:
        memory = map_cache().memory
        yield Update(1.0, look_at_cells(net, picture, query.layer, query.class_index, query.framing, memory))

    def size(cells: Cells) -> int:
        return int(cells.A.nbytes + cells.products.nbytes)

    return Work(query.network, ("cells", query), "Looking at every place", steps, size, expected=1.0)


def sample(channels: int) -> tuple[int, ...]:
    """Evenly spaced channels that stand for all; all of them where there are few."""
    count = min(CHANNELS, channels)
    return tuple(i * channels // count for i in range(count))


def field_work(
    query: CellQuery, picture: Picture, cell: tuple[int, int], channels: tuple[int, ...]
) -> Work[EffectiveField]:
    """Measures what one cell depends on, in parts."""

    def steps(net: Network, _: object) -> Updates[EffectiveField]:
        for field in effective_field(net, picture, query.layer, cell, channels, query.framing):
            yield Update(len(field.channels) / field.total, field)

    def size(field: EffectiveField) -> int:
        return int(field.strength.nbytes)

    key = ("field", query, cell, channels)
    return Work(query.network, key, "Measuring what this place depends on", steps, size)


def patches_work(network: NetworkKey, layer: str, framing: str, folder: str) -> Work[StrongestPatches]:
    """Searches a folder for what excites every channel of a layer, in parts; goes on where it was stopped."""
    root, version = named(folder)
    key = ("patches", layer, framing, root, version)

    def steps(net: Network, _: object) -> Updates[StrongestPatches]:
        so_far = _searched.get((network, key))
        files = so_far.files if so_far is not None else picture_files(root)
        for found in strongest_patches(net, files, layer, framing, so_far=so_far):
            _searched.put((network, key), found)
            yield Update(found.done / len(files), found)
        if so_far is not None and so_far.done == len(files):
            yield Update(1.0, so_far)

    return Work(network, key, "Looking through the folder", steps, _patches_bytes)


def _patches_bytes(found: StrongestPatches) -> int:
    return found.values.nbytes + found.pictures.nbytes + found.cells.nbytes + 300 * len(found.files)


def patch_url(net: Network, patch: Patch, found: StrongestPatches) -> str:
    """A patch as a data URL, small; raises PictureError where its file has gone."""
    key = (patch, found.layer, found.framing, net.serial)
    known = _cut.get(key)
    if known is not None:
        return known
    pixels = cut_out(net, patch, open_picture(patch.file), found.layer, found.framing)
    return _cut.put(key, to_data_url(to_jpeg(shrink(pixels, PATCH_SIDE), 88), "image/jpeg"))
