"""The linear head of a network behind a global average: read, changed, and set into a copy of the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError
from camcore.models.preprocessing import preprocessing
from camcore.models.wrap import wrap

if TYPE_CHECKING:
    import keras

    from camcore.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearHead:
    """The scores features @ kernel + bias: ``kernel`` (K, outputs), ``bias`` (outputs,); one output is of two classes.

    ``layer``: the layer's name in the model.
    """

    layer: str
    kernel: Floats
    bias: Floats

    def classes(self, features: Floats) -> NDArray[np.int64]:
        """The class of each row of features (n, K)."""
        return np.asarray(self._scores(features @ self.kernel + self.bias).argmax(axis=1), np.int64)

    def without(self, direction: Floats, at: Floats) -> LinearHead:
        """The head with a direction (K,) of the features taken out: W − d dᵀW / dᵀd. What lies across it stays.

        ``at``: features (K,) whose scores stay, by the bias: all features have something of every direction, and
        without it a head that counted one heavily would say one class to all.
        """
        length = float(direction @ direction)
        if not length:
            return self
        kernel = self.kernel - np.outer(direction, direction @ self.kernel) / length
        return LinearHead(self.layer, kernel, self.bias + at @ (self.kernel - kernel))

    def fitted(self, features: Floats, labels: NDArray[np.int64], penalty: float, rounds: int) -> LinearHead:
        """The head fitted to features (n, K) and their classes, from where it is (softmax regression by L-BFGS).

        ``penalty``: on the squared change, of features of unit spread.
        """
        from scipy.optimize import minimize

        spread = features.std(axis=0)
        spread = spread + max(1e-3 * float(spread.mean()), 1e-12)
        X, start = features / spread, self.kernel * spread[:, None]
        outputs = self.kernel.shape[1]
        Y = np.eye(max(2, outputs))[labels]

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(-1, outputs)
            z = self._scores(X @ weights[:-1] + weights[-1])
            z = z - z.max(axis=1, keepdims=True)
            log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
            change = weights[:-1] - start
            error = (np.exp(log_p) - Y) / len(X)
            if outputs == 1:
                error = error[:, 1:]
            slope = np.concatenate([X.T @ error + 2 * penalty * change, error.sum(axis=0, keepdims=True)])
            return float(-(Y * log_p).sum() / len(X) + penalty * (change**2).sum()), slope.ravel()

        begun = np.concatenate([start, self.bias[None]]).ravel()
        found = minimize(loss, begun, jac=True, method="L-BFGS-B", options={"maxiter": rounds}).x.reshape(-1, outputs)
        return LinearHead(self.layer, found[:-1] / spread[:, None], found[-1])

    @staticmethod
    def _scores(z: Floats) -> Floats:
        """A score for each class: of one output z those are 0 and z."""
        return np.concatenate([np.zeros_like(z), z], axis=1) if z.shape[1] == 1 else z


def linear_head(network: Network, layer: str) -> LinearHead:
    """The head behind a layer. Raises MethodError where it is none, ModelError where it is not one layer's weights."""
    network.check_linear_head(layer)
    found = _layer(network.model, network.layer(layer).channels or 0)
    kernel, *rest = (np.asarray(value, np.float64) for value in found.get_weights())
    bias = rest[0] if rest else np.zeros(kernel.shape[-1])
    return LinearHead(found.name, kernel.reshape(-1, kernel.shape[-1]), bias)


def with_head(network: Network, head: LinearHead, note: str) -> Network:
    """A copy of the network with another head; nothing is shared with it. Raises ModelError where it has no copy."""
    import keras

    try:
        model = keras.models.clone_model(network.model)
        model.set_weights(network.model.get_weights())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"The model of {network.name!r} cannot be copied: {' '.join(str(error).split())[:200]}. Each layer is made "
            "again from its get_config(). Give custom layers a get_config, and replace Lambda layers by others."
        ) from error
    layer = model.get_layer(head.layer)
    shapes = [value.shape for value in layer.get_weights()]
    layer.set_weights([head.kernel.reshape(shapes[0]), head.bias][: len(shapes)])
    origin = None if network.origin is None else replace(network.origin, folder=None, sha256="")
    return wrap(
        model,
        labels=network.labels,
        preprocess=network.preprocess if origin is None else preprocessing(origin.preprocessing),
        input_size=network.input_size,
        framing=network.framing,
        name=f"{network.name} mended",
        weights_note=note,
        origin=origin,
    )


def _layer(model: keras.Model, channels: int) -> keras.Layer:
    """The last layer with weights, which must take the averaged features as they are."""
    layers = [layer for layer in model.layers if layer.get_weights()]
    found = layers[-1] if layers else None
    kernel = found.get_weights()[0] if found is not None else np.empty(0)
    if found is None or kernel.ndim < 2 or int(np.prod(kernel.shape[:-1])) != channels:
        raise ModelError(
            f"The head of {model.name!r} is not the weights of one layer on {channels} averaged features, so it cannot "
            "be mended. A global average and one Dense layer can. Give the network such a head by surgery (train "
            "--backbone), and audit that one."
        )
    return found
