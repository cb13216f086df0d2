"""A bare model's network is made once, follows the model's structure, and goes with it."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import camcore
from camcore.models import network_cache
from camcore.models.network_cache import network_of

X = np.random.default_rng(0).normal(0.5, 1, (1, 12, 12, 3)).astype(np.float32)


def small(dropout: float = 0.2) -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, activation="relu", bias_initializer="ones", name="conv"),
            layers.Dropout(dropout),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="scores"),
        ]
    )


@pytest.fixture
def traces(monkeypatch):
    """The models that were wrapped, one entry for each trace."""
    made: list[Any] = []
    wrap = network_cache.wrap
    monkeypatch.setattr(network_cache, "wrap", lambda model: made.append(id(model)) or wrap(model))
    return made


def test_a_loop_costs_one_trace_and_gives_the_same_map(traces):
    model = small()
    maps = [camcore.GradCAM(model).compute_heatmap(X, 1, raw=True) for _ in range(3)]
    camcore.HiResCAM(model, "conv")
    assert len(traces) == 1
    np.testing.assert_array_equal(maps[0], maps[2])
    np.testing.assert_array_equal(maps[0], camcore.GradCAM(camcore.wrap(model)).compute_heatmap(X, 1, raw=True))


def test_training_costs_no_trace_and_new_weights_are_read(traces):
    model = small()
    camcore.GradCAM(model).compute_heatmap(X, 1, raw=True)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    model.get_layer("conv").trainable = False
    model.fit(X, np.eye(3)[:1], verbose=0)
    model.evaluate(X, np.eye(3)[:1], verbose=0)
    model.predict(X, verbose=0)
    scores = model.get_layer("scores")
    scores.set_weights([2 * weight for weight in scores.get_weights()])
    kernel = scores.get_weights()[0]
    after = camcore.GradCAM(model).compute_heatmap(X, 1, raw=True)
    assert len(traces) == 1
    activations = np.asarray(model.get_layer("conv")(X))[0]
    wanted = np.maximum((activations * kernel[:, 1] / 100).sum(axis=-1), 0)
    np.testing.assert_allclose(after, wanted, rtol=1e-4, atol=1e-6)


def linear_end(model: Any) -> None:
    model.layers[-1].activation = keras.activations.linear


def another_function(model: Any) -> None:
    model.get_layer("conv").activation = keras.activations.tanh


def another_end(model: Any) -> None:
    model.pop()
    model.add(layers.Dense(5))


@pytest.mark.parametrize("change", [linear_end, another_function, another_end])
def test_another_structure_is_traced_anew(traces, change):
    model = small()
    camcore.GradCAM(model)
    change(model)
    network = camcore.GradCAM(model).network
    assert len(traces) == 2
    np.testing.assert_allclose(network.probabilities(network.logits(X)), keras.ops.softmax(model(X))
                               if network.activation == "linear" else model(X), rtol=1e-5)  # fmt: skip


def test_a_switch_of_a_subclassed_model_is_noticed(traces):
    class Switched(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.pool, self.end = layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)
            self.mirrored = False

        def call(self, x: Any) -> Any:
            y = self.conv(x[:, :, ::-1] if self.mirrored else x)
            return self.end(self.pool(y))

    model = Switched()
    model(X)
    camcore.GradCAM(model)
    camcore.GradCAM(model)
    assert len(traces) == 1
    model.mirrored = True
    np.testing.assert_allclose(camcore.GradCAM(model).network.logits(X), model(X), rtol=1e-4, atol=1e-6)
    assert len(traces) == 2


def test_it_goes_with_the_model_and_is_neither_saved_nor_copied(tmp_path):
    model = small()
    network = weakref.ref(network_of(model))
    model.save(tmp_path / "it.keras")
    loaded = keras.models.load_model(tmp_path / "it.keras")
    for other in (loaded, keras.models.clone_model(model), copy.deepcopy(model)):
        assert not any("camcore" in name for name in vars(other))
    gone = weakref.ref(model)
    del model, other
    gc.collect()
    assert gone() is None
    assert network() is None


def test_a_few_are_kept_the_latest():
    models = [small() for _ in range(network_cache.MOST + 2)]
    first = network_of(models[0])
    for model in models[1:-2]:
        network_of(model)
    assert network_of(models[0]) is first  # and so is not the oldest
    for model in models[-2:]:
        network_of(model)
    held = ["_camcore_network" in vars(model) for model in models]
    assert sum(held) == network_cache.MOST
    assert held[0]
    assert not held[1]


def test_threads_share_one(traces):
    model = small()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(network_of(model))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(traces) == 1
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
