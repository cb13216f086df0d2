"""A review on the Audit page, run by Streamlit's own test runner: judged by its keys to its end."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from app_pages import captions, html, run, text, until, visit
from audited import MadeUp
from reviewed import reviewed_audit
from streamlit.testing.v1 import AppTest

import camcore
from camcore.reviews.record import RIGHT, WRONG

page = partial(visit, "pages/audit.py")


@pytest.fixture
def made(tmp_path: Path, pets: Path) -> MadeUp:
    return reviewed_audit(tmp_path, 60)


def keys(at: AppTest) -> list[str]:
    return [one.key for one in at.button]


def begun(made: MadeUp) -> AppTest:
    at = until(page(audit=made.folder), lambda at: "review_begin" in keys(at))
    assert at.button(key="review_begin").disabled
    at = run(at.text_input(key="review_name").set_value("Ada").run())
    at = run(at.slider(key="review_goal").set_value(60).run())
    return until(run(at.button(key="review_begin").click().run()), lambda at: "review_right" in keys(at))


def press(at: AppTest, verdict: str) -> AppTest:
    return run(at.button(key=f"review_{verdict}").click().run())


def test_maps_are_judged_until_the_goal_is_reached(made: MadeUp) -> None:
    at = begun(made)
    (file,) = (made.folder / "reviews").iterdir()
    items = camcore.open_review(file).items
    assert "sham" not in html(at).lower()
    for number, item in enumerate(items):
        if "review_right" not in keys(at):
            break
        assert f"{number} map" in captions(at)
        at = press(at, WRONG if item.sham else RIGHT)
    at = until(at, lambda at: "The goal is reached" in html(at))
    assert "At least" in text(at)
    result = json.loads(file.read_text())["result"]
    assert result["state"] == "yes"
    at = run(at.button(key="review_close").click().run())
    assert "Ada: At least" in captions(at)


def test_one_that_was_left_goes_on_and_an_answer_is_taken_back(made: MadeUp) -> None:
    at = press(press(begun(made), RIGHT), WRONG)
    at = run(at.button(key="review_undo").click().run())
    assert "1 map judged" in captions(at)
    at = run(at.button(key="review_leave").click().run())
    assert "Not finished: 1 map judged" in captions(at)
    (file,) = (made.folder / "reviews").iterdir()
    at = until(run(at.button(key=f"review_on_{file.stem}").click().run()), lambda at: "review_right" in keys(at))
    assert "1 map judged" in captions(at)
    camcore.open_review(file).answer(RIGHT)  # in another window
    at = press(at, RIGHT)
    assert "went on elsewhere" in text(at)


def test_what_cannot_be_reviewed_is_told(made: MadeUp) -> None:
    (made.folder / "reviews").mkdir()
    (made.folder / "reviews" / "20200101-000000-x.json").write_text("{")
    shutil.rmtree(made.manifest.base)
    at = until(page(audit=made.folder), lambda at: "review_begin" in keys(at))
    assert "is damaged or was altered" in captions(at)
    at = run(at.text_input(key="review_name").set_value("Ada").run())
    at = until(run(at.button(key="review_begin").click().run()), lambda at: "cannot be shown any more" in text(at))
    assert "review_begin" in keys(at)
