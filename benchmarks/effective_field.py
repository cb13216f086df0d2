"""Where do a network's last cells really look? Their effective receptive field, measured.

    python benchmarks/effective_field.py [--model MobileNetV2] [--pictures 12]

For some cells of the default layer: the centroid of |∂(sum of the cell's activations)/∂input| over photographs,
beside the theoretical centre that the padding gives, and the centre on a grid stretched evenly over the input.
"""

import argparse

import numpy as np
from data import SHARED, table

import camcore
from camcore.framing import CellGrid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--pictures", type=int, default=12)
    given = parser.parse_args()

    import keras
    import tensorflow as tf

    net = camcore.load(given.model)
    info = net.layer(net.default_layer)
    assert info.grid is not None
    assert info.first_centre is not None
    assert info.stride is not None
    features = keras.Model(net.model.inputs, net.model.get_layer(net.default_layer).output)
    folder = SHARED / "imagenet_sample"
    files = [row["file"] for row in table("imagenet_sample")[: given.pictures]]
    x = np.concatenate([net.prepare(camcore.open_picture(folder / file))[0] for file in files])

    @tf.function
    def sensitivity(images: tf.Tensor, row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(features(images, training=False)[:, row, column])
        return tf.reduce_mean(tf.reduce_sum(tf.abs(tape.gradient(total, images)), -1), 0)

    even = CellGrid.uniform(info.grid, net.input_size)
    print(f"{net.name}, {info.path}, receptive field {info.receptive_field}, {len(files)} pictures: rows, in pixels")
    for row in range(info.grid[0] // 2 - 1, info.grid[0] // 2 + 2):
        weight = sensitivity(x, row, info.grid[1] // 2).numpy().sum(axis=1)
        measured = float((weight * np.arange(len(weight))).sum() / weight.sum())
        theory = info.first_centre[0] + row * info.stride[0]
        stretched = even.first_centre[0] + row * even.stride[0]
        print(f"  cell {row}: measured {measured:6.1f}   by padding {theory:6.1f}   even grid {stretched:6.1f}")


if __name__ == "__main__":
    main()
