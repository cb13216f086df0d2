"""From file to map by one command: the published transfer recipes of Keras and TensorFlow, each as people save it.

    pip install -r requirements.txt
    python benchmarks/recipes.py [--size 96] [--only mobilenet] [--folder models/]

Each row is a model built as a recipe has it (keras.io "Transfer learning & fine-tuning", tensorflow.org "Transfer
learning and fine-tuning", "Image classification"): augmentation and preprocessing inside, a frozen base, a new head,
with seeded random weights. It is saved by Keras 3 or, in a process of its own, by Keras 2 (``tf_keras``), and then
explained by ``camcore explain photo.png --model FILE``. A row is right where the default layer is the base's last one,
every probability is ``model.predict``'s to 1e-5, and the map is that of a ``GradientTape`` over the base and the head.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from camcore.__main__ import main as command
from camcore.framing import frame_picture
from camcore.pictures.picture import open_picture

CLOSE = 1e-5
CLASSES = 3
# application, its module, options, what the default layer must be (DESIGN section 4)
BASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "MobileNetV2": ("mobilenet_v2", {"alpha": 0.35}, "out_relu"),
    "VGG16": ("vgg16", {}, "block5_conv3"),
    "ResNet50": ("resnet50", {}, "conv5_block3_out"),
    "EfficientNetB0": ("efficientnet", {}, "top_activation"),
}
FORMS = ("functional", "sequential")
WRITTEN = ((3, ".keras"), (3, ".h5"), (2, ".keras"), (2, ".h5"))


@dataclass(frozen=True)
class Row:
    """One model in one file: what was built, who wrote it, and in which form."""

    base: str
    form: str
    keras: int
    suffix: str

    @property
    def stem(self) -> str:
        return f"{self.base}-{self.form}-keras{self.keras}".lower()

    @property
    def title(self) -> str:
        return f"{self.base}, {self.form}"


# ---- the recipes, for either Keras


def build(keras: Any, base_name: str, form: str, size: int) -> tuple[Any, Any]:
    """(transfer model of a recipe, what goes into its base); ``keras``: the module, of Keras 3 or ``tf_keras``."""
    module_name, options, _ = BASES[base_name]
    layers, shape = keras.layers, (size, size, 3)
    base = getattr(keras.applications, base_name)(include_top=False, weights=None, input_shape=shape, **options)
    base.trainable = False
    prepare = getattr(keras.applications, module_name).preprocess_input
    augment = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.2)]
    if form == "sequential":  # a layer scales, for a function cannot stand in a list of layers
        scale = [layers.Rescaling(1 / 127.5, offset=-1)] if base_name != "EfficientNetB0" else []
        head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(CLASSES, activation="softmax")]
        model = keras.Sequential([keras.Input(shape), *augment, *scale, base, *head])
        fed = model.inputs[0]
        for layer in model.layers[: model.layers.index(base)]:
            fed = layer(fed, training=False) if layer in augment else layer(fed)
        return model, fed
    image = keras.Input(shape)
    fed = prepare(keras.Sequential(augment)(image))
    x = layers.GlobalAveragePooling2D()(base(fed, training=False))
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(layers.Dropout(0.2)(x))), fed


def seed(model: Any, reach: float) -> None:
    """Weights as training leaves them in size, so that the answer depends on the picture.

    ``reach``: about the largest number that goes into the base; its first kernel is divided by it.
    """
    rng = np.random.default_rng(7)
    values = []
    for one in model.weights:
        name, shape = getattr(one, "path", one.name), tuple(one.shape)
        if "variance" in name or "gamma" in name:
            values.append(rng.uniform(0.8, 1.2, shape))
        elif len(shape) > 1:
            fan = np.prod(shape[:-1]) if "depthwise" not in name else np.prod(shape[:2])
            first = len(shape) == 4 and shape[2] == 3
            values.append(rng.normal(0, np.sqrt(2 / fan) / (reach if first else 1), shape))
        elif "normalization/mean" in name or "count" in name:
            values.append(np.zeros(shape))
        else:
            values.append(rng.normal(0, 0.05, shape))
    model.set_weights(values)


def write(keras: Any, base: str, form: str, size: int, picture: np.ndarray, stem: Path) -> None:
    """Save the model in every form, and beside it what it predicts and the map of its top class at the base's layer."""
    import tensorflow as tf

    keras.backend.clear_session()
    model, fed = build(keras, base, form, size)
    caffe = form == "functional" and base in ("VGG16", "ResNet50")
    seed(model, 128.0 if caffe else 1.0)
    said = model.predict(picture[np.newaxis], verbose=0)[0]
    top = int(said.argmax())
    inner = next(layer for layer in model.layers if hasattr(layer, "layers") and len(layer.layers) > 9)
    place = model.layers.index(inner)
    tap = keras.Model(inner.inputs, [inner.get_layer(BASES[base][2]).output, inner.output])
    prepared = keras.Model(model.inputs, fed)(picture[np.newaxis], training=False)
    with tf.GradientTape() as tape:
        features, x = tap(prepared, training=False)
        tape.watch(features)
        # From the tapped tensor on the base has at most a pooling layer left.
        x = keras.layers.MaxPooling2D()(features) if x.shape[1:] != features.shape[1:] else features
        for layer in model.layers[place + 1 : -1]:
            x = layer(x, training=False) if isinstance(layer, keras.layers.Dropout) else layer(x)
        kernel, bias = model.layers[-1].weights
        score = (tf.matmul(x, tf.convert_to_tensor(kernel)) + tf.convert_to_tensor(bias))[0, top]
    weights = tape.gradient(score, features)[0].numpy().mean((0, 1))
    np.savez(f"{stem}.npz", said=said, map=np.maximum(features[0].numpy() @ weights, 0), top=top)
    for suffix in (".keras", ".h5"):
        with contextlib.suppress(TypeError):  # Keras 2 cannot write the Ellipsis of caffe's x[..., ::-1] into .keras
            model.save(f"{stem}{suffix}")


def write_all(version: int, names: list[str], size: int, photo: Path, folder: Path) -> None:
    """Every model of one Keras."""
    keras = import_module("tf_keras" if version == 2 else "keras")
    picture = np.asarray(frame_picture(open_picture(photo), (size, size), "stretch")[0], np.float32)
    for base in names:
        for form in FORMS:
            write(keras, base, form, size, picture, folder / Row(base, form, version, "").stem)


# ---- one command


def judge(row: Row, folder: Path, photo: Path) -> tuple[str, str, str, float]:
    """(default layer, greatest error of a probability, of the map, seconds), or what is wrong in place of an error."""
    path, out = folder / f"{row.stem}{row.suffix}", folder / f"{row.stem}{row.suffix}-out"
    if not path.exists():
        return "–", "Keras 2 itself cannot write it", "", 0.0
    errors, began = io.StringIO(), time.perf_counter()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = command(["explain", str(photo), "--model", str(path), "--out", str(out)])
    seconds = time.perf_counter() - began
    if code:
        return "–", f"refused: {errors.getvalue().strip()[:160]}", "", seconds
    told, run = np.load(folder / f"{row.stem}.npz"), json.loads((out / "run.json").read_text("utf-8"))
    said = {one["index"]: one["probability"] for one in run["predictions"]}
    off = max(abs(said[index] - value) for index, value in enumerate(told["said"]))
    (found,) = run["maps"]
    raw = np.loadtxt(out / found["csv"], delimiter=",", ndmin=2)
    largest = float(told["map"].max()) or 1.0
    apart = (
        float(np.abs(np.maximum(raw, 0) - told["map"]).max()) / largest if raw.shape == told["map"].shape else np.inf
    )
    return found["layer"], f"{off:.1e}", f"{apart:.1e}", seconds


def right(row: Row, layer: str, off: str, apart: str) -> bool:
    """Whether all three are as they should be."""
    try:
        return layer.endswith(f"/{BASES[row.base][2]}") and float(off) <= CLOSE and float(apart) <= 1e-4
    except ValueError:
        return False


def main() -> int:
    """Print the table; 0 where every row is right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=96, help="of the models' input in pixels (default: 96)")
    parser.add_argument("--only", default="", help="bases whose names hold this")
    parser.add_argument("--folder", type=Path, help="keep the models here")
    parser.add_argument("--write", type=int, choices=(2, 3), help=argparse.SUPPRESS)  # a process of its own
    given = parser.parse_args()
    names = [name for name in BASES if given.only.lower() in name.lower()]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        photo = folder / "photo.png"
        if given.write:
            write_all(given.write, names, given.size, photo, folder)
            return 0
        from skimage.data import chelsea

        Image.fromarray(chelsea()).save(photo)
        for version in (3, 2):
            again = [sys.executable, __file__, "--write", str(version), "--folder", str(folder)]
            subprocess.run([*again, "--size", str(given.size), "--only", given.only], check=True, capture_output=True)
        rows = [Row(base, form, version, suffix) for base in names for form in FORMS for version, suffix in WRITTEN]
        return table(rows, folder, photo)


def table(rows: list[Row], folder: Path, photo: Path) -> int:
    """Print a row for each file; the number of those that are wrong."""
    print("| model | written by | file | default layer | probabilities off by | map off by | seconds | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    wrong = 0
    for row in rows:
        layer, off, apart, seconds = judge(row, folder, photo)
        state = "right" if right(row, layer, off, apart) else "–" if "itself" in off else "WRONG"
        wrong += state == "WRONG"
        found = f"`{layer}` | {off} | {apart} | {seconds:.1f} | {state}"
        print(f"| {row.title} | Keras {row.keras} | {row.suffix} | {found} |")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
