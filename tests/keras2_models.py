"""Whole models written by a real Keras 2 (``tf_keras``), in a process of its own: run as a script, with a folder.

For each model NAME.h5 and NAME.keras, and NAME.npz with random pictures and what ``predict`` of Keras 2 says of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def write(folder: Path) -> Path:
    """Have the files written; the folder."""
    done = subprocess.run([sys.executable, __file__, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def _main(folder: Path) -> None:
    import numpy as np
    import tensorflow as tf
    import tf_keras as keras
    from tf_keras import layers
    from tf_keras.src.applications.efficientnet import DEFAULT_BLOCKS_ARGS, EfficientNet

    rng = np.random.default_rng(0)

    def sequential():
        return keras.Sequential(
            [
                layers.InputLayer((20, 20, 3)),
                layers.Rescaling(1 / 255.0),
                layers.Conv2D(6, 3, activation="hard_sigmoid"),
                layers.BatchNormalization(),
                layers.DepthwiseConv2D(3),
                layers.ThresholdedReLU(0.1),
                layers.RandomHeight(0.1),
                layers.SeparableConv2D(5, 3),
                layers.LeakyReLU(0.2),
                layers.MaxPooling2D(),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, activation="softmax"),
            ]
        )

    def transfer():
        whole = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(96, 96, 3))
        base = keras.Model(whole.input, whole.get_layer("block_2_add").output, name="base")  # a block of each kind
        base.trainable = False
        augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.2)])
        image = keras.Input((96, 96, 3))
        x = keras.applications.mobilenet_v2.preprocess_input(augment(image))
        x = layers.GlobalAveragePooling2D()(base(x, training=False))
        return keras.Model(image, layers.Dense(3, activation="softmax")(layers.Dropout(0.2)(x)))

    def functions():
        image = keras.Input((16, 16, 3), name="im")
        x = keras.applications.vgg16.preprocess_input(tf.cast(image, tf.float32))
        x = tf.reverse(x / 64.0, [-1])[:, 1:-1, ...]
        a = layers.Conv2D(4, 3, padding="same", name="a", activation="tanh")(x)
        b = layers.Conv2D(4, 3, padding="same", name="b", activation=tf.nn.relu)(x)
        shared = layers.Conv2D(4, 1, name="shared")
        y = shared(a) + shared(b) - 0.5 * a
        y = tf.nn.relu6(tf.concat([y, b, a], axis=-1))
        y = tf.reduce_mean(tf.stack([y, y * 2], axis=1), axis=1)
        first, _, last = tf.split(y, 3, axis=-1)
        y = tf.image.resize(layers.Add()([first, last]), (7, 8))
        y = tf.transpose(1.0 / (1.0 + tf.exp(-y)), [0, 2, 1, 3])
        tokens = layers.Reshape((56, 4))(y)
        tokens = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4, name="mha")(tokens, tokens))
        y = tf.reshape(tokens, [tf.shape(tokens)[0], 8, 7, 4])
        y = layers.PReLU(shared_axes=[1, 2])(layers.ReLU(6.0)(y))
        y = layers.Dense(3)(layers.GlobalAveragePooling2D()(y))
        return keras.Model(image, layers.Activation("softmax")(y))

    def efficient():
        kinds = DEFAULT_BLOCKS_ARGS[:3]  # a block of each kind: without expansion, with another stride, repeated
        return EfficientNet(1.0, 1.0, 64, blocks_args=kinds, weights=None, classes=4, input_shape=(64, 64, 3))

    def code():
        return keras.Sequential(
            [layers.InputLayer((8, 8, 3)), layers.Lambda(lambda x: x / 255.0), layers.Flatten(), layers.Dense(2)]
        )

    for build in (sequential, transfer, functions, efficient, code):
        keras.backend.clear_session()
        model = build()
        model.set_weights(
            [
                rng.uniform(0.5, 1.5, one.shape) if "variance" in one.name else rng.normal(0, 0.2, one.shape)
                for one in model.weights
            ]
        )
        name, (_, side, _, _) = build.__name__, model.input_shape
        x = rng.integers(0, 256, (2, side, side, 3)).astype(np.float32)
        np.savez(folder / f"{name}.npz", x=x, y=model.predict(x, verbose=0))
        model.save(folder / f"{name}.h5")
        if build is not functions:  # Keras 2 itself cannot write an Ellipsis into a .keras file
            model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.old_weights.h5")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
