"""The digest of a network: the same for equal ones, another for any other weight or computation."""

import keras
import networks
import numpy as np
from keras import layers

import camcore
from camcore.filters.responses import climbing


def small(stride: int = 1, activation: str = "relu", seed: int = 0) -> camcore.Network:
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(2, 3, strides=stride, activation=activation)(x)
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 1, w.shape) for w in model.get_weights()])
    return camcore.wrap(model)


def test_equal_networks_have_the_same() -> None:
    assert small().fingerprint == small().fingerprint
    assert len(small().fingerprint) == 40
    assert camcore.wrap(networks.flat()).fingerprint == camcore.wrap(networks.flat()).fingerprint


def test_weights_and_computation_count() -> None:
    others = [small(seed=1), small(stride=2), small(activation="elu")]
    assert len({small().fingerprint, *(net.fingerprint for net in others)}) == 4


def test_questions_asked_meanwhile_do_not_change_it() -> None:
    net, untouched = small(), small()
    net.tap(np.zeros((1, 8, 8, 3), np.float32), [net.default_layer], [0])
    climbing(net, net.default_layer, "test", lambda part: part)
    assert net.fingerprint == untouched.fingerprint
