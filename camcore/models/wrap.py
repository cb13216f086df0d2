"""``wrap``: any Keras 3 image classifier as a Network."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, of_type, optional, shown, text
from camcore.class_names import given_labels
from camcore.errors import ModelError
from camcore.forking import check_not_forked
from camcore.framing import check_framing
from camcore.models.inputs import image_input_of
from camcore.models.pickling import remembered
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing
from camcore.network import Network, Preprocess

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
from camcore.origin import Origin

Target = tuple[float, float, float, float] | NDArray[np.float32] | str | None
"""The region of an output that is a map: everywhere, a box, weights, or "predicted"."""


@remembered
@checked(name=optional(text), weights_note=text, origin=optional(of_type(Origin, "Leave it out.")))
def wrap(
    keras_model: keras.Model,
    labels: Iterable[str] | Mapping[int, str] | Mapping[str, str] | Mapping[str, int] | None = None,
    preprocess: Preprocess | str | None = None,
    input_size: tuple[int, int] | None = None,
    output: int | str | None = None,
    *,
    image_input: int | str | None = None,
    fixed: Mapping[str, ArrayLike | None] | None = None,
    target: Target = None,
    framing: str = "stretch",
    name: str | None = None,
    weights_note: str = "weights as given",
    origin: Origin | None = None,
) -> Network:
    """Make any Keras 3 image model ready to be looked into; the model itself is left as it is.

    ``labels``: one per class, also as {index: name} or {name: index}; a single sigmoid unit has two classes, the
    negative one first, and so has a single linear unit with two labels, a logit; with one label, the name of its
    quantity, or none, that is a regression. ``preprocess``: RGB float32 0..255 (n, h, w, 3) → network input, or one of
    the names of ``camcore.models.preprocessing``; None feeds 0..255 as it is. ``input_size``: (h, w), needed where the
    model leaves it open. ``output``: index or name, needed where the model has several. ``framing``: how a picture is
    brought to that size unless a call says otherwise: ``stretch`` (the whole picture, as ``model.predict`` of a resized
    picture sees it), ``crop``, ``centre`` or ``letterbox``. ``origin``: what it takes to have the network again, for
    those who know.

    Of a model with several inputs ``image_input`` is the picture's, by name or index (None: the only one of rank 4);
    ``fixed`` gives the others' values by name, each a number for all of it or an array of the input's shape without
    the batch; optional inputs may be left out. ``target``: where an output that is a map (n, h, w, classes) is asked,
    as in segmentation: a class's score is its mean over the whole map (None), a box (top, left, bottom, right) in
    the output's pixels, an array (h, w) of weights 0..1, or over the pixels whose answer is the class
    (``"predicted"``).

    Raises ModelError where the model is not an image model that can be run.

    >>> import keras
    >>> x = keras.Input((32, 32, 3))
    >>> y = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x))
    >>> model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(y))
    >>> net = camcore.wrap(model, labels=["cat", "dog"], preprocess=lambda rgb: rgb / 255)
    >>> net.input_size, net.default_layer, net.activation
    ((32, 32), 'conv', 'softmax')
    """
    check_not_forked()
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
    image = image_input_of(keras_model, image_input, fixed)
    height, width, channels, channels_first = _image_shape(image.shape, input_size, keras_model.name)
    network = Network(
        keras_model,
        name=name or keras_model.name,
        input_size=(height, width),
        channels=channels,
        channels_first=channels_first,
        dtype=image.dtype,
        labels=given_labels(labels),
        preprocess=_given_preprocess(preprocess),
        choose=lambda outputs: _scores(_chosen(outputs, output, getattr(keras_model, "output_names", None))),
        weights_note=weights_note,
        framing=framing,
        origin=origin,
        feed=image.feed,
        target=target,
    )
    if image.shape and image.shape[0] is not None:
        _check_any_batch(network, image.shape[0])
    return network


def _check_any_batch(network: Network, built_for: int) -> None:
    """Raise ModelError where a model that was built for a number of pictures cannot take another one."""
    for count in (1, 2):
        try:
            network.logits(np.zeros((count, *network.traced.source.shape[1:]), np.float32))
        except ModelError as error:
            raise ModelError(
                f"The model {network.name!r} was built for {built_for} pictures at a time and cannot take {count}. "
                "A heatmap is asked of one picture, and many methods run altered copies of it at once. Build it again "
                "with the batch left open (without batch_size), and give it the same weights."
            ) from error


@lru_cache(maxsize=1)
def wrap_options() -> tuple[str, ...]:
    """The arguments of ``wrap`` that say which part of a model is explained: of a file's or a function's model, too."""
    others = ("keras_model", "labels", "preprocess", "framing", "name", "weights_note", "origin")
    return tuple(name for name in inspect.signature(wrap).parameters if name not in others)


def _given_preprocess(preprocess: object) -> Preprocess | None:
    """Check a preprocessing argument: a function, a name, or None. Raises ModelError for anything else."""
    if preprocess is None or (callable(preprocess) and not isinstance(preprocess, type)):
        return preprocess
    if isinstance(preprocess, str):
        return preprocessing(preprocess)
    raise ModelError(
        f"preprocess={shown(preprocess)} is not a function. It makes the network's input of pictures, RGB 0..255. Give "
        f"a function, or one of the names {', '.join(PREPROCESSINGS)}."
    )


def _image_shape(
    shape: tuple[int | None, ...] | None, input_size: tuple[int, int] | None, name: str
) -> tuple[int, int, int, bool]:
    """Height, width, channels, and whether the channels come first."""
    if input_size is not None and not _is_size(input_size):
        raise ModelError(f"input_size={shown(input_size)} must be (height, width) in pixels, such as (224, 224).")
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


def _is_size(value: object) -> bool:
    if not isinstance(value, tuple | list) or len(value) != 2:
        return False
    return all(isinstance(side, Integral) and not isinstance(side, bool) and int(side) > 0 for side in value)


def _scores(output: tf.Tensor) -> tf.Tensor:
    """The chosen output, which must be a tensor of decimal numbers."""
    dtype = getattr(output, "dtype", None)
    if not hasattr(output, "graph") or not getattr(dtype, "is_floating", False):
        kind = f"a {type(output).__name__}"
        if dtype is not None and hasattr(dtype, "is_floating"):
            kind = f"numbers of type {dtype.name}"
        raise ModelError(
            f"The model's output is {kind}; scores are a tensor of decimal numbers, one for each class. A heatmap "
            "follows them back to the picture. Wrap a model that returns its scores, not what was decided by them."
        )
    return output


def _chosen(outputs: object, output: int | str | None, names: Sequence[str] | None) -> tf.Tensor:
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
    raise ModelError(f"The model has no output {shown(output)}. It has {listed}. Name one of these, by index or name.")
