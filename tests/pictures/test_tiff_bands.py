"""TIFF files of several bands and odd numbers, written by tifffile: every pixel, or a true refusal."""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from camcore.errors import PictureError
from camcore.pictures.picture import open_picture
from camcore.pictures.tiff_bands import first_bands, read_directory

H, W = 37, 53
RGB = np.random.default_rng(0).integers(0, 256, (H, W, 3)).astype(np.uint8)
RGB[0, 0], RGB[0, 1] = 0, 255
GRAY = RGB[..., 0]


def tiff(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def banded(count: int) -> np.ndarray:
    return np.dstack([RGB[..., i % 3] for i in range(count)])


def contiguous(pixels: np.ndarray, **options) -> bytes:
    return tiff(pixels, photometric="minisblack", planarconfig="contig", **options)


@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize(("compression", "predictor"), [(None, None), ("zlib", None), ("zlib", 2)])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_four_bands_in_every_layout(planar, dtype, compression, predictor, tile, order):
    pixels = banded(4).astype(dtype) * (257 if dtype == "u2" else 1)
    data = tiff(
        pixels if planar == "contig" else pixels.transpose(2, 0, 1),
        photometric="minisblack",
        planarconfig=planar,
        compression=compression,
        predictor=predictor,
        tile=tile,
        byteorder=order,
    )
    pic = open_picture(data)
    np.testing.assert_array_equal(pic.rgb, RGB)
    assert pic.notes[0] == "bands 1 to 3 of 4 shown as red, green and blue; band 4 left out"
    assert pic.notes[1:] == (("16 bits per channel reduced to 8",) if dtype == "u2" else ())


@pytest.mark.parametrize(
    ("count", "note", "wanted"),
    [
        (2, "band 1 of 2 shown as gray; band 2 left out", np.dstack([GRAY] * 3)),
        (5, "bands 1 to 3 of 5 shown as red, green and blue; bands 4 to 5 left out", RGB),
        (12, "bands 1 to 3 of 12 shown as red, green and blue; bands 4 to 12 left out", RGB),
    ],
)
def test_other_numbers_of_bands(count, note, wanted):
    pic = open_picture(contiguous(banded(count)))
    np.testing.assert_array_equal(pic.rgb, wanted)
    assert pic.notes == (note,)


def test_colour_with_an_infrared_band():
    pic = open_picture(tiff(banded(4), photometric="rgb", extrasamples=["unspecified"]))
    np.testing.assert_array_equal(pic.rgb, RGB)
    assert "band 4 left out" in pic.notes[0]


def test_alpha_is_no_band():
    opaque = np.dstack([RGB, np.full((H, W), 255, np.uint8)])
    pic = open_picture(tiff(opaque, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(pic.rgb, RGB)
    assert pic.notes == ()


def test_big_tiff():
    for data in (contiguous(banded(4), bigtiff=True), tiff(RGB, photometric="rgb", bigtiff=True)):
        np.testing.assert_array_equal(open_picture(data).rgb, RGB)


def test_white_is_zero():
    pic = open_picture(tiff(255 - banded(4), photometric="miniswhite", planarconfig="contig"))
    np.testing.assert_array_equal(pic.rgb, RGB)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u4", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_gray_of_every_kind_of_number(dtype, compression):
    values = (GRAY // 2 if dtype == "i1" else GRAY).astype(dtype)
    pic = open_picture(tiff(values, photometric="minisblack", compression=compression))
    np.testing.assert_array_equal(pic.rgb[..., 1], values.astype(np.uint8))


def test_signed_numbers_are_scaled_by_their_own_range():
    pic = open_picture(contiguous(banded(4).astype("i2") - 128))
    np.testing.assert_array_equal(pic.rgb, RGB)
    assert pic.notes[1] == "16 bits per channel, -128 to 127, scaled to 8 bit"


def test_12_bits_of_colour_in_16():
    pixels = np.rint(RGB * (4095 / 255)).astype("u2")
    pic = open_picture(tiff(pixels, photometric="rgb"))
    np.testing.assert_array_equal(pic.rgb, RGB)
    assert pic.notes == ("16 bits per channel, 0 to 4095, scaled to 8 bit",)


def test_decimal_colours():
    np.testing.assert_array_equal(open_picture(tiff((RGB / 255).astype("f4"), photometric="rgb")).rgb, RGB)


def test_the_predictor_of_decimals():
    """libtiff, through Pillow, writes it; a gray picture is the same as one band of several."""
    file = io.BytesIO()
    Image.fromarray(GRAY.astype("f4")).save(file, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 3})
    data = file.getvalue()
    directory = read_directory(data)
    assert directory.one(317) == 3
    image, notes = first_bands(data, directory, "it")
    np.testing.assert_array_equal(np.asarray(image), GRAY)
    assert notes == ["32 bits per channel, 0 to 255, scaled to 8 bit"]


def test_orientation_and_pages():
    data = contiguous(banded(4), extratags=[(274, "H", 1, 6, True)])
    pic = open_picture(data)
    np.testing.assert_array_equal(pic.rgb, np.rot90(RGB, -1))
    assert pic.notes[-1] == "rotated upright (EXIF orientation 6)"
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for _ in range(2):
            writer.write(banded(4), photometric="minisblack", planarconfig="contig")
    assert "first of several pages" in open_picture(file.getvalue()).notes


# ---- refused


def refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(data, name="it.tif")
    return str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_a_cut_off_file_is_called_cut_short(share, options):
    data = contiguous(banded(4), **options)
    assert "cut short" in refusal(data[: int(len(data) * share)])


def retagged(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian classic TIFF with another value in a tag of one short."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] == tag:
            return data[:place] + struct.pack("<HHIHH", tag, 3, 1, value, 0) + data[place + 12 :]
    raise AssertionError(f"no tag {tag}")


@pytest.mark.parametrize(
    ("compression", "name"), [(34887, "LERC"), (34712, "JPEG 2000"), (7, "JPEG"), (12345, "12345")]
)
def test_an_unknown_compression_is_named_and_not_called_damage(compression, name):
    message = refusal(retagged(contiguous(banded(4)), 259, compression))
    assert f"a TIFF of 4 bands compressed by {name}" in message or f"method {name}" in message
    assert "need not be damaged" in message
    assert message.endswith("8-bit RGB TIFF or PNG.")


def test_complex_numbers_are_named():
    assert "64-bit complex numbers" in refusal(tiff(GRAY.astype("c8"), photometric="minisblack"))


def test_the_limits_hold_before_anything_is_decoded():
    blank = np.zeros((8, 8, 4), np.uint8)
    data = contiguous(blank)
    assert "25 million" in refusal(retagged(retagged(data, 256, 60000), 257, 60000))
    assert "too small" in refusal(contiguous(np.zeros((4, 8, 4), np.uint8)))
    assert "more numbers than can be held" in refusal(retagged(retagged(contiguous(banded(40)), 256, 5000), 257, 4900))


@pytest.mark.parametrize("seed", range(3))
def test_damaged_directories_raise_nothing_else(seed):
    data = bytearray(contiguous(banded(5), compression="zlib"))
    (start,) = struct.unpack_from("<I", data, 4)
    rng = np.random.default_rng(seed)
    for _ in range(60):
        broken = bytearray(data)
        for place in rng.integers(start, start + 180, 3):
            broken[place] = rng.integers(256)
        with contextlib.suppress(PictureError):
            open_picture(bytes(broken))


def test_a_preview_is_not_taken_for_a_raw_picture():
    dng = tiff(RGB, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)])
    assert "is in camera raw (DNG) format" in refusal(dng)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        maker = [(271, "s", 6, "NIKON", True)]
        writer.write(RGB, photometric="rgb", subfiletype=1, subifds=1, extratags=maker)
        writer.write(GRAY, photometric="minisblack")
    assert "is in camera raw (NEF) format" in refusal(file.getvalue())
