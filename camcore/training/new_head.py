"""The operation itself: any functional classifier gets a global average and a linear head of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json
from camcore.models.architectures import WHOLE, build_architecture
from camcore.models.grafting import copied, cut, cut_again, with_head
from camcore.models.load import load
from camcore.models.preprocessing import preprocessing
from camcore.models.wrap import wrap
from camcore.network import Network

if TYPE_CHECKING:
    import keras
from camcore.origin import Origin


def replace_head(
    backbone: Network | str | os.PathLike[str],
    labels: Sequence[str],
    *,
    layer: str | keras.Layer | None = None,
    weights: str | os.PathLike[str] | None = None,
    input_size: tuple[int, int] | None = None,
    dropout: float = 0.2,
    activation: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Network:
    """A Network with the backbone's trunk, frozen, under a new head for ``labels``, on which CAM is exact.

    ``backbone``: a Network of a functional Keras model, or what ``load`` takes, with its ``weights`` and
    ``progress``. ``layer``: the last one kept (None: the default layer); it may not be inside a custom layer.
    ``input_size``: (height, width) of another input for the trunk, which keeps its weights. ``activation``:
    "sigmoid" (one unit, for two labels; the default there) or "softmax". ``dropout``: before the head, in training.

    The head's weights are zero, so every class is as likely until it is trained; see ``train_head``. The backbone
    is left as it is, and shares nothing with the result. Raises ModelError where the network or its weights are not
    to be had, is not functional, or does not allow this; LayerError for a layer that has no grid.
    """
    names = _checked_labels(labels)
    outputs = _outputs(names, activation)
    if not 0 <= dropout < 1:
        raise ModelError(
            f"The dropout {dropout!r} must be a share from 0 to below 1: that many of the features are left out at "
            "a time in training. Give one such as 0.2."
        )
    net = backbone if isinstance(backbone, Network) else load(backbone, weights, progress)
    path = net.layer_with_grid(layer).path
    trunk, position = cut(net.model, path)
    origin = net.origin
    if origin is not None and origin.architecture.get("builder") == WHOLE:  # its trunk cannot be built again
        origin = None
    if input_size is not None and tuple(input_size) != net.input_size:
        origin, image, top = _resized(net, trunk, path, position, input_size)
    else:
        image, top = copied(net.model.inputs[0], trunk, net.name)
    return wrap(
        with_head(image, top, outputs, dropout, "surgery"),
        labels=names,
        preprocess=net.preprocess if origin is None else preprocessing(origin.preprocessing),
        input_size=net.input_size if input_size is None else input_size,
        framing=net.framing,
        name=f"{net.name} with a new head",
        weights_note=f"{net.weights_note}; the head is untrained",
        origin=None if origin is None else _operated(origin, path, position, outputs, dropout),
    )


def _checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    names = () if isinstance(labels, str) else tuple(str(label) for label in labels)
    if len(names) < 2 or len(set(names)) < len(names):
        raise ModelError(
            f"The labels {labels!r} do not name at least two different classes. A classifier tells classes apart. "
            'Give a list such as ["cat", "dog"].'
        )
    return names


def _outputs(names: tuple[str, ...], activation: str | None) -> int:
    if activation not in (None, "sigmoid", "softmax"):
        raise ModelError(f"The head's activation {activation!r} is unknown. It is 'sigmoid' or 'softmax'.")
    if activation == "sigmoid" and len(names) != 2:
        raise ModelError(f"A sigmoid unit tells two classes apart, not {len(names)}. Take 'softmax' for these.")
    return 1 if len(names) == 2 and activation != "softmax" else len(names)


def _operated(origin: Origin, path: str, position: int, outputs: int, dropout: float) -> Origin:
    surgery = {"backbone": origin.architecture, "layer": path, "position": position, "outputs": outputs}
    return Origin({"builder": "surgery", **surgery, "dropout": dropout}, origin.preprocessing)


def _resized(
    net: Network, trunk: keras.KerasTensor, path: str, position: int, input_size: tuple[int, int]
) -> tuple[Origin | None, keras.KerasTensor, keras.KerasTensor]:
    """(origin, input, feature map) of the same trunk for another input size."""
    import keras

    height, width = input_size
    if net.model.input_shape[1:3] == (None, None):
        return (net.origin, *copied(net.model.inputs[0], trunk, net.name))
    architecture: Mapping[str, Json] = net.origin.architecture if net.origin else {}
    if net.origin is None or architecture.get("builder") != "backbone":
        raise ModelError(
            f"The input size of {net.name} is settled at {net.input_size[0]}×{net.input_size[1]}, so it cannot be "
            f"{height}×{width}. Only the catalogue's backbones can be built for another one. Leave input_size away."
        )
    options = {**architecture.get("options", {}), "input_shape": [height, width, 3]}
    resized = {**architecture, "options": options}
    twin = build_architecture(resized)
    top = cut_again(twin, path, position)
    keras.Model(twin.inputs[0], top).set_weights(keras.Model(net.model.inputs[0], trunk).get_weights())
    return Origin(resized, net.origin.preprocessing), twin.inputs[0], top
