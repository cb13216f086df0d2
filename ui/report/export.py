"""Downloads of the report: made when they are asked for, from what the visitor wrote last.

Leaving a text field and pressing a download are one click, and the browser asks for the file while the new text is on
its way. So a download gives it a moment to arrive.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from camcore.report.document import Report

GRACE = 0.3
"""Seconds in which a text that was left by the click on a download has surely arrived."""


class Latest:
    """A visitor's report as it was written last; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._report = Report(())

    def put(self, report: Report) -> None:
        """This is the report now."""
        with self._lock:
            self._report = report

    def get(self) -> Report:
        """The report, with a text that is just arriving."""
        time.sleep(GRACE)
        with self._lock:
            return self._report


@dataclass(frozen=True)
class Format:
    """A way to take the report away. ``make``: report → bytes."""

    name: str
    about: str
    make: Callable[[Report], bytes]


def latest() -> Latest:
    """The one of this session."""
    found: Latest = st.session_state.setdefault("report_latest", Latest())
    return found


def maker(kind: Format) -> Callable[[], bytes]:
    """What makes the file when it is asked for, in a thread that knows no session."""
    held = latest()
    return lambda: kind.make(held.get())


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
    Format("HTML", "One file that stands on its own, for a mail or an intranet", _html),
    Format("PDF", "A4, for the file", _pdf),
    Format("ZIP", "Pictures in full, raw maps as CSV, and run.json, which repeats them", _zip),
)
