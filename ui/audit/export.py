"""Downloads of an audit: its rows as CSV and Parquet, its report."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pyarrow.parquet
import streamlit as st

from camcore.audits.filters import Filters
from camcore.audits.groups import NAME as GROUPS
from camcore.audits.store import COLUMNS, Audit
from camcore.reviews.sealed import FOLDER as REVIEWS
from camcore.shortcuts.judgements import NAME as JUDGEMENTS
from camcore.shortcuts.mended import NAME as MENDINGS
from camcore.text import counted
from ui import downloads, policy, tables, words
from ui.audit.naming import named, names
from ui.audit.opened import OpenAudit

MOST_ROWS = 100_000
"""Rows with their maps and evidence that a browser is given."""


def stem(opened: OpenAudit) -> str:
    """What the files of an audit begin with."""
    return words.file_stem(opened.manifest.network.name, opened.audit.folder.name)


def offer_list(opened: OpenAudit, where: Filters) -> None:
    """The buttons for the pictures that the filters choose, all pages of them."""
    order = st.session_state["sort"]
    downloads.offer(
        f"{stem(opened)}.csv",
        partial(as_csv, opened.audit, where, order),
        "A row for each of these pictures, on all pages",
        key="audit_csv",
    )
    downloads.offer(
        f"{stem(opened)}.parquet",
        partial(as_parquet, opened.audit, where, order),
        f"The same with scores, maps and evidence; without these for more than {counted(MOST_ROWS, 'picture')}",
        key="audit_parquet",
    )


def as_csv(audit: Audit, where: Filters, order: str) -> bytes:
    """The rows as CSV with a header: the columns of a value each."""
    return tables.as_csv(audit.table(where=where, order=order))


def as_parquet(audit: Audit, where: Filters, order: str) -> bytes:
    """The rows as Parquet: all columns, of more than MOST_ROWS pictures those of a value each."""
    file = io.BytesIO()
    columns = COLUMNS if audit.count(where) <= MOST_ROWS else None
    pyarrow.parquet.write_table(audit.table(columns, where, order), file, compression="zstd")
    return file.getvalue()


def offer_report(opened: OpenAudit) -> None:
    """The button for the report."""
    downloads.offer(
        f"{stem(opened)}.html",
        partial(as_report, opened, names(opened)),
        "Figures, groups, failures and limits in one HTML file, to share or print",
        key="audit_report",
        label="HTML report",
    )


def as_report(opened: OpenAudit, known: Mapping[str, str] | None = None) -> bytes:
    """The report as HTML: the one in the audit's folder; a new one where there is none, or it is out of date.

    ``known``: what stands in place of paths, as ``naming.names`` told.
    """
    from camcore.audits import report  # needed when its button is pressed
    from camcore.report.html import audit_to_html

    written = opened.audit.folder / report.NAME
    current = written.is_file() and written.stat().st_mtime_ns >= last_change(opened.audit.folder)
    if current and opened.manifest.pictures not in (known or {}):
        made = written.read_bytes()
    else:
        made = audit_to_html(named(report.report_item(opened.audit, opened.groups), opened.manifest, known or {}))
    return policy.renamed(made.decode("utf-8"), known or {}).encode("utf-8")


def last_change(folder: Path) -> int:
    """The time of the last change to what a report shows beside the rows: groups, judgements, mendings, reviews."""
    files = [*(folder / name for name in (GROUPS, JUDGEMENTS, MENDINGS)), *(folder / REVIEWS).glob("*.json")]
    return max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)
