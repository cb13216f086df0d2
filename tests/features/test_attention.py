"""Attention rows: those of the weights, on the grid."""

from __future__ import annotations

import numpy as np
import pytest
from networks import flat
from transformers import GRID, HEADS, PATCH, SIZE, vit

import camcore
from camcore.features.attention import attention_layout, attention_rows, spread

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(vit("distilled", 2), preprocess=lambda rgb: rgb / 127.5 - 1)


def test_rows_of_a_patch_and_of_what_is_read(network):
    weights = np.stack(network.attention_pass(network.prepare(PIC)[0]).weights)  # blocks, heads, T, T
    memory = camcore.Memory()
    found = attention_rows(network, PIC, (1, 3), memory=memory)
    token = 2 + 1 * GRID[1] + 3
    assert (len(found.rows), found.grid) == (2, GRID)
    np.testing.assert_array_equal(np.stack(found.rows), weights[:, :, token, 2:].reshape(2, HEADS, *GRID))
    np.testing.assert_array_equal(np.stack(found.beside), weights[:, :, token, :2])
    np.testing.assert_allclose(found.map_of(1, None).ravel(), weights[1, :, token, 2:].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(found.map_of(1, 0), found.rows[1][0])
    np.testing.assert_allclose(found.beside_of(0, None), weights[0, :, token, :2].mean(axis=0), rtol=1e-6)
    assert found.cells.stride == (PATCH, PATCH)
    read = attention_rows(network, PIC, memory=memory)
    np.testing.assert_allclose(np.stack(read.rows).reshape(2, HEADS, -1), weights[:, :, :2, 2:].mean(axis=2), rtol=1e-6)
    np.testing.assert_allclose(np.stack(read.rows).sum((-1, -2)) + np.stack(read.beside).sum(-1), 1, rtol=1e-5)
    named = attention_rows(network, PIC, "distillation token", memory=memory)
    np.testing.assert_array_equal(np.stack(named.rows).reshape(2, HEADS, -1), weights[:, :, 1, 2:])


@pytest.mark.parametrize(
    ("pooling", "tokens", "behind", "names", "read"),
    [
        ("class", 3, False, ("class token", "register 1", "register 2"), "class token"),
        ("last", 1, True, ("class token",), "class token"),
        ("distilled", 2, False, ("class token", "distillation token"), "mean of class token and distillation token"),
        ("patches", 1, False, ("token",), "mean of all patches"),
    ],
)
def test_tokens_without_a_place_are_named(pooling, tokens, behind, names, read):
    network = camcore.wrap(vit(pooling, tokens, blocks=1, behind=behind))
    layout = attention_layout(network)
    assert (layout.blocks, layout.names, layout.read, layout.grid) == (1, names, read, GRID)
    weights = network.attention_pass(network.prepare(PIC)[0]).weights[0]
    first = 0 if behind else tokens
    for number, name in enumerate(names):
        token = GRID[0] * GRID[1] + number if behind else number
        rows = attention_rows(network, PIC, name).rows[0].reshape(HEADS, -1)
        np.testing.assert_array_equal(rows, weights[:, token, first : first + GRID[0] * GRID[1]])


def test_networks_without_such_attention():
    assert attention_layout(camcore.wrap(flat())) is None


def test_the_spread_of_attention():
    assert spread(np.eye(4)[:1]) == pytest.approx(1)
    assert spread(np.full((3, 5), 0.01)) == pytest.approx(15)  # whatever goes to other tokens
    assert spread(np.zeros((2, 2))) == 0


@pytest.mark.parametrize(
    ("token", "message"),
    [((3, 0), "no patch in row 3"), ((0, -1), "at least 0"), ("here", "no token 'here'"), (5, "a patch")],
)
def test_a_token_that_there_is_not(network, token, message):
    with pytest.raises(camcore.CamcoreError, match=message):
        attention_rows(network, PIC, token)
