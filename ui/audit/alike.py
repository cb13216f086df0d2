"""More like this: the pictures of an audit that were decided because of the same evidence as one, or as a box of it."""

from __future__ import annotations

import streamlit as st

from camcore.audits.filters import Filters
from camcore.audits.nearest import most_alike
from ui import errors
from ui.audit import part
from ui.audit.opened import OpenAudit
from ui.audit.part import COUNT, Paths
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work

_NAME = "audit_alike"


def section(opened: OpenAudit) -> Paths | None:
    """The named picture, and how far the search for pictures like it is; their paths, the most alike first.

    None where no picture is named; empty as long as they are not known.
    """
    path: str = st.session_state["like"]
    if not path:
        session.ask(_NAME, None)
        return None

    def draw(now: Status[Paths]) -> None:
        if not now.complete:
            session.progress(_NAME, now)
        if now.failure is not None:
            errors.panel(now.failure, "Pictures like this one cannot be found")

    if opened.audit.count(Filters(paths=(path,))):
        with st.container(key="cam_audit_part"):
            part.show(opened, path)
    network, box = part.network_for(opened)[0], st.session_state["part"]
    work = alike(opened, path) if network is None or box is None else part.alike(opened, network, path, box)
    return session.section(_NAME, work, draw).value or ()


def alike(opened: OpenAudit, path: str) -> Work[Paths]:
    """Compares the evidence of all pictures with that of one; the picture itself comes first."""

    def steps(_: object, __: object) -> Updates[Paths]:
        (wanted,) = opened.audit.evidence([path])
        found = most_alike(opened.audit.folder, wanted, COUNT)
        yield Update(1.0, tuple(one.path for one in found))

    def size(paths: Paths) -> int:
        return sum(64 + len(one) for one in paths)

    return Work(None, ("alike", opened.key, path), "Comparing the evidence", steps, size, 2.0)
