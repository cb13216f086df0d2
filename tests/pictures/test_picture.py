"""Pictures in: every format, depth and colour space by known pixels; everything unusable is refused."""

import hashlib
import io
import random
import struct
import warnings
import zlib
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from PIL import Image

from camcore.errors import PictureError
from camcore.pictures.picture import FORMATS, MAX_BYTES, MAX_PIXELS, MIN_SIDE, Picture, open_picture

# ---------------------------------------------------------------- making files


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height: int = 20, width: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG by hand: rows are the raw bytes, without the filter byte in front of each."""
    size = len(rows) // height
    lines = b"".join(b"\0" + rows[i * size : (i + 1) * size] for i in range(height))
    return png_file(width, height, depth, colour_type, zlib.compress(lines), *extra)


def png_file(width: int, height: int, depth: int, colour_type: int, packed: bytes, *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header), *extra, png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def icc(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """An ICC version 2 profile from its tags."""
    text = b"house profile\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {b"desc": desc, b"wtpt": xyz(0.9642, 1.0, 0.8249), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, kind, space, pcs) + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in values))


LINEAR = b"curv\0\0\0\0" + struct.pack(">I", 0)  # no gamma: numbers are proportional to light
SRGB_RED, SRGB_GREEN, SRGB_BLUE = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)


def rgb_profile(red: tuple, green: tuple, blue: tuple) -> bytes:
    colorants = {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
    return icc(b"RGB ", {**colorants, b"rTRC": LINEAR, b"gTRC": LINEAR, b"bTRC": LINEAR})


def cmyk_profile() -> bytes:
    """CMYK whose lightness is 100 without ink and 0 with black, whatever the other inks; no hue."""
    ramp = bytes(range(256))
    corners = b"".join(bytes([0 if ink & 1 else 255, 128, 128]) for ink in range(16))
    unit = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + corners + ramp * 3
    return icc(b"CMYK", {b"A2B0": lut}, b"Lab ", b"prtr")


def encoded(light: float) -> float:
    """sRGB's transfer function, 0..1 to 0..255 (IEC 61966-2-1)."""
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


# ---------------------------------------------------------------- the ordinary case


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_keep_every_pixel(kind, options):
    data = saved(Image.fromarray(noise()), kind, **options)
    pic = open_picture(data, name="photo")
    np.testing.assert_array_equal(pic.rgb, noise())
    assert (pic.height, pic.width, pic.notes, pic.name) == (20, 30, (), "photo")
    assert pic.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("WEBP", "RGB"), ("GIF", "P"), ("JPEG", "L")])
def test_other_formats_open(kind, mode):
    colour = (204, 102, 0)  # one that Pillow's fixed palette has
    pic = open_picture(saved(Image.new("RGB", (16, 12), colour).convert(mode), kind))
    expected = colour if mode != "L" else (round(0.299 * 204 + 0.587 * 102),) * 3
    assert pic.rgb.shape == (12, 16, 3)
    assert np.abs(pic.rgb.astype(int) - expected).max() <= 4
    assert pic.notes == ()


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind(wrap):
    np.testing.assert_array_equal(open_picture(wrap(saved(Image.fromarray(noise())))).rgb, noise())


def test_paths(tmp_path):
    path = tmp_path / "a cat.png"
    path.write_bytes(saved(Image.fromarray(noise())))
    for source in (path, str(path)):
        pic = open_picture(source)
        assert pic.name == "a cat.png"
        np.testing.assert_array_equal(pic.rgb, noise())
    assert open_picture(path, name="mine").name == "mine"


def test_pixels_are_read_only_and_contiguous():
    for pic in (
        open_picture(saved(Image.fromarray(noise()))),
        open_picture(saved(Image.fromarray(noise()), exif=exif(6))),
        Picture.from_array(noise()[:, ::-1]),
    ):
        assert pic.rgb.dtype == np.uint8
        assert pic.rgb.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            pic.rgb[0, 0, 0] = 1
        with pytest.raises(FrozenInstanceError):
            pic.name = "other"


# ---------------------------------------------------------------- orientation


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera stores, from the EXIF standard's words: where row 0 and column 0 are on the scene."""
    height, width = upright.shape[:2]
    row0, column0 = {
        1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
    }[orientation]  # fmt: skip
    turned = row0 in ("left", "right")
    stored = np.empty((width, height, 3) if turned else (height, width, 3), np.uint8)
    for r in range(stored.shape[0]):
        for c in range(stored.shape[1]):
            along = {row0: r, column0: c}
            y = along["top"] if "top" in along else height - 1 - along["bottom"]
            x = along["left"] if "left" in along else width - 1 - along["right"]
            stored[r, c] = upright[y, x]
    return stored


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(kind, orientation):
    stored = Image.fromarray(as_stored(noise(), orientation))
    options = {"lossless": True} if kind == "WEBP" else {}
    pic = open_picture(saved(stored, kind, exif=exif(orientation), **options))
    np.testing.assert_array_equal(pic.rgb, noise())
    word = "mirrored" if orientation in (2, 4) else "rotated and mirrored" if orientation in (5, 7) else "rotated"
    assert pic.notes == (() if orientation == 1 else (f"{word} upright (EXIF orientation {orientation})",))


def test_exif_orientation_of_a_jpeg():
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = (250, 20, 20)  # the top left is red
    pic = open_picture(saved(Image.fromarray(as_stored(upright, 6)), "JPEG", exif=exif(6), subsampling=0))
    assert pic.notes == ("rotated upright (EXIF orientation 6)",)
    assert np.abs(pic.rgb.astype(int) - upright).max() < 25


@pytest.mark.parametrize("damaged", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_damaged_exif_is_no_reason_to_refuse(damaged):
    assert open_picture(saved(Image.fromarray(noise()), "JPEG", exif=damaged)).rgb.shape == (20, 30, 3)


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_orientations_that_do_not_exist_are_ignored(orientation):
    pic = open_picture(saved(Image.fromarray(noise()), exif=exif(orientation)))
    np.testing.assert_array_equal(pic.rgb, noise())
    assert pic.notes == ()


# ---------------------------------------------------------------- depth

STEPS = [0, 1, 128, 129, 257, 300, 1000, 32767, 32768, 40000, 65279, 65407, 65534, 65535]


def ramp(values: list, dtype: str) -> np.ndarray:
    return np.tile(np.array(values, dtype), (10, 1))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_by_its_true_range(kind):
    pic = open_picture(saved(Image.fromarray(ramp(STEPS, "u2")), kind))
    expected = np.array([round(value / 65535 * 255) for value in STEPS])
    np.testing.assert_array_equal(pic.rgb, np.broadcast_to(expected[:, None], (10, len(STEPS), 3)))
    assert pic.notes == ("16-bit gray scaled to 8 bit",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("peak", [255, 1023, 4095, 16383])
def test_fewer_bits_in_a_16_bit_gray_file_are_scaled_by_their_range(kind, peak):
    """Radiographs and microscopes write 12 bits into 16; by 65535 they would be nearly black."""
    values = np.linspace(0, peak, 64).astype("u2")
    pic = open_picture(saved(Image.fromarray(ramp(values, "u2")), kind))
    assert pic.rgb[0, :, 0].tolist() == [round(value / peak * 255) for value in values.tolist()]
    assert pic.notes == (f"16-bit gray, 0 to {peak}, scaled to 8 bit",)


def test_a_32_bit_file_of_12_bits_is_scaled_as_a_16_bit_one_is():
    values = np.linspace(0, 4095, 64).astype("i4")
    pic = open_picture(saved(Image.fromarray(ramp(values, "i4")), "TIFF"))
    assert pic.rgb[0, :, 0].tolist() == [round(value / 4095 * 255) for value in values.tolist()]
    assert pic.notes == ("32-bit gray, 0 to 4095, scaled to 8 bit",)


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_12_bits_in_a_16_bit_colour_png(colour_type, channels):
    values = np.stack([np.roll(ramp([0, 100, 1000, 4095] * 4, ">u2"), shift, axis=1) for shift in range(channels)], -1)
    values = values.astype(">u2")
    if channels == 4:
        values[..., 3] = 65535
    pic = open_picture(png(16, 10, 16, colour_type, values.tobytes()))
    np.testing.assert_array_equal(pic.rgb, np.rint(values[..., :3] / 4095 * 255))
    assert pic.notes == ("16 bits per channel, 0 to 4095, scaled to 8 bit",)


def test_big_endian_16_bit_tiff():
    pic = open_picture(saved(Image.frombytes("I;16B", (14, 10), ramp(STEPS, ">u2").tobytes()), "TIFF"))
    assert pic.rgb[0, :, 0].tolist() == [round(value / 65535 * 255) for value in STEPS]


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_16_bit_colour_png(colour_type, channels):
    values = np.stack([np.roll(ramp(STEPS, ">u2"), shift, axis=1) for shift in range(channels)], axis=-1)
    values = values.astype(">u2")
    if channels == 4:
        values[..., 3] = 65535
    pic = open_picture(png(14, 10, 16, colour_type, values.tobytes()))
    assert np.abs(pic.rgb - values[..., :3] / 257).max() < 1
    assert pic.notes == ("16 bits per channel reduced to 8",)


def test_16_bit_gray_with_alpha():
    values = np.stack([ramp(STEPS, ">u2"), ramp([0, 65535] * 7, ">u2")], axis=-1).astype(">u2")
    pic = open_picture(png(14, 10, 16, 4, values.tobytes()))
    expected = np.where(values[..., 1] == 0, 255, values[..., 0] >> 8)
    np.testing.assert_array_equal(pic.rgb[..., 0], expected)


def test_16_bit_transparent_gray():
    pic = open_picture(png(14, 10, 16, 0, ramp(STEPS, ">u2").tobytes(), png_chunk(b"tRNS", struct.pack(">H", 300))))
    expected = [255 if value == 300 else round(value / 257) for value in STEPS]
    assert pic.rgb[0, :, 1].tolist() == expected  # 257 also becomes 1, and stays
    assert pic.notes == ("16-bit gray scaled to 8 bit", "transparency shown on white")


@pytest.mark.parametrize(
    ("values", "dtype", "expected", "span"),
    [
        ([0, 100, 255] * 3, "i4", [0, 100, 255] * 3, "0 to 255"),
        ([0, 257, 65535] * 3, "i4", [0, 1, 255] * 3, "0 to 65535"),
        ([-100, 0, 100] * 3, "i4", [0, 128, 255] * 3, "-100 to 100"),
        ([10**5, 2 * 10**5, 6 * 10**5] * 3, "i4", [0, 51, 255] * 3, "100000 to 600000"),
        ([0, 0.2, 1] * 3, "f4", [0, 51, 255] * 3, "0 to 1"),
        ([0.4, 100, 250.6] * 3, "f4", [0, 100, 251] * 3, "0 to 255"),
        ([0, 2570, 65535] * 3, "f4", [0, 10, 255] * 3, "0 to 65535"),
        ([-1, -0.6, 1] * 3, "f4", [0, 51, 255] * 3, "-1 to 1"),
        ([np.nan, 0.2, np.inf] * 3, "f4", [0, 51, 255] * 3, "0 to 1"),
        ([np.nan] * 9, "f4", [0] * 9, "0 to 1"),
        ([-5] * 9, "f4", [0] * 9, "-5 to -5"),
        ([1e30] * 9, "f4", [0] * 9, "1e+30 to 1e+30"),
        ([-3e38, 0, 3e38] * 3, "f4", [0, 128, 255] * 3, "-3e+38 to 3e+38"),
    ],
)
def test_32_bit_gray(values, dtype, expected, span):
    pic = open_picture(saved(Image.fromarray(ramp(values, dtype)), "TIFF"))
    assert pic.rgb[0, :, 0].tolist() == expected
    assert pic.notes == (f"32-bit gray, {span}, scaled to 8 bit",)


def test_12_bit_gray_tiff():
    """Two pixels to three bytes; 4095 is white."""
    values = [0, 1, 8, 16, 1000, 2048, 4094, 4095]
    row = b"".join(struct.pack(">I", a << 12 | b)[1:] for a, b in zip(values[::2], values[1::2], strict=True))
    tags = {256: 8, 257: 8, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: len(row) * 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8 + len(row) * 8) + row * 8 + directory
    pic = open_picture(data)
    assert pic.rgb[0, :, 0].tolist() == [round(value / 4095 * 255) for value in values]
    assert pic.notes == ("12-bit gray scaled to 8 bit",)


def test_one_bit_and_gray():
    bits = np.random.default_rng(1).random((16, 24)) < 0.5
    pic = open_picture(saved(Image.fromarray(bits)))
    np.testing.assert_array_equal(pic.rgb, np.repeat(bits[..., None] * np.uint8(255), 3, axis=-1))
    gray = noise()[..., 0]
    np.testing.assert_array_equal(open_picture(saved(Image.fromarray(gray))).rgb, np.dstack([gray] * 3))


# ---------------------------------------------------------------- transparency


def test_rgba_lies_on_white():
    rgba = np.random.default_rng(2).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    pic = open_picture(saved(Image.fromarray(rgba)))
    share = rgba[..., 3:] / 255
    np.testing.assert_allclose(pic.rgb, share * rgba[..., :3] + (1 - share) * 255, atol=1)
    assert pic.notes == ("transparency shown on white",)


def test_gray_with_alpha_lies_on_white():
    la = np.dstack([np.full((10, 10), 100, np.uint8), np.tile(np.array([0, 255], np.uint8), (10, 5))])
    pic = open_picture(saved(Image.fromarray(la)))
    np.testing.assert_array_equal(pic.rgb, np.broadcast_to(np.tile([255, 100], 5)[:, None], (10, 10, 3)))


def test_an_opaque_alpha_channel_is_not_worth_a_note():
    pic = open_picture(saved(Image.fromarray(noise()).convert("RGBA")))
    np.testing.assert_array_equal(pic.rgb, noise())
    assert pic.notes == ()


# A GIF has one transparent colour; a PNG's palette has any opacities.
@pytest.mark.parametrize(("kind", "transparency"), [("PNG", 1), ("GIF", 1), ("PNG", bytes([255, 0, 128]))])
def test_palette_transparency(kind, transparency):
    image = Image.new("P", (12, 9))
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 100, 0])
    image.putdata([0, 1, 2] * 36)
    pic = open_picture(saved(image, kind, transparency=transparency))
    third = (0, 100, 0) if transparency == 1 else (127, 177, 127)
    np.testing.assert_allclose(pic.rgb[0, :3], [(10, 20, 30), (255, 255, 255), third], atol=1)
    assert pic.notes == ("transparency shown on white",)


@pytest.mark.parametrize(("colour_type", "key"), [(2, b"\0\x0a\0\x14\0\x1e"), (0, b"\0\x0a")])
def test_one_transparent_colour(colour_type, key):
    pixel, other = (b"\x0a\x14\x1e", b"\x01\x02\x03") if colour_type == 2 else (b"\x0a", b"\x01")
    pic = open_picture(png(8, 8, 8, colour_type, (pixel + other) * 32, png_chunk(b"tRNS", key)))
    assert pic.rgb[0, 0].tolist() == [255, 255, 255]
    assert pic.rgb[0, 1].tolist() == ([1, 2, 3] if colour_type == 2 else [1, 1, 1])


# ---------------------------------------------------------------- animations


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_the_first_frame_of_an_animation(kind, options):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)] * 4
    frames = [Image.new("RGB", (16, 12), colour) for colour in colours]
    pic = open_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert (pic.rgb == colours[0]).all()
    assert pic.notes == ("first of 12 frames",)


def test_the_first_page_of_a_tiff():
    pages = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    pic = open_picture(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert (pic.rgb == (255, 0, 0)).all()
    assert pic.notes == ("first of several pages",)


def test_two_pictures_in_one_jpeg():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("white", "black")]
    pic = open_picture(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert pic.rgb.min() > 250
    assert pic.notes == ("first of 2 frames",)


@pytest.mark.parametrize("length", range(1600, 4500, 100))
def test_an_animation_that_breaks_off_still_shows_its_first_frame(length):
    frames = [Image.fromarray(noise(seed=seed)) for seed in range(3)]
    whole = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(whole) > 4500  # about 1500 bytes a frame
    pic = open_picture(whole[:length])
    np.testing.assert_array_equal(pic.rgb, open_picture(whole).rgb)
    assert pic.notes[0].startswith("first ")


# ---------------------------------------------------------------- colour spaces


def test_cmyk_without_a_profile():
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[:4] = (0, 255, 255, 0)
    inks[4:] = (255, 0, 0, 0)
    pic = open_picture(saved(Image.fromarray(inks, "CMYK"), "TIFF"))
    assert pic.rgb[0, 0].tolist() == [255, 0, 0]
    assert pic.rgb[7, 7].tolist() == [0, 255, 255]
    assert pic.notes == ("CMYK converted to RGB without a colour profile",)


def test_cmyk_jpeg_is_not_inverted():
    pic = open_picture(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    assert np.abs(pic.rgb.astype(int) - (255, 0, 0)).max() < 8


def test_cmyk_through_its_profile():
    """Lightness falls linearly with black ink: half the ink is L* = 50, which is sRGB gray 119."""
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[..., 3] = np.arange(8) * 255 // 7
    inks[..., 0] = 200  # this profile gives cyan no weight: without it, the picture would be tinted
    pic = open_picture(saved(Image.fromarray(inks, "CMYK"), "TIFF", icc_profile=cmyk_profile()))

    def gray(ink: int) -> float:
        lightness = 100 * (1 - ink / 255)
        f = (lightness + 16) / 116
        return encoded(f**3 if lightness > 8 else lightness / 903.3)

    expected = np.array([gray(ink) for ink in inks[0, :, 3].tolist()])
    np.testing.assert_allclose(pic.rgb[0], np.repeat(expected[:, None], 3, 1), atol=4)
    assert pic.notes == ("CMYK converted to sRGB (profile 'house profile')",)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_rgb_profile(mode):
    """sRGB's own primaries without its gamma: only the transfer function is left to do."""
    levels = np.linspace(0, 255, 16).astype(np.uint8)
    image = Image.fromarray(np.dstack([np.tile(levels, (16, 1))] * 3)).convert(mode, palette=Image.Palette.ADAPTIVE)
    pic = open_picture(saved(image, icc_profile=rgb_profile(SRGB_RED, SRGB_GREEN, SRGB_BLUE)))
    np.testing.assert_allclose(pic.rgb[3, :, 1], [encoded(level / 255) for level in levels], atol=1.5)
    assert pic.notes == ("colours converted to sRGB (profile 'house profile')",)


def test_a_profile_that_swaps_red_and_blue():
    image = Image.new("RGB", (16, 16), (255, 0, 0))
    pic = open_picture(saved(image, icc_profile=rgb_profile(SRGB_BLUE, SRGB_GREEN, SRGB_RED)))
    assert np.abs(pic.rgb.astype(int) - (0, 0, 255)).max() <= 3


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_gray_profile(mode):
    image = Image.new("L", (16, 16), 128 if mode != "1" else 255).convert(mode)
    pic = open_picture(saved(image, icc_profile=icc(b"GRAY", {b"kTRC": LINEAR})))
    assert np.abs(pic.rgb - (encoded(128 / 255) if mode != "1" else 255.0)).max() < 1.5
    assert pic.notes == ("colours converted to sRGB (profile 'house profile')",)


def test_an_srgb_profile_changes_nothing():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image in (Image.fromarray(noise()), Image.fromarray(noise()[..., 0])):
        pic = open_picture(saved(image, icc_profile=profile))
        np.testing.assert_array_equal(pic.rgb, np.asarray(image.convert("RGB")))
        assert pic.notes == ()


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        b"\0" * 200,
        cmyk_profile(),
        icc(b"GRAY", {b"kTRC": LINEAR}),
        icc(b"RGB ", {}),
        icc(b"HSV ", {}),
    ],
    ids=["text", "zeros", "of CMYK", "of gray", "empty", "of HSV"],
)
def test_a_profile_that_does_not_fit_is_ignored(profile):
    pic = open_picture(saved(Image.fromarray(noise()), icc_profile=profile))
    np.testing.assert_array_equal(pic.rgb, noise())
    assert pic.notes == ("unusable colour profile ignored",)


def test_lab_tiff():
    image = Image.new("LAB", (16, 16), (128, 128, 128))
    pic = open_picture(saved(image, "TIFF"))
    assert np.ptp(pic.rgb, axis=-1).max() <= 2
    assert abs(int(pic.rgb[0, 0, 0]) - 119) <= 2


def test_notes_tell_everything_that_was_done():
    image = Image.new("RGBA", (16, 12), (10, 20, 30, 100))
    profile = rgb_profile(SRGB_RED, SRGB_GREEN, SRGB_BLUE)
    pic = open_picture(saved(image, exif=exif(6), icc_profile=profile))
    assert (pic.height, pic.width) == (16, 12)
    assert pic.notes == (
        "colours converted to sRGB (profile 'house profile')",
        "transparency shown on white",
        "rotated upright (EXIF orientation 6)",
    )


# ---------------------------------------------------------------- refused

JPEG = saved(Image.fromarray(noise(64, 64)), "JPEG")
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


def refusal(source, **options) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(source, **options)
    message = str(caught.value)
    assert message.count(". ") >= 1, message  # what is wrong; why; what to do
    assert message.endswith(".")
    return message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"hello, this is no picture", "holds text, not a picture"),
        ("Grüße\r\n\tan alle".encode(), "holds text, not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is in SVG format"),
        (bytes(range(256)), "is not a picture of a known format"),
        (b"%PDF-1.7 ...", "is in PDF format"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "is in HEIC format"),
        (b"\0\0\0\x1cftypavif" + bytes(50), "is in AVIF format"),
        (b"\0\0\0\x18ftypmp42" + bytes(50), "is in video format"),
        (JPEG[:2], "is not a picture of a known format"),
        (JPEG[:100], "begins as a JPEG picture but cannot be decoded"),
        (JPEG[: len(JPEG) // 2], "begins as a JPEG picture but cannot be decoded"),
        (JPEG[:-20], "begins as a JPEG picture but cannot be decoded"),
        (png_file(64, 64, 8, 2, b"no zlib data"), "begins as a PNG picture but cannot be decoded"),
        (png_file(0, 64, 8, 2, b""), "begins as a PNG picture but cannot be decoded"),
        (
            saved(Image.fromarray(noise(64, 64)))[:-500] + bytes(500),
            "begins as a PNG picture but cannot be decoded",
        ),
        (b"\x89PNG\r\n\x1a\n", "begins as a PNG picture but cannot be decoded"),
        (saved(Image.new("RGB", (7, 100))), "is 7×100 pixels, too small"),
        (saved(Image.new("RGB", (1, 1))), "is 1×1 pixels, too small"),
        (saved(Image.new("RGB", (16, 16)), "PPM"), "is not a picture of a known format"),
        (saved(Image.new("RGB", (16, 16)), "ICO"), "is not a picture of a known format"),
        (saved(Image.new("L", (16, 16)), "EPS"), "holds text"),
    ],
)
def test_unusable_bytes(data, words):
    assert f"'photo.jpg' {words}" in refusal(data, name="photo.jpg")
    assert refusal(data).startswith("The picture ")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_off_files(kind, share):
    whole = saved(Image.fromarray(noise(64, 64)), kind)
    assert "cut short" in refusal(whole[: int(len(whole) * share)])


@pytest.mark.parametrize(
    ("width", "height"),
    [(30_000, 30_000), (10_000, 10_000), (5001, 5000), (MAX_PIXELS // 8 + 1, 8), (2**31 - 1, 2**31 - 1)],
)
@pytest.mark.parametrize("colour_type", [0, 2, 6])
def test_too_many_pixels_are_refused_before_decoding(width, height, colour_type):
    """The data is no picture at all: decoding it first would have failed with other words."""
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        message = refusal(png_file(width, height, 8, colour_type, b"never read"), name="big.png")
    assert not leaked
    assert "million pixels; the limit is 25 million" in message
    if width * height < 1e8:
        assert f"{width}×{height}" in message


def test_a_real_bomb():
    """900 million pixels in a file of 110 KB."""
    packer = zlib.compressobj(9)
    line = bytes(1 + 30_000 // 8)
    packed = b"".join(packer.compress(line * 1000) for _ in range(30)) + packer.flush()
    assert "has 900 million pixels" in refusal(png_file(30_000, 30_000, 1, 0, packed))


def test_bombs_in_other_formats():
    gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;"
    webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16382).to_bytes(3, "little") * 2
    webp += b"VP8L" + struct.pack("<I", 6) + b"\x2f\xfe\xbf\xff\x0f\0"
    webp = b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp
    bmp = b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 20_000, 20_000, 1, 24, 0, 0, 0, 0, 0, 0)
    for data in (gif, webp, bmp):
        assert "million pixels; the limit is 25 million" in refusal(data)


def test_exactly_the_limit_is_allowed():
    side = int(MAX_PIXELS**0.5)
    assert side**2 == MAX_PIXELS
    assert open_picture(saved(Image.new("1", (side, side)))).rgb.shape == (side, side, 3)


def test_the_smallest_and_the_thinnest():
    assert open_picture(saved(Image.new("RGB", (MIN_SIDE, MIN_SIDE)))).rgb.shape == (8, 8, 3)
    assert open_picture(saved(Image.new("RGB", (3000, 8)))).rgb.shape == (8, 3000, 3)


@pytest.mark.parametrize("wrap", [bytes, memoryview])
def test_too_many_bytes(wrap, tmp_path):
    big = JPEG + bytes(MAX_BYTES + 1 - len(JPEG))
    assert "has 10.0 MB, more than the limit of 10 MB" in refusal(wrap(big), name="big.jpg")
    path = tmp_path / "big.jpg"
    path.write_bytes(big)
    assert "more than the limit of 10 MB" in refusal(path)
    assert open_picture(wrap(big[:-1])).rgb.shape == (64, 64, 3)


def test_paths_that_are_no_pictures(tmp_path):
    (tmp_path / "notes.jpg").write_text("buy milk")
    (tmp_path / "empty.png").touch()
    for source, words in [
        (tmp_path, "is a folder"),
        (tmp_path / "missing.jpg", "missing.jpg' does not exist"),
        (str(tmp_path / "notes.jpg"), "notes.jpg' holds text"),
        (tmp_path / "empty.png", "empty.png' is empty"),
        ("a\0b.jpg", "does not exist"),
        ("x" * 5000, "cannot be read"),
        ("/dev/null", "is not a regular file"),
        ("https://example.org/cat.jpg", "does not exist"),
    ]:
        assert words in refusal(source)


@pytest.mark.parametrize("source", [None, 3, noise(), ["a.jpg"], io.BytesIO(JPEG)])
def test_things_that_hold_no_picture(source):
    assert type(source).__name__ in refusal(source)


def test_names_are_given_back_as_they_are():
    assert f"'{HOSTILE}'" in refusal(b"text", name=HOSTILE)
    assert open_picture(JPEG, name=HOSTILE).name == HOSTILE


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_bytes_raise_nothing_else(kind):
    """Whatever a malformed file makes Pillow raise or warn of, only PictureError comes out."""
    rng = random.Random(kind)
    frames = [Image.fromarray(noise(24, 24, seed)) for seed in range(2)]
    several = {"save_all": True, "append_images": frames[1:]} if kind in ("GIF", "WEBP", "TIFF", "PNG") else {}
    extra = {} if kind in ("BMP", "GIF") else {"exif": exif(6)}
    whole = saved(frames[0], kind, **several, **extra)
    outcomes = []
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(rng.randint(1, 6)):
                data[rng.randrange(min(len(data), rng.choice([64, 10_000])))] = rng.randrange(256)
            try:
                outcomes.append(open_picture(data).rgb.dtype)
            except PictureError as error:
                outcomes.append(type(error.__cause__ or error))
    assert len(outcomes) == 300
    assert not leaked


def test_the_cause_is_kept_for_the_log():
    with pytest.raises(PictureError) as caught:
        open_picture(JPEG[:100])
    assert caught.value.__cause__ is not None


def test_pillow_is_left_as_it_was():
    from PIL import ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    open_picture(JPEG)
    refusal(JPEG[:100])
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


# ---------------------------------------------------------------- from an array


def test_from_array_copies():
    pixels = noise()
    pic = Picture.from_array(pixels, name="mine")
    pixels[:] = 0
    np.testing.assert_array_equal(pic.rgb, noise())
    assert (pic.name, pic.notes, pic.height, pic.width) == ("mine", (), 20, 30)


def test_from_array_is_identified_by_shape_and_pixels():
    pic = Picture.from_array(noise())
    assert pic.sha256 == Picture.from_array(np.asfortranarray(noise())).sha256
    assert pic.sha256 != Picture.from_array(noise(seed=1)).sha256
    assert pic.sha256 != Picture.from_array(noise().reshape(30, 20, 3)).sha256
    assert len(pic.sha256) == 64


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (noise().astype(np.float32), "dtype float32"),
        (noise().astype(np.int64), "dtype int64"),
        (noise()[..., 0], "shape (20, 30)"),
        (np.zeros((20, 30, 4), np.uint8), "shape (20, 30, 4)"),
        (noise()[None], "shape (1, 20, 30, 3)"),
        (np.zeros((7, 30, 3), np.uint8), "is 30×7 pixels, too small"),
        (np.zeros((0, 30, 3), np.uint8), "is 30×0 pixels, too small"),
        (np.broadcast_to(np.uint8(0), (5001, 5000, 3)), "25.005 million pixels; the limit is 25 million"),
        ([[1, 2], [3, 4]], "is a list"),
    ],
)
def test_from_array_refuses(pixels, words):
    with pytest.raises(PictureError) as caught:
        Picture.from_array(pixels)
    assert words in str(caught.value)
