"""The methods as classes on preprocessed batches."""

from __future__ import annotations

import numpy as np
import pytest
from cheap import CHEAP, GENERAL
from networks import GRID, SIZE, TWINS, flat, images, nested

import camcore
from camcore.heatmaps.keras_api import CLASSES
from camcore.methods import METHODS


@pytest.fixture(scope="module")
def network():
    return camcore.wrap(flat())


def make(network, key, **options):
    return getattr(camcore, METHODS[key].class_name)(network, **{**CHEAP.get(key, {}), **options})


@pytest.mark.parametrize("key", METHODS)
def test_each_row_has_its_class(key):
    cls = getattr(camcore, METHODS[key].class_name)
    assert cls.method == key
    assert cls.__name__ == METHODS[key].class_name
    assert CLASSES[cls.__name__] is cls
    assert METHODS[key].title in cls.__doc__
    assert METHODS[key].class_name in dir(camcore)


def test_names_that_are_none():
    with pytest.raises(AttributeError, match="no attribute 'GradCam'"):
        camcore.GradCam  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        camcore.nothing  # noqa: B018


@pytest.mark.parametrize("key", GENERAL)
def test_shapes(network, key):
    cam = make(network, key)
    x = images(3)
    for raw in (False, True):
        many = cam.compute_heatmap(x, raw=raw)
        grid = GRID if not METHODS[key].layer_free else many.shape[1:]
        assert many.shape == (3, *grid)
        assert many.dtype == np.float32
        one = cam.compute_heatmap(x[0], raw=raw)
        assert one.shape == grid
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, many[0], rtol=1e-5, atol=1e-6 * np.abs(many[0]).max())
        np.testing.assert_array_equal(cam.compute_heatmap(x[:1], raw=raw), one)


@pytest.mark.parametrize("key", GENERAL)
def test_values_are_raw_rectified_and_divided(network, key):
    x = images(3)
    cam = make(network, key)
    raw, values = cam.compute_heatmap(x, 1, raw=True), cam.compute_heatmap(x, 1)
    for r, v in zip(raw, values, strict=True):
        r = r - r.min() if METHODS[key].min_max else r
        top = max(r.max(), 0)
        np.testing.assert_allclose(v, np.maximum(r, 0) / top if top else 0 * r, atol=1e-6)


@pytest.mark.parametrize("key", GENERAL)
def test_classes(network, key):
    """None: each image's own; one for all; one per image."""
    x = images(4, seed=12)
    cam = make(network, key)
    single = np.stack(
        [[cam.compute_heatmap(x[i], c, raw=True) for c in range(4)] for i in range(4)]
    )  # (image, class, h, w)
    top = network.logits(x).argmax(axis=1)
    size = np.abs(single).max()
    close = {"rtol": 0, "atol": 1e-5 * size}
    np.testing.assert_allclose(cam.compute_heatmap(x, raw=True), single[range(4), top], **close)
    np.testing.assert_allclose(cam.compute_heatmap(x, 2, raw=True), single[:, 2], **close)
    asked = [3, 0, 2, 1]
    for given in (asked, tuple(asked), np.array(asked)):
        np.testing.assert_allclose(cam.compute_heatmap(x, given, raw=True), single[range(4), asked], **close)
    np.testing.assert_allclose(cam.compute_heatmap(x, np.int64(1), raw=True), single[:, 1], **close)


def test_the_images_differ_in_their_top_class(network):
    assert len(set(network.logits(images(4, seed=12)).argmax(axis=1).tolist())) > 1


@pytest.mark.parametrize("key", GENERAL)
def test_equal_to_explain_on_the_same_input(key):
    network = camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8))
    x, _ = network.prepare(pic, "letterbox")
    for variant in METHODS[key].variants or (None,):
        options = {**CHEAP.get(key, {}), **({"variant": variant} if variant else {})}
        found = camcore.explain(network, pic, key, classes=[1, 3], framing="letterbox", options={key: options})
        for m in found:
            cam = make(network, key, **options)
            np.testing.assert_allclose(cam.compute_heatmap(x, m.class_index), m.values, atol=1e-6)
            np.testing.assert_allclose(
                cam.compute_heatmap(x, m.class_index, raw=True), m.raw, atol=1e-6 * np.abs(m.raw).max()
            )


def test_a_keras_model_is_wrapped():
    model = flat()
    x = images(2)
    np.testing.assert_array_equal(
        camcore.GradCAM(model).compute_heatmap(x), camcore.GradCAM(camcore.wrap(model)).compute_heatmap(x)
    )


def test_target_layers():
    model = nested()
    layer = model.get_layer("backbone").get_layer("conv1")
    x = images(1)
    wanted = camcore.GradCAM(camcore.wrap(flat()), "conv1").compute_heatmap(x, 1, raw=True)
    for target in ("backbone/conv1", "conv1", layer):
        cam = camcore.GradCAM(model, target_layer=target)
        assert cam.target_layer == "backbone/conv1"
        np.testing.assert_allclose(cam.compute_heatmap(x, 1, raw=True), wanted, rtol=1e-5)
    assert camcore.GradCAM(model).target_layer == "backbone/features"
    assert camcore.GradCAM(model, None).target_layer == "backbone/features"
    assert "backbone/conv1" in repr(camcore.GradCAM(model, layer))


def test_two_classes_of_one_unit():
    twin = TWINS["one sigmoid unit, class 1"]
    network = camcore.wrap(twin.build())
    x = images(2)
    yes, no = (camcore.HiResCAM(network).compute_heatmap(x, c, raw=True) for c in (1, 0))
    np.testing.assert_allclose(no, -yes, rtol=1e-6)
    assert np.abs(yes).max() > 0


# ---- refusals


def test_wrong_targets(network):
    with pytest.raises(camcore.LayerError, match="Did you mean 'features'"):
        camcore.GradCAM(network, "featuers")
    with pytest.raises(camcore.LayerError, match="no spatial grid"):
        camcore.ScoreCAM(network, "scores")
    with pytest.raises(camcore.MethodError, match=r"CAM is not defined for .* at 'conv1'"):
        camcore.CAM(network, "conv1")


def test_wrong_options(network):
    with pytest.raises(camcore.MethodError, match="no option 'sigma'"):
        camcore.GradCAM(network, sigma=1.0)
    with pytest.raises(camcore.MethodError, match="variant='mine' is not one of 'paper', 'authors'"):
        camcore.GradCAMPlusPlus(network, variant="mine")
    with pytest.raises(camcore.MethodError, match="n=0 must be at least 1"):
        camcore.FasterScoreCAM(network, n=0)


def test_wrong_models():
    with pytest.raises(camcore.ModelError, match="not a Keras 3 model"):
        camcore.GradCAM("VGG16")


@pytest.mark.parametrize("key", ["gradcam", "scorecam"])
@pytest.mark.parametrize("index", [-1, 4, 1000, 1.5, True, "a", [-1, 0], [0, 4], [0.5, 1], ["a", "b"], float("inf")])
def test_wrong_classes(network, key, index):
    with pytest.raises(camcore.ModelError, match=r"There is no class .*4 classes, 0 to 3"):
        make(network, key).compute_heatmap(images(2), index)


@pytest.mark.parametrize("index", [[], [1], [1, 2, 3], [[1, 2], [3, 0]]])
def test_a_wrong_number_of_classes(network, index):
    with pytest.raises(camcore.ModelError, match=r"class indices were given for 2 images. Give one, or one per image"):
        camcore.GradCAM(network).compute_heatmap(images(2), index)


@pytest.mark.parametrize("key", ["gradcam", "scorecam"])
@pytest.mark.parametrize("shape", [(13, 10, 3), (2, 12, 10, 1), (12, 10), (3,), (), (0, 12, 10, 3)])
def test_wrong_inputs(network, key, shape):
    with pytest.raises(camcore.ModelError, match=r"input has the shape .*takes \(12, 10, 3\)"):
        make(network, key).compute_heatmap(np.zeros(shape))


@pytest.mark.parametrize("key", ["gradcam", "scorecam"])
def test_nan_in_the_input(network, key):
    x = images(2)
    x[0, 0, 0, 0] = np.nan
    with pytest.raises(camcore.ModelError, match="NaN or infinite"):
        make(network, key).compute_heatmap(x)


def test_the_input_is_left_alone(network):
    x = images(2)
    before = x.copy()
    for key in GENERAL:
        make(network, key).compute_heatmap(x)
    np.testing.assert_array_equal(x, before)
    assert x.shape == (2, *SIZE, 3)
