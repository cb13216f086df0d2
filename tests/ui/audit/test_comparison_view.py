"""The comparison as the page makes it, and its figures, against those of the library and counts in plain Python."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited import make_audit

from camcore.audits import comparison
from camcore.audits.comparison import Comparison, compare_audits
from camcore.text import MINUS
from ui.audit.comparison_figures import moved, numbers, points
from ui.audit.comparison_view import as_csv, comparing
from ui.audit.opened import OpenAudit, opening


def opened_audit(folder: Path) -> OpenAudit:
    *_, last = opening(folder).steps(None, None)
    return last.value


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two audits of the same pictures, with other maps and as many mistakes; each could not use another picture."""
    one, other = (
        make_audit(tmp_path / name, tmp_path, 40, seed=seed, failed=(seed,)) for seed, name in enumerate("ab")
    )
    return one.folder, other.folder


@pytest.fixture
def made(folders: tuple[Path, Path]) -> Comparison:
    return compare_audits(*folders)


def test_the_page_compares_as_the_library_does(
    folders: tuple[Path, Path], made: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 15)
    *growing, last = comparing(*map(opened_audit, folders)).steps(None, None)
    assert last.value.pictures.equals(made.pictures)
    assert last.value.accuracy == made.accuracy
    assert [update.share for update in growing] == pytest.approx([0.99 * 15 / 38, 0.99 * 30 / 38, 0.99])


def test_the_file_holds_every_picture(made: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(made).decode())))
    assert [row["path"] for row in rows] == made.pictures["path"].to_pylist()
    assert Counter(row["change"] for row in rows) == Counter(made.pictures["change"].to_pylist())
    assert np.float32([row["map_distance"] for row in rows]).tolist() == made.pictures["map_distance"].to_pylist()


def test_the_histogram_counts_the_pictures_with_the_same_answer(made: Comparison) -> None:
    rows = made.pictures.to_pylist()
    same = [row["map_distance"] for row in rows if row["change"] == "same answer"]
    (bars,) = moved(made).data
    assert sum(bars.y) == len(same)
    tenths = Counter(int(distance * 20) for distance in same)
    assert list(bars.y) == [tenths[bin_] for bin_ in range(20)]


def test_numbers_without_labels_tell_the_answers(made: Comparison, tmp_path: Path) -> None:
    assert [name for _, name, _ in numbers(made)][:2] == ["are right in this audit", "are right in the other"]
    unlabelled = [make_audit(tmp_path / f"un{seed}", tmp_path, 40, labelled=False, seed=seed) for seed in (0, 1)]
    found = numbers(compare_audits(*(one.folder for one in unlabelled)))
    assert found[0][1:] == ("have the same answer", "0 of 39 have another")


def test_differences_have_a_sign() -> None:
    assert [points(share) for share in (0.0123, -0.5, 0.0, -0.00001)] == ["+1.2", f"{MINUS}50.0", "0.0", "0.0"]


def test_maps_of_zeros_only_leave_the_figures(made: Comparison) -> None:
    nothing = made.pictures.set_column(
        made.pictures.column_names.index("map_distance"), "map_distance", [np.full(38, np.nan, np.float32)]
    )
    empty = replace(made, pictures=nothing)
    assert len(numbers(empty)) == len(numbers(made)) - 1
    (bars,) = moved(empty).data
    assert not any(bars.y)
