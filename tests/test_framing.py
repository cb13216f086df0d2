"""Geometry: where the picture's pixels go on the input, and where a map's cells come back to."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from camcore.errors import CamcoreError
from camcore.framing import (
    FRAMINGS,
    NEUTRAL,
    CellGrid,
    Frame,
    frame_for,
    frame_picture,
    reduced_size,
)
from camcore.pictures.picture import Picture

SIZES = [(480, 640), (640, 480), (224, 224), (300, 301), (97, 1024), (2000, 31), (50, 40)]
INPUTS = [(224, 224), (299, 299), (96, 160), (160, 96)]


def scene(height: int, width: int) -> np.ndarray:
    """A smooth colourful picture: the same scene at every size."""
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None] + 0.5) / width
    waves = [np.sin(9 * x + 2) * np.cos(7 * y), np.cos(5 * x - 8 * y), np.sin(13 * x * y)]
    return np.stack([np.rint(127 + 100 * wave) for wave in waves], axis=-1).astype(np.uint8)


def by_hand(picture: tuple[int, int], size: tuple[int, int], framing: str) -> list[tuple[float, float]]:
    """(scale, offset) for y and x, so that input = scale * picture + offset, in edge coordinates."""
    if framing == "stretch":
        return [(size[0] / picture[0], 0.0), (size[1] / picture[1], 0.0)]
    if framing == "crop":  # short side to 256/224 of the input, then the centre
        scale = max(size[0] / picture[0], size[1] / picture[1]) * 256 / 224
        starts = [(picture[i] - size[i] / scale) / 2 for i in (0, 1)]
        return [(scale, -scale * math.ceil(start - 0.5)) for start in starts]
    if framing == "centre":  # the largest middle part of the input's shape, cut at whole pixels
        sides = [max(1, min(picture[i], picture[1 - i] * size[i] // size[1 - i])) for i in (0, 1)]
        return [(size[i] / sides[i], -size[i] / sides[i] * ((picture[i] - sides[i]) // 2)) for i in (0, 1)]
    scale = min(size[0] / picture[0], size[1] / picture[1])
    shown = [max(1, round(scale * picture[i])) for i in (0, 1)]
    return [(shown[i] / picture[i], (size[i] - shown[i]) // 2) for i in (0, 1)]


# ---------------------------------------------------------------- areas


@pytest.mark.parametrize(
    ("picture", "size", "framing", "seen", "placed"),
    [
        ((480, 640), (224, 224), "stretch", (0, 0, 480, 640), (0, 0, 224, 224)),
        ((480, 640), (224, 224), "crop", (30, 110, 450, 530), (0, 0, 224, 224)),
        ((640, 480), (224, 224), "crop", (110, 30, 530, 450), (0, 0, 224, 224)),
        ((256, 256), (224, 224), "crop", (16, 16, 240, 240), (0, 0, 224, 224)),
        ((480, 640), (299, 299), "crop", (30, 110, 450, 530), (0, 0, 299, 299)),
        ((333, 500), (224, 224), "crop", (21, 104, 312.375, 395.375), (0, 0, 224, 224)),
        ((480, 640), (100, 200), "crop", (100, 40, 380, 600), (0, 0, 100, 200)),
        ((480, 640), (200, 100), "crop", (30, 215, 450, 425), (0, 0, 200, 100)),
        ((480, 640), (224, 224), "centre", (0, 80, 480, 560), (0, 0, 224, 224)),
        ((641, 480), (224, 224), "centre", (80, 0, 560, 480), (0, 0, 224, 224)),
        ((333, 500), (100, 200), "centre", (41, 0, 291, 500), (0, 0, 100, 200)),
        ((8, 3000), (224, 224), "centre", (0, 1496, 8, 1504), (0, 0, 224, 224)),
        ((480, 640), (224, 224), "letterbox", (0, 0, 480, 640), (28, 0, 196, 224)),
        ((640, 480), (224, 224), "letterbox", (0, 0, 640, 480), (0, 28, 224, 196)),
        ((480, 640), (100, 200), "letterbox", (0, 0, 480, 640), (0, 33, 100, 166)),
        ((333, 500), (224, 224), "letterbox", (0, 0, 333, 500), (37, 0, 186, 224)),
        ((8, 3000), (224, 224), "letterbox", (0, 0, 8, 3000), (111, 0, 112, 224)),
        ((8, 3000), (224, 224), "crop", (0, 1496, 7, 1503), (0, 0, 224, 224)),
    ],
)
def test_areas(picture, size, framing, seen, placed):
    frame = frame_for(picture, size, framing)
    assert frame.seen == pytest.approx(seen, abs=1e-9)
    assert frame.placed == placed
    assert (frame.framing, frame.picture_size, frame.input_size) == (framing, picture, size)
    top, left, bottom, right = frame.seen
    assert 0 <= top < bottom <= picture[0]
    assert 0 <= left < right <= picture[1]


def test_crop_is_the_default():
    assert frame_for((480, 640), (224, 224)) == frame_for((480, 640), (224, 224), "crop")


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", INPUTS)
@pytest.mark.parametrize("picture", SIZES)
def test_points_there_and_back(picture, size, framing):
    frame = frame_for(picture, size, framing)
    for point in [(0.0, 0.0), (3.25, 700.5), (-20.0, 15.0), (picture[0] - 1.0, picture[1] - 1.0)]:
        on_input = frame.to_input(point)
        expected = [s * (p + 0.5) + o - 0.5 for p, (s, o) in zip(point, by_hand(picture, size, framing), strict=True)]
        assert on_input == pytest.approx(expected, abs=1e-9)
        assert frame.to_picture_point(on_input) == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_corners_of_the_seen_area_are_corners_of_the_placed_one(framing):
    frame = frame_for((480, 641), (224, 192), framing)
    for corner in (0, 2):
        edge = tuple(value - 0.5 for value in frame.seen[corner : corner + 2])
        assert frame.to_input(edge) == pytest.approx([value - 0.5 for value in frame.placed[corner : corner + 2]])


# ---------------------------------------------------------------- pixels


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", INPUTS)
@pytest.mark.parametrize("picture", [(480, 640), (640, 480), (333, 500), (120, 90)])
def test_an_impulse_lands_where_the_frame_says(picture, size, framing):
    """A bright block's centroid on the input, against to_input, and back again; to 0.05 px."""
    block_h, block_w = picture[0] // 14, picture[1] // 14
    for top, left in [(0.3, 0.4), (0.55, 0.35), (0.45, 0.5)]:
        seen = frame_for(picture, size, framing).seen
        y0 = int(seen[0] + top * (seen[2] - seen[0]))
        x0 = int(seen[1] + left * (seen[3] - seen[1]))
        pixels = np.full((*picture, 3), 100, np.uint8)
        pixels[y0 : y0 + block_h, x0 : x0 + block_w] = 230
        net_input, frame = frame_picture(Picture.from_array(pixels), size, framing)
        light = net_input[..., 1] - 100.0
        if framing == "letterbox":
            t, le, b, r = frame.placed
            light = np.pad(light[t:b, le:r], ((t, size[0] - b), (le, size[1] - r)))
        found = [float((light.sum(axis=1 - i) * np.arange(size[i])).sum() / light.sum()) for i in (0, 1)]
        true = (y0 + (block_h - 1) / 2, x0 + (block_w - 1) / 2)
        assert found == pytest.approx(frame.to_input(true), abs=0.05)
        scale = [frame.to_picture_point((1.0, 1.0))[i] - frame.to_picture_point((0.0, 0.0))[i] for i in (0, 1)]
        back = frame.to_picture_point((found[0], found[1]))
        assert np.abs(np.subtract(back, true) / scale).max() < 0.05


def test_crop_equals_resize_256_then_centre_crop_224():
    """Where the classic way rounds nothing (512 to 256, then 16 off each edge): the same, bit for bit."""
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    classic = Image.fromarray(pixels).resize((256, 256), Image.Resampling.BICUBIC).crop((16, 16, 240, 240))
    ours, _ = frame_picture(Picture.from_array(pixels), (224, 224), "crop")
    np.testing.assert_array_equal(ours, np.asarray(classic, np.float32))


@pytest.mark.parametrize("picture", [(256, 341), (341, 256), (256, 256), (257, 256), (256, 500)])
def test_crop_copies_pixels_that_have_the_right_size(picture):
    """Half a pixel beside, everything would be blurred, and networks would see less."""
    pic = Picture.from_array(np.random.default_rng(0).integers(0, 256, (*picture, 3), dtype=np.uint8))
    ours, frame = frame_picture(pic, (224, 224), "crop")
    top, left = (picture[0] - 224) // 2, (picture[1] - 224) // 2
    assert frame.seen == (top, left, top + 224, left + 224)
    np.testing.assert_array_equal(ours, pic.rgb[top : top + 224, left : left + 224])


def test_crop_is_near_the_classic_way_where_that_rounds():
    pixels = scene(375, 500)
    classic = Image.fromarray(pixels).resize((341, 256), Image.Resampling.BICUBIC).crop((58, 16, 282, 240))
    ours, _ = frame_picture(Picture.from_array(pixels), (224, 224), "crop")
    assert np.abs(ours - np.asarray(classic, np.float32)).mean() < 1


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_input_is_float_rgb(framing):
    pic = Picture.from_array(scene(480, 640))
    net_input, frame = frame_picture(pic, (96, 160), framing)
    assert net_input.shape == (96, 160, 3)
    assert net_input.dtype == np.float32
    assert net_input.min() >= 0
    assert net_input.max() <= 255
    y, x = 50.0, 70.0
    source = np.rint(frame.to_picture_point((y, x))).astype(int)
    assert np.abs(net_input[50, 70] - pic.rgb[source[0], source[1]]).max() < 6


def test_stretch_of_a_picture_of_the_input_size_changes_nothing():
    pic = Picture.from_array(scene(96, 160))
    net_input, _ = frame_picture(pic, (96, 160), "stretch")
    np.testing.assert_array_equal(net_input, pic.rgb)


def test_shrinking_is_antialiased():
    """A checkerboard of single pixels becomes even gray; picking pixels would leave stripes."""
    board = (np.indices((448, 448)).sum(axis=0) % 2 * 255).astype(np.uint8)
    net_input, _ = frame_picture(Picture.from_array(np.dstack([board] * 3)), (100, 100), "stretch")
    assert np.abs(net_input[2:-2, 2:-2] - 127.5).max() < 6


def test_letterbox_pads_with_the_neutral_colour():
    net_input, _ = frame_picture(Picture.from_array(scene(480, 640)), (224, 224), "letterbox")
    padding = np.ones((224, 224), bool)
    padding[28:196] = False
    np.testing.assert_array_equal(net_input[padding], np.broadcast_to(np.float32(NEUTRAL), (padding.sum(), 3)))
    whole, _ = frame_picture(Picture.from_array(scene(480, 640)), (168, 224), "stretch")
    np.testing.assert_array_equal(net_input[28:196], whole)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("picture", [(8, 3000), (3000, 8), (8, 8), (8, 60_000)])
def test_extreme_shapes(picture, framing):
    net_input, frame = frame_picture(Picture.from_array(scene(*picture)), (224, 224), framing)
    assert np.isfinite(net_input).all()
    drawn = frame.to_picture(np.arange(49.0).reshape(7, 7))
    assert drawn.shape == picture
    assert np.isfinite(drawn).any()
    for side in (1, 2, 100, 1024):
        assert frame.to_picture(np.ones((7, 7)), max_side=side).shape == reduced_size(picture, side)


# ---------------------------------------------------------------- maps


GRIDS = [
    ((7, 7), (480, 640)),
    ((14, 9), (300, 301)),
    ((1, 1), (30, 40)),
    ((1, 12), (50, 40)),
    ((12, 1), (50, 40)),
    ((56, 56), (97, 333)),
    ((224, 224), (100, 60)),
    ((3, 3), (3, 3)),
]


@pytest.mark.parametrize(("grid", "picture"), GRIDS)
def test_uniform_stretch_equals_cv2(grid, picture):
    values = np.random.default_rng(1).random(grid, np.float32)
    frame = frame_for(picture, (224, 224), "stretch")
    drawn = frame.to_picture(values)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, cv2.resize(values, picture[::-1], interpolation=cv2.INTER_LINEAR), atol=1e-5)

    nearest = frame.to_picture(values, smooth=False)
    expected = cv2.resize(values, picture[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    on_edge = [(np.arange(picture[i]) * 2 + 1) * grid[i] % (2 * picture[i]) == 0 for i in (0, 1)]
    inside = ~on_edge[0][:, None] & ~on_edge[1]  # on the edge between two cells either is right
    np.testing.assert_array_equal(nearest[inside], expected[inside])


CELLS = [
    CellGrid.uniform((7, 9), (224, 288)),
    CellGrid((15.5, 15.5), (32.0, 32.0)),
    CellGrid((0.0, 0.0), (32.0, 32.0)),  # padding "same" of stride-2 convolutions: the first cell sits at the edge
    CellGrid((31.0, 47.0), (26.5, 24.25)),
]


@pytest.mark.parametrize("max_side", [None, 200])
@pytest.mark.parametrize("cells", CELLS)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("picture", [(480, 640), (640, 480), (333, 500)])
def test_a_linear_ramp_comes_back_exactly(picture, framing, cells, max_side):
    """Cells sample a plane over the input; on the picture it is the same plane, held at the border cells."""
    size, grid = (224, 288), (7, 9)
    centres = [cells.first_centre[i] + cells.stride[i] * np.arange(grid[i]) for i in (0, 1)]
    values = (0.3 + 0.004 * centres[0][:, None] - 0.002 * centres[1]).astype(np.float32)
    drawn = frame_for(picture, size, framing).to_picture(values, cells, max_side=max_side)
    shape = drawn.shape
    on_input, seen = [], []
    for i, (scale, offset) in enumerate(by_hand(picture, size, framing)):
        edges = (np.arange(shape[i]) + 0.5) * picture[i] / shape[i]
        inside = (edges * scale + offset >= -1e-9) & (edges * scale + offset <= size[i] + 1e-9)
        seen.append(inside)
        on_input.append(np.clip(edges * scale + offset - 0.5, centres[i][0], centres[i][-1]))
    expected = 0.3 + 0.004 * on_input[0][:, None] - 0.002 * on_input[1]
    visible = seen[0][:, None] & seen[1]
    np.testing.assert_array_equal(np.isfinite(drawn), visible)
    np.testing.assert_allclose(drawn[visible], expected[visible], atol=2e-6)


@pytest.mark.parametrize("cells", CELLS)
def test_native_cells_are_drawn_flat_around_their_centres(cells):
    """Every pixel takes the value of the cell whose centre is nearest on the input."""
    frame = frame_for((480, 640), (224, 288), "letterbox")
    values = np.arange(63, dtype=np.float32).reshape(7, 9)
    drawn = frame.to_picture(values, cells, smooth=False)
    centres = [cells.first_centre[i] + cells.stride[i] * np.arange((7, 9)[i]) for i in (0, 1)]
    for point in np.random.default_rng(3).integers((0, 0), (480, 640), (200, 2)).tolist():
        on_input = frame.to_input((float(point[0]), float(point[1])))
        away = [np.abs(centres[i] - on_input[i]) for i in (0, 1)]
        if all(np.sort(distances)[1] - distances.min() > 1e-6 for distances in away):
            assert drawn[tuple(point)] == values[away[0].argmin(), away[1].argmin()]


def test_crop_leaves_the_unseen_area_empty():
    drawn = frame_for((480, 640), (224, 224), "crop").to_picture(np.ones((7, 7)))
    seen = np.zeros((480, 640), bool)
    seen[30:450, 110:530] = True
    np.testing.assert_array_equal(np.isfinite(drawn), seen)
    assert (drawn[seen] == 1).all()


@pytest.mark.parametrize("framing", ["stretch", "letterbox"])
def test_the_whole_picture_is_seen(framing):
    for picture in [(480, 640), (333, 500), (97, 1024), (1000, 999)]:
        assert np.isfinite(frame_for(picture, (224, 224), framing).to_picture(np.ones((7, 7)))).all()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_mirrored_map_is_drawn_mirrored(framing):
    values = np.random.default_rng(4).random((7, 7), np.float32)
    frame = frame_for((480, 640), (224, 224), framing)
    drawn = frame.to_picture(values)
    np.testing.assert_allclose(frame.to_picture(values[:, ::-1])[:, ::-1], drawn, atol=1e-6)
    np.testing.assert_allclose(frame.to_picture(values[::-1])[::-1], drawn, atol=1e-6)


def test_a_map_finds_the_object_again():
    """The way there and back: a map of where the input is bright lies on the bright block of the picture."""
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[200:260, 300:380] = 255
    for framing in FRAMINGS:
        net_input, frame = frame_picture(Picture.from_array(pixels), (224, 224), framing)
        t, le, b, r = frame.placed
        bright = np.zeros((224, 224), np.float32)
        bright[t:b, le:r] = net_input[t:b, le:r, 0] / 255
        drawn = np.nan_to_num(frame.to_picture(bright))
        centroid = [(drawn.sum(axis=1 - i) * np.arange(drawn.shape[i])).sum() / drawn.sum() for i in (0, 1)]
        assert centroid == pytest.approx([229.5, 339.5], abs=0.1)
        assert np.abs(drawn - pixels[..., 0] / 255).mean() < 0.005


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [((480, 640), None, (480, 640)), ((480, 640), 640, (480, 640)), ((480, 640), 320, (240, 320)),
     ((640, 480), 100, (100, 75)), ((8, 3000), 100, (1, 100)), ((10, 10), 500, (10, 10))],
)  # fmt: skip
def test_reduced_size(size, max_side, expected):
    assert reduced_size(size, max_side) == expected


def test_uniform_cells():
    assert CellGrid.uniform((7, 7), (224, 224)) == CellGrid((15.5, 15.5), (32.0, 32.0))
    assert CellGrid.uniform((224, 1), (224, 100)) == CellGrid((0.0, 49.5), (1.0, 100.0))


def test_frames_are_values():
    frame = frame_for((480, 640), (224, 224))
    assert frame == Frame(frame.framing, frame.picture_size, frame.input_size, frame.seen, frame.placed)
    assert len({frame, frame_for((480, 640), (224, 224))}) == 1


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("framing", "near"),
    [("letter-box", "letterbox"), ("Crop", "crop"), ("squash", None), ("", None), (None, None)],
)
def test_unknown_framing(framing, near):
    for call in (frame_for, lambda *a: frame_picture(Picture.from_array(scene(50, 40)), *a[1:])):
        with pytest.raises(CamcoreError, match="crop, centre, stretch, letterbox") as caught:
            call((50, 40), (224, 224), framing)
        assert repr(framing) in str(caught.value)
        if near:
            assert str(caught.value).endswith(f"Choose '{near}', perhaps.")


@pytest.mark.parametrize("shape", [(7,), (1, 7, 7), (0, 7), ()])
def test_maps_without_a_grid(shape):
    with pytest.raises(CamcoreError, match="cannot be drawn"):
        frame_for((50, 40), (224, 224)).to_picture(np.zeros(shape))


@pytest.mark.parametrize(("picture", "size"), [((0, 10), (224, 224)), ((10, 10), (0, 224))])
def test_sizes_of_nothing(picture, size):
    with pytest.raises(CamcoreError, match="cannot be framed"):
        frame_for(picture, size)
