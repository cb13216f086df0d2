"""Files of a run: each map as a picture and as numbers, and a record that says how they came about."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from camcore.files import write_whole
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.overlay import overlay
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.render.encode import to_png, with_caption
from camcore.report.document import findings_of
from camcore.report.facts import versions
from camcore.report.record import record, stems
from camcore.report.words import caption


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

    ``source``: the picture's file; ``weights``: as given to ``load``. With both, the run can be made again. Raises
    CamcoreError where the folder cannot be written.
    """
    home = Path(folder)
    findings = findings_of(network, pic, maps, weights)
    names = stems(maps, pic.name or pic.sha256[:12])
    written = []
    for one, name in zip(findings, names, strict=True):
        lines = caption(one.map, one.info)
        drawn = map_png(pic, one.map, lines, alpha, colormap, smooth)
        written.append(write_whole(home / f"{name}.png", drawn))
        written.append(write_whole(home / f"{name}.csv", map_csv(one.map, lines)))
    path = None if source is None else os.path.abspath(source)
    run = record(pic, path, findings, versions(), [(f"{name}.png", f"{name}.csv") for name in names])
    written.append(write_whole(home / "run.json", to_json(run)))
    return tuple(written)


def to_json(run: object) -> bytes:
    """A record as the bytes of ``run.json``."""
    return json.dumps(run, indent=2, ensure_ascii=False).encode("utf-8")
