"""What is asked about one place of a picture: its cells, what a cell depends on, and patches that excite a channel.

Each function describes a Work; nothing is computed before somebody asks for it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from camcore.cache import ByteLRU
from camcore.features.cells import Cells, look_at_cells
from camcore.features.effective_field import EffectiveField, effective_field
from camcore.features.patches import Patch, StrongestPatches, cut_out, picture_files, strongest_patches
from camcore.pictures.picture import open_picture
from camcore.render.encode import to_data_url, to_jpeg
from ui.engine import engine
from ui.picture_folders import named
from ui.questions import NetworkKey
from ui.rasters import shrink
from ui.works import Part, Work

CHANNELS = 64
"""So many channels stand for all of a layer: a good sample, within a second."""
PATCH_SIDE = 200

Parts = Generator[Part, None, None]

_searched: ByteLRU[StrongestPatches] = ByteLRU(64 << 20, lambda found: _patches_bytes(found))
_cut: ByteLRU[str] = ByteLRU(32 << 20, len)


@dataclass(frozen=True)
class Question:
    """One layer of one network, looking at one picture for one class."""

    network: NetworkKey
    picture: str
    framing: str
    layer: str
    class_index: int


def looking(question: Question, picture: Any) -> Work:
    """All cells of the layer, as a Work whose value is camcore.features.cells.Cells."""

    def steps(net: Any) -> Parts:
        q = question
        yield Part(1.0, look_at_cells(net, picture, q.layer, q.class_index, q.framing, engine().memory))

    def weigh(cells: Cells) -> int:
        return int(cells.A.nbytes + cells.products.nbytes)

    return Work(question.network, ("cells", question), "Looking at every place", steps, weigh, expected=1.0)


def sample(channels: int) -> tuple[int, ...]:
    """Evenly spaced channels that stand for all; all of them where there are few."""
    count = min(CHANNELS, channels)
    return tuple(i * channels // count for i in range(count))


def depending(question: Question, picture: Any, cell: tuple[int, int], channels: tuple[int, ...]) -> Work:
    """What one cell depends on, as a Work whose value is an EffectiveField, in parts."""

    def steps(net: Any) -> Parts:
        for field in effective_field(net, picture, question.layer, cell, channels, question.framing):
            yield Part(len(field.channels) / field.total, field)

    def weigh(field: EffectiveField) -> int:
        return int(field.strength.nbytes)

    key = ("field", question, cell, channels)
    return Work(question.network, key, "Measuring what this place depends on", steps, weigh)


def searching(network: NetworkKey, layer: str, framing: str, folder: str) -> Work:
    """What excites every channel of a layer in a folder's pictures: a Work of StrongestPatches, in parts."""
    root, version = named(folder)
    key = ("patches", layer, framing, root, version)

    def steps(net: Any) -> Parts:
        so_far = _searched.get((network, key))
        files = so_far.files if so_far is not None else picture_files(root)
        for found in strongest_patches(net, files, layer, framing, so_far=so_far):
            _searched.put((network, key), found)
            yield Part(found.done / len(files), found)
        if so_far is not None and so_far.done == len(files):
            yield Part(1.0, so_far)

    return Work(network, key, "Looking through the folder", steps, _patches_bytes)


def _patches_bytes(found: StrongestPatches) -> int:
    return found.values.nbytes + found.pictures.nbytes + found.cells.nbytes + 300 * len(found.files)


def patch_url(net: Any, patch: Patch, found: StrongestPatches) -> str:
    """A patch as a data URL, small; raises PictureError where its file has gone."""
    key = (patch, found.layer, found.framing, net.serial)
    known = _cut.get(key)
    if known is not None:
        return known
    pixels = cut_out(net, patch, open_picture(patch.file), found.layer, found.framing)
    return _cut.put(key, to_data_url(to_jpeg(shrink(pixels, PATCH_SIDE), 88), "image/jpeg"))
