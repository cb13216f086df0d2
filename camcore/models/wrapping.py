"""``wrap``: any Keras 3 image classifier as a Network."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import Any

from camcore.errors import ModelError
from camcore.framing import check_framing
from camcore.models.recipes import remembered
from camcore.network import Network, Preprocess
from camcore.origin import Origin


@remembered
def wrap(
    keras_model: Any,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | None = None,
    input_size: tuple[int, int] | None = None,
    output: int | str | None = None,
    *,
    framing: str = "stretch",
    name: str | None = None,
    weights_note: str = "weights as given",
    origin: Origin | None = None,
) -> Network:
    """Make any Keras 3 image classifier ready to be looked into; the model itself is left as it is.

    ``labels``: one per class; a single sigmoid unit has two classes, the negative one first. ``preprocess``:
    RGB float32 0..255 (n, h, w, 3) → network input; None feeds 0..255 as it is. ``input_size``: (h, w), needed
    where the model leaves it open. ``output``: index or name, needed where the model has several. ``framing``: how a
    picture is brought to that size unless a call says otherwise: ``stretch`` (the whole picture, as ``model.predict``
    of a resized picture sees it), ``crop`` or ``letterbox``. ``origin``: what
    it takes to have the network again, for those who know.

    Raises ModelError where the model is not an image classifier that can be run.
    """
    import keras

    check_framing(framing)
    if not isinstance(keras_model, keras.Model):
        raise ModelError(
            f"{type(keras_model).__name__} is not a Keras 3 model. camcore.wrap takes a keras.Model on the "
            "TensorFlow backend; convert or rebuild the network in Keras."
        )
    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            f"Keras runs on the backend {keras.backend.backend()!r}; camcore needs TensorFlow. Set the "
            "environment variable KERAS_BACKEND=tensorflow before Keras is imported."
        )
    shape, dtype = _input_of(keras_model)
    height, width, channels, channels_first = _image_shape(shape, input_size, keras_model.name)
    return Network(
        keras_model,
        name=name or keras_model.name,
        input_size=(height, width),
        channels=channels,
        channels_first=channels_first,
        dtype=dtype,
        labels=labels,
        preprocess=preprocess,
        choose=lambda outputs: _chosen(outputs, output, getattr(keras_model, "output_names", None)),
        weights_note=weights_note,
        framing=framing,
        origin=origin,
    )


@lru_cache(maxsize=1)
def wrap_options() -> tuple[str, ...]:
    """The arguments of ``wrap`` that say which part of a model is explained: of a file's or a function's model, too."""
    others = ("keras_model", "labels", "preprocess", "framing", "name", "weights_note", "origin")
    return tuple(name for name in inspect.signature(wrap).parameters if name not in others)


def _input_of(model: Any) -> tuple[tuple[int | None, ...] | None, str]:
    """The input's shape with the batch, None where the model does not say, and its dtype."""
    inputs = getattr(model, "inputs", None)
    if inputs:
        if len(inputs) != 1:
            raise ModelError(
                f"The model {model.name!r} has {len(inputs)} inputs; a heatmap explains one picture. Wrap a model "
                "with one image input, the others held fixed."
            )
        return tuple(inputs[0].shape), str(inputs[0].dtype)
    built = model.get_build_config() or {}
    shape = built.get("input_shape")
    float64 = getattr(model, "compute_dtype", None) == "float64"
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else None
    return shape, "float64" if float64 else "float32"


def _image_shape(
    shape: tuple[int | None, ...] | None, input_size: tuple[int, int] | None, name: str
) -> tuple[int, int, int, bool]:
    """Height, width, channels, and whether the channels come first."""
    if input_size is not None and not _is_size(input_size):
        raise ModelError(f"input_size={input_size!r} must be (height, width) in pixels, such as (224, 224).")
    if shape is None:
        if input_size is None:
            raise ModelError(
                f"The model {name!r} does not say its input size. It was never built, and has to be traced at one. "
                "Give it: wrap(model, input_size=(224, 224))."
            )
        return int(input_size[0]), int(input_size[1]), 3, False
    if len(shape) != 4:
        raise ModelError(
            f"The model {name!r} takes an input of shape {shape}; an image classifier takes "
            "(batch, height, width, channels). Wrap the part of it that takes a picture."
        )
    first = shape[1] in (1, 3) and shape[3] not in (1, 3)
    sides = shape[2:] if first else shape[1:3]
    channels = shape[1] if first else shape[3]
    if channels not in (1, 3, None):
        raise ModelError(
            f"The model {name!r} takes {channels} channels; pictures have 3 (colour) or 1 (grey). Wrap a model that "
            "makes the others itself, from a picture."
        )
    if input_size is None:
        if None in sides:
            raise ModelError(
                f"The model {name!r} leaves its input size open. Its layers' grids follow from it. Give it: "
                "wrap(model, input_size=(224, 224))."
            )
        input_size = (int(sides[0] or 0), int(sides[1] or 0))
    for given, fixed in zip(input_size, sides, strict=True):
        if fixed is not None and given != fixed:
            raise ModelError(
                f"input_size={input_size} does not fit the model {name!r}, which takes {sides[0]}×{sides[1]}. Leave it "
                "away, or build the model for another size."
            )
    return int(input_size[0]), int(input_size[1]), channels or 3, first


def _is_size(value: Any) -> bool:
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    return pair and all(isinstance(side, Integral) and not isinstance(side, bool) and int(side) > 0 for side in value)


def _chosen(outputs: Any, output: int | str | None, names: Sequence[str] | None) -> Any:
    """The one output to explain out of what the model returns."""
    if isinstance(outputs, dict):
        named = dict(outputs)
    elif isinstance(outputs, (list, tuple)):
        given = names if names and len(names) == len(outputs) else [str(i) for i in range(len(outputs))]
        named = dict(zip(given, outputs, strict=True))
    else:
        named = {(names[0] if names else "output"): outputs}
    listed = ", ".join(f"{i}: {name!r}" for i, name in enumerate(named))
    if output is None:
        if len(named) != 1:
            raise ModelError(
                f"The model has {len(named)} outputs ({listed}). Choose one: wrap(model, output=0) or by name."
            )
        return next(iter(named.values()))
    if isinstance(output, str) and output in named:
        return named[output]
    if isinstance(output, int) and not isinstance(output, bool) and 0 <= output < len(named):
        return list(named.values())[output]
    raise ModelError(f"The model has no output {output!r}. It has {listed}. Name one of these, by index or name.")
