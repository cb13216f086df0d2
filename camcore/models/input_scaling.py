"""Detection, from its first layers, of a model that rescales pixels 0..255 itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from camcore.models import catalogue

if TYPE_CHECKING:
    import keras

_SCALES = ("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization")
_ARITHMETIC = re.compile(r"(?:true_?|real)?div(?:ide)?|sub(?:tract)?|mul(?:tiply)?|add|bias_add", re.IGNORECASE)
_PASSES = re.compile(
    r"InputLayer|Random\w+|Resizing|CenterCrop|ZeroPadding2D|Cropping2D|Identity|\w*Dropout|GaussianNoise|Reshape|Permute"
)
_OWN_SCALING = ("EfficientNet", "ConvNeXt", "MobileNetV3")  # these families' applications take 0..255 by themselves


def scales_itself(model: keras.Model) -> bool | None:
    """True where a model scales or normalises its input before its first weights; None where that is unknown."""
    for operation in _in_order(model):
        if operation is None:
            return None
        kind = type(operation).__name__
        if kind in _SCALES:
            return True
        name = getattr(operation, "function_name", kind).rpartition(".")[2]
        if not hasattr(operation, "weights") and _ARITHMETIC.fullmatch(name):
            return True
        if hasattr(operation, "weights") and not _PASSES.fullmatch(kind):
            plain = type(operation).__module__.startswith("keras.")
            return (False if operation.weights else None) if plain else None
    return None


def _in_order(model: keras.Model) -> Iterator[keras.Operation | None]:
    """The operations of a model and of those within it, as they are run; None for code that cannot be looked into."""
    import keras

    functional = hasattr(model, "operations")
    if not functional and not isinstance(model, keras.Sequential):
        yield None
        return
    for one in model.operations if functional else model.layers:
        if isinstance(one, keras.Model):
            yield from _in_order(one)
        else:
            yield one


def likely_backbone(model: keras.Model) -> catalogue.Backbone | None:
    """The architecture of the catalogue after which a model, or one within it, is named; None where none is."""
    import keras

    rows = sorted(catalogue.backbones(), key=lambda row: -len(row.name))
    inside = [one for one in getattr(model, "layers", ()) if isinstance(one, keras.Model)]
    for one in (*inside, model):
        name = one.name.lower().replace("_", "")
        for row in rows:
            if re.match(rf"{row.name.lower()}(?![a-z])", name):
                return row
    return None


def advice(model: keras.Model) -> str:
    """A description of the input of a model without declared preprocessing, for the note about its weights."""
    scales = scales_itself(model)
    if scales:
        return "fed RGB 0..255, which it scales itself"
    if scales is None:
        return "fed RGB 0..255, as nobody said otherwise"
    row = likely_backbone(model)
    usual = ""
    if row is not None and row.preprocessing != "raw" and not row.name.startswith(_OWN_SCALING):
        usual = f"; a {row.name} is usually fed {row.preprocessing!r}"
    return (
        "fed RGB 0..255: it holds no scaling of its own, so if it was trained on scaled pictures, name how "
        f"(preprocess=, --preprocess){usual}"
    )
