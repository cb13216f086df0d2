"""The gallery: pictures that the network gets wrong, or nearly, each with the evidence for what it says."""

from pathlib import Path

import streamlit as st
from camcore.files import to_csv

from camcore.evaluation.predict import Predictions
from camcore.heatmaps.evidence import common_scale
from camcore.models.saved import SavedNetwork
from ui import downloads, errors, figures, signed, words
from ui.classifier import gallery
from ui.classifier.gallery import Entry
from ui.classifier.work import THUMB_SIDE, FolderResults, GalleryPicture, gallery_work
from ui.components import Tile, tiles
from ui.jobs import session
from ui.jobs.session import Status
from ui.picture_box import LIMIT, Upload
from ui.query import Failure

COLUMNS = 6
OPACITY = 50


def show(saved: SavedNetwork, evaluated: FolderResults, at: float) -> None:
    """The gallery at a threshold."""
    p = evaluated.predictions
    kind, found, shown, number, pages = _choose(p, at)
    with st.container(key="cam_gallery", gap="xsmall"):
        if not found:
            st.markdown(_nothing(kind, p))
        elif evaluated.root is None:
            _table(shown, p)
        else:
            _pictures(saved, evaluated.root, shown, p)
    _turn(number, pages, len(found), found, p, saved)


def _choose(p: Predictions, at: float) -> tuple[str, tuple[Entry, ...], tuple[Entry, ...], int, int]:
    state = st.session_state
    texts = _kinds(p)
    kind = state.get("show")
    kind = kind if kind in texts else gallery.WRONG
    state["show_box"] = kind
    lists = {one: gallery.entries(p, one, at) for one in texts}
    st.segmented_control(
        "Show",
        list(texts),
        required=True,
        key="show_box",
        format_func=lambda one: f"{texts[one]} ({len(lists[one]):,})",
        label_visibility="collapsed",
        on_change=lambda: state.update(show=state["show_box"], gallery_page=0),
    )
    found = lists[kind]
    shown, number, pages = gallery.page_of(found, state.get("gallery_page", 0))
    state["gallery_page"] = number
    return kind, found, shown, number, pages


def _kinds(p: Predictions) -> dict[str, str]:
    texts = {gallery.WRONG: "All mistakes"}
    if len(p.classes) == 2:
        a, b = (words.label(label) for label in p.classes)
        texts |= {gallery.FIRST: f"{a} called {b}", gallery.SECOND: f"{b} called {a}"}
    return texts | {gallery.UNSURE: "Least sure", gallery.RIGHT: "Right ones"}


def _nothing(kind: str, p: Predictions) -> str:
    if kind == gallery.RIGHT:
        return "There is none: every picture is called wrong at this threshold."
    if kind == gallery.WRONG:
        return f"There is none: all {len(p):,} pictures are right at this threshold."
    a, b = (words.label(label) for label in (p.classes if kind == gallery.FIRST else p.classes[::-1])[:2])
    return f"There is none: no {words.plain(a)} is called {words.plain(b)} at this threshold."


def _pictures(saved: SavedNetwork, root: Path, shown: tuple[Entry, ...], p: Predictions) -> None:
    work = gallery_work(saved, root, [(entry.file, entry.said) for entry in shown])

    def draw(standing: Status) -> None:
        if st.session_state.pop("picked", None) is not None:
            st.rerun()  # the callback ran with this fragment, and the picture is everybody's
        shots: tuple[GalleryPicture, ...] = standing.value or ()
        found = tuple(shot.evidence for shot in shots if shot.evidence is not None)
        scale = common_scale(found)
        items = [
            _tile(saved, entry, shots[place] if place < len(shots) else None, scale, p)
            for place, entry in enumerate(shown)
        ]
        tiles(
            items,
            key="gallery_tiles",
            label="Pictures; press one to look at it above",
            columns=COLUMNS,
            ratio=1.0,
            on_pick=lambda file: look_at(root / file, file),
        )
        if standing.failure is not None:
            errors.panel(standing.failure, "These pictures could not be looked at")
        if found:
            figures.colour_bar(f"\N{MINUS SIGN}{scale:.1f} against what it says", f"+{scale:.1f} for it")
        problems = [f"{shot.file}: {shot.problem}" for shot in shots if shot.problem]
        if problems:
            errors.notices(problems[:3])

    session.section("shots", work, draw)


def _tile(saved: SavedNetwork, entry: Entry, shot: GalleryPicture | None, scale: float, p: Predictions) -> Tile:
    said = words.label(p.classes[entry.said])
    text = f"{said} {words.percent(entry.confidence)}"
    truth = f"is a {words.label(p.classes[entry.label])}" if not entry.right else "right"
    src = None
    if shot is not None and shot.rgb is not None:
        identity = f"{saved.sha256}{entry.file}{shot.rgb.shape}{int(shot.rgb.sum())}"
        if shot.evidence is not None:
            src = signed.overlay_url(shot.rgb, identity, shot.evidence, "gallery", scale, OPACITY, side=THUMB_SIDE)
    return {
        "id": entry.file,
        "title": text,
        "note": truth,
        "src": src,
        "alt": f"{entry.file}, {truth}: called {text}",
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


def _table(shown: tuple[Entry, ...], p: Predictions) -> None:
    """Names and figures, where there are no pictures."""
    st.dataframe(
        {
            "picture": [entry.file for entry in shown],
            "it is a": [words.label(p.classes[entry.label]) for entry in shown],
            "it is called": [words.label(p.classes[entry.said]) for entry in shown],
            "probability": [100 * entry.confidence for entry in shown],
        },
        hide_index=True,
        height=35 * (len(shown) + 1) + 3,
        column_config={"probability": st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)},
    )


def _turn(number: int, pages: int, total: int, found: tuple[Entry, ...], p: Predictions, saved: SavedNetwork) -> None:
    state = st.session_state

    def go(to: int) -> None:
        state["gallery_page"] = to

    with st.container(key="cam_gallery_turn", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Earlier", key="gallery_back", disabled=number == 0, on_click=go, args=(number - 1,))
        st.button("Later", key="gallery_on", disabled=number >= pages - 1, on_click=go, args=(number + 1,))
        first = number * gallery.PAGE
        st.caption(f"{first + 1:,} to {min(first + gallery.PAGE, total):,} of {total:,}" if total else "0 of 0")
        downloads.offer(
            f"{words.file_stem(saved.name, str(state.get('show', '')), 'pictures')}.csv",
            lambda: list_csv(found, p),
            "This list, all pages of it",
            key="save_gallery_csv",
        )


def list_csv(found: tuple[Entry, ...], p: Predictions) -> bytes:
    """The list with its header: file, true class, class said, its probability."""
    rows = ([e.file, p.classes[e.label], p.classes[e.said], repr(e.confidence)] for e in found)
    return to_csv([["file", "label", "said", "probability"], *rows])
