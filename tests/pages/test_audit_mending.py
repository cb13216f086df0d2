"""The end of a shortcut on the Audit page: judged by a person, mended, and the mended network beside the old one."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_pages import captions, headline, html, run, text, until, visit
from planted import LABELS, SIDE, colour_network, planted_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.audits.finding import write_verdicts
from camcore.audits.groups import read_groups
from camcore.models import saved
from camcore.models.architectures import WHOLE
from camcore.shortcuts.judgements import judgement_of
from camcore.shortcuts.mended import read_mendings
from camcore.shortcuts.verdict import Verdict

NAME = "colours mended"


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit by a network of one's own, whose group of marked pictures is called suspect, and the folder of it."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path / "home"))
    saved.write(
        tmp_path / "home" / "networks" / "colours",
        colour_network(magenta=400).model,
        name="colours",
        architecture={"builder": WHOLE},
        input_size=(SIDE, SIDE),
        preprocessing="unit",
        labels=LABELS,
        trained={"summary": "drawn colours"},
        framing="stretch",
    )
    marked = set(planted_folder(tmp_path / "pictures", 24))
    audit = camcore.audit(
        camcore.load("colours"), tmp_path / "pictures", tmp_path / "audit", layer="cells", workers=0, court=False
    )
    list(audit)
    groups = read_groups(tmp_path / "audit")
    order = sorted(range(len(groups)), key=lambda place: -len(marked & set(groups[place].members)))
    verdicts = [Verdict(None, place == order[0], ("It was pasted.",)) for place in range(len(groups))]
    write_verdicts(tmp_path / "audit", verdicts, order)
    return tmp_path / "audit"


def button(at: AppTest, key: str) -> bool:
    return any(one.key == key for one in at.button)


def test_a_shortcut_is_judged_mended_and_compared(audited: Path) -> None:
    at = until(visit("pages/audit.py", audit=audited), lambda at: any(one.key == "audit_judged_0" for one in at.pills))
    assert "**Suspected of a shortcut:** leaf" in text(at)
    at = run(at.pills(key="audit_judged_0").set_value("shortcut").run())
    kept = judgement_of(audited, read_groups(audited)[0])
    assert kept is not None
    assert kept.answer == "shortcut"
    at = until(at, lambda at: button(at, "audit_mend_go_0"))
    at = until(at.button(key="audit_mend_go_0").click().run(), lambda at: button(at, "audit_beside_0"))
    assert f"Kept as {NAME}" in captions(at)
    (record,) = read_mendings(audited).values()
    assert record.after.flipped.count < record.before.flipped.count
    assert f"<b>{record.before.flipped.value:.0%}".replace("%", " %") in html(at)
    at = until(at.button(key="audit_beside_0").click().run(), lambda at: "This audit: colours" in text(at))
    assert headline(at).startswith("colours is right on")
    other = Path(at.session_state["other"])
    assert camcore.open_audit(other).manifest.network.name == NAME
    assert camcore.open_audit(other).manifest.layer == "cells"

    at = visit("pages/models.py", model=NAME)
    assert "a copy of colours without a shortcut to “leaf”" in text(at)
    assert "Trained on drawn colours" in text(at)
    assert "turned by the group's patch" in html(at)
