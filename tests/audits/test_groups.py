"""Groups of an audit against its rows, worked out in plain Python."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from audited import MadeUp
from grouped import EMPTY, grouped_audit, kind_of

from camcore.audits import finding, grouping
from camcore.audits.finding import write_groups
from camcore.audits.groups import Group, failing_groups, read_groups
from camcore.audits.patches import patch_box
from camcore.errors import CamcoreError
from camcore.framing import CellGrid, frame_for


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return grouped_audit(home / "audit", home / "pictures")


@pytest.fixture(scope="module")
def found(made: MadeUp) -> tuple[Group, ...]:
    return write_groups(made.folder)


def expected(made: MadeUp) -> dict[tuple[str, object], list[int]]:
    """The rows of each class said and kind of evidence (None: of none)."""
    kinds: dict[tuple[str, object], list[int]] = {}
    for place, row in enumerate(made.rows):
        if row["error"] is None:
            kinds.setdefault((row["predicted"], None if place in EMPTY else kind_of(place)), []).append(place)
    return kinds


def places(made: MadeUp, group: Group) -> list[int]:
    by_path = {row["path"]: place for place, row in enumerate(made.rows)}
    return [by_path[path] for path in group.members]


def test_groups_are_the_kinds_of_evidence(made, found):
    assert sorted(places(made, one) for one in found) == sorted(expected(made).values())
    assert {one.evidence for one in found if set(places(made, one)) & set(EMPTY)} == {False}
    assert [one.label for one in found] == sorted(one.label for one in found)
    for label in ("cat", "dog"):
        of_class = [one for one in found if one.label == label]
        assert [one.number for one in of_class] == list(range(1, len(of_class) + 1))
        assert [one.size for one in of_class if one.evidence] == sorted(
            (one.size for one in of_class if one.evidence), reverse=True
        )
        assert sum(one.share for one in of_class) == pytest.approx(1)


def test_accuracy_is_counted_with_wilsons_interval(made, found):
    for one in found:
        rows = [made.rows[place] for place in places(made, one)]
        right, n = sum(row["correct"] for row in rows), len(rows)
        p, z = right / n, 1.959964
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        assert one.accuracy is not None
        assert one.class_accuracy is not None
        assert (one.accuracy.count, one.accuracy.n) == (right, n)
        assert one.accuracy.low == pytest.approx((middle - half) / (1 + z * z / n), abs=1e-6)
        assert one.accuracy.high == pytest.approx((middle + half) / (1 + z * z / n), abs=1e-6)
        of_class = [row for row in made.rows if row["error"] is None and row["predicted"] == one.label]
        assert one.class_accuracy.value == pytest.approx(np.mean([row["correct"] for row in of_class]))


def test_mean_maps_and_channels_are_means_over_the_members(made, found):
    for one in found:
        rows = places(made, one)
        np.testing.assert_allclose(one.mean_map, made.maps[rows].astype(np.float64).mean(axis=0), atol=1e-6)
        of_class = [place for other in found if other.label == one.label for place in places(made, other)]
        means = [made.evidence[of].astype(np.float64).mean(axis=0) for of in (rows, of_class)]
        for channel in one.channels:
            np.testing.assert_allclose([channel.mean, channel.class_mean], [mean[channel.channel] for mean in means])
        if one.evidence:
            assert one.channels[0].channel == np.argmax(means[0] - means[1])
            kind = kind_of(rows[0])
            assert {channel.channel for channel in one.channels[:3]} == set(range(3 * kind, 3 * kind + 3))
        else:
            assert one.channels == ()


def test_patches_are_those_of_the_members_most_like_the_mean(made, found):
    cells = CellGrid.uniform(made.manifest.grid, made.manifest.network.input_size)
    frame = frame_for((40, 48), made.manifest.network.input_size, "stretch")
    by_path = {row["path"]: place for place, row in enumerate(made.rows)}
    for one in found:
        if not one.evidence:
            assert one.patches == ()
            continue
        evidence = made.evidence[places(made, one)].astype(np.float64)
        unit = evidence / np.linalg.norm(evidence, axis=1, keepdims=True)
        cosines = unit @ unit.mean(axis=0)
        nearest = [one.members[place] for place in np.argsort(-cosines)[: grouping.NEAREST]]
        assert [patch.path for patch in one.patches] == nearest
        for patch in one.patches:
            assert patch.box == patch_box(made.maps[by_path[patch.path]].astype(np.float32), frame, cells)


def test_they_are_read_as_they_were_written(made, found):
    for one, other in zip(found, read_groups(made.folder), strict=True):
        np.testing.assert_allclose(one.mean_map, other.mean_map, atol=1e-4)
        assert {**vars(one), "mean_map": None} == {**vars(other), "mean_map": None}


def test_the_table_has_the_group_of_every_answer_once(made, found):
    table = pq.read_table(made.folder / "groups.parquet")
    group_of = dict(zip(table["path"].to_pylist(), table["group"].to_pylist(), strict=True))
    assert len(group_of) == len(table)
    assert group_of == {path: place for place, one in enumerate(found) for path in one.members}
    assert not {row["path"] for row in made.rows if row["error"] is not None} & set(group_of)


def test_a_sample_of_each_class_in_turns_gives_the_same_groups(made, found, monkeypatch):
    monkeypatch.setattr(grouping, "SAMPLE", 40)
    monkeypatch.setattr(grouping, "_HELD_BYTES", 4 * made.manifest.channels * 41)
    assert [one.members for one in write_groups(made.folder)] == [one.members for one in found]


def test_of_large_audits_members_are_listed_in_proportion(made, found, monkeypatch):
    monkeypatch.setattr(finding, "LISTED", 30)
    limited = write_groups(made.folder)
    total = sum(one.size for one in found)
    assert [one.size for one in limited] == [one.size for one in found]
    for one, whole in zip(limited, found, strict=True):
        assert one.members == whole.members[: math.ceil(whole.size * 30 / total)]


def test_failing_groups_come_worst_first(found):
    failing = failing_groups(found)
    assert set(failing) == {one for one in found if one.accuracy.value < one.class_accuracy.value}
    assert [one.accuracy.high for one in failing] == sorted(one.accuracy.high for one in failing)
    for one in found:
        assert one.clearly_failing == (one.accuracy.high < one.class_accuracy.value)


def test_without_labels_there_is_no_accuracy(tmp_path: Path):
    made = grouped_audit(tmp_path / "audit", tmp_path / "pictures", labelled=False)
    found = write_groups(made.folder)
    assert {(one.accuracy, one.class_accuracy) for one in found} == {(None, None)}
    assert failing_groups(found) == ()
    assert [one.members for one in read_groups(made.folder)] == [one.members for one in found]


@pytest.mark.parametrize("content", [None, "{", "{}", "[1]", '[{"class": "cat"}]', "[" * 100_000])
def test_damaged_groups_are_told(tmp_path, content):
    if content is not None:
        (tmp_path / "groups.json").write_text(content)
    with pytest.raises(CamcoreError, match="Run the same audit again"):
        read_groups(tmp_path)


def test_a_damaged_part_is_told(tmp_path):
    made = grouped_audit(tmp_path / "audit", tmp_path / "pictures", 40)
    part = made.folder / "pictures" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(CamcoreError, match=r"part-000001\.parquet"):
        write_groups(made.folder)
