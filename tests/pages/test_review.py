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
from camcore.audits.finding import write_groups
from camcore.reviews.record import RIGHT, WRONG
from camcore.reviews.review import Review

page = partial(visit, "pages/audit.py")


@pytest.fixture
def made(tmp_path: Path, pets: Path) -> MadeUp:
    return reviewed_audit(tmp_path, 60)


def keys(at: AppTest) -> list[str]:
    return [one.key for one in at.button]


def begun(made: MadeUp) -> AppTest:
    at = until(page(audit=made.folder), lambda at: "review_begin" in keys(at))
    at = until(run(at.button(key="review_begin").click().run()), lambda at: "Give a name" in text(at))
    at.text_input(key="review_name").set_value("Ada")
    at.slider(key="review_goal").set_value(60)
    return until(run(at.button(key="review_begin").click().run()), lambda at: "review_right" in keys(at))


def resumed(made: MadeUp, file: Path) -> AppTest:
    at = until(page(audit=made.folder), lambda at: f"review_on_{file.stem}" in keys(at))
    return until(run(at.button(key=f"review_on_{file.stem}").click().run()), lambda at: "review_right" in keys(at))


def press(at: AppTest, verdict: str) -> AppTest:
    return run(at.button(key=f"review_{verdict}").click().run())


def honest(review: Review) -> str:
    assert review.number is not None
    return WRONG if review.items[review.number].sham else RIGHT


def test_one_is_begun_answered_and_left(made: MadeUp) -> None:
    at = press(press(begun(made), RIGHT), WRONG)
    assert "2 maps judged" in html(at)
    assert "sham" not in html(at).lower()
    at = run(at.button(key="review_undo").click().run())
    assert "1 map judged" in html(at)
    (file,) = (made.folder / "reviews").iterdir()
    assert [one["verdict"] for one in json.loads(file.read_text())["answers"]] == [RIGHT, WRONG, "undone"]
    at = run(at.button(key="review_leave").click().run())
    assert "Not finished: 1 map judged" in captions(at)


def test_one_goes_on_to_its_end_and_is_in_the_report(made: MadeUp) -> None:
    ended = camcore.start_review(made.folder, "Ada", goal=0.6, seed=1)
    while ended.number is not None:
        ended = ended.answer(honest(ended))
    review = camcore.start_review(made.folder, "Bob", goal=0.6, seed=1)
    for _ in range(len(ended.record.answers) - 1):
        review = review.answer(honest(review))
    (made.folder / "report.html").write_text("an older one")
    write_groups(made.folder)
    at = resumed(made, review.file)
    assert f"{len(ended.record.answers) - 1} maps judged" in html(at)
    at = until(press(at, honest(review)), lambda at: "The goal is reached" in html(at))
    assert ended.sentence.replace(" %", "\N{NO-BREAK SPACE}%") in text(at)
    until(at, lambda at: ended.sentence in (made.folder / "report.html").read_text())
    at = run(at.button(key="review_close").click().run())
    assert "Bob, " in captions(at)


def test_one_that_went_on_in_another_window_is_not_overwritten(made: MadeUp) -> None:
    at = begun(made)
    (file,) = (made.folder / "reviews").iterdir()
    other = camcore.open_review(file).answer(WRONG)
    assert "went on elsewhere" in text(press(at, RIGHT))
    assert camcore.open_review(file).record == other.record


def test_what_cannot_be_reviewed_is_told(made: MadeUp) -> None:
    (made.folder / "reviews").mkdir()
    (made.folder / "reviews" / "20200101-000000-x.json").write_text("{")
    shutil.rmtree(made.manifest.base)
    at = until(page(audit=made.folder), lambda at: "review_begin" in keys(at))
    assert "holds no intact record" in captions(at)
    at = run(at.text_input(key="review_name").set_value("Ada").run())
    at = until(run(at.button(key="review_begin").click().run()), lambda at: "cannot be shown any more" in text(at))
    assert "review_begin" in keys(at)
