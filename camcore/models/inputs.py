"""The inputs of a model: which one is the picture, and what the others are held at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore._compat import input_structure, maker
from camcore.checks import shown
from camcore.errors import ModelError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Shape = tuple[int | None, ...]
Fed = object
"""A tensor, or the structure of tensors that a model is called with."""


@dataclass(frozen=True, eq=False)
class ImageInput:
    """The input that takes the picture: its shape with the batch, None where the model does not say, and its dtype.

    ``feed``: from a batch of pictures to what the model is called with, the other inputs at their fixed values.
    """

    shape: Shape | None
    dtype: str
    feed: Callable[[tf.Tensor], Fed] = lambda image: image


@dataclass(frozen=True)
class _Input:
    name: str
    shape: Shape
    dtype: str
    optional: bool = False

    def __str__(self) -> str:
        sides = ", ".join("?" if side is None else str(side) for side in self.shape[1:])
        return f"{self.name!r} ({sides}{',' if len(self.shape) == 2 else ''})"


def image_input_of(
    model: keras.Model, image_input: int | str | None, fixed: Mapping[str, ArrayLike | None] | None
) -> ImageInput:
    """The picture's input of a model, and how to call it. See ``wrap`` for the arguments.

    Raises ModelError where it is not clear which input takes the picture, or another one has no fixed value that fits.
    """
    if fixed is not None and not isinstance(fixed, Mapping):
        raise ModelError(
            f"fixed={type(fixed).__name__} does not say which input is held at what. Give a dictionary from the names "
            "of the inputs to their values, such as fixed={'age': 54.0}."
        )
    inputs, pack = _inputs_of(model)
    if not inputs:
        return _unknown(model, image_input, fixed)
    place = _place(model, inputs, image_input)
    values = _fixed_values(model, inputs, place, dict(fixed or {}))
    image = inputs[place]

    def feed(pictures: tf.Tensor) -> Fed:
        return pack([pictures if i == place else _tiled(values[i], pictures) for i in range(len(inputs))])

    return ImageInput(image.shape, image.dtype, feed)


def _unknown(
    model: keras.Model, image_input: int | str | None, fixed: Mapping[str, ArrayLike | None] | None
) -> ImageInput:
    """Of a model that was never built, or does not say how it was."""
    if image_input is not None or fixed:
        raise ModelError(
            f"The model {model.name!r} does not say which inputs it has, so none can be chosen or fixed. It was never "
            "built. Call it once on all its inputs, then wrap it."
        )
    return ImageInput(None, "float64" if getattr(model, "compute_dtype", None) == "float64" else "float32")


def _inputs_of(model: keras.Model) -> tuple[list[_Input], Callable[[list[tf.Tensor | None]], Fed]]:
    """The inputs in their order, and what makes of one value for each what the model is called with."""
    import keras

    tensors = getattr(model, "inputs", None)
    if tensors:
        structure = input_structure(model, tensors)
        paths = keras.tree.flatten_with_path(structure)
        named = isinstance(structure, dict) and all(len(path) == 1 for path, _ in paths)
        inputs = [
            _Input(
                str(path[0]) if named else tensor.name,
                tuple(tensor.shape),
                str(tensor.dtype),
                bool(getattr(maker(tensor), "optional", False)),
            )
            for path, tensor in paths
        ]
        if len(inputs) == 1 and not isinstance(structure, dict):
            return inputs, lambda values: values[0]
        return inputs, lambda values: keras.tree.pack_sequence_as(structure, values)
    built = (model.get_build_config() or {}).get("input_shape")
    dtype = "float64" if getattr(model, "compute_dtype", None) == "float64" else "float32"
    if built is not None and _is_shape(built):
        return [_Input("input", tuple(built), dtype)], lambda values: values[0]
    if isinstance(built, Mapping) and all(map(_is_shape, built.values())):
        keys = list(built)
        inputs = [_Input(str(key), tuple(built[key]), dtype) for key in keys]
        return inputs, lambda values: dict(zip(keys, values, strict=True))
    if isinstance(built, (list, tuple)) and built and all(map(_is_shape, built)):
        kind = type(built)
        inputs = [_Input(f"input {i}", tuple(shape), dtype) for i, shape in enumerate(built)]
        return inputs, lambda values: kind(values)
    return [], lambda values: values[0]


def _is_shape(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return bool(value) and all(side is None or isinstance(side, int) for side in value)


def _listed(inputs: Sequence[_Input]) -> str:
    return ", ".join(map(str, inputs))


def _place(model: keras.Model, inputs: list[_Input], image_input: int | str | None) -> int:
    names = [one.name for one in inputs]
    if isinstance(image_input, str) and image_input in names:
        return names.index(image_input)
    if isinstance(image_input, int) and not isinstance(image_input, bool) and 0 <= image_input < len(inputs):
        return image_input
    if image_input is not None:
        raise ModelError(
            f"The model {model.name!r} has no input {shown(image_input)}. It has {_listed(inputs)}. Name one of these "
            "as image_input, by name or index."
        )
    pictures = [place for place, one in enumerate(inputs) if len(one.shape) == 4]
    if len(inputs) == 1:
        return 0
    if len(pictures) != 1:
        raise ModelError(
            f"The model {model.name!r} has {len(inputs)} inputs; a heatmap explains one picture. "
            f"{len(pictures) or 'None'} of them could take it: {_listed(inputs)}. Name the one image input, and hold "
            "the others at a value: wrap(model, image_input=…, fixed={…})."
        )
    return pictures[0]


def _fixed_values(
    model: keras.Model, inputs: list[_Input], place: int, fixed: dict[str, ArrayLike | None]
) -> dict[int, NDArray[np.generic] | None]:
    """The value (shape without the batch) of every input but the picture's; None for one that is left out."""
    others = [one for i, one in enumerate(inputs) if i != place]
    unknown = [name for name in fixed if name not in [one.name for one in others]]
    if unknown:
        raise ModelError(
            f"fixed names {', '.join(map(repr, unknown))}, which the model {model.name!r} does not take beside the "
            f"picture {inputs[place]}. "
            + (f"It takes {_listed(others)}. Name these." if others else "It takes nothing else. Leave fixed away.")
        )
    missing = [one for one in others if fixed.get(one.name) is None and not one.optional]
    if missing:
        example = ", ".join(f"{one.name!r}: …" for one in missing)
        raise ModelError(
            f"The model {model.name!r} has {len(inputs)} inputs; a heatmap explains one picture: {inputs[place]} of "
            f"{_listed(inputs)}. Wrap it with one image input, the others held at a value: "
            f"wrap(model, fixed={{{example}}}), or --fixed NAME=VALUE on the command line."
        )
    return {i: _value(one, fixed.get(one.name)) for i, one in enumerate(inputs) if i != place}


def _value(one: _Input, given: ArrayLike | None) -> NDArray[np.generic] | None:
    if given is None:
        return None
    try:
        value = np.asarray(given)
        if value.dtype.kind not in "biuf" and "float" not in value.dtype.name:
            raise TypeError
        finite = bool(np.isfinite(value.astype(np.float64)).all())
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise ModelError(
            f"fixed[{one.name!r}] is no finite number, nor an array of them. The input {one} takes numbers. Give one "
            "value for all of it, or an array of its shape."
        )
    wanted = one.shape[1:]
    short = len(wanted) - value.ndim
    shape = tuple(
        side if side is not None else (value.shape[i - short] if i >= short else 1) for i, side in enumerate(wanted)
    )
    try:
        return np.broadcast_to(value, shape).astype(one.dtype)
    except ValueError:
        raise ModelError(
            f"fixed[{one.name!r}] has the shape {value.shape}, which does not fit the input {one}; its batch is not "
            "part of it. Give one value for all of it, or an array of that shape."
        ) from None


def _tiled(value: NDArray[np.generic] | None, pictures: tf.Tensor) -> tf.Tensor | None:
    """A value once for each picture of a batch."""
    import tensorflow as tf

    if value is None:
        return None
    return tf.repeat(tf.constant(value)[tf.newaxis], tf.shape(pictures)[0], axis=0)
