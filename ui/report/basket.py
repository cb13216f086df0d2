"""Basket of what a visitor has pinned for the report: frozen entries in the session, the same on every page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from camcore.text import counted
from ui import policy, words
from ui.jobs import session
from ui.jobs.session import Status
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from camcore.network import Network
    from camcore.report.document import Item, ReportItem
    from camcore.report.facts import NetworkFacts

MOST_ENTRIES = 40
MOST_BYTES = 64_000_000


@dataclass(frozen=True, eq=False)
class Entry:
    """One pinned item. ``id``: its name in this session; ``key``: tells it from all other items."""

    id: str
    key: Hashable
    item: ReportItem


@dataclass(frozen=True, eq=False)
class Draft:
    """An entry that can be pinned now. ``build``: facts of its networks → the item."""

    key: Hashable
    networks: tuple[NetworkKey, ...]
    build: Callable[[Mapping[NetworkKey, NetworkFacts]], Item]


def entries() -> tuple[Entry, ...]:
    """Everything pinned, in the order of the report."""
    pinned: tuple[Entry, ...] = st.session_state.get("basket", ())
    return pinned


def offer(place: DeltaGenerator, draft: Draft | None) -> None:
    """The button that pins what is on the page; None: there is nothing whole to pin yet."""
    with place:
        waiting: Draft | None = st.session_state.get("basket_draft")
        if waiting is None:
            _button(draft)
            return
        facts: dict[NetworkKey, NetworkFacts] = {}
        for key in waiting.networks:
            work = _reading(key)
            status = session.ask("basket", work)
            if status.failure is not None:
                st.session_state["basket_draft"] = None
                st.toast(
                    words.plain(policy.veiled(f"It could not be added. {status.failure.message}")),
                    icon=":material/error:",
                )
                break
            if not status.complete:
                if not session.section("basket", work, _reading_on).busy:  # it has just ended
                    session.rerun()
                return
            facts[key] = status.result
        else:
            st.session_state["basket_draft"] = None
            st.toast(_add(waiting, facts), icon=":material/bookmark_added:")
        _button(draft)


def add(key: Hashable, item: ReportItem) -> str:
    """Pin an item, which ``key`` tells from all others; the message to the visitor."""
    if any(entry.key == key for entry in entries()):
        return "This is in the report already."
    if len(entries()) >= MOST_ENTRIES:
        return f"The report is full: it holds {MOST_ENTRIES} entries. Remove one on the Report page first."
    if _bytes(*(entry.item for entry in entries()), item) > MOST_BYTES:
        return (
            f"The report is full: with this entry it would take more than {MOST_BYTES / 1e6:.0f} MB. Remove one on the "
            "Report page, or use smaller pictures."
        )
    st.session_state["basket"] = (*entries(), Entry(secrets.token_hex(6), key, item))
    return f"Added. The report has {_count()}."


def restore(items: tuple[ReportItem, ...]) -> None:
    """Begin with these items, as a link brought them."""
    st.session_state["basket"] = tuple(Entry(secrets.token_hex(6), ("linked", id(item)), item) for item in items)


def move(entry_id: str, by: int) -> None:
    """Put an entry ``by`` places further down; at most to the end."""
    order = list(entries())
    index = next((index for index, entry in enumerate(order) if entry.id == entry_id), None)
    if index is not None:
        order.insert(min(max(index + by, 0), len(order) - 1), order.pop(index))
        st.session_state["basket"] = tuple(order)


def remove(entry_id: str) -> None:
    """Take an entry out."""
    st.session_state["basket"] = tuple(entry for entry in entries() if entry.id != entry_id)


def change(entry_id: str, **values: Any) -> None:
    """Give an entry's item other values, such as its comment."""
    st.session_state["basket"] = tuple(
        replace(entry, item=replace(entry.item, **values)) if entry.id == entry_id else entry for entry in entries()
    )


def fill() -> str:
    """The number of entries and the room they take, in words."""
    used = _bytes(*(entry.item for entry in entries())) / 1e6
    return f"{_count()}, {used:.1f} of {MOST_BYTES / 1e6:.0f} MB"


def _button(draft: Draft | None) -> None:
    pinned = draft is not None and any(entry.key == draft.key for entry in entries())
    st.button(
        "In the report" if pinned else "Add to report",
        key="add_to_report",
        icon=":material/bookmark_added:" if pinned else ":material/bookmark_add:",
        disabled=draft is None or pinned,
        on_click=_begin,
        args=(draft,),
        help="Keeps what you see here, as it is now, for the Report page: to comment, export and present",
    )


def _begin(draft: Draft) -> None:
    st.session_state["basket_draft"] = draft


def _reading_on(status: Status) -> None:
    st.button("Adding …", key="add_to_report", disabled=True, icon=":material/hourglass_top:")


def _add(draft: Draft, facts: Mapping[NetworkKey, NetworkFacts]) -> str:
    return add(draft.key, draft.build(facts))


def _count() -> str:
    return counted(len(entries()), "entry", "entries")


def _bytes(*items: ReportItem) -> int:
    from camcore.report.document import bytes_of  # nothing is pinned where this is not loaded

    return bytes_of(items)


def _at(entry_id: str) -> int | None:
    return next((at for at, entry in enumerate(entries()) if entry.id == entry_id), None)


def _reading(key: NetworkKey) -> Work[NetworkFacts]:
    """The work that reads a network's weights for their hash."""

    def steps(network: Network, _: object) -> Updates[NetworkFacts]:
        from camcore.report.facts import NetworkFacts, without_places

        facts = NetworkFacts.of(network, key.weights)
        yield Update(1.0, without_places(facts) if policy.policy().public else facts)

    return Work(key, "facts", f"Reading the weights of {key.name}", steps, lambda facts: 2048, expected=1.0)
