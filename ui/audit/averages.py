"""Average maps of an audit: where the network looked when it was right, and when it was wrong."""

from __future__ import annotations

from functools import partial

import streamlit as st

from camcore.audits.averages import MeanMap, as_csv, averaging
from camcore.audits.report_pictures import map_jpeg
from camcore.render.encode import to_data_url
from camcore.text import counted
from ui import downloads, errors, figures, words
from ui.audit import export
from ui.audit.opened import OpenAudit
from ui.figures import Figure
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work

COLUMNS = 6
Means = tuple[MeanMap, ...]


def show(opened: OpenAudit) -> None:
    """The section: a row of maps, and what takes their values away."""
    st.subheader("Where does it look on average?", anchor="on-average")

    def draw(now: Status[Means]) -> None:
        if now.failure is not None:
            errors.panel(now.failure, "The maps cannot be averaged")
        if now.complete:
            _show(opened, now.result)
        else:
            session.progress("audit_averages", now)

    session.section("audit_averages", averaged(opened), draw)


def averaged(opened: OpenAudit) -> Work[Means]:
    """Averages the maps of the audit."""

    def steps(_: object, __: object) -> Updates[Means]:
        for share, means in averaging(opened.audit):
            yield Update(share, means or None)

    def size(means: Means) -> int:
        return sum(one.values.nbytes for one in means)

    return Work(None, ("averages", opened.key), "Averaging the maps", steps, size)


def _show(opened: OpenAudit, means: Means) -> None:
    shown = [Figure(title(one), note(one), _url(one), f"Average map, {title(one)}") for one in means]
    height, width = opened.manifest.grid
    figures.row(shown, ratio=width / height, columns=COLUMNS, tallest=30)
    st.caption(
        words.plain(
            "Maps of the predicted class, from 0 to 1, averaged over the pictures as the network sees them, on the "
            f"{words.grid(opened.manifest.grid)} grid of {opened.manifest.layer}. Each mean is coloured from 0 to its "
            "own maximum."
        )
    )
    downloads.offer(
        f"{export.stem(opened)}_average_maps.csv",
        partial(as_csv, means),
        "The values of the average maps, one row of the grid per line",
        key="audit_averages_csv",
    )


def _url(one: MeanMap) -> str:
    return to_data_url(map_jpeg(one.values), "image/jpeg")


def title(one: MeanMap) -> str:
    """The answers of a mean map."""
    said = "all answers" if one.label is None else f"predicted {words.label(one.label)}"
    return said if one.right is None else f"{said}, {'right' if one.right else 'wrong'}"


def note(one: MeanMap) -> str:
    """The number of its pictures."""
    return counted(one.count, "picture")
