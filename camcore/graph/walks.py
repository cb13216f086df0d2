"""Walks over a traced graph: what depends on a tensor, what it depends on, and what each part costs."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from itertools import pairwise
from math import prod

from camcore.lazy import tf


def reached(tensors: Iterable[tf.Tensor], onward: Callable[[tf.Tensor], Iterable[tf.Tensor]]) -> dict[str, tf.Tensor]:
    """Every tensor on a walk from ``tensors``, these included, by name; ``onward``: the next ones behind each."""
    stack = list(tensors)
    seen = {tensor.name: tensor for tensor in stack}
    while stack:
        for following in onward(stack.pop()):
            if following.name not in seen:
                seen[following.name] = following
                stack.append(following)
    return seen


def ancestors(tensors: Iterable[tf.Tensor], stop: Container[str] = ()) -> dict[str, tf.Tensor]:
    """Every tensor that ``tensors`` are computed from, themselves included, by name; not past those of ``stop``."""
    return reached(tensors, lambda tensor: () if tensor.name in stop else tensor.op.inputs)


def dependents(tensor: tf.Tensor, besides: Container[str] = ()) -> set[str]:
    """The names of all tensors computed from ``tensor``, itself included; not by operations of types ``besides``."""

    def onward(tensor: tf.Tensor) -> list[tf.Tensor]:
        used = (operation for operation in tensor.consumers() if operation.type not in besides)
        return [output for operation in used for output in operation.outputs]

    return set(reached([tensor], onward))


def multiplications(operation: tf.Operation) -> float:
    """Multiplications of one image in a convolution or matrix product; 0 for operations that cost little."""
    kind = operation.type
    if kind in ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"):
        kernel = operation.inputs[1].shape
        cells = operation.outputs[0] if kind != "Conv2DBackpropInput" else operation.inputs[2]
        made = _size(cells.shape[1:])
        if kind == "DepthwiseConv2dNative":
            return made * _size(kernel[:2])
        # Every value of the output (of a transposed convolution: of the input) meets the whole kernel.
        return made * _size(kernel[:3])
    if kind in ("MatMul", "BatchMatMulV2", "BatchMatMul"):
        left, right = operation.inputs[0].shape, operation.outputs[0].shape
        return _size(right[1:]) * float(left[-1] or 1) if left.rank else 0.0
    return 0.0


def _size(shape: tf.TensorShape) -> float:
    return float(prod(side or 1 for side in shape))


def total_multiplications(logits: tf.Tensor) -> float:
    """The multiplications that one image takes."""
    used = {tensor.op.name: tensor.op for tensor in ancestors([logits]).values()}
    return sum(multiplications(operation) for operation in used.values())


def shares_behind(logits: tf.Tensor) -> dict[str, float]:
    """For each operation the share of the network's multiplications that are made after it, 0..1, by its name.

    Operations stand in the order of the computation; another branch beside an operation counts as behind it.
    """
    used = {tensor.op.name for tensor in ancestors([logits]).values()}
    so_far, total = {}, 0.0
    for operation in logits.graph.get_operations():
        total += multiplications(operation) if operation.name in used else 0.0
        so_far[operation.name] = total
    return {name: 1 - done / total if total else 1.0 for name, done in so_far.items()}


SHAPES = ("Shape", "ShapeN", "Size", "Rank")  # operations that ask for no value


def gradients(score: tf.Tensor, tensors: list[tf.Tensor], unconnected: str = "none") -> list[tf.Tensor | None]:
    """``tf.gradients`` as plain tensors, also where a gather made sparse ones; None where none reaches a tensor."""
    derivatives = tf.gradients(score, tensors, unconnected_gradients=unconnected)
    return [tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one for one in derivatives]


def as_floats(source: tf.Tensor) -> tf.Tensor:
    """The network's input as the floats that gradients reach: of whole numbers, what the one cast makes of them.

    The input itself where it holds floats, or where its whole numbers become floats at several places or in another
    shape, so that no gradient is theirs.
    """
    floats: dict[str, tf.Tensor] = {}
    stack = [source]
    while stack and not source.dtype.is_floating:
        for operation in stack.pop().consumers():
            for output in operation.outputs if operation.type not in SHAPES else ():
                (floats if output.dtype.is_floating else {}).setdefault(output.name, output)
                if not output.dtype.is_floating:
                    stack.append(output)
    if len(floats) != 1:
        return source
    (only,) = floats.values()
    return only if only.shape.is_compatible_with(source.shape) else source


def layer_inputs(tensors: Mapping[str, tf.Tensor]) -> dict[str, tuple[str, ...]]:
    """For each layer (path → output tensor, in the order of the computation) the layers whose output it takes.

    Between a layer and its inputs lie only operations that are no layer's output. Of layers with one and the same
    tensor, such as a dropout that does nothing, each takes the one before. Sizes that are read from a tensor are
    no input.
    """
    owners: dict[str, list[str]] = {}
    for path, tensor in tensors.items():
        owners.setdefault(tensor.name, []).append(path)
    nearest: dict[str, tuple[str, ...]] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    if not owners:
        return inputs
    for operation in next(iter(tensors.values())).graph.get_operations():  # in the order of creation
        if operation.type in SHAPES:
            inputs |= {path: () for output in operation.outputs for path in owners.get(output.name, ())}
            continue
        sources: dict[str, None] = {}
        for source in operation.inputs:
            sources.update(dict.fromkeys(nearest.get(source.name, ())))
        for output in operation.outputs:
            named = owners.get(output.name)
            if named is None:
                nearest[output.name] = tuple(sources)
                continue
            nearest[output.name] = (named[-1],)
            inputs |= {named[0]: tuple(sources), **{after: (before,) for before, after in pairwise(named)}}
    return inputs


_FLAT_ENDS = {"Relu6": (6.0,), "Sigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Softmax": (0.0, 1.0)}
_SCALES = {"Mul": lambda value, factor: value * factor, "RealDiv": lambda value, factor: value / factor}


def saturation_values(tensor: tf.Tensor) -> tuple[float, ...]:
    """The values at which the function that made a tensor ends and has no slope, low to high.

    Known are ReLU6, sigmoid, tanh, softmax, these times a constant (as in the hard sigmoid), and what is clipped to
    constants. A lower end at exactly 0, as ReLU has it, is left out: there a unit says nothing.
    """
    operation = _behind_identities(tensor)
    scale = _SCALES.get(operation.type)
    factor = _scalar(operation.inputs[1]) if scale is not None else None
    if scale is not None and factor is not None:
        return tuple(scale(end, factor) for end in saturation_values(operation.inputs[0]))
    if operation.type in _FLAT_ENDS:
        return _FLAT_ENDS[operation.type]
    ends: set[float] = set()
    while operation.type in ("Minimum", "Maximum") and (bound := _scalar(operation.inputs[1])) is not None:
        ends.add(bound)
        operation = _behind_identities(operation.inputs[0])
    return tuple(sorted(ends - {0.0}))


def _behind_identities(tensor: tf.Tensor) -> tf.Tensor:
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _scalar(tensor: tf.Tensor) -> float | None:
    """The number that a tensor is fixed to; None where it is none, or more than one."""
    value = tf.get_static_value(tensor)
    return float(value) if value is not None and value.size == 1 and value.dtype.kind == "f" else None
