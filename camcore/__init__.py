"""camcore: why an image classifier said what it said, and how far to trust the map.

    net = camcore.load("MobileNetV2")
    pic = camcore.open_picture("photo.jpg")
    for m in camcore.explain(net, pic, methods=["gradcam", "layercam"]):
        print(m.method, m.label, m.values.shape, m.warning)

Importing camcore imports no TensorFlow; a network does, when it is made.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camcore.cells import look_at_cells
    from camcore.concepts import find_concepts
    from camcore.contrasting import Contrast
    from camcore.contrasting import contrast as contrast
    from camcore.effective import effective_field
    from camcore.errors import CamcoreError, LayerError, MethodError, ModelError, PictureError
    from camcore.explaining import Step, estimate, explain, stream
    from camcore.featuremaps import activations
    from camcore.layers import LayerInfo
    from camcore.loading import backbones as backbones
    from camcore.loading import load
    from camcore.maps import CamMap
    from camcore.methods import METHODS, MethodInfo
    from camcore.network import Network
    from camcore.overlaying import overlay
    from camcore.patches import strongest_patches
    from camcore.pictures import Picture, open_picture
    from camcore.predictions import Prediction
    from camcore.refining import fuse
    from camcore.remembering import Memory
    from camcore.trusting import Trust, TrustStep, trust, trust_passes
    from camcore.verdict import Verdict
    from camcore.wrapping import wrap

# By itself TensorFlow takes oneDNN on newer processors only. Without it a CPU cannot run networks of layout
# channels_first at all, and trains convolutions a third slower. Read when TensorFlow starts; an own choice stands.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Every public name and the module it lives in; imported when it is first used.
_HOMES = {
    "activations": "featuremaps",
    "backbones": "loading",
    "CamcoreError": "errors",
    "CamMap": "maps",
    "Contrast": "contrasting",
    "contrast": "contrasting",
    "effective_field": "effective",
    "estimate": "explaining",
    "explain": "explaining",
    "find_concepts": "concepts",
    "fuse": "refining",
    "LayerError": "errors",
    "LayerInfo": "layers",
    "load": "loading",
    "look_at_cells": "cells",
    "Memory": "remembering",
    "METHODS": "methods",
    "MethodError": "errors",
    "MethodInfo": "methods",
    "ModelError": "errors",
    "Network": "network",
    "open_picture": "pictures",
    "overlay": "overlaying",
    "Picture": "pictures",
    "PictureError": "errors",
    "Prediction": "predictions",
    "Step": "explaining",
    "stream": "explaining",
    "strongest_patches": "patches",
    "Trust": "trusting",
    "trust": "trusting",
    "trust_passes": "trusting",
    "TrustStep": "trusting",
    "Verdict": "verdict",
    "wrap": "wrapping",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"camcore.{_HOMES[name]}"), name)
    if name[:1].isupper():  # the methods' classes: GradCAM, ScoreCAM, …
        found = import_module("camcore.keras_style").CLASSES.get(name)
        if found is not None:
            return found
    raise AttributeError(f"module 'camcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    classes = [info.class_name for info in import_module("camcore.methods").METHODS.values()]
    return sorted({*globals(), *__all__, *classes})
