"""A person's answers are kept beside the audit, one for each group."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from grouped import grouped_audit

from camcore.audits.finding import write_groups
from camcore.errors import CamcoreError
from camcore.shortcuts.judgements import NAME, judge, judgement_of, read_judgements


def test_the_last_answer_counts_and_others_stay(tmp_path):
    made = grouped_audit(tmp_path / "audit", tmp_path / "pictures")
    first, second, *_ = write_groups(made.folder)
    assert judgement_of(made.folder, first) is None
    judge(made.folder, first, "shortcut")
    judge(made.folder, second, "thing")
    judge(made.folder, first, "unsure")
    kept = judgement_of(made.folder, first)
    assert kept is not None
    assert kept.answer == "unsure"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(kept.time)).total_seconds()) < 60
    assert judgement_of(made.folder, second).answer == "thing"
    assert len(read_judgements(made.folder)) == 2


def test_other_answers_and_damaged_files_are_told(tmp_path):
    made = grouped_audit(tmp_path / "audit", tmp_path / "pictures")
    (first, *_) = write_groups(made.folder)
    with pytest.raises(CamcoreError, match="thing, shortcut, unsure"):
        judge(made.folder, first, "maybe")
    (made.folder / NAME).write_text('{"a": {"answer": "perhaps", "time": ""}}')
    with pytest.raises(CamcoreError, match="judge again"):
        read_judgements(made.folder)
