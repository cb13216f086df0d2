"""The trace names every call, and leaves the model as it found it."""

from __future__ import annotations

import threading
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from networks import (
    FEATURES,
    GRID,
    SIZE,
    TWINS,
    Block,
    CompiledBlock,
    Listed,
    OwnRelu,
    Subclassed,
    backbone,
    built,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    images,
    nested,
    picture_input,
    settle,
    shared_twice,
    twice_nested,
    two_outputs,
    with_block,
)

import camcore
from camcore.graph.trace import first_line, trace_model


def trace(model: Any, dtype: str = "float64", choose: Any = lambda outputs: outputs) -> Any:
    return trace_model(model, (*SIZE, 3), dtype, choose)


def paths(model: Any) -> list[str]:
    return [call.path for call in trace(model).calls]


# ---- names


def test_a_flat_model():
    model = flat()
    found = trace(model)
    names = [layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    assert [call.path for call in found.calls if call.kind != "InputLayer"] == names
    kinds = [call.kind for call in found.calls if call.kind != "InputLayer"]
    assert kinds == ["Conv2D", "Conv2D", "GlobalAveragePooling2D", "Dense"]
    shapes = {call.path: tuple(call.tensor.shape) for call in found.calls}
    assert shapes["conv1"] == (None, *GRID, 4)
    assert shapes["features"] == (None, *GRID, 6)
    assert tuple(found.input.shape) == (None, *SIZE, 3)
    assert tuple(found.output.shape) == (None, 4)
    assert found.output.dtype == tf.float64


def test_nested_paths():
    found = paths(nested())
    assert [path for path in found if "/" in path and "input" not in path] == [
        "backbone/conv1",
        "backbone/features",
    ]
    assert "backbone" in found
    assert {"body/backbone/conv1", "body/backbone/features", "body/backbone", "body"} <= set(paths(twice_nested()))


def test_calls_finish_before_those_around_them():
    found = paths(twice_nested())
    order = ["body/backbone/conv1", "body/backbone/features", "body/backbone", "body"]
    assert [path for path in found if path in order] == order


def test_a_shared_layer_is_numbered():
    assert [path for path in paths(shared_twice()) if "mid" in path] == ["mid#1", "mid#2"]


def test_a_shared_submodel_is_numbered_and_its_layers_are_not():
    x = picture_input(size=(8, 8))
    same = given_same()
    y = same(same(x))
    model = keras.Model(x, layers.GlobalAveragePooling2D(dtype="float64")(y))
    found = [call.path for call in trace_model(model, (8, 8, 3), "float64", lambda out: out).calls]
    assert [path for path in found if path.endswith("keep")] == ["same#1/keep", "same#2/keep"]


def given_same() -> Any:
    x = picture_input(size=(8, 8))
    return keras.Model(x, layers.Conv2D(3, 3, padding="same", dtype="float64", name="keep")(x), name="same")


def test_subclassed_and_composite_layers():
    assert {"conv1", "features", "scores"} <= set(paths(built(Subclassed())))
    assert {"conv1", "features", "scores"} <= set(paths(built(Listed())))
    assert {"block/features", "block"} <= set(paths(with_block(Block)))
    assert {"block/features", "block"} <= set(paths(with_block(CompiledBlock)))


def test_plain_operations_are_calls_too():
    x = picture_input()
    y = conv1()(x)
    z = layers.Conv2D(4, 1, dtype="float64", name="branch")(y)
    model = keras.Model(x, gap()(keras.ops.add(y, z)))
    add = [call for call in trace(model).calls if call.kind == "Add"]
    assert len(add) == 1
    assert tuple(add[0].tensor.shape) == (None, *GRID, 4)
    plus = keras.Model(x, gap()(y + z))
    assert [call.kind for call in trace(plus).calls].count("Add") == 1


def test_every_path_is_unique():
    for name in ("nested twice, with dropout", "shared layer called twice", "plain operations"):
        found = paths(TWINS[name].build())
        assert len(found) == len(set(found)), name


def test_choose_picks_the_output():
    found = trace(two_outputs("dict"), choose=lambda outputs: outputs["scores"])
    assert tuple(found.output.shape) == (None, 4)


def test_batch_norm_and_dropout_are_in_inference_mode():
    """Dropout of 0.9 in training would change nearly every value."""
    model = built(Listed())
    x = images(3)
    np.testing.assert_allclose(
        camcore.wrap(model, input_size=SIZE).logits(x),
        camcore.wrap(built(Subclassed()), input_size=SIZE).logits(x),
        rtol=1e-12,
    )


def test_the_trace_keeps_its_promise_of_pruning():
    """A function cut out at a layer computes that layer."""
    model = flat()
    found = trace(model)
    call = next(call for call in found.calls if call.path == "features")
    function = found.function.prune([found.input], [call.tensor])
    x = images(2)
    inner = keras.Model(model.input, model.get_layer("features").output)
    np.testing.assert_allclose(function(tf.constant(x))[0], inner(x), rtol=1e-12)


# ---- the model is left alone


def all_parts(model: Any) -> list[Any]:
    parts = list(model._flatten_layers())
    for part in list(parts):
        parts += list(getattr(part, "operations", None) or ())
    return parts


UNTOUCHED = [
    "nested twice, with dropout",
    "nested in Sequential",
    "subclassed, layers in a list",
    "subclassed, call is a tf.function",
    "subclassed, own relu",
    "composite layer, call is a tf.function",
    "batch normalisation",
    "plain operations",
    "shared layer called twice",
]


@pytest.mark.parametrize("name", UNTOUCHED)
def test_the_model_is_as_it_was(name):
    twin = TWINS[name]
    model = twin.build()
    model.layers[-1].trainable = False
    x = images(2)
    before = {
        "weights": [weight.copy() for weight in model.get_weights()],
        "flags": [layer.trainable for layer in model._flatten_layers()],
        "attributes": [sorted(part.__dict__) for part in all_parts(model)],
        "says": np.asarray(model(x)),
        "updates": len(model.trainable_variables),
    }
    network = camcore.wrap(model, **twin.options)
    network.tap(x, [network.default_layer], [0, 1])
    camcore.ScoreCAM(network).compute_heatmap(x[:1], 1)
    network.head(network.default_layer)
    for now, then in zip(model.get_weights(), before["weights"], strict=True):
        np.testing.assert_array_equal(now, then)
    assert [layer.trainable for layer in model._flatten_layers()] == before["flags"]
    assert [sorted(part.__dict__) for part in all_parts(model)] == before["attributes"]
    assert all("call" not in part.__dict__ for part in all_parts(model))
    np.testing.assert_array_equal(np.asarray(model(x)), before["says"])
    assert len(model.trainable_variables) == before["updates"]


def test_the_model_can_still_be_trained():
    """Nothing of the trace sticks to a model that goes on learning; its new weights are seen at once."""
    model = flat(dtype="float32")
    network = camcore.wrap(model)
    x = images(8).astype(np.float32)
    before = network.logits(x)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, np.arange(8) % 4, epochs=2, verbose=0)
    after = network.logits(x)
    assert np.abs(after - before).max() > 1e-4
    p = np.exp(after) / np.exp(after).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), p, atol=1e-5)


class Fragile(layers.Layer):
    """Raises when it is traced and told to."""

    broken = False

    def call(self, x: Any) -> Any:
        if self.broken:
            raise RuntimeError("a wire came loose")
        return x * 1.0


def test_an_error_inside_a_call_leaves_nothing_behind():
    x = picture_input()
    fragile = Fragile(dtype="float64")
    model = settle(keras.Model(x, dense()(gap()(fragile(conv2()(conv1()(x)))))))
    fragile.broken = True
    attributes = [sorted(part.__dict__) for part in all_parts(model)]
    with pytest.raises(camcore.ModelError, match=r"cannot be run on an input of 12 × 10 × 3: .*wire came loose"):
        camcore.wrap(model)
    fragile.broken = False
    assert all("call" not in part.__dict__ for part in all_parts(model))
    assert [sorted(part.__dict__) for part in all_parts(model)] == attributes
    assert camcore.wrap(model).default_layer


def test_a_call_that_was_replaced_by_hand_is_put_back():
    model = flat()
    layer = model.get_layer("features")
    original = layer.call
    mine = lambda x: original(x) * 1.0  # noqa: E731
    layer.__dict__["call"] = mine
    network = camcore.wrap(model)
    assert layer.__dict__["call"] is mine
    assert network.layer("features").grid == GRID


class Waiting(layers.Layer):
    """Lets a test act in the middle of a trace."""

    meanwhile: Any = None

    def call(self, x: Any) -> Any:
        if self.meanwhile is not None:
            self.meanwhile()
        return x * 1.0


def waiting_model() -> tuple[Any, Waiting]:
    x = picture_input()
    waiting = Waiting(dtype="float64", name="waiting")
    return settle(keras.Model(x, dense()(gap()(conv2()(waiting(conv1()(x))))))), waiting


def in_thread(work: Any) -> list[Any]:
    """The result of ``work`` in another thread, or its error."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return result


def test_another_thread_may_use_the_model_meanwhile():
    """It gets the right answer, and its calls are not mistaken for those of the trace."""
    model, waiting = waiting_model()
    x = images(2)
    wanted = np.asarray(model(x))
    wanted_calls = [(call.path, len(call.children)) for call in trace(model).calls]
    heard: list[Any] = []

    def meanwhile() -> None:
        waiting.meanwhile = None
        heard.extend(in_thread(lambda: np.asarray(model(x))))

    waiting.meanwhile = meanwhile
    found = [(call.path, len(call.children)) for call in trace(model).calls]
    np.testing.assert_array_equal(heard[0], wanted)
    assert found == wanted_calls
    assert all("call" not in part.__dict__ for part in all_parts(model))


def test_two_threads_may_wrap_the_same_model():
    """The second trace begins while the first is under way: both see every layer, and nothing stays behind."""
    model, waiting = waiting_model()
    wanted = [info.path for info in camcore.wrap(model).layers]
    first_is_inside, second_is_inside, first_is_done = (threading.Event() for _ in range(3))
    main = threading.current_thread()

    def meanwhile() -> None:  # in the middle of each trace; a lock may keep the second one out, hence the limits
        if threading.current_thread() is main:
            first_is_inside.set()
            second_is_inside.wait(1)
        else:
            second_is_inside.set()
            first_is_done.wait(1)

    second: list[Any] = []

    def other() -> None:
        first_is_inside.wait(30)
        second.append([info.path for info in camcore.wrap(model).layers])

    waiting.meanwhile = meanwhile
    thread = threading.Thread(target=other)
    thread.start()
    first = [info.path for info in camcore.wrap(model).layers]
    first_is_done.set()
    thread.join(60)
    assert first == wanted
    assert second == [wanted]
    assert all("call" not in part.__dict__ for part in all_parts(model))


# ---- models that are not built yet


def test_a_subclassed_model_that_was_never_called():
    network = camcore.wrap(Subclassed(), input_size=SIZE)
    assert network.layer("features").grid == GRID
    assert network.logits(images(1)).shape == (1, 4)
    assert network.parameters == sum(weight.size for weight in network.model.get_weights())


def test_own_relu_between_layers_is_the_default_layer():
    network = camcore.wrap(built(OwnRelu()), input_size=SIZE)
    info = network.layer(network.default_layer)
    assert info.class_name == "Relu"
    x = images(1)
    found = network.tap(x, [info.path, "features"])
    np.testing.assert_array_equal(found.activations[info.path], np.maximum(found.activations["features"], 0))
    assert (found.activations["features"] < 0).any()


def test_a_backbone_alone_is_a_map_of_its_features():
    model = settle(backbone())
    network = camcore.wrap(model)
    assert network.classes == FEATURES
    x = images(2)
    np.testing.assert_allclose(network.logits(x), np.asarray(model(x)).mean(axis=(1, 2)), rtol=1e-9)
    assert network.default_layer == "conv1"


# ---- what an error says

ERRORS = {
    "a compiled function": (
        "Graph execution error:\n\nDetected at node net/add defined at (most recent call last):\n"
        '  File "a.py", line 3, in <module>\n\n  File "keras/layer.py", line 9, in __call__\n\n'
        "Incompatible shapes: [2,8] vs. [2,9]\n\t [[{{node net/add}}]] [Op:__inference_f_12]",
        "Incompatible shapes: [2,8] vs. [2,9]",
    ),
    "several roots": (
        "Graph execution error:\n\nDetected at node MatMul defined at (most recent call last):\n"
        "<stack traces unavailable>\n2 root error(s) found.\n  (0) INVALID_ARGUMENT:  Matrix size-incompatible: "
        "In[0]: [4,2], In[1]: [3,2]\n\t [[{{node MatMul}}]]\n0 successful operations.",
        "Matrix size-incompatible: In[0]: [4,2], In[1]: [3,2]",
    ),
    "a layer": (
        "Exception encountered when calling Own.call().\n\n\x1b[1mcannot add 2 and 3.\x1b[0m\n\n"
        "Arguments received by Own.call():\n  • x=tf.Tensor(shape=(1, 4))",
        "cannot add 2 and 3",
    ),
    "an operation": (
        "{{function_node __wrapped__MatMul_device_/job:localhost/replica:0}} Matrix size-incompatible: In[0]: [4,2], "
        "In[1]: [3,2] [Op:MatMul] name: ",
        "Matrix size-incompatible: In[0]: [4,2], In[1]: [3,2]",
    ),
    "a traced function": (
        'in user code:\n\n    File "a.py", line 28, in bad  *\n        return tf.reshape(x, [3, -1])\n\n'
        "    ValueError: Dimension size must be divisible by 3 but is 8",
        "Dimension size must be divisible by 3 but is 8",
    ),
    "no words": ("", "RuntimeError"),
    "only a preamble": ("Graph execution error:", "Graph execution error:"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_cause_of_an_error_is_told(name):
    text, cause = ERRORS[name]
    assert first_line(RuntimeError(text)) == cause


def test_the_cause_of_a_real_graph_execution_error_is_told():
    @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([None])])
    def total(x: Any, y: Any) -> Any:
        return tf.reduce_sum(x + y)

    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        total(tf.zeros([4]), tf.zeros([3]))
    assert first_line(raised.value) == "Incompatible shapes: [4] vs. [3]"
