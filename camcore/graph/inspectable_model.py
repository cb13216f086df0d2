"""A traced Keras model: scores, activations, gradients and heads of preprocessed batches.

Every one of them is cut out of the model's one trace as a compiled function and kept. ``Network`` adds pictures,
classes and preprocessing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from camcore.checks import checked, many, whole
from camcore.errors import LayerError, MethodError, ModelError
from camcore.graph.alterations import Alterations, masking
from camcore.graph.attention import Attentions
from camcore.graph.before_map import features_before_map
from camcore.graph.class_score import LOGIT, Score
from camcore.graph.compiled import Function, SubgraphCompiler
from camcore.graph.gradients import AttentionPass, BiasPass, GradientPasses, Pass
from camcore.graph.layer_list import list_layers, listed_calls
from camcore.graph.layers import LayerInfo, check_cell, ladder
from camcore.graph.linear_head import is_affine, why_no_head, why_not_linear
from camcore.graph.receptive_field import reaches
from camcore.graph.regions import Region
from camcore.graph.reweighting import WeightLayer, fingerprint, weight_layers
from camcore.graph.scores import Activation, ScoreKind, find_scores
from camcore.graph.trace import Trace
from camcore.graph.traced_network import TracedNetwork
from camcore.graph.walks import shares_behind, total_multiplications
from camcore.lazy import keras

Array = np.ndarray


class InspectableModel:
    """A Keras model and the functions compiled from its trace. See ``camcore.network.Network`` for its attributes.

    ``trace``: of the model. ``labelled``: how many classes have labels; None where none are given. ``target``: see
    ``Region``.
    """

    def __init__(
        self,
        model: keras.Model,
        trace: Trace,
        *,
        name: str,
        input_size: tuple[int, int],
        channels: int,
        channels_first: bool,
        labelled: int | None,
        target: object,
    ) -> None:
        self.model = model
        self.name = name
        self.input_size = input_size
        self.channels = channels
        self.parameters = int(model.count_params())
        self._obstacles: dict[str, str] = {}  # layer path → what breaks CAM's equality behind it, empty: nothing
        self._affine: dict[str, bool] = {}

        region = None if target is None else Region(target)
        scores = find_scores(trace, labelled, region)
        named = [call.tensor for call in listed_calls(trace.calls)]
        reach = reaches(trace.function, trace.input, channels_first, named)
        table = list_layers(trace, scores.source, reach, features_before_map(scores, reach))
        self.traced = TracedNetwork(SubgraphCompiler(trace, name), scores, reach, table, channels_first)
        self._passes = GradientPasses(self.traced)
        self._alterations = Alterations(self.traced)
        self._shares = shares_behind(scores.logits)
        self.multiplications = total_multiplications(scores.logits)
        self.activation: Activation = scores.activation
        self.score_kind: ScoreKind = scores.kind
        self.scored_over = (region or Region()).description if scores.of_map else ""
        self.classes = scores.classes

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """Every call of every layer, in the order of the computation."""
        return self.traced.table.infos

    @property
    def default_layer(self) -> str | None:
        """The path of the recommended layer; None for a network without a grid, which has occlusion and RISE."""
        return self.traced.table.default

    @cached_property
    def ladder(self) -> tuple[str, ...]:
        """The last layer of each of the last four grid sizes, shallow to deep; ends with the default layer."""
        return ladder(self.traced.table)

    def layer(self, layer: object) -> LayerInfo:
        """The layer named by a path, a bare name (of several calls the last), or a Keras layer object.

        Raises LayerError, with the nearest match, where there is none.
        """
        return self.traced.table.find(layer)

    def layer_with_grid(self, layer: object = None) -> LayerInfo:
        """As ``layer`` (None: the default), and raises LayerError where it can carry no heatmap."""
        return self.traced.table.usable(layer)

    def check_input(self, x: ArrayLike) -> Array:
        """A preprocessed batch in the network's dtype; one image gains the batch axis. ModelError for any other."""
        batch = np.asarray(x)
        if batch.ndim == 3:
            batch = batch[np.newaxis]
        wanted = tuple(self.traced.source.shape[1:])
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
            batch = batch.astype(self.traced.source.dtype.as_numpy_dtype, copy=False)
        if not np.isfinite(batch).all():
            raise ModelError(
                "The input holds NaN or infinite values. No score can be computed from them. Check its preprocessing."
            )
        return batch

    def logits(self, x: ArrayLike) -> Array:
        """The scores (n, classes) of a preprocessed batch, of ``score_kind``, as floats of the network's precision."""
        return np.array(self._run(self.traced.forward(), self.check_input(x))[0])

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
        return self._passes.tap(self.check_input(x), paths, classes, score, curvature)

    @checked(channels=many(whole()))
    def cell_gradients(
        self, x: ArrayLike, layer: object, cell: tuple[int, int], channels: Sequence[int]
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
        return self._passes.cell(batch[:1], info.path, cell, numbers)

    def bias_pass(self, x: ArrayLike, index: int) -> BiasPass:
        """x ⊙ ∂y/∂x and b ⊙ ∂y/∂z at every bias of the network, for one image and class; see BiasPass."""
        return self._passes.biases(self.check_input(x), index)

    @property
    def attentions(self) -> Attentions:
        """The attentions of a transformer."""
        return self.traced.attentions

    def attention_pass(
        self, x: ArrayLike, index: int | None = None, by_block: bool = False, mean: bool = False
    ) -> AttentionPass:
        """The attention weights of one image, and ∂score/∂weights for a class (None: no derivatives).

        ``by_block``: of the score that the end gives for each block's tokens; ``mean``: and for the mean of these.
        """
        return self._passes.attention(self.check_input(x), index, by_block, mean)

    def masked_logits(self, x: Array, maps: Array, scale: float = 1.0, noise: Array | None = None) -> Array:
        """The logits (m, classes) of one preprocessed image (1, H, W, C) seen through m masks.

        ``maps``: (m, h, w), each upsampled bilinearly (half-pixel centres) to the input, ``noise`` (H, W) added
        where it is given, stretched to 0..1, and multiplied by ``scale``.
        """
        added = np.zeros((1, 1), np.float32) if noise is None else noise
        function = masking(self.traced, self.input_size, maps.shape[1:])
        return self._run(function, x, maps, np.asarray(scale, np.float32), added)[0]

    def ablated_logits(self, x: Array, layer: str, channels: ArrayLike, witness: tuple[Array, ...] = ()) -> Array:
        """The logits (m, classes) of one image (1, H, W, C) with one channel of a layer set to zero in each.

        ``channels``: m channel numbers. ``witness``: what the network says of this image now; what else a call
        needs is kept for the next one with the same image and witness, and for no longer: weights may change.
        """
        return self._alterations.ablated(x, layer, channels, witness)

    def ablated_size(self, layer: str) -> int:
        """The number of values that ``ablated_logits`` alters per channel."""
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
        return fingerprint(self.model, self.traced.logits)

    def share_behind(self, layer: str) -> float:
        """The share of the network's multiplications that lie behind a layer, 0..1."""
        return self._shares[self.traced.tensor(self.layer(layer).path).op.name]

    def passed_by(self, layer: str) -> bool:
        """True where something of the picture reaches the scores past a layer, as over a skip connection."""
        return self._alterations.passed_by(self.layer(layer).path)

    def head(self, layer: str) -> Callable[[ArrayLike, ArrayLike], Array]:
        """The scores behind a layer: a function (x, A) → logits, with A (n, h, w, K) in place of its output.

        What the layer's output made unnecessary is not computed; what a skip connection still needs is.
        """
        path = self.layer_with_grid(layer).path
        function = self._alterations.head(path)

        def logits(x: ArrayLike, A: ArrayLike) -> Array:
            batch = self.check_input(x)
            return np.array(self._run(function, batch, self._alterations.filled(batch, path, np.asarray(A)))[0])

        return logits

    def linear_head_offset(self, layer: str) -> Array:
        """The bias b (classes,) of the linear head behind ``layer``: its logits where the layer is all zero.

        Behind a linear head of a global average, logit_c = mean_ij(Σ_k W_kc A_kij) + b_c.
        Raises MethodError where what follows the layer is not that; the message says what is.
        """
        path = self.check_linear_head(layer)
        shapes = (self.traced.source, self.traced.tensor(path))
        zeros = [np.zeros([1, *end.shape[1:]], end.dtype.as_numpy_dtype) for end in shapes]
        return self._run(self._alterations.head(path), *zeros)[0][0]

    def is_affine_behind(self, layer: str) -> bool:
        """True where the logits are affine in the layer's output, so that Σ G ⊙ A + logits(A = 0) = logits exactly."""
        path = self.layer(layer).path
        if path not in self._affine:
            with self.traced.compiler.lock:
                self._affine[path] = is_affine(self.traced.logits, self.traced.tensor(path))
        return self._affine[path]

    def check_linear_head(self, layer: object) -> str:
        """The path of a layer behind which a global average and a linear head follow, as CAM needs it.

        Raises MethodError where something else does; the message says what.
        """
        path = self.layer_with_grid(layer).path
        if path not in self._obstacles:
            with self.traced.compiler.lock:
                tensor = self.traced.tensor(path)
                own = why_no_head(self.traced.scores)
                self._obstacles[path] = own or why_not_linear(self.traced.scores.source, tensor, self.traced.reach)
        if self._obstacles[path]:
            raise MethodError(
                f"CAM is not defined for {self.name} at {path!r}: {self._obstacles[path]}. It needs a global average "
                "pooling followed by a linear head. Use 'gradcam', which needs no such head, or give the network one "
                "by architecture surgery (a global average pooling and a new Dense layer, trained)."
            )
        return path

    @cached_property
    def weight_layers(self) -> tuple[WeightLayer, ...]:
        """The layers with weights, in the order of the computation. Raises ModelError where they cannot be fed."""
        with self.traced.compiler.lock:
            return weight_layers(self.traced.compiler.trace, self.model)

    def _run(self, function: Function, *arguments: Array) -> list[Array]:
        return self.traced.compiler.run(function, *arguments)

    def channels_last(self, array: Array) -> Array:
        """A batch as (n, h, w, channels), whatever the network's own layout."""
        return self.traced.channels_last(array)

    def as_input(self, batch: Array) -> Array:
        """A batch (n, H, W, C) in the network's own layout."""
        return self.traced.as_input(batch)
