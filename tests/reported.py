"""A report without a network: maps of known values on a picture of known colours."""

from __future__ import annotations

from typing import Any

import numpy as np

from camcore.framing import CellGrid, frame_for
from camcore.graph.layers import LayerInfo
from camcore.heatmaps.cam_map import CamMap, normalised
from camcore.metrics.intervals import rate
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction
from camcore.render.encode import to_jpeg
from camcore.report.blocks import (
    Bullets,
    CalibrationChart,
    CalibrationPoint,
    Card,
    Cards,
    Command,
    Facts,
    Matrix,
    Paragraph,
    Print,
    Prints,
    Section,
    Table,
)
from camcore.report.document import AuditItem, Finding, Item, PictureFile
from camcore.report.facts import NetworkFacts

RAW = np.array([[0.0, 1.0], [2.0, 4.0]], np.float32)
INPUT = (32, 32)
LAYER = LayerInfo(
    path="features",
    kind="Conv2D",
    class_name="Conv2D",
    shape=(None, 2, 2, 3),
    grid=(2, 2),
    channels=3,
    stride=(16.0, 16.0),
    receptive_field=(20, 20),
    first_centre=(7.5, 7.5),
    whole_picture=False,
    usable=True,
    recommended=True,
    reason="It is the last grid.",
)
FACTS = NetworkFacts("tiny", "weights of its own", "ab" * 32, INPUT, "softmax")


def picture(height: int = 40, width: int = 60, name: str = "photo.png") -> Picture:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Picture.from_array(rgb, name=name)


def cam_map(size: tuple[int, int] = (40, 60), **changes: Any) -> CamMap:
    raw = changes.pop("raw", RAW)
    given: dict[str, Any] = {
        "method": "gradcam",
        "layer": "features",
        "class_index": 1,
        "label": "Egyptian_cat",
        "probability": 0.71,
        "logit": 3.25,
        "raw": raw,
        "values": normalised(raw),
        "warning": None,
        "seconds": 0.031,
        "offset": None,
        "network": "tiny",
        "frame": frame_for(size, INPUT, "stretch"),
        "cells": CellGrid.uniform((2, 2), INPUT),
    }
    return CamMap(**{**given, **changes})


def finding(size: tuple[int, int] = (40, 60), **changes: Any) -> Finding:
    made = {
        "map": changes.pop("map", None) or cam_map(size),
        "info": LAYER,
        "network": FACTS,
        "predictions": (Prediction(1, "Egyptian_cat", 0.71, 3.25), Prediction(0, "tabby", 0.2, 2.0)),
    }
    return Finding(**{**made, **changes})


def item(pic: Picture | None = None, **changes: Any) -> Item:
    pic = pic or picture()
    size = (pic.height, pic.width)
    made: dict[str, Any] = {"picture": PictureFile.of(pic), "findings": (finding(size),)}
    return Item(**{**made, **changes})


def grey(shade: int, size: tuple[int, int] = (12, 16)) -> bytes:
    """A grey picture."""
    return to_jpeg(np.full((*size, 3), shade, np.uint8))


TRIED = Card(
    "dog 1",
    Print(grey(11), "mean map"),
    (),
    ("12",),
    turned=((Print(grey(40), "before", alt="Another class"), Print(grey(50), "after", alt="Now dog")),),
    turned_by="1 picture of other classes",
)


def audit_item(**changes: Any) -> AuditItem:
    """An audit of two classes with a block of every kind; six pictures, and one that is gone."""
    made: dict[str, Any] = {
        "title": "Audit of tiny",
        "source": "100 pictures in photos",
        "answer": "It is right for 90 of 100 pictures.",
        "numbers": (("90 %", "right", "90 of 100"), ("1", "failing group", "clearly below")),
        "sections": (
            Section("By class", (Table(("class", "found", "predicted"), (("cat", rate(45, 50), "48"),)),)),
            Section("Confusion", (Matrix(("cat", "dog"), ((45, 5), (3, 47))),), half=True),
            Section("Calibration", (CalibrationChart((CalibrationPoint(0.8, 0.7, 0.6, 0.8, "a bin"),), "off"),)),
            Section(
                "Groups", (Paragraph("Alike."), Cards((Card("cat 1", Print(grey(10), "mean map"), (), ("9",)), TRIED)))
            ),
            Section("Mistakes", (Prints((Print(grey(20), "dog", "a.png", "a"), Print(b"", "cat", "gone.png"))),)),
            Section("Averages", (Prints((Print(grey(30), "all"),), maps=True),)),
            Section(
                "Limits", (Bullets(("Labels are taken as they are.",)), Facts((("Work", "3 s"),)), Command("run it"))
            ),
        ),
        "command": "python -m camcore audit photos",
        "files": {"figures.json": b"{}"},
    }
    return AuditItem(**{**made, **changes})
