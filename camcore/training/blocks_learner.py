"""New blocks as they learn: from feature maps of the frozen trunk, with the whole backbone as their teacher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.models.grafted import AVERAGE, SCORES
from camcore.training.blocks_recipe import BlocksRecipe
from camcore.training.learner import Learner, chosen_class, cosine_adamw
from camcore.training.trunk_features import StoredRows

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lessons:
    """Training data of the blocks: rows of all views, one view after the other.

    ``maps``: of the trunk. ``labels`` of the pictures of one view. ``answers`` (rows, outputs): the teacher's
    probabilities. ``features`` (rows, K): its pooled features, each of mean 0 and deviation 1. ``cells`` (rows, h, w,
    outputs): its scores of single cells, in the grid of ``maps``; of no cells (rows, 0, 0, outputs) where nothing is
    learned from them.
    """

    maps: StoredRows
    labels: NDArray[np.int64]
    answers: Array
    features: Array
    cells: Array

    def batches(
        self, recipe: BlocksRecipe, epoch: int, batch: int
    ) -> Iterator[tuple[Array, NDArray[np.int64], Array, Array, Array]]:
        """Yield one epoch: (maps, labels, answers, features, cells) of each picture in one view, drawn by the seed."""
        rng = np.random.default_rng((recipe.seed, epoch))
        order = rng.permutation(len(self.labels))
        views = (epoch + rng.permutation(len(order))) % recipe.views
        mirrored = rng.random(len(order)) < 0.5
        for start in range(0, len(order) - batch + 1, batch):
            here = order[start : start + batch]
            rows = views[start : start + batch] * len(order) + here
            maps, cells = self.maps[rows], self.cells[rows]
            turned = mirrored[start : start + batch]
            for one in (maps, cells):
                one[turned] = one[turned, :, ::-1]
            yield maps, self.labels[here], self.answers[rows], self.features[rows], cells


def blocks_learner(
    recipe: BlocksRecipe, model: keras.Model, start: keras.KerasTensor, steps: int, hint_width: int
) -> Learner:
    """A learner of the blocks behind ``start``, the trunk's feature map, of a grafted ``model``.

    Its step takes (maps, labels, teacher's answers, its features, its scores of the cells).
    """
    import keras
    import tensorflow as tf

    scores = model.get_layer(SCORES)
    average = model.get_layer(AVERAGE)
    blocks = keras.Model(start, average.input)
    hint = keras.layers.Dense(hint_width, name="hint")
    hint.build((None, scores.input.shape[-1]))
    variables = [*blocks.trainable_variables, *scores.trainable_variables, *hint.trainable_variables]
    optimizer = cosine_adamw(recipe.rate, recipe.weight_decay, recipe.warmup, recipe.epochs, steps)
    optimizer.build(variables)
    outputs = int(scores.output.shape[-1])

    def logits(pooled: tf.Tensor) -> tf.Tensor:
        return keras.ops.matmul(pooled, scores.kernel) + scores.bias

    def class_loss(z: tf.Tensor, labels: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        smoothing, soft = recipe.label_smoothing, recipe.soft
        hard = tf.cast(labels[:, tf.newaxis], z.dtype) if outputs == 1 else tf.one_hot(labels, outputs)
        hard = hard * (1 - smoothing) + smoothing / max(outputs, 2)
        wanted = soft * answers + (1 - soft) * hard
        if outputs == 1:
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, z))

    def cell_loss(x: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
        """Of the head on each cell or token, whose mean (and the bias) is the network's score."""
        said = tf.reshape(keras.ops.matmul(x, scores.kernel), tf.shape(cells))
        return tf.reduce_mean((said - cells) ** 2)

    maps_spec = tf.TensorSpec([None, *start.shape[1:]])
    taught = [
        tf.TensorSpec([None, outputs]),
        tf.TensorSpec([None, hint_width]),
        tf.TensorSpec([None, None, None, outputs]),
    ]

    @tf.function(autograph=False, input_signature=[maps_spec, tf.TensorSpec([None], tf.int64), *taught])
    def step(
        maps: tf.Tensor, labels: tf.Tensor, answers: tf.Tensor, features: tf.Tensor, cells: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            x = blocks(maps, training=True)
            pooled = average(x)
            z = logits(pooled)
            loss = class_loss(z, labels, answers)
            total = loss + recipe.hints * tf.reduce_mean((hint(pooled) - features) ** 2)
            if recipe.dense:
                total += recipe.dense * cell_loss(x, cells)
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss, tf.reduce_mean(tf.cast(chosen_class(z) == labels, tf.float32))

    @tf.function(autograph=False, input_signature=[maps_spec])
    def inference(maps: tf.Tensor) -> tf.Tensor:
        return logits(average(blocks(maps, training=False)))

    return Learner(model, hint, optimizer, step, inference)
