"""One input of one network with all that has been computed of it: what several methods need is computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.graph.class_score import INPUT, LOGIT, Score
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.cam_map import ActivationState, activation_state
from camcore.heatmaps.memory import Arrays, Memory
from camcore.predictions import Prediction

if TYPE_CHECKING:
    from camcore.framing import Frame
    from camcore.graph.gradients import BiasPass
    from camcore.methods.inputs import Array
    from camcore.network import Network
    from camcore.pictures.picture import Picture

# Noisy copies of the input per pass.
_NOISY_BATCH = 8


class InputSession:
    """One preprocessed input ``x`` (1, H, W, C) of ``network``.

    ``memory`` and ``identity``: where to find, and leave for later, what was computed of this input; ``identity``
    says which it is. ``passes`` counts the forward and backward passes that were really made.
    """

    def __init__(
        self, network: Network, x: NDArray[np.number], memory: Memory | None = None, identity: Hashable | None = None
    ) -> None:
        self.network = network
        self.x = x.copy() if x.flags.writeable else x  # its owner may write into it
        self.x.setflags(write=False)
        self.passes = 0.0
        self._memory = memory if identity is not None else None
        self._prefix = (network.serial, identity)
        self._known: dict[Hashable, Arrays] = {}
        self._states: dict[str, ActivationState] = {}

    # ---- computed arrays

    def known(self, key: Hashable) -> Arrays | None:
        """The arrays computed under a key, by this session or an earlier one of the same picture."""
        arrays = self._known.get(key)
        if arrays is None and self._memory is not None:
            arrays = self._memory.get((*self._prefix, key))
            if arrays is not None:
                self._known[key] = arrays
        return arrays

    def keep(self, key: Hashable, *arrays: Array) -> Arrays:
        """Keep computed arrays under a key."""
        self._known[key] = arrays
        if self._memory is not None:
            self._memory.put((*self._prefix, key), arrays)
        return arrays

    # ---- activations and gradients

    def tap(
        self, paths: Sequence[str], classes: Sequence[int] = (), score: Score = LOGIT, curvature: bool = False
    ) -> tuple[int, ...]:
        """Have activations at ``paths`` and the score's gradients for ``classes`` there; computes what is missing.

        Returns the classes, with TOP_CLASS replaced by the one that the network says.
        """
        top = self.known("logits")
        wanted = [self.network.top_class(top[0]) if top is not None and c == TOP_CLASS else c for c in classes]
        kind = "curvature" if curvature else "gradient"
        missing = [
            path
            for path in dict.fromkeys(paths)
            if self.known(("activations", path)) is None
            or any(self.known((kind, path, c, score)) is None for c in wanted)
        ]
        new = [c for c in wanted if any(self.known((kind, path, c, score)) is None for path in missing)]
        if not missing and top is not None:
            return tuple(wanted)
        tapped = self.network.tap(self.x, missing, new, score, curvature)
        self.passes += 1 + len(new) * (2 if curvature else 1)
        self.keep("logits", tapped.logits[0])
        used = [int(one[0]) for one in tapped.classes]
        seconds = np.array(tapped.seconds)
        for path in missing:
            self.keep(("activations", path), tapped.activations[path][0], seconds)
            for index, c in enumerate(used):
                more = [tapped.curvatures[index][path][0]] if curvature else []
                self.keep((kind, path, c, score), tapped.gradients[index][path][0], *more, seconds)
        replaced = dict(zip(new, used, strict=True))
        return tuple(replaced.get(c, c) for c in wanted)

    @property
    def logits(self) -> Array:
        """The logits (classes,)."""
        arrays = self.known("logits")
        if arrays is None:
            self.passes += 1
            arrays = self.keep("logits", self.network.logits(self.x)[0])
        return arrays[0]

    @property
    def probabilities(self) -> Array:
        """The probabilities (classes,) of the model's own output, float64."""
        if self.network.traced.scores.probabilities is None:
            return self.network.probabilities(self.logits)
        arrays = self.known("probabilities")
        if arrays is None:  # of a map: its mean probabilities do not follow from its mean scores
            arrays = self.keep("probabilities", self.network.answer(self.x)[1][0])
        return arrays[0]

    def prediction(self, class_index: int) -> Prediction:
        """The network's answer on one class."""
        network = self.network
        return Prediction(
            class_index,
            network.labels[class_index],
            float(self.probabilities[class_index]),
            float(self.logits[class_index]),
            network.score_kind,
        )

    def activations(self, path: str) -> Array:
        """A (h, w, K)."""
        return self._get(("activations", path), lambda: self.tap([path]))[0]

    def gradient(self, path: str, index: int, score: Score = LOGIT) -> tuple[Array, float]:
        """∂score/∂A (h, w, K), and the seconds of the pass that gave it. INPUT: on the input, (H, W, C)."""
        G, seconds = self._get(("gradient", path, index, score), lambda: self.tap([path], [index], score))
        return G, float(seconds)

    def curvature(self, path: str, index: int, score: Score) -> tuple[Array, Array, float]:
        """∂score/∂A and H·A, each (h, w, K), and the seconds of their pass."""
        key = ("curvature", path, index, score)
        G, HA, seconds = self._get(key, lambda: self.tap([path], [index], score, curvature=True))
        return G, HA, float(seconds)

    def noisy_moments(self, path: str, index: int, n: int, sigma: float, seed: int) -> tuple[Array, Array, Array]:
        """The means of G, G² and G³ (h, w, K) over n inputs with noise N(0, (σ·(max x − min x))²)."""
        key = ("noise", path, index, n, sigma, seed)
        arrays = self.known(key)
        if arrays is None:
            x = self.x
            rng = np.random.default_rng(seed)
            spread = sigma * float(np.ptp(x.astype(np.float64)))
            sums: list[Array | float] = [0.0, 0.0, 0.0]
            for start in range(0, n, _NOISY_BATCH):
                count = min(_NOISY_BATCH, n - start)
                noise = rng.standard_normal((count, *x.shape[1:])) * spread
                G = self.network.tap(x + noise.astype(x.dtype), [path], [index]).gradients[0][path]
                power = G
                for order in range(3):
                    sums[order] = sums[order] + power.sum(axis=0)
                    power = power * G
            self.passes += 2 * n
            arrays = self.keep(key, *(np.asarray(total) / n for total in sums))
        return arrays[0], arrays[1], arrays[2]

    def biases(self, index: int) -> BiasPass:
        """The input's and the biases' gradients, for one class; see BiasPass."""
        self.passes += 3
        return self.network.bias_pass(self.x, index)

    def attention(self) -> tuple[Array, ...]:
        """The weights (heads, T, T) of each attention."""
        arrays = self.known(("attention",))
        if arrays is None:
            self.passes += 1
            arrays = self.keep(("attention",), *self.network.attention_pass(self.x).weights)
        return arrays

    def attention_gradients(self, index: int, by_block: bool, mean: bool = False) -> tuple[tuple[Array, ...], float]:
        """∂logit/∂weights (heads, T, T) of each attention, or of each block's own logit, and the seconds."""
        key = ("attention gradients", index, by_block, mean)
        arrays = self.known(key)
        if arrays is None:
            found = self.network.attention_pass(self.x, index, by_block, mean)
            self.passes += 2
            self.keep(("attention",), *found.weights)
            arrays = self.keep(key, *found.gradients, np.array(found.seconds))
        return arrays[:-1], float(arrays[-1])

    def input_gradient(self, index: int) -> tuple[Array, float]:
        """∂logit/∂x (H, W, C), and the seconds of its pass."""
        return self.gradient(INPUT, index)

    # ---- facts that maps carry

    def state(self, path: str) -> ActivationState:
        """The oddity of a layer's activations, if any."""
        if path not in self._states:
            self._states[path] = activation_state(self.activations(path))
        return self._states[path]

    def offset(self, path: str, index: int) -> float | None:
        """The class's logit where the layer is all zero; None where the logits are not affine in the layer."""
        if not self.network.is_affine_behind(path):
            return None
        arrays = self._known.get(("offset", path))  # of this session only: a bias may have been trained on since
        if arrays is None:
            A = self.activations(path)
            arrays = (self.network.head(path)(self.x, np.zeros((1, *A.shape), A.dtype))[0],)
            self._known[("offset", path)] = arrays
        return float(arrays[0][index])

    def _get(self, key: Hashable, compute: Callable[[], object]) -> Arrays:
        """The arrays known under a key, computed first where they are not."""
        arrays = self.known(key)
        if arrays is None:
            compute()
            arrays = self.known(key)
        assert arrays is not None, f"{key} was just computed"
        return arrays


def open_session(
    network: Network, pic: Picture, framing: str | None = None, memory: Memory | None = None
) -> tuple[InputSession, Frame]:
    """A picture's session with a network, and the frame that leads back to its pixels.

    Raises PictureError for what is not a Picture, CamcoreError for an unknown framing.
    """
    x, frame = network.prepare(pic, framing)
    return InputSession(network, network.check_input(x), memory, (pic.sha256, frame.framing)), frame
