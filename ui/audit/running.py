"""An audit made from the page: its form, and its work in the background."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.audits.manifest import read_manifest
from camcore.audits.parts import part_files
from camcore.text import counted
from ui import errors, folder_box, limits, model_picker, policy, words
from ui.audit import changed_pictures, choices, scrolling, so_far, upload
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.model_picker import Model
from ui.picture_folders import named
from ui.query import Failure
from ui.visitor_home import AUDITS

if TYPE_CHECKING:
    from camcore.audits.step import AuditStep
    from camcore.files import Json
    from camcore.network import Network
    from ui.audit.opened import OpenAudit

_FILES = "audit_files"
UPLOADED = "uploaded pictures"
CHUNK = 64
"""Pictures in a part: what is stopped loses those of an unfinished one."""
_UPLOADS = "audit pictures"
"""The folder for them in the visitor's own one, which goes with the session."""


@dataclass(frozen=True)
class Uploads:
    """The visitor's uploaded pictures: their folder on this machine, and how many arrived."""

    folder: Path
    received: upload.Received


@dataclass(frozen=True)
class AuditRun:
    """An audit to be made of the pictures in a folder. ``out``: its own folder.

    ``like``: an audit of the same pictures by another network, which is compared with it when it is complete.
    """

    model: Model
    pictures: Path | str
    out: Path
    labelled: bool | None
    like: OpenAudit | None = None

    def work(self) -> Work[AuditStep]:
        """The audit in the background; what is there already is kept."""

        def steps(network: Network, _: object) -> Updates[AuditStep]:
            audit = camcore.audit(
                network,
                self.pictures,
                self.out,
                framing=self.model.framing,
                labelled=self.labelled,
                workers=0,
                chunk=CHUNK,
                **self._choices(),
            )
            for step in audit:
                left = max(step.total - step.kept, 1)  # so that the time left is told by the pace of this run alone
                yield Update((step.done - step.kept) / left, step, _title(step))

        return Work(self.model.key, ("audit_run", self.out), "Looking for the pictures", steps, lambda _: 256)

    def _choices(self) -> dict[str, Json]:
        """The choices of the audit that it is to stand beside."""
        if self.like is None:
            return {}
        manifest = self.like.manifest
        return {name: getattr(manifest, name) for name in ("method", "layer", "limit", "seed")}


def form() -> Model:
    """The choice of a network and of pictures, and the button that begins; the network."""
    left, right = st.columns(2, gap="large")
    with left:
        model = model_picker.show()
    with right:
        source = _source()
    st.button(
        "Audit these pictures",
        type="primary",
        key="audit_begin",
        disabled=source is None or model.fetch is not None,
        on_click=_begin,
        args=(model, source),
    )
    return model


def _source() -> Path | None:
    """The pictures: a folder that is named, or uploaded ones; None: none yet."""
    state = st.session_state
    path = folder_box.ask(
        "Pictures",
        key="pictures",
        placeholder="a folder on this server",
        on_change=_forget,
        help="A folder with one folder per class, named as the class; a folder of pictures without labels; or a table "
        "(.csv, .parquet) with the column path and, optionally, label. The files are only read.",
    )
    st.file_uploader(
        "Or upload pictures, or ZIP files with a folder for each class",
        type=list(upload.ENDINGS),
        accept_multiple_files=True,
        key=_FILES,
        max_upload_size=limits.upload_mb(),
        on_change=_receive,
    )
    failure = state.get("audit_upload_failure")
    if failure is not None:
        errors.panel(failure, "These files cannot be used")
    st.toggle(
        "Ignore labels",
        key="audit_unlabelled",
        persist_state="session",
        help="For folders whose names are not the network’s classes. No answer is right or wrong then.",
    )
    uploads: Uploads | None = state.get("audit_uploads")
    if uploads is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(uploaded(uploads.received), width="content")
            st.button("Remove them", key="audit_forget", on_click=_forget)
        return uploads.folder
    return named(path)[0] if path else None


def uploaded(received: upload.Received) -> str:
    """The pictures that arrived, and whether their folders label them."""
    pictures, classes = received.pictures, received.classes
    labels = (
        f"labelled by {counted(classes, 'class folder')}" if classes else "without labels (no folder for each class)"
    )
    return f"{counted(pictures, 'uploaded picture')}, {labels}, kept until your session ends."


def settle() -> AuditRun | None:
    """The audit that is being made, until it is complete and opened; before any widget is drawn."""
    complete: AuditRun | None = st.session_state.pop("audit_complete", None)
    if complete is not None:
        _open(complete)
    run: AuditRun | None = st.session_state.get("audit_run")
    return run


def show(run: AuditRun) -> None:
    """Progress of the audit; when it is complete it is opened."""
    with st.container(key="cam_head"):
        st.header(f"Auditing {words.plain(run.model.key.name)}", anchor=False)

    def draw(now: Status[AuditStep]) -> None:
        step = now.value
        if now.failure is not None:
            errors.panel(now.failure, "These pictures could not be audited")
        session.progress("auditing", now)
        if now.failure is None:
            so_far.show(run.out, step)
            if step is not None and step.kept:
                st.caption(
                    f"Taken up where it stopped: {counted(step.kept, 'picture was', 'pictures were')} done before."
                )
        if now.stopped and part_files(run.out):
            st.button("Open what is done", key="audit_see", on_click=_see, args=(run,))
        if st.session_state.get("audit_complete") is not None:
            session.rerun()

    status = session.section("auditing", run.work(), draw)
    if status.complete:
        _see(run)
        session.rerun()
    if status.failure is not None:
        st.caption("Where folders are not named as the network’s classes, turn on Ignore labels in the form.")
        st.button("Back to the form", key="audit_back_to_form", on_click=leave)


def _title(step: AuditStep) -> str:
    if step.stage == "court":
        return f"Trying the groups for shortcuts: {step.tried:,} of at most {counted(step.trials, 'picture')}"
    if step.stage in ("groups", "report"):
        return "Grouping the evidence" if step.stage == "groups" else "Writing the report"
    return "Auditing the pictures"


def _begin(model: Model, source: Path) -> None:
    state = st.session_state
    try:
        unlabelled = bool(state["audit_unlabelled"])
        out = _left_unfinished(model.key.name, source, unlabelled) or _new_folder(model.key.name, source.name)
    except camcore.CamcoreError as error:
        state["audit_upload_failure"] = Failure.of(error)
        return
    state["audit_run"] = AuditRun(model, source, out, False if unlabelled else None)


def begin_beside(opened: OpenAudit, name: str) -> None:
    """Audit the pictures of an open audit by another network, in the same way; then the two are compared.

    Raises CamcoreError where the visitor's folder is full.
    """
    manifest = opened.manifest
    out = _new_folder(name, posixpath.basename(manifest.pictures.rstrip("/")))
    labelled = None if manifest.labelled else False
    model = model_picker.chosen(name, manifest.framing)
    st.session_state["audit_run"] = AuditRun(model, manifest.pictures, out, labelled, opened)


def _new_folder(*names: str) -> Path:
    """A folder for an audit of this visitor's."""
    state = st.session_state
    policy.check_room()
    while True:
        state["audits_begun"] = state.get("audits_begun", 0) + 1
        folder = policy.own_folder(AUDITS) / words.file_stem(*names, str(state["audits_begun"]))
        if not folder.exists():
            return folder


def _left_unfinished(network: str, source: Path, unlabelled: bool) -> Path | None:
    """The folder of the same audit, where a server that was killed left it unfinished; None where there is none."""
    state = st.session_state
    if state.get("audits_begun"):
        return None  # it was taken up, or is this session's own: another one is begun
    for folder in sorted(policy.own_folder(AUDITS).iterdir()):
        with suppress(camcore.CamcoreError):
            found = read_manifest(folder)
            same = (found.network.name, found.pictures) == (network, str(source)) and found.labelled <= (not unlabelled)
            if same and not found.complete:
                state["audits_begun"] = 1
                return folder
    return None


def is_uploaded(pictures: str) -> bool:
    """Says whether the pictures of an audit are uploaded ones, which go with the session."""
    return policy.in_own_folder(Path(pictures), _UPLOADS)


def source_of(pictures: str) -> str:
    """The pictures of an audit, for its reader: where they lie, or that they were uploaded."""
    return UPLOADED if is_uploaded(pictures) else policy.veiled(pictures)


def leave() -> None:
    """Go back to the form: the audit that is open stays where it is, one that is being made ends."""
    session.stop("auditing")
    choices.clear()
    st.session_state.update(audit="", audit_run=None)


def _see(run: AuditRun) -> None:
    """Have it opened by the next run of the page, before that draws the widget for an audit's folder."""
    st.session_state["audit_complete"] = run


def _forget() -> None:
    st.session_state.update(audit_uploads=None, audit_upload_ids=None)


def _open(run: AuditRun) -> None:
    choices.clear()
    made, state = policy.shown(run.out), st.session_state
    if run.like is None:
        state.update(audit=made, audit_run=None)
    else:
        state.update(audit=policy.shown(run.like.audit.folder), other=made, audit_run=None)
        changed_pictures.from_the_start()
        scrolling.when_compared()


def _receive() -> None:
    state = st.session_state
    files = state[_FILES]
    arrived = tuple(file.file_id for file in files or ())
    if arrived and arrived == state.get("audit_upload_ids"):
        return  # the browser tells of the same files once more when the form goes
    state["audit_upload_ids"] = arrived
    state["audit_upload_failure"] = state["audit_uploads"] = None
    if not files:
        return
    state["audit_upload_count"] = state.get("audit_upload_count", 0) + 1
    try:
        folder = policy.own_folder(_UPLOADS) / f"pictures-{state['audit_upload_count']}"
        policy.count_upload(sum(file.size for file in files))
        state["audit_uploads"] = Uploads(folder, upload.receive([(file.name, file) for file in files], folder))
    except camcore.CamcoreError as error:
        state["audit_upload_failure"] = Failure.of(error)
