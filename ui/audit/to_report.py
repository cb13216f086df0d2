"""An audit for the report: as a whole, or some of its pictures with their maps, made once more with all details."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.audits.manifest import Manifest
from camcore.audits.sources import open_row
from camcore.files import read_plain
from camcore.pictures.picture import MAX_BYTES
from ui import model_picker, policy, words
from ui.audit.chosen import PENDING
from ui.audit.export import last_change
from ui.audit.naming import named, names
from ui.audit.network import check, name_of, random_weights
from ui.audit.opened import OpenAudit
from ui.jobs import session
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.report.document import AuditItem, Item, ReportItem

_NAME, _WHOLE = "audit_report_maps", "audit_report_whole"
_WANTED = "audit_report_wanted"

Items = tuple[tuple[Hashable, "Item"], ...]
"""Entries of a report, each with what tells it from all others."""
Add = Callable[[Hashable, "ReportItem"], str]
"""Takes an entry for the report, which the key tells from all others, and returns the message to the visitor."""


def button(opened: OpenAudit, add: Add) -> None:
    """The button that puts the audit as a whole into the report."""
    state = st.session_state
    if state.get(_WANTED) == opened.key:
        work = whole(opened)
        status = session.ask(_WHOLE, work)
        if status.failure is None and not status.complete:
            if not session.section(_WHOLE, work, lambda _: _button(opened, adding=True)).busy:
                session.rerun()  # it has just ended
            return
        state[_WANTED] = None
        if status.failure is None:
            st.toast(
                add(work.key, named(status.result, opened.manifest, names(opened))),
                icon=":material/bookmark_added:",
            )
        else:
            problem = policy.veiled(f"It could not be added. {status.failure.message}")
            st.toast(words.plain(problem), icon=":material/error:")
    _button(opened)


def _button(opened: OpenAudit, adding: bool = False) -> None:
    st.button(
        "Adding …" if adding else "Add to report",
        key="audit_to_report_whole",
        icon=":material/hourglass_top:" if adding else ":material/bookmark_add:",
        disabled=adding,
        on_click=st.session_state.update,
        args=({_WANTED: opened.key},),
        help="Adds the figures, groups, mistakes and average maps of this audit to the Report page",
    )


def whole(opened: OpenAudit) -> Work[AuditItem]:
    """Makes the audit's entry."""

    def steps(_: object, __: object) -> Updates[AuditItem]:
        from camcore.audits.report import report_item

        yield Update(1.0, report_item(opened.audit, opened.groups))

    key = ("audit_report", opened.key, last_change(opened.audit.folder))
    return Work(None, key, "Making the entry", steps, lambda item: item.nbytes, 3.0)


def section(opened: OpenAudit, add: Add) -> None:
    """Make the entries of the pictures that were asked for, and ``add`` them; it draws nothing."""
    state = st.session_state
    paths: Sequence[str] = state.get(PENDING) or ()
    name = name_of(opened.manifest)
    if not paths or name is None:
        return
    model = model_picker.chosen(name, model_picker.AUTO, random_weights(opened.manifest))
    if model.fetch is not None:
        state[PENDING] = ()
        st.toast(words.plain(f"{name}’s weights are not on this machine. Fetch them on the Inspect page first."))
        return
    status = session.section(_NAME, items(model.key, opened.manifest, paths))
    if status.complete:
        state[PENDING] = ()
        messages = [add(key, item) for key, item in status.result]
        st.toast(messages[-1], icon=":material/bookmark_added:")
    elif status.failure is not None:
        state[PENDING] = ()
        st.toast(
            words.plain(policy.veiled(f"Nothing could be added. {status.failure.message}")), icon=":material/error:"
        )


def items(network: NetworkKey, manifest: Manifest, paths: Sequence[str]) -> Work[Items]:
    """Explains these pictures as the audit did."""
    wanted = tuple(paths)

    def steps(net: Network, _: object) -> Updates[Items]:
        from camcore.report.document import Item, PictureFile, findings_of

        check(net, manifest)
        done: Items = ()
        for path in wanted:
            pic = open_row(manifest, path)
            maps = camcore.explain(net, pic, manifest.method, manifest.layer, framing=manifest.framing)
            file = Path(manifest.base) / path
            data = read_plain(file, MAX_BYTES) if os.path.isfile(file) else None
            picture = PictureFile.of(pic, data, posixpath.basename(path))
            item = Item(picture, findings_of(net, pic, maps, network.weights))
            key = ("audit", network, pic.sha256, manifest.method, manifest.layer, manifest.framing)
            done = (*done, (key, item))
            yield Update(len(done) / len(wanted), done)

    def size(made: Items) -> int:
        from camcore.report.document import bytes_of

        return int(bytes_of([item for _, item in made]))

    key = ("audit_report", manifest.base, wanted, manifest.method, manifest.layer, manifest.framing)
    return Work(network, key, "Making the maps for the report", steps, size)
