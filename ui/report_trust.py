"""How far to trust a map of the report: asked for entry by entry, computed once, kept with the entry."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import streamlit as st

import camcore
from camcore.report.document import Finding, Item, Told, told
from camcore.report.facts import NetworkFacts
from ui import basket, errors, words, working
from ui.basket import Entry
from ui.engine import engine
from ui.questions import NetworkKey
from ui.working import Standing
from ui.works import Part, Work

_SIGNS = {"trust": ":material/check_circle:", "caution": ":material/error:", "distrust": ":material/cancel:"}


def show(entry: Entry) -> None:
    """An entry's verdict, or the way to it; nothing for maps side by side."""
    item = entry.item
    if len(item.findings) > 1:
        return
    if item.first.verdict is not None:
        _verdict(item.first.verdict)
        return
    wanted: set[str] = st.session_state.setdefault("trust_wanted", set())
    if entry.id not in wanted:
        key = f"trust_{entry.id}"
        st.button(_price(item.first), key=key, icon=":material/fact_check:", on_click=wanted.add, args=(entry.id,))
        return
    name = f"trust_{entry.id}"

    def draw(standing: Standing) -> None:
        if standing.complete:
            verdict: Told = standing.value
            basket.change(entry.id, findings=(replace(item.first, verdict=verdict),))
            st.rerun()
        if standing.failure is not None:
            errors.panel(standing.failure, "This could not be checked")
        working.progress(name, standing)

    working.section(name, checking(item), draw)


def checking(item: Item) -> Work:
    """The work that gathers the evidence on an entry's map in its quick form."""
    one, picture = item.first, item.picture

    def steps(network: Any) -> Generator[Part, None, None]:
        for step in camcore.trust(network, picture.open(), one.map):
            verdict = step.trust.verdict
            yield Part(step.done / step.total, None if verdict is None else told(verdict))

    return Work(key_of(one.network), ("trust", one), "Checking how far to trust the map", steps, lambda told: 4096)


def key_of(facts: NetworkFacts) -> NetworkKey:
    """The key that a network of these facts has among those of the process."""
    return NetworkKey(facts.name, facts.weights_given, tuple(facts.options.items()), facts.file_sha256 or "")


def _price(one: Finding) -> str:
    network = engine().peek(key_of(one.network))
    if network is None:
        return "Check how far to trust it"
    return f"Check how far to trust it, {camcore.trust_passes(network, one.map):,.0f} passes"


def _verdict(verdict: Told) -> None:
    sign = _SIGNS.get(verdict.level, ":material/info:")
    with st.expander(f"{sign} {words.plain(verdict.headline)}"):
        st.markdown("\n".join(f"- {words.plain(text)}" for _, text in verdict.reasons))
