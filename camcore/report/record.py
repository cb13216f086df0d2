"""``run.json``: the making of maps as JSON-ready values; ``camcore.report.recorded`` reads it back.

A record is of one picture, one network and one framing. The file of a report holds several, under ``runs``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np

from camcore.files import to_comment
from camcore.heatmaps.cam_map import CamMap
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction
from camcore.report.document import Finding, PictureFile
from camcore.report.facts import NetworkFacts

SCHEMA_VERSION = 1


def record(
    picture: Picture | PictureFile,
    path: str | None,
    findings: Sequence[Finding],
    versions: Mapping[str, str],
    files: Sequence[tuple[str | None, str | None]],
) -> dict[str, object]:
    """The record of maps of one network in one framing.

    ``path``: where its file is, from the record or from the root. ``files``:
    the PNG and CSV of each map, from the record; None where they are not written.
    """
    first = findings[0]
    frame = first.map.frame
    return {
        "schema_version": SCHEMA_VERSION,
        "picture": {
            "name": picture.name,
            "path": path,
            "sha256": picture.sha256,
            "height": picture.height,
            "width": picture.width,
            "notes": list(picture.notes),
        },
        "network": _network(first.network),
        "framing": {"name": frame.framing, "seen": [round(edge, 4) for edge in frame.seen]},
        "predictions": [_prediction(one) for one in first.predictions],
        "maps": [{**_map(one), "png": png, "csv": csv} for one, (png, csv) in zip(findings, files, strict=True)],
        "versions": dict(versions),
    }


def _network(facts: NetworkFacts) -> dict[str, object]:
    content: dict[str, object] = {
        "name": facts.name,
        "weights": facts.weights,
        "weights_given": facts.weights_given,
        "weights_sha256": facts.weights_sha256,
        "options": dict(facts.options),
        "input_size": list(facts.input_size),
        "activation": facts.activation,
    }
    if facts.folder is not None:
        content |= {"folder": facts.folder, "file_sha256": facts.file_sha256}
    if facts.file is not None:
        content |= {"file": facts.file, "file_sha256": facts.file_sha256}
    if facts.given or facts.unrecorded:
        content |= {"given": dict(facts.given), "unrecorded": list(facts.unrecorded)}
    return content


def _prediction(one: Prediction) -> dict[str, object]:
    return {
        "index": one.index,
        "label": one.label,
        "probability": _number(one.probability),
        "logit": _number(one.logit),
        "score_kind": one.score_kind,
    }


def _map(one: Finding) -> dict[str, object]:
    m = one.map
    field = one.info.receptive_field if one.info is not None else None
    return {
        "method": m.method,
        "options": dict(m.options),
        "layer": m.layer,
        "grid": list(m.raw.shape),
        "receptive_field": list(field) if field else None,
        "class_index": m.class_index,
        "label": m.label,
        "probability": _number(m.probability),
        "logit": _number(m.logit),
        "score_kind": m.score_kind,
        "offset": m.offset,
        "evidence": m.evidence,
        "refine": list(m.refine),
        "raw_min": float(m.raw.min()),
        "raw_max": float(m.raw.max()),
        "warning": m.warning,
        "seconds": round(m.seconds, 6),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None  # JSON knows no NaN


def map_csv(m: CamMap, lines: Sequence[str] = ()) -> bytes:
    """The raw map on the layer's own grid, a row per line; ``numpy.loadtxt(file, delimiter=",")`` reads it."""
    text = io.StringIO()
    np.savetxt(text, m.raw, fmt="%.9g", delimiter=",", header="\n".join(map(to_comment, lines)), comments="")
    return text.getvalue().encode("utf-8")


def to_json(run: object) -> bytes:
    """A record as the bytes of ``run.json``."""
    return json.dumps(run, indent=2, ensure_ascii=False).encode("utf-8")


def stems(maps: Sequence[CamMap], name: str) -> list[str]:
    """The names of the maps' files, without ending, each another one. ``name``: the picture's."""
    names: list[str] = []
    for m in maps:
        parts = (PurePath(name).stem, m.method, m.layer or "input", str(m.class_index))
        stem = ".".join(part for part in map(safe, parts) if part)
        same = sum(one == stem or one.startswith(f"{stem}-") for one in names)
        names.append(f"{stem}-{same + 1}" if same else stem)
    return names


def safe(text: str) -> str:
    """``text`` as a part of a file name on any system; "" where nothing of it is left."""
    kept = "".join(c if c.isalnum() or c in "_+-" else " " for c in text)
    return "_".join(kept.split()).strip("_")[:80]
