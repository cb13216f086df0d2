"""Reports kept under random names: found again, bounded, and nobody's changes reach another's."""

from __future__ import annotations

import pytest
import streamlit as st
from reported import item

from camcore.cache import ByteLRU
from camcore.report.document import Report
from ui.report import basket, store


@pytest.fixture
def session(monkeypatch):
    """Turns ``st.session_state`` into the state of a visitor; call it for a new one."""
    monkeypatch.setattr(store, "_reports", ByteLRU(1 << 30, lambda report: 1, 4))

    def visitor(state=None):
        state = Dict() if state is None else state
        monkeypatch.setattr(st, "session_state", state)
        return state

    return visitor


class Dict(dict):
    """As much of a session's state as these modules use."""


def test_a_reload_finds_the_report_again(session):
    session()
    basket.restore((item(comment="one"), item(comment="two")))
    st.session_state["report_title"] = "Mine"
    token = store.save()
    session()
    assert store.adopt(token) is None
    assert [entry.item.comment for entry in basket.entries()] == ["one", "two"]
    assert st.session_state["report_title"] == "Mine"
    assert store.save() == token, "what was not changed keeps its name"


def test_what_comes_by_a_link_stays_as_it_is_for_others(session):
    mine = session()
    basket.restore((item(comment="one"),))
    token = store.save()
    session()
    store.adopt(token)
    basket.change(basket.entries()[0].id, comment="changed")
    other = store.save()
    assert other != token
    assert store.get(token).items[0].comment == "one"
    basket.change(basket.entries()[0].id, comment="again")
    assert store.save() == other, "one's own keeps its name"
    assert store.get(other).items[0].comment == "again"
    session(mine)
    assert store.save() == token


def test_a_link_never_takes_away_what_the_visitor_has(session):
    session()
    basket.restore((item(comment="theirs"),))
    token = store.save()
    session()
    basket.restore((item(comment="mine"),))
    assert store.adopt(token) == store.OTHER
    assert basket.entries()[0].item.comment == "mine"


def test_a_name_that_is_not_kept_is_answered(session):
    session()
    assert store.adopt("A" * 24) == store.GONE
    assert store.adopt(None) is None
    assert store.save() is None, "an empty report has no name"


def test_the_oldest_make_room(session):
    session()
    tokens = [store.put(Report((item(),), str(n))) for n in range(6)]
    assert [store.get(token) is not None for token in tokens] == [False, False, True, True, True, True]


def test_a_report_that_made_room_is_kept_again_when_it_is_looked_at(session):
    session()
    basket.restore((item(),))
    token = store.save()
    for n in range(6):
        store.put(Report((item(),), str(n)))
    assert store.get(token) is None
    assert store.save() == token
    assert store.get(token) is not None


def test_names_cannot_be_guessed(session):
    session()
    tokens = {store.put(Report((item(),))) for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 24, "18 random bytes"
