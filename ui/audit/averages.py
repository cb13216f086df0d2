"""Average maps of an audit: where the network looked when it was right, and when it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from camcore.audits.averages import MeanMap, mean_maps
from camcore.audits.report_pictures import map_url
from camcore.files import to_csv
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
        yield Update(1.0, mean_maps(opened.audit))

    def size(means: Means) -> int:
        return sum(one.values.nbytes for one in means)

    return Work(None, ("averages", opened.key), "Averaging the maps", steps, size)


def _show(opened: OpenAudit, means: Means) -> None:
    shown = [Figure(title(one), note(one), map_url(one.values), f"Average map, {title(one)}") for one in means]
    height, width = opened.manifest.grid
    figures.row(shown, ratio=width / height, columns=COLUMNS, tallest=30)
    st.caption(
        words.plain(
            "Maps of the class that was said, from 0 to 1 each, averaged over the pictures as the network sees them, "
            f"on the {words.grid(opened.manifest.grid)} grid of {opened.manifest.layer}. Each mean is coloured from 0 "
            "to its own maximum."
        )
    )
    downloads.offer(
        f"{export.stem(opened)}_average_maps.csv",
        partial(as_csv, means),
        "The values of the average maps, a row of the grid each",
        key="audit_averages_csv",
    )


def title(one: MeanMap) -> str:
    """The answers of a mean map."""
    said = "all answers" if one.label is None else f"called {words.label(one.label)}"
    return said if one.right is None else f"{said}, {'right' if one.right else 'wrong'}"


def note(one: MeanMap) -> str:
    """The number of its pictures."""
    return counted(one.count, "picture")


def as_csv(means: Sequence[MeanMap]) -> bytes:
    """The means with a header: class said (empty: all), right (empty: unknown), pictures, row, and the columns."""
    columns = (f"column {j}" for j in range(means[0].values.shape[1]))
    rows = (
        [one.label or "", "" if one.right is None else int(one.right), one.count, i, *(f"{v:.6g}" for v in row)]
        for one in means
        for i, row in enumerate(one.values.tolist())
    )
    return to_csv([["class", "right", "pictures", "row", *columns], *rows])
