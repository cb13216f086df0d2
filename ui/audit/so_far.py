"""An audit that is being made, as far as it is: its figures so far, and the latest pictures under their maps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

import camcore
from camcore.audits.manifest import Manifest, read_manifest
from camcore.audits.sources import open_row
from camcore.render.encode import to_data_url, to_jpeg
from camcore.text import counted
from ui import figures, words
from ui.audit.thumbnails import QUALITY, SIDE, overlay
from ui.figures import Figure
from ui.quality_charts import interval
from ui.rasters import MapLook, shrink

if TYPE_CHECKING:
    from camcore.audits.step import AuditStep

COLUMNS = 8
EVERY = 3.0
"""Seconds between two rows of pictures: opening them takes time from the audit itself."""
_KEPT = "audit_latest"


@dataclass(frozen=True, eq=False)
class Latest:
    """The row of pictures that was drawn last, and when."""

    out: Path
    at: float
    shown: tuple[Figure, ...]


def show(out: Path, step: AuditStep | None) -> None:
    """The figures and the latest pictures; before there are any, the space for them."""
    figures.numbers([] if step is None or not step.done else numbers(step))
    shown = _pictures(out, step)
    with st.container(key="cam_audit_latest"):
        figures.row([*shown, *[_EMPTY] * (COLUMNS - len(shown))], ratio=1.0, columns=COLUMNS)
    st.caption("The latest pictures under their maps. The full page opens when all are done.")


def numbers(step: AuditStep) -> list[tuple[str, str, str]]:
    """The large figures of a step."""
    parts = [(f"{step.done:,}", f"of {counted(step.total, 'picture')}", _pace(step))]
    if step.labelled:
        so_far = " so far" if step.done < step.total else ""
        parts.append((words.percent(step.accuracy.value), f"of them are right{so_far}", interval(step.accuracy)))
    return [*parts, (f"{step.failed:,}", "could not be used", "listed with the reason at the end")]


def _pace(step: AuditStep) -> str:
    pace = step.pictures_per_second
    return f"{pace:.0f} a second" if pace >= 1 else figures.NO_NOTE


def _pictures(out: Path, step: AuditStep | None) -> tuple[Figure, ...]:
    """The latest pictures; those that were drawn last as long as there are no newer ones, or it is too soon."""
    kept: Latest | None = st.session_state.get(_KEPT)
    if kept is not None and kept.out != out:
        kept = None
    now = time.monotonic()
    rows: list[dict[str, Any]] = [] if step is None else step.latest.to_pylist()
    rows = [row for row in rows if row["error"] is None]
    if not rows or (kept is not None and now - kept.at < EVERY):
        return () if kept is None else kept.shown
    manifest = read_manifest(out)
    shown = tuple(figure for row in rows if (figure := _figure(manifest, row)) is not None)
    st.session_state[_KEPT] = Latest(out, now, shown)
    return shown


def _figure(manifest: Manifest, row: Mapping[str, Any]) -> Figure | None:
    """A picture under its map; None where it cannot be opened any more."""
    try:
        pic = open_row(manifest, row["path"])
    except camcore.CamcoreError:
        return None
    values = np.asarray(row["map"], np.float32).reshape(manifest.grid)
    drawn = overlay(shrink(pic.rgb, SIDE), values, (pic.height, pic.width), manifest, MapLook())
    title = f"{words.label(row['predicted'])} {words.percent(row['probability'])}"
    url = to_data_url(to_jpeg(drawn, QUALITY), "image/jpeg")
    return Figure(title, verdict(row), url, f"{row['path']}: {title}")


def verdict(row: Mapping[str, Any]) -> str:
    """The line beneath a picture: whether its answer is right; without a label a line of its height."""
    return {None: figures.NO_NOTE, True: "right"}.get(row["correct"], f"is {words.label(row['label'] or '')}")


_EMPTY = Figure(figures.NO_NOTE, figures.NO_NOTE, None)
