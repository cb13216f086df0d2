"""Walks over a traced graph: what depends on a tensor, what it depends on, and what each part costs."""

from __future__ import annotations

from collections.abc import Container, Iterable
from math import prod
from typing import Any


def ancestors(tensors: Iterable[Any], stop: Container[str] = ()) -> dict[str, Any]:
    """Every tensor that ``tensors`` are computed from, themselves included, by name; not past those of ``stop``."""
    stack = list(tensors)
    seen = {tensor.name: tensor for tensor in stack}
    while stack:
        tensor = stack.pop()
        if tensor.name in stop:
            continue
        for source in tensor.op.inputs:
            if source.name not in seen:
                seen[source.name] = source
                stack.append(source)
    return seen


def dependents(tensor: Any) -> set[str]:
    """The names of all tensors computed from ``tensor``, itself included."""
    seen = {tensor.name}
    stack = [tensor]
    while stack:
        for operation in stack.pop().consumers():
            for output in operation.outputs:
                if output.name not in seen:
                    seen.add(output.name)
                    stack.append(output)
    return seen


def multiplications(operation: Any) -> float:
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


def _size(shape: Any) -> float:
    return float(prod(side or 1 for side in shape))


def work(logits: Any) -> float:
    """The multiplications that one image takes."""
    used = {tensor.op.name: tensor.op for tensor in ancestors([logits]).values()}
    return sum(multiplications(operation) for operation in used.values())


def shares_behind(logits: Any) -> dict[str, float]:
    """For each operation the share of the network's multiplications that are made after it, 0..1, by its name.

    Operations stand in the order of the computation; another branch beside an operation counts as behind it.
    """
    used = {tensor.op.name for tensor in ancestors([logits]).values()}
    so_far, total = {}, 0.0
    for operation in logits.graph.get_operations():
        total += multiplications(operation) if operation.name in used else 0.0
        so_far[operation.name] = total
    return {name: 1 - done / total if total else 1.0 for name, done in so_far.items()}
