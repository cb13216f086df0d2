"""Files that Keras 2 wrote: the same numbers as there, or a sentence that says what to do with the old installation."""

import json

import h5py
import keras2_models
import numpy as np
import pytest

import camcore
from camcore.errors import ModelError
from camcore.models.archives import read_whole
from camcore.models.keras2.convert import open_keras2
from camcore.models.keras2.functions import function_of


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return keras2_models.write(tmp_path_factory.mktemp("keras2"))


def none(_):
    return None


@pytest.mark.parametrize(
    "name",
    [
        "sequential.h5",
        "sequential.keras",
        "transfer.h5",
        "transfer.keras",
        "functions.h5",
        "efficient.h5",
        "efficient.keras",
    ],
)
def test_the_numbers_are_those_of_keras_2(files, name):
    told = np.load(files / f"{name.partition('.')[0]}.npz")
    model = open_keras2(read_whole(files / name), none)
    np.testing.assert_allclose(model.predict(told["x"], verbose=0), told["y"], atol=1e-5)


def test_a_transfer_model_is_ready_to_be_looked_into(files):
    network = camcore.load(files / "transfer.h5", labels=("a", "b", "c"))
    told = np.load(files / "transfer.npz")
    assert network.default_layer == "base/block_2_add"
    assert "saved by Keras 2" in network.weights_note
    assert network.weights_note.endswith("fed RGB 0..255, which it scales itself")
    said = network.predict(camcore.Picture.from_array(told["x"][0].astype(np.uint8)), 3, "stretch")
    np.testing.assert_allclose([p.probability for p in sorted(said, key=lambda p: p.index)], told["y"][0], atol=1e-5)


@pytest.mark.parametrize("name", ["code.h5", "code.keras"])
def test_a_lambda_of_keras_2_is_refused_with_what_to_do_there(files, name):
    for safe_mode in (True, False):
        with pytest.raises(ModelError, match=r"holds a Lambda.*Keras 2 wrote it.*installation that made it"):
            camcore.load(files / name, safe_mode=safe_mode)


def test_weights_alone_of_keras_2_are_told(files):
    with pytest.raises(ModelError, match=r"holds weights alone"):
        camcore.load(files / "transfer.old_weights.h5")


# ---- forms of older versions, written by hand


def written(path, config, arrays, version="2.4.0"):
    """A whole model as Keras 2 wrote it. ``arrays``: layer → [(name, values)]."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        if version:
            file.attrs["keras_version"] = version
        weights = file.create_group("model_weights")
        for layer, told in arrays.items():
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name, _ in told]
            for name, values in told:
                group[name] = values
    return path


def layer(kind, name, inbound=None, **config):
    found = {"class_name": kind, "config": {"name": name, "trainable": True, **config}}
    return (
        found if inbound is None else {**found, "name": name, "inbound_nodes": [[[one, 0, 0, {}] for one in inbound]]}
    )


def dense(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, columns)).astype(np.float32), rng.normal(size=columns).astype(np.float32)


POLICY = {"class_name": "Policy", "config": {"name": "float32"}}


def test_the_first_forms_of_a_sequential_model(tmp_path):
    """A list of layers, the input's shape at the first of them, no version: Keras 1 and the first of 2."""
    kernel, bias = dense(12, 2)
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Flatten", "flat", batch_input_shape=[None, 2, 2, 3], data_format="channels_last"),
            layer("Dense", "out", units=2, activation="softmax", use_bias=True, dtype=POLICY),
        ],
    }
    path = written(tmp_path / "old.h5", config, {"out": [("out_1/kernel:0", kernel), ("out_1/bias:0", bias)]}, "")
    model = open_keras2(read_whole(path), none)
    x = np.random.default_rng(1).normal(size=(3, 2, 2, 3)).astype(np.float32)
    powers = np.exp(x.reshape(3, -1).astype(np.float64) @ kernel + bias)
    np.testing.assert_allclose(model.predict(x, verbose=0), powers / powers.sum(1, keepdims=True), rtol=1e-5)


def test_operations_of_a_graph_with_constants(tmp_path):
    """``TensorFlowOpLayer``, as TensorFlow 2.0 to 2.3 wrote arithmetic on tensors."""
    kernel, bias = dense(3, 2)
    strides = {"begin_mask": 3, "end_mask": 3, "ellipsis_mask": 1}
    masks = " ".join(f'attr {{ key: "{key}" value {{ i: {value} }} }}' for key, value in strides.items())
    reverse = {"1": [0, 0], "2": [0, 0], "3": [1, -1]}
    config = {
        "class_name": "Model",
        "config": {
            "name": "net",
            "layers": [
                layer("InputLayer", "image", (), batch_input_shape=[None, 4, 4, 3], dtype="float32"),
                layer(
                    "TensorFlowOpLayer", "scale", ["image"], node_def='name: "s" op: "RealDiv"', constants={"1": 127.5}
                ),
                layer("TensorFlowOpLayer", "less", ["scale"], node_def='name: "l" op: "Sub"', constants={"0": 1.0}),
                layer("TensorFlowOpLayer", "bgr", ["less"], node_def=f'op: "StridedSlice" {masks}', constants=reverse),
                layer("GlobalAveragePooling2D", "pool", ["bgr"]),
                layer("Dense", "out", ["pool"], units=2, activation="hard_sigmoid"),
            ],
            "input_layers": [["image", 0, 0]],
            "output_layers": [["out", 0, 0]],
        },
    }
    config["config"]["layers"][0]["inbound_nodes"] = []
    path = written(tmp_path / "ops.h5", config, {"out": [("out/kernel:0", kernel), ("out/bias:0", bias)]})
    model = open_keras2(read_whole(path), none)
    x = np.random.default_rng(1).uniform(0, 255, (3, 4, 4, 3)).astype(np.float32)
    mean = (1.0 - x.astype(np.float64) / 127.5)[..., ::-1].mean((1, 2))
    np.testing.assert_allclose(
        model.predict(x, verbose=0), np.clip(0.2 * (mean @ kernel + bias) + 0.5, 0, 1), atol=1e-5
    )


def test_weights_in_keras_2s_order_where_names_do_not_tell(tmp_path):
    """Frozen and trainable layers in a nested model: first all that train, then the rest; the names are numbers."""
    conv = dense(3, 2)[0].reshape(1, 1, 3, 2)
    moments = [np.random.default_rng(seed).uniform(0.5, 1.5, 2).astype(np.float32) for seed in range(4)]
    gamma, beta, mean, variance = moments
    inner = {
        "class_name": "Functional",
        "name": "base",
        "config": {
            "name": "base",
            "trainable": True,
            "layers": [
                layer("InputLayer", "in", batch_input_shape=[None, 4, 4, 3]) | {"name": "in", "inbound_nodes": []},
                layer("BatchNormalization", "bn", ["conv"], axis=[3], epsilon=0.001),
                layer("Conv2D", "conv", ["in"], filters=2, kernel_size=[1, 1], use_bias=False, trainable=False),
            ],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["bn", 0, 0]],
        },
        "inbound_nodes": [[["image", 0, 0, {}]]],
    }
    inner["config"]["layers"][2]["config"]["trainable"] = False
    outer = {
        "class_name": "Functional",
        "config": {
            "name": "net",
            "layers": [
                layer("InputLayer", "image", batch_input_shape=[None, 4, 4, 3])
                | {"name": "image", "inbound_nodes": []},
                inner,
                layer("GlobalAveragePooling2D", "pool") | {"name": "pool", "inbound_nodes": [[["base", 1, 0, {}]]]},
            ],
            "input_layers": [["image", 0, 0]],
            "output_layers": [["pool", 0, 0]],
        },
    }
    arrays = [("v0", gamma), ("v1", beta), ("v2", mean), ("v3", variance), ("v4", conv)]
    order = ["v0", "v1", "v4", "v2", "v3"]  # trainable ones, then the others layer by layer as the model holds them
    in_file = sorted(arrays, key=lambda one: order.index(one[0]))
    model = open_keras2(read_whole(written(tmp_path / "order.h5", outer, {"base": in_file})), none)
    x = np.random.default_rng(1).normal(size=(2, 4, 4, 3)).astype(np.float32)
    features = x.astype(np.float64) @ conv[0, 0]
    want = ((features - mean) / np.sqrt(variance + 0.001) * gamma + beta).mean((1, 2))
    np.testing.assert_allclose(model.predict(x, verbose=0), want, atol=1e-5)


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (
            layer("LocallyConnected2D", "local", filters=2, kernel_size=[2, 2]),
            r"its layer 'local' is a LocallyConnected2D",
        ),
        (layer("DepthwiseConv2D", "dw", kernel_size=[2, 2], groups=3), r"its layer 'dw' .* says groups=3"),
        (layer("TFSMLayer", "graph", filepath="elsewhere"), r"its layer 'graph' is a TFSMLayer, whose code lies"),
        (layer("Activation", "act", activation="blowfish"), r"the activation 'blowfish'"),
        (layer("TFOpLambda", "io", function="io.write_file"), r"calls tf.io.write_file, which camcore does not run"),
        (layer("TFOpLambda", "py", function="numpy_function"), r"calls tf.numpy_function"),
    ],
)
def test_what_has_no_twin_is_told_with_what_to_do(tmp_path, part, what):
    first = layer("InputLayer", "image", batch_input_shape=[None, 4, 4, 3])
    path = written(
        tmp_path / "x.h5", {"class_name": "Sequential", "config": {"name": "s", "layers": [first, part]}}, {}
    )
    with pytest.raises(ModelError, match=rf"saved by Keras 2, and .*{what}.*installation that made it"):
        open_keras2(read_whole(path), none)


@pytest.mark.parametrize("arrays", [{}, {"out": [("out/kernel:0", np.zeros((3, 2)))]}])
def test_no_weight_is_left_unset(tmp_path, arrays):
    config = [layer("Dense", "out", units=2, batch_input_shape=[None, 3])]
    path = written(tmp_path / "x.h5", {"class_name": "Sequential", "config": config}, arrays)
    with pytest.raises(ModelError, match=r"weights of the Keras 2 model .* cannot be set"):
        open_keras2(read_whole(path), none)


@pytest.mark.parametrize(
    "name",
    ["py_function", "numpy_function", "io.read_file", "raw_ops.PyFunc", "image.decode_image", "math", "load_library",
     "compat.v1.py_func", "saved_model.load", "nn.__builtins__", "system", "keras.activations.deserialize"],
)  # fmt: skip
def test_functions_that_are_not_of_tensors_are_not_taken(name):
    assert function_of(name) is None


# ---- files that were changed


def changed(path, kind, inbound, **config):
    """A model of one layer of a given kind between its input and a pooling layer."""
    layers = [
        layer("InputLayer", "image", [], batch_input_shape=[None, 8, 8, 3], dtype="float32"),
        {**layer(kind, "odd", ["image"], **config), "inbound_nodes": inbound},
        layer("GlobalAveragePooling2D", "pool", ["odd"], dtype="float32"),
    ]
    told = {"name": "m", "layers": layers, "input_layers": [["image", 0, 0]], "output_layers": [["pool", 0, 0]]}
    return written(path, {"class_name": "Functional", "config": told}, {})


@pytest.mark.parametrize("name", ["math._sys.exit", "nn._sys.setrecursionlimit", "math.abs.__call__"])
def test_only_functions_of_tensorflow_s_interface_are_called(tmp_path, name):
    path = changed(tmp_path / "m.h5", "TFOpLambda", [["image", 0, 0, {}]], function=name)
    with pytest.raises(ModelError, match="which camcore does not run"):
        camcore.load(path)


def test_an_error_of_tensorflow_s_own_is_told_as_the_model_s(tmp_path):
    path = changed(tmp_path / "m.h5", "Rescaling", [["a text"]], scale=1.0, offset=0.0, dtype="float32")
    with pytest.raises(ModelError, match="its graph cannot be built"):
        camcore.load(path)


def test_names_of_weights_that_are_none_are_told(tmp_path):
    path = changed(tmp_path / "m.h5", "Conv2D", [[["image", 0, 0, {}]]], filters=2, kernel_size=[3, 3])
    with h5py.File(path, "a") as file:
        file.create_group("model_weights/odd").attrs["weight_names"] = 3.0
    with pytest.raises(ModelError, match="weights of the Keras 2 model"):
        camcore.load(path)
