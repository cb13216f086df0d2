"""Network: a Keras model made ready to be looked into, compiled and cached per model.

The model is traced once; every question (scores, activations and gradients at some layers, masked forward
passes, the head behind a layer) is then cut out of that one graph as a compiled function and kept. Nothing is
traced again for a new picture or class.
"""

from __future__ import annotations

import copy
import itertools
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, many, numbers, optional, refused, shown, whole
from camcore.class_names import index_of, output_labels
from camcore.errors import CamcoreError, LayerError, MethodError, ModelError, PictureError
from camcore.forking import check_not_forked
from camcore.framing import Frame, check_framing, frame_picture
from camcore.graph.alterations import Alterations
from camcore.graph.before_map import features_before_map
from camcore.graph.compiled import Cutter, FedCutter, Function
from camcore.graph.fingerprints import fingerprint
from camcore.graph.gradients import BiasPass, Pass, Taps
from camcore.graph.layers import LayerInfo, ladder, list_layers, listed_calls
from camcore.graph.linear_head import is_affine, why_no_head, why_not_linear
from camcore.graph.masking import masking
from camcore.graph.receptive_field import reaches
from camcore.graph.regions import Region
from camcore.graph.reweighting import WeightLayer, fed_values, weight_layers
from camcore.graph.scores import Activation, Kind, find_scores
from camcore.graph.targets import LOGIT, Score
from camcore.graph.trace import trace_model
from camcore.graph.traced_network import Anatomy
from camcore.graph.walks import shares_behind, work
from camcore.methods.info import Site
from camcore.origin import LoadArguments, Origin
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction, probabilities, top_predictions
from camcore.preprocessed import pictures_in, preprocessed

Array = NDArray[Any]
Preprocess = Callable[[NDArray[np.float32]], ArrayLike]

_SERIAL = itertools.count()


def _logits(name: str, value: Any) -> Array:
    """Logits (..., classes)."""
    array = numbers(name, value)
    if not array.ndim or not array.shape[-1]:
        raise refused(name, value, "an array (..., classes) of logits", "Give what Network.logits returns.")
    return array


class Network:
    """A Keras image classifier, ready to be looked into. Made by ``camcore.load`` and ``camcore.wrap``.

    Attributes: ``name``; ``input_size`` (h, w); ``framing``, how a picture is brought to that size unless a call says
    otherwise; ``labels``, one per class; ``classes``, their number; ``activation`` that turns scores into
    probabilities (``softmax``, ``sigmoid``, ``linear``, ``exp`` or ``none``);
    ``score_kind``, what the scores are that methods differentiate and ``logits`` gives: ``logit``,
    ``log-probability``, ``log-odds`` or ``value`` (a regression: class 0 is what raises it, class 1 what lowers it);
    ``scored_over``, of an output that is a map: the pixels over which scores and probabilities are means, in words;
    empty otherwise; ``layers``, a tuple of LayerInfo; ``default_layer``, the path of the recommended one, None where no
    layer has a grid; ``ladder``, the paths of the last layer of each of the last four grid sizes; ``parameters``;
    ``multiplications`` that one image takes; ``weights_note``, where the weights came from; ``anatomy``, what its trace
    consists of; ``origin``, what it takes to have the network again, None where nobody knows; ``recipe``, the arguments
    of ``load`` that made it, None where ``wrap`` did; ``send``, how it is pickled; ``serial``, a number that no other
    network of this process has. Safe to use from several threads. The model is never changed. It can be pickled: what
    is sent is how to make it again (``camcore.models.pickling``).
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
        framing: str = "stretch",
        origin: Origin | None = None,
        feed: Callable[[Any], Any] = lambda image: image,
        target: Any = None,
    ) -> None:
        self.model = model
        self.name = name
        self.input_size = input_size
        self.framing = framing
        self.channels = channels
        self.weights_note = weights_note
        self.origin = origin
        self.load_arguments: LoadArguments | None = None
        self.send: Callable[[Network], tuple[Any, ...]] | None = None
        self._preprocess = preprocess
        self.serial = next(_SERIAL)
        self._obstacles: dict[str, str] = {}  # layer path → what breaks CAM's equality behind it, empty: nothing
        self._affine: dict[str, bool] = {}
        # The last picture made ready: one question about a picture is seldom the only one.
        self._prepared: tuple[Any, ...] = (None, "", None, None)

        sides = (channels, *input_size) if channels_first else (*input_size, channels)
        trace = trace_model(model, sides, dtype, choose, feed)
        self.parameters = int(model.count_params())  # after the trace, which builds the model
        region = None if target is None else Region(target)
        scores = find_scores(trace, None if labels is None else len(labels), region)
        named = [call.tensor for call in listed_calls(trace.calls)]
        reach = reaches(trace.function, trace.input, channels_first, named)
        table = list_layers(trace, scores.source, reach, features_before_map(scores, reach))
        self.anatomy = Anatomy(Cutter(trace, name), scores, reach, table, channels_first)
        self._taps = Taps(self.anatomy)
        self._alterations = Alterations(self.anatomy)
        self._shares = shares_behind(scores.logits)
        self.multiplications = work(scores.logits)
        self.activation: Activation = scores.activation
        self.score_kind: Kind = scores.kind
        self.scored_over = (region or Region()).told if scores.of_map else ""
        self.classes = scores.classes
        self.labels = output_labels(labels, self.classes, scores.kind)

    def __repr__(self) -> str:
        h, w = self.input_size
        says = "one value" if self.score_kind == "value" else f"{self.classes} classes"
        return f"<Network {self.name}: {h}×{w}, {says}, default layer {self.default_layer!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.send is None:
            raise CamcoreError(
                f"The network {self.name!r} cannot be sent to another process: {self.weights_note}, which only this "
                "process has. A twin with other weights is a thing of the moment. Send the network it was made from."
            )
        return self.send(self)

    def __copy__(self) -> Network:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """Every call of every layer, in the order of the computation."""
        return self.anatomy.table.infos

    @property
    def default_layer(self) -> str | None:
        """The path of the recommended layer; None for a network without a grid, which has occlusion and RISE."""
        return self.anatomy.table.default

    @cached_property
    def ladder(self) -> tuple[str, ...]:
        """The last layer of each of the last four grid sizes, shallow to deep; ends with the default layer."""
        return ladder(self.anatomy.table)

    def layer(self, layer: Any) -> LayerInfo:
        """The layer named by a path, a bare name (of several calls the last), or a Keras layer object.

        Raises LayerError, with the nearest match, where there is none.
        """
        return self.anatomy.table.find(layer)

    def layer_with_grid(self, layer: Any = None) -> LayerInfo:
        """As ``layer`` (None: the default), and raises LayerError where it can carry no heatmap."""
        return self.anatomy.table.usable(layer)

    def check_class(self, index: Any) -> int:
        """The index of a class, given by it or by its name (see ``camcore.class_names.index_of``).

        Raises ModelError where the network has no such class, or several of that name.
        """
        if isinstance(index, str):
            return index_of(self.labels, index, self.name)
        try:
            value = int(index)
            whole = bool(value == index) and not isinstance(index, (bool, np.bool_))
        except (TypeError, ValueError, OverflowError):
            value, whole = -1, False
        if not whole or not 0 <= value < self.classes:
            raise ModelError(
                f"There is no class {shown(index)} in {self.name}: it has {self.classes} classes, 0 to "
                f"{self.classes - 1}. Choose one of these."
            )
        return value

    # ---- pictures and scores

    def framing_for(self, framing: str | None) -> str:
        """``framing``, or the network's own for None. Raises CamcoreError for an unknown one."""
        if framing is None:
            return self.framing
        check_framing(framing)
        return framing

    def prepare(self, pic: Picture, framing: str | None = None) -> tuple[Array, Frame]:
        """The picture as the network's input, a batch of one, and the frame that leads back to its pixels.

        ``framing``: None for the network's own.

        Raises PictureError for what is not a Picture, CamcoreError for an unknown framing.
        """
        check_picture(pic)
        framing = self.framing_for(framing)
        picture, kept_framing, x, frame = self._prepared
        if picture is None or picture() is not pic.rgb or kept_framing != framing:
            rgb, frame = frame_picture(pic, self.input_size, framing)
            x = self.preprocess(rgb[np.newaxis])
            x.setflags(write=False)
            self._prepared = (weakref.ref(pic.rgb), framing, x, frame)
        return x, frame

    def preprocess(self, rgb: NDArray[np.float32]) -> Array:
        """RGB float32 0..255 (n, h, w, 3) → network input; grey networks get the luma (ITU-R BT.601).

        Raises ModelError for what is not such pictures, and where the network's own preprocessing goes wrong.
        """
        check_not_forked()
        x = pictures_in(rgb)
        if self._preprocess is not None:
            x = preprocessed(self._preprocess, x, self.name)
        if x.shape[-1] == 3 and self.channels == 1:
            x = x @ np.array([[0.299], [0.587], [0.114]], x.dtype)
        return x.transpose(0, 3, 1, 2) if self.anatomy.channels_first and x.shape[-1] == self.channels else x

    def check_input(self, x: ArrayLike) -> Array:
        """A preprocessed batch, checked and in the network's dtype. One image gains the batch axis.

        Raises ModelError where the shape does not fit or a value is not finite.
        """
        batch = np.asarray(x)
        if batch.ndim == 3:
            batch = batch[np.newaxis]
        wanted = tuple(self.anatomy.source.shape[1:])
        if batch.shape[1:] != wanted or not batch.shape[0]:
            raise ModelError(
                f"The input has the shape {np.shape(x)}; {self.name} takes {wanted} or (n, *{wanted}), already "
                "preprocessed. Use camcore.explain to give it a picture of any size."
            )
        if batch.dtype.kind not in "fiub" and "float" not in batch.dtype.name:  # bfloat16 has a kind of its own
            raise ModelError(
                f"The input holds {batch.dtype} values; {self.name} takes numbers. Give it an array of floats, "
                "preprocessed as for model.predict."
            )
        with np.errstate(over="ignore"):  # what overflows is refused below
            batch = batch.astype(self.anatomy.source.dtype.as_numpy_dtype, copy=False)
        if not np.isfinite(batch).all():
            raise ModelError(
                "The input holds NaN or infinite values. No score can be computed from them. Check its preprocessing."
            )
        return batch

    def logits(self, x: ArrayLike) -> Array:
        """The scores (n, classes) of a preprocessed batch, of ``score_kind``, as floats of the network's precision."""
        return np.array(self._run(self.anatomy.forward(), self.check_input(x))[0])

    def answer(self, x: ArrayLike) -> tuple[Array, NDArray[np.float64]]:
        """The scores and the model's own probabilities, both (n, classes), of a preprocessed batch."""
        if self.anatomy.scores.probabilities is None:
            logits = self.logits(x)
            return logits, self.probabilities(logits)
        logits, own = self._run(self.anatomy.answering(), self.check_input(x))
        return np.array(logits), np.array(own, np.float64)

    @checked(logits=_logits)
    def top_class(self, logits: Array) -> int:
        """The class that the network says, of the scores (classes,) of one image; 0 for a regression."""
        return 0 if self.score_kind == "value" else int(np.argmax(logits))

    def predict(self, pic: Picture, top: int = 5, framing: str | None = None) -> tuple[Prediction, ...]:
        """The ``top`` most probable classes of a picture, most probable first."""
        x, _ = self.prepare(pic, framing)
        logits, found = self.answer(x)
        return self.predictions(logits[0], top, found[0])

    @checked(logits=_logits, found=optional(_logits))
    def predictions(
        self, logits: Array, top: int = 5, found: NDArray[np.float64] | None = None
    ) -> tuple[Prediction, ...]:
        """The ``top`` classes for the scores (classes,) of one image, highest first; of a regression its value.

        ``found``: their probabilities, where they are known; None: those of the scores.
        """
        for what, row in (("Logits", logits), ("Probabilities", found)):
            if row is not None and row.shape != (self.classes,):
                raise ModelError(
                    f"{what} of shape {row.shape} are not those of one image: {self.name} has {self.classes} classes. "
                    "Give one row of what Network.answer returns."
                )
        p = self.probabilities(logits) if found is None else found
        return top_predictions(logits, p, self.labels, top, self.score_kind)

    @checked(logits=_logits)
    def probabilities(self, logits: Array) -> NDArray[np.float64]:
        """Probabilities of scores (..., classes), by the network's own last activation.

        Of an output that is a map these are the probabilities at the region's mean score; ``answer`` gives the mean
        of the output's own.
        """
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
        paths = tuple(dict.fromkeys(layers))
        return self._taps.tap(self.check_input(x), paths, classes, score, curvature)

    @checked(channels=many(whole()))
    def cell_gradients(
        self, x: ArrayLike, layer: Any, cell: tuple[int, int], channels: Sequence[int]
    ) -> tuple[Array, Array]:
        """A_k(cell) and ∂A_k(cell)/∂x for m channels k of one image: (m,) and (m, H, W, C), in one pass.

        ``cell``: (row, column). One compiled function serves all cells and channels of a layer. Raises LayerError
        for a layer without a grid, a cell or channel it has not, or where no gradient reaches the input.
        """
        info = self.layer_with_grid(layer)
        batch = self.check_input(x)
        check_cell(info, cell)
        numbers = np.asarray(channels, np.int32)
        outside = numbers[(numbers < 0) | (numbers >= (info.channels or 0))]
        if outside.size:
            raise LayerError(
                f"Layer {info.path!r} has no channel {outside[0]}: it has {info.channels}, 0 to "
                f"{(info.channels or 0) - 1}. Choose one of these."
            )
        return self._taps.cell(batch[:1], info.path, cell, numbers)

    def bias_pass(self, x: ArrayLike, index: int) -> BiasPass:
        """x ⊙ ∂y/∂x and b ⊙ ∂y/∂z at every bias of the network, for one image and class; see BiasPass."""
        return self._taps.biases(self.check_input(x), index)

    def masked_logits(self, x: Array, maps: Array, scale: float = 1.0, noise: Array | None = None) -> Array:
        """The logits (m, classes) of one preprocessed image (1, H, W, C) seen through m masks.

        ``maps``: (m, h, w), each upsampled bilinearly (half-pixel centres) to the input, ``noise`` (H, W) added
        where it is given, stretched to 0..1, and multiplied by ``scale``.
        """
        added = np.zeros((1, 1), np.float32) if noise is None else noise
        function = masking(self.anatomy, self.input_size, maps.shape[1:])
        return self._run(function, x, maps, np.asarray(scale, np.float32), added)

    def ablated_logits(self, x: Array, layer: str, channels: ArrayLike, witness: tuple[Array, ...] = ()) -> Array:
        """The logits (m, classes) of one image (1, H, W, C) with one channel of a layer set to zero in each.

        ``channels``: m channel numbers. ``witness``: what the network says of this image now; what else a call
        needs is kept for the next one with the same image and witness, and for no longer: weights may change.
        """
        return self._alterations.ablated(x, layer, channels, witness)

    def ablated_size(self, layer: str) -> int:
        """How many values ``ablated_logits`` alters per channel."""
        return self._alterations.ablated_size(layer)

    def placed_logits(
        self, x: Array, layer: str, vectors: Array, weights: Array, witness: tuple[Array, ...] = ()
    ) -> Array:
        """The logits (m, classes) of one image with a layer's output replaced by vectors put at places.

        ``vectors`` (m, K) and ``weights`` (m, h, w): the i-th output is their outer product (h, w, K).
        ``witness``: see ``ablated_logits``.
        """
        return self._alterations.placed(x, layer, vectors, weights, witness)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the computation from the input to the logits and of all weights, for caches on disk."""
        return fingerprint(self.model, self.anatomy.logits)

    def share_behind(self, layer: str) -> float:
        """The share of the network's multiplications that lie behind a layer, 0..1."""
        return self._shares[self.anatomy.tensor(self.layer(layer).path).op.name]

    def head(self, layer: str) -> Callable[[ArrayLike, ArrayLike], Array]:
        """The scores behind a layer: a function (x, A) → logits, with A (n, h, w, K) in place of its output.

        What the layer's output made unnecessary is not computed; what a skip connection still needs is.
        """
        path = self.layer_with_grid(layer).path
        function, tensor = self._alterations.head(path), self.anatomy.tensor(path)

        def logits(x: ArrayLike, A: ArrayLike) -> Array:
            given = self.anatomy.own_layout(np.asarray(A), tensor)
            return np.array(self._run(function, self.check_input(x), given.astype(tensor.dtype.as_numpy_dtype))[0])

        return logits

    def linear_head_offset(self, layer: str) -> Array:
        """The bias b (classes,) of the linear head behind ``layer``: its logits where the layer is all zero.

        Behind a linear head of a global average, logit_c = mean_ij(Σ_k W_kc A_kij) + b_c.
        Raises MethodError where what follows the layer is not that; the message says what is.
        """
        path = self.check_linear_head(layer)
        shapes = (self.anatomy.source, self.anatomy.tensor(path))
        zeros = [np.zeros([1, *end.shape[1:]], end.dtype.as_numpy_dtype) for end in shapes]
        return self._run(self._alterations.head(path), *zeros)[0][0]

    def is_affine_behind(self, layer: str) -> bool:
        """Whether the logits are affine in the layer's output, so that Σ G ⊙ A + logits(A = 0) = logits exactly."""
        path = self.layer(layer).path
        if path not in self._affine:
            with self.anatomy.cutter.lock:
                self._affine[path] = is_affine(self.anatomy.logits, self.anatomy.tensor(path))
        return self._affine[path]

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
        if path not in self._obstacles:
            with self.anatomy.cutter.lock:
                tensor = self.anatomy.tensor(path)
                own = why_no_head(self.anatomy.scores)
                self._obstacles[path] = own or why_not_linear(self.anatomy.scores.source, tensor, self.anatomy.reach)
        if self._obstacles[path]:
            raise MethodError(
                f"CAM is not defined for {self.name} at {path!r}: {self._obstacles[path]}. It needs a global average "
                "pooling followed by a linear head. Use 'gradcam', which needs no such head, or give the network one "
                "by architecture surgery (a global average pooling and a new Dense layer, trained)."
            )
        return path

    # ---- other weights

    @cached_property
    def weight_layers(self) -> tuple[WeightLayer, ...]:
        """The layers with weights, in the order of the computation. Raises ModelError where they cannot be fed."""
        with self.anatomy.cutter.lock:
            return weight_layers(self.anatomy.cutter.trace, self.model)

    def with_weights(self, fresh: Mapping[int, Array], note: str) -> Network:
        """A network that computes the same with other weights; this one and its model stay as they are.

        ``fresh``: values by the ``id`` of a Weight of ``weight_layers``; the others are the model's own. ``note``:
        where the weights came from.
        """
        other = copy.copy(self)
        cutter = FedCutter(self.anatomy.cutter, *fed_values(self.weight_layers, fresh))
        other.anatomy = replace(self.anatomy, cutter=cutter)
        other._taps = self._taps.on(other.anatomy)
        other._alterations = self._alterations.on(other.anatomy)
        other.serial = next(_SERIAL)
        other.weights_note = note
        other.origin = other.load_arguments = other.send = None
        return other

    # ---- compiled functions

    def _run(self, function: Function, *arguments: Array) -> Any:
        return self.anatomy.cutter.run(function, *arguments)

    def channels_last(self, array: Array) -> Array:
        """A batch as (n, h, w, channels), whatever the network's own layout."""
        return self.anatomy.channels_last(array)

    def as_input(self, batch: Array) -> Array:
        """A batch (n, H, W, C) in the network's own layout."""
        return self.anatomy.own_layout(batch)


def check_cell(info: LayerInfo, cell: tuple[int, int]) -> None:
    """Raise LayerError where the layer's grid has no such cell (row, column)."""
    assert info.grid is not None
    h, w = info.grid
    pair = isinstance(cell, (tuple, list)) and len(cell) == 2 and all(isinstance(place, Integral) for place in cell)
    if not pair or not (0 <= cell[0] < h and 0 <= cell[1] < w):
        asked = f"cell in row {cell[0]}, column {cell[1]}" if pair else f"cell {shown(cell)}"
        raise LayerError(
            f"Layer {info.path!r} has no {asked}: its grid is {h}×{w}, rows 0 to "
            f"{h - 1} and columns 0 to {w - 1}. Choose a cell of it."
        )


def check_network(network: Any) -> None:
    """Raise ModelError for what is not a Network."""
    if not isinstance(network, Network):
        shown = repr(network) if isinstance(network, str) else type(network).__name__
        raise ModelError(
            f"{shown} is not a Network. A network is a model made ready to be looked into, once. Make one with "
            "camcore.load(name), or camcore.wrap(model) from a Keras model."
        )


def check_picture(pic: Any) -> None:
    """Raise PictureError for what is not a Picture."""
    if not isinstance(pic, Picture):
        raise PictureError(
            f"{type(pic).__name__} is not a Picture. Make one with camcore.open_picture(path or bytes), or "
            "camcore.Picture.from_array(rgb) from uint8 pixels."
        )
