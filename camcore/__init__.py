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

from camcore import forking  # early: it has to know of every fork

__version__ = "0.1.0"

if TYPE_CHECKING:
    from camcore.errors import CamcoreError, LayerError, MethodError, ModelError, PictureError
    from camcore.heatmaps.contrasting import Contrast
    from camcore.heatmaps.contrasting import contrast as contrast
    from camcore.heatmaps.explaining import Step, estimate, explain, stream
    from camcore.heatmaps.maps import CamMap
    from camcore.heatmaps.overlaying import overlay
    from camcore.heatmaps.refining import fuse
    from camcore.heatmaps.remembering import Memory
    from camcore.inside.cells import look_at_cells
    from camcore.inside.concepts import find_concepts
    from camcore.inside.effective import effective_field
    from camcore.inside.featuremaps import activations
    from camcore.inside.patches import strongest_patches
    from camcore.judging.trusting import Trust, TrustStep, trust, trust_passes
    from camcore.judging.verdict import Verdict
    from camcore.layers import LayerInfo
    from camcore.methods import METHODS, MethodInfo
    from camcore.models.loading import backbones as backbones
    from camcore.models.loading import load
    from camcore.models.wrapping import wrap
    from camcore.network import Network
    from camcore.pictures import Picture, open_picture
    from camcore.predictions import Prediction

# By itself TensorFlow takes oneDNN on newer processors only. Without it a CPU cannot run networks of layout
# channels_first at all, and trains convolutions a third slower. Read when TensorFlow starts; an own choice stands.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Every public name and the module it lives in; imported when it is first used.
_HOMES = {
    "activations": "inside.featuremaps",
    "backbones": "models.loading",
    "CamcoreError": "errors",
    "CamMap": "heatmaps.maps",
    "Contrast": "heatmaps.contrasting",
    "contrast": "heatmaps.contrasting",
    "effective_field": "inside.effective",
    "estimate": "heatmaps.explaining",
    "explain": "heatmaps.explaining",
    "find_concepts": "inside.concepts",
    "fuse": "heatmaps.refining",
    "LayerError": "errors",
    "LayerInfo": "layers",
    "load": "models.loading",
    "look_at_cells": "inside.cells",
    "Memory": "heatmaps.remembering",
    "METHODS": "methods",
    "MethodError": "errors",
    "MethodInfo": "methods",
    "ModelError": "errors",
    "Network": "network",
    "open_picture": "pictures",
    "overlay": "heatmaps.overlaying",
    "Picture": "pictures",
    "PictureError": "errors",
    "Prediction": "predictions",
    "Step": "heatmaps.explaining",
    "stream": "heatmaps.explaining",
    "strongest_patches": "inside.patches",
    "Trust": "judging.trusting",
    "trust": "judging.trusting",
    "trust_passes": "judging.trusting",
    "TrustStep": "judging.trusting",
    "Verdict": "judging.verdict",
    "wrap": "models.wrapping",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"camcore.{_HOMES[name]}"), name)
    if name[:1].isupper():  # the methods' classes: GradCAM, ScoreCAM, …
        found = import_module("camcore.heatmaps.keras_style").CLASSES.get(name)
        if found is not None:
            return found
    raise AttributeError(f"module 'camcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    classes = [info.class_name for info in import_module("camcore.methods").METHODS.values()]
    return sorted({*globals(), *__all__, *classes})
