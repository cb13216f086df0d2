"""Files cut into so many pieces that taking them one by one would last minutes are refused before Pillow sees them."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from camcore.errors import PictureError
from camcore.pictures.picture import open_picture
from camcore.pictures.pieces import MOST_SCANS, excess, gif_blocks, jpeg_segments, png_chunks

RGB = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
SCAN = 0xDA


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, kind, **options)
    return file.getvalue()


JPEG, PNG, GIF = (saved(kind) for kind in ("JPEG", "PNG", "GIF"))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def rescanned(times: int) -> bytes:
    """A progressive file with its last scan, which adds a bit to each value, over and over again."""
    data = saved("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def tiff(strips: int) -> bytes:
    """64×64 pixels of gray that claim to lie in so many strips."""
    tags = {256: (64, 1), 257: (64, 1), 258: (8, 1), 259: (1, 1), 262: (1, 1), 273: (122, strips), 277: (1, 1)}
    tags |= {278: (64, 1), 279: (122, strips)}
    entries = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, (value, count) in tags.items())
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4 + 4 * strips + 64 * 64)


def test_pieces_are_counted() -> None:
    progressive = saved("JPEG", progressive=True)
    assert [list(jpeg_segments(one)).count(SCAN) for one in (JPEG, progressive, rescanned(60))] == [1, 10, 69]
    assert list(png_chunks(PNG)) == [b"IHDR", b"IDAT", b"IEND"]
    frame = GIF.index(b"\x2c", 13 + 3 * 256)
    blocks = list(gif_blocks(GIF))
    assert blocks[0] == GIF[frame]
    # what the pieces hold, their lengths and the zero behind them is all that is left of the file
    assert frame + 11 + sum(blocks[1:]) + len(blocks[1:]) + 2 == len(GIF)


def test_of_a_jpeg_file_the_first_picture_counts() -> None:
    """A preview in the header and a film behind the picture are not gone over."""
    preview = b"\xff\xe1" + (2 + len(JPEG)).to_bytes(2, "big") + JPEG
    assert list(jpeg_segments(JPEG[:2] + preview + JPEG[2:] + b"\xff\xda" * 500)).count(SCAN) == 1
    assert open_picture(JPEG + b"\xff\xda" * 500).rgb.shape == RGB.shape


def test_as_many_as_programs_write_are_taken() -> None:
    for data in (rescanned(MOST_SCANS - 9), PNG[:33] + chunk(b"tEXt", b"a\0b") * 2000 + PNG[33:]):
        assert open_picture(data).rgb.shape == RGB.shape


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: rescanned(MOST_SCANS), "a JPEG file of more than 100 scans"),
        (
            lambda: JPEG[:2] + b"\xff\xe1\0\x0aExif\0\0ab" * 800_000 + JPEG[2:],
            "a JPEG file of more than 5,000 segments",
        ),
        (lambda: JPEG[:2] + b"\xff\xfe\0\0" * 2_000_000 + JPEG[2:], "a JPEG file of more than 5,000 segments"),
        (lambda: PNG[:33] + chunk(b"abCd", b"") * 800_000 + PNG[33:], "a PNG file of more than 50,000 chunks"),
        (lambda: GIF[:-1] + b"\x21\xfe" + b"\1a" * 4_000_000 + b"\0;", "a GIF file of more than 200,000 blocks"),
        (lambda: GIF[:-1] + bytes(9_000_000) + b";", "a GIF file of more than 200,000 blocks"),
        (lambda: tiff(2_000_000), "a TIFF of one band cut into 2,000,000 strips or tiles"),
    ],
)
def test_too_many_are_refused_at_once(make: Callable[[], bytes], said: str) -> None:
    data = make()
    began = time.monotonic()
    with pytest.raises(PictureError, match=f"^The picture is {said}"):
        open_picture(data)
    assert time.monotonic() - began < 5


def test_a_directory_of_more_tags_than_any_is_no_way_round() -> None:
    data = tiff(1)
    more = data[:8] + struct.pack("<H", 5009) + data[10 : 10 + 9 * 12] + struct.pack("<HHII", 65000, 4, 1, 0) * 5000
    with pytest.raises(PictureError, match="begins as a TIFF picture but cannot be decoded"):
        open_picture(more + bytes(9000))
    assert open_picture(tiff(1)).rgb.shape == (64, 64, 3)


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\x01", b"\xff\xd8", b"\xff\xda\0\0", b"\0"])
@pytest.mark.parametrize("start", [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(7)])
def test_counting_takes_no_time(start: bytes, filler: bytes) -> None:
    began = time.monotonic()
    excess(start + filler * (2 << 20))
    assert time.monotonic() - began < 5
