"""Files of a run: each map as a picture and as numbers, and a record that says how they came about."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from camcore.errors import CamcoreError
from camcore.layers import LayerInfo
from camcore.maps import CamMap
from camcore.network import Network
from camcore.overlaying import overlay
from camcore.pictures import Picture
from camcore.render.encode import to_png, with_caption
from camcore.report.words import caption

SCHEMA_VERSION = 1


def map_png(
    pic: Picture,
    m: CamMap,
    lines: Sequence[str] = (),
    alpha: float = 0.5,
    colormap: str = "viridis",
    smooth: bool = True,
) -> bytes:
    """The overlay at the picture's full size as PNG, with a caption beneath where ``lines`` are given."""
    drawn = overlay(pic, m, alpha, colormap, smooth)
    return to_png(with_caption(drawn, lines) if lines else drawn)


def map_csv(m: CamMap, lines: Sequence[str] = ()) -> bytes:
    """The raw map on the layer's own grid, a row per line; ``numpy.loadtxt(file, delimiter=",")`` reads it."""
    text = io.StringIO()
    np.savetxt(text, m.raw, fmt="%.9g", delimiter=",", header="\n".join(lines))
    return text.getvalue().encode("utf-8")


def record(
    network: Network,
    pic: Picture,
    maps: Sequence[CamMap],
    source: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    top: int = 5,
) -> dict[str, Any]:
    """Everything that says how the maps came about, as JSON-ready values.

    ``source``: the picture's file; ``weights``: as given to ``load``. With both, the run can be made again.
    """
    frame = maps[0].frame
    predictions = network.predict(pic, top, frame.framing)
    return {
        "schema_version": SCHEMA_VERSION,
        "picture": {
            "name": pic.name,
            "path": None if source is None else os.path.abspath(source),
            "sha256": pic.sha256,
            "height": pic.height,
            "width": pic.width,
            "notes": list(pic.notes),
        },
        "network": {
            "name": network.name,
            "weights": network.weights_note,
            "weights_given": weights if weights in (None, "random") else os.path.abspath(weights),
            "weights_sha256": weights_hash(network),
            **_folder(network),
            "input_size": list(network.input_size),
            "activation": network.activation,
        },
        "framing": {"name": frame.framing, "seen": [round(edge, 4) for edge in frame.seen]},
        "predictions": [
            {"index": p.index, "label": p.label, "probability": _number(p.probability), "logit": p.logit}
            for p in predictions
        ],
        "maps": [_map_record(m, network) for m in maps],
        "versions": {"python": sys.version.split()[0], **_versions()},
    }


def _folder(network: Network) -> dict[str, str]:
    """Where a saved network lies, and the hash of its weights file."""
    origin = network.origin
    if origin is None or origin.folder is None:
        return {}
    return {"folder": str(origin.folder), "file_sha256": origin.sha256}


def _map_record(m: CamMap, network: Network) -> dict[str, Any]:
    info = layer_of(m, network)
    return {
        "method": m.method,
        "options": dict(m.options),
        "layer": m.layer,
        "grid": list(m.raw.shape),
        "receptive_field": list(info.receptive_field) if info and info.receptive_field else None,
        "class_index": m.class_index,
        "label": m.label,
        "probability": _number(m.probability),
        "logit": m.logit,
        "offset": m.offset,
        "evidence": m.evidence,
        "refine": list(m.refine),
        "raw_min": float(m.raw.min()),
        "raw_max": float(m.raw.max()),
        "warning": m.warning,
        "seconds": round(m.seconds, 6),
    }


def layer_of(m: CamMap, network: Network) -> LayerInfo | None:
    """The layer a map lies at; None where it lies on the input's own grid."""
    return None if m.layer is None else network.layer(m.layer)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None  # JSON knows no NaN


def _versions() -> dict[str, str]:
    found = {}
    for package in ("tensorflow", "keras", "numpy", "pillow", "opencv-python-headless"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def weights_hash(network: Network) -> str:
    """SHA-256 over all weights, in the model's order: two networks with the same one are the same."""
    digest = hashlib.sha256()
    for weight in network.model.weights:
        array = np.ascontiguousarray(weight.numpy())
        digest.update(f"{weight.path}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_run(
    folder: str | os.PathLike[str],
    network: Network,
    pic: Picture,
    maps: Sequence[CamMap],
    alpha: float = 0.5,
    colormap: str = "viridis",
    smooth: bool = True,
    source: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> tuple[Path, ...]:
    """Write a PNG and a CSV per map and ``run.json`` last; returns the paths. Each file is whole or not there.

    ``source`` and ``weights``: see ``record``.
    Raises CamcoreError where the folder cannot be written.
    """
    home = Path(folder)
    run = record(network, pic, maps, source, weights)
    stem = _safe(Path(pic.name).stem) or pic.sha256[:12]
    written = []
    try:
        home.mkdir(parents=True, exist_ok=True)
        for m, entry in zip(maps, run["maps"], strict=True):
            lines = caption(m, layer_of(m, network))
            name = f"{stem}.{_safe(m.method)}.{_safe(m.layer or 'input')}.{m.class_index}"
            entry["png"], entry["csv"] = f"{name}.png", f"{name}.csv"
            written.append(_write(home / entry["png"], map_png(pic, m, lines, alpha, colormap, smooth)))
            written.append(_write(home / entry["csv"], map_csv(m, lines)))
        written.append(_write(home / "run.json", json.dumps(run, indent=2, ensure_ascii=False).encode("utf-8")))
    except OSError as error:
        raise CamcoreError(
            f"The results cannot be written to {str(home)!r}: {error.strerror or error}. Choose another folder."
        ) from error
    return tuple(written)


def _safe(text: str) -> str:
    """``text`` as a part of a file name on any system."""
    return re.sub(r"[^\w+-]+", "_", text).strip("_")[:80]


def _write(path: Path, data: bytes) -> Path:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
    return path
