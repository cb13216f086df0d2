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


@dataclass(frozen=True)
class ExportFormat:
    """A way to take the report away. ``make``: report → bytes."""

    name: str
    about: str
    make: Callable[[Report], bytes]


def latest() -> LatestReport:
    """The one of this session."""
    kept: LatestReport = st.session_state.setdefault("report_latest", LatestReport())
    return kept


def maker(kind: ExportFormat) -> Callable[[], bytes]:
    """The function that makes the file when it is asked for, in a thread that knows no session."""
    kept = latest()
    return lambda: kind.make(kept.after_grace())


def _html(report: Report) -> bytes:
    from camcore.report.html import to_html

    return to_html(report)


def _pdf(report: Report) -> bytes:
    from camcore.report.pdf import to_pdf

    return to_pdf(report)


def _zip(report: Report) -> bytes:
    from camcore.report.archive import to_zip

    return to_zip(report)


FORMATS = (
    ExportFormat("HTML", "One file that stands on its own, for a mail or an intranet", _html),
    ExportFormat("PDF", "A4, for the file", _pdf),
    ExportFormat("ZIP", "Pictures in full, raw maps as CSV, and run.json, which repeats them", _zip),
)
