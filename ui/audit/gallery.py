"""The gallery of an audit: its pictures under their maps, filtered, sorted, a page at a time, and chosen."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from camcore.audits.filters import LISTING, Filters
from camcore.text import counted
from ui import controls, errors, words
from ui.audit import alike, choices, chosen, export, thumbnails
from ui.audit.opened import OpenAudit, group_name
from ui.audit.thumbnails import Thumbnail
from ui.components import Tile, tiles
from ui.jobs import session
from ui.jobs.session import Status
from ui.rasters import MapLook

COLUMNS, ROWS = 8, 5
PAGE = COLUMNS * ROWS
_SORTS = {
    LISTING: "as listed",
    "surest": "most confident first",
    "least sure": "least confident first",
    "true class least": "worst first",
    "name": "by name",
}
_ANSWERS = {choices.ANY: "All", choices.RIGHT: "Right", choices.WRONG: "Wrong", choices.FAILED: "Unusable"}

_COLUMNS = ("path", "label", "predicted", "correct", "probability", "error")

Row = dict[str, Any]
Option = TypeVar("Option", str, int)


def show(opened: OpenAudit, publish: Callable[[], None]) -> None:
    """The section; a fragment, so that a filter draws nothing else anew. ``publish``: the page's address."""
    with errors.guarded("The gallery"):
        _filters(opened)
        like = alike.section(opened)
        where = choices.filters(opened, like)
        total = opened.audit.count(where)
        pages = max(1, -(-total // PAGE))
        state = st.session_state
        state["page"] = min(state["page"], pages)
        look = _turning(opened, total, pages)
        rows = _rows(opened, where, like)
        with st.container(key="cam_audit_gallery", gap="xsmall"):
            if not rows:
                st.markdown("" if like == () else "No pictures match these filters.")
                session.section("audit_page", None)
            elif state["answer"] == choices.FAILED:
                _unusable(rows)
            else:
                _pictures(opened, rows, look)
        _foot(opened, where)
    publish()


def _rows(opened: OpenAudit, where: Filters, like: alike.Paths | None) -> list[Row]:
    """The rows of the page that is open; those ``like`` a picture in that order."""
    state = st.session_state
    first = (state["page"] - 1) * PAGE
    if like is None:
        rows: list[Row] = opened.audit.table(_COLUMNS, where, state["sort"], PAGE, first).to_pylist()
        return rows
    rank = {path: number for number, path in enumerate(like)}
    rows = opened.audit.table(_COLUMNS, where).to_pylist()
    return sorted(rows, key=lambda row: rank.get(row["path"], 0))[first : first + PAGE]


def _filters(opened: OpenAudit) -> None:
    """The row of choices."""
    labelled = opened.accuracy.n > 0
    said = [one.name for one in opened.classes if one.said]
    answers = [
        choices.ANY,
        *([choices.RIGHT, choices.WRONG] if labelled else []),
        *[choices.FAILED] * bool(opened.failed),
    ]
    sure = controls.mirrored("sure_box", (st.session_state["least"], st.session_state["most"]), _take_probability)
    sorts = [sort for sort in _SORTS if labelled or sort != "true class least"]
    with st.container(key="cam_audit_filters", horizontal=True, vertical_alignment="bottom", gap="small"):
        _choice("Answers", "answer", answers, _ANSWERS.__getitem__, 98)
        _choice("Predicted", "said", said, words.label, 118, "any class")
        if labelled:
            _choice(
                "True class",
                "truth",
                [one.name for one in opened.classes if one.found.n],
                words.label,
                118,
                "any class",
            )
        if len(opened.groups) > len({one.label for one in opened.groups}):  # else they are the classes
            titles = [group_name(one) for one in opened.groups]
            _choice("Group", "group", range(len(titles)), titles.__getitem__, 106, "any")
        _choice("Sort", "sort", sorts, _SORTS.__getitem__, 132)
        st.slider("Probability", 0, 100, format="%d %%", width=126, **sure)
        st.text_input("Name contains", key="search", persist_state="session", on_change=_from_the_start, width=104)


def _choice(
    title: str, key: str, options: Sequence[Option], name: Callable[[Option], str], width: int, anything: str = ""
) -> None:
    """A list to choose from; ``anything``: nothing need be chosen, and what that means."""
    st.selectbox(
        title,
        options,
        key=key,
        format_func=name,
        index=None if anything else 0,  # without one, what is chosen can be taken back
        placeholder=anything or None,
        persist_state="session",
        on_change=_from_the_start,
        width=width,
        filter_mode="contains",
    )


def _from_the_start() -> None:
    st.session_state.update(page=1, chosen=())


def _take_probability(range_: tuple[int, int]) -> None:
    st.session_state.update(least=range_[0], most=range_[1])
    _from_the_start()


def _turning(opened: OpenAudit, total: int, pages: int) -> MapLook | None:
    """The line above the pictures: how many, the way through them, and how they are drawn; None: without maps."""
    state = st.session_state
    with st.container(key="cam_audit_turn", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(words.together(_count(opened, total)), width="content")
        if choices.narrowed():
            st.button("All pictures", key="audit_clear", on_click=choices.clear)
        st.button("Previous", key="audit_back", disabled=state["page"] <= 1, on_click=_turn, args=(-1,))
        st.button("Next", key="audit_on", disabled=state["page"] >= pages, on_click=_turn, args=(1,))
        st.space("stretch")
        draw = controls.segments("Draw", choices.DRAWN, "draw")
        opacity = controls.opacity("the maps", 180)
    return MapLook(opacity) if draw == choices.MAPS else None


def _count(opened: OpenAudit, total: int) -> str:
    """The pictures that are chosen, and which of them this page has."""
    state = st.session_state
    first = (state["page"] - 1) * PAGE
    shown = f"{first + 1:,} to {min(first + PAGE, total):,} of " if total > PAGE else ""
    number = f"{shown}{counted(total, 'picture')}"
    if state["like"]:
        name = "the box" if state["part"] is not None else words.plain(posixpath.basename(state["like"])[:40])
        return f"{number if total else 'Pictures'} most like {name}"
    return f"{number}, {words.percent(total / opened.audit.rows)} of all" if choices.narrowed() else number


def _turn(by: int) -> None:
    st.session_state["page"] += by
    st.session_state["chosen"] = ()


def _pictures(opened: OpenAudit, rows: Sequence[Row], look: MapLook | None) -> None:
    paths = [row["path"] for row in rows]

    def draw(status: Status[tuple[Thumbnail, ...]]) -> None:
        picked = [path for path in st.session_state.get("chosen", ()) if path in paths]
        chosen.bar(opened, picked)
        made = status.value or ()
        known: list[Thumbnail | None] = [*made, *[None] * (len(rows) - len(made))]
        tiles(
            [_tile(opened, row, one, picked, look) for row, one in zip(rows, known, strict=True)],
            key="audit_tiles",
            label="Pictures; press one to select it, again to deselect it",
            columns=COLUMNS,
            ratio=1.0,
            on_pick=_pick,
        )
        if status.failure is not None:
            errors.panel(status.failure, "These pictures cannot be shown")
        problems = [one.problem for one in made if one.problem]
        if problems:
            many = f"{counted(len(problems), 'picture')} of this page cannot be shown now. The first one: "
            errors.notices([(many if len(problems) > 1 else "") + problems[0]])

    session.section("audit_page", thumbnails.thumbnails(opened, paths), draw)


def _tile(opened: OpenAudit, row: Row, made: Thumbnail | None, picked: Sequence[str], look: MapLook | None) -> Tile:
    text = f"{words.label(row['predicted'])} {words.percent(row['probability'])}"
    note = {None: "", True: "right", False: f"is {words.label(row['label'] or '')}"}[row["correct"]]
    src = None if made is None else thumbnails.url(made, opened.manifest, look)
    return {
        "id": row["path"],
        "title": text,
        "note": note,
        "src": src,
        "alt": f"{row['path']}: {text}{', ' * bool(note)}{note}",
        "selected": row["path"] in picked,
    }


def _pick(path: str) -> None:
    picked = st.session_state.get("chosen", ())
    left = tuple(one for one in picked if one != path)
    st.session_state["chosen"] = left if len(left) < len(picked) else (*picked, path)


def _unusable(rows: Sequence[Row]) -> None:
    """The pictures that could not be used, and why."""
    st.dataframe(
        {"picture": [row["path"] for row in rows], "why": [row["error"] for row in rows]},
        hide_index=True,
        height=35 * (len(rows) + 1) + 3,
    )


def _foot(opened: OpenAudit, where: Filters) -> None:
    """Beneath the pictures: how the maps are drawn, and the list as files."""
    with st.container(key="cam_audit_foot", horizontal=True, vertical_alignment="center", gap="small"):
        export.offer_list(opened, where)
    st.caption("Each map is scaled from 0 to its own maximum. What the network did not see is dimmed.")
