"""A review from its first map to its result, what its record proves, and bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited import MadeUp, make_audit
from reviewed import reviewed_audit, write_rows

import camcore
from camcore.audits.manifest import write_manifest
from camcore.audits.report import report_item
from camcore.report.html import audit_to_html
from camcore.reviews.decision import NO, REFUSED, UNDECIDED, YES
from camcore.reviews.record import RIGHT, UNDONE, UNSEEN, WRONG
from camcore.reviews.review import Review, open_review, start_review
from camcore.reviews.sealed import KEY, read_record

COUNT = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    return reviewed_audit(tmp_path_factory.mktemp("reviewed"), COUNT)


@pytest.fixture
def made(whole: MadeUp, tmp_path: Path) -> MadeUp:
    """A copy of the audit, of the same pictures."""
    shutil.copytree(whole.folder, tmp_path / "audit", ignore=shutil.ignore_patterns("reviews"))
    return replace(whole, folder=tmp_path / "audit")


def judged(review: Review, say: Callable[[Review, int], str], most: int = 1000) -> Review:
    """The review with answers, until it ends or ``most`` were given."""
    while review.number is not None and most:
        review, most = review.answer(say(review, review.number)), most - 1
    return review


def honest(review: Review, number: int) -> str:
    return WRONG if review.items[number].sham else RIGHT


def test_an_honest_reviewer_of_good_maps_reaches_the_goal(made: MadeUp) -> None:
    review = judged(start_review(made.folder, "Ada", goal=0.8), honest)
    result = review.record.result
    assert result is not None
    assert result.state == YES
    assert result.low >= 0.8
    assert result.shams == tuple(n for n, item in enumerate(review.items[: len(review.record.standing)]) if item.sham)
    assert (result.shams_right, result.wrong) == (0, 0)
    assert "of the decisions have the right reason, with 95 % confidence" in review.sentence
    again = open_review(review.file)
    assert again.record == review.record
    with pytest.raises(camcore.CamcoreError, match="has ended"):
        again.answer(RIGHT)
    with pytest.raises(camcore.CamcoreError, match="has ended"):
        again.undo()


@pytest.mark.parametrize(
    ("say", "state", "words"),
    [
        (lambda review, number: RIGHT, REFUSED, "no clear difference"),
        (lambda review, number: WRONG, NO, "a reviewer who calls everything wrong ends here"),
        (lambda review, number: UNSEEN, REFUSED, "nothing was judged"),
    ],
)
def test_careless_reviewers_prove_nothing(made: MadeUp, say: Any, state: str, words: str) -> None:
    review = judged(start_review(made.folder, "Bob", said="cat", budget=30), say)
    assert review.record.result is not None
    assert review.record.result.state == state
    assert words in review.sentence


def test_the_bound_is_of_the_class_that_was_asked(made: MadeUp) -> None:
    cats = [row["path"] for row in made.rows if row["predicted"] == "cat"]
    review = judged(start_review(made.folder, "Ada", said="cat", budget=1000, goal=0.999, seed=4), honest)
    real = [one.path for one in review.record.answers if not review.items[one.number].sham]
    assert set(real) <= set(cats)
    assert len(cats) * 0.95 <= len(real) == len(set(real))  # nearly all were seen, so that all is known
    assert "At least 100 % of the “cat” decisions" in review.sentence


def test_real_maps_are_the_audits_own_and_shams_are_not(made: MadeUp) -> None:
    review = start_review(made.folder, "Ada", seed=1)
    own = {row["path"]: made.maps[place].astype(np.float32) for place, row in enumerate(made.rows)}
    for number, item in enumerate(review.items[:30]):
        shown, path = review.shown(number), review.drawn[number].path
        assert shown.said == next(row["predicted"] for row in made.rows if row["path"] == path)
        assert np.array_equal(shown.values, own[path]) is not item.sham
        np.testing.assert_allclose(np.sort(shown.values, None), np.sort(own[path], None))
        np.testing.assert_array_equal(shown.picture.rgb, camcore.open_picture(Path(made.manifest.base) / path).rgb)


def test_one_cut_off_in_the_middle_goes_on_where_it_was(made: MadeUp) -> None:
    first = judged(start_review(made.folder, "Ada", goal=0.8, seed=9), honest, most=17)
    assert first.number == 17
    assert "17 maps judged" in first.sentence
    again = open_review(first.file)
    assert (again.record, again.items, again.drawn) == (first.record, first.items, first.drawn)
    assert again.answer(RIGHT).number == 18


def test_the_last_answer_can_be_taken_back_and_the_record_says_so(made: MadeUp) -> None:
    review = start_review(made.folder, "Ada")
    with pytest.raises(camcore.CamcoreError, match="no answer to take back"):
        review.undo()
    review = review.answer(RIGHT).answer(WRONG).undo()
    assert review.number == 1
    review = review.answer(RIGHT)
    assert [one.verdict for one in review.record.answers] == [RIGHT, WRONG, UNDONE, RIGHT]
    assert [one.verdict for one in open_review(review.file).record.standing] == [RIGHT, RIGHT]


def test_two_windows_cannot_answer_at_once(made: MadeUp) -> None:
    one = start_review(made.folder, "Ada")
    other = open_review(one.file)
    kept = one.answer(RIGHT)
    with pytest.raises(camcore.CamcoreError, match="went on elsewhere"):
        other.answer(WRONG)
    assert open_review(one.file).record == kept.record
    mine, yours = start_review(made.folder, "Ada"), start_review(made.folder, "Bob")
    assert mine.file != yours.file
    assert mine.drawn != yours.drawn


def test_pictures_that_are_gone_or_others_cannot_be_judged(made: MadeUp, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(made.manifest.base, pictures)
    write_manifest(made.folder, replace(made.manifest, base=str(pictures)))
    review = start_review(made.folder, "Ada")
    first, second = (review.drawn[number].path for number in (0, 1))
    (pictures / first).unlink()
    shutil.copy(pictures / review.drawn[50].path, pictures / second)
    for number in (0, 1):
        with pytest.raises(camcore.PictureError):
            review.shown(number)
    shutil.rmtree(pictures)
    with pytest.raises(camcore.CamcoreError, match="cannot be shown any more"):
        start_review(made.folder, "Ada")


# ---- what a record proves


def changed(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


@pytest.fixture(scope="module")
def finished(whole: MadeUp) -> Review:
    """A review that reached its goal."""
    return judged(start_review(whole.folder, "Ada", goal=0.8), honest)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["answers"][3].update(verdict="right", time="2020-01-01T00:00:00+00:00"),
        lambda record: record["answers"].pop(2),
        lambda record: record["header"].update(reviewer="Somebody else"),
        lambda record: record["header"].update(goal=0.5),
        lambda record: record["header"].update(weights_sha256="1" * 64),
        lambda record: record["result"].update(low=0.99),
        lambda record: record.update(result=None, answers=[]) or record["header"].update(seed=1),
        lambda record: record.update(seal="0" * 64),
        lambda record: record["header"].update(id="../../elsewhere"),
        lambda record: record["header"].pop("seed"),
        lambda record: record["header"].update(pictures=10**30),
        lambda record: record["header"].update(budget="many"),
        lambda record: record["answers"][0].update(verdict="undone"),
        lambda record: record["answers"][0].update(number=-1),
        lambda record: record.update(answers=5),
        lambda record: record.clear(),
    ],
)
def test_an_altered_record_is_noticed(
    finished: Review, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    file = tmp_path / finished.file.name
    shutil.copy(finished.file, file)
    assert read_record(file) == finished.record
    changed(file, change)
    with pytest.raises(camcore.CamcoreError, match="holds no intact record"):
        read_record(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"header": NaN}', b"null", b"[]"])
def test_a_damaged_file_is_told(made: MadeUp, content: bytes) -> None:
    file = made.folder / "reviews" / "x.json"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(camcore.CamcoreError, match="holds no intact record"):
        open_review(file)
    assert "holds no intact record" in camcore.list_reviews(made.folder)[0].text


def test_a_key_seals_against_those_who_have_it_not(made: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    review = start_review(made.folder, "Ada").answer(RIGHT)
    assert open_review(review.file).record.header.keyed
    for other in ("guessed", ""):
        monkeypatch.setenv(KEY, other)
        with pytest.raises(camcore.CamcoreError, match="was altered" if other else KEY):
            open_review(review.file)
    plain = start_review(made.folder, "Ada").answer(RIGHT)  # without a key anybody can make one
    monkeypatch.setenv(KEY, "secret")
    with pytest.raises(camcore.CamcoreError, match="without a key"):
        open_review(plain.file)


def test_a_record_of_another_audit_is_refused(made: MadeUp, tmp_path: Path) -> None:
    review = start_review(made.folder, "Ada").answer(RIGHT)
    write_manifest(made.folder, replace(made.manifest, network=replace(made.manifest.network, weights_sha256="7" * 64)))
    with pytest.raises(camcore.CamcoreError, match="other weights"):
        open_review(review.file)
    other = make_audit(tmp_path / "other", tmp_path / "pictures", 50)
    (other.folder / "reviews").mkdir()
    shutil.copy(review.file, other.folder / "reviews")
    with pytest.raises(camcore.CamcoreError, match="other pictures"):
        open_review(other.folder / "reviews" / review.file.name)


# ---- bad input


def test_zero_maps_count_as_wrong(tmp_path: Path) -> None:
    made = reviewed_audit(tmp_path, 60, empty=tuple(range(20)))
    review = start_review(made.folder, "Ada", goal=0.9)
    assert review.number is None
    assert "20 maps of 60 are zero and count as wrong" in review.sentence
    review = judged(start_review(made.folder, "Ada", goal=0.6), honest)
    assert review.record.result is not None
    assert review.record.result.high <= 40 / 60


def test_audits_that_cannot_be_reviewed_say_why(tmp_path: Path) -> None:
    made = reviewed_audit(tmp_path / "a", 60)
    for place, row in enumerate(made.rows):
        row["predicted"] = "dog" if place < 3 else "cat"  # three of one class
    write_rows(made)
    for said, wanted in (("dog", "3 pictures with a map are called 'dog'"), ("cow", "called 'cow'"), ("Cat", "'cat'")):
        with pytest.raises(camcore.CamcoreError, match=wanted):
            start_review(made.folder, "Ada", said=said)
    assert start_review(made.folder, "Ada", said="cat").number == 0  # all but three are of one class
    empty = reviewed_audit(tmp_path / "b", 30, empty=tuple(range(30)))
    with pytest.raises(camcore.CamcoreError, match="all of their maps are zero"):
        start_review(empty.folder, "Ada")
    with pytest.raises(camcore.CamcoreError, match="0 letters"):
        start_review(made.folder, "  ")
    (made.folder / "reviews").rename(made.folder / "elsewhere")
    (made.folder / "reviews").write_text("a file, so that no folder can be made")
    with pytest.raises(camcore.CamcoreError, match="cannot be written"):
        start_review(made.folder, "Ada")
    assert camcore.list_reviews(made.folder) == ()


def test_the_report_has_the_reviews(made: MadeUp, finished: Review) -> None:
    shutil.copytree(finished.file.parent, made.folder / "reviews")
    start_review(made.folder, "<b>Bob</b>").answer(RIGHT)
    report = unescape(audit_to_html(report_item(camcore.open_audit(made.folder), ())).decode())
    assert finished.sentence in report
    assert "<b>Bob" in report
    assert "Not finished: 1 map judged" in report


def test_one_without_a_clear_end_is_undecided(made: MadeUp) -> None:
    def often(review: Review, number: int) -> str:
        return WRONG if review.items[number].sham or number % 9 == 0 else RIGHT

    review = judged(start_review(made.folder, "Ada", budget=40, seed=2), often)
    assert review.record.result is not None
    assert review.record.result.state == UNDECIDED
    assert "Not decided: at least" in review.sentence
