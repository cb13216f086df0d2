"""Paths in the report of an audit, as its reader knows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audited import draw_pictures, make_audit
from reported import audit_item
from streamlit.testing.v1 import AppTest

from camcore.audits.manifest import write_manifest
from camcore.report.blocks import Command, Facts, Section
from camcore.report.document import AuditItem
from ui import policy
from ui.audit import export, naming, running
from ui.audit.opened import opening


def entry(pictures: str) -> AuditItem:
    facts = Section("How this was made", (Facts((("Pictures", f"{pictures} (3)"),)), Command(f"audit {pictures}")))
    files = {"figures.json": f'{{"source": "{pictures}"}}'.encode()}
    return audit_item(source=f"3 pictures in {pictures}", command=f"audit {pictures}", sections=(facts,), files=files)


def test_names_stand_in_place_of_paths(tmp_path: Path) -> None:
    manifest = make_audit(tmp_path / "audit", Path("/srv/photos"), 12).manifest
    item = entry("/srv/photos")
    told = naming.named(item, manifest, {"/srv/photos": "holidays"})
    assert "/srv" not in f"{told} {told.files}"
    assert f"{told} {told.files}".count("holidays") == f"{item} {item.files}".count("/srv/photos") == 5


def test_uploaded_pictures_are_for_the_reader_to_fill_in(tmp_path: Path) -> None:
    manifest = make_audit(tmp_path / "audit", Path("/tmp/visitor/pictures"), 12).manifest
    told = naming.named(entry("/tmp/visitor/pictures"), manifest, {"/tmp/visitor/pictures": naming.PICTURES})
    assert told.command == "audit PICTURES"
    assert told.source == "12 uploaded pictures"
    (facts, command) = told.sections[0].blocks
    assert (facts.rows, command.text) == ((("Pictures", "uploaded pictures (3)"),), "audit PICTURES")


def test_folders_of_the_session_have_no_path_in_what_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def page() -> None:
        import streamlit as st

        from ui import policy

        st.session_state["own"] = policy.own_folder("audit pictures").parent

    at = AppTest.from_function(page).run()
    home: Path = at.session_state["own"]
    monkeypatch.setattr("streamlit.session_state", at.session_state)
    made = make_audit(home / running.AUDITS / "pets", home / "audit pictures" / "pictures-1", 12)
    draw_pictures(made)
    network = replace(made.manifest.network, source="pets")
    write_manifest(made.folder, replace(made.manifest, network=network))
    *_, last = opening(made.folder).steps(None, None)
    known = naming.names(last.value)
    assert policy.in_own_folder(made.folder, running.AUDITS)
    text = export.as_report(last.value, known).decode()
    assert str(home) not in text
    assert "audit PICTURES --model pets --out AUDIT" in text
