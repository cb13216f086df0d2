"""The sheet of channels: every pixel of small ones by hand, and what comes back out of the PNG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from camcore.errors import CamcoreError
from camcore.render.colour import DIVERGING, table
from camcore.render.sheet import LEVELS, PAPER, cell_size, cells, good_columns, lay_out, sheet


def near(rgb: np.ndarray, wanted: np.ndarray) -> bool:
    """The same to the eye: half a step of 124 colours is at most two of 256."""
    return bool(np.abs(rgb.astype(int) - wanted.astype(int)).max() <= 6)


def at(drawn, channel: int, y: int = 0, x: int = 0) -> np.ndarray:
    """The colour of a place in a cell."""
    row, column = divmod(channel, drawn.columns)
    return drawn.rgb[row * drawn.pitch[0] + y, column * drawn.pitch[1] + x]


# Two places a channel: (left, right).
PLAIN = np.array([[0.0, 2.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]).T[None]


def test_a_shared_scale():
    drawn = sheet(PLAIN, columns=2)
    viridis = table("viridis")
    right = drawn.cell[1] - 1
    assert near(at(drawn, 0, x=0), viridis[0])
    assert near(at(drawn, 0, x=right), viridis[255])
    assert near(at(drawn, 1, x=right), viridis[128])
    assert near(at(drawn, 2, x=0), viridis[128])


def test_each_its_own_scale():
    drawn = sheet(PLAIN, columns=2, scale="each", colormap="magma")
    magma, right = table("magma"), drawn.cell[1] - 1
    for channel, share in ((0, 255), (1, 255), (2, 255)):
        assert near(at(drawn, channel, x=right), magma[share])
    assert near(at(drawn, 2, x=0), magma[255])


SIGNED = np.array([[-1.0, 0.0], [0.5, 1.0], [0.0, 0.0]]).T[None]


def test_both_signs_on_a_shared_scale():
    drawn = sheet(SIGNED, columns=3)
    colours, right = table(DIVERGING), drawn.cell[1] - 1
    assert near(at(drawn, 0, x=0), colours[1])
    assert near(at(drawn, 0, x=right), colours[128])
    assert near(at(drawn, 1, x=0), colours[128 + 64])
    assert near(at(drawn, 1, x=right), colours[255])


def test_both_signs_each_on_its_own_scale():
    drawn = sheet(SIGNED / [[[1, 2, 1]]], columns=3, scale="each")
    colours, right = table(DIVERGING), drawn.cell[1] - 1
    assert near(at(drawn, 0, x=0), colours[1])
    assert near(at(drawn, 1, x=0), colours[128 + 64])
    assert near(at(drawn, 1, x=right), colours[255])


@pytest.mark.parametrize("scale", ["shared", "each"])
def test_a_dead_channel_is_crossed_out(scale):
    drawn = sheet(PLAIN, columns=2, scale=scale)
    assert (at(drawn, 3) == 150).all()
    middle = at(drawn, 3, drawn.cell[0] // 4, drawn.cell[1] // 2)
    assert (middle == 255).all()


def test_cells_repeat_each_place_and_stand_apart():
    A = np.arange(4.0).reshape(2, 2, 1).repeat(3, axis=2)
    drawn = sheet(A, columns=2, width=40)
    assert drawn.cell == (16, 16)
    h, w = drawn.pitch
    cell = drawn.rgb[:16, :16]
    assert (cell[:8, :8] == cell[0, 0]).all()
    assert (cell[8:, 8:] == cell[-1, -1]).all()
    assert (drawn.rgb[:, 16:w] == 255).all()
    assert (drawn.rgb[h:, w:] == 255).all(), "the last row is not full"
    assert (drawn.rgb[h : h + 16, :16] == cell).all()


def test_large_grids_are_averaged_over_areas():
    A = np.zeros((4, 4, 2))
    A[::2, :, 0] = 1.0  # every other row: half everywhere
    A[..., 1] = 1.0
    index = cells(A, (2, 2))
    assert (np.abs(index[0].astype(int) - (LEVELS - 1) / 2) <= 1).all()
    assert (index[1] == LEVELS - 1).all(), "neighbours on the sheet do not run into each other"


def test_cells_of_any_size():
    assert cell_size((7, 7), 45) == (42, 42)
    assert cell_size((112, 56), 45) == (45, 22)
    assert cell_size((7, 14), 45) == (21, 42)
    assert cells(np.ones((7, 5, 3)), (10, 4)).shape == (3, 10, 4)
    assert good_columns(1) == 1
    assert good_columns(64) == 8
    assert good_columns(2048) == 16


def test_numbers_are_written_where_there_is_room():
    A = np.ones((2, 2, 4))
    wide = sheet(A, numbers=np.array([3, 41, 7, 9]), columns=2, width=80)
    assert wide.pitch[0] > wide.cell[0] + 3
    strips = wide.rgb.reshape(2, wide.pitch[0], 2, wide.pitch[1], 3)[:, wide.cell[0] :, :, : wide.cell[1]]
    ink = (strips < 250).any(axis=-1).sum(axis=(1, 3))
    assert (ink > 5).all()
    assert ink[0, 1] > ink[0, 0], "two digits have more ink than one"
    other = sheet(A, numbers=np.array([3, 41, 7, 9]), columns=2, width=80)
    np.testing.assert_array_equal(other.index, wide.index)
    narrow = sheet(A, numbers=np.array([3, 41, 7, 1000]), columns=2, width=20)
    assert narrow.pitch[0] == narrow.cell[0] + 3
    blank = lay_out(cells(A, (20, 20)), 4, np.array([-1, 2, -1, 4]))
    strip = (blank.rgb[20:] < 250).any(axis=-1)
    assert not strip[:, :20].any()
    assert strip[:, 23:43].any()


@pytest.mark.parametrize("layout", ["channels last", "channels first in memory"])
def test_what_is_drawn_is_left_as_it_was(layout):
    A = np.random.default_rng(0).normal(0, 1, (3, 4, 5)).astype(np.float32)
    if layout == "channels first in memory":  # as numpy lays out A[..., numbers]
        A = np.moveaxis(np.ascontiguousarray(np.moveaxis(A, 2, 0)), 0, 2)
    before = A.copy()
    first = sheet(A).index
    np.testing.assert_array_equal(A, before)
    np.testing.assert_array_equal(sheet(A).index, first)


def test_an_empty_place_stays_paper():
    drawn = cells(np.ones((2, 2, 2)), (4, 4))
    drawn[1] = PAPER
    assert (lay_out(drawn, 2).rgb[:, 4:] == 255).all()


def test_what_comes_out_of_the_png_is_what_was_drawn():
    drawn = sheet(np.random.default_rng(0).normal(0, 1, (7, 7, 50)), numbers=np.arange(50), scale="each")
    back = np.asarray(Image.open(io.BytesIO(drawn.png())).convert("RGB"))
    np.testing.assert_array_equal(back, drawn.rgb)
    clear = np.asarray(Image.open(io.BytesIO(drawn.png(transparent=True))).convert("RGBA"))
    inside = np.zeros(drawn.index.shape, bool)
    inside[: drawn.cell[0], : drawn.cell[1]] = True
    np.testing.assert_array_equal(clear[inside][:, :3], drawn.rgb[inside])
    assert (clear[inside][:, 3] == 255).all()
    assert (clear[drawn.index == PAPER][:, 3] == 0).all()


def test_thousands_of_channels_are_one_picture():
    A = np.maximum(np.random.default_rng(0).normal(0, 1, (7, 7, 2048)), 0)
    drawn = sheet(A, numbers=np.arange(2048))
    assert drawn.index.shape == (-(-2048 // 16) * drawn.pitch[0], 16 * drawn.pitch[1])
    last = at(drawn, 2047, drawn.cell[0] - 1, drawn.cell[1] - 1)
    assert near(last, table("viridis")[round(255 * A[-1, -1, -1] / A.max())])


@pytest.mark.parametrize("shape", [(7, 7, 0), (7, 7), (0, 7, 3)])
def test_nothing_to_draw(shape):
    with pytest.raises(CamcoreError, match=r"cannot be drawn as a sheet"):
        sheet(np.zeros(shape))


def test_what_is_refused():
    with pytest.raises(CamcoreError, match="no scale 'own'"):
        sheet(PLAIN, scale="own")  # type: ignore[arg-type]
    with pytest.raises(CamcoreError, match="no colour map"):
        sheet(PLAIN, colormap="virid")
