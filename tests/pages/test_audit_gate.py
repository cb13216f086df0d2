"""The gate on the page's comparison: a policy is written, and its rules are judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_pages import captions, html, run, text, until, visit
from audited import always, changed, draw_pictures, make_audit
from streamlit.testing.v1 import AppTest

import camcore
from camcore.release.kept import read_check
from ui.audit.gate_view import table

POLICY = "[accuracy_lost]\nat_most = 0.5\n[flips]\nat_most = 0.1"


@pytest.fixture(autouse=True)
def at_home(pets: Path) -> None:
    """A small network is here, and no weights have to be downloaded."""


def test_the_rules_of_a_policy_are_judged(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 60)
    draw_pictures(made)
    new = changed(made, tmp_path / "new", always("cat"))
    at = until(visit("pages/audit.py", audit=made.folder, other=new), lambda at: "gate_policy" in keys(at))
    at = run(at.button(key="gate_begin").click().run())
    assert "not examined" in list(at.dataframe[-1].value["outcome"]), "no group was tried"
    at = run(at.text_area(key="gate_policy").set_value("[acuracy]\nat_least = 0.9").run())
    assert "There is no rule" in html(at)
    at = run(at.text_area(key="gate_policy").set_value("[accuracy]\nat_least = 1").run())
    assert "at_least = 1 cannot be met" in html(at)
    at = until(at.text_area(key="gate_policy").set_value(POLICY).run(), lambda at: "Refused" in text(at))
    *_, last = camcore.check_audits(new, made.folder, camcore.read_policy(POLICY.encode()))
    assert last.result is not None
    assert {name: list(column) for name, column in at.dataframe[-1].value.items()} == table(last.result)
    assert table(last.result)["outcome"] == ["passed", "failed"]
    assert "The new network says cat to every picture." in captions(at)
    kept = read_check(new)
    assert kept is not None
    assert (kept.passed, kept.verdict) == (False, last.result.verdict)


def keys(at: AppTest) -> set[str | None]:
    return {one.key for one in at.text_area}
