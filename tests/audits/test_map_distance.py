"""Distances of maps worked by hand, on grids and framings that differ; of evidence against the cosine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from camcore.audits.manifest import AuditedNetwork, Manifest
from camcore.audits.map_distance import evidence_distances, map_distances
from camcore.framing import CellGrid, frame_for

NETWORK = AuditedNetwork("pets", "pets", "random weights", "0" * 64, ("cat", "dog"), (32, 32), "logit")


def manifest(grid: tuple[int, int], framing: str = "stretch", size: tuple[int, int] = (32, 32)) -> Manifest:
    return Manifest(
        replace(NETWORK, input_size=size), "gradcam", "deep", grid, 4, framing, "", "", True, 1, 16
    )  # fmt: skip


def distance(
    one: Manifest, values: list[list[float]], other: Manifest, others: list[list[float]], size: tuple[int, int]
) -> float:
    maps = (np.array([values], np.float32), np.array([others], np.float32))
    return float(map_distances((one, other), maps, np.array([size]))[0])


@pytest.mark.parametrize(
    ("values", "others", "wanted"),
    [
        ([[1, 0], [0, 0]], [[1, 0], [0, 0]], 0.0),
        ([[1, 0], [0, 0]], [[0, 0], [0, 1]], 1.0),
        ([[1, 1], [0, 0]], [[0, 1], [0, 1]], 0.5),
        ([[1, 0.5], [0, 0]], [[0.5, 0.25], [0, 0]], 0.0),  # the same shares
        ([[0.5, 0.5], [0.5, 0.5]], [[1, 0], [0, 0]], 0.75),
    ],
)
def test_on_one_grid_it_is_half_of_what_the_shares_differ_by(
    values: list[list[float]], others: list[list[float]], wanted: float
) -> None:
    square = manifest((2, 2))
    assert distance(square, values, square, others, (50, 70)) == pytest.approx(wanted, abs=1e-7)


def test_a_finer_grid_that_says_the_same_is_no_distance() -> None:
    coarse = np.random.default_rng(0).random((2, 3))
    fine = np.kron(coarse, np.ones((3, 2)))
    found = distance(manifest((2, 3)), coarse.tolist(), manifest((6, 6)), fine.tolist(), (41, 67))
    assert found == pytest.approx(0, abs=1e-6)


def test_grids_that_do_not_divide_each_other() -> None:
    # Halves [1, 0] against thirds [0, 1, 0]: they share from 1/3 to 1/2, with densities 2 and 3: 2/6 in common.
    assert distance(manifest((1, 2)), [[1, 0]], manifest((1, 3)), [[0, 1, 0]], (30, 30)) == pytest.approx(1 - 2 / 6)


def test_two_framings_are_compared_on_the_picture() -> None:
    # A crop sees the middle of a wide picture: all of its map lies in what it saw, that of stretch everywhere.
    crop, stretch = manifest((1, 1), "crop"), manifest((1, 1), "stretch")
    top, left, bottom, right = frame_for((100, 200), (32, 32), "crop").seen
    seen = (bottom - top) * (right - left) / (100 * 200)
    assert distance(crop, [[1]], stretch, [[1]], (100, 200)) == pytest.approx(1 - seen, abs=1e-6)


def test_inputs_of_other_sizes_are_compared_on_the_picture() -> None:
    values = np.random.default_rng(1).random((4, 4)).tolist()
    found = distance(manifest((4, 4)), values, manifest((4, 4), size=(96, 64)), values, (80, 60))
    assert found == pytest.approx(0, abs=1e-6)


def test_the_margin_of_a_letterbox_is_not_on_the_picture() -> None:
    # A picture twice as wide as high fills the middle half: the outer two of four rows lie in the margin.
    letterbox, stretch = manifest((4, 1), "letterbox"), manifest((2, 1), "stretch")
    found = distance(letterbox, [[1], [0.2], [0.6], [1]], stretch, [[0.25], [0.75]], (50, 100))
    assert found == pytest.approx(0, abs=1e-6)
    assert np.isnan(distance(letterbox, [[1], [0], [0], [1]], stretch, [[0.5], [0.5]], (50, 100)))


def test_a_layer_that_sees_the_picture_mirrored() -> None:
    plain = manifest((2, 3))
    mirrored = replace(plain, cells=CellGrid.uniform((2, 3), (32, 32), (False, True)))
    values = np.random.default_rng(2).random((2, 3))
    assert distance(plain, values.tolist(), mirrored, values[:, ::-1].tolist(), (20, 30)) == pytest.approx(0, abs=1e-6)


def test_pictures_of_different_sizes_keep_their_order() -> None:
    square = manifest((2, 2), "crop")
    rng = np.random.default_rng(3)
    maps = rng.random((6, 2, 2)).astype(np.float32), rng.random((6, 2, 2)).astype(np.float32)
    sizes = np.array([(40, 40), (50, 90), (40, 40), (90, 50), (50, 90), (40, 41)])
    one_by_one = [map_distances((square, square), (maps[0][[i]], maps[1][[i]]), sizes[[i]])[0] for i in range(6)]
    np.testing.assert_allclose(map_distances((square, square), maps, sizes), one_by_one, rtol=1e-6)


def test_a_map_of_zeros_has_no_distance() -> None:
    square = manifest((2, 2))
    assert np.isnan(distance(square, [[0, 0], [0, 0]], square, [[1, 0], [0, 0]], (50, 70)))
    assert np.isnan(distance(square, [[0, 0], [0, 0]], square, [[0, 0], [0, 0]], (50, 70)))


def test_evidence_is_compared_by_the_cosine() -> None:
    rng = np.random.default_rng(4)
    old, new = rng.random((5, 7)), rng.random((5, 7))
    cosine = (old * new).sum(axis=1) / np.linalg.norm(old, axis=1) / np.linalg.norm(new, axis=1)
    np.testing.assert_allclose(evidence_distances(old, new), 1 - cosine, atol=1e-6)
    assert not evidence_distances(old, old).any()
    assert np.isnan(evidence_distances(old, 0 * new)).all()
