"""Files that leave the house: a run's maps as pictures and numbers with their record, and a report in a format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from camcore.errors import CamcoreError
from camcore.files import write_whole
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.overlay import overlay
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.render.encode import to_png, with_caption
from camcore.report.captions import caption
from camcore.report.document import Report, findings_of
from camcore.report.facts import versions
from camcore.report.record import map_csv, record, stems, to_json

FORMATS = (".html", ".zip", ".pdf")


def map_png(
    pic: Picture,
    m: CamMap,
    lines: Sequence[str] = (),
    alpha: float = 0.7,
    colormap: str = "viridis",
    smooth: bool = True,
    by_value: bool = True,
) -> bytes:
    """The overlay at the picture's full size as PNG, with a caption beneath where ``lines`` are given."""
    drawn = overlay(pic, m, alpha, colormap, smooth, by_value)
    return to_png(with_caption(drawn, lines) if lines else drawn)


def write_run(
    folder: str | os.PathLike[str],
    network: Network,
    pic: Picture,
    maps: Sequence[CamMap],
    alpha: float = 0.7,
    colormap: str = "viridis",
    smooth: bool = True,
    by_value: bool = True,
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
        drawn = map_png(pic, one.map, lines, alpha, colormap, smooth, by_value)
        written.append(write_whole(home / f"{name}.png", drawn))
        written.append(write_whole(home / f"{name}.csv", map_csv(one.map, lines)))
    path = None if source is None else os.path.abspath(source)
    run = record(pic, path, findings, versions(), [(f"{name}.png", f"{name}.csv") for name in names])
    written.append(write_whole(home / "run.json", to_json(run)))
    return tuple(written)


def write_report(path: str | os.PathLike[str], report: Report) -> Path:
    """Write a report as ``.html``, ``.zip`` or ``.pdf``, whole or not at all; returns the path.

    Raises CamcoreError for another ending, a report without entries, or where the file cannot be written.
    """
    home = Path(path)
    if home.suffix.lower() not in FORMATS:
        raise CamcoreError(
            f"{home.name!r} is no name for a report. Its ending says the format: one of {', '.join(FORMATS)}. "
            "Choose one of these."
        )
    if not report.items:
        raise CamcoreError("The report is empty, so there is nothing to write. Add an entry first.")
    return write_whole(home, _formatted(report, home.suffix.lower()))


def _formatted(report: Report, ending: str) -> bytes:
    """The report in one of FORMATS; what sets them is imported here, as a run's files need none of it."""
    if ending == ".html":
        from camcore.report.html import to_html

        return to_html(report)
    if ending == ".pdf":
        from camcore.report.pdf import to_pdf

        return to_pdf(report)
    from camcore.report.archive import to_zip

    return to_zip(report)
