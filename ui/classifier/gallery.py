"""The gallery: pictures that the network gets wrong, or nearly, each with the evidence for its answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from camcore.evaluation.predict import Predictions
from camcore.files import to_csv
from camcore.heatmaps.evidence import common_scale
from camcore.models.saved import SavedNetwork
from ui import downloads, errors, figures, signed, words
from ui.classifier.work import THUMB_SIDE, FolderResults, GalleryPicture, gallery_work
from ui.components import Tile, tiles
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import LIMIT, Upload
from ui.query import Failure

WRONG, FIRST, SECOND, UNSURE, RIGHT = "mistakes", "first", "second", "unsure", "right"
KINDS = (WRONG, FIRST, SECOND, UNSURE, RIGHT)
PAGE = 12
COLUMNS = 6
OPACITY = 50


@dataclass(frozen=True)
class GalleryItem:
    """A picture: its true class, the class predicted, and that class's probability."""

    file: str
    label: int
    predicted: int
    confidence: float

    @property
    def right(self) -> bool:
        """Says whether the class predicted is the true one."""
        return self.predicted == self.label


def items_of(p: Predictions, kind: str, threshold: float = 0.5) -> tuple[GalleryItem, ...]:
    """The pictures of one of KINDS, the surest first; of UNSURE the least sure first.

    FIRST, SECOND: of the first (second) class that are taken for another. UNSURE: all, by how far the
    probability is from the threshold, of more than two classes from that of the second choice.
    """
    predicted = p.predicted(threshold)
    confidence = p.probabilities[np.arange(len(p)), predicted]
    wrong = predicted != p.labels
    chosen = {
        WRONG: wrong,
        FIRST: wrong & (p.labels == 0),
        SECOND: wrong & (p.labels == 1),
        UNSURE: np.ones(len(p), bool),
        RIGHT: ~wrong,
    }[kind]
    if kind != UNSURE:
        order = np.argsort(-confidence, kind="stable")
    elif len(p.classes) == 2:
        order = np.argsort(np.abs(p.probabilities[:, 1] - threshold), kind="stable")
    else:
        best = np.sort(p.probabilities, axis=1)
        order = np.argsort(best[:, -1] - best[:, -2], kind="stable")
    return tuple(
        GalleryItem(p.files[i], int(p.labels[i]), int(predicted[i]), float(confidence[i])) for i in order if chosen[i]
    )


def page_of(items: tuple[GalleryItem, ...], number: int) -> tuple[tuple[GalleryItem, ...], int, int]:
    """(the items of a page, its number from 0 brought into range, the count of pages)."""
    pages = max(1, -(-len(items) // PAGE))
    number = min(max(number, 0), pages - 1)
    return items[number * PAGE : (number + 1) * PAGE], number, pages


def show(saved: SavedNetwork, evaluated: FolderResults, threshold: float) -> None:
    """The gallery at a threshold."""
    state = st.session_state
    p = evaluated.predictions
    kind, items = _choose(p, threshold)
    shown, number, pages = page_of(items, state.get("gallery_page", 0))
    state["gallery_page"] = number
    with st.container(key="cam_gallery", gap="xsmall"):
        if not items:
            st.markdown(_nothing(kind, p))
        elif evaluated.root is None:
            _table(shown, p)
        else:
            _pictures(saved, evaluated.root, shown, p)
    _page_row(number, pages, items, p, saved)


def _choose(p: Predictions, threshold: float) -> tuple[str, tuple[GalleryItem, ...]]:
    state = st.session_state
    titles = _kinds(p)
    kind = state.get("show")
    kind = kind if kind in titles else WRONG
    state["show_box"] = kind
    lists = {one: items_of(p, one, threshold) for one in titles}
    st.segmented_control(
        "Show",
        list(titles),
        required=True,
        key="show_box",
        format_func=lambda one: f"{titles[one]} ({len(lists[one]):,})",
        label_visibility="collapsed",
        on_change=lambda: state.update(show=state["show_box"], gallery_page=0),
    )
    return kind, lists[kind]


def _kinds(p: Predictions) -> dict[str, str]:
    titles = {WRONG: "All mistakes"}
    if len(p.classes) == 2:
        a, b = (words.label(label) for label in p.classes)
        titles |= {FIRST: f"{a} called {b}", SECOND: f"{b} called {a}"}
    return titles | {UNSURE: "Least sure", RIGHT: "Right ones"}


def _nothing(kind: str, p: Predictions) -> str:
    if kind == RIGHT:
        return "There is none: every picture is called wrong at this threshold."
    if kind == WRONG:
        return f"There is none: all {len(p):,} pictures are right at this threshold."
    a, b = (words.label(label) for label in (p.classes if kind == FIRST else p.classes[::-1])[:2])
    return f"There is none: no {words.plain(a)} is called {words.plain(b)} at this threshold."


def _pictures(saved: SavedNetwork, root: Path, items: tuple[GalleryItem, ...], p: Predictions) -> None:
    work = gallery_work(saved, root, [(item.file, item.predicted) for item in items])

    def draw(status: Status) -> None:
        if st.session_state.pop("picked", None) is not None:
            st.rerun()  # the callback ran with this fragment, and the picture is everybody's
        shots: tuple[GalleryPicture, ...] = status.value or ()
        evidence = tuple(shot.evidence for shot in shots if shot.evidence is not None)
        scale = common_scale(evidence)
        known: list[GalleryPicture | None] = [*shots, *[None] * (len(items) - len(shots))]
        tiles(
            [_tile(saved, item, shot, scale, p) for item, shot in zip(items, known, strict=True)],
            key="gallery_tiles",
            label="Pictures; press one to look at it above",
            columns=COLUMNS,
            ratio=1.0,
            on_pick=lambda file: look_at(root / file, file),
        )
        if status.failure is not None:
            errors.panel(status.failure, "These pictures could not be looked at")
        if evidence:
            figures.evidence_bar(f"{scale:.1f}", "against what it says", "for it")
        problems = [f"{shot.file}: {shot.problem}" for shot in shots if shot.problem]
        if problems:
            errors.notices(problems[:3])

    session.section("shots", work, draw)


def _tile(saved: SavedNetwork, item: GalleryItem, shot: GalleryPicture | None, scale: float, p: Predictions) -> Tile:
    text = f"{words.label(p.classes[item.predicted])} {words.percent(item.confidence)}"
    truth = "right" if item.right else f"is a {words.label(p.classes[item.label])}"
    src = None
    if shot is not None and shot.rgb is not None and shot.evidence is not None:
        identity = f"{saved.sha256}{item.file}{shot.rgb.shape}{int(shot.rgb.sum())}"
        src = signed.overlay_url(shot.rgb, identity, shot.evidence, "gallery", scale, OPACITY, side=THUMB_SIDE)
    return {
        "id": item.file,
        "title": text,
        "note": truth,
        "src": src,
        "alt": f"{item.file}, {truth}: called {text}",
        "selected": False,
    }


def look_at(path: Path, name: str) -> None:
    """Make a picture of the gallery the one that the pages look at."""
    state = st.session_state
    try:
        data = path.read_bytes()
        if len(data) > LIMIT:
            raise ValueError(f"{len(data):,} bytes")
        state.update(upload=Upload(data, name), picture_failure=None)
    except (OSError, ValueError) as error:
        state["picture_failure"] = Failure.of(error)
    state.update({"class": None, "picked": name})
    state["times_picked"] = state.get("times_picked", 0) + 1


def _table(items: tuple[GalleryItem, ...], p: Predictions) -> None:
    """Names and figures, where there are no pictures."""
    st.dataframe(
        {
            "picture": [item.file for item in items],
            "it is a": [words.label(p.classes[item.label]) for item in items],
            "it is called": [words.label(p.classes[item.predicted]) for item in items],
            "probability": [100 * item.confidence for item in items],
        },
        hide_index=True,
        height=35 * (len(items) + 1) + 3,
        column_config={"probability": st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)},
    )


def _page_row(number: int, pages: int, items: tuple[GalleryItem, ...], p: Predictions, saved: SavedNetwork) -> None:
    """The way to the pages before and after, and the list as a file."""
    state = st.session_state

    def go(to: int) -> None:
        state["gallery_page"] = to

    total, first = len(items), number * PAGE
    with st.container(key="cam_gallery_turn", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Earlier", key="gallery_back", disabled=number == 0, on_click=go, args=(number - 1,))
        st.button("Later", key="gallery_on", disabled=number >= pages - 1, on_click=go, args=(number + 1,))
        st.caption(f"{first + 1:,} to {min(first + PAGE, total):,} of {total:,}" if total else "0 of 0")
        downloads.offer(
            f"{words.file_stem(saved.name, str(state.get('show', '')), 'pictures')}.csv",
            lambda: list_csv(items, p),
            "This list, all pages of it",
            key="save_gallery_csv",
        )


def list_csv(items: tuple[GalleryItem, ...], p: Predictions) -> bytes:
    """The list with its header: file, true class, class predicted, its probability."""
    rows = ([item.file, p.classes[item.label], p.classes[item.predicted], repr(item.confidence)] for item in items)
    return to_csv([["file", "label", "said", "probability"], *rows])
