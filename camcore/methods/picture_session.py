"""The questions that a method's input may put to the session of one picture; ``heatmaps.session`` answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from camcore.graph.class_score import Score
    from camcore.graph.gradients import BiasPass
    from camcore.network import Network

Array = NDArray[np.floating]


class PictureSession(Protocol):
    """One preprocessed input ``x`` (1, H, W, C) of a network; what is computed of it is computed once.

    ``path``: of a layer of grid (h, w) and K channels. ``seconds``: of the shared pass that a gradient came from.
    """

    network: Network
    x: NDArray[np.number]

    @property
    def logits(self) -> Array:
        """The logits (classes,)."""

    def activations(self, path: str) -> Array:
        """The layer's output (h, w, K)."""

    def gradient(self, path: str, index: int, score: Score) -> tuple[Array, float]:
        """∂score/∂A (h, w, K), and seconds."""

    def curvature(self, path: str, index: int, score: Score) -> tuple[Array, Array, float]:
        """∂score/∂A and the Hessian of the score times A (h, w, K), and seconds."""

    def noisy_moments(self, path: str, index: int, n: int, sigma: float, seed: int) -> tuple[Array, Array, Array]:
        """The first three moments (h, w, K) of ∂logit/∂A over ``n`` noisy copies of the input."""

    def biases(self, index: int) -> BiasPass:
        """The input's and all biases' gradients."""

    def attention(self) -> tuple[Array, ...]:
        """The weights (heads, T, T) of each attention."""

    def attention_gradients(self, index: int, by_block: bool, mean: bool = False) -> tuple[tuple[Array, ...], float]:
        """∂logit/∂weights (heads, T, T) of each attention, or of each block's own logit, and seconds."""

    def input_gradient(self, index: int) -> tuple[Array, float]:
        """∂logit/∂x (H, W, C), and seconds."""
