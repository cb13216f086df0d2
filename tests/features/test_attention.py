"""Attention rows: those of the weights, on the grid."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import GRID, HEADS, PATCH, SIZE, vit

import camcore
from camcore.features.attention import attention_rows

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(vit("distilled", 2), preprocess=lambda rgb: rgb / 127.5 - 1)


def test_rows_of_a_patch_and_of_what_is_read(network):
    weights = np.stack(network.attention_pass(network.prepare(PIC)[0]).weights)  # blocks, heads, T, T
    found = attention_rows(network, PIC, (1, 3))
    token = 2 + 1 * GRID[1] + 3
    assert found.rows.shape == (2, HEADS, *GRID)
    np.testing.assert_array_equal(found.rows, weights[:, :, token, 2:].reshape(2, HEADS, *GRID))
    np.testing.assert_array_equal(found.beside, weights[:, :, token, :2])
    assert found.cells.stride == (PATCH, PATCH)
    read = attention_rows(network, PIC)
    np.testing.assert_allclose(read.rows.reshape(2, HEADS, -1), weights[:, :, :2, 2:].mean(axis=2), rtol=1e-6)
    np.testing.assert_allclose(read.rows.sum((-1, -2)) + read.beside.sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("cell", "message"), [((3, 0), "no patch in row 3"), ((0, -1), "at least 0"), ("here", "a cell")]
)
def test_a_patch_that_there_is_not(network, cell, message):
    with pytest.raises(camcore.CamcoreError, match=message):
        attention_rows(network, PIC, cell)
