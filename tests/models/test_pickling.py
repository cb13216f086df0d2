"""Networks in another process: sent by their recipe, they answer there to the last bit."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from whole_models import bare, seeded, sequential, transfer

import camcore
from camcore.errors import CamcoreError, ModelError
from camcore.models.pickling import weights_hash

ROOT = Path(__file__).resolve().parents[2]
_THERE = """
import pickle, sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        sent, x, want, said = pickle.load(file)
    network = pickle.loads(sent)
    assert (network.logits(x) == want).all(), path
    assert (network.name, network.labels, network.framing, network.weights_note, network.input_size) == said, path
print("same")
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CAMCORE_MODELS", raising=False)


def test_in_another_process_every_kind_answers_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMCORE_MODELS", f"owls={tmp_path / 'net.keras'}")
    transfer().save(tmp_path / "net.keras")
    image = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(image))
    two = seeded(keras.Model(image, [layers.Dense(2, name="kind")(x), layers.Dense(3, name="age")(x)]))
    networks = {
        "saved": camcore.load("cats_vs_dogs"),
        "catalogue": camcore.load("MobileNet", weights="random", alpha=0.25, input_shape=(64, 64, 3), classes=5),
        "file": camcore.load(tmp_path / "net.keras", labels=("a", "b", "c"), preprocess="tf", framing="letterbox"),
        "declared": camcore.load("owls"),
        "wrapped": camcore.wrap(two, output="age", name="mine", framing="crop", labels=["x", "y", "z"]),
        "fed": camcore.wrap(bare(), preprocess=np.negative),
    }
    paths = []
    for name, network in networks.items():
        x = network.preprocess(np.random.default_rng(3).uniform(0, 255, (2, *network.input_size, 3)))
        said = (network.name, network.labels, network.framing, network.weights_note, network.input_size)
        paths.append(tmp_path / f"{name}.pickle")
        paths[-1].write_bytes(pickle.dumps((pickle.dumps(network), x, network.logits(x), said)))
    assert networks["declared"].name == "owls"
    monkeypatch.delenv("CAMCORE_MODELS")  # a declared file needs no declaration there
    call = [sys.executable, "-c", _THERE, *map(str, paths)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "same", done.stderr[-2000:]


def test_a_file_that_was_changed_meanwhile_is_told(tmp_path):
    bare().save(tmp_path / "net.keras")
    sent = pickle.dumps(camcore.load(tmp_path / "net.keras"))
    seeded(bare(), 77).save(tmp_path / "net.keras")
    with pytest.raises(ModelError, match=r"that was sent here has other weights.*load that on both sides"):
        pickle.loads(sent)


def test_what_cannot_be_sent_says_what_to_do():
    network = camcore.wrap(bare(), preprocess=lambda rgb: rgb)
    with pytest.raises(CamcoreError, match=r"its 'preprocess' cannot be pickled.*function of a module"):
        pickle.dumps(network)
    with pytest.raises(CamcoreError, match=r"drawn anew, which only this process has.*Send the network it was made"):
        pickle.dumps(camcore.wrap(bare()).with_weights({}, "drawn anew"))
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Lambda(lambda x: x), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()]
    )
    with pytest.raises(CamcoreError, match=r"cannot be written as a .keras file .*Lambda, whose code is not sent"):
        pickle.dumps(camcore.wrap(inner))


def test_a_copy_shares_the_model():
    network = camcore.wrap(sequential(), preprocess=lambda rgb: rgb)
    twin = copy.copy(network)
    assert twin is not network
    assert twin.model is network.model
    assert twin.labels == network.labels


class Halved(layers.Layer):
    """A layer of one's own that nobody registered, as most are."""

    def call(self, x):
        return x / 2


def with_layer(layer):
    source = keras.Input((8, 8, 3))
    y = layers.GlobalAveragePooling2D()(layer(layers.Conv2D(4, 3)(source)))
    return camcore.wrap(seeded(keras.Model(source, layers.Dense(3, "softmax")(y))))


def test_classes_of_a_module_are_found_there_without_being_registered():
    network = with_layer(Halved())
    x = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(network)).logits(x), network.logits(x))


def test_a_class_within_a_function_is_refused_where_it_is_sent():
    class Local(Halved):
        pass

    with pytest.raises(CamcoreError, match=r"cannot be sent.*Local.*top of a module"):
        pickle.dumps(with_layer(Local()))


def test_the_hash_of_weights_does_not_tell_names_that_keras_makes_up():
    """Such a name counts the layers that a process had made before; in another one it is another."""
    one, other = (camcore.wrap(bare()) for _ in range(2))
    other.model.set_weights(one.model.get_weights())
    assert [weight.path for weight in one.model.weights] != [weight.path for weight in other.model.weights]
    assert weights_hash(one) == weights_hash(other)
    other.model.set_weights([2 * weight for weight in one.model.get_weights()])
    assert weights_hash(one) != weights_hash(other)
