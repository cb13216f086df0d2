"""Whether the scores use the patches of a tensor of tokens, or only its tokens without a place.

The class token of a transformer is read behind the last block. There the scores do not depend on the patch tokens any
more; they do before the last attention, which gathers the patches. The walk goes back from the scores; a slice that
takes the class token needs no patch of what it slices, and neither does what is computed token by token before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from camcore.graph.picking import PICKING, picks
from camcore.graph.placed_products import PRODUCTS, letters
from camcore.graph.reach import Reach, constant
from camcore.lazy import tf


def patches_used(ends: Iterable[tf.Tensor], reach: Mapping[str, Reach]) -> dict[str, bool]:
    """For every tensor from which ``ends`` are computed, by name: False where they use its other tokens only."""
    used: dict[str, bool] = {}
    stack = [(end, True) for end in ends]
    while stack:
        tensor, patches = stack.pop()
        if used.get(tensor.name, False) or used.get(tensor.name) is patches:
            continue
        used[tensor.name] = patches
        stack += _before(tensor, patches, reach)
    return used


def tokens_read(ends: Sequence[tf.Tensor], reach: Mapping[str, Reach]) -> tuple[int, ...]:
    """The tokens without a place from which ``ends`` are computed, such as the class token; none where patches are."""
    found: set[int] = set()
    seen = {end.name for end in ends}
    stack = list(ends)
    while stack:
        tensor = stack.pop()
        for source in tensor.op.inputs:
            own = reach.get(source.name)
            if own is None or source.name in seen:
                continue
            axis = beside_patches(own)
            if axis is not None and _takes_others(tensor, own, reach):
                taken = picks(tensor.op, tensor)
                assert taken is not None, "known by its reach"
                found |= set(range(taken[axis].start, taken[axis].start + taken[axis].length))
                continue
            if own.axes or own.lost:
                return ()
            seen.add(source.name)
            stack.append(source)
    return tuple(sorted(found))


def beside_patches(seen: Reach) -> int | None:
    """The axis along which patches and other tokens lie; None where there are no others."""
    for axis, parts in enumerate(seen.places):
        if any(part.kind == "tokens" and not part.keys for part in parts):
            return axis
    return None


def _before(tensor: tf.Tensor, patches: bool, reach: Mapping[str, Reach]) -> Iterator[tuple[tf.Tensor, bool]]:
    """The tensors that one is computed from, with whether it needs their patches."""
    operation = tensor.op
    after = reach.get(tensor.name)
    whole = patches or after is None or beside_patches(after) is None
    for position, source in enumerate(operation.inputs):
        own = reach.get(source.name)
        if own is None:
            continue
        axis = beside_patches(own)
        if axis is None:
            # Patches that are put behind a class token of which alone is asked.
            skipped = not whole and operation.type == "ConcatV2" and own.tokens and _joins(operation, own)
            if not skipped:
                yield source, True
        elif whole:
            yield source, not _takes_others(tensor, own, reach)
        else:
            yield source, not _token_by_token(operation, position, axis, after)


def _takes_others(tensor: tf.Tensor, own: Reach, reach: Mapping[str, Reach]) -> bool:
    """True where a tensor was sliced from tokens (``own``), and holds no patch."""
    after = reach.get(tensor.name)
    return tensor.op.type in PICKING and after is not None and not after.axes and not after.lost


def _joins(operation: tf.Operation, own: Reach) -> bool:
    axis = constant(operation.inputs[-1])
    return axis is not None and int(axis) % len(own.places) == own.dims[0]


def _token_by_token(operation: tf.Operation, position: int, axis: int, after: Reach | None) -> bool:
    """True where each token of what an operation makes is made from the same token of this input of it."""
    if after is None:
        return False
    if operation.type in PRODUCTS:
        named = letters(operation)
        letter = named[0][position][axis] if named else None
        return named is not None and letter in named[1] and named[1].index(letter) == beside_patches(after)
    return operation.type not in ("Softmax", "LogSoftmax") or beside_patches(after) == axis
