"""The pieces that a picture's file is cut into, counted before Pillow takes them one by one.

A piece may have no more than a few bytes and cost as much as a large one, so that a small file of millions would keep
a processor busy for minutes; the scans of a progressive JPEG file, each as long as decoding it, for hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

MOST_SCANS = 100
"""As many as libtiff takes; programs that save progressive JPEG files write some ten."""
MOST_SEGMENTS = 5_000
"""Of a JPEG file, the scans among them: profiles and metadata of 10 MB take 160."""
MOST_CHUNKS = 50_000
"""Of a PNG file: programs write pieces of 8 KB."""
MOST_BLOCKS = 200_000
"""Of a GIF file: blocks, and the pieces of at most 255 bytes that their data comes in."""

_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_SCAN, _JPEG_END, _ALONE = 0xDA, 0xD9, (0x01, 0xD8)
_EXTENSION, _FRAME, _GIF_END = 0x21, 0x2C, 0x3B


def excess(data: bytes) -> str:
    """The pieces that a file has too many of, with the limit; empty where it has not."""
    if data.startswith(b"\xff\xd8"):
        segments = list(islice(jpeg_segments(data), MOST_SEGMENTS + 1))
        if segments.count(_SCAN) > MOST_SCANS:
            return f"a JPEG file of more than {MOST_SCANS} scans"
        return f"a JPEG file of more than {MOST_SEGMENTS:,} segments" if len(segments) > MOST_SEGMENTS else ""
    if data.startswith(b"\x89PNG"):
        return f"a PNG file of more than {MOST_CHUNKS:,} chunks" if _more(png_chunks(data), MOST_CHUNKS) else ""
    if data.startswith(b"GIF8"):
        return f"a GIF file of more than {MOST_BLOCKS:,} blocks" if _more(gif_blocks(data), MOST_BLOCKS) else ""
    return ""


def jpeg_segments(data: bytes) -> Iterator[int]:
    """The markers of a JPEG file's segments, up to the end of its first picture."""
    place = 2
    while (found := _MARKER.search(data, place)) is not None:
        marker, place = found[1][0], found.end()
        if marker == _JPEG_END:
            return
        yield marker
        if marker not in _ALONE:
            place += int.from_bytes(data[place : place + 2], "big")


def png_chunks(data: bytes) -> Iterator[bytes]:
    """The kinds of a PNG file's chunks."""
    place = 8
    while len(kind := data[place + 4 : place + 8]) == 4:
        yield kind
        place += 12 + int.from_bytes(data[place : place + 4], "big")


def gif_blocks(data: bytes) -> Iterator[int]:
    """The first bytes of a GIF file's blocks, and the lengths of the pieces of their data."""
    place = 13 + _table(data, 10)
    while place < len(data) and data[place] != _GIF_END:
        block = data[place]
        yield block
        place += 1
        if block == _FRAME:
            place += 10 + _table(data, place + 8)
        elif block == _EXTENSION:
            place += 1
        else:
            continue
        while place < len(data) and (length := data[place]):
            yield length
            place += 1 + length
        place += 1


def _table(data: bytes, flags: int) -> int:
    """The bytes of the colours that the flags at a place announce."""
    packed = data[flags] if flags < len(data) else 0
    return 3 << (packed & 7) + 1 if packed & 128 else 0


def _more(pieces: Iterator[object], most: int) -> bool:
    return next(islice(pieces, most, None), None) is not None
