"""Image classifiers of keras_hub: built-in presets by name, and preset folders, each with its own preprocessing.

keras_hub is optional (``pip install "camcore-workbench[hub]"``). A preset's weights are fetched by it, from Kaggle or
Hugging Face, and kept where it keeps them; a folder is read where it lies.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError
from camcore.graph.trace import first_line
from camcore.models import hub_presets
from camcore.models.catalogue import Built, imagenet_labels
from camcore.models.hub_presets import PREFIX

if TYPE_CHECKING:
    from types import ModuleType

    import keras

_INSTALL = f"Install it: {hub_presets.INSTALL}, or pip install keras-hub."
_IMAGENET = 1000  # classes


@dataclass(frozen=True)
class Preset:
    """``source``: what keras_hub knows it by, a name or the path of a folder. ``called``: the network's name."""

    source: str
    called: str


def find(name: str | os.PathLike[str]) -> Preset | None:
    """The preset that ``hub:NAME`` or a preset folder means; None where it does not mean one."""
    text = os.fspath(name)
    if text.startswith(PREFIX):
        source = text[len(PREFIX) :]
        if not source:
            raise ModelError(
                "'hub:' names no preset. Behind it stands the name of a preset of keras_hub. Give one, such as "
                "'hub:vit_base_patch16_224_imagenet'."
            )
        return Preset(source, source.rsplit("/", 1)[-1])
    try:
        folder = Path(text).expanduser().absolute()
    except (OSError, ValueError, RuntimeError):  # too long, with a zero in it, or of an unknown user
        return None
    return Preset(str(folder), folder.name) if hub_presets.is_folder(folder) else None


def open_preset(preset: Preset, weights: str | os.PathLike[str] | None) -> Built:
    """The classifier of a preset with the preprocessing that belongs to it; ``weights``: None, or ``"random"``.

    Raises ModelError where keras_hub is missing or cannot make a classifier of it.
    """
    if weights not in (None, "random"):
        raise ModelError(
            f"The preset {preset.source!r} has weights of its own, and {os.fspath(weights)!r} cannot be put in their "
            "place. Leave weights out, or give 'random'."
        )
    hub = _keras_hub(preset)
    try:
        task = hub.models.ImageClassifier.from_preset(preset.source, load_weights=weights is None)
    except Exception as error:  # whatever keras_hub, Kaggle, Hugging Face or the network raise
        raise ModelError(
            f"keras_hub cannot make an image classifier of the preset {preset.source!r}: {first_line(error)}. It has "
            "to be a preset of a whole classifier, of this version of keras_hub, and its weights have to be on disk or "
            "within reach. keras_hub.models.ImageClassifier.presets lists the names."
        ) from error
    converter = getattr(task.preprocessor, "image_converter", None)
    known = hub_presets.find(f"{PREFIX}{preset.source}")
    imagenet = "imagenet" in preset.source.lower() or (known is not None and known.summary == "ImageNet")
    classes = int(task.output_shape[-1])
    origin = "random weights" if weights == "random" else f"weights of the keras_hub preset {preset.source!r}"
    return Built(
        model=task,
        preprocess=None if task.preprocessor is None else HubPreprocess(task.preprocessor),
        labels=imagenet_labels() if classes == _IMAGENET and imagenet else None,
        input_size=_input_size(task, converter),
        weights_note=origin,
        framing=_framing(converter),
    )


@dataclass(frozen=True)
class HubPreprocess:
    """A preset's own preprocessing as ``wrap`` takes it: RGB 0..255 (n, h, w, 3) → the network's input."""

    preprocessor: Callable[[NDArray[np.float32]], object]

    def __call__(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array(self.preprocessor(rgb), np.float32)


def _keras_hub(preset: Preset) -> ModuleType:
    try:
        import keras_hub
    except ImportError as error:
        raise ModelError(
            f"The preset {preset.source!r} needs keras_hub, which cannot be imported here ({first_line(error)}). It is "
            f"optional. {_INSTALL}"
        ) from error
    return keras_hub


def _input_size(task: keras.Model, converter: object) -> tuple[int, int] | None:
    """The size (height, width) of the converter, where the model leaves its own open; None: as the model says."""
    if None not in task.input_shape[1:]:
        return None
    size = getattr(converter, "image_size", None)
    return (int(size[0]), int(size[1])) if size else None


def _framing(converter: object) -> str:
    """The framing by which the converter brings a picture to its size."""
    if getattr(converter, "crop_to_aspect_ratio", False):
        return "centre"
    return "letterbox" if getattr(converter, "pad_to_aspect_ratio", False) else "stretch"
