"""The response of chosen channels and its gradient at the network's input, which activation maximisation climbs.

Only the part of the graph up to the layer is run. The channels are fed, so that nothing is built anew for another
filter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray

from camcore.errors import LayerError
from camcore.graph.compiled import Function, SubgraphCompiler
from camcore.network import Network

# Activations that never fall: what makes their input larger makes them larger, and their input has a slope where
# they have none (a rectifier below zero, ReLU6 above six).
_RISING = ("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Sigmoid", "Tanh")


# Slope below zero of what is averaged over the grid. Without the rectifier the mean of a nearly linear channel, an
# edge detector, would be the same for all pictures; without the slope a channel at rest would stay at rest.
LEAK = 0.1


def before_rectifier(tensor: Any) -> Any:
    """The operand of a layer's last, never falling activation; the tensor itself where it ends otherwise."""
    while tensor.op.type in _RISING or (tensor.op.type == "Identity" and tensor.op.inputs[0].op.type in _RISING):
        tensor = tensor.op.inputs[0]
    return tensor


def responding(compiler: SubgraphCompiler, key: tuple[Any, ...], tensor: Any, axis: int, what: str) -> Function:
    """The compiled part (x (n, …), channels (n,) int32) → [response (n,), ∂response/∂x (n, …)].

    ``tensor``: (n, …) with its channels along ``axis``; the response is the mean over the grid of one channel,
    rectified with the slope LEAK below zero; without a grid, the channel's value itself. ``what`` names it in
    messages. Raises LayerError where no gradient reaches the input.
    """
    import tensorflow as tf

    source = compiler.trace.input

    def ends() -> tuple[list[Any], list[Any]]:
        with compiler.trace.function.graph.as_default():
            channels = tf.compat.v1.placeholder(tf.int32, [None], "climbed")
            order = (0, axis, *(i for i in range(1, tensor.shape.rank) if i != axis))
            chosen = tf.gather(tf.transpose(tensor, order), channels, batch_dims=1)
            if tensor.shape.rank > 2:
                chosen = tf.nn.leaky_relu(chosen, LEAK)
            response = tf.reduce_mean(chosen, axis=tuple(range(1, tensor.shape.rank - 1)))
            (gradient,) = tf.gradients(response, source) if source.dtype.is_floating else (None,)
        if gradient is None:
            raise LayerError(
                f"No gradient leads from {what} to the network's input: an operation without a derivative lies "
                "between them, or the input holds whole numbers. What excites it cannot be searched for by gradient "
                "ascent. Try another layer."
            )
        return [source, channels], [response, gradient]

    with compiler.lock:
        return compiler.subgraph(key, ends)


def climbing(
    network: Network, layer: str | None, key: Hashable, around: Callable[[Function], Function]
) -> Callable[..., list[NDArray[Any]]]:
    """A compiled function that ``around`` makes of a layer's responses (None: the logits), kept under ``key``.

    ``around`` gets the compiled part (x, channels (n,) int32) → [response (n,), ∂response/∂x]; see ``responding``.
    The response of a layer is taken before a last rectifier, which would have no slope where it is at rest.
    Raises LayerError where no gradient reaches the input.
    """
    traced = network.traced
    if layer is None:
        tensor, axis, what = traced.logits, 1, "the logits"
    else:
        tensor, what = before_rectifier(traced.tensor(layer)), f"layer {layer!r}"
        layout = traced.layout(tensor)
        axis = layout.order[-1]
        if layout.grid is not None:
            with traced.compiler.lock, traced.compiler.trace.function.graph.as_default():
                tensor, axis = layout.symbolic_map(tensor), 3
    response = responding(traced.compiler, ("response", layer), tensor, axis, what)
    function = traced.compiler.cached(("climb", layer, key), lambda: around(response))
    return lambda *arguments: list(traced.compiler.run(function, *arguments))
