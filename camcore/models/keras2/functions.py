"""Operations of TensorFlow that a model of Keras 2 holds as layers (``TFOpLambda``), as operations of a Keras 3 graph.

``preprocess_input`` inside a model of tf.keras leaves such layers. Only functions of tensors are taken, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from camcore.files import Json

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_NAMESPACES = ("math.", "nn.", "image.", "linalg.", "keras.activations.", "compat.v1.nn.", "compat.v1.math.")
_OF_TENSORS = """
add cast clip_by_value concat expand_dims fill gather gather_nd identity matmul multiply ones_like one_hot pad range
repeat reshape reverse roll shape slice split squeeze stack stop_gradient strided_slice subtract tensordot tile
transpose unstack where zeros_like ones zeros constant convert_to_tensor broadcast_to maximum minimum abs einsum exp
sqrt square sigmoid tanh norm rank size realdiv truediv divide negative pow argmax argmin reduce_mean reduce_sum
reduce_max reduce_min reduce_prod round floor sign
"""
_FUNCTIONS = frozenset(_OF_TENSORS.split())
_OPERATORS = "__operators__."
_RAW = {
    "AddV2": "math.add",
    "Add": "math.add",
    "Sub": "math.subtract",
    "Mul": "math.multiply",
    "RealDiv": "math.truediv",
    "Maximum": "math.maximum",
    "Minimum": "math.minimum",
    "BiasAdd": "nn.bias_add",
    "Relu": "nn.relu",
    "Relu6": "nn.relu6",
    "Sigmoid": "math.sigmoid",
    "Softmax": "nn.softmax",
    "Neg": "math.negative",
    "Exp": "math.exp",
    "Sqrt": "math.sqrt",
    "Square": "math.square",
}
"""The function for each operation name of ``TensorFlowOpLayer``, the form before ``TFOpLambda``."""


def function_of(name: str) -> Callable[..., tf.Tensor] | None:
    """The function of TensorFlow called ``name``, as TFOpLambda names it; None where it is none that is taken."""
    import keras
    import tensorflow as tf

    if name == "__operators__.getitem":
        return _item
    plain = name.removeprefix("compat.v1.")
    taken = name.startswith((*_NAMESPACES, _OPERATORS)) or plain in _FUNCTIONS
    if not taken or ".py_function" in name or "raw_ops" in name or "decode_" in name:
        return None
    if any(part.startswith("_") for part in name.removeprefix(_OPERATORS).split(".")):
        return None  # not of TensorFlow's interface: tf.math._sys is Python's own sys
    if name.startswith("keras.activations."):
        activation = name.rpartition(".")[2]
        return (
            None if activation in ("get", "serialize", "deserialize") else getattr(keras.activations, activation, None)
        )
    function = tf
    for part in name.split("."):
        function = getattr(function, part, None)
    return function if callable(function) and not isinstance(function, type) else None


def raw_function(operation: str) -> str | None:
    """The function's name for an operation of a graph, such as ``RealDiv``; None for one that is not known."""
    return _RAW.get(operation)


def _item(value: tf.Tensor, slice_spec: Json) -> tf.Tensor:
    return value[tuple(slice_spec) if isinstance(slice_spec, list) else slice_spec]


def operation_of(
    function: str, name: str, constants: Mapping[int, Json] | None = None, options: Mapping[str, Json] | None = None
) -> keras.Operation:
    """A function of TensorFlow as a keras.Operation called ``name``, called as the model's configuration says.

    ``function``: as TFOpLambda names it, ``math.truediv``. ``constants``: arguments by their places among the tensors,
    and ``options`` by their names, that every call has (``TensorFlowOpLayer``).
    """
    return _class()(function, name, constants, options)


@lru_cache(maxsize=1)
def _class() -> type:
    """The class of the operations, made when Keras is needed."""
    import keras

    class TensorFlowFunction(keras.Operation):
        """One function of TensorFlow in a Keras 3 graph."""

        def __init__(
            self, function: str, name: str, constants: Mapping[int, Json] | None, options: Mapping[str, Json] | None
        ) -> None:
            super().__init__(name=name)
            self.function_name = function
            called = function_of(function)
            assert called is not None, function
            self._function = called
            self._constants, self._options = dict(constants or {}), dict(options or {})

        def call(self, *arguments: Json, **options: Json) -> tf.Tensor:
            if self._constants and isinstance(arguments[0], list | tuple):
                arguments = tuple(arguments[0])
            given = list(arguments)
            if self.function_name.startswith(_OPERATORS) and isinstance(given[0], int | float):
                given[0] = keras.ops.convert_to_tensor(given[0], options["y"].dtype)
            for place in sorted(self._constants):
                constant = self._constants[place]
                whole = self.function_name == "strided_slice"
                dtype = None if whole else arguments[0].dtype
                given.insert(place, constant if whole else keras.ops.convert_to_tensor(constant, dtype))
            return self._function(*given, **options, **self._options)

    return TensorFlowFunction
