"""Names of others are text on every page: what class names and file names hold of markup is shown as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from app_pages import headline, run, until, visit
from element_texts import texts
from PIL import Image
from small import network_folder
from streamlit.testing.v1 import AppTest
from zip_files import picture

import camcore
from ui.audit.export import as_report
from ui.audit.opened import opening
from ui.pictures import Upload

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
    for kind, how, text in texts(at):
        if "evil" not in text:
            continue
        seen += 1
        if how == "html":
            assert "<b>evil" not in text, (kind, text[:400])
        else:
            assert not UNESCAPED.search(text.replace("**", "")), (kind, text[:400])
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
        ("pages/cats_vs_dogs.py", {"model": "evil"}, 4),
        ("pages/models.py", {"model": "evil"}, 1),
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


def test_an_audit_of_evil_names_is_text(evil_audit: Path) -> None:
    at = visit("pages/audit.py", audit=evil_audit)
    until(at, lambda at: at.header and "6 pictures" in headline(at) and not at.get("progress"))
    assert check(at) >= 4
    opened = next(iter(opening(evil_audit).steps(None, cast("Job[OpenAudit]", None)))).value
    report = as_report(opened).decode("utf-8")
    assert "evil" in report
    assert "<b>evil" not in report
