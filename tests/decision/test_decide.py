"""The answer for a network, as more and more of it is examined; and what may not be counted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited import MadeUp
from reviewed import reviewed_audit
from small import network_folder

import camcore
from camcore.audits.finding import write_groups, write_verdicts
from camcore.audits.groups import read_groups
from camcore.audits.manifest import write_manifest
from camcore.decision.decide import decide
from camcore.decision.measured import NOT_RECORDED
from camcore.decision.report import NOT_EXAMINED, entry, summary
from camcore.errors import CamcoreError
from camcore.evaluation.average_maps import Averages, GroupMean, write_averages
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import write_csv
from camcore.metrics.intervals import rate
from camcore.models import saved
from camcore.models.saved import SavedNetwork
from camcore.report.html import audit_to_html, section_html
from camcore.shortcuts.judgements import judge
from camcore.shortcuts.verdict import Figures, Verdict

WEIGHTS = "0" * 64  # of the network of an audit that is made up


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("decision")
    network_folder(home / "pets", ["cat", "dog"])
    return home


@pytest.fixture(scope="module")
def whole(home: Path) -> MadeUp:
    return reviewed_audit(home, 60)


@pytest.fixture
def made(whole: MadeUp, tmp_path: Path) -> MadeUp:
    shutil.copytree(whole.folder, tmp_path / "audit")
    return replace(whole, folder=tmp_path / "audit")


@pytest.fixture
def pets(home: Path, tmp_path: Path) -> SavedNetwork:
    """A network of which nothing is kept."""
    shutil.copytree(home / "pets", tmp_path / "pets")
    return saved.read(tmp_path / "pets")


def evaluate(network: SavedNetwork, wrong: int = 2) -> None:
    """Leave beside it what an evaluation on 40 pictures does."""
    labels = np.arange(40) % 2
    second = np.where(np.arange(40) < wrong, 1 - labels, labels) * 0.8 + 0.1
    p = Predictions(tuple(f"{i}.jpg" for i in range(40)), labels, np.stack([1 - second, second], 1), ("cat", "dog"))
    write_csv(network.folder / "predictions.csv", p)
    groups = tuple(GroupMean(label, True, 19, np.ones((2, 2)), np.eye(2)) for label in (0, 1))
    write_averages(
        network.folder / "average_maps.json",
        Averages(groups, "cam", "top", "said", "stretch", 40, 40, 1.0),
        ("cat", "dog"),
    )


def record(network: SavedNetwork, weights_sha256: str, file_sha256: str) -> None:
    """Record of which weights the evaluation beside it was."""
    hashes = {"weights_sha256": weights_sha256, "file_sha256": file_sha256}
    (network.folder / "report.json").write_text(json.dumps({"network": network.name, **hashes}))


def try_groups(folder: Path, suspect: bool) -> None:
    """Give every group of an audit a trial; the first one is a suspect or not."""
    groups = write_groups(folder)
    figures = Figures(rate(9, 10), rate(1, 10), None, rate(5, 9), rate(0, 9))
    write_verdicts(
        folder, [Verdict(figures, suspect and not i, ("Why.",)) for i in range(len(groups))], range(len(groups))
    )


def review(folder: Path) -> None:
    """Let a reviewer who sees the shams judge its maps."""
    one = camcore.start_review(folder, "Ada", goal=0.6)
    while one.number is not None:
        one = one.answer("wrong" if one.items[one.number].sham else "right")


def states(decision) -> dict[str, str]:
    return {one.key: one.state for one in decision.points}


def test_nothing_is_known_of_a_new_network(pets):
    decision = decide(pets)
    assert decision.answer == "open"
    assert set(states(decision).values()) == {"open"}
    assert [one.key for one in decision.missing] == ["accuracy", "shortcuts", "people"]


def test_each_examination_answers_its_question_until_nothing_is_missing(pets, made):
    evaluate(pets)
    assert states(decide(pets)) == dict.fromkeys(("shortcuts", "people", "maps", "versions"), "open") | {
        "accuracy": "for",
        "looks": "note",
    }
    assert decide(pets).measured[0].right == rate(38, 40)
    try_groups(made.folder, suspect=True)
    audit = camcore.open_audit(made.folder)
    assert [one.key for one in decide(pets, audit, WEIGHTS).missing] == ["shortcuts", "people"]
    judge(made.folder, read_groups(made.folder)[0], "thing")
    review(made.folder)
    decision = decide(pets, audit, WEIGHTS, ["trust"])
    assert (decision.answer, decision.missing) == ("clear", ())
    assert decision.headline.startswith("Nothing that was examined")
    judge(made.folder, read_groups(made.folder)[0], "shortcut")
    assert decide(pets, audit, WEIGHTS).answer == "no"


def test_the_accuracy_that_counts_is_of_the_most_new_pictures(pets, made):
    evaluate(pets)
    audit = camcore.open_audit(made.folder)
    assert decide(pets, audit, WEIGHTS).points[0].text.startswith("It is right on 45 of 60")
    (pets.folder / "recipe.json").write_text(json.dumps({"pictures": str(made.manifest.base)}))
    decision = decide(pets, audit, WEIGHTS)
    assert decision.points[0].text.startswith("It is right on 38 of 40"), "it learned from those of the audit"
    assert "learned from pictures of this folder" in decision.measured[0].caution


def test_an_evaluation_of_other_weights_says_nothing_about_these(pets, made):
    evaluate(pets)
    assert "Of which weights it was is not recorded." in decide(pets).points[0].text
    for weights, file, known in ((WEIGHTS, pets.sha256, ""), (WEIGHTS, "f" * 64, WEIGHTS), ("1" * 64, pets.sha256, "")):
        record(pets, weights, file)
        decision = decide(pets, weights_sha256=known)
        assert decision.measured[0].counts
        assert "not recorded" not in decision.points[0].text.removesuffix(NOT_RECORDED)
        assert states(decision)["looks"] == "note"
    for weights, file in ((WEIGHTS, "f" * 64), ("1" * 64, "f" * 64)):
        record(pets, weights, file)
        decision = decide(pets)
        assert (states(decision)["accuracy"], states(decision)["looks"]) == ("open", "open")
        assert "38 of 40" not in decision.points[0].text
        assert "It was of other weights than these" in decision.points[0].text
    audit = camcore.open_audit(made.folder)
    assert decide(pets, audit, WEIGHTS).points[0].text.startswith("It is right on 45 of 60"), "the audit is of these"
    (pets.folder / "report.json").write_text("[]")
    assert decide(pets).measured[0].counts, "what cannot be read records nothing"


def test_a_recipe_may_name_its_pictures_from_another_place(pets, made):
    base = Path(made.manifest.base)
    for named, learned in ((f"../{base.parent.name}/{base.name}", True), ("../elsewhere/pictures", False)):
        (pets.folder / "recipe.json").write_text(json.dumps({"pictures": named}))
        found = decide(pets, camcore.open_audit(made.folder), WEIGHTS).measured[0]
        assert found.counts is not learned


def test_an_audit_of_other_weights_is_refused(pets, made):
    with pytest.raises(CamcoreError, match="not of pets as it is here"):
        decide(pets, camcore.open_audit(made.folder), "1" * 64)


def test_what_cannot_be_read_is_told_and_counts_for_nothing(pets, made):
    evaluate(pets)
    (pets.folder / "predictions.csv").write_text("file,label\n")
    review(made.folder)
    (file,) = (made.folder / "reviews").glob("*.json")
    file.write_text(file.read_text().replace('"wrong"', '"right"'))
    (made.folder / "check.json").write_text("{}")
    decision = decide(pets, camcore.open_audit(made.folder), WEIGHTS)
    assert len(decision.notes) == 3
    assert states(decision)["people"] == states(decision)["versions"] == "open"


def test_a_gate_on_other_weights_says_nothing(pets, made):
    kept = {"passed": False, "verdict": "No.", "policy": {"file": "p"}, "old": {"name": "old"}}
    for sha256, state in ((WEIGHTS, "against"), ("1" * 64, "open")):
        (made.folder / "check.json").write_text(json.dumps({**kept, "new": {"weights_sha256": sha256}}))
        assert states(decide(pets, camcore.open_audit(made.folder), WEIGHTS))["versions"] == state


def test_published_accuracy_is_told_and_does_not_count():
    row = next(row for row in camcore.backbones() if row.name == "MobileNetV2")
    decision = decide(row)
    assert decision.measured[0].right.value == pytest.approx(row.top1 / 100, abs=1e-5)
    assert states(decision)["accuracy"] == "open"


def test_the_entry_says_the_same_and_no_path(pets, made):
    try_groups(made.folder, suspect=True)
    decision = decide(pets, camcore.open_audit(made.folder), WEIGHTS)
    item = entry(decision)
    page = audit_to_html(item).decode()
    assert decision.headline in page
    assert str(made.folder.parent) not in page + item.files["decision.json"].decode()
    titles = [section.title for section in item.sections]
    assert titles.index("How often is it right?") < titles.index("Where does it look?") < titles.index(NOT_EXAMINED)
    cards = next(section for section in item.sections if section.title == "Does it rely on a shortcut?")
    assert section_html(cards).count('class="card"') == 1
    facts = summary(decision)
    assert {one["key"]: one["state"] for one in facts["points"]} == states(decision)
    assert (facts["answer"], facts["accuracy"][0]["correct"]) == ("open", 45)


def test_an_unfinished_audit_is_told(pets, made):
    write_manifest(made.folder, replace(made.manifest, total=1000))
    assert "not finished" in decide(pets, camcore.open_audit(made.folder), WEIGHTS).notes[0]
