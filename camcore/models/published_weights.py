"""The ImageNet weights that Keras publishes: for a backbone's default options and, of the MobileNets, for some more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json
from camcore.models.weights_files import WeightsFile

if TYPE_CHECKING:
    from camcore.models.catalogue import Backbone

Options = Mapping[str, Json]
"""Options of a constructor of keras.applications."""

# Constructor options that decide which weights fit, and their defaults. The input size is the fifth such
# option; its default differs from backbone to backbone.
_DEFAULTS: dict[str, object] = {"alpha": 1.0, "classes": 1000, "depth_multiplier": 1, "minimalistic": False}

# Keras publishes a backbone's weights for its default options; the MobileNets' for some more.
_MOBILENET_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_MOBILENET_SIZES = (128, 160, 192, 224)
_MOBILENET_V2_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_MOBILENET_V2_SIZES = (96, 128, 160, 192, 224)
_MOBILENET_V3_HASHES = {
    "small_224_0.75": "cb65d4e5be93758266aa0a7f2c6708b7",
    "small_224_1.0": "8768d4c2e7dee89b9d02b2d03d65d862",
    "small_minimalistic_224_1.0": "99cd97fb2fcdad2bf028eb838de69e37",
    "large_224_0.75": "765b44a33ad4005b3ac83185abf1d0eb",
    "large_224_1.0": "59e551e166be033d707958cf9e29a6a7",
    "large_minimalistic_224_1.0": "675e7b876c45c57e9e63e6d90a36599c",
}


def own_name(row: Backbone, options: Options) -> str:
    """The file name for a backbone's weights that tells its options: ``MobileNet_alpha0.25.weights.h5``."""
    return "_".join([row.name, *_weight_options(row, options)]) + ".weights.h5"


def published_weights(row: Backbone, options: Options) -> WeightsFile:
    """The ImageNet weights that Keras offers for these options; ModelError where it offers none."""
    problem = why_unpublished(row, options)
    if problem:
        raise ModelError(
            f"Keras publishes no ImageNet weights for {row.name} with {options_text(options)}: {problem}. "
            f"Change the options, name a weights file, put {own_name(row, options)!r} into a folder named by "
            'the environment variable CAMCORE_WEIGHTS, or choose weights="random".'
        )
    alpha, size = float(options.get("alpha", 1.0)), _input_size(row, options)[0]
    file_hash = row.weights.hash
    match row.keras_module:
        case "mobilenet":
            file = f"mobilenet_{_MOBILENET_ALPHAS[alpha]}_{size}_tf.h5"
        case "mobilenet_v2":
            file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}.h5"
        case "mobilenet_v3":
            variant = _v3_variant(row, options)
            file, file_hash = f"weights_mobilenet_v3_{variant}_float.h5", _MOBILENET_V3_HASHES[variant]
        case _:
            return row.weights
    return WeightsFile(file, f"{row.weights.url.rpartition('/')[0]}/{file}", file_hash)


def why_unpublished(row: Backbone, options: Options) -> str:
    """The reason why Keras has no ImageNet weights for these options; "" where it has some."""
    alphas: tuple[float, ...] = (1.0,)
    sizes: tuple[int, ...] | None = row.input_size[:1]  # None: any, and (height, width) need not be equal
    match row.keras_module:
        case "mobilenet":
            alphas, sizes = tuple(_MOBILENET_ALPHAS), _MOBILENET_SIZES
        case "mobilenet_v2":
            alphas, sizes = _MOBILENET_V2_ALPHAS, _MOBILENET_V2_SIZES
        case "mobilenet_v3":
            alphas, sizes = (1.0,) if options.get("minimalistic") else (0.75, 1.0), None
    height, width = _input_size(row, options)
    if options.get("classes", 1000) != 1000:
        return "ImageNet has 1000 classes"
    if options.get("depth_multiplier", 1) != 1:
        return "depth_multiplier must be 1"
    if options.get("alpha", 1.0) not in alphas:
        return f"alpha must be one of {', '.join(map(str, alphas))}"
    if sizes is not None and (height != width or height not in sizes):
        shapes = " or ".join(str((side, side, 3)) for side in sizes)
        return f"input_shape must be {shapes}"
    return ""


def _v3_variant(row: Backbone, options: Options) -> str:
    size = row.name.removeprefix("MobileNetV3").lower()
    minimalistic = "_minimalistic" if options.get("minimalistic") else ""
    return f"{size}{minimalistic}_224_{float(options.get('alpha', 1.0))}"


def _input_size(row: Backbone, options: Options) -> tuple[int, int]:
    shape = options.get("input_shape")
    return row.input_size if shape is None else (shape[0], shape[1])


def _weight_options(row: Backbone, options: Options) -> list[str]:
    """The options that change which weights fit, as they stand in a file name."""
    parts = []
    for key, value in sorted(options.items()):
        if key in _DEFAULTS and value != _DEFAULTS[key]:
            parts.append(f"{key}{value:g}" if isinstance(value, float) else f"{key}{value}")
        elif key == "input_shape" and value is not None and tuple(value) != (*row.input_size, 3):
            parts.append(key + "x".join(map(str, value)))
    return parts


def options_text(options: Options) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in options.items()) or "its default options"
