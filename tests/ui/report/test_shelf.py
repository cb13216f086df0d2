"""Reports kept under random names: found again, bounded, and nobody's changes reach another's."""

from __future__ import annotations

import pytest
import streamlit as st
from reported import item

from camcore.cache import ByteLRU
from camcore.report.document import Report
from ui.report import basket, shelf


@pytest.fixture
def session(monkeypatch):
    """Turns ``st.session_state`` into the state of a visitor; call it for a new one."""
    monkeypatch.setattr(shelf, "_reports", ByteLRU(1 << 30, lambda report: 1, 4))

    def visitor(state=None):
        state = Dict() if state is None else state
        monkeypatch.setattr(st, "session_state", state)
        return state

    return visitor


class Dict(dict):
    """As much of a session's state as these modules use."""


def test_a_reload_finds_the_report_again(session):
    session()
    basket.take((item(comment="one"), item(comment="two")))
    st.session_state["report_title"] = "Mine"
    token = shelf.settle()
    session()
    assert shelf.arrive(token) is None
    assert [entry.item.comment for entry in basket.entries()] == ["one", "two"]
    assert st.session_state["report_title"] == "Mine"
    assert shelf.settle() == token, "what was not changed keeps its name"


def test_what_comes_by_a_link_stays_as_it_is_for_others(session):
    mine = session()
    basket.take((item(comment="one"),))
    token = shelf.settle()
    session()
    shelf.arrive(token)
    basket.change(basket.entries()[0].id, comment="changed")
    other = shelf.settle()
    assert other != token
    assert shelf.find(token).items[0].comment == "one"
    basket.change(basket.entries()[0].id, comment="again")
    assert shelf.settle() == other, "one's own keeps its name"
    assert shelf.find(other).items[0].comment == "again"
    session(mine)
    assert shelf.settle() == token


def test_a_link_never_takes_away_what_the_visitor_has(session):
    session()
    basket.take((item(comment="theirs"),))
    token = shelf.settle()
    session()
    basket.take((item(comment="mine"),))
    assert shelf.arrive(token) == shelf.OTHER
    assert basket.entries()[0].item.comment == "mine"


def test_a_name_that_is_not_kept_is_answered(session):
    session()
    assert shelf.arrive("A" * 24) == shelf.GONE
    assert shelf.arrive(None) is None
    assert shelf.settle() is None, "an empty report has no name"


def test_the_oldest_make_room(session):
    session()
    tokens = [shelf.keep(Report((item(),), str(n))) for n in range(6)]
    assert [shelf.find(token) is not None for token in tokens] == [False, False, True, True, True, True]


def test_a_report_that_made_room_is_kept_again_when_it_is_looked_at(session):
    session()
    basket.take((item(),))
    token = shelf.settle()
    for n in range(6):
        shelf.keep(Report((item(),), str(n)))
    assert shelf.find(token) is None
    assert shelf.settle() == token
    assert shelf.find(token) is not None


def test_names_cannot_be_guessed(session):
    session()
    tokens = {shelf.keep(Report((item(),))) for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 24, "18 random bytes"
