"""The style of pictures, as an early layer of a network has it, and pictures given another style.

A blur, a compression, a cast of colour or grain lies all over a picture, so nothing of it can be cut out and pasted. A
layer near the input sees small pieces: mean and covariance of its channels over all cells tell the likeness of the
pieces, and nothing of their places (they are what style transfer carries over). Those of the input itself are its
colours. A picture's activations are carried from one mean and covariance to another by the affine map that moves them
least (Monge's): its style is changed, and what is where stays. Between two equal styles nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.graph.blas import one_thread

if TYPE_CHECKING:
    from camcore.network import Network

Array32 = NDArray[np.float32]

FIELD = 0.25
"""The share of the input's sides that a cell sees at most."""
CHANNELS = 256
"""Channels at most: the covariances grow with their square."""

_RIDGE = 0.01  # of the mean variance, added to every direction: no map raises what is hardly there
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Style:
    """Mean (K,) and covariance (K, K) of a layer's channels over its cells; the range of its values."""

    mean: Array32
    covariance: Array32
    lowest: float
    highest: float

    @property
    def features(self) -> Array32:
        """The means of the channels and their covariances, each once: (K + K (K + 1) / 2,)."""
        return np.concatenate([self.mean, self.covariance[np.triu_indices(len(self.mean))]])


@dataclass(frozen=True, eq=False)
class Change:
    """The affine map (A − before) M + after of activations, within a range of values."""

    before: Array32
    matrix: Array32
    after: Array32
    lowest: float
    highest: float

    def of(self, A: Array32) -> Array32:
        """Activations (..., K) in the other style."""
        return np.asarray(np.clip((A - self.before) @ self.matrix + self.after, self.lowest, self.highest), np.float32)


def style_layers(network: Network, before: str) -> tuple[str | None, ...]:
    """The layers at which styles are compared: None for the input itself, then one before another layer if there is.

    It is the deepest whose cells see at most FIELD of the picture. All that the scores get of a picture goes through
    it: nothing passes it by, as over a skip connection.
    """
    found = None
    for info in network.layers:
        if info.path == before:
            break
        field = info.receptive_field
        if field is None or not info.usable or info.whole_picture or info.class_name == "ZeroPadding2D":
            continue
        small = all(one <= FIELD * side for one, side in zip(field, network.input_size, strict=True))
        if small and 0 < (info.channels or 0) <= CHANNELS and not network.passed_by(info.path):
            found = info.path
    return (None,) if found is None else (None, found)


def styles_of(A: Array32) -> list[Style]:
    """The style of each picture of activations (n, h, w, K)."""
    cells = np.asarray(A, np.float32).reshape(len(A), -1, A.shape[-1])
    with one_thread():
        return [
            Style(own.mean(axis=0), np.atleast_2d(np.cov(own.T, bias=True)), float(own.min()), float(own.max()))
            for own in cells
        ]


def mean_style(styles: Sequence[Style]) -> Style:
    """The mean of several styles."""
    return Style(
        np.mean([one.mean for one in styles], axis=0),
        np.mean([one.covariance for one in styles], axis=0),
        min(one.lowest for one in styles),
        max(one.highest for one in styles),
    )


def change(before: Style, after: Style) -> Change:
    """The map from one style to another: of the covariances it is S⁻½ (S½ T S½)½ S⁻½."""
    S, T = before.covariance.astype(np.float64), after.covariance.astype(np.float64)
    ridge = (_RIDGE * np.trace(S) / len(S) + _LEAST) * np.eye(len(S))
    with one_thread():
        root = _root(S + ridge)
        inverse = np.linalg.inv(root)
        matrix = inverse @ _root(root @ (T + ridge) @ root) @ inverse
    lowest, highest = min(before.lowest, after.lowest), max(before.highest, after.highest)
    return Change(before.mean, matrix.astype(np.float32), after.mean, lowest, highest)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
