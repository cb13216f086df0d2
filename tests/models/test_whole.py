"""Whole models from files: the same answers as model.predict, and nothing in a file is run that was not allowed."""

import importlib
import json
import pickle
import struct
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.applications.convnext import ConvNeXt
from whole_models import bare, rezipped, seeded, sequential, transfer, with_lambda

import camcore
from camcore.errors import ModelError
from camcore.models.archives import read_whole
from camcore.models.input_scaling import likely_backbone, scales_itself
from camcore.models.whole import open_whole

RAN = []
"""What code of a file would leave behind."""


@keras.saving.register_keras_serializable(package="tests")
class Registered(layers.Layer):
    def call(self, x):
        return x * 2.0


class Unregistered(layers.Layer):
    def __init__(self, **options):
        RAN.append("made")
        super().__init__(**options)

    def call(self, x):
        return x * 3.0


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CAMCORE_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    RAN.clear()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "mine.keras"
    sequential().save(path)
    return path


def pictures(network, count=3):
    size = (count, *network.input_size, 3)
    return np.random.default_rng(5).integers(0, 256, size).astype(np.uint8)


def with_layer(layer, path):
    seeded(
        keras.Sequential(
            [keras.Input((16, 16, 3)), layer, layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)]
        )
    ).save(path)
    return path


# ---- the same numbers


@pytest.mark.parametrize("build", [sequential, transfer, bare])
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_answers_as_model_predict_does(build, suffix, tmp_path):
    model = build()
    path = tmp_path / f"net{suffix}"
    model.save(path)
    network = camcore.load(path)
    assert (network.name, network.framing) == ("net", "stretch")
    for rgb in pictures(network):
        told = {one.index: one.probability for one in network.predict(camcore.Picture.from_array(rgb), 9, "stretch")}
        want = model.predict(rgb[np.newaxis].astype(np.float32), verbose=0)[0]
        np.testing.assert_allclose([told[index] for index in range(len(want))], want, atol=1e-6)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_layers_that_an_application_has_for_itself_are_known_in_hdf5(tmp_path):
    model = ConvNeXt((1, 1, 1, 1), (8, 8, 8, 8), classes=3, input_shape=(32, 32, 3))
    model.save(tmp_path / "net.h5")
    x = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    opened = open_whole(tmp_path / "net.h5").model
    np.testing.assert_array_equal(opened.predict(x, verbose=0), model.predict(x, verbose=0))


def test_what_is_named_beside_the_file_is_used(saved, tmp_path):
    names = tmp_path / "names.json"
    names.write_text('{"0": "owl", "1": "jay", "2": "tit"}')
    network = camcore.load(str(saved), labels=str(names), preprocess="unit", framing="letterbox")
    assert (network.labels, network.framing) == (("owl", "jay", "tit"), "letterbox")
    np.testing.assert_allclose(network.preprocess(np.full((1, 24, 24, 3), 51.0)), 0.2, rtol=1e-6)
    assert network.weights_note.endswith("fed RGB 0..1, as named")
    assert camcore.load(saved, labels=["a", "b", "c"]).labels == ("a", "b", "c")


@pytest.mark.parametrize("name", ["birds.labels.txt", "birds.txt"])
def test_names_that_lie_beside_the_file_are_used_and_told(saved, tmp_path, name):
    (tmp_path / "birds.keras").write_bytes(saved.read_bytes())
    (tmp_path / name).write_text("owl\njay\ntit\n")
    network = camcore.load("birds.keras")
    assert network.labels == ("owl", "jay", "tit")
    assert f"classes named by {name}" in network.weights_note


def test_labels_of_another_length_are_refused(saved):
    with pytest.raises(ModelError, match=r"2 labels were given, but the network has 3 classes"):
        camcore.load(saved, labels=("a", "b"))


def test_further_options_go_to_wrap(tmp_path):
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    heads = [layers.Dense(count, name=name)(pooled) for name, count in (("kind", 4), ("age", 2))]
    seeded(keras.Model(image, heads)).save(tmp_path / "two.keras")
    network = camcore.load("two.keras", input_size=(20, 28), output="kind")
    assert (network.input_size, network.classes) == ((20, 28), 4)
    with pytest.raises(ModelError, match=r"takes no option 'inputsize'.*Did you mean 'input_size'"):
        camcore.load("two.keras", inputsize=(20, 28))
    with pytest.raises(ModelError, match=r"random weights.*brings its own"):
        camcore.load("two.keras", weights="random")


def test_weights_of_another_checkpoint(saved, tmp_path):
    other = seeded(sequential(), 9)
    other.save_weights(tmp_path / "later.weights.h5")
    network = camcore.load(saved, weights="later.weights.h5")
    x = pictures(network)[:1].astype(np.float32)
    np.testing.assert_allclose(network.probabilities(network.logits(x)), other.predict(x, verbose=0), atol=1e-6)


# ---- how it is fed


def test_whether_a_model_scales_its_pictures_itself():
    assert scales_itself(sequential()) is True
    assert scales_itself(transfer()) is True
    assert scales_itself(bare()) is False
    assert scales_itself(keras.applications.EfficientNetB0(weights=None, include_top=False)) is True
    assert scales_itself(keras.applications.ResNet50(weights=None, include_top=False)) is False


def test_a_model_without_scaling_says_so_and_what_is_usual(tmp_path):
    image = keras.Input((64, 64, 3))
    whole = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(64, 64, 3))
    assert likely_backbone(whole).name == "MobileNetV2"
    base = keras.Model(whole.input, whole.get_layer("block_2_add").output, name=whole.name)
    keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(base(image)))).save(tmp_path / "raw.keras")
    note = camcore.load("raw.keras").weights_note
    assert "fed RGB 0..255: it holds no scaling of its own" in note
    assert "a MobileNetV2 is usually fed 'tf'" in note


# ---- code in a file


def test_a_lambda_is_refused_and_runs_only_where_it_is_allowed(tmp_path):
    path = with_lambda(tmp_path / "l.keras")
    with pytest.raises(ModelError, match=r"holds a Lambda \(layer 'scale'\).*Nothing of it was run.*--unsafe"):
        camcore.load(path)
    assert camcore.load(path, safe_mode=False).classes == 2


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("module", ["somewhere", "__main__"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_custom_class_is_refused_unless_it_is_given(suffix, module, tmp_path, monkeypatch):
    monkeypatch.setattr(Unregistered, "__module__", module)
    path = with_layer(Unregistered(name="triple"), tmp_path / f"c{suffix}")
    RAN.clear()
    with pytest.raises(ModelError, match=r"needs 'Unregistered'.*Nothing of it was run.*--custom MODULE"):
        camcore.load(path)
    assert not RAN
    assert camcore.load(path, custom_objects={"Unregistered": Unregistered}).classes == 2


def test_a_package_gives_the_classes_of_its_modules(tmp_path, monkeypatch):
    """Those that it does not register: Keras imports them from where they were, as it does for keras_hub's."""
    package = tmp_path / "birds_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(
        "from keras import layers\n\nclass Third(layers.Layer):\n    def call(self, x):\n        return x / 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    third = importlib.import_module("birds_package.inner").Third
    path = tmp_path / "birds.keras"
    keras.Sequential([keras.Input((8, 8, 3)), third(), layers.Flatten(), layers.Dense(2)]).save(path)
    with pytest.raises(ModelError, match=r"needs 'Third'.*the module that registers it, probably birds_package:"):
        camcore.load(path)
    assert camcore.load(path, custom_objects="birds_package").classes == 2


def test_a_module_gives_custom_classes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "birds_layers.py").write_text(
        "import keras\n\nclass Halve(keras.layers.Layer):\n    def call(self, x):\n        return x / 2\n"
    )
    import birds_layers

    path = with_layer(birds_layers.Halve(), tmp_path / "c.keras")
    model = keras.models.load_model(path, custom_objects={"Halve": birds_layers.Halve})
    monkeypatch.delitem(sys.modules, "birds_layers")
    network = camcore.load(path, custom_objects="birds_layers")
    x = pictures(network).astype(np.float32)
    np.testing.assert_allclose(network.logits(x), model.predict(x, verbose=0), rtol=1e-4, atol=1e-4)
    with pytest.raises(ModelError, match=r"module 'no_such_layers' of custom classes cannot be imported"):
        camcore.load(path, custom_objects="no_such_layers")


def test_a_registered_class_of_this_program_is_known(tmp_path):
    assert camcore.load(with_layer(Registered(), tmp_path / "r.keras")).classes == 2


def test_a_class_hidden_deep_in_a_configuration_is_found(saved, tmp_path):
    with zipfile.ZipFile(saved) as archive:
        config = json.loads(archive.read("config.json"))
    dense = next(one for one in config["config"]["layers"] if one["class_name"] == "Dense")
    dense["config"]["kernel_initializer"] = {
        "module": "os",
        "class_name": "system",
        "config": {},
        "registered_name": "x",
    }
    path = rezipped(saved, tmp_path / "evil.keras", **{"config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError, match=r"needs 'x' \(layer 'dense"):
        camcore.load(path)


# ---- what is no model


def _onnx():
    return b"\x08\x07\x12\x07pytorch\x1a\x052.0.0:\x80\x01"


def _safetensors():
    head = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(head)) + head + bytes(4)


FOREIGN = {
    "a.onnx": (_onnx(), "an ONNX model"),
    "disguised.keras": (_onnx(), "an ONNX model"),
    "b.safetensors": (_safetensors(), "a safetensors file"),
    "disguised.h5": (_safetensors(), "a safetensors file"),
    "c.tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite model"),
    "d.pkl": (pickle.dumps({"weights": [1.0]}), "a pickle"),
    "e.pth": (pickle.dumps({"weights": [1.0]}), "a PyTorch file"),
    "page.keras": (b"\n<!DOCTYPE html><html><body>404</body></html>", r"a web page \(HTML\)"),
    "page.h5": (b"<html>", r"a web page \(HTML\)"),
    "empty.keras": (b"", "empty"),
    "lfs.h5": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"),
    "arch.json": (keras.Sequential([keras.Input((8,)), layers.Dense(2)]).to_json().encode(), "an architecture without"),
    "arch.yaml": (b"backend: tensorflow\nclass_name: Sequential\nconfig:\n", "an architecture without weights"),
    "notes.keras": (b"my best model so far", "text, which begins with 'my best model"),
    "graph.pb": (b"\x0a\x20\x0a\x05input\x12", "a frozen graph of TensorFlow 1"),
    "zeros.h5": (bytes(2000), "full of zeros"),
    "noise.keras": (bytes(range(200, 240)), "of an unknown kind"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_files_are_named_as_what_they_are(name, tmp_path):
    data, what = FOREIGN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=rf"'.*{name}' is no Keras model: it is {what}") as told:
        camcore.load(name)
    assert str(told.value).count(". ") >= 2  # what it is, why it is not taken, what to do


def test_archives_that_are_no_models(tmp_path):
    for name, entry, what in (
        ("net.pt", "net/data.pkl", "a PyTorch file"),
        ("x.keras", "a.npy", "holds a.npy, and no config"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(entry, b"x")
        with pytest.raises(ModelError, match=what):
            camcore.load(name)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_file_that_broke_off_is_told(suffix, share, tmp_path):
    path = tmp_path / f"net{suffix}"
    sequential().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match=r"not whole|is damaged|broke off"):
        camcore.load(path)


def test_weights_alone_are_told(tmp_path):
    sequential().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ModelError, match=r"holds weights alone.*--model MobileNetV2 --weights FILE"):
        camcore.load("w.weights.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["pictures"] = np.zeros(3)
    with pytest.raises(ModelError, match=r"HDF5 file without a Keras model: it holds pictures"):
        camcore.load("data.h5")


def test_a_path_that_is_not_there_is_told_with_those_near(saved, tmp_path):
    (tmp_path / "birds.keras").write_bytes(saved.read_bytes())
    with pytest.raises(ModelError, match=r"There is no file 'bird.keras'.*Near to it are: birds.keras"):
        camcore.load("bird.keras")
    with pytest.raises(ModelError, match=r"There is no file 'nowhere/x.h5'.*does not exist"):
        camcore.load("nowhere/x.h5")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match=r"There is no network in"):
        camcore.load("folder")


# ---- what leads outside, or claims too much


@pytest.mark.parametrize("entry", ["../outside.py", "/etc/outside", "assets/../../outside", "..\\outside"])
def test_an_archive_that_writes_outside_is_refused(saved, tmp_path, entry):
    path = rezipped(saved, tmp_path / "out.keras", **{entry: b"x"})
    with pytest.raises(ModelError, match=r"is not opened: an entry of it is to be written outside"):
        camcore.load(path)


def test_an_archive_that_claims_to_be_huge_is_refused(saved, tmp_path):
    path = rezipped(saved, tmp_path / "bomb.keras", **{"assets/big.bin": bytes(300 << 20)})
    with pytest.raises(ModelError, match=r"bytes claim to unpack to"):
        camcore.load(path)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("way", ["link", "soft", "external", "virtual", "huge"])
def test_an_hdf5_file_that_leads_outside_is_refused(way, tmp_path):
    path, other = tmp_path / "net.h5", tmp_path / "secret.bin"
    sequential().save(path)
    other.write_bytes(bytes(64))
    with h5py.File(path, "a") as file:
        group = file["model_weights"]
        if way == "link":
            group["more"] = h5py.ExternalLink("secret.h5", "/x")
        elif way == "soft":
            group["more"] = h5py.SoftLink("/model_weights/features")
        elif way == "external":
            group.create_dataset("more", (16,), "float32", external=[(str(other), 0, 64)])
        elif way == "virtual":
            layout = h5py.VirtualLayout((4,), "float32")
            layout[:] = h5py.VirtualSource("secret.h5", "x", shape=(4,))
            group.create_virtual_dataset("more", layout)
        else:
            group.create_dataset("more", (1 << 40,), "float32", chunks=(1 << 16,))
    with pytest.raises(ModelError, match=r"is not opened: .*No file that Keras wrote does that"):
        read_whole(path)


# ---- SavedModel


def with_layers(source, target, *more):
    """A copy of a Sequential model's file with further layers before its last one."""
    config = json.loads(zipfile.ZipFile(source).read("config.json"))
    for kind, options in more:
        told = {"module": "keras.layers", "class_name": kind, "config": options, "registered_name": None}
        config["config"]["layers"].insert(-1, told)
    return rezipped(source, target, **{"config.json": json.dumps(config).encode()})


def test_a_model_of_far_more_numbers_than_its_file_is_not_built(saved, tmp_path):
    huge = with_layers(saved, tmp_path / "huge.keras", ("Dense", {"units": 400_000}), ("Dense", {"units": 6}))
    config = json.loads(zipfile.ZipFile(huge).read("config.json"))
    config["config"]["layers"].insert(-2, config["config"]["layers"][-3] | {"config": {"units": 4_000}})
    rezipped(huge, tmp_path / "huger.keras", **{"config.json": json.dumps(config).encode()})
    with pytest.raises(
        ModelError, match=r"describes a model of 6,4\d\d,\d{3},\d{3} bytes, and the file has numbers for"
    ):
        camcore.load("huger.keras")


def test_more_layers_than_can_be_built_are_refused(saved, tmp_path):
    with_layers(saved, tmp_path / "long.keras", *(("Activation", {"activation": "relu"}) for _ in range(400)))
    with pytest.raises(ModelError, match=r"it has 40\d layers, and building so many takes hours"):
        read_whole("long.keras")


@pytest.mark.parametrize("kind", ["StringLookup", "TextVectorization"])
@pytest.mark.parametrize("old", [False, True])
def test_a_layer_that_reads_another_file_is_refused(saved, tmp_path, kind, old):
    (tmp_path / "secret.txt").write_text("a\nb\n")
    path = with_layers(saved, tmp_path / "words.keras", (kind, {"name": "words", "vocabulary": "secret.txt"}))
    if old:
        path = rezipped(path, tmp_path / "old.keras", **{"metadata.json": b'{"keras_version": "2.15.0"}'})
    for safe_mode in (True, False):
        with pytest.raises(ModelError, match=rf"{kind} \(layer 'words'\) would read the file 'secret.txt'"):
            camcore.load(path, safe_mode=safe_mode)


def test_code_in_a_file_is_told_before_anything_is_imported(tmp_path, monkeypatch):
    with_lambda(tmp_path / "code.keras")
    monkeypatch.setattr("camcore.models.whole._opened", lambda *_: pytest.fail("Keras was asked"))
    with pytest.raises(ModelError, match="holds a Lambda"):
        open_whole(tmp_path / "code.keras")


def test_the_last_cause_is_told_when_a_model_cannot_be_rebuilt(saved, tmp_path):
    with_layers(saved, tmp_path / "odd.keras", ("Activation", {"activation": "no_such"}))
    with pytest.raises(ModelError, match=r"cannot rebuild it: \w+: Could not interpret activation function identifier"):
        camcore.load("odd.keras")


@pytest.mark.parametrize("way", ["within itself", "too deep"])
def test_groups_without_end_are_refused(tmp_path, way):
    sequential().save(tmp_path / "mine.h5")
    with h5py.File(tmp_path / "mine.h5", "a") as file:
        if way == "within itself":
            file["model_weights/again"] = file["/"]
        group = file
        for _ in range(200 if way == "too deep" else 0):
            group = group.create_group("in")
    with pytest.raises(ModelError, match="lies elsewhere in it, too" if way == "within itself" else "101 levels deep"):
        camcore.load("mine.h5")


def test_a_saved_model_is_named_and_opened_only_where_allowed(tmp_path):
    model = bare()
    model.export(tmp_path / "graph", verbose=False)
    for name in ("graph", "graph/saved_model.pb"):
        with pytest.raises(ModelError, match=r"is a SavedModel.*Nothing of it was run.*--unsafe"):
            camcore.load(name)
    opened = open_whole(tmp_path / "graph", safe_mode=False).model
    x = np.random.default_rng(1).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(opened(x), model.predict(x, verbose=0), atol=1e-6)
    (tmp_path / "graph" / "variables" / "variables.index").unlink()
    with pytest.raises(ModelError, match=r"cannot be loaded.*Copy the whole folder"):
        camcore.load("graph", safe_mode=False)
