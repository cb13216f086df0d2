"""New blocks as they learn: from feature maps of the frozen trunk, with the whole backbone as their teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.models.grafted import EMBEDDED, SCORES
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
    probabilities. ``features`` (rows, K): its pooled features, each of mean 0 and deviation 1.
    """

    maps: StoredRows
    labels: NDArray[np.int64]
    answers: Array
    features: Array

    def batches(
        self, recipe: BlocksRecipe, epoch: int, batch: int
    ) -> Iterator[tuple[Array, NDArray[np.int64], Array, Array]]:
        """Yield one epoch: (maps, labels, answers, features) of each picture in one of its views, drawn by the seed."""
        rng = np.random.default_rng((recipe.seed, epoch))
        order = rng.permutation(len(self.labels))
        views = (epoch + rng.permutation(len(order))) % recipe.views
        mirrored = rng.random(len(order)) < 0.5
        for start in range(0, len(order) - batch + 1, batch):
            here = order[start : start + batch]
            rows = views[start : start + batch] * len(order) + here
            maps = self.maps[rows]
            turned = mirrored[start : start + batch]
            maps[turned] = maps[turned, :, ::-1]
            yield maps, self.labels[here], self.answers[rows], self.features[rows]


def blocks_learner(
    recipe: BlocksRecipe, model: keras.Model, start: keras.KerasTensor, steps: int, hint_width: int
) -> Learner:
    """A learner of the blocks behind ``start``, the trunk's feature map, of a grafted ``model``.

    Its step takes (maps, labels, teacher's answers, its features, numbers of the tokens to look at).
    """
    import keras
    import tensorflow as tf

    scores = model.get_layer(SCORES)
    tail = keras.Model(start, scores.input)
    hint = keras.layers.Dense(hint_width, name="hint")
    hint.build((None, scores.input.shape[-1]))
    variables = [*tail.trainable_variables, *scores.trainable_variables, *hint.trainable_variables]
    optimizer = cosine_adamw(recipe.rate, recipe.weight_decay, recipe.warmup, recipe.epochs, steps)
    optimizer.build(variables)
    pooled_of_some = _of_some_tokens(model, start) if recipe.kind == "transformer" else None
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

    maps_spec = tf.TensorSpec([None, *start.shape[1:]])
    taught = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, outputs]), tf.TensorSpec([None, hint_width])]

    @tf.function(autograph=False, input_signature=[maps_spec, *taught, tf.TensorSpec([None], tf.int32)])
    def step(
        maps: tf.Tensor, labels: tf.Tensor, answers: tf.Tensor, features: tf.Tensor, tokens: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            pooled = tail(maps, training=True) if pooled_of_some is None else pooled_of_some(maps, tokens)
            z = logits(pooled)
            loss = class_loss(z, labels, answers)
            total = loss + recipe.hints * tf.reduce_mean((hint(pooled) - features) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss, tf.reduce_mean(tf.cast(chosen_class(z) == labels, tf.float32))

    @tf.function(autograph=False, input_signature=[maps_spec])
    def inference(maps: tf.Tensor) -> tf.Tensor:
        return logits(tail(maps, training=False))

    return Learner(model, hint, optimizer, step, inference)


def _of_some_tokens(model: keras.Model, start: keras.KerasTensor) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """A function from maps and the numbers of some tokens to what the blocks make of these tokens alone, pooled."""
    import keras
    import tensorflow as tf

    embedded = model.get_layer(EMBEDDED).output
    embed = keras.Model(start, embedded)
    behind = keras.Model(embedded, model.get_layer(SCORES).input)
    some = keras.Input((None, embedded.shape[-1]))
    # The same layers once more, for any number of tokens.
    blocks = keras.models.clone_model(behind, input_tensors=some, clone_function=lambda layer: layer)

    def pooled(maps: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        return blocks(tf.gather(embed(maps, training=True), tokens, axis=1), training=True)

    return pooled
