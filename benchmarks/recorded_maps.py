"""All methods' maps on three networks, recorded in a file or compared with one: what a refactoring must not change.

    python benchmarks/recorded_maps.py record before.npz
    python benchmarks/recorded_maps.py compare before.npz

The networks are MobileNetV2 (ImageNet weights), the bundled ``cats_vs_dogs``, and a small Keras model with random
weights and a skip connection. Every method, its variants and refinements are run at the default layer for the top two
classes; raw maps are compared byte for byte. Exits with 1 where any differs.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from data import SHARED  # sets where the weights are
from skimage.data import chelsea

import camcore
from camcore.network import Network


def small_network() -> Network:
    """A network of three convolutions with a skip connection, from a fixed seed."""
    import keras

    keras.utils.set_random_seed(7)
    image = keras.Input((48, 64, 3))
    x = keras.layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(image)
    y = keras.layers.Conv2D(12, 3, padding="same", activation="relu")(x)
    x = keras.layers.Add()([x, y])
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="last")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return camcore.wrap(keras.Model(image, keras.layers.Dense(5, activation="softmax")(x)))


FEWER: dict[str, dict[str, object]] = {"sscam": {"n": 2}, "iscam": {"n": 3}, "rise": {"n": 200}}
"""Options that keep the long methods short."""


def requests(key: str) -> list[tuple[str, dict[str, object]]]:
    """The forms of one method: as it is, and each of its variants."""
    options = FEWER.get(key, {})
    return [("", options)] + [(f"/{v}", {"variant": v, **options}) for v in camcore.METHODS[key].variants]


def maps() -> dict[str, np.ndarray]:
    """Raw and drawn values of every method, under ``network/method/class``."""
    picture = camcore.Picture.from_array(chelsea())
    networks = {
        "MobileNetV2": camcore.load("MobileNetV2", weights=str(SHARED / "weights" / "MobileNetV2.weights.h5")),
        "cats_vs_dogs": camcore.load("cats_vs_dogs"),
        "small": small_network(),
    }
    found: dict[str, np.ndarray] = {}
    for name, net in networks.items():
        for key in camcore.METHODS:
            if camcore.METHODS[key].input.needs_attention and net.attentions.places is None:
                continue
            for suffix, options in requests(key):
                try:
                    result = camcore.explain(net, picture, [key], classes=[0, 1], options={key: options})
                except camcore.CamcoreError as error:
                    found[f"{name}/{key}{suffix}/error"] = np.array(str(error))
                    continue
                for cam in result:
                    found[f"{name}/{key}{suffix}/{cam.class_index}/raw"] = cam.raw
                    found[f"{name}/{key}{suffix}/{cam.class_index}/values"] = cam.values
            print(name, key, file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("record", "compare"))
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    now = maps()
    if given.do == "record":
        np.savez_compressed(given.file, allow_pickle=False, **now)
        print(f"{len(now)} arrays of {len(camcore.METHODS)} methods recorded in {given.file}")
        return 0
    before = np.load(given.file)
    differing = sorted(set(before.files) ^ set(now)) + [
        key for key in before.files if key in now and before[key].tobytes() != now[key].tobytes()
    ]
    for key in differing:
        print(f"differs: {key}")
    print(f"{len(before.files)} arrays, {len(differing)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
