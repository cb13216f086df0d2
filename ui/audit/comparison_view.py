"""Another network on the same pictures: who is right more often, which pictures changed, and which reasons moved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from camcore.audits.comparison import Comparison, compared, distances
from camcore.audits.joined import SAME, join
from camcore.methods import METHODS
from camcore.text import counted
from ui import downloads, errors, figures, folder_box, tables, words
from ui.audit import changed_pictures, comparison_figures, gate_view, scrolling
from ui.audit.export import stem
from ui.audit.opened import OpenAudit, is_audit, opening
from ui.audit.running import AUDITS
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.picture_folders import root_of

_OPENING, _COMPARING = "audit_other_opening", "audit_comparing"


def show(opened: OpenAudit, publish: Callable[[], None]) -> None:
    """The section; a fragment, so that turning its pages draws nothing else anew. ``publish``: the page's address."""
    with errors.guarded("The comparison"):
        path = folder_box.ask(
            "Another audit",
            key="other",
            own=AUDITS,
            fits=is_audit,
            placeholder="the folder of an audit of the same pictures",
            on_change=changed_pictures.from_the_start,
            help="Of another network, or of another version of this one. It is only read.",
        )
        if path:
            _show(opened, path)
        else:
            for name in (_OPENING, _COMPARING):
                session.ask(name, None)
            st.caption(
                "Is another network better on these pictures, on which of them, and for the same reasons? Audit the "
                "same folder with it and name that audit’s folder here."
            )
    publish()


def comparing(old: OpenAudit, new: OpenAudit) -> Work[Comparison]:
    """Compares two audits, a batch of pictures at a time."""

    def steps(_: object, __: object) -> Updates[Comparison]:
        joined = join(old.audit, new.audit)
        moved, done = [], 0
        for batch in distances(old.audit, new.audit, joined.pairs):
            moved.append(batch)
            done += len(batch)
            yield Update(0.99 * done / len(joined.pairs))
        yield Update(1.0, compared(old.audit, new.audit, joined, moved))

    def size(made: Comparison) -> int:
        return int(made.pictures.nbytes)

    return Work(None, ("comparison", old.key, new.key), "Comparing the two audits", steps, size)


def as_csv(made: Comparison) -> bytes:
    """All pictures of a comparison as CSV with a header."""
    return tables.as_csv(made.pictures)


def _show(opened: OpenAudit, path: str) -> None:
    def draw_opening(now: Status[OpenAudit]) -> None:
        if now.failure is not None:
            errors.panel(now.failure, "The other audit cannot be opened")
        if not now.complete:
            session.progress(_OPENING, now, stoppable=False)

    status = session.section(_OPENING, opening(root_of(path)), draw_opening)
    if not status.complete:
        return
    other = status.result
    if other.audit.folder.samefile(opened.audit.folder):
        session.ask(_COMPARING, None)
        errors.notices(["This is the audit that is open already. Name one of another network on the same pictures."])
        return

    def draw(now: Status[Comparison]) -> None:
        if now.failure is not None:
            errors.panel(now.failure, "The two audits cannot be compared")
        if not now.complete:
            session.progress(_COMPARING, now)

    compared_now = session.section(_COMPARING, comparing(opened, other), draw)
    if compared_now.complete:
        _compared(opened, other, compared_now.result)
        scrolling.compared()


def _compared(opened: OpenAudit, other: OpenAudit, made: Comparison) -> None:
    st.caption(words.plain(words.together(_about(opened, other, made))))
    errors.notices(_notes(made))
    figures.numbers(comparison_figures.numbers(made), "The two networks beside each other")
    left, right = st.columns([5, 4], gap="medium")
    with left:
        if made.classes:
            comparison_figures.classes(made)
        else:
            comparison_figures.answers(made)
        sentence = comparison_figures.evidence(made)
        if sentence:
            st.caption(sentence)
    with right:
        if made.counts[SAME]:
            figures.chart(
                comparison_figures.moved(made),
                key="audit_moved",
                alt="How many pictures with the same answer there are at each distance of the two maps",
            )
    changed_pictures.show(opened, other, made)
    gate_view.show(opened, other, made)
    with st.container(key="cam_audit_other_foot", horizontal=True, vertical_alignment="center", gap="small"):
        downloads.offer(
            f"{stem(opened)}_{stem(other)}.csv",
            partial(as_csv, made),
            "Every picture that both have: both answers, what changed, and how far the reasons moved",
            key="audit_other_csv",
        )


def _about(opened: OpenAudit, other: OpenAudit, made: Comparison) -> str:
    """Which two are compared, on how many pictures."""
    one, two = (
        f"{of.network.name} ({METHODS[of.method].title} at {of.layer}, framing {of.framing})"
        for of in (opened.manifest, other.manifest)
    )
    alone = [
        f"{counted(count, 'picture')} with an answer in {where} audit only"
        for count, where in ((made.only_old, "this"), (made.only_new, "the other"))
        if count
    ]
    return " · ".join([f"This audit: {one}", f"the other: {two}", counted(len(made.pictures), "picture"), *alone])


def _notes(made: Comparison) -> list[str]:
    notes = []
    if made.replaced:
        are = "is another file" if made.replaced == 1 else "are other files"
        notes.append(f"{counted(made.replaced, 'picture')} {are} in the other audit: not compared.")
    if made.relabelled:
        have = "has" if made.relabelled == 1 else "have"
        notes.append(f"{counted(made.relabelled, 'picture')} {have} another label there: not judged right or wrong.")
    if set(made.old.network.labels) != set(made.new.network.labels):
        notes.append("The two networks have different classes: one thing under two names counts as another answer.")
    if made.old.framing != made.new.framing:
        notes.append(
            f"This audit framed the pictures by {made.old.framing}, the other by {made.new.framing}: a part of the "
            "distance of the maps comes from that."
        )
    if made.old.grid != made.new.grid:
        notes.append(
            "The maps have grids of different sizes: a part of their distance is that one of them shows less detail."
        )
    return notes
