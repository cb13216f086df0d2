"""Network: a Keras model made ready to be looked into, compiled and cached per model.

The model is traced once; every question (scores, activations and gradients at some layers, masked forward
passes, the head behind a layer) is then cut out of that one graph as a compiled function and kept. Nothing is
traced again for a new picture or class.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.biases import Bias, find_biases
from camcore.cutting import Cutter, Function
from camcore.errors import MethodError, ModelError, PictureError
from camcore.fingerprints import fingerprint
from camcore.framing import Frame, frame_picture
from camcore.graphs import shares_behind
from camcore.heads import after_pooling, altering, sides
from camcore.layers import LayerInfo, ladder, list_layers
from camcore.linear_head import is_affine, why_not_linear
from camcore.methods.info import Site
from camcore.origin import Origin
from camcore.pictures import Picture
from camcore.predictions import Prediction, probabilities, top_predictions
from camcore.receptive import reaches
from camcore.responses import before_rectifier, responding
from camcore.scores import Activation, find_scores
from camcore.targets import INPUT, LOGIT, Score, Targets
from camcore.tracing import trace_model

Array = NDArray[Any]
Preprocess = Callable[[NDArray[np.float32]], ArrayLike]

TOP_CLASS = -1  # as a class index inside the compiled functions: each image's own top class

# More classes than this in one compiled pass gain little and cost memory; further ones take another pass.
CLASSES_PER_PASS = 4

_SERIAL = itertools.count()


@dataclass(frozen=True, eq=False)
class Pass:
    """What one shared pass over n images gives.

    ``logits``: (n, classes). ``activations``: layer path → (n, h, w, K). ``classes``: for each class asked,
    its index per image (n,). ``gradients``: for each class asked, layer path → ∂score/∂A, (n, h, w, K).
    ``curvatures``: likewise H·A, where it was asked for. All channels last, float32 (float64 for float64 networks).
    ``seconds``: the time of the computation, without compiling it.
    """

    logits: Array
    activations: dict[str, Array]
    classes: tuple[NDArray[np.int64], ...]
    gradients: tuple[dict[str, Array], ...]
    seconds: float
    curvatures: tuple[dict[str, Array], ...] = ()


@dataclass(frozen=True, eq=False)
class BiasPass:
    """What FullGrad needs of one image and class c, from one pass.

    ``input``: x ⊙ ∂y_c/∂x, (H, W, C). ``layers``: for each bias with a grid b ⊙ ∂y_c/∂z, (h, w, K). ``rest``: the
    sum of b·∂y_c/∂z over the biases without a grid, such as a dense layer's. ``logit``: y_c.
    """

    input: Array
    layers: tuple[Array, ...]
    rest: float
    logit: float
    seconds: float


class Network:
    """A Keras image classifier, ready to be looked into. Made by ``camcore.load`` and ``camcore.wrap``.

    Attributes: ``name``; ``input_size`` (h, w); ``labels``, one per class; ``classes``, their number;
    ``activation`` that turns logits into probabilities (``softmax``, ``sigmoid`` or ``linear``);
    ``layers``, a tuple of LayerInfo; ``default_layer``, the path of the recommended one; ``ladder``, the paths
    of the last layer of each of the last four grid sizes; ``parameters``; ``weights_note``, where the weights
    came from; ``origin``, what it takes to have the network again, None where nobody knows; ``serial``, a number
    that no other network of this process has. Safe to use from
    several threads. The model is never changed.
    """

    def __init__(
        self,
        model: Any,
        *,
        name: str,
        input_size: tuple[int, int],
        channels: int,
        channels_first: bool,
        dtype: str,
        labels: Sequence[str] | None,
        preprocess: Preprocess | None,
        choose: Callable[[Any], Any],
        weights_note: str,
        origin: Origin | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.input_size = input_size
        self.channels = channels
        self.weights_note = weights_note
        self.origin = origin
        self._channels_first = channels_first
        self._preprocess = preprocess
        self.serial = next(_SERIAL)
        self._obstacles: dict[str, str] = {}  # layer path → what breaks CAM's equality behind it, empty: nothing
        self._affine: dict[str, bool] = {}
        # The last picture made ready: one question about a picture is seldom the only one.
        self._prepared: tuple[Any, ...] = (None, "", None, None)

        sides = (channels, *input_size) if channels_first else (*input_size, channels)
        self._trace = trace_model(model, sides, dtype, choose)
        self.parameters = int(model.count_params())  # after the trace, which builds the model
        self._scores = find_scores(self._trace.output)
        self._reach = reaches(self._trace.function.graph, self._trace.input, channels_first)
        self._table = list_layers(self._trace, self._scores.source, self._reach, channels_first)
        self._cutter = Cutter(self._trace, name)
        self._targets = Targets(self._cutter, self._scores, self._table.tensors, self._table.default)
        self._ablated: dict[str, Any] = {}  # layer path → where its channels are set to zero
        self._side_tensors: dict[str, list[Any]] = {}  # tensor's name → what passes it by
        self._last_beside: tuple[Any, tuple[str, str], list[Array]] = (None, ("", ""), [])
        self._shares = shares_behind(self._scores.logits)
        self.activation: Activation = self._scores.activation
        self.classes = self._scores.classes
        self.labels = _checked_labels(labels, self.classes)

    def __repr__(self) -> str:
        h, w = self.input_size
        return f"<Network {self.name}: {h}×{w}, {self.classes} classes, default layer {self.default_layer!r}>"

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """Every call of every layer, in the order of the computation."""
        return self._table.infos

    @property
    def default_layer(self) -> str:
        """The path of the recommended layer."""
        return self._table.default

    @cached_property
    def ladder(self) -> tuple[str, ...]:
        """The last layer of each of the last four grid sizes, shallow to deep; ends with the default layer."""
        return ladder(self._table)

    def layer(self, layer: Any) -> LayerInfo:
        """The layer named by a path, a bare name (of several calls the last), or a Keras layer object.

        Raises LayerError, with the nearest match, where there is none.
        """
        return self._table.find(layer)

    def layer_with_grid(self, layer: Any = None) -> LayerInfo:
        """As ``layer`` (None: the default), and raises LayerError where it can carry no heatmap."""
        return self._table.usable(self.default_layer if layer is None else layer)

    def check_class(self, index: Any) -> int:
        """``index`` as an int. Raises ModelError where the network has no such class."""
        try:
            value = int(index)
            whole = bool(value == index) and not isinstance(index, (bool, np.bool_))
        except (TypeError, ValueError, OverflowError):
            value, whole = -1, False
        if not whole or not 0 <= value < self.classes:
            raise ModelError(
                f"There is no class {index!r} in {self.name}: it has {self.classes} classes, 0 to {self.classes - 1}. "
                "Choose one of these."
            )
        return value

    # ---- pictures and scores

    def prepare(self, pic: Picture, framing: str = "crop") -> tuple[Array, Frame]:
        """The picture as the network's input, a batch of one, and the frame that leads back to its pixels.

        Raises PictureError for what is not a Picture, CamcoreError for an unknown framing.
        """
        check_picture(pic)
        picture, kept_framing, x, frame = self._prepared
        if picture is None or picture() is not pic.rgb or kept_framing != framing:
            rgb, frame = frame_picture(pic, self.input_size, framing)
            x = self.preprocess(rgb[np.newaxis])
            x.setflags(write=False)
            self._prepared = (weakref.ref(pic.rgb), framing, x, frame)
        return x, frame

    def preprocess(self, rgb: NDArray[np.float32]) -> Array:
        """RGB float32 0..255 (n, h, w, 3) → network input; grey networks get the luma (ITU-R BT.601)."""
        x = np.array(rgb, np.float32)
        if self._preprocess is not None:
            x = np.asarray(self._preprocess(x))
        if x.shape[-1] == 3 and self.channels == 1:
            x = x @ np.array([[0.299], [0.587], [0.114]], x.dtype)
        return x.transpose(0, 3, 1, 2) if self._channels_first and x.shape[-1] == self.channels else x

    def check_input(self, x: ArrayLike) -> Array:
        """A preprocessed batch, checked and in the network's dtype. One image gains the batch axis.

        Raises ModelError where the shape does not fit or a value is not finite.
        """
        batch = np.asarray(x)
        if batch.ndim == 3:
            batch = batch[np.newaxis]
        wanted = tuple(self._trace.input.shape[1:])
        if batch.shape[1:] != wanted or not batch.shape[0]:
            raise ModelError(
                f"The input has the shape {np.shape(x)}; {self.name} takes {wanted} or (n, *{wanted}), already "
                "preprocessed. Use camcore.explain to give it a picture of any size."
            )
        if batch.dtype.kind not in "fiub" and "float" not in batch.dtype.name:  # bfloat16 has a kind of its own
            raise ModelError(f"The input holds {batch.dtype} values; {self.name} takes numbers.")
        with np.errstate(over="ignore"):  # what overflows is refused below
            batch = batch.astype(self._trace.input.dtype.as_numpy_dtype, copy=False)
        if not np.isfinite(batch).all():
            raise ModelError("The input holds NaN or infinite values. Check its preprocessing.")
        return batch

    def logits(self, x: ArrayLike) -> Array:
        """The logits (n, classes) of a preprocessed batch, as floats of the network's precision."""
        return self._run(self._forward(), self.check_input(x))[0]

    def predict(self, pic: Picture, top: int = 5, framing: str = "crop") -> tuple[Prediction, ...]:
        """The ``top`` most probable classes of a picture, most probable first."""
        x, _ = self.prepare(pic, framing)
        return self.predictions(self.logits(x)[0], top)

    def predictions(self, logits: Array, top: int = 5) -> tuple[Prediction, ...]:
        """The ``top`` classes for the logits (classes,) of one image, most probable first."""
        return top_predictions(logits, self.activation, self.labels, top)

    def probabilities(self, logits: Array) -> NDArray[np.float64]:
        """Probabilities of logits (..., classes), by the network's own last activation."""
        return probabilities(logits, self.activation)

    # ---- looking inside

    def tap(
        self,
        x: ArrayLike,
        layers: Sequence[str],
        classes: Sequence[int | Sequence[int]] = (),
        score: Score = LOGIT,
        curvature: bool = False,
    ) -> Pass:
        """Activations at ``layers`` and, for each class, the gradients of its score there: one shared pass.

        ``layers``: paths; INPUT means the network's input. ``classes``: each one index for all images, or one per
        image; TOP_CLASS means each image's own top class. ``score``: what is differentiated, the logit by default.
        ``curvature``: also the Hessian times the activations. Raises LayerError where no gradient reaches a layer.
        """
        batch = self.check_input(x)
        paths = tuple(dict.fromkeys(layers))
        chunks = [classes[i : i + CLASSES_PER_PASS] for i in range(0, len(classes), CLASSES_PER_PASS)] or [()]
        passes = [self._tap(batch, paths, chunk, score, curvature) for chunk in chunks]
        return Pass(
            passes[0].logits,
            passes[0].activations,
            tuple(c for one in passes for c in one.classes),
            tuple(g for one in passes for g in one.gradients),
            sum(one.seconds for one in passes),
            tuple(h for one in passes for h in one.curvatures),
        )

    def _tap(
        self,
        batch: Array,
        paths: tuple[str, ...],
        classes: Sequence[int | Sequence[int]],
        score: Score,
        curvature: bool,
    ) -> Pass:
        n = len(batch)
        wanted = [np.broadcast_to(np.asarray(c, np.int32), (n,)) for c in classes]
        function = self._tapping(paths, len(classes), score, curvature)
        fed = [np.asarray(value, np.int32 if isinstance(value, tuple) else None) for value in score.fed]
        if classes and fed:
            fed[0] = fed[0].astype(self._scores.logits.dtype.as_numpy_dtype)
            wanted += fed
        start = perf_counter()
        results = self._run(function, batch, *wanted)
        seconds = perf_counter() - start
        logits, used, rest = results[0], results[1 : len(classes) + 1], results[len(classes) + 1 :]
        groups = [
            dict(zip(paths, map(self.channels_last, rest[i : i + len(paths)]), strict=True))
            for i in range(0, len(rest), max(len(paths), 1))
        ] or [{}] * (1 + len(classes))
        gradients, curvatures = groups[1 : 1 + len(classes)], groups[1 + len(classes) :]
        return Pass(logits, groups[0], tuple(used), tuple(gradients), seconds, tuple(curvatures))

    def bias_pass(self, x: ArrayLike, index: int) -> BiasPass:
        """x ⊙ ∂y/∂x and b ⊙ ∂y/∂z at every bias of the network, for one image and class; see BiasPass."""
        import tensorflow as tf

        biases = self._biases

        def ends() -> tuple[list[Any], list[Any]]:
            slot = self._targets.slot(LOGIT, 0)
            totals = [self._trace.input, *(bias.total for bias in biases)]
            with self._trace.function.graph.as_default():
                gradients = tf.gradients(slot.score, totals, unconnected_gradients="zero")
                added = [self._trace.input, *(bias.added for bias in biases)]
                products = [b * g for b, g in zip(added, gradients, strict=True)]
                rest = [
                    tf.reduce_sum(tf.cast(product, self._scores.logits.dtype))
                    for product, bias in zip(products[1:], biases, strict=True)
                    if not bias.spatial
                ]
                total = [tf.add_n(rest)] if rest else []
            spatial = [p for p, bias in zip(products[1:], biases, strict=True) if bias.spatial]
            return [self._trace.input, slot.asked], [self._scores.logits, products[0], *spatial, *total]

        with self._cutter.lock:
            function = self._cutter.part(("biases",), ends, self._warm(1))
        batch = self.check_input(x)
        start = perf_counter()
        logits, seen, *layers = self._run(function, batch, np.array([index], np.int32))
        seconds = perf_counter() - start
        rest = float(layers.pop()) if any(not bias.spatial for bias in biases) else 0.0
        spatial = tuple(self.channels_last(one)[0] for one in layers)
        return BiasPass(self.channels_last(seen)[0], spatial, rest, float(logits[0, index]), seconds)

    @cached_property
    def _biases(self) -> tuple[Bias, ...]:
        with self._cutter.lock:
            return find_biases(self._scores.logits, self._reach)

    def masked_logits(self, x: Array, maps: Array, scale: float = 1.0, noise: Array | None = None) -> Array:
        """The logits (m, classes) of one preprocessed image (1, H, W, C) seen through m masks.

        ``maps``: (m, h, w), each upsampled bilinearly (half-pixel centres) to the input, ``noise`` (H, W) added
        where it is given, stretched to 0..1, and multiplied by ``scale``.
        """
        added = np.zeros((1, 1), np.float32) if noise is None else noise
        return self._run(self._masking(maps.shape[1:]), x, maps, np.asarray(scale, np.float32), added)

    def ablated_logits(self, x: Array, layer: str, channels: ArrayLike) -> Array:
        """The logits (m, classes) of one image (1, H, W, C) with one channel of a layer set to zero in each.

        ``channels``: m channel numbers.
        """
        import tensorflow as tf

        tensor = self._ablated_tensor(layer)
        axis = 1 if self._channels_first else tensor.shape.rank - 1
        count = tensor.shape[axis]

        def without(activations: Any, chosen: Any) -> Any:
            kept = 1 - tf.one_hot(chosen, count, dtype=activations.dtype)
            return activations * tf.reshape(
                kept, [-1, *(count if i == axis else 1 for i in range(1, len(tensor.shape)))]
            )

        signature = [tf.TensorSpec([1, *tensor.shape[1:]], tensor.dtype), tf.TensorSpec([None], tf.int32)]
        function = self._altering("ablated", layer, tensor, (signature, without))
        activations, *passing = self._beside("ablated", layer, x, [tensor, *self._passing(tensor)])
        kind = tensor.dtype.as_numpy_dtype
        return self._run(function, activations.astype(kind, copy=False), np.asarray(channels, np.int32), *passing)

    def placed_logits(self, x: Array, layer: str, vectors: Array, weights: Array) -> Array:
        """The logits (m, classes) of one image with a layer's output replaced by vectors put at places.

        ``vectors`` (m, K) and ``weights`` (m, h, w): the i-th output is their outer product (h, w, K).
        """
        import tensorflow as tf

        tensor = self._table.tensors[layer]

        def placed(values: Any, shares: Any) -> Any:
            if self._channels_first:
                return values[:, :, tf.newaxis, tf.newaxis] * shares[:, tf.newaxis]
            return values[:, tf.newaxis, tf.newaxis] * shares[..., tf.newaxis]

        channels = tensor.shape[1 if self._channels_first else 3]
        grid = tensor.shape[2:4] if self._channels_first else tensor.shape[1:3]
        signature = [tf.TensorSpec([None, channels], tensor.dtype), tf.TensorSpec([None, *grid], tensor.dtype)]
        function = self._altering("placed", layer, tensor, (signature, placed))
        passing = self._beside("placed", layer, x, self._passing(tensor))
        kind = tensor.dtype.as_numpy_dtype
        return self._run(function, vectors.astype(kind), weights.astype(kind), *passing)

    def climb(
        self, layer: str | None, key: Hashable, around: Callable[[Function], Function]
    ) -> Callable[..., list[Array]]:
        """A compiled function that ``around`` makes of a layer's responses (None: the logits), kept under ``key``.

        ``around`` gets the compiled part (x, channels (n,) int32) → [response (n,), ∂response/∂x]; see ``responding``.
        The response of a layer is taken before a last rectifier, which would have no slope where it is at rest.
        Raises LayerError where no gradient reaches the input.
        """
        if layer is None:
            tensor, axis, what = self._scores.logits, 1, "the logits"
        else:
            tensor, what = before_rectifier(self._table.tensors[layer]), f"layer {layer!r}"
            axis = 1 if self._channels_first else tensor.shape.rank - 1
        response = responding(self._cutter, ("response", layer), tensor, axis, what)
        function = self._cutter.kept(("climb", layer, key), lambda: around(response))
        return lambda *arguments: list(self._run(function, *arguments))

    def first_kernels(self) -> tuple[str, Array] | None:
        """The path of the first convolution that the input's own colours go into, and its kernels (h, w, C, K).

        None where there is no such layer.
        """
        for call in self._trace.calls:
            kernel = getattr(call.layer, "kernel", None)
            if call.kind == "Conv2D" and kernel is not None and kernel.shape[2] == self.channels:
                return call.path, np.asarray(kernel, np.float32)
        return None

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the computation from the input to the logits and of all weights, for caches on disk."""
        return fingerprint(self.model, self._scores.logits)

    def share_behind(self, layer: str) -> float:
        """The share of the network's multiplications that lie behind a layer, 0..1."""
        return self._shares[self._table.tensors[layer].op.name]

    def head(self, layer: str) -> Callable[[ArrayLike, ArrayLike], Array]:
        """The scores behind a layer: a function (x, A) → logits, with A (n, h, w, K) in place of its output.

        What the layer's output made unnecessary is not computed; what a skip connection still needs is.
        """
        path = self.layer_with_grid(layer).path
        function, tensor = self._head(path), self._table.tensors[path]

        def logits(x: ArrayLike, A: ArrayLike) -> Array:
            given = np.asarray(A)
            if self._channels_first:
                given = given.transpose(0, 3, 1, 2)
            return self._run(function, self.check_input(x), given.astype(tensor.dtype.as_numpy_dtype))[0]

        return logits

    def linear_head_offset(self, layer: str) -> Array:
        """The bias b (classes,) of the linear head behind ``layer``: its logits where the layer is all zero.

        Behind a linear head of a global average, logit_c = mean_ij(Σ_k W_kc A_kij) + b_c.
        Raises MethodError where what follows the layer is not that; the message says what is.
        """
        path = self.check_linear_head(layer)
        shapes = (self._trace.input, self._table.tensors[path])
        zeros = [np.zeros([1, *end.shape[1:]], end.dtype.as_numpy_dtype) for end in shapes]
        return self._run(self._head(path), *zeros)[0][0]

    def is_affine_behind(self, layer: str) -> bool:
        """Whether the logits are affine in the layer's output, so that Σ G ⊙ A + logits(A = 0) = logits exactly."""
        with self._cutter.lock:
            if layer not in self._affine:
                self._affine[layer] = is_affine(self._scores.source, self._table.tensors[layer])
        return self._affine[layer]

    def site(self, layer: str | None) -> Site:
        """What the cost of a method depends on, at a layer (None: on the input's own grid)."""
        if layer is None:
            return Site(self.channels, self.input_size, self.input_size, 1.0)
        info = self.layer(layer)
        assert info.grid is not None
        return Site(info.channels or 0, info.grid, self.input_size, self.share_behind(layer))

    def check_linear_head(self, layer: Any) -> str:
        """The path of a layer behind which a global average and a linear head follow, as CAM needs it.

        Raises MethodError where something else does; the message says what.
        """
        path = self.layer_with_grid(layer).path
        with self._cutter.lock:
            if path not in self._obstacles:
                tensor = self._table.tensors[path]
                self._obstacles[path] = why_not_linear(self._scores.source, tensor, self._reach)
        if self._obstacles[path]:
            raise MethodError(
                f"CAM is not defined for {self.name} at {path!r}: {self._obstacles[path]}. It needs a global average "
                "pooling followed by a linear head. Use 'gradcam', which needs no such head, or give the network one "
                "by architecture surgery (a global average pooling and a new Dense layer, trained)."
            )
        return path

    # ---- compiled functions

    def _run(self, function: Function, *arguments: Array) -> Any:
        return self._cutter.run(function, *arguments)

    def _forward(self) -> Function:
        return self._cutter.part(("forward",), lambda: ([self._trace.input], [self._scores.logits]))

    def _head(self, path: str) -> Function:
        tensor = self._table.tensors[path]
        return self._cutter.part(("head", path), lambda: ([self._trace.input, tensor], [self._scores.logits]))

    def _ablated_tensor(self, path: str) -> Any:
        with self._cutter.lock:
            if path not in self._ablated:
                tensor = self._table.tensors[path]
                self._ablated[path] = after_pooling(
                    self._scores.logits, tensor, (2, 3) if self._channels_first else (1, 2)
                )
        return self._ablated[path]

    def _passing(self, tensor: Any) -> list[Any]:
        with self._cutter.lock:
            if tensor.name not in self._side_tensors:
                found = sides(self._scores.logits, tensor, self._trace.input, self._reach)
                self._side_tensors[tensor.name] = found
        return self._side_tensors[tensor.name]

    def _beside(self, kind: str, path: str, x: Array, tensors: list[Any]) -> list[Array]:
        """What a head needs of one image beside what is altered; kept for the image that was asked for last."""
        if not tensors:
            return []
        image, known, found = self._last_beside
        if image is None or image() is not x or known != (kind, path):
            function = self._cutter.part((kind, path, "beside"), lambda: ([self._trace.input], tensors))
            found = self._run(function, x)
            self._last_beside = (weakref.ref(x), (kind, path), found)
        return list(found)

    def _altering(self, kind: str, path: str, tensor: Any, alter: tuple[list[Any], Callable[..., Any]]) -> Function:
        return altering(self._cutter, (kind, path), tensor, self._passing(tensor), self._scores.logits, alter)

    def _tapping(self, paths: tuple[str, ...], classes: int, score: Score, curvature: bool) -> Function:
        def ends() -> tuple[list[Any], list[Any]]:
            slots = [self._targets.slot(score, number) for number in range(classes)]
            gradients = [self._targets.gradients(score, number, paths) for number in range(classes)]
            curvatures = [
                [self._targets.curvature(score, number, path) for path in paths]
                for number in range(classes if curvature else 0)
            ]
            fed = self._targets.fed(score) if classes else ()
            feeds = [self._trace.input, *(slot.asked for slot in slots), *fed]
            fetches = [
                self._scores.logits,
                *(slot.used for slot in slots),
                *(self._tensor(path) for path in paths),
                *(found for group in (*gradients, *curvatures) for found in group),
            ]
            return feeds, fetches

        fed = score.fed if classes else ()
        key = ("tap", paths, classes, score.graph_kind, curvature)
        return self._cutter.part(key, ends, self._warm(classes, fed))

    def _tensor(self, path: str) -> Any:
        return self._table.tensors[path] if path != INPUT else self._trace.input

    def _warm(self, classes: int, fed: tuple[Any, ...] = ()) -> Callable[[Function], None]:
        """TensorFlow optimises a function at its first call; that is not the time that a map takes."""

        def warm(function: Function) -> None:
            shape = [side or 1 for side in self._trace.input.shape]
            x = np.zeros(shape, self._trace.input.dtype.as_numpy_dtype)
            more = [np.asarray(value, np.int32) for value in fed[1:]]
            alpha = [np.asarray(value, self._scores.logits.dtype.as_numpy_dtype) for value in fed[:1]]
            self._run(function, x, *[np.zeros(1, np.int32)] * classes, *alpha, *more)

        return warm

    def _masking(self, grid: tuple[int, ...]) -> Callable[..., Any]:
        import tensorflow as tf

        def build() -> Callable[..., Any]:
            forward = self._forward()
            source = self._trace.input
            spatial_last = self._channels_first

            @tf.function(
                autograph=False,
                input_signature=[
                    tf.TensorSpec([1, *source.shape[1:]], source.dtype),
                    tf.TensorSpec([None, *grid], tf.float32),
                    tf.TensorSpec([], tf.float32),
                    tf.TensorSpec([None, None], tf.float32),
                ],
            )
            def masked(x: Any, maps: Any, scale: Any, noise: Any) -> Any:
                masks = tf.image.resize(maps[..., tf.newaxis], self.input_size, "bilinear")
                masks += noise[..., tf.newaxis]
                low = tf.reduce_min(masks, axis=(1, 2, 3), keepdims=True)
                high = tf.reduce_max(masks, axis=(1, 2, 3), keepdims=True)
                precision = source.dtype if source.dtype.is_floating else tf.float32
                masks = tf.cast(scale * tf.math.divide_no_nan(masks - low, high - low), precision)
                if spatial_last:
                    masks = tf.transpose(masks, (0, 3, 1, 2))
                seen = tf.cast(x, precision) * masks
                return forward(tf.cast(seen if source.dtype.is_floating else tf.round(seen), source.dtype))[0]

            return masked.get_concrete_function()

        return self._cutter.kept(("masked", grid), build)

    def channels_last(self, array: Array) -> Array:
        """A batch as (n, h, w, channels), whatever the network's own layout."""
        return array.transpose(0, 2, 3, 1) if self._channels_first else array

    @property
    def channels_first(self) -> bool:
        """Whether the network's own layout is (n, C, H, W)."""
        return self._channels_first

    @property
    def dtype(self) -> str:
        """The input's dtype."""
        return str(self._trace.input.dtype.name)

    def as_input(self, batch: Array) -> Array:
        """A batch (n, H, W, C) in the network's own layout."""
        return batch.transpose(0, 3, 1, 2) if self._channels_first else batch


def check_picture(pic: Any) -> None:
    """Raise PictureError for what is not a Picture."""
    if not isinstance(pic, Picture):
        raise PictureError(
            f"{type(pic).__name__} is not a Picture. Make one with camcore.open_picture(path or bytes), or "
            "camcore.Picture.from_array(rgb) from uint8 pixels."
        )


def _checked_labels(labels: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"class {index}" for index in range(classes))
    if len(labels) != classes:
        raise ModelError(
            f"{len(labels)} labels were given, but the network has {classes} classes. Give one label per class"
            + (" (a single sigmoid unit has two, the negative one first)." if classes == 2 else ".")
        )
    return tuple(str(label) for label in labels)
