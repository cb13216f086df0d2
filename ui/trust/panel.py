"""The short form of the evidence on a map: the verdict with its reasons, and the figures one click below."""

from collections.abc import Callable
from typing import Any

import streamlit as st

import camcore
from ui import errors, sidebar, words, working
from ui.asking import Pursuit
from ui.picture_box import Chosen
from ui.questions import Question, map_identity
from ui.trust import trusting
from ui.trust import words as trust_words
from ui.working import Standing

SECTION = "trust"


def show(place: Any, pursuit: Pursuit, chosen: Chosen) -> None:
    """Beneath a map: computed once the map is there and nothing else is under way."""
    with place, errors.guarded("The verdict"):
        follow(pursuit, chosen, _filled)
        _link(pursuit.asked.question, chosen)


def _link(question: Question, chosen: Chosen) -> None:
    """The way to the Trust page, with this picture, network, class, layer and method."""
    more = {"method": question.method, "layer": question.layer, "class": question.class_index}
    st.page_link(
        "pages/trust.py",
        label="The whole evidence, and what if a part were hidden",
        icon=":material/verified:",
        query_params=sidebar.query(question.network, question.framing, chosen.sample, **more),
    )


def follow(pursuit: Pursuit, chosen: Chosen, draw: Callable[[Standing, Any], None]) -> Standing:
    """Have the evidence on what was asked, and ``draw`` its standing and the map, None while that is on its way."""
    asked = pursuit.asked
    m = asked.map if asked.map is not None and asked.done >= 1.0 and not pursuit.busy else None
    if m is not None and m.method != asked.question.method:  # a stand-in for a method whose price was told
        m = None
    network = asked.question.network
    if m is None or not (trusting.is_cheap(asked.network, m) or _pressed(network, chosen, m)):
        standing = working.section(SECTION, None, lambda now: draw(now, None) if m is None else None)
        if m is not None:
            _offer(network, asked.network, chosen, m)
        return standing
    return working.section(
        SECTION, trusting.work(network, chosen.picture, m, "quick"), lambda now: draw(now, m), patience=0.0
    )


def _pressed(network: Any, chosen: Chosen, m: Any) -> bool:
    return bool(st.session_state.get("judge_now") == map_identity(network, chosen.picture.sha256, m))


def _offer(network: Any, net: Any, chosen: Chosen, m: Any) -> None:
    """A button with the price, for a network that takes long."""
    identity = map_identity(network, chosen.picture.sha256, m)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Should I believe it?",
            key="judge",
            on_click=lambda: st.session_state.update(judge_now=identity),
        )
        st.caption(words.price(trusting.price(network, net, m, "quick")))


def _filled(standing: Standing, m: Any) -> None:
    verdict(standing, m)
    found = standing.value
    if found is None or found.verdict is None:
        return
    with st.expander("The figures, beside the controls’"):
        title = camcore.METHODS[found.map.method].title
        st.html(trust_words.table(trust_words.quick_rows(found), title))
        st.caption(
            "The centred blob and the random maps know nothing of the picture or the network: a map that does no "
            "better than these says nothing."
        )


def verdict(standing: Standing, m: Any) -> None:
    """The verdict, or how far it is; its space is kept."""
    found = standing.value
    if standing.failure is not None:
        errors.panel(standing.failure, "The map could not be judged")
    if found is not None and found.verdict is not None:
        st.html(trust_words.verdict(found))
        return
    if standing.busy and standing.job is not None:
        share, _ = standing.job.stage.progress()
        st.html(trust_words.waiting(f"Should you believe it? {standing.job.stage.title} … {share:.0%}"))
    elif standing.failure is None:
        st.html(trust_words.waiting("Should you believe it? Once the map is there." if m is None else ""))
    if standing.stopped or standing.failure is not None:
        working.progress(SECTION, standing)
