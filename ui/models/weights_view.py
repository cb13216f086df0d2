"""A weights file of one's own: its architecture and classes, the check, and keeping it as a network."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from camcore import CamcoreError
from camcore.models import adopt as adopting
from camcore.models.adopt import Check
from camcore.models.catalogue import backbone, backbones
from camcore.models.labels import FORMS, read_labels
from camcore.models.saved import SavedNetwork
from ui import errors, limits, policy, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.models import work as models_work
from ui.models.feeding import preprocessing_choice, preprocessing_table
from ui.models.view import ABOUT, ways_on
from ui.models.work import File, Offer
from ui.query import Failure

_ALPHAS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_UPLOADED = "upload"


@dataclass(frozen=True)
class Keeping:
    """A network to keep; ``press`` tells one press of the button from the next."""

    name: str
    preprocessing: str
    press: str


def show() -> None:
    """The form on the left, the check's result on the right."""
    left, right = st.columns((1.0, 1.62), gap="large")
    with left:
        offer = _form()
    with right:
        asked: Offer | None = st.session_state.get("own_asked")
        if asked is not None and asked != offer:  # the form was changed: what was found is of something else
            st.session_state["own_asked"] = asked = None
        if asked is None:
            _about()
        work = None if asked is None else models_work.check_work(asked)
        status = session.section("check", work, _checked)
        if asked is not None and status.complete:
            _keep(asked, status.result)


def _about() -> None:
    st.markdown(
        "Weights that `model.save_weights('….weights.h5')` wrote for one of the catalogue’s architectures, with its "
        "own number of classes. They are loaded in full before they are kept: of a file that is cut off, or that "
        "belongs to another architecture, the layer that differs is told here. Then the sample photographs are shown "
        "to the network in every usual way, to see which preprocessing it needs.\n\n"
        "Whole models (`.keras`, or `.h5` with an architecture inside) are not taken from a browser: opening one can "
        "run code that is hidden in it. Whoever runs this app names the file itself; see *Whole model*."
    )


def _form() -> Offer | None:
    """The visitor's file with what they say of it; None as long as something is missing."""
    file = _file()
    name = st.selectbox(
        "Architecture",
        [row.name for row in backbones()],
        index=None,
        key="own_backbone",
        placeholder="Which one are they the weights of?",
        filter_mode="contains",
        persist_state="session",
    )
    alpha = None
    if name is not None and name.startswith("MobileNet"):
        chosen = st.selectbox(
            "Width (alpha)", _ALPHAS, index=_ALPHAS.index(1.0), key="own_alpha", persist_state="session"
        )
        alpha = None if chosen == 1.0 else chosen
    labels, wrong = _labels()
    offer = Offer(file, name, alpha, labels) if file and name and not wrong else None
    # Not by a callback: that would carry the offer of the run before, which the last choice may have changed.
    if st.button("Check it", type="primary", key="own_check", disabled=offer is None, width="stretch"):
        st.session_state.update(own_asked=offer, own_kept=None)
        session.retry("check")
    return offer


def _file() -> File | None:
    """The uploaded file, or one of the weights folder."""
    state = st.session_state
    loose = adopting.loose_files() if policy.policy().changes else ()
    uploader = "own_file"
    st.file_uploader(
        "Weights file",
        key=uploader,
        max_upload_size=limits.upload_mb(),
        on_change=_uploaded,
        args=(uploader,),
        help=f"A .weights.h5 file of up to {limits.upload_mb()} MB",
    )
    failure: Failure | None = state.get("own_upload_failure")
    if failure is not None:
        errors.panel(failure, "This file was not taken")
    uploaded: File | None = state.get("own_upload")
    options = [*([_UPLOADED] if uploaded is not None else []), *(str(path) for path in loose)]
    if not options:
        if policy.policy().changes:
            st.caption("Files in the folder that `CAMCORE_WEIGHTS` names are listed here.")
        return None
    if state.get("own_place") not in options:
        state["own_place"] = options[0] if uploaded is not None else None
    place = st.selectbox(
        "File",
        options,
        index=None,
        key="own_place",
        placeholder="One of the weights folder",
        persist_state="session",
        format_func=lambda option: uploaded.name if option == _UPLOADED and uploaded else Path(option).name,
    )
    if place is None:
        return None
    return uploaded if place == _UPLOADED else models_work.on_disk(Path(place))


def _uploaded(key: str) -> None:
    state = st.session_state
    file = state[key]
    if file is None:
        return
    state["own_upload_failure"] = None
    try:
        policy.count_upload(file.size)
    except CamcoreError as error:
        state["own_upload_failure"] = Failure.of(error)
        return
    state.update(own_upload=models_work.uploaded(file.name, file.getvalue()), own_place=_UPLOADED, own_asked=None)


def _labels() -> tuple[tuple[str, ...] | None, bool]:
    """The class names, None where there is no file; and whether there is one that cannot be used."""
    state = st.session_state
    key = f"own_labels_{state.get('own_names', 0)}"
    st.file_uploader(
        "Names of its classes (optional)",
        key=key,
        max_upload_size=limits.picture_mb(),
        on_change=_named,
        args=(key,),
        help=FORMS,
    )
    failure: Failure | None = state.get("own_labels_failure")
    if failure is not None:
        errors.panel(failure, "These names were not taken")
        return None, True
    labels: tuple[str, ...] | None = state.get("own_labels_read")
    if labels is not None:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(words.plain(f"{len(labels):,} classes, from {labels[0]} to {labels[-1]}"))
            st.button("Without names", key="own_unnamed", type="tertiary", on_click=_unnamed)
    return labels, False


def _unnamed() -> None:
    state = st.session_state
    # A new uploader: the old one would go on showing a file that is no longer used.
    state.update(own_labels_read=None, own_labels_failure=None, own_names=state.get("own_names", 0) + 1)


def _named(key: str) -> None:
    state = st.session_state
    file = state[key]
    state.update(own_labels_read=None, own_labels_failure=None)
    if file is None:
        return
    try:
        state["own_labels_read"] = read_labels(file.getvalue())
    except CamcoreError as error:
        state["own_labels_failure"] = Failure.of(error)


def _checked(now: Status) -> None:
    """Progress of the check, and its result."""
    if now.failure is not None:
        errors.panel(now.failure, "This file cannot be used")
    if now.busy or now.stopped:
        session.progress("check", now)
    check: Check | None = now.value
    asked: Offer | None = st.session_state.get("own_asked")
    if check is None or asked is None:
        return
    shown = ", ".join(words.label(label) for label in check.labels[:3])
    st.markdown(
        f":material/check_circle: **The weights fit {asked.backbone}**, "
        + words.plain(f"{check.classes:,} classes ({shown} …), {check.parameters:,} parameters.")
    )
    if now.complete and check.fits:
        preprocessing_table(check.fits)


def _keep(asked: Offer, check: Check) -> None:
    """The last step: its preprocessing and its name."""
    feed, named, button = st.columns((2.0, 1.4, 0.7), vertical_alignment="bottom", gap="small")
    usual = backbone(asked.backbone).preprocessing
    with feed:
        preprocessing = preprocessing_choice("own_feed", check.fits, usual, "usual for it")
    with named:
        name = st.text_input(
            "Name", key="own_name", max_chars=60, placeholder="for example birds", persist_state="session"
        ).strip()
    problem = _problem(name)
    state = st.session_state
    kept: Keeping | None = state.get("own_kept")
    busy = kept is not None and session.ask("keep", _work(asked, kept, check)).busy
    unready = bool(problem) or not name or busy
    with button:
        pressed = st.button("Keep it", type="primary", key="own_keep", disabled=unready, width="stretch")
        if pressed and not unready:
            kept = state["own_kept"] = Keeping(name, preprocessing, uuid.uuid4().hex)
    if name and problem and (kept is None or kept.name != name):
        errors.notices([problem])
    if kept is None:
        return
    status = session.section("keep", _work(asked, kept, check), _kept)
    if status.complete and state.get("own_listed") != kept.press:
        state.update({"own_listed": kept.press, ABOUT: kept.name})  # the table above was drawn without it
        session.rerun()


def _work(asked: Offer, kept: Keeping, check: Check) -> Work:
    return models_work.adopt_work(asked, kept.name, kept.preprocessing, check.fits, kept.press)


def _problem(name: str) -> str:
    try:
        adopting.check_new_name(name)
    except CamcoreError as error:
        return str(error)
    return ""


def _kept(now: Status) -> None:
    with st.container(key="cam_kept"):
        if now.failure is not None:
            errors.panel(now.failure, "It was not kept")
        if now.busy or now.stopped or now.failure is not None:
            session.progress("keep", now)
        saved: SavedNetwork | None = now.value
        if saved is not None and saved.weights.is_file():  # it may have been removed since
            st.markdown(
                f":material/check_circle: **{words.plain(saved.name)}** is among your networks now, "
                + words.plain(f"in {policy.shown(saved.folder)}.")
            )
            ways_on(saved.name)
