"""The Report page: entries in order, each with a comment; the files to take away; the way to the presentation."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import streamlit as st

from camcore.cache import ByteLRU
from camcore.render.encode import to_data_url
from camcore.report import entry_text
from camcore.report.blocks import Prints
from camcore.report.document import AuditItem, Item
from camcore.report.drawing import jpeg_url, overlay_of, shrink
from camcore.text import counted
from ui import downloads, figures, words
from ui.components.stories import story as story_component
from ui.figures import Figure
from ui.jobs import session
from ui.report import basket, export, store, story
from ui.report import trust as report_trust
from ui.report.basket import Entry
from ui.urls import Parameter

COLUMNS = (1.9, 1.0)
THUMB_SIDE = 420
MOST_THUMBS = 6
AUDIT_PRINTS = 4

_drawn: ByteLRU[list[Figure]] = ByteLRU(32 << 20, lambda shown: sum(len(one.src or "") for one in shown) + 1024)


def token(text: str) -> str:
    """A report's name as a link has it; ValueError with a sentence where it cannot be one."""
    if not 10 <= len(text) <= 64 or not all(c.isalnum() or c in "_-" for c in text):
        raise ValueError("Reports have longer names, as a link copied from this page has them.")
    return text


def parameters() -> list[Parameter]:
    """Every choice that the page's address carries."""
    return [
        Parameter("report", "report", None, parse=token),
        Parameter("present", "presentation", "0", ("0", "1")),
    ]


def present() -> None:
    """The report over the whole window; Escape comes back."""
    st.html("<style>.stSidebar, .stMainBlockContainer > *:not(:has(.st-key-story)) { visibility: hidden; }</style>")
    with st.spinner("Preparing the presentation"):
        steps = story.steps(store.current())
    story_component(steps, key="story", token=st.session_state["report"], on_leave=_leave)


def empty() -> None:
    """The way to begin, where nothing has been pinned."""
    with st.container(key="cam_head"):
        st.header("Nothing in the report yet", anchor=False)
    st.markdown(
        "Press **Add to report** beneath a map on Inspect, beneath the grid on Compare, at the top of an audit, "
        "beneath the charts on Evaluation, or on *May we use it?* Entries stay as they were when you added them. Here "
        "you arrange them, add comments, download them as HTML, PDF or ZIP, and present them."
    )
    st.page_link("app.py", label="Inspect a picture", icon=":material/center_focus_strong:")
    st.page_link("pages/compare.py", label="Compare methods", icon=":material/view_module:")
    st.page_link("pages/audit.py", label="Audit a network", icon=":material/fact_check:")


def show() -> None:
    """The entries, and beside them the title, the presentation and the files of all of them."""
    entries = basket.entries()
    with st.container(key="cam_head"):
        st.header(f"Report, {counted(len(entries), 'entry', 'entries')}", anchor=False)
    left, right = st.columns(COLUMNS, gap="large")
    with right, st.container(key="cam_report_all", gap="small"):
        _all()
    with left:
        for entry in entries:
            _entry(entry, first=entry is entries[0], last=entry is entries[-1])


def _all() -> None:
    _part(_about)
    st.button(
        "Present",
        key="present_now",
        type="primary",
        icon=":material/slideshow:",
        width="stretch",
        on_click=_begin,
        help="The whole window, large type. Arrow keys move, Escape leaves.",
    )
    _written()
    with st.container(key="cam_report_save", horizontal=True, gap="small"):
        downloads.offer_all("report", export.files(), key="save", width="stretch")
    st.caption(
        f"{basket.fill()}. The address of this page brings the report back after a reload, and shows it to whomever "
        "you give it, as long as this server keeps it."
    )


def _about() -> None:
    for label, key, placeholder in (
        ("Title", "report_title", "What the network looked at"),
        ("Author", "report_author", "Your name"),
    ):
        st.text_input(label, key=key, placeholder=placeholder, persist_state="session", on_change=_written)


def _comment(entry: Entry) -> None:
    key = f"comment_{entry.id}"
    st.session_state.setdefault(key, entry.item.comment)

    def taken() -> None:
        basket.change(entry.id, comment=st.session_state[key])
        _written()

    st.text_area(
        "Comment",
        key=key,
        height=80,
        placeholder="What does this show?",
        label_visibility="collapsed",
        on_change=taken,
    )


def _part(draw: Callable[[], None]) -> None:
    """Draw a part whose changes draw only itself: a whole run would take the downloads away for a moment."""

    def part() -> None:
        draw()
        if store.save() != st.session_state["report"]:  # a report from a link was changed, and has a new name
            session.rerun()  # the text may have been left by a click on a link

    st.fragment(part)()


def _written() -> None:
    """Let the downloads and the link have what was written."""
    store.save()
    now = datetime.datetime.now().astimezone()
    export.latest().report = store.current(f"{now.day} {now:%B %Y}")


def _entry(entry: Entry, first: bool, last: bool) -> None:
    item = entry.item
    with st.container(key=f"cam_entry_{entry.id}", border=True, gap="small"):
        row = st.container(horizontal=True, vertical_alignment="top", gap="small", wrap=False)
        title = item.title if isinstance(item, AuditItem) else entry_text.title(item)
        row.markdown(f"**{words.plain(words.together(title))}**")
        for name, icon, disabled, call, args in (
            ("Up", "arrow_upward", first, basket.move, (entry.id, -1)),
            ("Down", "arrow_downward", last, basket.move, (entry.id, 1)),
            ("Remove", "delete", False, basket.remove, (entry.id,)),
        ):
            row.button(
                name,
                key=f"{icon}_{entry.id}",
                icon=f":material/{icon}:",
                disabled=disabled,
                on_click=call,
                args=args,
                type="tertiary",
            )
        if isinstance(item, AuditItem):
            _audit(item, entry.id)
        else:
            shown, ratio = _figures(item), item.picture.width / item.picture.height
            figures.row(shown, ratio=ratio, columns=max(3, min(len(shown), 4)), tallest=26)
        _part(lambda: _comment(entry))
        warnings = item.notes if isinstance(item, AuditItem) else entry_text.warnings(item)
        if warnings:
            st.caption(words.plain(" ".join(warnings)))
        report_trust.show(entry)


def _audit(item: AuditItem, entry_id: str) -> None:
    """The large figures of an audit, and its first row of pictures: its most confident mistakes, or average maps."""
    st.caption(words.plain(words.together(f"{item.source}. {item.answer}")))
    figures.numbers(item.numbers)
    row = next((block for section in item.sections for block in section.blocks if isinstance(block, Prints)), None)
    prints = [one for one in row.prints if one.jpeg][:AUDIT_PRINTS] if row is not None else []
    shown = [Figure(one.name, one.note, to_data_url(one.jpeg, "image/jpeg"), one.alt) for one in prints]
    if shown:
        with st.container(key=f"cam_audit_prints_{entry_id}"):
            figures.row(shown, ratio=1.0, columns=AUDIT_PRINTS, tallest=26)


def _figures(item: Item) -> list[Figure]:
    """The photograph and the first few maps, small; drawn once, whatever becomes of the comment."""
    key = (item.findings, item.style)
    return _drawn.get(key) or _drawn.put(key, _draw(item))


def _draw(item: Item) -> list[Figure]:
    photo = shrink(item.picture.open().rgb, THUMB_SIDE)
    name = entry_text.picture_name(item)
    shown = [Figure(name, "", jpeg_url(photo), f"Photograph: {name}")]
    names = entry_text.names(item.findings)
    for one, text in list(zip(item.findings, names, strict=True))[:MOST_THUMBS]:
        note = words.grid(one.map.raw.shape) if len(item.findings) == 1 else ""
        src = jpeg_url(overlay_of(photo, one, item.style, THUMB_SIDE))
        shown.append(Figure(text, note, src, entry_text.alternative(one, item)))
    return shown


def _begin() -> None:
    st.session_state["present"] = "1"


def _leave() -> None:
    st.session_state["present"] = "0"
