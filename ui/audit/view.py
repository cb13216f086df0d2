"""The page on an audit as a whole: which audit, its headline, and its sections in reading order."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from camcore.methods import METHODS
from camcore.text import counted, duration
from ui import errors, folder_box, policy, trial_chart, words
from ui.audit import (
    averages,
    choices,
    comparison_view,
    export,
    gallery,
    groups_view,
    probabilities,
    quality,
    review_view,
    running,
    scatter,
    scrolling,
    to_report,
)
from ui.audit.opened import OpenAudit, group_name, is_audit, opening
from ui.audit.to_report import Add
from ui.jobs import session
from ui.jobs.session import Status
from ui.model_picker import Model
from ui.picture_folders import root_of

_NAMED = 3  # suspect groups named at the top


def folder(making: bool) -> Path | None:
    """The sidebar's audit to open; None where none is named. ``making``: one is being made."""
    path = folder_box.ask(
        "Audit",
        key="audit",
        own=running.AUDITS,
        fits=is_audit,
        placeholder="the folder of an audit",
        on_change=choices.clear,
        help="A folder on this server that this page or python -m camcore audit has written. It is opened read-only.",
    )
    if path or making:
        st.button("New audit", key="audit_new", on_click=running.leave, width="stretch")
    return root_of(path) if path else None


def welcome() -> Model:
    """The page without an audit: what it is, and the form to begin one; the network chosen in it."""
    with st.container(key="cam_head"):
        st.header("Audit a network on many pictures", anchor=False)
    st.markdown(
        "A heatmap explains one answer. An audit covers a whole set of pictures: **how accurate** the network is, "
        "**where it looks**, **what its answers rest on**, and **where it fails**."
    )
    model = running.form()
    if policy.policy().public:
        return model
    st.markdown("Run larger audits on the command line, then open their folder in the sidebar:")
    name = shlex.quote(model.key.name)
    st.code(f"python -m camcore audit PICTURES --model {name} --out my_audit", language="bash", wrap_lines=True)
    return model


def show(root: Path, publish: Callable[[], None], report: Add) -> tuple[str, ...]:
    """The audit in a folder; the notes for its readers. ``publish``: the page's address."""

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
    _head(opened, report)
    with errors.guarded("The figures"):
        quality.show(opened)
    to_report.section(opened, report)
    st.subheader("The pictures", anchor="pictures")
    st.fragment(gallery.show)(opened, publish)
    for title, show_section in _SECTIONS:
        with errors.guarded(title):
            show_section(opened)
    if opened.accuracy.n:
        st.fragment(probabilities.show)(opened, publish)
    st.subheader("Does it look at the right thing?", anchor="review")
    st.fragment(review_view.show)(opened)
    st.subheader("Another network on the same pictures", anchor="another-network")
    st.fragment(comparison_view.show)(opened, publish)
    scrolling.show()
    return opened.notes


_SECTIONS: tuple[tuple[str, Callable[[OpenAudit], None]], ...] = (
    ("The groups", groups_view.show),
    ("The average maps", averages.show),
    ("The scatter", scatter.show),
)


def _head(opened: OpenAudit, report: Add) -> None:
    manifest = opened.manifest
    name = words.plain(manifest.network.name)
    said = (
        f"{name} is right on {words.percent(opened.accuracy.value)} of {counted(opened.accuracy.n, 'picture')}"
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
        f"{METHODS[manifest.method].title} at {manifest.layer}, {words.grid(manifest.grid)}",
        f"framing {manifest.framing}",
        manifest.network.weights_note,
        f"computed in {duration(manifest.seconds)}",
        unusable,
    ]
    row = st.container(key="cam_audit_about", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    with row:
        st.caption(words.plain(" · ".join(filter(None, parts))))
        export.offer_report(opened)
        to_report.button(opened, report)
    suspects = [one for one in opened.groups if one.suspect]
    if suspects:
        names = words.plain(", ".join(map(group_name, suspects[:_NAMED])))
        more = f" and {len(suspects) - _NAMED:,} more" if len(suspects) > _NAMED else ""
        if len(suspects) == 1:
            more = f", {counted(suspects[0].size, 'picture')}"
        trial = words.plain(trial_chart.sentence(suspects[0])) if len(suspects) == 1 else ""
        st.markdown(
            words.together(
                f":material/flag: **Suspected of a shortcut:** {names}{more}. {trial} "
                "[Look at it, and say whether it is one](#groups)"
            )
        )
