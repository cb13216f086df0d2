"""The teachers of new blocks: the whole backbone under a linear head, and one that tells what each cell speaks for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError
from camcore.models.grafted import AVERAGE, SCORES
from camcore.models.load import load
from camcore.network import Network
from camcore.training.blocks_learner import Lessons
from camcore.training.blocks_recipe import BlocksRecipe
from camcore.training.head_fit import Head, fit_head
from camcore.training.trunk_features import StoredRows, TrunkFeatures

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float32]

_EPOCHS, _PATIENCE = 60, 6
_BATCH = 64


def taught(
    recipe: BlocksRecipe, outputs: int, learned: Sequence[TrunkFeatures], checked: TrunkFeatures, dense: Network | None
) -> Generator[tuple[int, int], None, tuple[Head, Lessons]]:
    """Fit the teacher and note what it says of all views; yields (rows done, in all).

    ``learned``: of each view; ``checked``: of the pictures held out. ``dense``: the teacher of the cells, as
    ``dense_teacher`` gives it.
    """
    pooled = np.concatenate([one.pooled[np.arange(len(one.pooled))] for one in learned])
    labels = learned[0].data.labels
    head = _fit(pooled, np.tile(labels, len(learned)), checked, outputs, recipe.seed)
    answers = _probabilities(pooled @ head.kernel + head.bias)
    pooled -= pooled.mean(0)
    pooled /= pooled.std(0) + 1e-6
    maps = StoredRows(tuple(part for one in learned if one.maps for part in one.maps.parts))
    cells = np.empty((len(maps), 0, 0, outputs), np.float32)
    if dense is not None:
        cells = yield from cell_scores(dense.model, recipe.layer, maps)
    return head, Lessons(maps, labels, answers, pooled, cells)


def dense_teacher(recipe: BlocksRecipe, net: Network) -> Network | None:
    """The network whose class activation maps tell the cells' scores; None where the recipe names none.

    ``net``: the backbone. Raises ModelError for a network that does not stand on the same trunk.
    """
    if not recipe.dense_teacher:
        return None
    assert net.origin is not None, "of the catalogue"
    found = load(recipe.dense_teacher)
    made = dict(found.origin.architecture) if found.origin is not None else {}
    wanted = {"builder": "grafted", "backbone": net.origin.architecture["backbone"], "layer": recipe.layer}
    if {**made, **wanted} != made or found.input_size != net.input_size or found.labels != net.labels:
        raise ModelError(
            f"{recipe.dense_teacher!r} cannot teach the cells: it is no network of new blocks behind {recipe.layer!r} "
            f"of {recipe.backbone}, with the same input and classes. Train one such by a recipe of kind 'convolutions'."
        )
    return found


def cell_scores(model: keras.Model, layer: str, maps: StoredRows) -> Generator[tuple[int, int], None, Array]:
    """The contribution of every cell to a grafted network's scores: its class activation maps, without the bias.

    ``maps``: rows of values of ``layer``, the trunk's end. Yields (rows done, in all); returns (rows, h, w, outputs),
    whose mean over the cells is the network's logit less its bias.
    """
    import keras
    import tensorflow as tf

    start, head = model.get_layer(layer).output, model.get_layer(SCORES)
    blocks = keras.Model(start, model.get_layer(AVERAGE).input)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, *start.shape[1:]])])
    def scores(x: tf.Tensor) -> tf.Tensor:
        return keras.ops.matmul(blocks(x, training=False), head.kernel)

    found = np.empty((len(maps), *start.shape[1:3], head.units), np.float32)
    for first in range(0, len(maps), _BATCH):
        rows = np.arange(first, min(first + _BATCH, len(maps)))
        found[rows] = scores(maps[rows]).numpy().reshape(-1, *found.shape[1:])
        yield int(rows[-1]) + 1, len(maps)
    return found


def _fit(pooled: Array, labels: NDArray[np.int64], checked: TrunkFeatures, outputs: int, seed: int) -> Head:
    """A linear head on pooled features (rows, K): the best on the pictures held out."""
    heads = fit_head(
        pooled,
        labels,
        checked.pooled[np.arange(len(checked.pooled))],
        checked.data.labels,
        outputs,
        epochs=_EPOCHS,
        rate=1e-3,
        dropout=0.2,
        seed=seed,
    )
    best, since = next(heads), 0
    for head in heads:
        best, since = (head, 0) if head.val_loss < best.val_loss else (best, since + 1)
        if since == _PATIENCE:
            break
    return best


def _probabilities(z: NDArray[np.float64]) -> NDArray[np.float32]:
    if z.shape[1] == 1:
        return (0.5 * (1 + np.tanh(0.5 * z))).astype(np.float32)
    e = np.exp(z - z.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).astype(np.float32)
