"""Explanations of image classifiers: maps of what a class rests on, and how far to trust them.

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
    from camcore.audits.comparison import compare_audits
    from camcore.audits.engine import audit
    from camcore.audits.step import AuditStep
    from camcore.audits.store import open_audit
    from camcore.errors import CamcoreError, LayerError, MethodError, ModelError, PictureError
    from camcore.features.attention import attention_rows
    from camcore.features.cells import look_at_cells
    from camcore.features.concepts import find_concepts
    from camcore.features.effective_field import effective_field
    from camcore.features.feature_maps import activations
    from camcore.features.patches import strongest_patches
    from camcore.graph.layers import LayerInfo
    from camcore.heatmaps.cam_map import CamMap
    from camcore.heatmaps.contrast import Contrast
    from camcore.heatmaps.contrast import contrast as contrast
    from camcore.heatmaps.memory import Memory
    from camcore.heatmaps.overlay import overlay
    from camcore.heatmaps.refine import fuse
    from camcore.heatmaps.run import Step, estimate, explain, stream
    from camcore.methods import METHODS, MethodInfo
    from camcore.models.listing import backbones as backbones
    from camcore.models.load import load
    from camcore.models.wrap import wrap
    from camcore.network import Network
    from camcore.pictures.picture import Picture, open_picture
    from camcore.predictions import Prediction
    from camcore.release.gate import CheckResult, CheckStep, check, check_audits
    from camcore.release.policy import read_policy
    from camcore.release.spread import SpreadStep, spread, spread_audits
    from camcore.reviews.listing import list_reviews
    from camcore.reviews.review import open_review, start_review
    from camcore.verdict.gather import Trust, TrustStep, trust, trust_passes
    from camcore.verdict.rules import Verdict

# By itself TensorFlow takes oneDNN on newer processors only. Without it a CPU cannot run networks of layout
# channels_first at all, and trains convolutions a third slower. Read when TensorFlow starts; an own choice stands.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Every public name and the module it lives in; imported when it is first used.
_HOMES = {
    "activations": "features.feature_maps",
    "attention_rows": "features.attention",
    "audit": "audits.engine",
    "AuditStep": "audits.step",
    "backbones": "models.listing",
    "CamcoreError": "errors",
    "check": "release.gate",
    "check_audits": "release.gate",
    "CheckResult": "release.gate",
    "CheckStep": "release.gate",
    "CamMap": "heatmaps.cam_map",
    "compare_audits": "audits.comparison",
    "Contrast": "heatmaps.contrast",
    "contrast": "heatmaps.contrast",
    "effective_field": "features.effective_field",
    "estimate": "heatmaps.run",
    "explain": "heatmaps.run",
    "find_concepts": "features.concepts",
    "fuse": "heatmaps.refine",
    "LayerError": "errors",
    "LayerInfo": "graph.layers",
    "list_reviews": "reviews.listing",
    "load": "models.load",
    "look_at_cells": "features.cells",
    "Memory": "heatmaps.memory",
    "METHODS": "methods",
    "MethodError": "errors",
    "MethodInfo": "methods",
    "ModelError": "errors",
    "Network": "network",
    "open_audit": "audits.store",
    "open_picture": "pictures.picture",
    "open_review": "reviews.review",
    "overlay": "heatmaps.overlay",
    "Picture": "pictures.picture",
    "PictureError": "errors",
    "Prediction": "predictions",
    "read_policy": "release.policy",
    "spread": "release.spread",
    "spread_audits": "release.spread",
    "SpreadStep": "release.spread",
    "start_review": "reviews.review",
    "Step": "heatmaps.run",
    "stream": "heatmaps.run",
    "strongest_patches": "features.patches",
    "Trust": "verdict.gather",
    "trust": "verdict.gather",
    "trust_passes": "verdict.gather",
    "TrustStep": "verdict.gather",
    "Verdict": "verdict.rules",
    "wrap": "models.wrap",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"camcore.{_HOMES[name]}"), name)
    if name[:1].isupper():  # the methods' classes: GradCAM, ScoreCAM, …
        method = import_module("camcore.heatmaps.keras_api").CLASSES.get(name)
        if method is not None:
            return method
    raise AttributeError(f"module 'camcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    classes = [info.class_name for info in import_module("camcore.methods").METHODS.values()]
    return sorted({*globals(), *__all__, *classes})
