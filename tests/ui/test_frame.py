"""The navigation: seven entries, pages of one kind behind one of them, and the number of the report's entries."""

from app_pages import run, visit
from streamlit.testing.v1 import AppTest

from ui.frame import GLOSSARY, GROUPS, PAGES

ENTRIES = ["Inspect", "Compare", "Trust", "Audit", "Look inside", "Report", "Networks"]


def links(at: AppTest) -> dict[str, str]:
    """The links of the sidebar: label → address."""
    return {one.proto.label: one.proto.page for one in at.sidebar.get("page_link")}


def test_seven_entries_and_the_glossary_beneath() -> None:
    at = visit(GLOSSARY)
    assert [*links(at)] == [*ENTRIES, "Glossary"]
    assert not at.main.get("page_link"), "it has no pages beside it"


def test_an_entry_of_several_pages_is_the_one_that_is_open() -> None:
    assert links(visit(GLOSSARY))["Networks"] == "models"
    at = visit("pages/train.py")
    assert links(at)["Networks"] == "train"
    beside = [one.proto.label for one in at.main.get("page_link")]
    assert beside[:4] == ["Models", "Train", "Evaluation", "May we use it?"]


def test_every_page_is_an_entry_or_stands_behind_one() -> None:
    grouped = [script for _, _, scripts in GROUPS for script in scripts]
    alone = [label for script, label, _ in PAGES if script not in (*grouped, GLOSSARY)]
    assert sorted([*alone, *(title for title, _, _ in GROUPS)]) == sorted(ENTRIES)
    assert {*grouped} <= {script for script, _, _ in PAGES}


def test_the_report_counts_its_entries() -> None:
    at = visit(GLOSSARY)
    at.session_state["basket"] = ("one", "two")
    assert "Report (2)" in links(run(at))
