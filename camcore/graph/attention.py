"""The attentions of a network: weights (n, heads, T, T) of all tokens over all tokens, and the blocks they belong to.

An attention is found where two tensors that depend on the picture are multiplied and a sum is taken over places: its
weights are the softmax behind one of the two, or that factor itself where the softmax is written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from camcore.errors import MethodError
from camcore.framing import CellGrid
from camcore.graph.layers import LayerInfo
from camcore.graph.patch_use import patches_used, tokens_read
from camcore.graph.placed_products import PRODUCTS, letters
from camcore.graph.places import Factors, has_places
from camcore.graph.reach import Reach
from camcore.graph.scores import Scores
from camcore.lazy import tf

Array = np.ndarray


@dataclass(frozen=True)
class TokenPlaces:
    """The places of T tokens: those from ``first`` on are the cells of ``grid``, row by row.

    ``read``: the tokens that the scores are made from, such as the class token; empty where they are the patches.
    ``mirrored``: rows, columns of a network that sees the picture so.
    """

    count: int
    grid: tuple[int, int]
    first: int
    read: tuple[int, ...]
    mirrored: tuple[bool, bool] = (False, False)

    @property
    def patches(self) -> slice:
        """The tokens that are cells."""
        return slice(self.first, self.first + prod(self.grid))

    def on_grid(self, tokens: Array) -> Array:
        """A value of each token (T,) as a map (h, w) of the cells, the right way up."""
        rows, columns = (slice(None, None, -1 if one else 1) for one in self.mirrored)
        return tokens[self.patches].reshape(self.grid)[rows, columns]

    @property
    def asked(self) -> Array:
        """The share (T,) of each token in what the scores are made from: the class token, or all patches alike."""
        chosen = list(self.read) or self.patches
        shares = np.zeros(self.count)
        shares[chosen] = 1
        return shares / shares.sum()


@dataclass(frozen=True, eq=False)
class Attention:
    """``weights`` (n, …) with ``order``: its axes of images, heads (None: one head), queries and keys."""

    weights: tf.Tensor
    order: tuple[int, int | None, int, int]
    whole: bool  # queries and keys are all tokens, and not those of windows

    def by_head(self, values: Array) -> Array:
        """Values of the weights (n, …) as (n, heads, T, T)."""
        images, heads, queries, keys = self.order
        if heads is None:
            return values.transpose(images, queries, keys)[:, np.newaxis]
        return values.transpose(images, heads, queries, keys)


@dataclass(frozen=True, eq=False)
class Attentions:
    """The attentions of a network in their order, and the ``places`` of their tokens; ``refusal``: why there are none.

    ``blocks``: for each, the tokens that its block puts out; empty where blocks could not be told apart.
    """

    found: tuple[Attention, ...]
    places: TokenPlaces | None
    blocks: tuple[tf.Tensor, ...]
    refusal: str

    def cells(self, infos: Iterable[LayerInfo], input_size: tuple[int, int]) -> CellGrid:
        """The places of the tokens on the input, of the layers ``infos`` of the network."""
        assert self.places is not None, "checked before"
        for info in infos:
            if info.tokens and info.grid == self.places.grid and info.located:
                return info.cells(input_size).upright(self.places.grid)
        return CellGrid.uniform(self.places.grid, input_size)

    def checked(self, title: str) -> TokenPlaces:
        """The places of the tokens. Raises MethodError where methods made for attention have nothing to go by."""
        if self.places is None:
            raise MethodError(
                f"{title} is not defined for this network: {self.refusal}. It needs a transformer whose tokens all "
                "attend to each other. Use 'gradcam', which needs none."
            )
        return self.places


def find_attentions(scores: Scores, reach: Mapping[str, Reach]) -> Attentions:
    """The attentions on the way to the scores."""
    ends = [scores.source]
    used = patches_used(ends, reach)
    operations = [one for one in scores.source.graph.get_operations() if any(out.name in used for out in one.outputs)]
    found: dict[str, Attention] = {}
    for operation in operations:
        for one in _attending(operation, reach):
            found.setdefault(one.weights.name, one)
    attentions = tuple(found.values())
    refusal = _refusal(attentions)
    if refusal:
        return Attentions(attentions, None, (), refusal)
    last = attentions[-1]
    seen = reach[last.weights.name]
    factors = seen.places[last.order[2]]
    count = prod(factor.size or 1 for factor in factors)
    first = factors[0].first if factors[0].kind == "tokens" else 0
    grid = (int(seen.grid[0] or 1), int(seen.grid[1] or 1))
    mirrored = (seen.axes[0].stride < 0, seen.axes[1].stride < 0)
    places = TokenPlaces(count, grid, first, tokens_read(ends, reach), mirrored)
    return Attentions(attentions, places, _blocks(operations, attentions, count, used, reach), "")


def _refusal(attentions: Sequence[Attention]) -> str:
    if not attentions:
        return "no attention of tokens with places was found in it"
    for one in attentions:
        queries, keys = (one.weights.shape[axis] for axis in one.order[2:])
        if queries != keys:
            return (
                f"its attentions have other keys than queries ({queries} tokens look at {keys} that were made of them)"
            )
    if not all(one.whole for one in attentions):
        return "its attentions look at windows of tokens, each with weights of its own, and not at all of them"
    sides = {one.weights.shape[axis] for one in attentions for axis in one.order[2:]}
    if len(sides) > 1:
        return f"its attentions have different numbers of tokens ({', '.join(map(str, sorted(sides)))})"
    return ""


def _attending(operation: tf.Operation, reach: Mapping[str, Reach]) -> Iterator[Attention]:
    """The attention whose values a product sums up, where it does."""
    if operation.type not in PRODUCTS or not all(source.name in reach for source in operation.inputs):
        return
    named = letters(operation)
    if named is None:
        return
    terms, made = named
    for position, source in enumerate(operation.inputs):
        seen = reach[source.name]
        summed = [axis for axis, one in enumerate(terms[position]) if one not in made]
        if len(summed) != 1 or not seen.places or not has_places(seen.places[summed[0]]) or not _in_pairs(seen):
            continue
        softmax = _softmax_of(source, reach)
        if softmax is not None:
            yield from _oriented(softmax, softmax.shape.rank - 1, reach)
        elif _behind_casts(source).op.type in ("RealDiv", "Mul", "Exp", "DivNoNan"):
            yield from _oriented(source, summed[0], reach)


def _in_pairs(seen: Reach) -> bool:
    return any(factor.keys for factors in seen.places for factor in factors)


def _softmax_of(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> tf.Tensor | None:
    """The softmax of queries and keys that a tensor comes from, also where heads were mixed behind it."""
    stack, seen = [tensor], {tensor.name}
    while stack:
        one = stack.pop()
        if one.op.type == "Softmax":
            return one
        for source in one.op.inputs:
            own = reach.get(source.name)
            if own is not None and _in_pairs(own) and source.name not in seen:
                seen.add(source.name)
                stack.append(source)
    return None


def _behind_casts(tensor: tf.Tensor) -> tf.Tensor:
    while tensor.op.type in ("Cast", "Identity", "StopGradient"):
        tensor = tensor.op.inputs[0]
    return tensor


def _oriented(weights: tf.Tensor, keys: int, reach: Mapping[str, Reach]) -> Iterator[Attention]:
    seen = reach.get(weights.name)
    if seen is None or weights.shape.rank not in (3, 4) or not has_places(seen.places[keys]):
        return
    queries = [axis for axis, factors in enumerate(seen.places) if axis not in (0, keys) and has_places(factors)]
    if len(queries) != 1:
        return
    rest = [axis for axis in range(1, weights.shape.rank) if axis not in (keys, queries[0])]
    whole = seen.places[0][0].size is None and len(seen.places[0]) == 1
    whole = whole and all(_is_whole(seen.places[axis], seen) for axis in (keys, queries[0]))
    yield Attention(weights, (0, rest[0] if rest else None, queries[0], keys), whole)


def _is_whole(factors: Factors, seen: Reach) -> bool:
    if factors[0].kind == "tokens":
        return True
    return prod(factor.size or 1 for factor in factors) == prod(side or 1 for side in seen.grid)


def _blocks(
    operations: Sequence[tf.Operation],
    attentions: Sequence[Attention],
    count: int,
    used: Mapping[str, bool],
    reach: Mapping[str, Reach],
) -> tuple[tf.Tensor, ...]:
    """For each attention the tokens that its block puts out: the last that all goes through before the next one.

    The last block ends as the others do; what follows, such as a last normalisation, is the network's own end.
    """
    position = {operation.name: number for number, operation in enumerate(operations)}
    at = [position[one.weights.op.name] for one in attentions]
    between: list[list[tf.Tensor]] = [[] for _ in attentions]
    for tensor in _bottlenecks(operations, position, used):
        seen = reach[tensor.name]
        before = sum(number < position[tensor.op.name] for number in at)
        if before and seen.tokens and tensor.shape.rank == 3 and tensor.shape[seen.dims[0]] == count:
            between[before - 1].append(tensor)
    if not all(between):
        return ()
    if len(between) > 1:
        last = min(len(between[-2]), len(between[-1])) - 1
    else:
        sums = [i for i, tensor in enumerate(between[-1]) if _adds_up(tensor, reach)]
        last = sums[-1] if sums else len(between[-1]) - 1
    return (*(tensors[-1] for tensors in between[:-1]), between[-1][last])


def _adds_up(tensor: tf.Tensor, reach: Mapping[str, Reach]) -> bool:
    """True for a residual sum."""
    given = [reach[source.name] for source in tensor.op.inputs if source.name in reach]
    return tensor.op.type in ("AddV2", "Add", "AddN") and sum(one.tokens for one in given) > 1


def _bottlenecks(
    operations: Sequence[tf.Operation], position: Mapping[str, int], used: Mapping[str, bool]
) -> Iterator[tf.Tensor]:
    """The tensors, in order, that everything on the way to the scores goes through."""
    latest = -1  # the last use of what was made so far
    for number, operation in enumerate(operations):
        made = [output for output in operation.outputs if output.name in used]
        if latest <= number and len(made) == 1:
            yield made[0]
        for output in made:
            uses = [position[consumer.name] for consumer in output.consumers() if consumer.name in position]
            latest = max([latest, *uses])
