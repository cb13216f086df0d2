"""The pictures of two audits whose answer or reasons changed, a page at a time, with the maps of both side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import streamlit as st

from camcore.audits.comparison import Comparison
from camcore.audits.joined import CHANGES, LOST, OTHER, SAME, WON
from camcore.text import counted
from ui import data_urls, errors, words
from ui.audit import choices, scrolling, thumbnails
from ui.audit.opened import OpenAudit
from ui.audit.thumbnails import SIDE, Rgb, Thumbnail, overlay
from ui.components import Tile, tiles
from ui.controls import OPACITY
from ui.jobs import session
from ui.jobs.session import Status
from ui.rasters import MapLook

COLUMNS, ROWS = 4, 3
PAGE = COLUMNS * ROWS
_GAP = 4  # pixels between the two maps
_GREY = 128  # beside and between them: seen on white and on black
_PICKED = "audit_show_changed"

_TITLES: Mapping[str, str] = {
    LOST: "Right here, wrong there",
    WON: "Wrong here, right there",
    OTHER: "Another answer",
    SAME: "Same answer",
}
_ORDERS: Mapping[str, str] = {SAME: "the maps furthest apart first"}

Row = dict[str, Any]
Made = tuple[Thumbnail, ...]


def show(opened: OpenAudit, other: OpenAudit, made: Comparison) -> None:
    """The choice of a kind of change, and the pictures of it."""
    counts, state = made.counts, st.session_state
    there = [change for change in CHANGES if counts[change]]
    if state["change"] not in there:
        state["change"] = there[0]
    change = _choice(there, counts)
    pages = -(-counts[change] // PAGE)
    state["change_page"] = page = min(state["change_page"], pages)
    first = (page - 1) * PAGE
    shown: list[Row] = made.changed(change, PAGE, first).to_pylist()
    with st.container(key="cam_audit_change_turn", horizontal=True, vertical_alignment="center", gap="small"):
        order = _ORDERS.get(change, "the most confident answers of the other network first")
        st.caption(f"{first + 1:,} to {first + len(shown):,} of {counted(counts[change], 'picture')}, {order}")
        st.button("Previous", key="audit_change_back", disabled=page <= 1, on_click=_turn, args=(page - 1,))
        st.button("Next", key="audit_change_on", disabled=page >= pages, on_click=_turn, args=(page + 1,))
    _pictures(opened, other, shown)
    st.caption("Left the map of this audit, right that of the other. Press a picture to find it in the gallery above.")


def from_the_start() -> None:
    """Show the first page."""
    st.session_state["change_page"] = 1


def pair(one: Thumbnail, two: Thumbnail, opened: OpenAudit, other: OpenAudit, look: MapLook) -> str | None:
    """A picture's two maps beside each other as a data URL; None where the picture cannot be shown."""
    if one.rgb is None and two.rgb is None:
        return None

    def draw() -> Rgb:
        gap = np.full((SIDE, _GAP, 3), _GREY, np.uint8)
        return np.concatenate([_square(one, opened, look), gap, _square(two, other, look)], axis=1)

    return data_urls.jpeg(("changed", one.key, two.key, look), draw, thumbnails.QUALITY)


def _square(one: Thumbnail, opened: OpenAudit, look: MapLook) -> Rgb:
    """The whole picture under its map in the middle of a square; only grey where it cannot be shown."""
    square = np.full((SIDE, SIDE, 3), _GREY, np.uint8)
    if one.rgb is not None:
        rgb = one.rgb if one.values is None else overlay(one.rgb, one.values, one.size, opened.manifest, look)
        scale = SIDE / max(rgb.shape[:2])
        if scale > 1:  # a small picture fills the square, too
            height, width = (round(scale * side) for side in rgb.shape[:2])
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
        top, left = ((SIDE - side) // 2 for side in rgb.shape[:2])
        square[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return square


def _choice(there: Sequence[str], counts: Mapping[str, int]) -> str:
    titles = {change: f"{_TITLES[change]} ({counts[change]:,})" for change in there}
    st.segmented_control(
        "What changed",
        there,
        required=True,
        key="change",
        format_func=titles.__getitem__,
        persist_state="session",
        label_visibility="collapsed",
        on_change=from_the_start,
    )
    return str(st.session_state["change"])


def _turn(page: int) -> None:
    st.session_state["change_page"] = page


def _pictures(opened: OpenAudit, other: OpenAudit, rows: Sequence[Row]) -> None:
    paths = [row["path"] for row in rows]

    def draw(left: Status[Made]) -> None:
        def draw_both(right: Status[Made]) -> None:
            if st.session_state.pop(_PICKED, False):
                st.rerun()  # the callback ran with this fragment, the gallery is another; nothing may take its place
            ready = list(zip(left.value or (), right.value or (), strict=False))
            known: list[tuple[Thumbnail, Thumbnail] | None] = [*ready, *[None] * (len(rows) - len(ready))]
            look = MapLook(st.session_state[OPACITY.name])
            tiles(
                [_tile(opened, other, row, both, look) for row, both in zip(rows, known, strict=True)],
                key="audit_changed",
                label="Pictures with both maps; press one to find it in the gallery",
                columns=COLUMNS,
                ratio=2 + _GAP / SIDE,
                on_pick=_pick,
            )
            failure = left.failure or right.failure
            if failure is not None:
                errors.panel(failure, "These pictures cannot be shown")

        session.section("audit_changed_there", thumbnails.thumbnails(other, paths), draw_both)

    session.section("audit_changed_here", thumbnails.thumbnails(opened, paths), draw)


def _tile(
    opened: OpenAudit, other: OpenAudit, row: Row, both: tuple[Thumbnail, Thumbnail] | None, look: MapLook
) -> Tile:
    old, new = (f"{words.label(row[name])} {words.percent(row[f'{name}_probability'])}" for name in ("old", "new"))
    truth = "" if row["label"] is None else f"is {words.label(row['label'])}"
    apart = "" if np.isnan(row["map_distance"]) else f"maps {row['map_distance']:.2f} apart"
    same = row["change"] == SAME
    title = f"{old} → {words.percent(row['new_probability'])}" if same else f"{old} → {new}"
    return {
        "id": row["path"],
        "title": title,
        "note": apart if same else truth,
        "src": None if both is None else pair(*both, opened, other, look),
        "alt": f"{row['path']}: called {old} here and {new} there; {', '.join(filter(None, (truth, apart)))}",
        "selected": False,
    }


def _pick(path: str) -> None:
    choices.clear()
    state = st.session_state
    state.update({"search": path, _PICKED: True})
    scrolling.to(scrolling.PICTURES)
