"""Pictures of an audit for the report: their maps, made once more with all that a report keeps of them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from camcore.audits.manifest import Manifest
from camcore.audits.sources import open_row
from ui import model_picker, policy, words
from ui.audit.chosen import PENDING, network_of, random_weights
from ui.audit.opened import OpenAudit
from ui.jobs import session
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.report.document import Item

_NAME = "audit_report_maps"

Items = tuple[tuple[Hashable, "Item"], ...]
"""Entries of a report, each with what tells it from all others."""


def section(opened: OpenAudit, add: Callable[[Hashable, Item], str]) -> None:
    """Make what was asked for and ``add`` it, which returns the message to the visitor; it draws nothing."""
    state = st.session_state
    paths: Sequence[str] = state.get(PENDING) or ()
    name = network_of(opened.manifest)
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

        done: Items = ()
        for path in wanted:
            pic = open_row(manifest, path)
            maps = camcore.explain(net, pic, manifest.method, manifest.layer, framing=manifest.framing)
            file = Path(manifest.base) / path
            data = file.read_bytes() if file.is_file() else None
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
