"""The catalogue against the installed Keras, and building from it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras_downloads
import numpy as np
import pytest
from shared_data import shared

from camcore.errors import ModelError
from camcore.models.catalogue import backbone, backbones, build, find_weights, own_name, published_weights
from camcore.models.labels import imagenet_labels
from camcore.models.load import load
from camcore.models.weights import load_weights
from camcore.models.weights_files import WeightsFile

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nowhere(tmp_path, monkeypatch) -> Path:
    """No weights on this machine and no network; returns an empty folder named by CAMCORE_WEIGHTS."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(folder))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras_home"))
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


@pytest.fixture
def keras_asks(monkeypatch) -> list[WeightsFile]:
    return keras_downloads.recorded(monkeypatch)


# --- the rows; tests/test_all_backbones.py compares each with what Keras builds -----------------------------


def test_all_of_keras_applications():
    import keras

    public = vars(keras.applications).items()
    assert {row.name for row in backbones()} == {name for name, item in public if callable(item)}
    assert len(backbones()) == 40


def test_known_rows():
    row = backbone("MobileNetV2")
    assert (row.input_size, row.parameters) == ((224, 224), 3_538_984)
    assert (row.family, row.year) == ("MobileNet", 2018)
    assert row.download_mb == 14
    assert backbone("VGG16").download_mb == 553
    assert backbone("EfficientNetB7").input_size == (600, 600)
    assert backbone("ResNet50").paper == "Deep Residual Learning for Image Recognition"


def test_reading_the_catalogue_imports_no_tensorflow(nowhere):
    code = (
        "import sys\n"
        "from camcore.models.catalogue import backbones\n"
        "print([row.weights_state for row in backbones()][1])\n"
        "print(sorted({'tensorflow', 'keras', 'h5py'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["downloads 553 MB", "[]"]


def test_weights_state(nowhere):
    assert backbone("MobileNetV2").weights_state == "downloads 14 MB"
    (nowhere / "MobileNetV2.weights.h5").touch()
    assert backbone("MobileNetV2").weights_state == "on disk"
    assert backbone("MobileNet").weights_state == "downloads 17 MB"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mobilenetv2", "Did you mean 'MobileNetV2'"),
        ("ResNet-50", "Did you mean 'ResNet50'"),
        ("efficientnetB0", "Did you mean 'EfficientNetB0'"),
        ("cat", "Choose one of: Xception, VGG16, "),
        ("", "Choose one of: "),
        (None, "Choose one of: "),
    ],
)
def test_unknown_name(name, hint):
    for ask in (backbone, build, find_weights):
        with pytest.raises(ModelError, match=f"There is no backbone {name!r}.*letter for letter.*{hint}"):
            ask(name)


# --- which weights ---------------------------------------------------------------------------------------

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("MobileNet", {"alpha": 0.25, "input_shape": (128, 128, 3)}),
    ("MobileNet", {"alpha": 0.5, "input_shape": (160, 160, 3)}),
    ("MobileNet", {"alpha": 0.75, "input_shape": (192, 192, 3)}),
    ("MobileNet", {"alpha": 1}),
    ("MobileNetV2", {"alpha": 0.35, "input_shape": (96, 96, 3)}),
    ("MobileNetV2", {"alpha": 0.5, "input_shape": (128, 128, 3)}),
    ("MobileNetV2", {"alpha": 0.75, "input_shape": (160, 160, 3)}),
    ("MobileNetV2", {"alpha": 1, "input_shape": (192, 192, 3)}),
    ("MobileNetV2", {"alpha": 1.3}),
    ("MobileNetV2", {"alpha": 1.4}),
    ("MobileNetV3Small", {"alpha": 0.75, "input_shape": (224, 224, 3)}),
    ("MobileNetV3Large", {"alpha": 0.75, "input_shape": (224, 224, 3)}),
    ("MobileNetV3Small", {"minimalistic": True, "input_shape": (224, 224, 3)}),
    ("MobileNetV3Large", {"minimalistic": True, "input_shape": (224, 224, 3)}),
    ("ResNet50", {"input_shape": (224, 224, 3), "classifier_activation": None}),
]


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_variant_is_what_keras_asks_for(name, options, keras_asks):
    import keras

    getattr(keras.applications, name)(**options)
    assert keras_asks == [published_weights(backbone(name), options)]


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("MobileNet", {"alpha": 0.33}, "alpha must be one of 0.25, 0.5, 0.75, 1.0"),
        ("MobileNet", {"alpha": "big"}, "alpha must be one of"),
        ("MobileNet", {"depth_multiplier": 2}, "depth_multiplier must be 1"),
        ("MobileNet", {"input_shape": (96, 96, 3)}, r"input_shape must be \(128, 128, 3\) or "),
        ("MobileNetV2", {"input_shape": (96, 128, 3)}, r"input_shape must be \(96, 96, 3\) or "),
        ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True}, "alpha must be one of 1.0"),
        ("ResNet50", {"input_shape": (448, 448, 3)}, r"input_shape must be \(224, 224, 3\)"),
        ("ResNet50", {"classes": 10}, "ImageNet has 1000 classes"),
    ],
)
def test_variants_that_keras_refuses(name, options, why, keras_asks, nowhere):
    import keras

    with pytest.raises(ValueError):  # noqa: PT011 - any refusal will do
        getattr(keras.applications, name)(**options)
    assert keras_asks == []
    with pytest.raises(ModelError, match=f"no ImageNet weights for {name} with .*: {why}") as caught:
        build(name, **options)
    assert own_name(backbone(name), options) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("MobileNet", {}, "MobileNet.weights.h5"),
        ("MobileNet", {"alpha": 1, "classes": 1000, "input_shape": (224, 224, 3)}, "MobileNet.weights.h5"),
        ("MobileNet", {"alpha": 0.25}, "MobileNet_alpha0.25.weights.h5"),
        ("MobileNet", {"alpha": 0.50, "dropout": 0.2}, "MobileNet_alpha0.5.weights.h5"),
        ("MobileNet", {"classes": 9, "alpha": 0.5}, "MobileNet_alpha0.5_classes9.weights.h5"),
        ("MobileNetV3Small", {"minimalistic": True}, "MobileNetV3Small_minimalisticTrue.weights.h5"),
        ("VGG16", {"classes": 2}, "VGG16_classes2.weights.h5"),
        ("VGG16", {"input_shape": (96, 128, 3)}, "VGG16_input_shape96x128x3.weights.h5"),
    ],
)
def test_own_file_names(name, options, file, nowhere):
    assert own_name(backbone(name), options) == file
    assert find_weights(name, **options) is None
    (nowhere / file).touch()
    assert find_weights(name, **options) == nowhere / file


def test_keras_file_names(nowhere, tmp_path):
    models = tmp_path / "keras_home" / "models"
    models.mkdir(parents=True)
    (models / "nasnet_mobile.h5").touch()
    (models / "mobilenet_2_5_224_tf.h5").touch()
    (nowhere / "vgg16_weights_tf_dim_ordering_tf_kernels.h5").touch()
    assert find_weights("NASNetMobile") == models / "nasnet_mobile.h5"
    assert find_weights("MobileNet", alpha=0.25) == models / "mobilenet_2_5_224_tf.h5"
    assert find_weights("VGG16") == nowhere / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    assert find_weights("MobileNet") is None
    (nowhere / "MobileNet_alpha0.25.weights.h5").touch()
    assert find_weights("MobileNet", alpha=0.25) == nowhere / "MobileNet_alpha0.25.weights.h5"


# --- building --------------------------------------------------------------------------------------------


@pytest.fixture
def shared_weights(nowhere, monkeypatch) -> Path:
    folder = shared("weights")
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(folder))
    return folder


def zebra() -> np.ndarray:
    from PIL import Image

    with Image.open(shared("photos", "zebra.jpg")) as picture:
        return np.asarray(picture.convert("RGB").resize((224, 224)), np.float32)[None]


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("MobileNetV2", {}, "MobileNetV2.weights.h5"),
        ("MobileNet", {}, "MobileNet.weights.h5"),
        ("MobileNet", {"alpha": 0.25}, "MobileNet_alpha0.25.weights.h5"),
    ],
)
def test_real_weights_see_the_zebra(shared_weights, name, options, file):
    built = build(name, **options)
    assert built.weights_note == f"ImageNet weights from {file}"
    assert built.input_size == (224, 224)
    assert built.labels == imagenet_labels()
    probabilities = np.asarray(built.model(built.preprocess(zebra())))[0]
    assert probabilities.argmax() == 340
    assert built.labels[340] == "zebra"
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert probabilities[340] > 0.5


def test_same_numbers_as_keras_itself(shared_weights):
    import keras

    built = build("MobileNetV2", "imagenet")
    path = shared_weights / "MobileNetV2.weights.h5"
    reference = keras.applications.MobileNetV2(weights=str(path))
    x = keras.applications.mobilenet_v2.preprocess_input(zebra())
    np.testing.assert_array_equal(built.preprocess(zebra()), x)
    np.testing.assert_allclose(built.model(x), reference(x), atol=1e-6)


def test_weights_by_path(shared_weights):
    path = shared_weights / "MobileNet_alpha0.25.weights.h5"
    built = build("MobileNet", path, alpha=0.25, input_shape=(160, 192, 3))
    assert built.weights_note == "weights from MobileNet_alpha0.25.weights.h5"
    assert built.input_size == (160, 192)
    again = build("MobileNet", str(path), alpha=0.25)
    np.testing.assert_array_equal(
        again.model.get_layer("conv_preds").kernel, built.model.get_layer("conv_preds").kernel
    )


@pytest.mark.parametrize(("classes", "activation", "labels"), [(3, "softmax", 3), (1, "sigmoid", 2)])
def test_the_number_of_classes_is_read_from_a_weights_file(tmp_path, nowhere, classes, activation, labels):
    """As people save a classifier that they trained: no option has to be said again."""
    import keras

    small = {"alpha": 0.25, "input_shape": (32, 32, 3)}
    model = keras.applications.MobileNet(weights=None, classes=classes, classifier_activation=activation, **small)
    model.save_weights(tmp_path / "mine.weights.h5")
    network = load("MobileNet", weights=tmp_path / "mine.weights.h5", **small)
    assert network.classes == len(network.labels) == labels
    x = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    said = network.probabilities(network.logits(x))[0][-classes:]
    np.testing.assert_allclose(said, model.predict(x, verbose=0)[0], atol=1e-6)
    with pytest.raises(ModelError, match="not for this network"):
        load("MobileNet", weights=tmp_path / "mine.weights.h5", classes=5, **small)


def test_weights_of_another_network(shared_weights):
    with pytest.raises(ModelError, match=r"MobileNet\.weights\.h5' is not for this .* no layer 'Conv1'"):
        build("MobileNetV2", shared_weights / "MobileNet.weights.h5")
    with pytest.raises(ModelError, match=r"layer 'conv1' has 3×3×3×32 in the network, 3×3×3×8 in the file"):
        build("MobileNet", shared_weights / "MobileNet_alpha0.25.weights.h5")
    with pytest.raises(ModelError, match="zip archive"):
        build("MobileNet", shared_weights / "SqueezeNet1.1.keras")


def test_damaged_weights_in_place_are_kept(shared_weights, nowhere, monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(nowhere))
    path = nowhere / "MobileNet_alpha0.25.weights.h5"
    path.write_bytes((shared_weights / path.name).read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match=r"MobileNet_alpha0\.25\.weights\.h5' is damaged: .*1,000,000 bytes"):
        build("MobileNet", alpha=0.25)
    assert path.stat().st_size == 1_000_000


def test_downloaded_when_not_found(shared_weights, nowhere, tmp_path, monkeypatch):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    shutil.copyfile(shared_weights / "MobileNet_alpha0.25.weights.h5", mirror / "mobilenet_2_5_224_tf.h5")
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(nowhere))
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", mirror.as_uri())
    seen = []
    built = build("MobileNet", progress=lambda *step: seen.append(step), alpha=0.25)
    assert built.weights_note == "ImageNet weights from mobilenet_2_5_224_tf.h5"
    assert np.asarray(built.model(built.preprocess(zebra())))[0].argmax() == 340
    assert seen[-1] == (2_057_069, 2_057_069)
    cache = tmp_path / "keras_home" / "models"
    assert find_weights("MobileNet", alpha=0.25) == cache / "mobilenet_2_5_224_tf.h5"
    monkeypatch.setenv("CAMCORE_WEIGHTS_URL", "http://127.0.0.1:9/")
    build("MobileNet", alpha=0.25)


def test_without_a_network(nowhere):
    with pytest.raises(ModelError) as caught:
        build("VGG16")
    message = str(caught.value)
    assert "'vgg16_weights_tf_dim_ordering_tf_kernels.h5' could not be downloaded from http://127" in message
    assert "Connection refused. " in message
    assert "'VGG16.weights.h5', or under the download's own name, into a folder" in message
    assert 'CAMCORE_WEIGHTS; or choose weights="random"' in message


def test_random_weights(nowhere):
    built = build("MobileNet", "random", classes=5, alpha=0.25)
    assert built.weights_note == "random weights"
    assert built.labels == ("class 0", "class 1", "class 2", "class 3", "class 4")
    assert np.asarray(built.model(np.zeros((1, 224, 224, 3), np.float32))).shape == (1, 5)
    assert build("MobileNet", "random", alpha=0.25).labels == imagenet_labels()
    assert built.origin.architecture == {"builder": "backbone", "backbone": "MobileNet", "options": {"alpha": 0.25}}
    assert (built.origin.preprocessing, built.origin.folder) == ("tf", None)
    one = build("MobileNet", "random", alpha=0.25, classes=1, classifier_activation="sigmoid")
    assert one.labels == ("class 0", "class 1")


def test_open_input_size_comes_from_the_catalogue(nowhere):
    built = build("MobileNetV3Small", "random")
    assert built.input_size == (224, 224)
    assert built.model.input_shape == (None, 224, 224, 3)
    left_open = build("MobileNetV3Small", "random", input_shape=(None, None, 3))
    assert left_open.input_size == (224, 224)
    x = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    left_open.model.set_weights(built.model.get_weights())
    np.testing.assert_allclose(left_open.model(x), built.model(x), atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "name",
    ["EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny", "MobileNetV3Large", "NASNetMobile"],
)
def test_every_layout_comes_back(nowhere, name):
    """Normalisation with a count, layer scale, nested parts, separable convolutions: all variables return."""
    model = build(name, "random", classes=7).model
    wanted = [np.random.default_rng(0).uniform(0.1, 1, one.shape).astype(one.dtype) for one in model.weights]
    model.set_weights(wanted)
    model.save_weights(nowhere / "source.weights.h5")
    model.save(nowhere / "source.h5")  # the older layout
    for layout in ("source.weights.h5", "source.h5"):
        model.set_weights([np.zeros_like(values) for values in wanted])
        load_weights(model, nowhere / layout)
        for there, here in zip(wanted, model.weights, strict=True):
            np.testing.assert_array_equal(there, here, err_msg=f"{here.path} of {layout}")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("MobileNet", {"alfa": 0.25}, r"no option 'alfa'.*takes: input_shape, alpha, .*Did you mean 'alpha'"),
        ("VGG16", {"alpha": 0.25}, "VGG16 has no option 'alpha'.*takes: input_shape, pooling, classes"),
        ("VGG16", {"input_tensor": 1}, "no option 'input_tensor'"),
        ("VGG16", {"include_top": False}, "include_top=False.* no class scores"),
        ("ConvNeXtTiny", {"include_preprocessing": False}, "include_preprocessing=False would be given"),
        ("VGG16", {"input_shape": 224}, r"input_shape 224 does not fit.*such as \(224, 224, 3\)"),
        ("VGG16", {"input_shape": (224, 224, 1)}, "three colours"),
        ("VGG16", {"weights": "random", "input_shape": (16, 16, 3)}, "cannot be built with .*at least 32x32"),
        ("VGG16", {"classifier_activation": "sigmoid"}, "do not go with classifier_activation='sigmoid'"),
        ("VGG16", {"weights": "no/such/file.h5"}, "no/such/file.h5' does not exist"),
        ("VGG16", {"weights": "Random"}, r"'Random' does not exist\. Weights are .* 'imagenet' or 'random'"),
        ("VGG16", {"weights": 3}, "weights 3 are a int.*Give a weights file's path"),
    ],
)
def test_what_build_refuses(name, options, message, nowhere):
    with pytest.raises(ModelError, match=message):
        build(name, **options)


def test_include_top_may_be_said(nowhere):
    assert build("MobileNet", "random", alpha=0.25, include_top=True).model.output_shape == (None, 1000)


def test_published_accuracy_is_as_keras_publishes_it():
    # keras.io's table of applications; it leaves out MobileNetV3, whose own page has the figures.
    published = {row.name: (row.top1, row.top1_source) for row in backbones()}
    table, v3 = "https://keras.io/api/applications/", "https://keras.io/api/applications/mobilenet/"
    known = {
        "Xception": 79.0,
        "VGG16": 71.3,
        "ResNet50": 74.9,
        "ResNet50V2": 76.0,
        "ResNet101": 76.4,
        "ResNet152": 76.6,
        "InceptionV3": 77.9,
        "MobileNet": 70.4,
        "MobileNetV2": 71.3,
        "DenseNet121": 75.0,
        "NASNetLarge": 82.5,
        "EfficientNetB0": 77.1,
        "EfficientNetB7": 84.3,
        "EfficientNetV2L": 85.7,
        "ConvNeXtTiny": 81.3,
    }
    assert {name: published[name] for name in known} == {name: (top1, table) for name, top1 in known.items()}
    assert published["MobileNetV3Small"] == (68.1, v3)
    assert published["MobileNetV3Large"] == (75.6, v3)
