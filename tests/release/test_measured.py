"""The figures of the rules, against the same counted in plain Python from rows that were made up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited import MadeUp, always, changed, make_audit, says
from numpy.typing import NDArray
from scipy.stats import binomtest

from camcore.audits.manifest import write_manifest
from camcore.audits.paired import paired_rates
from camcore.audits.store import open_audit
from camcore.errors import CamcoreError
from camcore.generators import Returning
from camcore.metrics.intervals import bootstrap, rate
from camcore.release.judged import FAILED, NOT_EXAMINED, PASSED, judge, judged
from camcore.release.kinds import KINDS, Rule
from camcore.release.masks import InsideMasks
from camcore.release.measured import Figure, Measured, measure
from camcore.release.notes import notes
from camcore.release.policy import read_policy
from camcore.release.steps import compare
from camcore.release.versions import Versions

CLASSES = ("cat", "dog", "owl")
CHANGES = ("accuracy_lost", "class_accuracy_lost", "flips", "regressions", "evidence_inside_lost", "reasons_moved")


def of(old: Path, new: Path) -> Versions:
    steps = Returning(compare(open_audit(old), open_audit(new), None))
    assert [(step.done, step.total) for step in steps][-1] == (steps.result.common, steps.result.common)
    return steps.result


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "old", home, 75, classes=CLASSES, failed=(1, 2, 60))


@pytest.fixture(scope="module")
def to_cat(made: MadeUp, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """The audit, and one of a network of other weights that says cat to everything."""
    return of(made.folder, retrained(made, tmp_path_factory.mktemp("audits") / "new", always("cat")))


def retrained(
    made: MadeUp, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None], **manifest: Any
) -> Path:
    """An audit with the rows that ``change`` makes, of a network of other weights."""
    changed(made, folder, change)
    network = replace(made.manifest.network, weights_sha256="2" * 64)
    write_manifest(folder, replace(open_audit(folder).manifest, network=network, **manifest))
    return folder


def answered(made: MadeUp) -> list[dict[str, Any]]:
    return [row for row in made.rows if row["error"] is None]


def figure(versions: Versions, name: str, **keys: Any) -> Figure:
    found = measure(versions, Rule(name, 0.5, **keys))
    assert found.figure is not None
    return found.figure


def ends(one: Figure) -> tuple[float, float, float, int]:
    return one.value, one.low, one.high, one.n


def test_shares_of_pictures(made: MadeUp, to_cat: Versions) -> None:
    rows = answered(made)
    cats = sum(row["label"] == "cat" for row in rows)
    flips = sum(row["predicted"] != "cat" for row in rows)
    lost = sum(row["correct"] and row["label"] != "cat" for row in rows)
    for name, count in (("accuracy", cats), ("flips", flips), ("regressions", lost)):
        one = rate(count, 72)
        assert ends(figure(to_cat, name)) == (one.value, one.low, one.high, 72)
    assert ends(figure(to_cat, "pictures"))[0] == 72
    assert ends(figure(to_cat, "unreadable")) == (3 / 75, 3 / 75, 3 / 75, 75)


def test_losses_have_the_interval_of_paired_shares(made: MadeUp, to_cat: Versions) -> None:
    def lost(rows: list[dict[str, Any]]) -> tuple[float, float, float, int]:
        pairs = [(row["correct"], row["label"] == "cat") for row in rows]
        kinds = [(True, True), (True, False), (False, True), (False, False)]
        found = paired_rates(*(pairs.count(kind) for kind in kinds))
        return -found.difference, -found.high, -found.low, len(rows)

    rows = answered(made)
    assert ends(figure(to_cat, "accuracy_lost")) == lost(rows)
    by_class = {name: lost([row for row in rows if row["label"] == name]) for name in CLASSES}
    for by, end in (("figure", 0), ("worst", 2), ("best", 1)):
        worst = max(CLASSES, key=lambda name: by_class[name][end])
        one = figure(to_cat, "class_accuracy_lost", by=by)
        assert (ends(one), one.of) == (by_class[worst], worst)


def test_the_end_that_must_keep_the_limit() -> None:
    one = Figure(0.5, 0.4, 0.7, 10)
    ends_of = {"accuracy": {"worst": 0.4, "figure": 0.5, "best": 0.7}, "flips": {"best": 0.4, "worst": 0.7}}
    for name, kept in ends_of.items():
        for by, end in kept.items():
            states = [judged(Rule(name, end + slip, by), Measured(one)).state for slip in (-0.001, 0, 0.001)]
            wanted = [PASSED, PASSED, FAILED]
            assert states == (wanted if name == "accuracy" else wanted[::-1])


def wilson(count: int, n: int) -> tuple[float, float, float]:
    interval = binomtest(count, n).proportion_ci(method="wilson")
    return interval.low, count / n, interval.high


def resampled(values: NDArray[np.float64]) -> tuple[float, float, float]:
    one = bootstrap(values.tolist())
    return one.low, one.mean, one.high


@dataclass(frozen=True, eq=False)
class AtLimits:
    """Two versions that differ in all that rules look at, and each rule's (low, value, high), counted by itself."""

    versions: Versions
    wanted: dict[str, list[tuple[float, float, float]]]
    """Of rules on classes one of each."""


@pytest.fixture(scope="module")
def at_limits(made: MadeUp, tmp_path_factory: pytest.TempPathFactory) -> AtLimits:
    corner = np.zeros((3, 4), np.float16)
    corner[0, 0] = 1

    def change(row: dict[str, Any]) -> dict[str, Any]:
        if row["error"] is None and row["index"] % 3 == 0:
            row |= {"map": corner.ravel()}
        return says(row, "cat") if row["index"] % 2 else row

    folder = retrained(made, tmp_path_factory.mktemp("audits") / "new", change)
    groups = [group("dog", 1, 0.125, suspect=True), group("cat", 1, 0.5)]
    (folder / "groups.json").write_text(json.dumps(groups))
    inside = InsideMasks(("a",) * 12, np.linspace(0, 1, 12), np.linspace(0.5, 0, 12))
    versions = replace(of(made.folder, folder), inside=inside)

    old = answered(made)
    new = [change(dict(row)) for row in old]
    n, p = len(new), np.array([row["probability"] for row in new])
    right = np.array([row["predicted"] == row["label"] for row in new])
    was = np.array([row["predicted"] == row["label"] for row in old])
    flipped = np.array([one["predicted"] != other["predicted"] for one, other in zip(old, new, strict=True)])
    maps = [np.array([row["map"] for row in rows], float) for rows in (old, new)]
    one, other = (each / each.sum(axis=1, keepdims=True) for each in maps)
    moved = (np.abs(one - other).sum(axis=1) / 2 > 0.5) & ~flipped
    bins = np.ceil(p * 10)
    ece = sum(abs(p[bins == one].sum() - right[bins == one].sum()) for one in set(bins.tolist())) / n

    def lost(which: NDArray[np.bool_]) -> tuple[float, float, float]:
        pairs = zip(was[which].tolist(), right[which].tolist(), strict=True)
        counts = Counter(pairs)
        found = paired_rates(*(counts[kind] for kind in ((True, True), (True, False), (False, True), (False, False))))
        return -found.high, -found.difference, -found.low

    classes = [np.array([row["label"] == name for row in new]) for name in CLASSES]
    wanted = {
        "pictures": [(float(n),) * 3],
        "unreadable": [(3 / 75,) * 3],
        "accuracy": [wilson(int(right.sum()), n)],
        "accuracy_lost": [lost(np.ones(n, bool))],
        "class_accuracy": [wilson(int(right[own].sum()), int(own.sum())) for own in classes],
        "class_accuracy_lost": [lost(own) for own in classes],
        "calibration_error": [(ece,) * 3],
        "flips": [wilson(int(flipped.sum()), n)],
        "regressions": [wilson(int((was & ~right).sum()), n)],
        "evidence_inside": [resampled(inside.new)],
        "evidence_inside_lost": [resampled(inside.old - inside.new)],
        "reasons_moved": [wilson(int(moved.sum()), int((~flipped).sum()))],
        "suspects": [(0.125,) * 3],
    }
    assert list(wanted) == list(KINDS)
    return AtLimits(versions, wanted)


@pytest.mark.parametrize("name", KINDS)
def test_every_rule_of_a_policy_is_kept_at_its_limit_and_missed_beyond(at_limits: AtLimits, name: str) -> None:
    kind = KINDS[name]
    asked, slip = kind.limit == "at_least", 1.0 if kind.whole else 1e-6
    places = {"worst": 0 if asked else 2, "figure": 1, "best": 2 if asked else 0}
    for by, place in places.items() if kind.interval else [("worst", 1)]:
        ends = [one[place] for one in at_limits.wanted[name]]
        end = min(ends) if asked else max(ends)
        for off, state in ((-slip, PASSED), (0.0, PASSED), (slip, FAILED)):
            limit = end + (off if asked else -off) + (0.0 if kind.whole else -1e-9 if asked else 1e-9)
            choice = f"by = '{by}'\n" if kind.interval else ""
            limited = f"[{name}]\n{kind.limit} = {f'{limit:.0f}' if kind.whole else f'{limit:.12f}'}\n{choice}"
            (one,) = judge(at_limits.versions, read_policy(limited.encode()))
            assert (one.state, one.refuses) == (state, state == FAILED), (limited, one.sentence)


def test_identical_networks_differ_in_nothing(made: MadeUp, tmp_path: Path) -> None:
    versions = of(made.folder, changed(made, tmp_path / "new", dict))
    versions = replace(versions, inside=InsideMasks(("a",) * 12, *(np.linspace(0, 1, 12),) * 2))
    assert versions.identical
    for name in CHANGES:
        for reason in ("map", "evidence"):
            assert ends(figure(versions, name, reason=reason))[:3] == (0.0, 0.0, 0.0)
    assert notes(versions) == ("The two networks are the same: they have the same weights, answers and maps.",)


def test_other_weights_that_answer_alike_may_still_differ_elsewhere(made: MadeUp, tmp_path: Path) -> None:
    versions = of(made.folder, retrained(made, tmp_path / "new", dict))
    assert not versions.identical
    one = rate(0, 72)
    assert ends(figure(versions, "flips")) == (0.0, 0.0, one.high, 72)


def test_reasons_that_moved(made: MadeUp, tmp_path: Path) -> None:
    """Maps with no cell in common are at distance 1; zero on one side only is, too, on both sides it is not."""
    left, right, none = (np.zeros((3, 4), np.float16) for _ in range(3))
    left[:, :2], right[:, 2:] = 1, 1
    kinds = [(left, right), (left, left), (left, none), (none, none)]

    def with_map(side: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda row: row if row["error"] else row | {"map": kinds[row["index"] % 4][side].ravel()}

    versions = of(changed(made, tmp_path / "old", with_map(0)), retrained(made, tmp_path / "new", with_map(1)))
    moved = sum(row["index"] % 4 in (0, 2) for row in answered(made))
    one = rate(moved, 72)
    assert ends(figure(versions, "reasons_moved")) == (one.value, one.low, one.high, 72)
    assert figure(versions, "reasons_moved", distance=1.0).value == 0
    assert figure(versions, "reasons_moved", reason="evidence").value == 0


def test_evidence_of_other_layers_is_not_examined(made: MadeUp, tmp_path: Path) -> None:
    versions = of(made.folder, retrained(made, tmp_path / "new", dict, layer="stage2"))
    found = measure(versions, Rule("reasons_moved", 0.1, reason="evidence"))
    assert found.figure is None
    assert "different layers" in found.unknown


def test_maps_inside_masks(to_cat: Versions) -> None:
    old, new = np.linspace(0, 1, 12), np.linspace(0.5, 0, 12)
    versions = replace(to_cat, inside=InsideMasks(("a",) * 12, old, new))
    one, other = bootstrap(new.tolist()), bootstrap((old - new).tolist())
    assert ends(figure(versions, "evidence_inside")) == (one.mean, one.low, one.high, 12)
    assert ends(figure(versions, "evidence_inside_lost")) == (other.mean, other.low, other.high, 12)
    few = replace(to_cat, inside=InsideMasks(("a",) * 9, old[:9], new[:9], 3, 1, "It is damaged."))
    for given, said in ((to_cat, "No masks of the objects were given"), (few, "Only 9 pictures of 13 have a mask")):
        found = measure(given, Rule("evidence_inside", 0.5))
        assert found.figure is None
        assert said in found.unknown


def test_small_classes_are_not_judged_by_themselves(tmp_path: Path) -> None:
    """Of a class of three pictures nothing is said; those that are large enough may still fail."""

    def with_owls(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"label": "owl"} if row["index"] < 3 else row

    made = make_audit(tmp_path / "made", tmp_path, 43, classes=("cat", "dog"), failed=())
    versions = of(changed(made, tmp_path / "old", with_owls), retrained(made, tmp_path / "new", with_owls))
    found = measure(versions, Rule("class_accuracy", 0.1))
    assert found.figure is not None
    assert "1 class has fewer than 10 pictures: owl (3)" in found.unknown
    assert judged(Rule("class_accuracy", 0.1), found).state == NOT_EXAMINED
    assert judged(Rule("class_accuracy", 0.99), found).state == FAILED
    assert not judged(Rule("class_accuracy", 0.1, if_not_examined="pass"), found).refuses
    assert not measure(versions, Rule("class_accuracy", 0.1, smallest_class=3)).unknown


def test_without_labels_only_answers_and_reasons_are_judged(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "old", tmp_path, 40, labelled=False)
    versions = of(made.folder, retrained(made, tmp_path / "new", lambda row: row | {"predicted": "cat"}))
    rules = [Rule(name, 1 if kind.limit == "at_most" else 0) for name, kind in KINDS.items()]  # which anything keeps
    states = {rule.name: judged(rule, measure(versions, rule)) for rule in rules}
    examined = {name for name, one in states.items() if one.state != NOT_EXAMINED}
    assert examined == {"pictures", "unreadable", "flips", "reasons_moved"}
    assert all(one.refuses and "That refuses" in one.sentence for name, one in states.items() if name not in examined)


def test_calibration_is_that_of_the_rows(to_cat: Versions, made: MadeUp) -> None:
    """The mean distance of probability and share of right answers, over ten bins."""
    rows = answered(made)
    p = np.array([row["probability"] for row in rows])
    right = np.array([row["label"] == "cat" for row in rows])
    bins = np.ceil(p * 10)
    ece = sum(abs(p[bins == one].sum() - right[bins == one].sum()) for one in set(bins.tolist())) / len(rows)
    assert figure(to_cat, "calibration_error").value == pytest.approx(ece, abs=1e-6)


def group(label: str, number: int, share: float, suspect: bool = False, tried: bool = True) -> dict[str, Any]:
    trial = {"suspect": suspect, "sufficiency": {"flipped": 3} if tried else None, "reasons": ["Because."]}
    return {"class": label, "number": number, "share": share, **trial}


def test_suspect_groups(made: MadeUp, tmp_path: Path) -> None:
    """The largest of them counts; a group that was not tried matters where it is larger than the limit."""
    folder = retrained(made, tmp_path / "new", dict)
    versions = of(made.folder, folder)
    clean, small, large = group("dog", 1, 0.6), group("cat", 2, 0.25, suspect=True), group("dog", 3, 0.4, suspect=True)
    untried, tiny = group("owl", 1, 0.9, tried=False), group("owl", 2, 0.1, tried=False)
    before = {"class": "cat", "number": 1, "share": 1.0}
    for content, wanted, state in (
        ([small, clean, large], 0.4, FAILED),
        ([clean], 0.0, PASSED),
        ([small, clean], 0.25, PASSED),
        ([small, tiny], 0.25, PASSED),
        ([small, untried], 0.25, NOT_EXAMINED),
        ([large, untried], 0.4, FAILED),
        ([untried, tiny], None, NOT_EXAMINED),
        ([before], None, NOT_EXAMINED),
        ([], None, NOT_EXAMINED),
    ):
        (folder / "groups.json").write_text(json.dumps(content))
        found = measure(replace(versions), Rule("suspects", 0.3))
        assert (None if found.figure is None else found.figure.value) == wanted
        assert judged(Rule("suspects", 0.3), found).state == state
    for damaged in ('{"class": 1}', "[1]", "[{}]", "no JSON"):
        (folder / "groups.json").write_text(damaged)
        with pytest.raises(CamcoreError, match="damaged"):
            measure(replace(versions), Rule("suspects", 0.3))


def test_notes_say_what_differs(made: MadeUp, to_cat: Versions, tmp_path: Path) -> None:
    assert "The new network says cat to every picture." in notes(to_cat)
    network = replace(made.manifest.network, labels=("cat", "dog", "hen"))
    folder = changed(made, tmp_path / "new", lambda row: row | {"sha256": "0"} if row["index"] == 7 else row)
    write_manifest(folder, replace(made.manifest, network=network, framing="crop", total=90))
    said = " ".join(notes(of(made.folder, folder)))
    for words in (
        "new network has no class 'owl'",
        "old network has no class 'hen'",
        "the framing stretch, the new one crop",
        "1 picture is another file",
        "The audit of the new network: The audit is not finished",
    ):
        assert words in said
