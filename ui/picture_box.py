"""Picture box of the sidebar: drop, paste, photograph, or take a sample."""

import base64
import binascii
from dataclasses import dataclass

import streamlit as st

import camcore
from ui import errors, limits, pictures, samples
from ui.components import Tile, paste, tiles
from ui.query import Failure
from ui.urls import Parameter
from ui.words import plain

LIMIT = limits.PICTURE_MB * 1_000_000


@dataclass(frozen=True)
class Upload:
    """A visitor's own picture, kept in the session: the uploader forgets it on a page change."""

    data: bytes
    name: str


@dataclass(frozen=True)
class Chosen:
    """The picture to look at, and what to call it. ``sample`` is None for a visitor's own picture."""

    picture: camcore.Picture
    title: str
    sample: str | None

    @property
    def stem(self) -> str:
        """The title without a file's ending: what the files made of this picture begin with."""
        return self.title.rsplit(".", 1)[0]


class _Sample(Parameter):
    def write(self, value: str) -> str | None:
        return value if st.session_state.get("upload") is None else None


SAMPLE = _Sample("sample", "sample photograph", samples.DEFAULT, samples.KEYS)
"""The picture in a page's address; a visitor's own has no name there."""


def show() -> Chosen | None:
    """Draw the box; the chosen picture, or None where there is not even a sample."""
    state = st.session_state
    uploader = f"uploader_{state.get('uploads_reset', 0)}"
    st.file_uploader(
        "Picture",
        type="image",
        key=uploader,
        max_upload_size=limits.picture_mb(),
        on_change=_uploaded,
        args=(uploader,),
        help=f"JPEG, PNG, WebP, GIF, BMP or TIFF, up to {limits.picture_mb()} MB",
    )
    failure = state.get("picture_failure")
    if failure is not None:
        errors.panel(failure, "The earlier picture stays")
    own = state.get("upload")
    if samples.samples():
        tiles(
            [_tile(key, own is None and key == state.get("sample", samples.DEFAULT)) for key in samples.samples()],
            key="gallery",
            label="Sample photographs",
            columns=5,
            ratio=1.0,
            on_pick=_sampled,
        )
    paste(key="paste", limit=LIMIT, on_paste=_pasted)
    camera = st.expander("Use the camera", key="camera_open", on_change="rerun")
    if camera.open:
        camera.camera_input("Photograph", key="camera", on_change=_photographed, label_visibility="collapsed")
    chosen = _chosen()
    if chosen is not None:
        _describe(chosen)
    return chosen


def file_of(chosen: Chosen) -> bytes:
    """The bytes that a chosen picture was opened from."""
    if chosen.sample is not None:
        return samples.samples()[chosen.sample].path.read_bytes()
    own: Upload = st.session_state["upload"]
    return own.data


def _chosen() -> Chosen | None:
    own: Upload | None = st.session_state.get("upload")
    if own is not None:
        return Chosen(pictures.opened(own.data), own.name, None)
    key = st.session_state.get("sample", samples.DEFAULT)
    if key not in samples.samples():
        return None
    return Chosen(samples.picture(key), samples.samples()[key].title, key)


def _describe(chosen: Chosen) -> None:
    """The picture's name, size, and what was done to it, in quiet type."""
    picture = chosen.picture
    notes = "".join(f" {note.rstrip('.')}." for note in picture.notes)
    st.caption(plain(f"{chosen.title}, {picture.width} × {picture.height} px.{notes}"))


def _tile(key: str, selected: bool) -> Tile:
    title = samples.samples()[key].title
    return {
        "id": key,
        "title": "",
        "src": samples.thumbnail(key),
        "alt": f"Sample: {title}",
        "selected": selected,
    }


def _take(data: bytes, name: str) -> None:
    try:
        pictures.opened(data)
    except Exception as error:
        st.session_state.picture_failure = Failure.of(error)
        return
    st.session_state.update(upload=Upload(data, name), picture_failure=None)
    _look_afresh()


def _uploaded(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _take(file.getvalue(), file.name)
    # None says nothing yet: the browser takes the old file away before it sends its successor, which may
    # turn out to be no picture. The upload stays until another picture takes its place.


def _pasted(encoded: str) -> None:
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        wrong = camcore.PictureError("The pasted data did not arrive whole. Paste the picture again.")
        wrong.__cause__ = error
        st.session_state.picture_failure = Failure.of(wrong)
        return
    _take(data, "Pasted picture")


def _photographed() -> None:
    file = st.session_state["camera"]
    if file is not None:
        _take(file.getvalue(), "Camera picture")


def _sampled(key: str) -> None:
    state = st.session_state
    # A new uploader: the old one would go on showing a file that is no longer looked at.
    state.update(sample=key, upload=None, picture_failure=None, uploads_reset=state.get("uploads_reset", 0) + 1)
    _look_afresh()


def _look_afresh() -> None:
    """A class chosen for the last picture rarely fits the next one: start from what the network says."""
    st.session_state["class"] = None
