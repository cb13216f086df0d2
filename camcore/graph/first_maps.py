"""The first maps that a walk back from the scores meets: grids, and tokens of which the scores use the patches.

Behind a class token the patches of the last blocks are not used. There the walk goes on to what the last attention
takes, which is where the patches are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from camcore.graph.patch_use import patches_used
from camcore.graph.picking import PICKING
from camcore.graph.placed_products import PRODUCTS
from camcore.graph.reach import Reach
from camcore.graph.walks import ancestors
from camcore.lazy import tf


@dataclass(frozen=True, eq=False)
class FirstMap:
    """A map, and the type of the operation by which the scores use it.

    ``beside``: it was met on the way through tokens of which the scores use no patch. ``projected``: an attention takes
    a projection of it. ``attended``: an attention takes it.
    """

    tensor: tf.Tensor
    consumer: str
    beside: bool
    projected: bool = False
    attended: bool = False


@dataclass(frozen=True, eq=False)
class FirstMaps:
    """The first maps by name. ``seen``: the names of all tensors met. ``unseen``: see ``LastGrid``."""

    maps: dict[str, FirstMap]
    seen: set[str]
    unseen: tf.Tensor


def first_maps(ends: Sequence[tf.Tensor], reach: Mapping[str, Reach]) -> FirstMaps:
    """The maps that ``ends`` are made from without another one between."""
    maps: dict[str, FirstMap] = {}
    shares: set[str] = set()  # of each place in a sum over all, and what they are made from
    used = patches_used(ends, reach)
    unseen = None
    seen = {end.name for end in ends}
    stack = [(end, "", False) for end in ends]
    while stack:
        tensor, consumer, beside = stack.pop()
        own = reach.get(tensor.name)
        if own is not None and own.tokens and _is_share(tensor, own):
            shares.add(tensor.name)
        share = own is not None and own.tokens and tensor.name in shares
        if own is not None and _is_map(tensor, own) and used[tensor.name] and not share:
            one = _met(tensor, consumer, beside, reach)
            maps[one.tensor.name] = one
            continue
        if own is not None and (own.lost or own.nominal) and (tensor.shape.rank or 0) > 2:
            unseen = unseen if unseen is not None else tensor
        for source in tensor.op.inputs:
            if source.name in reach and source.name not in seen:
                seen.add(source.name)
                shares |= {source.name} if tensor.name in shares and tensor.op.type not in PRODUCTS else set()
                stack.append((source, tensor.op.type, beside or not used[tensor.name]))
    _drop_passed(maps)
    return FirstMaps(maps, seen, unseen)


def _met(tensor: tf.Tensor, consumer: str, beside: bool, reach: Mapping[str, Reach]) -> FirstMap:
    """A map as it was before it was projected for an attention, and put into another shape."""
    inner, by_attention = tensor, reach[tensor.name].tokens and consumer in PRODUCTS
    if by_attention:
        inner = _before_projection(tensor, reach)
    projected = inner is not tensor
    while becomes_tokens(inner) and has_cells(reach.get(inner.op.inputs[0].name)):
        inner = inner.op.inputs[0]
    return FirstMap(inner, consumer, beside, projected, by_attention and (beside or projected))


def _drop_passed(maps: dict[str, FirstMap]) -> None:
    """Leave out what the last attention makes of what it takes, then what earlier blocks took."""
    earlier = [name for name, one in maps.items() if one.beside]
    behind = {name: ancestors([one.tensor]) for name, one in maps.items()} if earlier else {}
    projected = {name for name, one in maps.items() if one.projected}
    for name in earlier:
        if name not in projected and projected & set(behind[name]):
            del maps[name]
    for name in earlier:
        if any(name in behind[other] for other in maps if other != name):
            maps.pop(name, None)


def has_cells(reach: Reach | None) -> bool:
    """True for a grid of more than one cell."""
    # Rows along the first axis: the images lie elsewhere.
    if reach is None or not (reach.spatial or reach.tokens) or 0 in reach.dims:
        return False
    return (reach.grid[0] or 2) * (reach.grid[1] or 2) > 1


def _is_map(tensor: tf.Tensor, own: Reach) -> bool:
    """True for a tensor with a grid of several cells, or of tokens that are cells."""
    return (own.tokens or tensor.shape.rank == 4) and has_cells(own) and not own.nominal


def _is_share(tensor: tf.Tensor, own: Reach) -> bool:
    """True for a softmax over all tokens."""
    return tensor.op.type == "Softmax" and own.dims[0] == (tensor.shape.rank or 0) - 1


def becomes_tokens(tensor: tf.Tensor) -> bool:
    """True for a map in another shape, also where a layer of its own reshapes it."""
    return tensor.op.type == "Reshape" and tensor.shape.rank != tensor.op.inputs[0].shape.rank


# Operations between what an attention takes and its keys and values, beside the products with weights.
_PROJECTING = {
    "Reshape", "Transpose", "ExpandDims", "Squeeze", "Identity", "IdentityN", "Cast", "AddV2", "Add", "BiasAdd", "Sub",
    "Mul", "RealDiv", *PICKING,
}  # fmt: skip


def _before_projection(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> tf.Tensor:
    """The tensor that the keys or values of an attention are a projection of; themselves where they are none."""
    inner = tensor
    while True:
        given = [source for source in inner.op.inputs if source.name in reach]
        if len(given) != 1 or not reach[given[0].name].axes:
            return tensor
        if inner.op.type in PRODUCTS:
            return given[0]
        if inner.op.type not in _PROJECTING:
            return tensor
        inner = given[0]
