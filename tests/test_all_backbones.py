"""All 40 backbones: their rows in the catalogue, the default layer of the contract, published receptive fields.

Of the smallest of each family all gradient methods, at four depths of some (random weights).
``benchmarks/everywhere.py`` computes all methods on all of them.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras_downloads
import numpy as np
import pytest

import camcore
from camcore.methods import METHODS
from camcore.models import catalogue
from camcore.models.preprocessing import PREPROCESSINGS

if TYPE_CHECKING:
    import keras

POOLED = None  # the layer that feeds the last pooling, whatever its name (numbered names differ per process)

# name → the default layer, and the side of its grid at the backbone's own input size.
TABLE: dict[str, tuple[str | None, int]] = {
    "Xception": ("block14_sepconv2_act", 10),
    "VGG16": ("block5_conv3", 14),
    "VGG19": ("block5_conv4", 14),
    "ResNet50": ("conv5_block3_out", 7),
    "ResNet101": ("conv5_block3_out", 7),
    "ResNet152": ("conv5_block3_out", 7),
    "ResNet50V2": ("post_relu", 7),
    "ResNet101V2": ("post_relu", 7),
    "ResNet152V2": ("post_relu", 7),
    "InceptionV3": ("mixed10", 8),
    "InceptionResNetV2": ("conv_7b_ac", 8),
    "MobileNet": ("conv_pw_13_relu", 7),
    "MobileNetV2": ("out_relu", 7),
    "MobileNetV3Small": (POOLED, 7),
    "MobileNetV3Large": (POOLED, 7),
    "DenseNet121": ("relu", 7),
    "DenseNet169": ("relu", 7),
    "DenseNet201": ("relu", 7),
    "NASNetMobile": (POOLED, 7),
    "NASNetLarge": (POOLED, 11),
    "EfficientNetB0": ("top_activation", 7),
    "EfficientNetB1": ("top_activation", 8),
    "EfficientNetB2": ("top_activation", 9),
    "EfficientNetB3": ("top_activation", 10),
    "EfficientNetB4": ("top_activation", 12),
    "EfficientNetB5": ("top_activation", 15),
    "EfficientNetB6": ("top_activation", 17),
    "EfficientNetB7": ("top_activation", 19),
    "EfficientNetV2B0": ("top_activation", 7),
    "EfficientNetV2B1": ("top_activation", 8),
    "EfficientNetV2B2": ("top_activation", 9),
    "EfficientNetV2B3": ("top_activation", 10),
    "EfficientNetV2S": ("top_activation", 12),
    "EfficientNetV2M": ("top_activation", 15),
    "EfficientNetV2L": ("top_activation", 15),
    "ConvNeXtTiny": (POOLED, 7),
    "ConvNeXtSmall": (POOLED, 7),
    "ConvNeXtBase": (POOLED, 7),
    "ConvNeXtLarge": (POOLED, 7),
    "ConvNeXtXLarge": (POOLED, 7),
}

# Araujo, Norris and Sim, Distill 2019, table of receptive fields (VGG16 there after the last pooling). Between those,
# by hand: of VGG16 each 3×3 adds 2 strides, each 2×2 pooling one; strides 1, 2, 4, 8, 16. Of ResNet50: 7×7 and 3×3 of
# stride 2, then 3, 4, 6 and 3 blocks with one 3×3 each, at strides 4, 8, 16 and 32.
FIELDS: dict[str, dict[str, int]] = {
    "VGG16": {
        "block1_conv2": 5, "block1_pool": 6, "block2_conv2": 14, "block2_pool": 16, "block3_conv3": 40,
        "block3_pool": 44, "block4_conv3": 92, "block4_pool": 100, "block5_conv3": 196, "block5_pool": 212,
    },
    "ResNet50": {
        "conv1_relu": 7, "pool1_pool": 11, "conv2_block3_out": 35, "conv3_block4_out": 99, "conv4_block6_out": 291,
        "conv5_block3_out": 483,
    },
    "MobileNet": {"conv_pw_13_relu": 315},
    "MobileNetV2": {"out_relu": 491},
    "InceptionV3": {"mixed10": 1311},
    "DenseNet121": {"relu": 2071},
    "InceptionResNetV2": {"conv_7b_ac": 3039},
}  # fmt: skip

# Quick to build and run, one of each family at least; the others take several seconds each. Of most the head is what
# CAM needs: a global average pooling and a linear layer.
WITHOUT_CAM = {"VGG16", "MobileNetV3Small", "MobileNetV3Large", "ConvNeXtTiny"}
LIGHT = WITHOUT_CAM | {
    "ResNet50", "MobileNet", "MobileNetV2", "InceptionV3", "Xception", "DenseNet121", "EfficientNetB0",
    "EfficientNetV2B0", "ResNet50V2", "NASNetMobile",
}  # fmt: skip
# Of these all gradient methods, at the default layer; the large MobileNetV3 has the small one's layers.
EXPLAINED = LIGHT - {"MobileNetV3Large"}
# Of these at all four depths.
QUICKEST = {"MobileNet", "MobileNetV2", "MobileNetV3Small", "VGG16"}

EVERY = [pytest.param(name, marks=() if name in LIGHT else pytest.mark.slow) for name in TABLE]


@pytest.fixture(autouse=True)
def same_weights_and_free_memory():
    import keras

    keras.utils.set_random_seed(0)
    yield
    gc.collect()


def feeds_the_last_pooling(model: Any) -> str:
    """By the model's structure: the operation whose output the last global pooling takes."""
    pooling = [layer for layer in model.layers if type(layer).__name__ == "GlobalAveragePooling2D"][-1]
    return pooling.input._keras_history.operation.name


def noise(size: tuple[int, int]) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))


def test_the_table_is_the_catalogue():
    assert set(TABLE) == {row.name for row in catalogue.backbones()}
    assert len(TABLE) == 40


def loaded(name: str, model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> camcore.Network:
    """The network on Keras' model of all defaults: building takes long, so ``load`` is given that one."""
    import keras

    constructor = getattr(keras.applications, name)

    @wraps(constructor)
    def again(**options: Any) -> keras.Model:
        same = options == {"weights": None, "input_shape": model.input_shape[1:]}
        return model if same else constructor(**options)

    monkeypatch.setattr(keras.applications, name, again)
    return camcore.load(name, weights="random")


def check_row(name: str, model: keras.Model, asked: list[catalogue.WeightsFile]) -> None:
    """The catalogue's row is what Keras says."""
    import keras

    row, module = catalogue.backbone(name), sys.modules[getattr(keras.applications, name).__module__]
    assert asked == [row.weights]
    assert catalogue.published_weights(row, {}) == row.weights
    assert model.count_params() == row.parameters
    assert model.output_shape == (None, 1000)
    open_size = name.startswith("MobileNetV3")
    assert model.input_shape[1:3] == ((None, None) if open_size else row.input_size)
    assert module.__name__.endswith(f"applications.{row.keras_module}")
    assert row.preprocessing in PREPROCESSINGS
    assert row.paper_url.rpartition("/")[2] in Path(module.__file__).read_text()


@pytest.mark.filterwarnings("ignore:.input_shape. is undefined")
@pytest.mark.parametrize("name", EVERY)
def test_row_and_default_layer_and_its_maps(name, monkeypatch):
    import keras

    asked = keras_downloads.recorded(monkeypatch)
    model = getattr(keras.applications, name)()
    check_row(name, model, asked)
    layer, side = TABLE[name]
    network = loaded(name, model, monkeypatch)
    wanted = layer if name.startswith("VGG") else feeds_the_last_pooling(network.model)
    assert layer in (wanted, POOLED)
    assert network.default_layer == wanted
    if name.startswith("MobileNetV3"):
        assert network.layer(wanted).kind == "activation"
    if name.startswith("NASNet"):
        assert wanted.startswith("activation_")
    info = network.layer(wanted)
    assert info.recommended
    assert info.usable
    assert info.grid == (side, side)
    assert info.reason.startswith(f"last {side}×{side} map before ")
    assert network.ladder[-1] == wanted
    grids = [network.layer(path).grid[0] for path in network.ladder]
    assert len(grids) == 4
    assert grids == sorted(grids, reverse=True)
    assert network.classes == 1000
    assert network.activation == "softmax"
    for path, field in FIELDS.get(name, {}).items():
        assert network.layer(path).receptive_field == (field, field), path
        assert not network.layer(path).whole_picture, path
    if name in EXPLAINED:
        gradient_methods(network, network.ladder if name in QUICKEST else network.ladder[-1:])
    if name in WITHOUT_CAM:
        with pytest.raises(camcore.MethodError, match="CAM is not defined"):
            camcore.explain(network, noise(network.input_size), "cam", classes=7)
    elif name in LIGHT:
        (m,) = camcore.explain(network, noise(network.input_size), "cam", classes=7)
        assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)


def gradient_methods(network: camcore.Network, paths: Sequence[str]) -> None:
    """No NaN at any depth, whatever random weights make of the signal; Grad-CAM is as it is written."""
    pic = noise(network.input_size)
    tapped = network.tap(network.prepare(pic, "stretch")[0], paths, [7])
    methods = [key for key, info in METHODS.items() if info.input.shares_backward and key != "cam"]
    found = camcore.explain(network, pic, methods, paths, 7, "stretch")
    assert len(found) == len(methods) * len(paths)
    for m in found:
        A, G = tapped.activations[m.layer], tapped.gradients[0][m.layer]
        assert A.shape == G.shape == (1, *network.layer(m.layer).grid, network.layer(m.layer).channels)
        assert m.raw.shape == network.layer(m.layer).grid
        assert np.isfinite(m.raw).all(), (m.method, m.layer)
        assert np.isfinite(m.values).all(), (m.method, m.layer)
        assert m.values.max() in (0, 1)
        assert m.values.any() or m.warning
        if m.method == "gradcam":
            assert np.isfinite(A).all()
            assert np.isfinite(G).all()
            assert np.abs(G).max() > 0
            raw = np.maximum((A * G.mean(axis=(1, 2), keepdims=True)).sum(axis=-1), 0)[0]
            np.testing.assert_allclose(m.raw, raw, rtol=0, atol=1e-5 * np.abs(A * G).sum(axis=-1).max())
    assert np.isfinite(tapped.logits).all()


def test_a_pooled_map_is_not_better_than_its_source():
    """VGG16 ends in a pooling: listed, usable, but not recommended; and the reasons of others are said."""
    network = camcore.load("VGG16", weights="random", input_shape=(64, 64, 3))
    assert network.default_layer == "block5_conv3"
    assert network.layer("block5_pool").usable
    assert "pooled copy" in network.layer("block5_pool").reason
    assert "no spatial grid" in network.layer("fc1").reason
    assert network.ladder == ("block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
    with pytest.raises(camcore.MethodError, match=r"CAM is not defined for VGG16.*global average.*gradcam.*surgery"):
        camcore.CAM(network)


def test_score_cam_on_a_backbone():
    network = camcore.load("MobileNet", weights="random", input_shape=(64, 64, 3), alpha=0.25)
    (m,) = camcore.explain(network, noise((64, 64)), "fasterscorecam", classes=3)
    assert m.raw.shape == (2, 2)
    assert np.isfinite(m.raw).all()
