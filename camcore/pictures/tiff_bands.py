"""TIFF files that Pillow has no mode for: several bands, wide numbers, decimals; and what else a TIFF may be.

Of such a file the directory is read here, and its compressed bytes are decoded by Pillow as if they were the rows of
one wide gray picture: the bytes of a row are the same whatever they mean.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from camcore.errors import PictureError
from camcore.pictures.depth import Numbers, eight_bit, full_range

# Tags of TIFF 6.0, its supplements, and DNG.
_REDUCED, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_MAKE, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANAR = 271, 273, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 317, 322, 323, 324, 325
_ORIENTATION, _SUB_DIRECTORIES, _EXTRA, _FORMAT, _ICC, _DNG = 274, 330, 338, 339, 34675, 50706

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_SEPARATE = 2
_ALPHA = (1, 2)

_PIECES = (_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES)
_READ = frozenset(
    {_REDUCED, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _MAKE, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES}
    | {_PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _ORIENTATION, _SUB_DIRECTORIES, _EXTRA}
    | {_FORMAT, _ICC, _DNG}
)

_MOST_ENTRIES = 4096
_MOST_NUMBERS = 4_000_000  # of all tags together
_MOST_PIECES = 50_000  # strips or tiles: Pillow takes them one by one
_MOST_BYTES = 150_000_000  # decoded; 25 million pixels of three 16-bit bands

_READABLE = {1, 5, 8, 32773, 32946, 34925, 50000}
_COMPRESSIONS = {
    6: "JPEG", 7: "JPEG", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA",
    34933: "PNG", 34934: "JPEG XR", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
_NEVER = {33003, 33005, 34712, 34887, 34933, 34934, 50002, 52546}  # libtiff as Pillow brings it knows none of them
_SCALARS = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}  # types of entries that are read
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_TYPES = frozenset(f"{kind}{size}" for kind in "ui" for size in (1, 2, 4, 8)) | {"f2", "f4", "f8"}


@dataclass(frozen=True)
class Directory:
    """The first directory of a TIFF: ``order`` of its bytes, ``<`` or ``>``, its ``tags``; ``more``: others follow.

    ``pieces``: the strips or tiles that it claims.
    """

    order: str
    tags: dict[int, tuple[int, ...]]
    more: bool
    pieces: int

    def one(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        values = self.tags.get(tag)
        return values[0] if values else default

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.one(_WIDTH), self.one(_HEIGHT)

    @property
    def orientation(self) -> int:
        """The EXIF orientation, 1 to 8."""
        return self.one(_ORIENTATION, 1)

    @property
    def icc(self) -> bytes:
        """The colour profile; empty where there is none, or the bands are no colours."""
        return bytes(self.tags.get(_ICC, ())) if self.one(_PHOTOMETRIC) == _RGB else b""

    @property
    def bands(self) -> int:
        """Numbers per pixel."""
        return self.one(_SAMPLES, 1)

    @property
    def is_raw(self) -> bool:
        """True for a camera's raw file, of which this directory holds a preview at most."""
        preview = self.one(_REDUCED) == 1 and _SUB_DIRECTORIES in self.tags and _MAKE in self.tags
        return _DNG in self.tags or preview

    @property
    def make(self) -> str:
        """The camera's maker."""
        return bytes(self.tags.get(_MAKE, ())).decode("latin-1").strip("\0 ")


def read_directory(data: bytes) -> Directory | None:
    """The first directory of a TIFF or BigTIFF; None where it cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return None
    try:
        (version,) = struct.unpack_from(order + "H", data, 2)
        if version == 43:
            (start,) = struct.unpack_from(order + "Q", data, 8)
            (count,) = struct.unpack_from(order + "Q", data, start)
            return _entries(data, order, start + 8, count, "HHQ", 20, 8)
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        return _entries(data, order, start + 2, count, "HHI", 12, 4)
    except (struct.error, OverflowError):  # it points beyond the file's end
        return None


def _entries(data: bytes, order: str, start: int, count: int, form: str, length: int, inline: int) -> Directory | None:
    if count > _MOST_ENTRIES:
        return None
    tags: dict[int, tuple[int, ...]] = {}
    left, pieces = _MOST_NUMBERS, 0
    for place in range(start, start + count * length, length):
        tag, kind, number = struct.unpack_from(order + form, data, place)
        if tag in _PIECES:
            pieces = max(pieces, number)
        scalar = _SCALARS.get(kind)
        if scalar is None or tag not in _READ or tag in tags or number > left:
            continue
        left -= number
        size = number * struct.calcsize(order + scalar)
        at = place + length - inline
        if size > inline:
            (at,) = struct.unpack_from(order + ("I" if inline == 4 else "Q"), data, at)
        with suppress(struct.error, OverflowError):  # what lies beyond the file's end is not there
            tags[tag] = struct.unpack_from(f"{order}{number}{scalar}", data, at)
    (following,) = struct.unpack_from(order + ("I" if inline == 4 else "Q"), data, start + count * length)
    return Directory(order, tags, following != 0, pieces)


def has_bands(directory: Directory) -> bool:
    """Tell whether a picture has to be read here: it has bands that are no colour, or colours of more than 8 bits.

    An alpha channel is no such band. What Pillow decodes by itself, JPEG above all, is left to it.
    """
    if directory.one(_COMPRESSION, 1) not in _READABLE or _PHOTOMETRIC not in directory.tags:
        return False
    extra = directory.tags.get(_EXTRA, ())
    photometric = directory.one(_PHOTOMETRIC)
    if photometric == _RGB:
        deep = directory.one(_BITS, 8) > 8 and not extra
        return deep or (bool(extra) and (len(extra) > 1 or extra[0] not in _ALPHA))
    gray = photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    if directory.bands == 1:
        return gray and _type_of(directory) == "i1"
    return gray and (directory.bands > 2 or (directory.bands == 2 and (not extra or extra[0] not in _ALPHA)))


def check_readable(directory: Directory, shown: str) -> None:
    """Raise PictureError for a compression that is never read, naming it, and for too many strips or tiles."""
    compression = directory.one(_COMPRESSION, 1)
    if compression in _NEVER:
        raise _cannot(directory, shown, f"compressed by {_COMPRESSIONS[compression]}")
    if directory.pieces > _MOST_PIECES:
        raise _cannot(directory, shown, f"cut into {directory.pieces:,} strips or tiles")


def first_bands(data: bytes, directory: Directory, shown: str) -> tuple[Image.Image, list[str]]:
    """The first three bands as RGB, of fewer than three the first as gray; and notes on what was done and left out.

    The size is checked already. Raises PictureError for a sound file of a kind that is not read, saying which, and
    whatever Pillow raises for a damaged one.
    """
    problem = _problem(directory)
    if problem:
        raise _cannot(directory, shown, problem)
    bands = directory.bands
    used = 3 if bands >= 3 else 1
    values = _samples(data, directory, used)
    notes = []
    if bands != used:
        notes.append(_left_out(bands, used))
    if values.dtype != np.uint8:
        low, high = full_range(values)
        bits = 8 * values.dtype.itemsize
        if values.dtype == np.uint16 and high == 65535:
            notes.append("16 bits per channel reduced to 8")
            values = (values >> 8).astype(np.uint8)
        else:
            notes.append(f"{bits} bits per channel, {low:g} to {high:g}, scaled to 8 bit")
            values = eight_bit(values, low, high)
    if directory.one(_PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        values = 255 - values
    return Image.fromarray(np.ascontiguousarray(values if used == 3 else values[..., 0])), notes


def _problem(directory: Directory) -> str:
    """The reason why an intact file cannot be read here; empty: it can."""
    compression = directory.one(_COMPRESSION, 1)
    if compression not in _READABLE:
        return f"compressed by {_COMPRESSIONS.get(compression, f'method {compression}')}"
    if directory.one(_PHOTOMETRIC, 1) not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        return f"of colour space {directory.one(_PHOTOMETRIC)}"
    if len(set(directory.tags.get(_BITS, (1,)))) > 1:
        return "with bands of different depths"
    if _type_of(directory) not in _TYPES:
        kinds = {1: "", 3: "decimal ", 5: "complex ", 6: "complex "}
        return f"of {directory.one(_BITS, 1)}-bit {kinds.get(directory.one(_FORMAT, 1), '')}numbers"
    width, height = directory.one(_WIDTH), directory.one(_HEIGHT)
    if width * height * directory.bands * directory.one(_BITS, 8) // 8 > _MOST_BYTES:
        return "with more numbers than can be held"
    return ""


def _type_of(directory: Directory) -> str:
    return f"{_KINDS.get(directory.one(_FORMAT, 1), '?')}{directory.one(_BITS, 1) / 8:g}"


def _cannot(directory: Directory, shown: str, what: str) -> PictureError:
    bands = f"{directory.bands} bands" if directory.bands > 1 else "one band"
    return PictureError(
        f"{shown} is a TIFF of {bands} {what}, which cannot be read here. It need not be damaged: TIFF is many "
        "formats. Export it, or three of its bands, as an 8-bit RGB TIFF or PNG."
    )


def _left_out(bands: int, used: int) -> str:
    last = f"band {bands}" if bands == used + 1 else f"bands {used + 1} to {bands}"
    kept = f"bands 1 to 3 of {bands} shown as red, green and blue" if used == 3 else f"band 1 of {bands} shown as gray"
    return f"{kept}; {last} left out"


def _samples(data: bytes, directory: Directory, used: int) -> Numbers:
    """The numbers (H, W, used) of the first bands."""
    if directory.one(_PLANAR, 1) == _SEPARATE and directory.bands > 1:
        planes = [_plane(data, directory, band, 1) for band in range(used)]
        return np.concatenate(planes, axis=2)
    return _plane(data, directory, 0, directory.bands)[..., :used]


def _plane(data: bytes, directory: Directory, band: int, samples: int) -> Numbers:
    """The numbers (H, W, samples) of one plane."""
    kind = np.dtype(_type_of(directory))
    tiled = _TILES in directory.tags
    across = directory.one(_TILE_WIDTH) if tiled else directory.one(_WIDTH)
    rows = _rows(data, directory, band, samples * kind.itemsize, tiled)
    height, width = rows.shape[0], directory.one(_WIDTH)
    predictor = directory.one(_PREDICTOR, 1) if directory.one(_COMPRESSION, 1) != 1 else 1
    parts = []
    for left in range(0, width, across):  # every tile begins its differences anew
        here = min(across, width - left)
        part = rows[:, left * samples * kind.itemsize : (left + across) * samples * kind.itemsize]
        if predictor == 3:  # differences of bytes, which lie plane by plane, the highest first
            flat = part.reshape(height, -1, samples).cumsum(axis=1, dtype=np.uint8)
            flat = flat.reshape(height, kind.itemsize, -1).transpose(0, 2, 1)
            values = np.ascontiguousarray(flat).view(kind.newbyteorder(">"))[..., 0]
        else:
            values = np.ascontiguousarray(part).view(kind.newbyteorder("<" if directory.order == "<" else ">"))
        values = values.reshape(height, -1, samples).astype(kind)
        parts.append((values.cumsum(axis=1, dtype=kind) if predictor == 2 else values)[:, :here])
    return np.concatenate(parts, axis=1)


def _rows(data: bytes, directory: Directory, band: int, bytes_per_pixel: int, tiled: bool) -> NDArray[np.uint8]:
    """The decoded bytes (H, …) of one plane; of a tiled one with whole tiles, where the last reaches beyond."""
    height, width = directory.one(_HEIGHT), directory.one(_WIDTH)
    starts, sizes = ((_TILES, _TILE_BYTES), (_STRIPS, _STRIP_BYTES))[not tiled]
    planes = directory.bands if directory.one(_PLANAR, 1) == _SEPARATE else 1
    per_plane = len(directory.tags[starts]) // planes
    mine = slice(band * per_plane, (band + 1) * per_plane)
    if tiled:
        tile = directory.one(_TILE_WIDTH)
        width = -(-width // tile) * tile
        shape = {_TILE_WIDTH: (tile * bytes_per_pixel,), _TILE_HEIGHT: (directory.one(_TILE_HEIGHT),)}
    else:
        shape = {_ROWS: (min(directory.one(_ROWS, height), height),)}
    pieces = zip(directory.tags[starts], directory.tags[sizes], strict=True)
    if any(at + size > len(data) for at, size in pieces):
        raise ValueError("the file ends before its pixels do")
    tags: dict[int, Sequence[int]] = {
        _WIDTH: (width * bytes_per_pixel,), _HEIGHT: (height,), _BITS: (8,), _SAMPLES: (1,),
        _COMPRESSION: (directory.one(_COMPRESSION, 1),), _PHOTOMETRIC: (_BLACK_IS_ZERO,), **shape,
        starts: directory.tags[starts][mine], sizes: directory.tags[sizes][mine],
    }  # fmt: skip
    with Image.open(io.BytesIO(_as_gray(data, directory.order, tags)), formats=["TIFF"]) as image:
        return np.asarray(image)


def _as_gray(data: bytes, order: str, tags: dict[int, Sequence[int]]) -> bytes:
    """The same file with another directory, at its end: a classic TIFF of these tags, all of them 32-bit numbers."""
    start = len(data) + 6 + 12 * len(tags)
    entries, behind = b"", b""
    for tag in sorted(tags):
        packed = struct.pack(f"{order}{len(tags[tag])}I", *tags[tag])
        if len(packed) > 4:
            entries += struct.pack(order + "HHII", tag, 4, len(tags[tag]), start + len(behind))
            behind += packed
        else:
            entries += struct.pack(order + "HHI", tag, 4, 1) + packed
    header = data[:2] + struct.pack(order + "HI", 42, len(data))
    return header + data[8:] + struct.pack(order + "H", len(tags)) + entries + bytes(4) + behind
