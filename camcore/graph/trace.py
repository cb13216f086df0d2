"""One trace of a Keras model, in which every call of every layer is named.

The model is traced once into a TensorFlow graph. While it is traced, the calls of its layers (and of plain
Keras operations, such as the ``+`` of a residual connection) are noted: which layer, called from where, which
tensor came out. Everything else is then done on that graph: a layer's activations are a tensor to fetch, its
gradient is ``tf.gradients`` inside the graph, and the network's *head* (scores as a function of a layer's
output) is the graph fed at that tensor. ``prune`` cuts each such question out as a compiled function that
computes nothing else, so functional, nested, Sequential and subclassed models are all served by one mechanism
and the model itself is left as it was found.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from camcore._compat import all_layers
from camcore.errors import ModelError
from camcore.forking import check_not_forked
from camcore.graph.pointwise import matrix_product_gradients
from camcore.lazy import keras, tf

ConcreteFunction: TypeAlias = "tf.types.experimental.ConcreteFunction"
_LayerCall = Callable[..., object]

# One trace at a time: two that wrap the calls of the same layers would undo each other's wrapping.
_TRACING = threading.RLock()


@dataclass(eq=False)
class Call:
    """One call of one layer or operation, noted while the model was traced."""

    layer: keras.Layer
    parent: Call | None
    tensor: tf.Tensor = None  # the output, where it is a single tensor of the traced graph
    children: list[Call] = field(default_factory=list)
    path: str = ""
    number: int = -1  # in the order in which calls begin

    @property
    def kind(self) -> str:
        """The class name of the layer or operation, such as ``Conv2D``."""
        return type(self.layer).__name__


@dataclass(frozen=True, eq=False)
class Trace:
    """A traced model: its graph, its ends, and its calls in the order in which they finished."""

    function: ConcreteFunction  # the wrapped function: .graph and .prune(feeds, fetches)
    input: tf.Tensor  # symbolic tensor (n, H, W, C)
    output: tf.Tensor  # symbolic tensor, the chosen output
    calls: tuple[Call, ...]


def trace_model(
    model: keras.Model,
    input_shape: tuple[int | None, ...],
    dtype: str,
    choose: Callable[[object], tf.Tensor],
    feed: Callable[[tf.Tensor], object] = lambda image: image,
) -> Trace:
    """Trace ``model`` in inference mode on one symbolic batch.

    ``input_shape`` is that of one image, without the batch; ``choose`` picks the output tensor from what the
    model returns; ``feed`` makes of a batch of images what the model is called with. Raises ModelError where the
    model cannot be called so.
    """
    check_not_forked()
    function, chosen, calls = _traced(model, input_shape, dtype, choose, feed, {})
    open_sides = [call for call in calls if _is_open(call.tensor)]
    if open_sides:
        sides = _sides_found(function, [call.tensor for call in open_sides])
        if sides:
            known = {call.number: shape for call, shape in zip(open_sides, sides, strict=True)}
            function, chosen, calls = _traced(model, input_shape, dtype, choose, feed, known)
    _tell_sides(function)
    return Trace(function, function.inputs[0], chosen, tuple(calls))


def _traced(
    model: keras.Model,
    input_shape: tuple[int | None, ...],
    dtype: str,
    choose: Callable[[object], tf.Tensor],
    feed: Callable[[tf.Tensor], object],
    shapes: Mapping[int, tuple[int | None, ...]],
) -> tuple[ConcreteFunction, tf.Tensor, list[Call]]:
    """The wrapped function, the chosen output and the calls. ``shapes``: of calls, by number, that are known."""
    calls: list[Call] = []
    chosen: list[tf.Tensor] = []

    def forward(x: tf.Tensor) -> tf.Tensor:
        with _noted(model, calls, shapes), matrix_product_gradients(tf.compat.v1.get_default_graph()):
            output = choose(model(feed(x), training=False))
        chosen.append(output)
        return output

    spec = tf.TensorSpec([None, *input_shape], dtype)
    try:
        with _TRACING:
            if not all(layer.built for layer in [model, *all_layers(model)]):
                # Weights must be made outside of the graph, as Keras does at a model's first call.
                model(feed(tf.zeros([1, *(side or 1 for side in input_shape)], dtype)), training=False)
            function = tf.compat.v1.wrap_function(forward, [spec])
    except ModelError:
        raise
    except Exception as error:
        shape = " × ".join("?" if side is None else str(side) for side in input_shape)
        raise ModelError(
            f"The model {model.name!r} cannot be run on an input of {shape}: {first_line(error)}. "
            "Check input_size, and that it takes one image tensor."
        ) from error
    graph = function.graph
    return function, chosen[0], [call for call in calls if call.tensor is not None and call.tensor.graph is graph]


def _is_open(tensor: tf.Tensor) -> bool:
    """True where TensorFlow does not know the sides of a tensor, as behind a branch, or a shape computed as it runs."""
    return tensor.shape.rank is None or None in tensor.shape[1:]


def _sides_found(function: ConcreteFunction, tensors: list[tf.Tensor]) -> list[tuple[int | None, ...]]:
    """The shapes of tensors as the function runs, what grows with the batch left open; empty where it cannot run."""
    with function.graph.as_default():
        shapes = [tf.shape(tensor) for tensor in tensors]
    source = function.inputs[0]
    if None in source.shape[1:]:
        return []
    try:
        run = function.prune([source], shapes)
        runs = [run(tf.zeros([count, *source.shape[1:]], source.dtype)) for count in (2, 3)]
    except (tf.errors.OpError, ValueError, TypeError):
        return []
    return [
        tuple(int(a) if a == b else None for a, b in zip(two.numpy(), three.numpy(), strict=True))
        for two, three in zip(*runs, strict=True)
        if len(two) == len(three)
    ]


# Operations that hold functions; their gradients go by the shapes as they are.
_BRANCHING = ("Merge", "If", "StatelessIf", "Case", "StatelessCase", "While", "StatelessWhile")


def _tell_sides(function: ConcreteFunction) -> None:
    """Tell the graph the sides of tensors inside layers that it leaves open, as reshapes to computed shapes do."""
    operations = function.graph.get_operations()
    if any(operation.type in _BRANCHING for operation in operations):
        return
    outputs = [output for operation in operations for output in operation.outputs]
    tensors = [one for one in outputs if one.dtype.is_floating and (one.shape.rank or 0) > 2 and _is_open(one)]
    tensors = [one for one in tensors if one is not function.inputs[0]]
    for tensor, shape in zip(tensors, _sides_found(function, tensors) if tensors else (), strict=False):
        tensor.set_shape(shape)


# Lines that say where in Keras or TensorFlow something went wrong, or how to find out more, and not what.
_PREAMBLE = re.compile(
    r"Exception encountered when calling|Graph execution error|Detected at node|Stack trace for op definition"
    r"|Function call stack|Traceback \(most recent call last\)|File \"|Arguments received by|\* |in user code"
    r"|Hint: |\d+ root error\(s\) found|\(\d+\) \w+: *$|\[\[.*\]\]|\t|<stack traces unavailable>"
)


def first_line(error: BaseException) -> str:
    """The cause that an error of Keras or TensorFlow tells, in one line: no colours, no preamble, no list of calls."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    causes = [line for line in lines if not _PREAMBLE.match(line)]
    if any(line.startswith("File ") for line in lines):
        causes = _after_the_calls(lines) or causes
    relevant = causes or lines
    if not relevant:
        return type(error).__name__
    cause = re.sub(r"\s*\[(\[\{\{node|Op:).*$", "", relevant[0])  # the names of nodes and operations of the graph
    cause = re.sub(r"^\(\d+\) [A-Z_]+:\s*|^\{\{function_node [^}]*\}\}\s*", "", cause)
    return cause.rstrip(".") or relevant[0]


def _after_the_calls(lines: list[str]) -> list[str]:
    """The rest of an error message that begins with a list of calls, each with its line of source."""
    last = max(i for i, line in enumerate(lines) if line.startswith("File "))
    rest = [line for line in lines[last + 1 :] if not _PREAMBLE.match(line)]
    named = [line for line in rest if re.match(r"\w*(Error|Exception): ", line)]
    return [named[-1].split(": ", 1)[1]] if named else rest


def _with_shape(tensor: tf.Tensor, shape: tuple[int | None, ...]) -> tf.Tensor:
    """A tensor with its sides told; a reshape, whose gradient leaves the sides open for those who made it."""
    if None in shape[1:]:
        return tensor
    return tf.reshape(tensor, [-1 if side is None else side for side in shape])


@contextmanager
def _noted(model: keras.Model, calls: list[Call], shapes: Mapping[int, tuple[int | None, ...]]) -> Iterator[None]:
    """Note every call below ``model`` made by this thread, and undo it all afterwards, also after an error.

    ``shapes``: what is known beforehand of the outputs of calls, by number.

    The calls are wrapped per instance, only in the instance's own ``__dict__``; a thread that uses the model
    meanwhile passes straight through.
    """
    this_thread = threading.get_ident()
    root = Call(model, None)
    numbers = itertools.count()
    stack = [root]
    wrapped: list[tuple[keras.Layer, _LayerCall | None]] = []

    def replace_call(layer: keras.Layer, call: _LayerCall) -> None:
        wrapped.append((layer, layer.__dict__.get("call")))
        layer.__dict__["call"] = call

    def traced_here(layer: keras.Layer) -> _LayerCall:
        # A call that is itself a tf.function would hide its tensors in a graph of its own.
        compiled, plain = layer.call, layer.call.python_function

        def call(*args: object, **kwargs: object) -> object:
            return (plain if threading.get_ident() == this_thread else compiled)(*args, **kwargs)

        return call

    def noting(layer: keras.Layer) -> _LayerCall:
        inner = layer.call
        traced = getattr(inner, "python_function", inner)  # as in traced_here

        def call(*args: object, **kwargs: object) -> object:
            if threading.get_ident() != this_thread:
                return inner(*args, **kwargs)
            note = Call(layer, stack[-1], number=next(numbers))
            stack[-1].children.append(note)
            stack.append(note)
            try:
                output = traced(*args, **kwargs)
            finally:
                stack.pop()
            if hasattr(output, "graph") and hasattr(output, "op"):
                if note.number in shapes:
                    output = _with_shape(output, shapes[note.number])
                note.tensor = output
            calls.append(note)
            return output

        return call

    try:
        for layer in _everything_called(model):
            replace_call(layer, noting(layer))
        if hasattr(model.call, "python_function"):
            replace_call(model, traced_here(model))
        yield
    finally:
        for layer, before in wrapped:
            if before is None:
                layer.__dict__.pop("call", None)
            else:
                layer.__dict__["call"] = before
    _name(root, "")


def _everything_called(model: keras.Model) -> list[keras.Layer]:
    """Every layer below ``model``, and the plain operations of its functional parts."""
    layers = all_layers(model)
    callables: dict[int, keras.Layer] = {id(layer): layer for layer in layers}
    for part in [model, *layers]:
        for operation in getattr(part, "operations", None) or ():
            callables.setdefault(id(operation), operation)
    callables.pop(id(model), None)
    return list(callables.values())


def _name(call: Call, prefix: str) -> None:
    """Give every call below its path: ``nested/conv``; ``conv#2`` where one parent makes the same call twice."""
    total = Counter(child.layer.name for child in call.children)
    seen: Counter[str] = Counter()
    for child in call.children:
        name = child.layer.name
        seen[name] += 1
        child.path = prefix + (f"{name}#{seen[name]}" if total[name] > 1 else name)
        _name(child, child.path + "/")
