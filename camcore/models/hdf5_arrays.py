"""The arrays that an HDF5 file claims to hold, told from its headers: none of their numbers is read.

The walk has limits on everything that a file can claim, and follows nothing that leads out of the file, so that a file
from a stranger costs neither time nor memory.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

Unfit = Callable[[str], Exception]
"""Makes the error of a file that is not opened, from what is wrong with it."""

MOST_GROUPS = 30_000
MOST_ARRAYS = 30_000
MOST_ATTRIBUTES = 10_000
"""Of one group or array: Keras notes some for each."""
DEEPEST = 100
"""Groups within groups; Keras has a few for each model within a model."""
MOST_CHUNKS = 10_000
"""Pieces that all arrays of a file are stored in; Keras stores each in one."""
_SIZED = (2, 3)  # HDF5's numbers of the filters that keep the size: shuffle, checksum
_DEFLATE = 1


@dataclass(frozen=True)
class StoredArray:
    """An array as its header has it. ``path``: the names of its groups, then its own.

    ``size``: the bytes of its numbers. ``layer``: the name that its group gives as an attribute, "" where it has none.
    ``numeric``: it holds numbers, not texts or references.
    """

    path: tuple[str, ...]
    shape: tuple[int, ...]
    size: int
    layer: str
    numeric: bool


def stored_arrays(file: h5py.File, unfit: Unfit) -> Iterator[StoredArray]:
    """All arrays of a file. Raises what ``unfit`` makes where it exceeds a limit, or leads out of itself.

    No link is followed, and no array accepted whose numbers lie in another file.
    """
    import h5py

    stack: list[tuple[h5py.Group, tuple[str, ...]]] = [(file, ())]
    seen = {_address(file)}  # a group may be in itself
    arrays = chunks = 0
    while stack:
        group, path = stack.pop()
        if len(path) > DEEPEST:
            raise unfit(f"its arrays lie {len(path)} levels deep")
        if len(seen) > MOST_GROUPS or arrays + len(group) > MOST_GROUPS + MOST_ARRAYS:
            raise unfit(f"its arrays lie in {max(len(seen), arrays + len(group)):,} groups")
        layer = _layer(group, unfit)
        for key in group:
            item = _member(group, key, unfit)
            if isinstance(item, h5py.Group):
                if _address(item) in seen:
                    raise unfit(f"{_shown(key)} in it is a group that lies elsewhere in it, too")
                seen.add(_address(item))
                stack.append((item, (*path, key)))
            elif isinstance(item, h5py.Dataset):
                arrays += 1
                chunks += _check_storage(item, _shown(key), unfit)
                if arrays > MOST_ARRAYS or chunks > MOST_CHUNKS:
                    raise unfit(f"it holds more than {MOST_ARRAYS:,} arrays, or {MOST_CHUNKS:,} pieces of them")
                shape = tuple(item.shape or ())
                size = math.prod(shape) * item.dtype.itemsize
                yield StoredArray((*path, key), shape, size, layer, item.dtype.kind in "fiubV")


def _member(group: h5py.Group, key: str, unfit: Unfit) -> object:
    """The object that a group itself holds under a name, no link to another place."""
    import h5py

    link = group.get(key, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise unfit(f"{_shown(key)} in it links to another file")
    if not isinstance(link, h5py.HardLink):
        raise unfit(f"{_shown(key)} in it is a link, which Keras does not write")
    return group[key]


def _layer(group: h5py.Group, unfit: Unfit) -> str:
    if len(group.attrs) > MOST_ATTRIBUTES:
        raise unfit(f"a group in it has {len(group.attrs):,} attributes")
    name = group.attrs.get("name", "")
    return name[:200] if isinstance(name, str) else ""


def _check_storage(item: h5py.Dataset, name: str, unfit: Unfit) -> int:
    """The number of pieces that an array is stored in; raises where these are not what the array claims."""
    if item.external or item.is_virtual:
        raise unfit(f"the numbers of {name} lie in another file")
    if len(item.attrs) > MOST_ATTRIBUTES:
        raise unfit(f"{name} in it has {len(item.attrs):,} attributes")
    if item.chunks is None:
        return 0
    piece = math.prod(item.chunks) * item.dtype.itemsize
    if piece > 2 * math.prod(item.shape) * item.dtype.itemsize + (1 << 20):
        raise unfit(f"{name} in it is stored in pieces of {piece:,} bytes, more than it has")
    pieces = item.id.get_num_chunks()
    if pieces > MOST_CHUNKS:
        raise unfit(f"{name} in it is stored in {pieces:,} pieces")
    properties = item.id.get_create_plist()
    filters = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    packed = [number for number in filters if number not in _SIZED]
    if packed and (packed != [_DEFLATE] or filters[-1] not in (_DEFLATE, 3)):
        raise unfit(f"{name} in it is compressed in a way that Keras does not write")
    if packed and any(_unpacked(item, index) > piece for index in range(pieces)):
        raise unfit(f"a piece of {name} unpacks to more than the {piece:,} bytes that it claims")
    return int(pieces)


def _unpacked(item: h5py.Dataset, index: int) -> int:
    """The bytes that a compressed piece unpacks to, counted up to one more than it claims; 0 where it is damaged."""
    piece = math.prod(item.chunks) * item.dtype.itemsize
    _, packed = item.id.read_direct_chunk(item.id.get_chunk_info(index).chunk_offset)
    try:
        return len(zlib.decompressobj().decompress(packed, piece + 1))
    except zlib.error:  # told where it is read
        return 0


def _address(group: h5py.Group) -> int:
    """The place of an HDF5 group in its file, by whatever name it was reached."""
    import h5py

    return int(h5py.h5o.get_info(group.id).addr)


def _shown(key: str) -> str:
    return repr(key[:80])
