"""The gate on two networks that were worked out by hand: one looks at the object, one at a mark beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cued
import keras
import numpy as np
import pytest
from cued import Cued
from labelled import make_folder

import camcore
from camcore.audits.manifest import read_manifest
from camcore.errors import CamcoreError
from camcore.release.judged import FAILED, NOT_EXAMINED, PASSED

N = 2 * cued.COUNT
ANSWERS = """
[pictures]
at_least = 40
[accuracy]
at_least = 0.9
[accuracy_lost]
at_most = 0.1
[class_accuracy]
at_least = 0.8
[flips]
at_most = 0.1
[regressions]
at_most = 0.1
"""
REASONS = """
[evidence_inside]
at_least = 0.9
[evidence_inside_lost]
at_most = 0.1
[reasons_moved]
at_most = 0.1
by = "figure"
"""


def states(result: camcore.CheckResult) -> dict[str, str]:
    return {one.rule.name: one.state for one in result.rules}


def test_a_network_that_looks_at_a_mark_answers_as_well_and_is_refused(cue: Cued) -> None:
    """Its answers are the same on all pictures; its reasons are not, on a quarter of them."""
    assert cue.check(ANSWERS).passed
    result = cue.check(ANSWERS + REASONS)
    assert not result.passed
    assert result.verdict == "new may not replace old: 6 of 9 rules passed, 3 failed."
    figures = {one.rule.name: one.figure for one in result.rules}
    share = cued.MARKED / N
    for name, value in (
        ("accuracy", 1.0),
        ("accuracy_lost", 0.0),
        ("flips", 0.0),
        ("evidence_inside", 1 - share * cued.MOVED),
        ("evidence_inside_lost", share * cued.MOVED),
        ("reasons_moved", share),
    ):
        found = figures[name]
        assert found is not None
        assert found.value == pytest.approx(value, abs=1e-3)  # maps are kept as float16
    moved = result.versions.comparison.moved[::-1]
    assert moved[: cued.MARKED] == pytest.approx(cued.MOVED, abs=1e-3)
    assert not moved[cued.MARKED :].any()


def test_on_pictures_without_the_mark_nothing_differs(cue: Cued, tmp_path: Path) -> None:
    """Which is why the pictures of a gate must show what a network may meet."""
    home = cued.pictures(tmp_path, marked=0)
    rules = camcore.read_policy((ANSWERS + REASONS).encode())
    *_, last = camcore.check(cue.new, cue.old, home / "pictures", rules, tmp_path / "out", masks=home / "masks")
    result = last.result
    assert result is not None
    assert result.passed
    assert not result.versions.comparison.moved.any()


def test_the_same_network_differs_in_nothing(cue: Cued) -> None:
    """By the worse end of every interval, too: what is the same here is the same on all other pictures."""
    nothing = "".join(
        f"[{name}]\nat_most = 0.0001\n"
        for name in (
            "accuracy_lost",
            "class_accuracy_lost",
            "flips",
            "regressions",
            "evidence_inside_lost",
            "reasons_moved",
        )
    )
    result = cue.check(nothing, new=cue.old)
    assert result.passed
    assert all(one.figure is not None and one.figure.value == one.figure.high == 0 for one in result.rules)
    assert "The two networks are the same" in result.notes[0]


def test_audits_are_made_once_and_told_apart(cue: Cued, tmp_path: Path) -> None:
    cue.check(ANSWERS)
    made = {folder: read_manifest(folder) for folder in cue.out.iterdir()}
    steps = list(camcore.check(cue.new, cue.old, cue.home / "pictures", camcore.read_policy(ANSWERS.encode()), cue.out))
    assert all(step.audit.kept == N for step in steps if step.audit is not None)
    assert [step.stage for step in steps][-1] == "done"
    assert set(cue.out.iterdir()) == set(made)
    for name, network in (("old", cue.old), ("new", cue.new)):
        assert sorted(one.network.name for one in made.values()).count(name) == 1, network
    (folder,) = (folder for folder, one in made.items() if one.network.name == "old")
    (other,) = (folder for folder, one in made.items() if one.network.name == "new")
    *_, last = camcore.check_audits(other, folder, camcore.read_policy(ANSWERS.encode()))
    assert last.result is not None
    assert states(last.result) == states(cue.check(ANSWERS))


def test_pictures_that_were_replaced_are_audited_anew(tmp_path: Path) -> None:
    home = cued.pictures(tmp_path, count=10)
    net, rules = cued.network(), camcore.read_policy(b"[accuracy]\nat_least = 0.9\nby = 'figure'")
    for passed in (True, False):
        *_, last = camcore.check(net, net, home / "pictures", rules, home / "out")
        assert last.result is not None
        assert last.result.passed is passed
        for one in (home / "pictures" / "red").iterdir():
            shutil.copy(home / "pictures" / "blue" / one.name, one)
    assert len(list((home / "out").iterdir())) == 2


def test_a_gate_that_is_left_goes_on_from_there(tmp_path: Path) -> None:
    home = cued.pictures(tmp_path, count=10)
    net, rules = cued.network(), camcore.read_policy(b"[accuracy]\nat_least = 0.8")
    steps = camcore.check(net, net, home / "pictures", rules, home / "out")
    assert next(steps).audit.done == 0
    assert next(steps).audit.done > 0
    steps.close()
    (folder,) = (home / "out").iterdir()
    assert read_manifest(folder).done == 0  # the part was not whole
    *_, last = camcore.check(net, net, home / "pictures", rules, home / "out")
    assert last.result is not None
    assert last.result.passed
    assert read_manifest(folder).complete


def test_classes_are_matched_by_name(cue: Cued) -> None:
    turned = cued.network(0.0, ("blue", "red"), name="turned")
    result = cue.check("[flips]\nat_most = 0.1\n[reasons_moved]\nat_most = 0.1", new=turned)
    assert result.passed
    assert [one.figure.value for one in result.rules if one.figure] == [0.0, 0.0]
    assert not result.versions.identical  # other weights, in another order
    named = camcore.wrap(cued.model(), labels=["square", "round"], preprocess="unit", name="other")
    with pytest.raises(CamcoreError, match=r"no class in common.*'red', 'blue'.*'square', 'round'"):
        cue.check(ANSWERS, new=named)


def test_what_cannot_be_examined_refuses_unless_the_policy_lets_it(cue: Cued) -> None:
    text = "[evidence_inside]\nat_least = 0.5\n[evidence_inside_lost]\nat_most = 0.5\n"
    result = cue.check(text, masks=False)
    assert set(states(result).values()) == {NOT_EXAMINED}
    assert not result.passed
    allowed = text.replace("0.5\n", "0.5\nif_not_examined = 'pass'\n")
    assert cue.check(allowed, masks=False).passed


def test_a_shortcut_is_suspected_by_experiment_and_refused(cue: Cued) -> None:
    """The pictures with the mark, and no others: the square that all pictures of a class have is the object itself."""
    result = cue.check("[suspects]\nat_most = 0.4\n", masks=False)
    assert states(result) == {"suspects": FAILED}
    (rule,) = result.rules
    assert rule.figure is not None
    assert rule.figure.value == cued.MARKED / cued.COUNT
    (suspect,) = result.versions.suspects
    assert suspect.name.startswith("red")


def test_one_class_and_one_answer(cue: Cued, tmp_path: Path) -> None:
    """Of pictures of one class a network that knows no other is right, and the notes say so."""
    only = camcore.wrap(blind(), labels=["red", "blue"], preprocess="unit", framing="stretch", name="only red")
    result = cue.check("[accuracy]\nat_least = 0.4\n[class_accuracy]\nat_least = 0.4", new=only, masks=False)
    assert states(result) == {"accuracy": FAILED, "class_accuracy": FAILED}  # half, and none of the blue ones
    assert "The new network says red to every picture." in result.notes
    one_class = cued.pictures(tmp_path)
    for file in (one_class / "pictures" / "blue").iterdir():
        file.unlink()
    *_, last = camcore.check(
        only, cue.old, one_class / "pictures", camcore.read_policy(b"[accuracy]\nat_least = 0.8"), tmp_path / "out"
    )
    assert last.result is not None
    assert states(last.result) == {"accuracy": PASSED}
    assert "All labelled pictures are of one class, red" in last.result.notes[-1]


def blind() -> keras.Model:
    """A network that says red whatever it sees."""
    made = cued.model()
    made.get_layer("scores").set_weights([np.array([[1.0, 0.0]] * 3, np.float32)])
    made.get_layer("colours").set_weights([np.ones((1, 1, 3, 3), np.float32)])
    return made


def test_what_is_wrong_is_told_at_the_call(cue: Cued, tmp_path: Path) -> None:
    rules = camcore.read_policy(b"[flips]\nat_most = 0.01")
    with pytest.raises(CamcoreError, match=r"cannot be met by 40 pictures.*It takes 381"):
        camcore.check(cue.new, cue.old, cue.home / "pictures", rules, cue.out)
    others = make_folder(tmp_path / "other", {"across": 1, "down": 1})
    with pytest.raises(CamcoreError, match="cannot be held against old"):
        camcore.check(cue.new, cue.old, others, rules, cue.out)
    with pytest.raises(CamcoreError, match="cannot be read as a folder of pictures"):
        camcore.check(cue.new, cue.old, tmp_path / "none", rules, cue.out)
    with pytest.raises(CamcoreError, match=r"The masks in .* cannot be read"):
        camcore.check(cue.new, cue.old, cue.home / "pictures", rules, cue.out, masks=tmp_path / "none")


def test_groups_are_tried_where_the_policy_asks_for_suspects(tmp_path: Path) -> None:
    """And not twice; the figure is the largest share that the groups' own file has."""
    home, net = cued.pictures(tmp_path, count=24), cued.network()
    rules = camcore.read_policy(b"[suspects]\nat_most = 1")
    for tried in (True, False):
        steps = list(camcore.check(net, net, home / "pictures", rules, home / "out"))
        stages = [(step.stage, step.audit and step.audit.stage) for step in steps]
        assert (("new", "court") in stages) is tried
        (rule,) = steps[-1].result.rules
        (folder,) = (home / "out").iterdir()
        groups = json.loads((folder / "groups.json").read_text())
        assert rule.state == PASSED
        assert rule.figure.value == max((one["share"] for one in groups if one["suspect"]), default=0)
