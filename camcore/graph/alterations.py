"""The scores of one image with a layer's output altered: one channel less, or one place only.

Only what lies behind the layer is computed for each alteration. Where all of the layer flows into one matrix
product (global pooling and a dense layer, or a flattened map and one), a channel's part in that product is
subtracted from it, so that each weight is used once for all channels together, not once for each.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.graph.compiled import Function
from camcore.graph.heads import Product, after_pooling, altering, product_behind, sides
from camcore.graph.traced_network import Anatomy, own_order

Array = NDArray[Any]
Witness = tuple[Array, ...]


class Alterations:
    """Compiled heads of one network; keeps what was computed of the last image beside them."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._ablated: dict[str, tuple[Any, int, Product | None]] = {}
        self._sides: dict[str, list[Any]] = {}  # tensor's name → what passes it by
        self._beside: tuple[Any, tuple[str, str], Witness, list[Array]] = (None, ("", ""), (), [])

    def on(self, anatomy: Anatomy) -> Alterations:
        """The same heads, cut by another cutter of the same trace."""
        other = copy.copy(self)
        other._anatomy = anatomy
        other._beside = (None, ("", ""), (), [])
        return other

    def head(self, path: str) -> Function:
        """(x, a layer's output in the network's own layout) → [logits]."""
        anatomy = self._anatomy
        return anatomy.cutter.part(("head", path), lambda: ([anatomy.source, anatomy.tensor(path)], [anatomy.logits]))

    def ablated_size(self, path: str) -> int:
        """How many values are altered when one of a layer's channels is set to zero."""
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
        function = self._altering("ablated", path, replaced, alteration)
        known = self._known("ablated", path, x, witness, [*needed, *self._passing(replaced)])
        given = [array.astype(one.dtype.as_numpy_dtype, copy=False) for array, one in zip(known, needed, strict=False)]
        return self._anatomy.cutter.run(function, *given, chosen, *known[len(needed) :])

    def placed(self, x: Array, path: str, vectors: Array, weights: Array, witness: Witness) -> Array:
        """See ``Network.placed_logits``."""
        import tensorflow as tf

        tensor = self._anatomy.tensor(path)
        order = self._anatomy.order(tensor)

        def alter(values: Any, shares: Any) -> Any:
            altered = values[:, tf.newaxis, tf.newaxis] * shares[..., tf.newaxis]
            return altered if order == (0, 1, 2, 3) else tf.transpose(altered, own_order(order))

        *grid, channels = (tensor.shape[axis] for axis in order[1:])
        signature = [tf.TensorSpec([None, channels], tensor.dtype), tf.TensorSpec([None, *grid], tensor.dtype)]
        function = self._altering("placed", path, tensor, (signature, alter))
        passing = self._known("placed", path, x, witness, self._passing(tensor))
        kind = tensor.dtype.as_numpy_dtype
        return self._anatomy.cutter.run(function, vectors.astype(kind), weights.astype(kind), *passing)

    def _ablated_at(self, path: str) -> tuple[Any, int, Product | None]:
        """What is altered where a channel is ablated, its channels' axis, and the product behind it."""
        anatomy = self._anatomy
        with anatomy.cutter.lock:
            if path not in self._ablated:
                whole = anatomy.tensor(path)
                _, rows, columns, axis = anatomy.order(whole)
                tensor = after_pooling(anatomy.logits, whole, (rows, columns))
                if tensor.shape.rank < whole.shape.rank:
                    axis = 1  # the only one that is left
                self._ablated[path] = (tensor, axis, product_behind(anatomy.logits, tensor))
        return self._ablated[path]

    def _without(self, tensor: Any, axis: int) -> tuple[list[Any], Callable[..., Any]]:
        """Each chosen channel set to zero."""
        import tensorflow as tf

        count = tensor.shape[axis]

        def alter(activations: Any, chosen: Any) -> Any:
            kept = 1 - tf.one_hot(chosen, count, dtype=activations.dtype)
            return activations * tf.reshape(
                kept, [-1, *(count if i == axis else 1 for i in range(1, len(tensor.shape)))]
            )

        return [tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype), tf.TensorSpec([None], tf.int32)], alter

    def _subtracted(self, tensor: Any, axis: int, product: Product) -> tuple[list[Any], Callable[..., Any]]:
        """The product less each chosen channel's part in it."""
        import tensorflow as tf

        size = int(np.prod(tensor.shape[1:]))
        numbers = np.arange(size, dtype=np.int64).reshape(tensor.shape[1:])
        places = np.moveaxis(numbers, axis - 1, 0).reshape(tensor.shape[axis], -1)
        weights = self._anatomy.cutter.part((product.weights.name, "value"), lambda: ([], [product.weights]))

        def alter(activations: Any, total: Any, chosen: Any) -> Any:
            columns = tf.gather(places, chosen)
            values = tf.gather(tf.reshape(activations, [-1]), columns)
            lively = tf.where(values != 0)
            entries = tf.stack([lively[:, 0], tf.gather_nd(columns, lively)], axis=1)
            rows = tf.shape(chosen, tf.int64)[0]
            parts = tf.SparseTensor(entries, tf.gather_nd(values, lively), tf.stack([rows, np.int64(size)]))
            return total - tf.sparse.sparse_dense_matmul(parts, weights()[0], adjoint_b=product.transposed)

        signature = [
            tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype),
            tf.TensorSpec([1, *product.result.shape[1:]], product.result.dtype),
            tf.TensorSpec([None], tf.int32),
        ]
        return signature, alter

    def _passing(self, tensor: Any) -> list[Any]:
        anatomy = self._anatomy
        with anatomy.cutter.lock:
            if tensor.name not in self._sides:
                self._sides[tensor.name] = sides(anatomy.logits, tensor, anatomy.source, anatomy.reach)
        return self._sides[tensor.name]

    def _known(self, kind: str, path: str, x: Array, witness: Witness, tensors: list[Any]) -> list[Array]:
        """What a head needs of one image beside what is altered.

        Kept for the image that was asked for last, where nobody can write into it, and for as long as the network
        says the same of it: its owner may train it in between.
        """
        if not tensors:
            return []
        image, known, said, found = self._beside
        if image is None or image() is not x or known != (kind, path) or not _same(said, witness):
            cutter = self._anatomy.cutter
            part = cutter.part(
                (kind, path, "beside"),
                lambda: ([self._anatomy.source], tensors),
                lambda function: cutter.warm(function, x),
            )
            found = cutter.run(part, x)
            if witness and not x.flags.writeable:
                self._beside = (weakref.ref(x), (kind, path), witness, found)
        return list(found)

    def _altering(self, kind: str, path: str, tensor: Any, alter: tuple[list[Any], Callable[..., Any]]) -> Function:
        anatomy = self._anatomy
        return altering(anatomy.cutter, (kind, path), tensor, self._passing(tensor), anatomy.logits, alter)


def _same(one: Witness, other: Witness) -> bool:
    return len(one) == len(other) and all(a is b or np.array_equal(a, b) for a, b in zip(one, other, strict=True))
