"""Reports kept on the server for a while, so that a reload or a link finds them: under random names, within limits."""

import secrets

import streamlit as st

from camcore.cache import ByteLRU
from camcore.report.document import Report, ReportItem, bytes_of
from ui.report import basket

MOST_REPORTS = 64
MOST_BYTES = 256 << 20
GONE = (
    "The link names a report that this server no longer keeps. Reports are kept for a while only; ask for its HTML, "
    "PDF or ZIP."
)
OTHER = "The link names another report than yours, which stays. Open the link in a new tab to see the other one."

_reports: ByteLRU[Report] = ByteLRU(MOST_BYTES, lambda report: bytes_of(report.items) + 1024, MOST_REPORTS)


def get(token: str) -> Report | None:
    """The report of that name; None where it is not kept, or no longer."""
    return _reports.get(token)


def put(report: Report, token: str | None = None) -> str:
    """Keep a report under its name, or a new one that nobody can guess; the oldest ones make room."""
    token = token or secrets.token_urlsafe(18)
    _reports.put(token, report)
    return token


def adopt(token: str | None) -> str | None:
    """Take over the report that a link names, where the visitor has none; the notice where that cannot be."""
    state = st.session_state
    if token is None or token == state.get("report_token"):
        return None
    report = get(token)
    if report is None:
        return GONE
    if basket.entries():
        return OTHER
    basket.restore(report.items)
    state.update(report_title=report.title, report_author=report.author)
    state.update(report_token=token, report_kept=_content(), report_own=False)
    return None


def save() -> str | None:
    """Keep the visitor's report as it is now; its name, None where it is empty.

    A report that came by a link stays as it is for others: once it is changed, it is kept under another name.
    """
    state = st.session_state
    if not basket.entries():
        return None
    now = _content()
    token = state.get("report_token")
    if state.get("report_kept") != now or token is None or get(token) is None:  # changed, or made room for others
        own = token if state.get("report_own") else None
        state.update(report_token=put(current(), own), report_kept=now, report_own=True)
    return str(state["report_token"])


def current(made: str = "") -> Report:
    """The visitor's report as it is now."""
    state = st.session_state
    items = tuple(entry.item for entry in basket.entries())
    return Report(items, state.get("report_title", ""), state.get("report_author", ""), made)


def _content() -> tuple[str | ReportItem, ...]:
    report = current()
    return (report.title, report.author, *report.items)
