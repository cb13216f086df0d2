"""Preprocessings by name: pictures of numbers 0..255 in, the network's input out.

``tf``, ``torch`` and ``caffe`` are the modes of Keras's ``imagenet_utils.preprocess_input``, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.errors import ModelError, nearest

Array = NDArray[np.float32]


def _tf(x: Array) -> None:
    x /= 127.5
    x -= 1.0


def _unit(x: Array) -> None:
    x /= 255.0


def _raw(x: Array) -> None:
    pass


def _torch(x: Array) -> None:
    """ImageNet's mean and standard deviation of each colour, of values 0..1."""
    x /= 255.0
    x -= np.array([0.485, 0.456, 0.406], np.float32)
    x /= np.array([0.229, 0.224, 0.225], np.float32)


def _caffe(x: Array) -> None:
    """Blue, green, red, each less ImageNet's mean."""
    x[...] = x[..., ::-1].copy()
    x -= np.array([103.939, 116.779, 123.68], np.float32)


_IN_PLACE: dict[str, Callable[[Array], None]] = {
    "tf": _tf,
    "unit": _unit,
    "raw": _raw,
    "torch": _torch,
    "caffe": _caffe,
}

PREPROCESSINGS: Mapping[str, str] = MappingProxyType(
    {
        "tf": "-1 to 1",
        "unit": "0 to 1",
        "raw": "0 to 255, as it is",
        "torch": "0 to 1, less ImageNet's mean, by its deviation",
        "caffe": "blue, green, red, less ImageNet's mean",
    }
)
"""The names, and what each makes of a picture, in words."""

TITLES: Mapping[str, str] = MappingProxyType(
    {"tf": "RGB −1..1", "unit": "RGB 0..1", "raw": "RGB 0..255", "torch": "torch", "caffe": "caffe"}
)
"""The names as people say them."""


def preprocessing(name: object) -> Callable[[ArrayLike], Array]:
    """The function of that name: RGB 0..255 (…, 3) → a float32 copy as the network wants it.

    Raises ModelError for an unknown name.
    """
    if not isinstance(name, str) or name not in _IN_PLACE:
        near = nearest(name, _IN_PLACE)
        raise ModelError(
            f"There is no preprocessing {name!r}. A network must be given pictures as it was trained on them. "
            + (f"Did you mean {near!r}? " if near else "")
            + f"The names are {', '.join(_IN_PLACE)}."
        )
    return _Named(name)


@dataclass(frozen=True)
class _Named:
    """The function of a name; an object, so that it can be sent to another process."""

    name: str

    def __call__(self, pictures: ArrayLike) -> Array:
        x = np.array(pictures, np.float32, order="C")
        _IN_PLACE[self.name](x)
        return x
