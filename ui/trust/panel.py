"""The short form of the evidence on a map: the verdict in a line or two, with reasons and figures one click below."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import streamlit as st

import camcore
from ui import errors, sidebar, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.map_request import MapStatus
from ui.picture_box import Chosen
from ui.query import Query, map_identity
from ui.trust import evidence
from ui.trust import words as trust_words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.heatmaps.cam_map import CamMap
    from camcore.verdict.gather import Trust

SECTION = "trust"


def show(place: DeltaGenerator, request: MapStatus, chosen: Chosen) -> None:
    """The verdict, computed once the map is there and nothing else is under way."""
    with place, errors.guarded("The verdict"):
        follow(request, chosen, _brief)


def link(place: DeltaGenerator, chosen: Chosen, query: Query) -> None:
    """The way to the Trust page, with this picture, network, class, layer and method."""
    more = {"method": query.method, "layer": query.layer, "class": query.class_index}
    place.page_link(
        "pages/trust.py",
        label="Hide part of the picture",
        icon=":material/verified:",
        query_params=sidebar.query(query.network, query.framing, chosen.sample, **more),
        width="content",
    )


def follow(request: MapStatus, chosen: Chosen, draw: Callable[[Status[Trust], CamMap | None], None]) -> Status[Trust]:
    """Gather the evidence on the query's map, and ``draw`` its status and the map, None while that is on its way."""
    asked = request.asked
    m = None if request.busy else asked.whole_map
    if m is not None and m.method != asked.query.method:  # a stand-in for a method that waits to be run
        m = None
    network = asked.query.network
    if m is None or asked.network is None:
        return session.section(SECTION, None, lambda now: draw(now, None))
    identity = map_identity(network, chosen.picture.sha256, m)
    if not evidence.is_cheap(asked.network, m) and session.pressed(SECTION) != identity:
        _offer(words.price(evidence.price(network, asked.network, m, "quick")), identity)
        return session.section(SECTION, None)
    work = evidence.work(network, chosen.picture, m, "quick")
    return session.section(SECTION, work, lambda now: draw(now, m), patience=0.0)


def _offer(price: str, identity: Hashable) -> None:
    """A button with the price, for a network that takes long."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Should I believe it?", key="judge", on_click=session.press, args=(SECTION, identity))
        st.caption(price)


def _brief(status: Status[Trust], m: CamMap | None) -> None:
    found = status.value
    if found is None or found.verdict is None:
        verdict(status, m)
        return
    if status.failure is not None:
        errors.panel(status.failure, "The map could not be judged")
    title = camcore.METHODS[found.map.method].title
    table = trust_words.table(trust_words.quick_rows(found), title)
    st.html(trust_words.brief(found.verdict, table))


def verdict(status: Status[Trust], m: CamMap | None) -> None:
    """The verdict, or how far it is; its space is kept."""
    found = status.value
    if status.failure is not None:
        errors.panel(status.failure, "The map could not be judged")
    if found is not None and found.verdict is not None:
        st.html(trust_words.verdict(found.verdict))
        return
    if status.busy and status.job is not None:
        share, _ = status.job.stage.progress()
        st.html(trust_words.waiting(f"Should you believe it? {status.job.stage.title} … {words.percent(share)}"))
    elif status.failure is None:
        st.html(trust_words.waiting("Should you believe it? Once the map is there." if m is None else ""))
    if status.stopped or status.failure is not None:
        session.progress(SECTION, status)
