"""One input of one network, and all that has been computed of it: what several methods need is computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.graph.gradients import TOP_CLASS, BiasPass
from camcore.graph.targets import INPUT, LOGIT, Score
from camcore.heatmaps.cam_map import ActivationState, state_of
from camcore.heatmaps.memory import Kept, Memory
from camcore.network import Network

Array = NDArray[Any]

# Noisy copies of the input per pass.
_NOISY_BATCH = 8


class Look:
    """One preprocessed input ``x`` (1, H, W, C) of ``network``.

    ``memory`` and ``identity``: where to find, and leave for later, what was computed of this input; ``identity``
    says which it is. ``passes`` counts the forward and backward passes that were really made.
    """

    def __init__(
        self, network: Network, x: Array, memory: Memory | None = None, identity: Hashable | None = None
    ) -> None:
        self.network = network
        self.x = x.copy() if x.flags.writeable else x  # its owner may write into it
        self.x.setflags(write=False)
        self.passes = 0.0
        self._memory = memory if identity is not None else None
        self._prefix = (network.serial, identity)
        self._known: dict[Hashable, Kept] = {}
        self._states: dict[str, ActivationState] = {}

    # ---- what is known

    def known(self, key: Hashable) -> Kept | None:
        """What was computed under a key, by this look or an earlier one."""
        found = self._known.get(key)
        if found is None and self._memory is not None:
            found = self._memory.get((*self._prefix, key))
            if found is not None:
                self._known[key] = found
        return found

    def keep(self, key: Hashable, *arrays: Array) -> Kept:
        """Note what was computed."""
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
        found = self.network.tap(self.x, missing, new, score, curvature)
        self.passes += 1 + len(new) * (2 if curvature else 1)
        self.keep("logits", found.logits[0])
        used = [int(one[0]) for one in found.classes]
        seconds = np.array(found.seconds)
        for path in missing:
            self.keep(("activations", path), found.activations[path][0], seconds)
            for index, c in enumerate(used):
                more = [found.curvatures[index][path][0]] if curvature else []
                self.keep((kind, path, c, score), found.gradients[index][path][0], *more, seconds)
        replaced = dict(zip(new, used, strict=True))
        return tuple(replaced.get(c, c) for c in wanted)

    @property
    def logits(self) -> Array:
        """The logits (classes,)."""
        found = self.known("logits")
        if found is None:
            self.passes += 1
            found = self.keep("logits", self.network.logits(self.x)[0])
        return found[0]

    @property
    def probabilities(self) -> Array:
        """The probabilities (classes,) of the model's own output, float64."""
        if self.network.traced.scores.probabilities is None:
            return self.network.probabilities(self.logits)
        found = self.known("probabilities")
        if found is None:  # of a map: its mean probabilities do not follow from its mean scores
            found = self.keep("probabilities", self.network.answer(self.x)[1][0])
        return found[0]

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
        found = self.known(key)
        if found is None:
            x = self.x
            rng = np.random.default_rng(seed)
            spread = sigma * float(np.ptp(x.astype(np.float64)))
            sums: list[Any] = [0.0, 0.0, 0.0]
            for start in range(0, n, _NOISY_BATCH):
                count = min(_NOISY_BATCH, n - start)
                noise = rng.standard_normal((count, *x.shape[1:])) * spread
                seen = self.network.tap(x + noise.astype(x.dtype), [path], [index])
                G = seen.gradients[0][path]
                power = G
                for order in range(3):
                    sums[order] = sums[order] + power.sum(axis=0)
                    power = power * G
            self.passes += 2 * n
            found = self.keep(key, *(total / n for total in sums))
        return found[0], found[1], found[2]

    def biases(self, index: int) -> BiasPass:
        """What FullGrad needs, for one class; see BiasPass."""
        self.passes += 3
        return self.network.bias_pass(self.x, index)

    def input_gradient(self, index: int) -> tuple[Array, float]:
        """∂logit/∂x (H, W, C), and the seconds of its pass."""
        return self.gradient(INPUT, index)

    # ---- what else maps carry

    def state(self, path: str) -> ActivationState:
        """What is odd about a layer's activations, if anything."""
        if path not in self._states:
            self._states[path] = state_of(self.activations(path))
        return self._states[path]

    def offset(self, path: str, index: int) -> float | None:
        """The class's logit where the layer is all zero; None where the logits are not affine in the layer."""
        if not self.network.is_affine_behind(path):
            return None
        found = self._known.get(("offset", path))  # of this look only: a bias may have been trained on since
        if found is None:
            A = self.activations(path)
            found = self._known[("offset", path)] = (
                self.network.head(path)(self.x, np.zeros((1, *A.shape), A.dtype))[0],
            )
        return float(found[0][index])

    def _get(self, key: Hashable, compute: Callable[[], object]) -> Kept:
        """What is known under a key, computed first where it is not."""
        found = self.known(key)
        if found is None:
            compute()
            found = self.known(key)
        assert found is not None, f"{key} was just computed"
        return found
