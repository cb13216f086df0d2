"""Two audits compared, against the same figures counted in plain Python from the rows that were made up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from audited import GRID, MadeUp, always, changed, make_audit

import camcore
from camcore.audits import comparison
from camcore.audits.comparison import Comparison, compare_audits
from camcore.audits.joined import LOST, OTHER, SAME, WON
from camcore.audits.manifest import write_manifest
from camcore.audits.paired import paired_rates
from camcore.audits.schema import PARTS, part_name
from camcore.audits.store import open_audit

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "old", home, 75, classes=CLASSES, failed=(1, 2, 60))


@pytest.fixture(scope="module")
def to_cat(old: MadeUp, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The audit beside one of a network that says cat to everything."""
    return compare_audits(old.folder, changed(old, tmp_path_factory.mktemp("audits") / "new", always("cat")))


def answered(made: MadeUp) -> list[dict[str, Any]]:
    return [row for row in made.rows if row["error"] is None]


def test_an_audit_does_not_differ_from_itself_at_all(old: MadeUp) -> None:
    found = camcore.compare_audits(old.folder, open_audit(old.folder))
    assert found.counts == {LOST: 0, WON: 0, OTHER: 0, SAME: 72}
    assert (found.accuracy.difference, found.accuracy.p) == (0.0, 1.0)
    assert [one.winner for one in found.classes] == ["", "", ""]
    assert not np.any(found.pictures["map_distance"].to_numpy())
    assert not np.any(found.pictures["evidence_distance"].to_numpy())
    assert (found.only_old, found.only_new, found.replaced, found.relabelled) == (0, 0, 0, 0)


def test_pictures_that_changed_sides(old: MadeUp, to_cat: Comparison) -> None:
    def kind(row: dict[str, Any]) -> str:
        if row["predicted"] == "cat":
            return SAME
        return WON if row["label"] == "cat" else LOST if row["correct"] else OTHER

    wanted = {row["path"]: kind(row) for row in answered(old)}
    rows = to_cat.pictures.to_pylist()
    assert {row["path"]: row["change"] for row in rows} == wanted
    assert Counter(wanted.values()) == to_cat.counts
    assert min(to_cat.counts.values()) > 0
    assert [row["path"] for row in rows] == [row["path"] for row in answered(old)]
    assert {(row["old"], row["new"]) for row in rows} == {(row["predicted"], "cat") for row in answered(old)}


def test_accuracy_and_classes_are_counted_on_the_same_pictures(old: MadeUp, to_cat: Comparison) -> None:
    def counts(rows: list[dict[str, Any]]) -> list[int]:
        pairs = Counter((row["correct"], row["label"] == "cat") for row in rows)
        return [pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False]]

    assert to_cat.accuracy == paired_rates(*counts(answered(old)))
    found = {one.label: one.found for one in to_cat.classes}
    assert found == {
        label: paired_rates(*counts([row for row in answered(old) if row["label"] == label])) for label in CLASSES
    }
    # Of 24 dogs and 25 owls 18 and more are lost, none is won.
    assert {one.label: one.winner for one in to_cat.classes if one.label != "cat"} == {"dog": "old", "owl": "old"}


def test_the_pictures_of_a_change_stand_in_order(old: MadeUp, to_cat: Comparison) -> None:
    lost = to_cat.changed(LOST)["new_probability"].to_pylist()
    assert lost == sorted(lost, reverse=True)
    assert len(lost) == to_cat.counts[LOST]
    assert to_cat.changed(LOST, 5, 3).equals(to_cat.changed(LOST).slice(3, 5))
    assert not len(to_cat.changed(LOST, 5, 1000))
    with pytest.raises(camcore.CamcoreError, match="no change between audits"):
        to_cat.changed("better")


def test_reasons_that_moved_are_measured_picture_by_picture(old: MadeUp, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    # In another order, so that the places in the two audits differ.
    maps = {row["path"]: rng.random(GRID).astype(np.float16) for row in old.rows}
    evidence = {row["path"]: rng.random(6).astype(np.float16) for row in old.rows}
    zero = answered(old)[4]["path"]
    maps[zero] *= 0
    evidence[zero] *= 0

    def other(row: dict[str, Any]) -> dict[str, Any]:
        given = {"map": maps[row["path"]].ravel(), "evidence": evidence[row["path"]]}
        return row if row["error"] else row | given

    mixed = replace(old, rows=[old.rows[place] for place in rng.permutation(len(old.rows))])
    found = compare_audits(old.folder, changed(mixed, tmp_path / "new", other))
    for row in found.pictures.to_pylist():
        place = next(one["index"] for one in old.rows if one["path"] == row["path"])
        if row["path"] == zero:
            assert np.isnan([row["map_distance"], row["evidence_distance"]]).all()
            continue
        # All cells are of one size on the picture, which is stretched.
        shares = [one / one.sum() for one in (old.maps[place].astype(float), maps[row["path"]].astype(float))]
        assert row["map_distance"] == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2, abs=1e-6)
        one, another = old.evidence[place].astype(float), evidence[row["path"]].astype(float)
        cosine = one @ another / np.linalg.norm(one) / np.linalg.norm(another)
        assert row["evidence_distance"] == pytest.approx(1 - cosine, abs=1e-6)
    moved = found.changed(SAME)
    assert moved["path"][-1].as_py() == zero
    assert moved["map_distance"].to_pylist()[:-1] == found.moved[::-1].tolist()
    assert sorted(moved["evidence_distance"].to_pylist()[:-1]) == found.evidence_moved.tolist()


def test_batches_do_not_matter(
    old: MadeUp, to_cat: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 7)
    again = compare_audits(old.folder, changed(old, tmp_path / "new", always("cat")))
    assert again.pictures.equals(to_cat.pictures)


def test_evidence_of_another_layer_is_not_compared(old: MadeUp, tmp_path: Path) -> None:
    folder = changed(old, tmp_path / "new", always("cat"))
    write_manifest(folder, replace(old.manifest, layer="stage2"))
    found = compare_audits(old.folder, folder)
    assert np.isnan(found.pictures["evidence_distance"].to_numpy()).all()
    assert not len(found.evidence_moved)
    assert not found.moved.any()


def test_without_labels_the_answers_are_compared(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "old", tmp_path, 40, labelled=False)
    found = compare_audits(made.folder, changed(made, tmp_path / "new", lambda row: row | {"predicted": "cat"}))
    same = sum(row["predicted"] == "cat" for row in answered(made))
    assert found.counts == {LOST: 0, WON: 0, OTHER: 39 - same, SAME: same}
    assert (found.accuracy.old.n, found.classes) == (0, ())


def test_only_what_both_have_is_compared(old: MadeUp, tmp_path: Path) -> None:
    rows = answered(old)
    gone, failed, replaced, relabelled, unlabelled = (row["path"] for row in rows[:5])

    def other(row: dict[str, Any]) -> dict[str, Any] | None:
        emptied = {name: None for name in row if name not in ("index", "path", "label")}
        changes: dict[str, dict[str, Any]] = {
            failed: emptied | {"error": "It is damaged."},
            replaced: {"sha256": "f" * 64},
            relabelled: {"label": "owl", "correct": False},
            unlabelled: {"label": None, "correct": None},
            old.rows[1]["path"]: rows[0] | {"path": old.rows[1]["path"]},  # it could not be used before
        }
        return None if row["path"] == gone else row | changes.get(row["path"], {})

    found = compare_audits(old.folder, changed(old, tmp_path / "new", other))
    kept = [row for row in rows if row["path"] not in (gone, failed, replaced)]
    assert found.pictures["path"].to_pylist() == [row["path"] for row in kept]
    assert (found.only_old, found.only_new, found.replaced, found.relabelled) == (3, 2, 1, 1)
    assert found.accuracy.old.n == len(kept) - 2
    assert found.accuracy.old.count == sum(row["correct"] for row in kept[2:])
    assert found.counts[SAME] == len(kept)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda row: row | {"path": "elsewhere/" + row["path"]}, "the same path"),
        (lambda row: row | {"sha256": row.get("sha256", "")[::-1]}, "72 paths in common, but other files"),
        (lambda row: row | {"error": "It is damaged."}, "the same path"),
    ],
    ids=["another folder", "other files", "all damaged"],
)
def test_audits_of_other_pictures_are_refused(old: MadeUp, tmp_path: Path, other: Any, said: str) -> None:
    with pytest.raises(camcore.CamcoreError, match=said):
        compare_audits(old.folder, changed(old, tmp_path / "new", other))


def test_a_damaged_part_is_told(old: MadeUp, tmp_path: Path) -> None:
    folder = changed(old, tmp_path / "new", always("cat"))
    part = folder / PARTS / part_name(2)
    audit = open_audit(folder)
    pq.write_table(pq.read_table(part).drop_columns(["map"]), part)
    with pytest.raises(camcore.CamcoreError, match=r"part-000002.*cannot be"):
        compare_audits(old.folder, audit)
