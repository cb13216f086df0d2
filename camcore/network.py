"""Network: a Keras model made ready to be looked into, compiled and cached per model.

The model is traced once; every question (scores, activations and gradients at some layers, masked forward
passes, the head behind a layer) is then cut out of that one graph as a compiled function and kept. Nothing is
traced again for a new picture or class.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import LayerError, MethodError, ModelError, PictureError
from camcore.framing import Frame, frame_picture
from camcore.layers import LayerInfo, ladder, list_layers
from camcore.linear_head import why_not_linear
from camcore.origin import Origin
from camcore.pictures import Picture
from camcore.predictions import Prediction, probabilities, top_predictions
from camcore.receptive import reaches
from camcore.scores import Activation, find_scores
from camcore.tracing import first_line, trace_model

Array = NDArray[Any]
Preprocess = Callable[[NDArray[np.float32]], ArrayLike]

TOP_CLASS = -1  # as a class index inside the compiled functions: each image's own top class

# More classes than this in one compiled pass gain little and cost memory; further ones take another pass.
CLASSES_PER_PASS = 4

# Compiled functions kept per network. Each holds a copy of a part of the graph, but no weights.
_KEPT_FUNCTIONS = 24

# TensorFlow uses every core for one run; a second one at the same time only slows both. Long work takes the
# turn anew for every chunk, so that a short question never waits for more than one chunk.
_TURN = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))


@dataclass(frozen=True, eq=False)
class Pass:
    """What one shared pass over n images gives.

    ``logits``: (n, classes). ``activations``: layer path → (n, h, w, K). ``classes``: for each class asked,
    its index per image (n,). ``gradients``: for each class asked, layer path → ∂logit/∂A, (n, h, w, K).
    All channels last, float32 (float64 for float64 networks). ``seconds``: the time of the computation, without
    compiling it.
    """

    logits: Array
    activations: dict[str, Array]
    classes: tuple[NDArray[np.int64], ...]
    gradients: tuple[dict[str, Array], ...]
    seconds: float


class Network:
    """A Keras image classifier, ready to be looked into. Made by ``camcore.load`` and ``camcore.wrap``.

    Attributes: ``name``; ``input_size`` (h, w); ``labels``, one per class; ``classes``, their number;
    ``activation`` that turns logits into probabilities (``softmax``, ``sigmoid`` or ``linear``);
    ``layers``, a tuple of LayerInfo; ``default_layer``, the path of the recommended one; ``ladder``, the paths
    of the last layer of each of the last four grid sizes; ``parameters``; ``weights_note``, where the weights
    came from; ``origin``, what it takes to have the network again, None where nobody knows. Safe to use from
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
        self._lock = threading.RLock()
        self._functions: OrderedDict[tuple[Any, ...], Callable[..., Any]] = OrderedDict()
        self._slots: list[tuple[Any, Any]] = []  # class placeholder, class index really used
        self._gradients: list[dict[str, Any]] = []  # per slot: layer path → symbolic gradient
        self._obstacles: dict[str, str] = {}  # layer path → what breaks CAM's equality behind it, empty: nothing
        # The last picture made ready: one question about a picture is seldom the only one.
        self._prepared: tuple[Any, ...] = (None, "", None, None)

        sides = (channels, *input_size) if channels_first else (*input_size, channels)
        self._trace = trace_model(model, sides, dtype, choose)
        self.parameters = int(model.count_params())  # after the trace, which builds the model
        self._scores = find_scores(self._trace.output)
        self._reach = reaches(self._trace.function.graph, self._trace.input, channels_first)
        self._table = list_layers(self._trace, self._scores.source, self._reach, channels_first)
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

    def tap(self, x: ArrayLike, layers: Sequence[str], classes: Sequence[int | Sequence[int]] = ()) -> Pass:
        """Activations at ``layers`` and, for each class, the gradients of its logit there: one shared pass.

        ``layers``: paths. ``classes``: each one index for all images, or one per image; TOP_CLASS means each
        image's own top class. Raises LayerError where no gradient reaches a layer.
        """
        batch = self.check_input(x)
        paths = tuple(dict.fromkeys(layers))
        chunks = [classes[i : i + CLASSES_PER_PASS] for i in range(0, len(classes), CLASSES_PER_PASS)] or [()]
        passes = [self._tap(batch, paths, chunk) for chunk in chunks]
        return Pass(
            passes[0].logits,
            passes[0].activations,
            tuple(c for one in passes for c in one.classes),
            tuple(g for one in passes for g in one.gradients),
            sum(one.seconds for one in passes),
        )

    def _tap(self, batch: Array, paths: tuple[str, ...], classes: Sequence[int | Sequence[int]]) -> Pass:
        n = len(batch)
        wanted = [np.broadcast_to(np.asarray(c, np.int32), (n,)) for c in classes]
        function = self._tapping(paths, len(classes))
        start = perf_counter()
        results = self._run(function, batch, *wanted)
        seconds = perf_counter() - start
        logits, results = results[0], results[1:]
        used, results = results[: len(classes)], results[len(classes) :]
        maps = [self._channels_last(array) for array in results]
        activations = dict(zip(paths, maps[: len(paths)], strict=True))
        gradients = tuple(
            dict(zip(paths, maps[len(paths) * (i + 1) : len(paths) * (i + 2)], strict=True))
            for i in range(len(classes))
        )
        return Pass(logits, activations, tuple(used), gradients, seconds)

    def masked_logits(self, x: Array, maps: Array) -> Array:
        """The logits (m, classes) of one preprocessed image (1, H, W, C) seen through m masks.

        ``maps``: (m, h, w), each upsampled bilinearly (half-pixel centres) to the input and stretched to 0..1.
        """
        return self._run(self._masking(maps.shape[1:]), x, maps)

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

    def check_linear_head(self, layer: Any) -> str:
        """The path of a layer behind which a global average and a linear head follow, as CAM needs it.

        Raises MethodError where something else does; the message says what.
        """
        path = self.layer_with_grid(layer).path
        with self._lock:
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

    def _forward(self) -> Callable[..., Any]:
        return self._compiled(("forward",), lambda: ([self._trace.input], [self._scores.logits]))

    def _head(self, path: str) -> Callable[..., Any]:
        tensor = self._table.tensors[path]
        return self._compiled(("head", path), lambda: ([self._trace.input, tensor], [self._scores.logits]))

    def _tapping(self, paths: tuple[str, ...], classes: int) -> Callable[..., Any]:
        def ends() -> tuple[list[Any], list[Any]]:
            gradients = [self._gradient(slot, paths) for slot in range(classes)]
            feeds = [self._trace.input, *(asked for asked, _ in self._slots[:classes])]
            fetches = [
                self._scores.logits,
                *(used for _, used in self._slots[:classes]),
                *(self._table.tensors[path] for path in paths),
                *(gradient for group in gradients for gradient in group),
            ]
            return feeds, fetches

        def warm(function: Callable[..., Any]) -> None:
            # TensorFlow optimises a function at its first call; that is not the time that a map takes.
            shape = [side or 1 for side in self._trace.input.shape]
            x = np.zeros(shape, self._trace.input.dtype.as_numpy_dtype)
            self._run(function, x, *[np.zeros(1, np.int32)] * classes)

        return self._compiled(("tap", paths, classes), ends, warm)

    def _gradient(self, slot: int, paths: tuple[str, ...]) -> list[Any]:
        """Symbolic gradients of the logit of class slot ``slot``; built once for all layers and kept.

        The default layer's, which nearly everybody asks for first, is built alone, because that is quick.
        """
        import tensorflow as tf

        if slot == len(self._slots):
            with self._trace.function.graph.as_default():
                logits = self._scores.logits
                asked = tf.compat.v1.placeholder(tf.int32, [None], f"class_{slot}")
                top = tf.argmax(logits, axis=1, output_type=tf.int32)
                self._slots.append((asked, tf.where(asked < 0, top, asked)))
            self._gradients.append({})
        known = self._gradients[slot]
        missing = [path for path in paths if path not in known]
        if missing:
            if missing != [self.default_layer]:
                missing = [info.path for info in self.layers if info.usable and info.path not in known]
            with self._trace.function.graph.as_default():
                score = tf.gather(self._scores.logits, self._slots[slot][1], batch_dims=1)
                tensors = [self._table.tensors[path] for path in missing]
                known.update(zip(missing, tf.gradients(score, tensors), strict=True))
        for path in paths:
            if known[path] is None:
                raise LayerError(
                    f"No gradient reaches layer {path!r}: an operation without a derivative lies between it and "
                    f"the scores. Try {self.default_layer!r}, or a method without gradients ('scorecam')."
                )
        return [known[path] for path in paths]

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
                ],
            )
            def masked(x: Any, maps: Any) -> Any:
                masks = tf.image.resize(maps[..., tf.newaxis], self.input_size, "bilinear")
                low = tf.reduce_min(masks, axis=(1, 2, 3), keepdims=True)
                high = tf.reduce_max(masks, axis=(1, 2, 3), keepdims=True)
                precision = source.dtype if source.dtype.is_floating else tf.float32
                masks = tf.cast(tf.math.divide_no_nan(masks - low, high - low), precision)
                if spatial_last:
                    masks = tf.transpose(masks, (0, 3, 1, 2))
                seen = tf.cast(x, precision) * masks
                return forward(tf.cast(seen if source.dtype.is_floating else tf.round(seen), source.dtype))[0]

            return masked.get_concrete_function()

        return self._kept(("masked", grid), build)

    def _compiled(
        self,
        key: tuple[Any, ...],
        ends: Callable[[], tuple[list[Any], list[Any]]],
        warm: Callable[[Callable[..., Any]], None] | None = None,
    ) -> Callable[..., Any]:
        """The part of the traced graph between two ends (feeds, fetches), as a function returning a list."""
        import tensorflow as tf

        def build() -> Callable[..., Any]:
            feeds, fetches = ends()
            # With its arguments described, TensorFlow takes them as they come and does not try other ways first.
            arguments = tuple(tf.TensorSpec(feed.shape, feed.dtype, feed.op.name) for feed in feeds)
            function = self._trace.function.prune(feeds, fetches, input_signature=(arguments, {}))
            if warm is not None:
                warm(function)
            return function

        return self._kept(key, build)

    def _kept(self, key: tuple[Any, ...], build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
        with self._lock:
            if key not in self._functions:
                self._functions[key] = build()
                while len(self._functions) > _KEPT_FUNCTIONS:
                    self._functions.popitem(last=False)
            self._functions.move_to_end(key)
            return self._functions[key]

    def _run(self, function: Callable[..., Any], *arguments: Array) -> Any:
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        try:
            with _TURN:
                results = function(*tensors)
        except tf.errors.OpError as error:
            raise ModelError(
                f"{self.name} cannot be run here: {first_line(error)}. TensorFlow lacks this computation on this "
                "machine, or ran out of memory. Try a smaller input, another precision or another backbone."
            ) from error
        if isinstance(results, (list, tuple)):
            return [_to_numpy(result) for result in results]
        return _to_numpy(results)

    def _channels_last(self, array: Array) -> Array:
        return array.transpose(0, 2, 3, 1) if self._channels_first else array


def check_picture(pic: Any) -> None:
    """Raise PictureError for what is not a Picture."""
    if not isinstance(pic, Picture):
        raise PictureError(
            f"{type(pic).__name__} is not a Picture. Make one with camcore.open_picture(path or bytes), or "
            "camcore.Picture.from_array(rgb) from uint8 pixels."
        )


def _to_numpy(tensor: Any) -> Array:
    array = tensor.numpy()
    if array.dtype.kind in "iu" or array.dtype in (np.float32, np.float64):
        return array
    return array.astype(np.float32)  # half precision: maps are computed in single


def _checked_labels(labels: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"class {index}" for index in range(classes))
    if len(labels) != classes:
        raise ModelError(
            f"{len(labels)} labels were given, but the network has {classes} classes. Give one label per class"
            + (" (a single sigmoid unit has two, the negative one first)." if classes == 2 else ".")
        )
    return tuple(str(label) for label in labels)
