"""The verdict on a map of the report: taken over where it is known, else asked for entry by entry."""

from dataclasses import replace

import streamlit as st

from camcore.report import entry_text
from camcore.report.document import AuditItem, Finding, Item, VerdictSummary, verdict_summary
from camcore.report.facts import NetworkFacts
from ui import errors, pictures, words
from ui.jobs import session
from ui.jobs.runner import runner
from ui.jobs.session import Status
from ui.jobs.work import Work
from ui.networks import networks
from ui.query import NetworkKey
from ui.report import basket
from ui.report.basket import Entry
from ui.trust import evidence

_SIGNS = {"trust": ":material/check_circle:", "caution": ":material/error:", "distrust": ":material/cancel:"}


def show(entry: Entry) -> None:
    """An entry's verdict, or the way to it; of maps side by side how many were not checked; nothing for an audit."""
    item = entry.item
    if isinstance(item, AuditItem):
        return
    if len(item.findings) > 1:
        if unjudged := entry_text.unjudged(item):
            st.caption(unjudged)
        return
    if item.first.verdict is not None:
        _verdict(item.first.verdict)
        return
    work, name = checking(item), f"trust_{entry.id}"
    wanted: set[str] = st.session_state.setdefault("trust_wanted", set())
    if entry.id not in wanted and runner().known(work) is None:
        st.button(_price(item.first), key=name, icon=":material/fact_check:", on_click=wanted.add, args=(entry.id,))
        return

    def draw(status: Status) -> None:
        if status.complete and (trust := status.value) is not None and trust.verdict is not None:
            basket.change(entry.id, findings=(replace(item.first, verdict=verdict_summary(trust.verdict)),))
            session.rerun()
        if status.failure is not None:
            errors.panel(status.failure, "This could not be checked")
        session.progress(name, status)

    session.section(name, work, draw)


def checking(item: Item) -> Work:
    """The work that gathers the evidence on an entry's map, in its quick form; the same as for the map on Inspect."""
    return evidence.work(key_of(item.first.network), pictures.opened(item.picture.data), item.first.map, "quick")


def key_of(facts: NetworkFacts) -> NetworkKey:
    """The key that a network of these facts has among those of the process."""
    return NetworkKey(facts.name, facts.weights_given, tuple(facts.options.items()), facts.file_sha256 or "")


def _price(one: Finding) -> str:
    key = key_of(one.network)
    network = networks().peek(key)
    label = "Check how far to trust it"
    return label if network is None else f"{label}: {words.price(evidence.price(key, network, one.map, 'quick'))}"


def _verdict(verdict: VerdictSummary) -> None:
    sign = _SIGNS.get(verdict.level, ":material/info:")
    with st.expander(f"{sign} {words.plain(verdict.headline)}"):
        st.markdown("\n".join(f"- {words.plain(text)}" for _, text in verdict.reasons))
