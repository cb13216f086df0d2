"""The parts of a tensor's axes against the same moves of an array that holds each cell's number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from camcore.graph.places import IMAGES, Axes, Factor, axes_of, placed, regrouped
from camcore.graph.reach import Axis, Reach

H, W, C = 6, 8, 5
MAP = Reach((Axis(), Axis()), (H, W), (1, 2))
NUMBERS = np.broadcast_to(np.arange(H * W).reshape(1, H, W, 1), (1, H, W, C))


def held(axes: Axes) -> np.ndarray:
    """The number of the cell at each place of a tensor of one image with these parts."""
    result = np.zeros((1,) * len(axes), int)
    for axis, parts in enumerate(axes):
        values = np.zeros(1, int)
        for part in parts:
            step = {"rows": W * part.step, "columns": part.step}.get(part.kind, 0)
            values = (values[:, np.newaxis] + step * np.arange(part.size or 1)).ravel()
        result = result + values.reshape([-1 if one == axis else 1 for one in range(len(axes))])
    return result


MOVES = {
    "tokens": [(1, H * W, C)],
    "heads": [(1, H * W, C), (1, H * W, C, 1)],
    "windows": [(1, 2, 3, 2, 4, C), (0, 1, 3, 2, 4, 5), (4, 3, 4, C), (4, 12, C)],
    "windows beside the images": [(1, 2, 3, 2, 4, C), (0, 1, 3, 2, 4, 5), (1, 4, 12, C)],
    "windows and back": [
        (1, 2, 3, 2, 4, C), (0, 1, 3, 2, 4, 5), (4, 12, C),
        (1, 2, 2, 3, 4, C), (0, 1, 3, 2, 4, 5), (1, H, W, C),
    ],
    "a grid of other steps": [(1, 3, 2, 4, 2, C), (0, 2, 4, 1, 3, 5), (4, 3, 4, C)],
    "channels first": [(0, 3, 1, 2), (1, C, H * W), (0, 2, 1)],
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_parts_follow_reshapes_and_turns(name):
    array, axes = NUMBERS, axes_of(MAP, NUMBERS.shape)
    assert axes is not None
    for move in MOVES[name]:
        if sorted(move) == list(range(array.ndim)):
            array, axes = array.transpose(move), tuple(axes[axis] for axis in move)
        else:
            array, axes = array.reshape(move), regrouped(axes, move)
            assert axes is not None
        np.testing.assert_array_equal(np.broadcast_to(held(axes), array.shape), array)


def test_a_grid_that_comes_back_is_whole():
    axes = axes_of(MAP, (None, H, W, C))
    tokens = placed(MAP, regrouped(axes, (None, H * W, C)))
    assert (tokens.dims, tokens.tokens, tokens.first_token) == ((1,), True, 0)
    back = placed(tokens, regrouped(tokens.places, (None, H, W, C)))
    assert back == MAP


def test_patches_whose_own_pixels_become_channels_make_a_coarser_grid():
    axes = regrouped(axes_of(MAP, (None, H, W, C)), (None, 3, 2, 4, 2, C))
    turned = tuple(axes[axis] for axis in (0, 1, 3, 2, 4, 5))
    coarse = placed(MAP, regrouped(turned, (None, 12, 2 * 2 * C)))
    assert (coarse.grid, coarse.tokens) == ((3, 4), True)
    assert [axis.stride for axis in coarse.axes] == [2, 2]
    assert [axis.centre for axis in coarse.axes] == [0.5, 0.5]
    assert [axis.size for axis in coarse.axes] == [2, 2]


def test_tokens_beside_the_cells_are_not_taken_apart():
    tokens = replace(MAP, dims=(1,), places=(IMAGES, (Factor("tokens", H * W + 2, first=1),), (Factor("other", C),)))
    assert regrouped(tokens.places, (None, 2, (H * W + 2) // 2, C)) is None
    assert regrouped(tokens.places, (None, H * W + 2, C, 1))[1] == tokens.places[1]
