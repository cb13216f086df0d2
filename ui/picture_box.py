"""Picture box of the sidebar: drop, paste, photograph, or take a sample."""

import base64
import binascii
from dataclasses import dataclass

import streamlit as st

import camcore
from ui import errors, limits, pictures, samples
from ui._compat import is_history_navigation
from ui.components import Tile, paste, tiles
from ui.pictures import Upload
from ui.query import Failure
from ui.urls import Parameter
from ui.words import plain

LIMIT = limits.PICTURE_MB * 1_000_000


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
"""The sample in a page's address."""


class _Own(Parameter):
    def read(self, text: str) -> tuple[str | None, str | None]:
        if pictures.find(text) is not None:
            return text, None
        return None, (
            "The link names a picture that was uploaded in another session. It is deleted when that session ends; "
            "upload it again to look at it. Showing a sample instead."
        )


OWN = _Own("picture", "uploaded picture", None)
"""A visitor's own picture in a page's address: the name that nobody can guess."""
PARAMETERS = (SAMPLE, OWN)
_MOST_KEPT = 4
"""The last pictures of a visitor's own that the browser's Back finds again."""


def show() -> Chosen | None:
    """Draw the box; the chosen picture, or None where there is not even a sample."""
    state = st.session_state
    _settle()
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


def own_token() -> str | None:
    """The name of the visitor's own picture in an address; None where a sample is looked at."""
    own: Upload | None = st.session_state.get("upload")
    return None if own is None else own.token


def keep(upload: Upload) -> None:
    """Look at a picture of the visitor's own from now on; the earlier ones are kept for the browser's Back."""
    state = st.session_state
    kept = (*state.get("uploads_kept", ()), upload)[-_MOST_KEPT:]
    state.update(upload=upload, uploads_kept=kept, picture_failure=None)
    state[OWN.name] = upload.token


def file_of(chosen: Chosen) -> bytes:
    """The bytes that a chosen picture was opened from."""
    if chosen.sample is not None:
        return samples.samples()[chosen.sample].path.read_bytes()
    own: Upload = st.session_state["upload"]
    return own.data


def _settle() -> None:
    """Take over the picture that the address names: after a reload, or the browser's Back."""
    state = st.session_state
    token = state.get(OWN.name)
    if token is not None and token != own_token():
        found = pictures.find(token)
        if found is not None:
            keep(found)
    elif token is None and is_history_navigation():
        state["upload"] = None
    state[OWN.name] = own_token()


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
    keep(Upload(data, name))
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
    state[OWN.name] = None
    _look_afresh()


def _look_afresh() -> None:
    """A class chosen for the last picture rarely fits the next one: start from what the network says."""
    st.session_state["class"] = None
