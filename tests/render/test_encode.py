"""Files, data URLs and captions."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from camcore.errors import CamcoreError
from camcore.render import encode
from camcore.render.encode import to_data_url, to_jpeg, to_png, with_caption

NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
FLAT = np.full((48, 64, 3), (200, 30, 60), np.uint8)


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("rgb", [NOISE, NOISE[:, ::-1], NOISE[:1, :1], np.ascontiguousarray(NOISE[::3])])
def test_png_keeps_every_pixel(rgb):
    data = to_png(rgb)
    assert isinstance(data, bytes)
    assert data.startswith(b"\x89PNG")
    np.testing.assert_array_equal(decoded(data), rgb)


def test_jpeg_keeps_the_colours():
    assert np.abs(decoded(to_jpeg(FLAT)).astype(int) - FLAT).max() <= 3
    assert len(to_jpeg(NOISE, 30)) < len(to_jpeg(NOISE)) < len(to_jpeg(NOISE, 100))


def test_jpeg_keeps_thin_coloured_lines():
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    assert np.abs(decoded(to_jpeg(stripes, 95)).astype(int) - stripes).mean() < 12  # halved colour: over 60


def test_read_only_pictures():
    frozen = NOISE.copy()
    frozen.setflags(write=False)
    assert to_png(frozen) == to_png(NOISE)
    assert to_jpeg(frozen) == to_jpeg(NOISE)
    np.testing.assert_array_equal(with_caption(frozen, ["a"]), with_caption(NOISE, ["a"]))


def test_data_url():
    url = to_data_url(b"\x00\xffpicture", "image/jpeg")
    assert url == "data:image/jpeg;base64," + base64.b64encode(b"\x00\xffpicture").decode()
    assert to_data_url(b"").startswith("data:image/png;base64")


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_out_of_range(quality):
    with pytest.raises(CamcoreError, match=str(quality)):
        to_jpeg(NOISE, quality)


def test_too_long_for_jpeg():
    long = np.zeros((8, 65_501, 3), np.uint8)
    with pytest.raises(CamcoreError, match="PNG"):
        to_jpeg(long)
    np.testing.assert_array_equal(decoded(to_png(long)), long)


@pytest.mark.parametrize(
    "rgb", [NOISE[..., 0], NOISE.astype(np.float32), NOISE[:0], np.dstack([NOISE, NOISE[..., :1]])]
)
def test_arrays_that_are_no_picture(rgb):
    for call in (to_png, to_jpeg, lambda array: with_caption(array, ["a"])):
        with pytest.raises(CamcoreError, match="shape"):
            call(rgb)


# ---------------------------------------------------------------- captions


def ink(captioned: np.ndarray, height: int) -> np.ndarray:
    """Where the strip is dark."""
    return captioned[height:].min(axis=-1) < 128


@pytest.mark.parametrize("width", [240, 640, 3000])
def test_the_picture_stays_above_and_the_text_stands_below(width):
    rgb = np.full((100, width, 3), (200, 30, 60), np.uint8)
    captioned = with_caption(rgb, ["Grad-CAM · out_relu 7×7 · Egyptian cat"])
    assert captioned.dtype == np.uint8
    np.testing.assert_array_equal(captioned[:100], rgb)
    assert captioned.shape[1] == width
    text = ink(captioned, 100)
    assert text.any()
    assert not text[[0, -1]].any()  # margins above, below, left and right
    assert not text[:, [0, 1, -2, -1]].any()


def test_text_grows_with_the_picture():
    def letter_height(width: int) -> int:
        rows = ink(with_caption(np.zeros((10, width, 3), np.uint8), ["H"]), 10).any(axis=1)
        return int(rows.sum())

    heights = [letter_height(width) for width in (240, 640, 1280, 2400)]
    assert heights == sorted(heights)
    assert 7 <= heights[0] <= 12  # never too small to read
    assert heights[2] == pytest.approx(2 * heights[1], abs=2)


def test_each_line_on_its_own_row():
    rgb = np.zeros((10, 640, 3), np.uint8)
    one, three = (with_caption(rgb, lines) for lines in (["a"], ["a", "b", "c"]))
    assert three.shape[0] - one.shape[0] == 2 * round(16 * 1.35)
    np.testing.assert_array_equal(with_caption(rgb, ["a\nb", "c"]), three)


@pytest.mark.parametrize(
    "line", ["seven words that are too long here " * 9, "one_word_without_a_break" * 30, "W" * 400]
)
def test_long_lines_wrap_inside_the_picture(line):
    captioned = with_caption(np.zeros((10, 320, 3), np.uint8), [line])
    assert captioned.shape[1] == 320
    assert captioned.shape[0] > 10 + 3 * 16
    assert not ink(captioned, 10)[:, -3:].any()


@pytest.mark.parametrize("line", ["alpha beta gamma " * 20, "x" * 300, "a " + "y" * 90 + " b", "", "   ", "short"])
@pytest.mark.parametrize("width", [5.0, 60.0, 200.0])
def test_wrapping_loses_no_letter(line, width):
    font, _ = encode.caption_font(12)
    parts = encode.wrap_text(line, font, width)
    assert "".join("".join(parts).split()) == "".join(line.split())
    assert all(font.getlength(part) <= width or len(part) == 1 for part in parts)
    assert len(parts) >= 1


def test_a_narrow_picture_is_centred_on_a_wider_strip():
    rgb = np.zeros((50, 40, 3), np.uint8)
    captioned = with_caption(rgb, ["a caption"])
    assert captioned.shape[1] == 240
    assert (captioned[:50, 100:140] == 0).all()
    assert (captioned[:50, :100] == 255).all()
    assert (captioned[:50, 140:] == 255).all()


def test_no_lines_no_strip():
    np.testing.assert_array_equal(with_caption(NOISE, []), NOISE)


def test_markup_is_only_text():
    rgb = np.zeros((10, 640, 3), np.uint8)
    assert ink(with_caption(rgb, ["<b>bold</b>"]), 10).sum() > ink(with_caption(rgb, ["bold"]), 10).sum()


def test_without_a_system_font_text_is_spelt_in_ascii(monkeypatch):
    monkeypatch.setattr(encode, "_SYSTEM_FONTS", ("no such font.ttf",))
    encode.caption_font.cache_clear()
    try:
        assert encode.caption_font(12)[1] is False
        rgb = np.zeros((10, 640, 3), np.uint8)
        np.testing.assert_array_equal(with_caption(rgb, ["é 7×7 → 猫"]), with_caption(rgb, ["e 7x7 -> ?"]))
        assert ink(with_caption(rgb, ["plain"]), 10).any()
    finally:
        encode.caption_font.cache_clear()
