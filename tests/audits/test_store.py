"""The store of an audit, against the rows it was made from."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited import MadeUp, make_audit, unfinished

from camcore.audits.filters import ORDERS, Filters
from camcore.audits.manifest import write_manifest
from camcore.audits.store import Audit, open_audit
from camcore.errors import CamcoreError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "audit [1] o'clock", home / "pictures", 60, failed=(5, 40), groups=True)


@pytest.fixture(scope="module")
def audit(made: MadeUp) -> Audit:
    return open_audit(made.folder)


def chosen(rows: list[dict[str, Any]], where: Filters) -> list[str]:
    """The paths that a filter chooses, in plain Python."""
    groups = {row["path"]: i % 3 for i, row in enumerate(row for row in rows if row["error"] is None)}
    return [
        row["path"]
        for row in rows
        if (row["error"] is not None) == where.failed
        and where.said in (None, row.get("predicted"))
        and where.label in (None, row["label"])
        and where.right in (None, row.get("correct"))
        and (where.low <= row.get("probability", 0) <= where.high or (where.low, where.high) == (0, 1))
        and where.group in (None, groups.get(row["path"]))
        and where.search.lower() in row["path"].lower()
        and (where.paths is None or row["path"] in where.paths)
    ]


@pytest.mark.parametrize(
    "where",
    [
        Filters(),
        Filters(said="dog"),
        Filters(label="cat", right=False),
        Filters(right=True, low=0.6, high=0.8),
        Filters(group=2, said="cat"),
        Filters(search="CAT/01"),
        Filters(search="' or 1=1 --"),
        Filters(search="%"),
        Filters(paths=("cat/001.png", "dog/041.png", "nowhere.png")),
        Filters(paths=()),
        Filters(failed=True),
        Filters(said="a wolf"),
    ],
    ids=repr,
)
def test_a_filter_chooses_the_rows_that_it_names(made: MadeUp, audit: Audit, where: Filters) -> None:
    wanted = chosen(made.rows, where)
    assert audit.table(["path"], where)["path"].to_pylist() == wanted
    assert audit.count(where) == len(wanted)


def test_values_come_back_as_they_were_written(made: MadeUp, audit: Audit) -> None:
    for row, kept in zip((r for r in made.rows if not r["error"]), audit.table().to_pylist(), strict=True):
        assert {name: value for name, value in kept.items() if name != "group"} == {
            name: row[name] for name in kept if name != "group"
        }


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("listing", lambda row: row["index"]),
        ("surest", lambda row: -row["probability"]),
        ("least sure", lambda row: row["probability"]),
        ("true class least", lambda row: row["label_probability"]),
        ("name", lambda row: row["path"]),
    ],
    ids=ORDERS,
)
def test_pages_in_an_order_make_the_whole(made: MadeUp, audit: Audit, order: str, key: Any) -> None:
    wanted = [row["path"] for row in sorted((r for r in made.rows if not r["error"]), key=key)]
    pages = [audit.table(["path"], order=order, limit=25, offset=at)["path"].to_pylist() for at in (0, 25, 50, 75)]
    assert [len(page) for page in pages] == [25, 25, 8, 0]
    assert [path for page in pages for path in page] == wanted


def test_maps_and_evidence_come_in_the_order_asked_for(made: MadeUp, audit: Audit) -> None:
    places = [59, 0, 17, 0, 33]
    paths = [made.rows[place]["path"] for place in places]
    np.testing.assert_array_equal(audit.maps(paths), made.maps[places].astype(np.float32))
    np.testing.assert_array_equal(audit.evidence(paths), made.evidence[places].astype(np.float32))
    assert audit.maps([]).shape == (0, 3, 4)
    assert np.isnan(audit.maps([made.rows[5]["path"]])).all()


def test_lists_may_be_among_the_columns(made: MadeUp, audit: Audit) -> None:
    table = audit.table(["path", "evidence", "group"], Filters(right=False), limit=3)
    wrong = [row for row in made.rows if row.get("correct") is False][:3]
    assert table["path"].to_pylist() == [row["path"] for row in wrong]
    np.testing.assert_array_equal(table["evidence"].to_pylist(), [row["evidence"] for row in wrong])


def test_queries_are_answered(made: MadeUp, audit: Audit) -> None:
    answer = audit.sql("select count(*) as n from pictures where label = ? and list_max(map) <= 1", ["cat"])
    assert answer.to_pylist() == [{"n": sum(r["label"] == "cat" and not r["error"] for r in made.rows)}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "no query",
        "select nothing from pictures",
        "select 1; select 2",
        "select ?",
        "delete from rows",
        "drop view pictures",
        "with gone as (delete from rows returning 1) select * from gone",
        "copy rows to '{parts}/stolen.csv'",
        "with c as (copy (select 1) to '{parts}/stolen.csv') select 1",
        "select 'é' as e, * from (with c as (CoPy(select 1) to '{parts}/stolen.csv') select 1)",
        "attach '{parts}/stolen.db'",
        "set memory_limit = '100GB'",
        "install httpfs",
        "select * from read_text('/etc/passwd')",
        "select * from read_text('{parts}/../audit.json')",
        "select * from read_parquet('https://example.org/x.parquet')",
        "select * from glob('/*')",
    ],
)
def test_a_query_that_may_not_be_is_refused(made: MadeUp, audit: Audit, query: str) -> None:
    parts = made.folder / "pictures"
    before = sorted(parts.iterdir())
    with pytest.raises(CamcoreError, match="one SELECT over the table pictures"):
        audit.sql(query.replace("{parts}", str(parts).replace("'", "''")))
    assert sorted(parts.iterdir()) == before
    assert audit.count() == 58


def test_what_does_not_exist_is_named(audit: Audit) -> None:
    with pytest.raises(CamcoreError, match=r"no column of an audit 'paht'.*Choose 'path'"):
        audit.table(["paht"])
    with pytest.raises(CamcoreError, match="no order of an audit's rows 'sure'"):
        audit.table(order="sure")
    with pytest.raises(CamcoreError, match="offset=-1"):
        audit.table(offset=-1)
    with pytest.raises(CamcoreError, match=r"no picture 'cat/900\.png'"):
        audit.maps(["cat/900.png"])


def test_threads_ask_at_the_same_time(audit: Audit) -> None:
    counts: list[int] = []

    def ask(said: str) -> None:
        counts.extend(audit.count(Filters(said=said)) for _ in range(20))

    threads = [threading.Thread(target=ask, args=(said,)) for said in ("cat", "dog") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(counts)) == sorted({audit.count(Filters(said="cat")), audit.count(Filters(said="dog"))})
    assert len(counts) == 120


def test_a_damaged_part_is_left_out_and_noted(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 40)
    part = made.folder / "pictures" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-30])
    audit = open_audit(made.folder)
    assert audit.table(["path"])["path"].to_pylist() == [
        r["path"] for i, r in enumerate(made.rows) if i != 5 and not 16 <= i < 32
    ]
    assert len(audit.notes) == 1
    assert "part-000001.parquet" in audit.notes[0]


def test_lists_of_a_part_damaged_since_are_refused(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 40)
    audit = open_audit(made.folder)
    (made.folder / "pictures" / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(CamcoreError, match="part-000001"):
        audit.maps([made.rows[20]["path"]])


def test_lists_of_another_length_are_refused(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 20)
    write_manifest(made.folder, replace(made.manifest, grid=(7, 7)))
    with pytest.raises(CamcoreError, match="12 values instead of 49"):
        open_audit(made.folder).maps([made.rows[0]["path"]])


def test_an_audit_at_work_says_how_far_it_is(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 20)
    unfinished(made, 1000)
    (note,) = open_audit(made.folder).notes
    assert "20 of 1,000 pictures are done" in note


@pytest.mark.parametrize("damaged", [False, True])
def test_an_audit_without_rows_is_refused(tmp_path: Path, damaged: bool) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 10)
    part = made.folder / "pictures" / "part-000000.parquet"
    part.write_bytes(b"no parquet")
    if not damaged:
        part.unlink()
    with pytest.raises(CamcoreError, match="All of its parts" if damaged else "before its first pictures"):
        open_audit(made.folder)


@pytest.mark.parametrize("folder", ["nowhere", "nul\0", "~no such user/audit", ""])
def test_what_is_no_audit_is_refused(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CamcoreError):
        open_audit(folder)
