"""What is pinned: added whole, in order, within limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import streamlit as st
from reported import FACTS, finding, item
from ui.query import NetworkKey

from ui.report import basket
from ui.report.basket import Draft

KEY = NetworkKey("tiny")


@pytest.fixture(autouse=True)
def session(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})


def draft(name: str) -> Draft:
    return Draft(name, (KEY,), lambda facts: item(findings=(finding(network=facts[KEY]),), comment=name))


def add(name: str) -> str:
    return basket._add(draft(name), {KEY: FACTS})


def comments() -> list[str]:
    return [entry.item.comment for entry in basket.entries()]


def test_what_is_added_holds_the_facts_of_its_network_and_is_there_once():
    assert add("a") == "Added. The report has 1 entry."
    assert basket.entries()[0].item.first.network is FACTS
    assert add("a") == "This is in the report already."
    assert add("b") == "Added. The report has 2 entries."
    assert comments() == ["a", "b"]


def test_entries_are_moved_within_the_report_and_removed():
    for name in "abc":
        add(name)
    ids = [entry.id for entry in basket.entries()]
    basket.move(ids[0], 1)
    assert comments() == ["b", "a", "c"]
    basket.move(ids[2], -1)
    assert comments() == ["b", "c", "a"]
    basket.move(ids[1], -1)
    basket.move(ids[0], 5)
    assert comments() == ["b", "c", "a"]
    basket.remove(ids[2])
    assert comments() == ["b", "a"]
    basket.move("gone", 1)
    basket.remove("gone")
    assert comments() == ["b", "a"]


def test_a_comment_changes_its_entry_alone():
    add("a")
    add("b")
    basket.change(basket.entries()[1].id, comment="new")
    assert comments() == ["a", "new"]


def test_a_full_report_says_so_and_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(basket, "MOST_ENTRIES", 2)
    add("a")
    add("b")
    assert add("c").startswith("The report is full: it holds 2 entries.")
    assert comments() == ["a", "b"]


def test_bytes_are_bounded_a_picture_that_is_there_counts_once(monkeypatch):
    one = item()
    monkeypatch.setattr(basket, "MOST_BYTES", one.nbytes + (one.nbytes - len(one.picture.data)))
    add("a")
    assert add("b").startswith("Added"), "the same picture"
    other = replace(one, picture=replace(one.picture, sha256="0" * 64))
    assert basket._add(Draft("c", (), lambda _: other), {}).startswith("The report is full: with this entry")
    assert comments() == ["a", "b"]
