"""The page on an audit as a whole: which audit, its headline, and its sections in reading order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from camcore.text import counted, duration
from ui import errors, folder_box, policy, words
from ui.audit import (
    averages,
    choices,
    comparison_view,
    export,
    gallery,
    groups_view,
    probabilities,
    quality,
    running,
    scatter,
    to_report,
)
from ui.audit.opened import OpenAudit, is_audit, opening
from ui.components import scroll
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.picture_folders import root_of

if TYPE_CHECKING:
    from camcore.report.document import Item


def folder(making: bool) -> Path | None:
    """The sidebar's audit to open; None where none is named. ``making``: one is being made."""
    path = folder_box.ask(
        "Audit",
        key="audit",
        own=running.AUDITS,
        fits=is_audit,
        placeholder="the folder of an audit",
        on_change=choices.clear,
        help="A folder on the machine that this app runs on, which this page or python -m camcore audit has written. "
        "It is only read.",
    )
    if path or making:
        st.button("New audit", key="audit_new", on_click=running.leave, width="stretch")
    return root_of(path) if path else None


def welcome() -> Model:
    """The page without an audit: what it is, and the form to begin one; the network chosen in it."""
    with st.container(key="cam_head"):
        st.header("Audit a network on many pictures", anchor=False)
    st.markdown(
        "A heatmap shows why a network said what it said about one picture. An audit looks at all of them: **how "
        "good** the network is, **where it looks**, and **where it fails**."
    )
    model = running.form()
    if policy.policy().public:
        return model
    st.markdown("Larger audits are made on the command line and opened by their folder, on the left:")
    st.code("python -m camcore audit PICTURES --model MobileNetV2 --out my_audit", language="bash")
    return model


def show(root: Path, publish: Callable[[], None], report: Callable[[Hashable, Item], str]) -> tuple[str, ...]:
    """The audit in a folder; what readers should know of it.

    ``publish``: the page's address; ``report``: takes an entry for the report, and returns the message to the visitor.
    """

    def draw(now: Status[OpenAudit]) -> None:
        if now.failure is not None:
            errors.panel(now.failure, "This audit cannot be opened")
        if not now.complete:
            session.progress("opening", now, stoppable=False)

    status = session.section("opening", opening(root), draw)
    if not status.complete:
        return ()
    opened = status.result
    choices.settle(opened)
    _head(opened)
    with errors.guarded("The figures"):
        quality.show(opened)
    to_report.section(opened, report)
    st.subheader("The pictures", anchor="pictures")
    st.fragment(gallery.show)(opened, publish)
    with errors.guarded("The groups"):
        groups_view.show(opened)
    with errors.guarded("The average maps"):
        averages.show(opened)
    with errors.guarded("The scatter"):
        scatter.show(opened)
    if opened.accuracy.n:
        st.fragment(probabilities.show)(opened, publish)
    st.subheader("Another network on the same pictures", anchor="another-network")
    st.fragment(comparison_view.show)(opened, publish)
    scroll("#pictures", key="scroll", count=st.session_state.get("times_picked", 0))
    return opened.notes


def _head(opened: OpenAudit) -> None:
    manifest = opened.manifest
    name = words.plain(manifest.network.name)
    said = (
        f"{name} is right about {words.percent(opened.accuracy.value)} of {counted(opened.accuracy.n, 'picture')}"
        if opened.accuracy.n
        else f"{name} on {counted(opened.answered, 'picture')} without labels"
    )
    with st.container(key="cam_head"):
        st.header(words.together(said), anchor=False)
    unusable = f"{opened.failed:,} could not be used" if opened.failed else ""
    limit = "a random sample" if manifest.limit is not None else ""
    parts = [
        running.source_of(manifest.pictures),
        limit,
        f"{manifest.method} at {manifest.layer}, {words.grid(manifest.grid)}",
        f"framing {manifest.framing}",
        manifest.network.weights_note,
        f"{duration(manifest.seconds)} of work",
        unusable,
    ]
    with st.container(key="cam_audit_about", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(words.plain(" · ".join(filter(None, parts))))
        export.offer_report(opened)
