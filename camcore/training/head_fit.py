"""A linear head fitted to features that are computed once: seconds, for thousands of pictures.

The problem is convex (softmax regression), so how it is solved matters little; AdamW in small batches with early
stopping on held-out pictures reached the same accuracy as L-BFGS with its penalty chosen on those pictures
(MobileNetV2, 6 draws of 400 cats and dogs: 97.6 % and 97.6 %), in a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7
_MOST_STEPS = 64  # in an epoch: with many pictures the batches grow


@dataclass(frozen=True, eq=False)
class Head:
    """A linear head after an epoch of fitting, and how good it is; losses in nats, accuracies 0..1.

    ``kernel`` (K, outputs), ``bias`` (outputs,): of the features as they are.
    """

    kernel: Floats
    bias: Floats
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


def fit_head(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    held: NDArray[np.float32],
    held_labels: NDArray[np.int64],
    outputs: int,
    *,
    epochs: int,
    rate: float,
    weight_decay: float = 0.01,
    batch: int = 32,
    dropout: float = 0.0,
    seed: int = 0,
) -> Iterator[Head]:
    """Fit to features (n, K), one epoch at a time, with those held out (m, K) to tell how good it is.

    ``outputs`` 1: one sigmoid unit for the classes 0 and 1. Features are standardised, which the kernel that comes
    out undoes. The same seed gives the same head.
    """
    rng = np.random.default_rng(seed)
    mean = features.mean(0, dtype=np.float64)
    # A channel that hardly ever speaks must not be blown up.
    scale = features.std(0, dtype=np.float64)
    scale += max(1e-3 * float(scale.mean()), 1e-12)
    x = ((features - mean) / scale).astype(np.float32)
    targets = (np.eye(outputs)[labels] if outputs > 1 else labels[:, np.newaxis]).astype(np.float32)
    weights = np.zeros((features.shape[1] + 1, outputs), np.float32)  # the last row is the bias
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    size = max(batch, -(-len(x) // _MOST_STEPS))
    step = 0
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), -(-len(x) // size)):
            seen = x[rows]
            if dropout:
                seen = seen * (rng.random(seen.shape, np.float32) >= dropout) / np.float32(1 - dropout)
            error = (_probabilities(seen @ weights[:-1] + weights[-1]) - targets[rows]) / len(rows)
            slope = np.concatenate([seen.T @ error, error.sum(0, keepdims=True)])
            step += 1
            first += (1 - _BETA1) * (slope - first)
            second += (1 - _BETA2) * (slope**2 - second)
            change = first / (1 - _BETA1**step) / (np.sqrt(second / (1 - _BETA2**step)) + _EPSILON)
            weights[:-1] *= 1 - rate * weight_decay
            weights -= rate * change.astype(np.float32)
        kernel = weights[:-1].astype(np.float64) / scale[:, np.newaxis]
        bias = weights[-1].astype(np.float64) - mean @ kernel
        yield Head(
            kernel, bias, *measured(features @ kernel + bias, labels), *measured(held @ kernel + bias, held_labels)
        )


def measured(logits: Floats, labels: NDArray[np.int64]) -> tuple[float, float]:
    """(mean loss in nats, share of right answers) of logits (n, 1) of a sigmoid unit or (n, classes)."""
    z = np.asarray(logits, np.float64)
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], axis=1)  # a sigmoid is the softmax of (0, z)
    loss = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), labels]
    return float(loss.mean()), float((z.argmax(1) == labels).mean())


def _probabilities(z: NDArray[np.float32]) -> NDArray[np.float32]:
    if z.shape[1] == 1:
        return (0.5 * (1 + np.tanh(0.5 * z))).astype(np.float32)
    e = np.exp(z - z.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).astype(np.float32)
