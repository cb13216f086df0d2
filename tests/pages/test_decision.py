"""The page that answers whether a network may be used: by what is kept of it, with the ways to what is missing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from app_pages import headline, html, run, text, until, visit
from audited import make_audit
from labelled import make_folder
from reported import finding, item
from small import network_folder
from streamlit.testing.v1 import AppTest

import camcore
from camcore.__main__ import main
from camcore.decision.decide import HEADLINES
from camcore.report.document import AuditItem, VerdictSummary
from camcore.report.facts import NetworkFacts
from ui.report.basket import Entry

PAGE = "pages/decision.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with "pets", of which an audit is kept, and one that is of another network."""
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / "pets", ["cat", "dog"])
    make_folder(home / "pictures", {"cat": 12, "dog": 12})
    list(camcore.audit(camcore.load(home / "networks" / "pets"), home / "pictures", home / "audit", workers=0))
    make_audit(home / "other", home / "pictures")
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))


def answered(at: AppTest) -> AppTest:
    return until(at, lambda at: "cam-answer" in html(at))


def ways(at: AppTest) -> dict[str, dict[str, list[str]]]:
    """The links to what is missing: label → the choices in its address."""
    links = [one.proto for one in at.main.get("page_link") if one.proto.query_string]
    return {one.label: parse_qs(one.query_string) for one in links}


def test_without_an_audit_it_says_what_is_missing_and_leads_there() -> None:
    at = answered(visit(PAGE, model="pets"))
    assert headline(at) == "May we use pets?"
    said = text(at)
    assert "Not enough has been examined to say." in said
    assert "Still missing: its accuracy on new pictures" in said
    assert list(ways(at))[:3] == [
        "Audit labelled pictures", "Try it for shortcuts in an audit", "Review a sample of its maps",
    ]  # fmt: skip
    assert all(query == {"model": ["pets"]} for query in ways(at).values())


def test_an_audit_is_counted_and_the_answer_goes_into_the_report(home: Path) -> None:
    at = answered(visit(PAGE, model="pets", audit=home / "audit"))
    right = camcore.open_audit(home / "audit").sql("select count(*) filter (correct) as n from rows")["n"][0].as_py()
    assert f"It is right on {right} of 24 pictures" in text(at)
    assert ways(at)["Review a sample of its maps"] == {"model": ["pets"], "audit": [str(home / "audit")]}
    at.button(key="decision_to_report").click()
    run(at)
    (entry,) = at.session_state["basket"]
    assert isinstance(entry.item, AuditItem)
    assert entry.item.title == "May we use pets?"
    at.button(key="decision_to_report").click()
    run(at)
    assert len(at.session_state["basket"]) == 1, "it is in the report already"


def test_an_audit_of_another_network_is_left_out_and_said_so(home: Path) -> None:
    for folder in ("other", "nowhere"):
        at = answered(visit(PAGE, model="pets", audit=home / folder))
        assert "Its answers have not been tried for shortcuts." in text(at)
        assert str(home / folder) in text(at)


def test_verdicts_in_the_report_count_for_the_network_with_these_weights(home: Path) -> None:
    at = answered(visit(PAGE, model="pets"))
    assert "No verdict on a map of it" in text(at)
    mine = NetworkFacts.of(camcore.load("pets"))
    other = item(findings=(finding(network=NetworkFacts("pets", "", "f" * 64, (32, 32), "sigmoid"), verdict=told()),))
    own = item(findings=(finding(network=mine, verdict=told()),))
    at.session_state["basket"] = (Entry("a", 1, own), Entry("b", 2, other))
    until(run(at), lambda at: "Of 1 map in the report that were checked: 1 beat chance" in text(at))


def told() -> VerdictSummary:
    return VerdictSummary("trust", "This map beats chance.")


def test_the_command_says_the_same(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["decide", str(home / "networks" / "pets"), "--audit", str(home / "audit")]
    assert main([*given, "--html", str(tmp_path / "answer.html")]) == 0
    first = capsys.readouterr().out.splitlines()[0].removeprefix("May pets be used? ")
    assert first in HEADLINES.values()
    page = (tmp_path / "answer.html").read_text()
    assert "May we use pets?" in page
    assert first in page
    assert main(["decide", str(home / "networks" / "pets"), "--audit", str(home / "other")]) == 1
    assert "audit it anew" in capsys.readouterr().err
    assert main(["decide", "no such"]) == 1
    assert "models lists them" in capsys.readouterr().err
