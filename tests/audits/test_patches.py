"""Patches by hand, and against a search through every rectangle of cells."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from camcore.audits.patches import cell_edges, patch_box
from camcore.framing import CellGrid, frame_for

EVEN = CellGrid.uniform((4, 4), (8, 8))


def test_one_cell_holds_half():
    M = np.zeros((4, 4))
    M[1, 2] = 1.0
    M[3, 0] = 0.9
    frame = frame_for((80, 80), (8, 8), "stretch")
    assert patch_box(M, frame, EVEN) == (20, 40, 40, 60)


def test_two_neighbours_hold_half():
    M = np.zeros((4, 4))
    M[2, 1:3] = 1.0, 0.8
    M[0] = 0.4
    frame = frame_for((80, 120), (8, 8), "stretch")
    assert patch_box(M, frame, EVEN) == (40, 30, 60, 90)


def test_a_flat_map_gives_a_quarter():
    box = patch_box(np.ones((4, 4)), frame_for((80, 80), (8, 8), "stretch"), EVEN)
    assert box is not None
    assert (box[2] - box[0]) * (box[3] - box[1]) == 80 * 80 // 4


def test_no_evidence_is_no_patch():
    assert patch_box(np.zeros((4, 4)), frame_for((80, 80), (8, 8), "stretch"), EVEN) is None


def test_the_crop_leads_back_to_the_middle_of_a_wide_picture():
    """Of 160×320 the network sees the central 140×140: the corner cell of 4×4 begins there, 35 pixels a side."""
    M = np.zeros((4, 4))
    M[0, 3] = 1.0
    assert patch_box(M, frame_for((160, 320), (8, 8), "crop"), EVEN) == (10, 90 + 105, 45, 90 + 140)


def test_the_margin_of_a_letterbox_is_no_part_of_the_picture():
    """80×160 fills rows 2 to 6 of 8×8: the first and last rows of 4×4 cells lie beside it, as does their mass."""
    M = np.zeros((4, 4))
    M[0] = 5.0
    M[1, 3] = 1.0
    frame = frame_for((80, 160), (8, 8), "letterbox")
    assert patch_box(M, frame, EVEN) == (0, 120, 40, 160)
    M[1, 3] = 0.0
    assert patch_box(M, frame, EVEN) is None


def test_mirrored_cells_are_on_the_other_side():
    M = np.zeros((4, 4))
    M[0, 0] = 1.0
    mirrored = CellGrid.uniform((4, 4), (8, 8), (False, True))
    assert patch_box(M, frame_for((80, 80), (8, 8), "stretch"), mirrored) == (0, 60, 20, 80)


def test_a_crop_inside_the_network_is_all_it_saw():
    """Cells over the inner 4×4 of an input of 8×8, whose edges lie at pixel indices 1.5 and 5.5."""
    inside = CellGrid((2.0, 2.0), (1.0, 1.0), (1.5, 1.5, 5.5, 5.5))
    frame = frame_for((80, 80), (8, 8), "stretch")
    assert cell_edges(frame, inside, 4, 0).tolist() == [[20, 30], [30, 40], [40, 50], [50, 60]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("framing", ["stretch", "crop", "letterbox"])
def test_it_is_the_smallest_of_all_rectangles(seed, framing):
    r = np.random.default_rng(seed)
    M = r.random((5, 7)) ** 4
    frame = frame_for((int(r.integers(300, 900)), int(r.integers(300, 900))), (35, 35), framing)
    cells = CellGrid.uniform((5, 7), (35, 35))
    rows, columns = cell_edges(frame, cells, 5, 0), cell_edges(frame, cells, 7, 1)
    areas = np.outer(np.ptp(rows, axis=1), np.ptp(columns, axis=1))
    on_picture = np.where(areas > 0, M, 0)
    peak = np.unravel_index(on_picture.argmax(), M.shape)
    every = []
    for top, bottom in combinations(range(6), 2):
        for left, right in combinations(range(8), 2):
            if top <= peak[0] < bottom and left <= peak[1] < right:
                part = np.s_[top:bottom, left:right]
                box = (rows[top, 0], columns[left, 0], rows[bottom - 1, 1], columns[right - 1, 1])
                every.append((areas[part].sum(), on_picture[part].sum(), tuple(round(edge) for edge in box)))
    allowed = [one for one in every if one[0] <= areas.sum() / 4 + 1e-6 or one[0] <= areas[peak] + 1e-6]
    enough = [one for one in allowed if one[1] >= on_picture.sum() / 2]
    best = min(enough, key=lambda one: (round(one[0], 6), -one[1])) if enough else max(allowed, key=lambda one: one[1])
    assert patch_box(M, frame, cells) == best[2]
