"""The page's choices, the answer with its reasons, and a section for each question with the way to what is missing."""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui import downloads, errors, figures, folder_box, model_picker, policy, words
from ui.components import copy_link
from ui.decision.work import Answered, answering, is_audit, verdicts
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.urls import Parameter

if TYPE_CHECKING:
    from camcore.decision.decide import Decision
    from camcore.decision.points import Point
    from camcore.report.document import AuditItem, ReportItem

    Add = Callable[[Hashable, ReportItem], str]
    """Takes an entry for the report, which the key tells from all others; the message to the visitor."""

AUDIT = Parameter("audit", "audit", "")
_TONES = {"no": "against", "open": "beware", "clear": "for"}
_SIGNS = {"for": "+", "against": "−", "beware": "?", "note": "·"}
_SAID = {"for": "speaks for it", "against": "speaks against it", "beware": "still missing", "note": "note"}
_WAYS: Mapping[str, tuple[str, str]] = {
    "accuracy": ("pages/audit.py", "Audit labelled pictures"),
    "looks": ("pages/audit.py", "Average its maps in an audit"),
    "shortcuts": ("pages/audit.py", "Try it for shortcuts in an audit"),
    "people": ("pages/audit.py", "Review a sample of its maps"),
    "maps": ("app.py", "Add a map to the report"),
    "versions": ("pages/audit.py", "Compare it with another version"),
}


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    model, *_ = model_picker.parameters()
    return [model, AUDIT]


def choices() -> tuple[Model, Path | None]:
    """The sidebar: the network, and the folder of its audit where one is named."""
    with st.sidebar:
        model = model_picker.show(framings=False, untrained=False)
        path = folder_box.ask(
            "Audit of this network",
            key=AUDIT.name,
            own="audits",
            fits=is_audit,
            placeholder="the folder of an audit",
            help="The audit that is open on the Audit page stands here by itself. It is only read.",
        )
        copy_link(key="copy_link")
        st.caption("The link names the network and its audit.")
        return model, policy.place(path) if path else None


def show(model: Model, root: Path | None, items: Sequence[ReportItem], add: Add) -> None:
    """The answer for a network. ``items``: of the visitor's report, for the verdicts on its maps."""
    if model.fetch is not None:  # without its weights nothing can be told to be of it
        if root is not None:
            errors.notices(
                [
                    f"The weights of {model.key.title} are not on this machine, so it cannot be told whether the audit "
                    "is of it. The audit is left out."
                ]
            )
        root, items = None, ()

    def draw(now: Status[Answered]) -> None:
        if not now.complete:
            with st.container(key="cam_head"):
                st.header(words.plain(f"May we use {model.key.title}?"), anchor=False)
            if now.failure is not None:
                errors.panel(now.failure, "This cannot be answered")
            session.progress("decision", now, stoppable=False)

    work = answering(model, root, verdicts(items, model.key.name))
    status = session.section("decision", work, draw)
    if status.complete:
        _answer(status.result, add)


def _answer(made: Answered, add: Add) -> None:
    decision = made.decision
    notes = tuple(map(policy.veiled, decision.notes))
    entry = replace(made.entry, notes=notes)
    with st.container(key="cam_head"):
        st.header(words.plain(words.together(entry.title)), anchor=False)
    if notes:
        errors.notices(notes)
    _verdict(decision)
    figures.numbers(entry.numbers, "The figures")
    _take_away(entry, made, add)
    from camcore.decision.report import NOT_EXAMINED
    from camcore.report.html import blocks_style, section_html  # Jinja is needed here alone

    st.html(f"<style>{blocks_style()}</style>")
    for section in entry.sections:
        st.subheader(section.title, anchor=words.file_stem(section.title.lower()))
        st.html(f'<div class="sections"><section>{words.together(section_html(section))}</section></div>')
        if section.title == NOT_EXAMINED:
            _ways(decision)


def _verdict(decision: Decision) -> None:
    """The answer and, of each question, its answer in a line."""
    from camcore.decision.report import reason

    rows = "".join(
        f'<li class="cam-reason-{kind}"><span role="img" aria-label="{_SAID[kind]}">{_SIGNS[kind]}</span>'
        f"<div><b>{html.escape(one.question)}</b> {html.escape(one.text)}</div></li>"
        for one, kind in ((one, _kind(one)) for one in decision.points)
    )
    st.html(
        f'<div class="cam-verdict cam-answer cam-verdict-{_TONES[decision.answer]}" role="status">'
        f"<b>{html.escape(decision.headline)}.</b><p>{html.escape(words.together(reason(decision)))}</p>"
        f"<ul>{words.together(rows)}</ul></div>"
    )


def _kind(point: Point) -> str:
    """The kind of a reason; what is open and not required is a note."""
    if point.state == "open":
        return "beware" if point.required else "note"
    return point.state


def _take_away(entry: AuditItem, made: Answered, add: Add) -> None:
    stem = words.file_stem("may-we-use", made.decision.network)
    with st.container(key="cam_decision_files", horizontal=True, gap="small"):
        files = (
            ("html", partial(_html, entry), "This answer as one file, to share or print"),
            ("pdf", partial(_pdf, entry), "The same as A4"),
            ("json", entry.files["decision.json"], "The points and figures as values"),
        )
        downloads.offer_all(stem, files, key="save_decision")
        st.button(
            "Add to report",
            key="decision_to_report",
            icon=":material/bookmark_add:",
            on_click=_add,
            args=(entry, made.key, add),
            help="Adds this answer, as it is now, to the Report page",
        )


def _html(entry: AuditItem) -> bytes:
    from camcore.report.html import audit_to_html

    return audit_to_html(entry)


def _pdf(entry: AuditItem) -> bytes:
    from camcore.report.document import Report
    from camcore.report.pdf import to_pdf

    return to_pdf(Report((entry,), entry.title))


def _add(entry: AuditItem, key: Hashable, add: Add) -> None:
    st.toast(add(key, entry), icon=":material/bookmark_added:")


def _ways(decision: Decision) -> None:
    """The links to the pages that make what is missing, what the answer waits for first."""
    with st.container(key="cam_decision_ways", horizontal=True, gap="small"):
        for point in sorted(decision.points, key=lambda one: not one.required):
            if point.remedy:
                script, label = _WAYS[point.key]
                st.page_link(script, label=label, icon=":material/arrow_forward:", query_params=_query(decision, point))


def _query(decision: Decision, point: Point) -> dict[str, str]:
    query = {"model": decision.network}
    if decision.audit is not None and point.key in ("shortcuts", "people", "versions"):
        query["audit"] = policy.shown(decision.audit.folder)
    return query
