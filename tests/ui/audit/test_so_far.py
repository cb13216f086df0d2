"""The state of an audit that is being made: its figures, and its latest pictures a row at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from audited import MadeUp, draw_pictures, make_audit

from camcore.audits.schema import read_part
from camcore.audits.step import AuditStep
from camcore.text import percent
from ui.audit import so_far


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """Ten pictures with their files, one of them unusable."""
    monkeypatch.setattr(st, "session_state", {})
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 10)
    draw_pictures(made)
    return made


def step(made: MadeUp, done: int) -> AuditStep:
    rows = read_part(made.folder, 0)
    assert rows is not None
    correct = [row["correct"] for row in made.rows[:done] if row["error"] is None]
    return AuditStep(done, 40, 1, 2.0, labelled=len(correct), right=sum(correct), latest=rows[max(0, done - 8) : done])


def test_figures_are_those_of_the_rows_that_are_there(made: MadeUp) -> None:
    (done, *_), (right, _, interval), (failed, *_) = so_far.numbers(step(made, 10))
    assert (done, failed) == ("10", "1")
    assert right == percent(7 / 9)
    assert interval.startswith("7 of 9;")
    unlabelled = replace(step(made, 10), labelled=0, right=0)
    assert len(so_far.numbers(unlabelled)) == 2


def test_the_latest_pictures_change_now_and_then(made: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(so_far, "EVERY", 1000.0)
    first = so_far._pictures(made.folder, step(made, 4))
    assert [one.note for one in first] == ["right", "right", "right", "is cat"]
    assert so_far._pictures(made.folder, step(made, 10)) is first, "too soon"
    monkeypatch.setattr(so_far, "EVERY", 0.0)
    later = so_far._pictures(made.folder, step(made, 10))
    assert len(later) == 7, "one of eight is unusable"
    assert so_far._pictures(made.folder, None) is later, "while it is taken up again"
    assert so_far._pictures(made.folder / "other", None) == ()
