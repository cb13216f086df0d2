"""The kinds of input that methods work on: what a method's function is given, what that takes, and where it can be had.

One object per kind. A registry row names its own; everything else (planning, computing, cost, checks) asks the object.
Inputs that need the scores of perturbed pictures are in ``perturbations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from camcore.errors import MethodError
from camcore.framing import CellGrid
from camcore.graph.class_score import LOGIT, Score
from camcore.graph.layers import Site

if TYPE_CHECKING:
    from camcore.methods.info import OptionValues
    from camcore.methods.picture_session import PictureSession
    from camcore.network import Network

Array = NDArray[np.floating]
Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class PerturbedScores:
    """The scores of perturbed inputs, for one class.

    ``members`` (m,): the perturbations asked, such as channel numbers. ``logits`` and ``probabilities`` (m, s): of the
    class, for each of s kinds of perturbation (noise fields, steps). ``logit``, ``probability``: of the unperturbed
    picture. ``input_size`` (h, w).
    """

    members: NDArray[np.intp]
    logits: Array
    probabilities: Array
    logit: float
    probability: float
    input_size: Size


@dataclass(frozen=True, eq=False)
class MethodCall:
    """One method to be computed: of a picture's session, at a layer's path (None: on the input's own grid)."""

    session: PictureSession
    layer: str | None
    options: OptionValues

    @property
    def path(self) -> str:
        """The layer, of an input that has one."""
        assert self.layer is not None, "planned without a layer, for an input that needs one"
        return self.layer


@dataclass(frozen=True, eq=False)
class MethodArguments:
    """The arguments of a method's function for one class, and what they cost.

    ``values``: in the function's order. ``passes``: forward and backward passes that they need by themselves.
    ``seconds``: of the shared pass they come from; None: they were computed for this method alone. ``gradients``: those
    arrays among the values that are derivatives. ``evidence`` and ``offset``: see ``CamMap``.
    """

    values: tuple[object, ...]
    passes: float
    seconds: float | None = None
    gradients: tuple[Array, ...] = ()
    evidence: float | None = None
    offset: float | None = None


class Input:
    """A kind of input. A new one overrides ``arguments``, and of the rest what differs.

    ``layer_free``: on a grid of its own, with no layer. ``needs_attention``: to be had of transformers only, on the
    grid of their tokens. ``at_own_layer``: to be had at one layer of the network only (``check_layer``).
    ``reads_network``: False where nothing is asked of the network. ``in_shared_pass``: part of the one pass over all
    layers and classes. ``derivative_order``: of the score, 0 for none. ``per_class``: a further class costs the same
    passes again. ``nested``: of several requests at a layer the dearest contains the others.
    """

    layer_free: ClassVar[bool] = False
    needs_attention: ClassVar[bool] = False
    at_own_layer: ClassVar[bool] = False
    reads_network: ClassVar[bool] = True
    in_shared_pass: ClassVar[bool] = False
    derivative_order: ClassVar[int] = 0
    per_class: ClassVar[bool] = False
    nested: ClassVar[bool] = False

    @property
    def shares_backward(self) -> bool:
        """True where the logits' gradients of the shared pass are all it needs."""
        return self.in_shared_pass and self.derivative_order == 1

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        """The arguments of the method's function, computed where they are not known yet."""
        raise NotImplementedError

    def passes(self, site: Site, options: OptionValues) -> float:
        """The cost in forward passes, beyond the one shared pass that gives activations and gradients."""
        return 0.0

    def score(self, options: OptionValues) -> Score:
        """The score that is differentiated."""
        return LOGIT

    def check_layer(self, network: Network, layer: str) -> None:
        """Raise MethodError where this input cannot be had at a layer."""

    def check_classes(self, network: Network, title: str, options: OptionValues, classes: Sequence[int]) -> None:
        """Raise MethodError or ModelError where this input cannot be had of these classes; ``title``: the method's."""

    def cells(self, network: Network, options: OptionValues, grid: Size) -> CellGrid:
        """The cells of a map without a layer on the network's input."""
        return CellGrid.uniform(grid, network.input_size)


class GridSize(Input):
    """The grid's size (h, w) alone: for baselines, which look at neither picture nor network."""

    reads_network = False
    in_shared_pass = True

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        return MethodArguments((call.session.network.site(call.layer).grid,), 0.0)


class Activations(Input):
    """``A`` (h, w, K): the layer's activations."""

    in_shared_pass = True

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        return MethodArguments((call.session.activations(call.path),), 1.0)


class Gradients(Input):
    """``A`` and ``G`` (h, w, K): activations and ∂score/∂A, by default of the logit and from the shared pass."""

    in_shared_pass = True
    derivative_order = 1

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        A = call.session.activations(call.path)
        G, seconds = call.session.gradient(call.path, class_index, self.score(call.options))
        return MethodArguments((A, G), 2.0, seconds, (G,))


class LinearHeadGradients(Gradients):
    """``A`` and ``G`` at the layer before a global average pooling and a linear head."""

    at_own_layer = True

    def check_layer(self, network: Network, layer: str) -> None:
        network.check_linear_head(layer)


class ContrastGradients(Gradients):
    """``A`` and ``G`` of a difference of logits: the class's and those it is compared with (option ``against``)."""

    in_shared_pass = False
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 2.0

    def score(self, options: OptionValues) -> Score:
        return Score("finer", tuple(options["against"]), options["alpha"])

    def check_classes(self, network: Network, title: str, options: OptionValues, classes: Sequence[int]) -> None:
        if network.classes < 2 or network.score_kind == "value":
            raise MethodError(
                f"{title} compares classes, and {network.name} has "
                + ("one only" if network.classes < 2 else "none: its output is one number")
                + ". Use 'gradcam'."
            )
        for index in options["against"]:
            if network.check_class(index) in classes:
                raise MethodError(
                    f"{title}: class {index} ({network.labels[index]}) cannot be compared with itself. Leave it out "
                    "of 'against', or explain another class."
                )


class Curvature(Input):
    """``A``, ``G`` and ``HA`` (h, w, K): also the Hessian of the score times the activations."""

    derivative_order = 2
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 1 + 4 * site.behind

    def score(self, options: OptionValues) -> Score:
        return Score("rest") if options["variant"] == "rest" else LOGIT

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        A = call.session.activations(call.path)
        G, HA, seconds = call.session.curvature(call.path, class_index, self.score(call.options))
        return MethodArguments((A, G, HA), 3.0, seconds, (G, HA))


class NoisyGradients(Input):
    """``A`` and ``G1``, ``G2``, ``G3`` (h, w, K): the first three moments of G over noisy copies of the input."""

    derivative_order = 1
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 2.0 * options["n"]

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        A = call.session.activations(call.path)
        n, sigma, seed = (call.options[name] for name in ("n", "sigma", "seed"))
        moments = call.session.noisy_moments(call.path, class_index, n, sigma, seed)
        return MethodArguments((A, *moments), 1 + 2.0 * n, None, moments)


class AttentionWeights(Input):
    """``A``, the weights (heads, T, T) of each attention, and ``tokens``, their places: on the grid of these."""

    layer_free = True
    needs_attention = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 1.0

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        return MethodArguments((call.session.attention(), call.session.network.attentions.places), 1.0)

    def check_classes(self, network: Network, title: str, options: OptionValues, classes: Sequence[int]) -> None:
        network.attentions.checked(title)

    def cells(self, network: Network, options: OptionValues, grid: Size) -> CellGrid:
        return network.attentions.cells(network.layers, network.input_size)


class AttentionGradients(AttentionWeights):
    """``A``, ``G`` = ∂logit/∂A of the same shapes, and ``tokens``."""

    derivative_order = 1
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 2.0

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        G, seconds = call.session.attention_gradients(class_index, by_block=False)
        places = call.session.network.attentions.places
        return MethodArguments((call.session.attention(), G, places), 2.0, seconds, G)


class BlockGradients(AttentionGradients):
    """``G``, ∂logit/∂A of each block's own logit, the one that the network's end gives for its tokens; ``tokens``."""

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        G, seconds = call.session.attention_gradients(class_index, True, call.options["variant"] == "mean")
        return MethodArguments((G, call.session.network.attentions.places), 2.0, seconds, G)

    def check_classes(self, network: Network, title: str, options: OptionValues, classes: Sequence[int]) -> None:
        network.attentions.checked(title)
        if not network.attentions.blocks:
            raise MethodError(
                f"{title} is not defined for {network.name}: where one of its blocks ends and the next begins could "
                "not be told. It asks the network's end about the tokens of each block. Use 'attentiongrad'."
            )


class InputGradient(Input):
    """``G`` (H, W, C): ∂logit/∂x."""

    layer_free = True
    derivative_order = 1
    per_class = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return 3.0

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        G, seconds = call.session.input_gradient(class_index)
        return MethodArguments((G,), 3.0, seconds, (G,))


class BiasGradients(InputGradient):
    """x ⊙ ∂logit/∂x (H, W, C), and b ⊙ ∂logit/∂z (h, w, K) of every bias with a grid."""

    def arguments(self, call: MethodCall, class_index: int) -> MethodArguments:
        biases = call.session.biases(class_index)
        evidence = float(biases.input.sum(dtype=np.float64))
        evidence += sum(float(layer.sum(dtype=np.float64)) for layer in biases.layers)
        values = (biases.input, biases.layers)
        return MethodArguments(values, 3.0, biases.seconds, biases.layers, evidence, biases.rest)
