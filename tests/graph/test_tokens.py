"""Transformers: where the tokens lie on the picture, which layer is looked at, and what is said of the others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from transformers import (
    GRID,
    PATCH,
    SIZE,
    class_attention,
    extracted,
    hybrid,
    images,
    normalised_keys,
    own_attention,
    patchified,
    registers,
    swin,
    vit,
)

import camcore

# Each with the layer to look at, its tokens without a place, and a layer before any attention.
BUILDS: dict[str, tuple[Callable[[], Any], str, int, str]] = {
    "class token": (vit, "norm2a", 1, "tokens"),
    "average over all tokens": (lambda: vit("average"), "norm", 1, "tokens"),
    "average over the patches": (lambda: vit("patches"), "norm", 1, "norm1a"),
    "class token and patches": (lambda: vit("both"), "norm", 1, "norm1a"),
    "two tokens in front, as with distillation": (lambda: vit("distilled", 2), "norm2a", 2, "tokens"),
    "class token behind": (lambda: vit("last", behind=True), "norm2a", 1, "tokens"),
    "normalised behind each sum": (lambda: vit(post=True), "norm1b", 1, "tokens"),
    "one projection for queries, keys, values": (lambda: vit(attention=own_attention), "norm2a", 1, "tokens"),
    "queries and keys normalised": (lambda: vit(attention=normalised_keys), "norm2a", 1, "tokens"),
    "registers": (registers, "norm2a", 3, "registers"),
    "patches by reshaping": (patchified, "norm", 0, "projection"),
    "patches by a layer": (extracted, "norm", 0, "encoder"),
    "a class token at the end": (class_attention, "gather/norm", 1, "norm1a"),
    "convolutions first": (hybrid, "norm2a", 1, "features"),
}


@functools.cache
def built(name: str) -> camcore.Network:
    return camcore.wrap(BUILDS[name][0](), input_size=SIZE)


@pytest.mark.parametrize("name", BUILDS)
def test_the_layer_to_look_at_and_its_grid(name):
    _, default, beside, _ = BUILDS[name]
    info = built(name).layer(built(name).default_layer)
    assert info.path == default
    assert (info.grid, info.tokens, info.recommended) == (GRID, True, True)
    assert info.shape[0] == GRID[0] * GRID[1] + beside
    assert info.stride == (PATCH, PATCH)
    assert info.whole_picture, "behind an attention"
    assert not info.caution


@pytest.mark.parametrize("name", BUILDS)
def test_a_changed_patch_changes_its_own_cell(name):
    """Before any attention; so the cells are where they are said to be."""
    network, layer = built(name), BUILDS[name][3]
    x = images(1)
    info = network.layer(layer)
    cells = info.cells(SIZE)
    for row, column in ((0, 0), (1, 3), (2, 4)):
        changed = x.copy()
        inside = [slice(side * PATCH + 3, side * PATCH + 5) for side in (row, column)]
        changed[0, inside[0], inside[1]] += 1
        both = network.tap(np.concatenate([x, changed]), [info.path]).activations[info.path]
        where = np.argwhere(np.abs(both[1] - both[0]).max(axis=-1) > 1e-6)
        assert where.tolist() == [[row, column]]
        middle = [cells.first_centre[i] + cells.stride[i] * where[0][i] for i in (0, 1)]
        assert np.abs(np.array(middle) - [row * PATCH + 3.5, column * PATCH + 3.5]).max() <= 1.5


def test_behind_the_last_look_at_the_patches_their_gradient_is_zero_and_so_it_is_said():
    network = built("class token")
    later = [info for info in network.layers if info.tokens and "no longer use this layer’s patches" in info.caution]
    assert {"attention2", "block2", "norm2b", "mlp2", "norm"} <= {info.path.split("/")[0] for info in later}
    earlier = [info for info in network.layers if info.tokens and info not in later]
    assert {"norm2a", "block1", "norm1a", "tokens"} <= {info.path for info in earlier}
    slopes = network.tap(images(1), [info.path for info in network.layers if info.tokens], [1]).gradients[0]
    for info in later:
        assert not slopes[info.path].any(), info.path
    for info in earlier:
        assert slopes[info.path].any(), info.path


def test_a_map_of_such_a_layer_is_empty_and_says_why():
    network = camcore.wrap(built("class token").model, preprocess=lambda rgb: rgb / 127.5 - 1)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    last, early, good = camcore.explain(network, pic, "gradcam", layers=["block2", "norm1a", "norm2a"], classes=2)
    assert not last.values.any()
    assert last.warning.startswith("The map is empty. The scores no longer use this layer’s patches")
    assert "“norm2a”" in last.warning
    assert "No attention comes before this layer" in early.warning
    assert "No attention" not in (good.warning or "")


def test_the_reasons():
    network = built("class token")
    assert "input of the last attention that reads them" in network.layer("norm2a").reason
    assert "class token" in network.layer("norm2a").reason
    assert "each cell knows only its own patch" in network.layer("patches").reason
    assert "global average pooling" in built("average over the patches").layer("norm").reason
    assert "flattening" in built("patches by reshaping").layer("norm").reason


def test_a_ladder_of_depths():
    assert camcore.wrap(vit(blocks=1)).ladder[-1] == "norm1a", "nothing else to take"
    assert built("average over all tokens").ladder == ("norm1b", "norm2a", "norm2b", "norm")


def test_cam_is_exact_behind_an_average_over_the_patches():
    network, x = built("average over the patches"), images(1)
    raw = camcore.CAM(network).compute_heatmap(x, 1, raw=True)
    assert raw.mean() + network.linear_head_offset("norm")[1] == pytest.approx(network.logits(x)[0, 1], rel=1e-4)
    with pytest.raises(camcore.MethodError, match="takes in tokens which are no patches"):
        camcore.CAM(built("average over all tokens"))


def test_heads_of_altered_tokens():
    """Other tokens stay the picture's own: as the tokens are computed, and with a channel left out by hand."""
    network, x = built("class token"), images(1).astype(np.float32)
    A = network.tap(x, ["norm2a"]).activations["norm2a"]
    np.testing.assert_allclose(network.head("norm2a")(x, A), network.logits(x), atol=1e-5)
    less = A.copy()
    less[..., 3] = 0
    without = network.ablated_logits(x, "norm2a", [0, 3])
    np.testing.assert_allclose(without[1], network.head("norm2a")(x, less)[0], atol=1e-5)
    one = np.zeros((1, *GRID), np.float32)
    one[0, 1, 2] = 1
    placed = network.placed_logits(x, "norm2a", A[0, :1, 0], one)
    only = np.zeros_like(A)
    only[0, 1, 2] = A[0, 0, 0]
    np.testing.assert_allclose(placed, network.head("norm2a")(x, only), atol=1e-5)


def test_a_cell_of_a_layer_of_tokens():
    network, x = built("class token"), images(1).astype(np.float32)
    values, slopes = network.cell_gradients(x, "tokens", (1, 3), [2])
    assert values[0] == pytest.approx(network.tap(x, ["tokens"]).activations["tokens"][0, 1, 3, 2])
    seen = np.argwhere(np.abs(slopes[0]).max(axis=-1) > 0)
    assert (seen.min(axis=0).tolist(), seen.max(axis=0).tolist()) == ([8, 24], [15, 31])


# ---- windows


@functools.cache
def windowed() -> camcore.Network:
    return camcore.wrap(swin())


def test_windows_shifts_and_merging():
    network = windowed()
    assert network.default_layer == "norm"
    grids = {path: network.layer(path).grid for path in ("patches", "block1", "block2", "merged", "block3", "norm")}
    assert grids == {
        "patches": (4, 8),
        "block1": (4, 8),
        "block2": (4, 8),
        "merged": (2, 4),
        "block3": (2, 4),
        "norm": (2, 4),
    }
    assert network.layer("norm").stride == (16, 16)
    assert network.layer("block2").tokens
    inside = network.layer("attention1_qkv")
    assert not inside.usable
    assert inside.grid is None


def test_a_changed_patch_changes_its_window():
    network = windowed()
    x = np.random.default_rng(0).normal(size=(1, 32, 64, 3)).astype(np.float32)
    changed = x.copy()
    changed[0, 10:12, 43:45] += 1  # the cell in row 1, column 5
    both = network.tap(np.concatenate([x, changed]), ["block1", "block2"]).activations
    for path, rows, columns in (("block1", (0, 1), (4, 5)), ("block2", (0, 3), (3, 6))):
        where = np.argwhere(np.abs(both[path][1] - both[path][0]).max(axis=-1) > 1e-6)
        assert (where[:, 0].min(), where[:, 0].max()) == rows, path
        assert (where[:, 1].min(), where[:, 1].max()) == columns, path
