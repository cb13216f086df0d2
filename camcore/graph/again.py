"""The end of a network once more, from another tensor than its own."""

from __future__ import annotations

from camcore.graph.walks import ancestors, dependents
from camcore.lazy import tf


def again(end: tf.Tensor, start: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """``end`` as it would be with ``other`` in place of ``start``; adds to the graph: hold its lock.

    Weights are read where they were read, so that a network of other weights uses these here, too.
    """
    if start is other:
        return end
    graph = end.graph
    behind = dependents(start)
    between = {one.op.name for name, one in ancestors([end], {start.name}).items() if name in behind} - {start.op.name}
    made = {start.name: other}
    for operation in graph.get_operations():
        if operation.name not in between:
            continue
        inputs = [made.get(source.name, source) for source in operation.inputs]
        attributes = dict(operation.node_def.attr)
        with graph.as_default():
            copy = graph.create_op(
                operation.type, inputs, [output.dtype for output in operation.outputs], attrs=attributes
            )
        for output, again in zip(operation.outputs, copy.outputs, strict=True):
            made[output.name] = again
    return made[end.name]
