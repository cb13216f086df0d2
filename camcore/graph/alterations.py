"""The scores of one image seen through masks, or with a layer's output altered: one channel less, one cell only.

Only what lies behind the layer is computed for each alteration. Where all of the layer flows into one matrix
product (global pooling and a dense layer, or a flattened map and one), a channel's part in that product is
subtracted from it, so that each weight is used once for all channels together, not once for each.
"""

from __future__ import annotations

import copy
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from camcore.graph.compiled import Function
from camcore.graph.heads import Alteration, Product, after_pooling, altered_head, product_behind, sides
from camcore.graph.traced_network import TracedNetwork
from camcore.lazy import tf

Array = np.ndarray
Witness = tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class _Beside:
    """The values that a head needed of the last image beside its alteration, and the network's scores of it then."""

    image: weakref.ref[Array]
    head: tuple[str, str]
    witness: Witness
    arrays: list[Array]

    def serves(self, image: Array, head: tuple[str, str], witness: Witness) -> bool:
        """True for the same head and image, as long as the network gives the same scores: it may be trained."""
        return self.image() is image and self.head == head and _same(self.witness, witness)


class Alterations:
    """Compiled heads of one network; keeps what was computed of the last image beside them."""

    def __init__(self, traced: TracedNetwork) -> None:
        self._traced = traced
        self._ablated: dict[str, tuple[tf.Tensor, int, Product | None]] = {}
        self._sides: dict[str, list[tf.Tensor]] = {}  # tensor's name → the tensors that pass it by
        self._beside: _Beside | None = None

    def on(self, traced: TracedNetwork) -> Alterations:
        """The same heads, compiled by another compiler of the same trace."""
        other = copy.copy(self)
        other._traced = traced
        other._beside = None
        return other

    def head(self, path: str) -> Function:
        """(x, a layer's output in the network's own layout) → [logits]."""
        traced = self._traced
        return traced.compiler.subgraph(("head", path), lambda: ([traced.source, traced.tensor(path)], [traced.logits]))

    def passed_by(self, path: str) -> bool:
        """True where something of the picture reaches the scores past a layer, as over a skip connection."""
        return bool(self._passing(self._traced.tensor(path)))

    def filled(self, x: Array, path: str, maps: Array) -> Array:
        """A layer's output with maps (n, h, w, K) in place of its cells; other tokens are those of the batch ``x``."""
        traced, tensor = self._traced, self._traced.tensor(path)
        layout, values = traced.layout(tensor), maps
        if layout.grid is not None:
            own = traced.compiler.subgraph(("output", path), lambda: ([traced.source], [tensor]))
            (values,) = traced.compiler.run(own, x)
        return layout.filled(maps, values).astype(tensor.dtype.as_numpy_dtype)

    def ablated_size(self, path: str) -> int:
        """The number of values altered when one of a layer's channels is set to zero."""
        tensor, _, product = self._ablated_at(path)
        return int(np.prod((tensor if product is None else product.result).shape[1:]))

    def ablated(self, x: Array, path: str, channels: ArrayLike, witness: Witness) -> Array:
        """See ``Network.ablated_logits``."""
        tensor, axis, product = self._ablated_at(path)
        chosen = np.asarray(channels, np.int32)
        if product is None:
            replaced, needed, alteration = tensor, [tensor], self._without(tensor, axis)
        else:
            replaced, needed = product.result, [tensor, product.result]
            alteration = self._subtracted(tensor, axis, product)
        function = self._altered_head("ablated", path, replaced, alteration)
        known = self._known("ablated", path, x, witness, [*needed, *self._passing(replaced)])
        given = [array.astype(one.dtype.as_numpy_dtype, copy=False) for array, one in zip(known, needed, strict=False)]
        return self._traced.compiler.run(function, *given, chosen, *known[len(needed) :])[0]

    def placed(self, x: Array, path: str, vectors: Array, weights: Array, witness: Witness) -> Array:
        """See ``Network.placed_logits``."""
        tensor = self._traced.tensor(path)
        layout = self._traced.layout(tensor)

        def alter(values: tf.Tensor, shares: tf.Tensor, *beside: tf.Tensor) -> tf.Tensor:
            return layout.joined(values[:, tf.newaxis, tf.newaxis] * shares[..., tf.newaxis], *beside)

        kind = tensor.dtype.as_numpy_dtype
        signature = [tf.TensorSpec([None, vectors.shape[1]], kind), tf.TensorSpec([None, *weights.shape[1:]], kind)]
        beside = [tensor] if layout.partial else []
        signature += [tf.TensorSpec([1, *tensor.shape[1:]], kind) for _ in beside]
        function = self._altered_head("placed", path, tensor, Alteration(signature, alter))
        known = self._known("placed", path, x, witness, [*beside, *self._passing(tensor)])
        own = [array.astype(kind, copy=False) for array in known[: len(beside)]]
        given = (vectors.astype(kind), weights.astype(kind), *own, *known[len(beside) :])
        return self._traced.compiler.run(function, *given)[0]

    def _ablated_at(self, path: str) -> tuple[tf.Tensor, int, Product | None]:
        """The tensor that is altered where a channel is ablated, its channels' axis, and the product behind it."""
        traced = self._traced
        with traced.compiler.lock:
            if path not in self._ablated:
                whole = traced.tensor(path)
                layout = traced.layout(whole)
                if layout.grid is not None:
                    self._ablated[path] = whole, -1, None
                    return self._ablated[path]
                _, rows, columns, axis = layout.order
                tensor = after_pooling(traced.logits, whole, (rows, columns))
                if tensor.shape.rank < whole.shape.rank:
                    axis = 1  # the only one that is left
                self._ablated[path] = (tensor, axis, product_behind(traced.logits, tensor))
        return self._ablated[path]

    def _without(self, tensor: tf.Tensor, axis: int) -> Alteration:
        """Each chosen channel set to zero."""
        layout = self._traced.layout(tensor)
        count = layout.channels if layout.grid is not None else tensor.shape[axis]

        def alter(activations: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
            kept = 1 - tf.one_hot(chosen, count, dtype=activations.dtype)
            if layout.grid is not None:
                cells = layout.symbolic_map(activations) * kept[:, tf.newaxis, tf.newaxis]
                return layout.joined(cells, activations)
            return activations * tf.reshape(
                kept, [-1, *(count if i == axis else 1 for i in range(1, len(tensor.shape)))]
            )

        signature = [tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype), tf.TensorSpec([None], tf.int32)]
        return Alteration(signature, alter)

    def _subtracted(self, tensor: tf.Tensor, axis: int, product: Product) -> Alteration:
        """The product less each chosen channel's part in it."""
        size = int(np.prod(tensor.shape[1:]))
        positions = np.arange(size, dtype=np.int64).reshape(tensor.shape[1:])
        of_channel = np.moveaxis(positions, axis - 1, 0).reshape(tensor.shape[axis], -1)
        weights = self._traced.compiler.subgraph((product.weights.name, "value"), lambda: ([], [product.weights]))

        def alter(activations: tf.Tensor, total: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
            columns = tf.gather(of_channel, chosen)
            values = tf.gather(tf.reshape(activations, [-1]), columns)
            nonzero = tf.where(values != 0)
            entries = tf.stack([nonzero[:, 0], tf.gather_nd(columns, nonzero)], axis=1)
            rows = tf.shape(chosen, tf.int64)[0]
            parts = tf.SparseTensor(entries, tf.gather_nd(values, nonzero), tf.stack([rows, np.int64(size)]))
            return total - tf.sparse.sparse_dense_matmul(parts, weights()[0], adjoint_b=product.transposed)

        signature = [
            tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype),
            tf.TensorSpec([1, *product.result.shape[1:]], product.result.dtype),
            tf.TensorSpec([None], tf.int32),
        ]
        return Alteration(signature, alter)

    def _passing(self, tensor: tf.Tensor) -> list[tf.Tensor]:
        traced = self._traced
        with traced.compiler.lock:
            if tensor.name not in self._sides:
                self._sides[tensor.name] = sides(traced.logits, tensor, traced.source, traced.reach)
        return self._sides[tensor.name]

    def _known(self, kind: str, path: str, x: Array, witness: Witness, tensors: list[tf.Tensor]) -> list[Array]:
        """The values that a head needs of one image beside what is altered.

        Kept for the image that was asked for last, where nobody can write into it, and for as long as the network
        gives it the same scores: its owner may train it in between.
        """
        if not tensors:
            return []
        known, head = self._beside, (kind, path)
        if known is not None and known.serves(x, head, witness):
            return list(known.arrays)
        compiler = self._traced.compiler
        function = compiler.subgraph((*head, "beside"), lambda: ([self._traced.source], tensors), warm=True)
        arrays = compiler.run(function, x)
        if witness and not x.flags.writeable:
            self._beside = _Beside(weakref.ref(x), head, witness, arrays)
        return list(arrays)

    def _altered_head(self, kind: str, path: str, tensor: tf.Tensor, alteration: Alteration) -> Function:
        traced = self._traced
        return altered_head(traced.compiler, (kind, path), tensor, self._passing(tensor), traced.logits, alteration)


def _same(one: Witness, other: Witness) -> bool:
    return len(one) == len(other) and all(a is b or np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def masking(traced: TracedNetwork, input_size: tuple[int, int], grid: tuple[int, ...]) -> Function:
    """A compiled function (x (1, …), maps (m, *grid), scale, noise (H, W) or (1, 1)) → logits (m, classes).

    Each map is upsampled bilinearly (half-pixel centres) to the input, the noise added, stretched to 0..1,
    multiplied by the scale, and the image with it.
    """

    def build() -> Function:
        forward, source = traced.forward(), traced.source

        signature = [
            tf.TensorSpec([1, *source.shape[1:]], source.dtype),
            tf.TensorSpec([None, *grid], tf.float32),
            tf.TensorSpec([], tf.float32),
            tf.TensorSpec([None, None], tf.float32),
        ]

        def masked(x: tf.Tensor, maps: tf.Tensor, scale: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
            masks = tf.image.resize(maps[..., tf.newaxis], input_size, "bilinear")
            masks += noise[..., tf.newaxis]
            low = tf.reduce_min(masks, axis=(1, 2, 3), keepdims=True)
            high = tf.reduce_max(masks, axis=(1, 2, 3), keepdims=True)
            precision = source.dtype if source.dtype.is_floating else tf.float32
            masks = tf.cast(scale * tf.math.divide_no_nan(masks - low, high - low), precision)
            if traced.channels_first:
                masks = tf.transpose(masks, (0, 3, 1, 2))
            seen = tf.cast(x, precision) * masks
            return forward(tf.cast(seen if source.dtype.is_floating else tf.round(seen), source.dtype))[0]

        return traced.compiler.compiled(masked, signature)

    return traced.compiler.cached(("masked", grid), build)
