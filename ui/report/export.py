"""Downloads of the report: made when they are asked for, from the visitor's last text.

Leaving a text field and pressing a download are one click, and the browser asks for the file while the new text is on
its way. So a download gives it a moment to arrive.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from camcore.report.document import Report

GRACE = 0.3
"""Seconds in which a text that was left by the click on a download has surely arrived."""


@dataclass(eq=False)
class LatestReport:
    """A visitor's report as it was written last: by the page, for the threads that make its files."""

    report: Report = field(default_factory=lambda: Report(()))

    def after_grace(self) -> Report:
        """The report, with a text that is just arriving."""
        time.sleep(GRACE)
        return self.report


def latest() -> LatestReport:
    """The one of this session."""
    kept: LatestReport = st.session_state.setdefault("report_latest", LatestReport())
    return kept


def files() -> list[tuple[str, Callable[[], bytes], str]]:
    """(ending, maker, about) of each format; made when asked for, in a thread that knows no session."""
    kept = latest()

    def html() -> bytes:
        from camcore.report.html import to_html

        return to_html(kept.after_grace())

    def pdf() -> bytes:
        from camcore.report.pdf import to_pdf

        return to_pdf(kept.after_grace())

    def archive() -> bytes:
        from camcore.report.archive import to_zip

        return to_zip(kept.after_grace())

    return [
        ("html", html, "One file that stands on its own, for a mail or an intranet"),
        ("pdf", pdf, "A4, for the file"),
        ("zip", archive, "Pictures in full, raw maps as CSV, and run.json, which repeats them"),
    ]
