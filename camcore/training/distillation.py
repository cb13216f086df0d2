"""Distillation: a trained backbone's features of each picture, for a small network to learn beside the classes.

Feature distillation: the student's pooled features, through one Dense layer that is thrown away afterwards, tell
the teacher's pooled features (hints of Romero et al. 2015, arXiv:1412.6550, here on the pooled vector). The
teacher sees the same crop as the student (Beyer et al. 2022, arXiv:2106.05237).
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camcore.files import write_arrays
from camcore.network import Network
from camcore.training.recipe import Recipe

_BATCH = 32


def teacher_features(
    recipe: Recipe, pixels: NDArray[np.uint8], folder: Path
) -> Generator[tuple[int, int], None, NDArray[np.float16]]:
    """The teacher's pooled features of every view, float16 (views, n, D), each of mean 0 and deviation 1.

    Yields (views done, in all); the result is kept in ``folder`` and taken again from there.
    """
    path = folder / "teacher.npy"
    count = pixels.shape[0] * pixels.shape[1]
    if not path.exists():
        import keras

        from camcore.models.catalogue import build, find_weights
        from camcore.models.wrap import wrap

        side = recipe.teacher_size
        built = build(recipe.teacher, find_weights(recipe.teacher), input_shape=(side, side, 3))
        teacher = wrap(built.model, built.labels, built.preprocess, name=recipe.teacher)
        flat = pixels.reshape(count, *pixels.shape[2:])
        features: NDArray[np.float16] | None = None
        for start in range(0, count, _BATCH):
            batch = keras.ops.image.resize(flat[start : start + _BATCH].astype(np.float32), (side, side), "bicubic")
            pooled = pooled_features(teacher, np.clip(np.asarray(batch), 0, 255))
            if features is None:
                features = np.empty((count, pooled.shape[1]), np.float16)
            features[start : start + _BATCH] = pooled
            yield min(start + _BATCH, count), count
        assert features is not None
        mean, deviation = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64)
        features = ((features - mean) / (deviation + 1e-6)).astype(np.float16)
        write_arrays(path, features)
    return np.load(path).reshape(*pixels.shape[:2], -1)


def pooled_features(network: Network, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over all places of the default layer's activations: RGB 0..255 (n, h, w, 3) → (n, K)."""
    layer = network.layer_with_grid().path
    return network.tap(network.preprocess(rgb), (layer,)).activations[layer].mean((1, 2))
