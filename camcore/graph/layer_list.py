"""The layers of a trace with their geometry, and which of them to look at, with the reason.

The recommended layer is derived from the traced graph, not from a table of names: walking back from the logits,
it is the first tensor met that still has a grid larger than 1×1, so the last one before the network collapses
space. Squeeze-and-excitation blocks, which pool earlier, are never met on that walk. Where that tensor is the
output of a max or average pooling, the pooling's input is taken, which is finer and says the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from camcore.graph.last_grid import NOT_LOCATED, last_grid
from camcore.graph.layers import LayerInfo, LayerTable
from camcore.graph.layout import layout_of
from camcore.graph.patch_use import patches_used
from camcore.graph.reach import Reach
from camcore.graph.trace import Call, Trace
from camcore.graph.walks import layer_inputs, saturation_values
from camcore.lazy import tf


def list_layers(
    trace: Trace, logits: tf.Tensor, reach: Mapping[str, Reach], before_map: Sequence[tf.Tensor] = ()
) -> LayerTable:
    """Every call of the trace as a LayerInfo, with the recommended one marked, where there is one.

    ``before_map``: of an output that is a map, the tensors that the recommended one is taken from; see
    ``graph/before_map.py``.
    """
    listed = listed_calls(trace.calls)
    last = last_grid(before_map or [logits], reach, {call.tensor.name for call in listed})
    if last is not None and before_map:
        last = replace(last, collapse="Map")
    tensors = {call.path: call.tensor for call in listed}
    default: str | None = None
    if last is not None:
        default = _path_of(last.tensor, listed) or last.tensor.op.name
        tensors.setdefault(default, last.tensor)  # made by the model's own code, between two layers
    used = patches_used([logits], reach)
    positions = {operation.name: position for position, operation in enumerate(logits.graph.get_operations())}
    attends = any(part.keys for name in used for parts in reach[name].places for part in parts)
    order = sorted(tensors, key=lambda path: positions[tensors[path].op.name])
    kinds = {call.path: (_kind(call), call.kind) for call in listed}
    sources = layer_inputs({path: tensors[path] for path in order})
    infos = []
    for path in order:
        kind, class_name = kinds.get(path, ("operation", tensors[path].op.type))
        seen = reach.get(tensors[path].name)
        info = _info(path, kind, class_name, tensors[path], seen, tensors[path].name in used, default)
        if last is not None and info.grid and info.usable:
            info = _cautioned(info, used[tensors[path].name], attends, default)
        if last is not None and path == default:
            info = replace(info, recommended=True, reason=last.reason(info.grid, info.located))
        infos.append(replace(info, inputs=sources[path], saturation_values=saturation_values(tensors[path])))
    # Of a layer called several times the last call that the picture reaches goes by the bare name.
    calls = sorted(trace.calls, key=lambda call: call.tensor.name in reach)
    aliases, objects = _other_names(calls, tensors)
    return LayerTable(tuple(infos), tensors, aliases, objects, default)


def listed_calls(calls: tuple[Call, ...]) -> list[Call]:
    """Single layers, and those composite ones whose output none of their parts has."""
    leaves = {call.tensor.name for call in calls if not call.children}
    return [call for call in calls if not call.children or call.tensor.name not in leaves]


def _path_of(tensor: tf.Tensor, calls: list[Call]) -> str | None:
    return next((call.path for call in calls if call.tensor.name == tensor.name), None)


def _other_names(calls: Sequence[Call], tensors: Mapping[str, tf.Tensor]) -> tuple[dict[str, str], dict[int, str]]:
    """Names and objects that stand for a listed path. A name of several calls means the last one."""
    by_tensor: dict[str, str] = {}
    for path, tensor in tensors.items():
        by_tensor.setdefault(tensor.name, path)
    aliases: dict[str, str] = {}
    objects: dict[int, str] = {}
    for call in calls:
        known = call.path if call.path in tensors else by_tensor.get(call.tensor.name)
        if known is None:
            continue
        objects[id(call.layer)] = known
        for alias in (call.path, call.path.split("#")[0], call.layer.name):
            if alias not in tensors:
                aliases[alias] = known
    return aliases, objects


def _info(
    path: str, kind: str, class_name: str, tensor: tf.Tensor, seen: Reach | None, on_the_way: bool, default: str | None
) -> LayerInfo:
    shape = tuple(tensor.shape[1:]) if tensor.shape.rank else ()
    grid: tuple[int, int] | None = None
    stride = centre = None
    field: tuple[int, int] | None = None
    located = True
    kept: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)
    layout = layout_of(tensor, seen)
    tokens = layout.grid is not None
    mapped = tokens or (seen is not None and seen.spatial and 0 not in seen.dims and tensor.shape.rank == 4)
    if seen is not None and mapped and None not in seen.grid:
        grid = (int(seen.grid[0] or 0), int(seen.grid[1] or 0))
        located = seen.located
        if located:
            stride = (seen.axes[0].stride, seen.axes[1].stride)
            centre = (seen.axes[0].centre, seen.axes[1].centre)
            kept = (seen.axes[0].kept, seen.axes[1].kept)
        if seen.known and located and not any(axis.rolled for axis in seen.axes):
            field = (math.ceil(seen.axes[0].size), math.ceil(seen.axes[1].size))
    channels = layout.channels if grid else shape[-1] if shape else None
    reason = _objection(tensor, shape, grid, on_the_way) if seen else "the picture does not reach it"
    if seen and (seen.lost or seen.places) and not grid and tensor.shape.rank == 4 and 1 not in shape:
        reason = "along its first axis lie pieces of each picture, such as windows, and not the pictures alone"
    usable = not reason
    if usable:
        assert grid is not None
        what = {"pooling": "a pooled copy", "padding": "only adds a border"}.get(kind, "an earlier step")
        reason = f"{what}; {grid[0]}×{grid[1]} cells, less about the class than {default!r}"
        if default is None or not located:
            reason = f"{grid[0]}×{grid[1]} cells; {NOT_LOCATED}"
    return LayerInfo(
        path,
        kind,
        class_name,
        shape,
        grid,
        channels,
        stride,
        field,
        centre,
        bool(seen and seen.whole_picture),
        usable,
        recommended=False,
        reason=reason,
        located=located,
        kept=kept,
        tokens=tokens,
    )


def _cautioned(info: LayerInfo, used: bool, attends: bool, default: str | None) -> LayerInfo:
    """A layer with its caution, where a map of it cannot be right: see ``LayerInfo.caution``."""
    instead = "" if info.path == default else f" Choose the recommended layer, “{default}”, instead."
    if not used:
        caution = (
            "The scores no longer use this layer’s patches: after the last attention they are computed from other "
            f"tokens, such as the class token, so the gradient is zero at every patch.{instead}"
        )
    elif attends and info.located and not info.whole_picture and _of_patches(info):
        caution = (
            "No attention comes before this layer, so each cell knows only its own patch: its map shows what the "
            f"patches look like, not what the network makes of them.{instead}"
        )
    elif attends and info.located and not info.whole_picture:
        caution = (
            "No attention comes before this layer: its map shows what the layers up to here found at each place, "
            f"not what the network’s attention makes of it.{instead}"
        )
    else:
        return info
    return replace(info, caution=caution, reason=caution)


def _of_patches(info: LayerInfo) -> bool:
    """True where no cell sees more than its own patch, as far as is known."""
    field, stride = info.receptive_field, info.stride
    return field is None or stride is None or all(seen <= abs(step) for seen, step in zip(field, stride, strict=True))


def _objection(tensor: tf.Tensor, shape: tuple[int | None, ...], grid: tuple[int, int] | None, on_the_way: bool) -> str:
    if grid is None:
        sides = " × ".join("?" if side is None else str(side) for side in shape)
        return f"it has no spatial grid (shape {sides or 'of one number'})"
    if grid == (1, 1):
        return "its grid has one cell only (1×1)"
    if not on_the_way:
        return "the scores do not depend on it"
    if not tensor.dtype.is_floating:
        return f"it holds {tensor.dtype.name} values, which have no gradient"
    return ""


_KINDS = (
    ("pooling", ("pooling", "pool")),
    ("padding", ("padding", "cropping")),
    ("convolution", ("conv",)),
    ("normalisation", ("normalization", "norm")),
    ("activation", ("activation", "relu", "softmax", "elu", "gelu", "silu", "swish", "sigmoid", "tanh")),
    ("merge", ("add", "concatenate", "multiply", "subtract", "average", "maximum", "minimum", "dot")),
    ("dropout", ("dropout", "stochasticdepth", "droppath")),
    ("dense", ("dense", "linear")),
    ("reshape", ("reshape", "flatten", "permute", "repeat")),
    ("resizing", ("upsampling", "resizing")),
    ("preprocessing", ("rescaling",)),
)


def _kind(call: Call) -> str:
    if call.children:
        return "block"
    name = call.kind.lower()
    return next((kind for kind, words in _KINDS if any(word in name for word in words)), "operation")
