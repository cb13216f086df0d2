"""Steps from the chosen pictures of an audit: other pages that look at one, and others like it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

import camcore
from camcore.audits.manifest import Manifest
from camcore.audits.sources import open_row
from camcore.models.saved import saved_networks
from camcore.render.encode import to_jpeg
from camcore.text import counted
from ui import errors, model_picker, picture_box, sidebar, words
from ui.audit import choices, network, scrolling
from ui.audit.network import Found
from ui.audit.opened import OpenAudit
from ui.jobs import session
from ui.picture_box import LIMIT
from ui.pictures import Upload
from ui.query import Failure
from ui.rasters import shrink

INSPECT, COMPARE, TRUST = PAGES = ("app.py", "pages/compare.py", "pages/trust.py")
LESSON = "pages/cats_vs_dogs.py"
"""The page that shows the evidence of networks with a folder of their own."""
PENDING = "audit_report_paths"
"""The session's entry with the pictures that are to go into the report."""
MOST_SIDE = 4096
"""Long side of a picture whose file is not handed over as it is, in pixels."""
_NETWORK = "audit_network"
_LOOKING = Found("", "Looking for the network of this audit …")
_TITLES = {INSPECT: "Inspect", COMPARE: "Compare", TRUST: "Trust", LESSON: "Evaluation"}


def bar(opened: OpenAudit, chosen: Sequence[str]) -> None:
    """The row of what can be done with the selected pictures; it keeps its height without any."""
    status = session.ask(_NETWORK, network.search(opened.manifest) if chosen else None)
    if status.busy:  # the buttons work once the network is found
        session.section(_NETWORK, network.search(opened.manifest), lambda _: _row(opened, chosen, _LOOKING))
    else:
        failure = "" if status.failure is None else status.failure.message
        _row(opened, chosen, status.value or Found("", failure))
    failed = st.session_state.pop("audit_to_failure", None)
    if failed is not None:
        errors.panel(failed, "This picture cannot be opened")
    if st.session_state.get("audit_go") is not None or st.session_state.pop("audit_redraw", False):
        st.rerun()  # the callback ran with this fragment; nothing that waits may take the place of what it asks for


def _row(opened: OpenAudit, chosen: Sequence[str], found: Found) -> None:
    with st.container(key="cam_audit_chosen", horizontal=True, vertical_alignment="center", gap="small"):
        if chosen:
            several = f"{counted(len(chosen), 'picture')} selected; other pages show one at a time"
            what = chosen[0] if len(chosen) == 1 else several
            st.caption(words.plain(what), width="content")
            _buttons(opened, chosen, found)
        else:
            st.caption("Select pictures to look at them on another page, or one to find others like it.")


def _buttons(opened: OpenAudit, chosen: Sequence[str], found: Found) -> None:
    name, unknown = found.name or None, found.why_not or None
    saved = name in {one.name for one in saved_networks()}
    for page in (*PAGES, LESSON) if saved else PAGES:
        title = _TITLES[page]
        st.button(
            title,
            key=f"audit_to_{title.lower().replace(' ', '_')}",
            on_click=_leave,
            args=(page, opened.manifest, name, chosen[0]),
            disabled=len(chosen) > 1 or name is None,
            help=unknown or ("One picture at a time" if len(chosen) > 1 else None),
        )
    pending = bool(st.session_state.get(PENDING))
    st.button(
        "Adding …" if pending else "Add to report",
        key="audit_to_report",
        on_click=_report,
        args=(tuple(chosen),),
        disabled=pending or name is None,
        help=unknown or "Adds the selected pictures with their maps to the Report page",
    )
    st.button(
        "More like this",
        key="audit_like",
        on_click=_find_alike,
        args=(chosen[0],),
        disabled=len(chosen) > 1 or found is _LOOKING,
        help="The pictures whose answers rest on similar evidence",
    )
    st.button("Clear selection", key="audit_let_go", on_click=_let_go, disabled=found is _LOOKING)


def go() -> None:
    """Change to the page that was asked for, if one was."""
    target = st.session_state.pop("audit_go", None)
    if target is not None:
        st.switch_page(target[0], query_params=target[1])


def query(manifest: Manifest, name: str, page: str = INSPECT) -> dict[str, str]:
    """The network ``name`` and the map of an audit as another page's address has them."""
    if page == LESSON:
        return {"model": name}
    model = model_picker.chosen(name, model_picker.AUTO, network.random_weights(manifest))
    return sidebar.query(model.key, manifest.framing, None, method=manifest.method, layer=manifest.layer)


def _report(paths: tuple[str, ...]) -> None:
    st.session_state.update({PENDING: paths, "audit_redraw": True})


def _find_alike(path: str) -> None:
    choices.clear()
    state = st.session_state
    state.update(like=path, chosen=(), audit_redraw=True)
    scrolling.to(scrolling.PICTURES)


def _leave(page: str, manifest: Manifest, name: str, path: str) -> None:
    state = st.session_state
    try:
        picture_box.keep(Upload(file_of(manifest, path), posixpath.basename(path)))
    except (camcore.CamcoreError, OSError) as error:
        state["audit_to_failure"] = Failure.of(error)
        return
    state.update({"class": None, "audit_go": (page, query(manifest, name, page))})


def file_of(manifest: Manifest, path: str) -> bytes:
    """The file of a picture; one that is too large or at an address is made anew of its pixels."""
    file = Path(manifest.base) / path
    if file.is_file() and file.stat().st_size <= LIMIT:
        return file.read_bytes()
    return to_jpeg(shrink(open_row(manifest, path).rgb, MOST_SIDE), 95)


def _let_go() -> None:
    st.session_state["chosen"] = ()
