"""The layer that the Filters page begins with."""

import keras
from keras import layers

import camcore
from camcore.filters import legible_layer


def network(*, pooled: bool) -> camcore.Network:
    """Receptive fields of 3, 7 and 15 on an input of 24; behind the pooling of everything none fits."""
    x = keras.Input((24, 24, 3))
    y = layers.AveragePooling2D(12, strides=1, padding="same")(x) if pooled else x
    for number in range(3):
        y = layers.Conv2D(4, 3, strides=2, padding="same", name=f"conv{number}")(y)
        y = layers.BatchNormalization(name=f"norm{number}")(y)
        y = layers.ReLU(name=f"relu{number}")(y)
    return camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))))


def test_it_is_the_deepest_whose_cells_see_a_third_at_most() -> None:
    net = network(pooled=False)
    fields = {info.path: info.receptive_field for info in net.layers if info.kind == "activation"}
    assert fields == {"relu0": (3, 3), "relu1": (7, 7), "relu2": (15, 15)}
    found = legible_layer(net.layers, net.input_size)
    assert found is not None
    assert found.path == "relu1", "7 of 24 pixels are a third at most, 15 are not"


def test_a_network_that_sees_much_at_once_has_none() -> None:
    net = network(pooled=True)
    assert legible_layer(net.layers, net.input_size) is None
