"""The end of a network once more, from another tensor than its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from camcore.graph.patch_use import beside_patches
from camcore.graph.picking import PICKING, picks
from camcore.graph.reach import Reach
from camcore.graph.walks import ancestors, dependents
from camcore.lazy import tf

# (operation, its inputs this time) → what stands in place of its output; None: the same operation again.
Instead = Callable[["tf.Operation", "list[tf.Tensor]"], "tf.Tensor | None"]


def again(end: tf.Tensor, start: tf.Tensor, other: tf.Tensor, instead: Instead = lambda _, __: None) -> tf.Tensor:
    """``end`` as it would be with ``other`` in place of ``start``; adds to the graph: hold its lock.

    Weights are read where they were read, so that a network of other weights uses these here, too.
    """
    graph = end.graph
    behind = dependents(start)
    between = {one.op.name for name, one in ancestors([end], {start.name}).items() if name in behind} - {start.op.name}
    made = {start.name: other}
    for operation in graph.get_operations():
        if operation.name not in between:
            continue
        inputs = [made.get(source.name, source) for source in operation.inputs]
        with graph.as_default():
            replaced = instead(operation, inputs)
            if replaced is None:
                types = [output.dtype for output in operation.outputs]
                outputs = graph.create_op(operation.type, inputs, types, attrs=dict(operation.node_def.attr)).outputs
            else:
                outputs = [replaced]
        for before, output in zip(operation.outputs, outputs, strict=True):
            made[before.name] = output
    return made[end.name]


def mean_of_tokens(reach: Mapping[str, Reach]) -> Instead:
    """The mean over all tokens wherever tokens without a place, such as the class token, are read."""

    def instead(operation: tf.Operation, inputs: list[tf.Tensor]) -> tf.Tensor | None:
        if operation.type not in PICKING or len(operation.outputs) > 1:
            return None
        (output,), before = operation.outputs, reach.get(operation.inputs[0].name)
        after, axis = reach.get(output.name), None if before is None else beside_patches(before)
        if axis is None or after is None or after.axes or after.lost:
            return None
        taken = picks(operation, output)
        assert taken is not None, "known by its reach"
        return tf.reduce_mean(inputs[0], axis=axis, keepdims=taken[axis].position is not None)

    return instead
