"""The compact classifier as it learns: its step, its optimizer, and the batches that it learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.models.gap_classifier import gap_classifier
from camcore.training.head_fit import measured
from camcore.training.recipe import Recipe
from camcore.training.runs import Run
from camcore.training.views import augmentation

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True, eq=False)
class Learner:
    """The network that learns, with what only training needs."""

    model: keras.Model  # its input's sides left open
    hint: keras.layers.Dense | None  # tells the teacher's features; None without a teacher
    optimizer: keras.Optimizer
    step: Callable[..., tuple[tf.Tensor, tf.Tensor]]  # (x, labels, what a teacher says) → loss, share of right answers
    scores: Callable[[NDArray[np.float32]], tf.Tensor]  # logits in inference mode

    def variables(self) -> list[keras.Variable]:
        """All that training changes."""
        extra = self.hint.weights if self.hint is not None else []
        return [*self.model.weights, *extra, *self.optimizer.variables]

    def check(self, x: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
        """(loss in nats without smoothing, accuracy) over held-out pictures."""
        return measured(np.concatenate([self.scores(x[i : i + 64]).numpy() for i in range(0, len(x), 64)]), labels)

    def keep(self, run: Run, epochs: int) -> None:
        """Write what taking up again needs, after so many epochs."""
        values = {f"v{i:04d}": np.asarray(variable) for i, variable in enumerate(self.variables())}
        run.save_state({"epochs": np.array(epochs), **values})

    def take_up(self, run: Run) -> int:
        """Set everything as it was after the last whole epoch; how many epochs that makes."""
        state = run.load_state()
        if state is None:
            return 0
        for i, variable in enumerate(self.variables()):
            variable.assign(state[f"v{i:04d}"])
        return int(state["epochs"])


def new_learner(recipe: Recipe, classes: int, steps: int, hint_width: int) -> Learner:
    """A classifier with random weights. ``hint_width``: of the teacher's features, 0 without one."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    outputs = 1 if classes == 2 else classes
    model = gap_classifier(None, recipe.stem, recipe.widths, recipe.blocks, outputs)
    scores = model.layers[-1]
    trunk = keras.Model(model.input, scores.input)
    variables = list(model.trainable_variables)
    hint = None
    if hint_width:
        hint = keras.layers.Dense(hint_width, name="hint")
        hint.build((None, trunk.output.shape[-1]))
        variables += hint.trainable_variables
    optimizer = cosine_adamw(recipe.rate, recipe.weight_decay, recipe.warmup, recipe.epochs, steps)
    optimizer.build(variables)

    def logits(pooled: tf.Tensor) -> tf.Tensor:
        return keras.ops.matmul(pooled, scores.kernel) + scores.bias

    def class_loss(z: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        smoothing = recipe.label_smoothing
        if outputs == 1:
            wanted = tf.cast(labels[:, tf.newaxis], z.dtype) * (1 - smoothing) + smoothing / 2
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        wanted = tf.one_hot(labels, outputs) * (1 - smoothing) + smoothing / outputs
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, z))

    pictures = tf.TensorSpec([None, None, None, 3])

    @tf.function(
        autograph=False,
        input_signature=[pictures, tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, hint_width], tf.float16)],
    )
    def step(x: tf.Tensor, labels: tf.Tensor, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            pooled = trunk(x, training=True)
            z = logits(pooled)
            loss = total = class_loss(z, labels)
            if hint is not None:
                apart = hint(pooled) - tf.cast(features, tf.float32)
                total += recipe.distillation * tf.reduce_mean(apart**2)
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss, tf.reduce_mean(tf.cast(chosen_class(z) == labels, tf.float32))

    @tf.function(autograph=False, input_signature=[pictures])
    def inference(x: tf.Tensor) -> tf.Tensor:
        return logits(trunk(x, training=False))

    return Learner(model, hint, optimizer, step, inference)


def cosine_adamw(rate: float, weight_decay: float, warmup: float, epochs: int, steps: int) -> keras.Optimizer:
    """AdamW whose rate rises over ``warmup`` epochs of ``steps`` each, and falls to zero as a cosine."""
    import keras

    warmup = min(warmup, epochs / 4)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(1, ceil((epochs - warmup) * steps)),
            warmup_target=rate,
            warmup_steps=max(1, round(warmup * steps)),
        ),
        weight_decay=weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def chosen_class(z: tf.Tensor) -> tf.Tensor:
    """The class that logits (n, 1) or (n, classes) choose."""
    import tensorflow as tf

    return tf.cast(z[:, 0] > 0, tf.int64) if z.shape[1] == 1 else tf.argmax(z, 1)


def batches_of(
    recipe: Recipe,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    hints: NDArray[np.float16] | None,
    epoch: int,
    batch: int,
) -> tf.data.Dataset:
    """One epoch as a tf.data.Dataset of (x in -1..1, labels, teacher's features), in an order drawn by the seed."""
    import tensorflow as tf

    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(labels))
    view = epoch % recipe.views
    change = augmentation(recipe, recipe.side(epoch), epoch)
    nothing = np.zeros((batch, 0), np.float16)

    def gather(indices: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float16]]:
        return pixels[view][indices], labels[indices], nothing if hints is None else hints[view][indices]

    def load(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        x, y, features = tf.numpy_function(gather, [indices], (tf.uint8, tf.int64, tf.float16), stateful=False)
        x = tf.ensure_shape(x, (batch, *pixels.shape[2:]))
        return change(tf.cast(x, tf.float32)) / 127.5 - 1.0, tf.ensure_shape(y, (batch,)), features

    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch, drop_remainder=True).map(load).prefetch(2)
    options = tf.data.Options()
    options.autotune.enabled = False  # nothing here is tuned, and its thread can hold up the epoch's end for a minute
    return batches.with_options(options)
