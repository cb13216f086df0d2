"""Names of others are text on every page: what class names and file names hold of markup is shown as it stands."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from app_pages import headline, html, run, text, until, visit
from audited import make_audit
from element_texts import texts
from PIL import Image
from reported import audit_item, cam_map, finding, item
from reported import picture as reported_picture
from small import network_folder
from streamlit.testing.v1 import AppTest
from zip_files import picture

import camcore
from camcore.audits.groups import Group, GroupChannel, GroupPatch, Stability, group_to_json
from camcore.metrics.intervals import rate
from camcore.shortcuts.verdict import Verdict
from ui.audit.export import as_report
from ui.audit.opened import opening
from ui.pictures import Upload
from ui.report.basket import Entry

if TYPE_CHECKING:
    from ui.audit.opened import OpenAudit
    from ui.jobs.job import Job

EVIL = "![x](https://evil.example/p.png) <b>evil</b> www.evil.example a@evil.example :red[a] `c` | # h"
LABELS = [EVIL, f"*{EVIL}*", "=1+1"]
UNESCAPED = re.compile(
    r"(?<!\\)!\[|(?<!\\)\[x|://evil|www\.evil|a@evil|(?<!\\):red|(?<!\\)`c|(?<!\\)<b|(?<!\\)\*!|(?<!\\)\*\\!"
)


@pytest.fixture(scope="module")
def evil_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / "evil", LABELS)
    return home


@pytest.fixture(autouse=True)
def evil(evil_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(evil_home))
    monkeypatch.setattr("ui.map_cache.PATIENCE_SECONDS", 30.0)


def with_evil_picture(at: AppTest) -> AppTest:
    """The same page with a picture of an evil name."""
    at.session_state["upload"] = Upload(picture(), f"{EVIL}.png")
    return run(at)


def check(at: AppTest) -> int:
    """How many texts name the evil; each of them as text."""
    seen = 0
    for kind, how, body in texts(at):
        if "evil" not in body:
            continue
        seen += 1
        if how == "html":
            assert "<b>evil" not in body, (kind, body[:400])
        else:
            assert not UNESCAPED.search(body.replace("**", "")), (kind, body[:400])
    return seen


@pytest.mark.parametrize(
    ("page", "choices", "least"),
    [
        ("app.py", {}, 4),
        ("pages/compare.py", {"columns": "classes"}, 3),
        ("pages/trust.py", {}, 2),
        ("pages/activations.py", {}, 1),
        ("pages/concepts.py", {"in": "picture", "concepts": "2"}, 2),
        ("pages/filters.py", {}, 0),
        ("pages/cats_vs_dogs.py", {}, 4),
        ("pages/models.py", {}, 1),
        ("pages/audit.py", {}, 1),
    ],
)
def test_names_of_others_are_text(page: str, choices: dict[str, str], least: int) -> None:
    at = with_evil_picture(visit(page, model="evil", **choices))
    until(at, lambda at: not at.get("progress"))
    assert check(at) >= least


@pytest.fixture(scope="module")
def evil_audit(evil_home: Path) -> Path:
    """An audit of a few pictures with evil names, by the network of evil classes."""
    pictures = evil_home / "pictures"
    labels = ["![x](evil) :red[a]", "<b>evil www.evil.example"]
    for label in labels:
        (pictures / label).mkdir(parents=True)
        for number in range(3):
            rgb = np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)
            Image.fromarray(rgb).save(pictures / label / f"<b>evil {number} www.evil.example.png")
    network = camcore.load(network_folder(evil_home / "networks" / "two", labels))
    for _ in camcore.audit(network, pictures, evil_home / "audit", workers=0):
        pass
    return evil_home / "audit"


@pytest.fixture(scope="module")
def grouped(evil_home: Path) -> tuple[Path, Path]:
    """Two made-up audits of the same pictures with evil classes; the first has a group that is suspected."""
    old, new = (
        make_audit(
            evil_home / name, evil_home, 24, (f"cat {EVIL}", "<b>evil"), failed=(5,), groups=True, seed=seed
        ).folder
        for seed, name in enumerate(("<b>evil old", "<b>evil new"))
    )
    verdict = Verdict(None, True, (f"A reason {EVIL}.",))
    one = Group(
        f"cat {EVIL}", 0, 8, 0.7, ("cat/000.png",), (GroupPatch("cat/000.png", (0, 0, 8, 8)),), rate(3, 8), rate(8, 12),
        np.ones((3, 4)), (GroupChannel(1, 0.5, 0.1),), Stability(0.9, (0.9,)), verdict=verdict,
    )  # fmt: skip
    (old / "groups.json").write_text(json.dumps([group_to_json(one), group_to_json(replace(one, number=1))]))
    return old, new


def test_groups_and_a_comparison_of_evil_names_are_text(grouped: tuple[Path, Path]) -> None:
    old, new = grouped
    at = visit("pages/audit.py", audit=old, other=new)
    until(at, lambda at: "suspect" in html(at) and "p = " in html(at) and not at.get("progress"))
    assert check(at) >= 8


def test_a_decision_on_evil_names_is_text(evil_audit: Path) -> None:
    at = until(visit("pages/decision.py", model="two", audit=evil_audit), lambda at: "cam-answer" in html(at))
    assert check(at) >= 2


def test_folders_of_evil_names_are_text(evil_audit: Path) -> None:
    at = visit("pages/train.py", data=evil_audit.parent / "pictures")
    until(at, lambda at: "6 pictures" in text(at))
    assert check(at) >= 1


def test_a_report_of_evil_names_is_text() -> None:
    at = visit("pages/report.py")
    map_ = cam_map(label=EVIL, network=EVIL, warning=EVIL)
    one = item(reported_picture(name=EVIL), comment=EVIL, findings=(finding(map=map_),))
    audit = audit_item(title=EVIL, source=EVIL, answer=EVIL, comment=EVIL, notes=(EVIL,))
    at.session_state["basket"] = (Entry("a", ("a",), one), Entry("b", ("b",), audit))
    assert check(run(at)) >= 4


def test_an_audit_of_evil_names_is_text(evil_audit: Path) -> None:
    at = visit("pages/audit.py", audit=evil_audit)
    until(at, lambda at: at.header and "6 pictures" in headline(at) and not at.get("progress"))
    assert check(at) >= 4
    opened = next(iter(opening(evil_audit).steps(None, cast("Job[OpenAudit]", None)))).value
    report = as_report(opened).decode("utf-8")
    assert "evil" in report
    assert "<b>evil" not in report
