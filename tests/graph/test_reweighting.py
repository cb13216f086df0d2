"""Other weights in the same graph: the same as a model that has them, and the user's model as it was."""

import threading

import keras
import numpy as np
import pytest
from keras import layers
from networks import SIZE, TWINS, flat, images

import camcore
from camcore.errors import ModelError
from camcore.graph.reweighting import redrawn

_PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (16, 14, 3), np.uint8))


def fresh(net, seed=0):
    """New values for every weight, by its id; positive, as variances must be."""
    rng = np.random.default_rng(seed)
    weights = [weight for layer in net.weight_layers for weight in layer.weights]
    return {
        id(weight): np.abs(rng.normal(0, 0.5, weight.shape)) - 0.1 * ("variance" not in weight.name)
        for weight in weights
    }


@pytest.mark.parametrize(
    "name", ["nested in Sequential", "subclassed", "composite layer", "batch normalisation", "grey"]
)
def test_scores_and_maps_are_those_of_a_model_with_these_weights(name):
    twin = TWINS[name]
    model = twin.build()
    net = camcore.wrap(model, **twin.options)
    values = fresh(net)
    other = net.with_weights(values, "tried")
    x = twin.image(images(2))
    before, scores = net.logits(x), other.logits(x)
    methods = ("gradcam", "scorecam", "ablationcam", "fullgrad")
    maps = [camcore.explain(other, _PIC, method, classes=1)[0] for method in methods]

    by_handle = {id(weight.handle): values[id(weight)] for layer in net.weight_layers for weight in layer.weights}
    for variable in model.variables:
        variable.assign(by_handle[id(variable.value.handle)])
    reference = camcore.wrap(model, **twin.options)
    assert scores == pytest.approx(reference.logits(x), abs=1e-9)
    assert np.abs(scores - before).max() > 0.1
    for method, m in zip(methods, maps, strict=True):
        assert m.raw == pytest.approx(camcore.explain(reference, _PIC, method, classes=1)[0].raw, rel=1e-5, abs=1e-7)


def test_the_model_keeps_its_weights_at_every_moment():
    model = flat()
    before = [value.copy() for value in model.get_weights()]
    net = camcore.wrap(model)
    x = images(1)
    wanted = net.logits(x)
    wrong = []
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            if not np.array_equal(net.logits(x), wanted) or not np.array_equal(model.get_weights()[0], before[0]):
                wrong.append(True)

    thread = threading.Thread(target=watch)
    thread.start()
    for seed in range(5):
        other = net.with_weights(fresh(net, seed), "tried")
        camcore.explain(other, _PIC, ["gradcam", "reciprocam"])
    stop.set()
    thread.join()
    assert not wrong
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert np.array_equal(net.logits(x), wanted)


def test_no_values_are_the_models_own():
    net = camcore.wrap(flat())
    other = net.with_weights({}, "the same")
    assert np.array_equal(other.logits(images(2)), net.logits(images(2)))
    assert (other.weights_note, other.origin) == ("the same", None)
    assert other.serial != net.serial


def test_layers_come_in_the_order_of_the_computation():
    assert [layer.name for layer in camcore.wrap(flat()).weight_layers] == ["conv1", "features", "scores"]
    shared = camcore.wrap(TWINS["shared layer called twice"].build())
    assert [layer.name for layer in shared.weight_layers][:2] == ["conv1", "mid"]
    assert len(shared.weight_layers[1].weights[0].readings) == 2


def test_what_a_normalisation_knows_of_the_data_is_no_weight():
    x = keras.Input((*SIZE, 3))
    known = layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 1, 1])
    learned = layers.Normalization()
    learned.adapt(np.random.default_rng(0).normal(size=(4, *SIZE, 3)))
    y = layers.Conv2D(4, 3, name="conv")(learned(known(x)))
    net = camcore.wrap(keras.Model(x, layers.Dense(3, name="end")(layers.GlobalAveragePooling2D()(y))))
    assert [layer.name for layer in net.weight_layers] == ["conv", "end"]


def test_a_weight_that_cannot_be_fed_is_refused():
    class LayerResponse(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(5, 3), name="table")

        def call(self, x):
            import tensorflow as tf

            return x * tf.gather(self.table.value, tf.zeros([], tf.int32))

    x = keras.Input((*SIZE, 3))
    y = layers.Conv2D(3, 3)(LayerResponse()(x))
    net = camcore.wrap(keras.Model(x, layers.GlobalAveragePooling2D()(y)))
    with pytest.raises(ModelError, match=r"is used by ResourceGather.*cannot be randomised"):
        _ = net.weight_layers


def test_fresh_weights_have_the_variance_of_their_fan_in():
    class Fake:
        name, shape = "kernel", (3, 3, 50, 40)

    rng = np.random.default_rng(0)
    drawn = redrawn(Fake(), rng)
    assert drawn.std() == pytest.approx((3 * 3 * 50) ** -0.5, rel=0.02)
    Fake.name, Fake.shape = "depthwise_kernel", (3, 3, 500, 1)
    assert redrawn(Fake(), rng).std() == pytest.approx(1 / 3, rel=0.05)
    Fake.shape = (7,)
    for name, value in (("gamma", 1), ("moving_variance", 1), ("beta", 0), ("bias", 0), ("moving_mean", 0)):
        Fake.name = name
        assert (redrawn(Fake(), rng) == value).all()
