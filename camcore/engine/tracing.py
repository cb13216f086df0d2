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

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from camcore.engine.pointwise import by_products
from camcore.errors import ModelError
from camcore.forking import check_not_forked

# One trace at a time: two that wrap the calls of the same layers would undo each other's wrapping.
_TRACING = threading.RLock()


@dataclass(eq=False)
class Call:
    """One call of one layer or operation, noted while the model was traced."""

    layer: Any
    parent: Call | None
    tensor: Any = None  # the output, where it is a single tensor of the traced graph
    children: list[Call] = field(default_factory=list)
    path: str = ""

    @property
    def kind(self) -> str:
        """The class name of the layer or operation, such as ``Conv2D``."""
        return type(self.layer).__name__


@dataclass(frozen=True, eq=False)
class Trace:
    """A traced model: its graph, its ends, and its calls in the order in which they finished."""

    function: Any  # the wrapped function: .graph and .prune(feeds, fetches)
    input: Any  # symbolic tensor (n, H, W, C)
    output: Any  # symbolic tensor, the chosen output
    calls: tuple[Call, ...]


def trace_model(
    model: Any,
    input_shape: tuple[int | None, ...],
    dtype: str,
    choose: Callable[[Any], Any],
    feed: Callable[[Any], Any] = lambda image: image,
) -> Trace:
    """Trace ``model`` in inference mode on one symbolic batch.

    ``input_shape`` is that of one image, without the batch; ``choose`` picks the output tensor from what the
    model returns; ``feed`` makes of a batch of images what the model is called with. Raises ModelError where the
    model cannot be called so.
    """
    check_not_forked()
    import tensorflow as tf

    calls: list[Call] = []
    chosen: list[Any] = []

    def forward(x: Any) -> Any:
        with _noted(model, calls), by_products(tf.compat.v1.get_default_graph()):
            output = choose(model(feed(x), training=False))
        chosen.append(output)
        return output

    spec = tf.TensorSpec([None, *input_shape], dtype)
    try:
        with _TRACING:
            if not all(layer.built for layer in [model, *model._flatten_layers(include_self=False)]):
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
    calls = [call for call in calls if call.tensor is not None and call.tensor.graph is graph]
    return Trace(function, function.inputs[0], chosen[0], tuple(calls))


def first_line(error: BaseException) -> str:
    """What an error of Keras or TensorFlow says, in one line: without colours, and without Keras's preamble."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Exception encountered when calling")] or lines
    return told[0].rstrip(".") if told else type(error).__name__


@contextmanager
def _noted(model: Any, calls: list[Call]) -> Iterator[None]:
    """Note every call below ``model`` made by this thread, and undo it all afterwards, also after an error.

    The calls are wrapped per instance, only in the instance's own ``__dict__``; a thread that uses the model
    meanwhile passes straight through.
    """
    this_thread = threading.get_ident()
    root = Call(model, None)
    stack = [root]
    wrapped: list[tuple[Any, Any]] = []

    def replace_call(layer: Any, call: Callable[..., Any]) -> None:
        wrapped.append((layer, layer.__dict__.get("call")))
        layer.__dict__["call"] = call

    def traced_here(layer: Any) -> Callable[..., Any]:
        # A call that is itself a tf.function would hide its tensors in a graph of its own.
        compiled, plain = layer.call, layer.call.python_function

        def call(*args: Any, **kwargs: Any) -> Any:
            return (plain if threading.get_ident() == this_thread else compiled)(*args, **kwargs)

        return call

    def noting(layer: Any) -> Callable[..., Any]:
        inner = layer.call
        traced = getattr(inner, "python_function", inner)  # as in traced_here

        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != this_thread:
                return inner(*args, **kwargs)
            note = Call(layer, stack[-1])
            stack[-1].children.append(note)
            stack.append(note)
            try:
                output = traced(*args, **kwargs)
            finally:
                stack.pop()
            if hasattr(output, "graph") and hasattr(output, "op"):
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


def _everything_called(model: Any) -> list[Any]:
    """Every layer below ``model``, and the plain operations of its functional parts."""
    # The only list of all sublayers, also of custom layers, that Keras has; ``Model.layers`` is its top level.
    layers = list(model._flatten_layers(include_self=False))
    found: dict[int, Any] = {id(layer): layer for layer in layers}
    for part in [model, *layers]:
        for operation in getattr(part, "operations", None) or ():
            found.setdefault(id(operation), operation)
    found.pop(id(model), None)
    return list(found.values())


def _name(call: Call, prefix: str) -> None:
    """Give every call below its path: ``nested/conv``; ``conv#2`` where one parent makes the same call twice."""
    total = Counter(child.layer.name for child in call.children)
    seen: Counter[str] = Counter()
    for child in call.children:
        name = child.layer.name
        seen[name] += 1
        child.path = prefix + (f"{name}#{seen[name]}" if total[name] > 1 else name)
        _name(child, child.path + "/")
