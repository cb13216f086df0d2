"""The Audit page, run by Streamlit's own test runner: on audits made up for it, and on one that it makes itself."""

from __future__ import annotations

import errno
import shutil
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import captions, components, headline, html, run, text, until, visit
from audited import MadeUp, draw_pictures, make_audit, unfinished
from labelled import make_folder
from streamlit.testing.v1 import AppTest
from zip_files import packed, picture

import camcore
from camcore.audits.manifest import write_manifest
from camcore.audits.nearest import evidence_in_box, most_alike
from camcore.audits.parts import part_files
from ui.audit import running

page = partial(visit, "pages/audit.py")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """60 pictures with their files; one in four is wrong, two could not be used."""
    home = tmp_path_factory.mktemp("audits")
    made = make_audit(home / "audit", home / "pictures", 60, failed=(5, 40))
    draw_pictures(made)
    return made


@pytest.fixture(autouse=True)
def at_home(pets: Path) -> None:
    """A small network is here, and no weights have to be downloaded."""


def tiles(at: AppTest) -> list[dict[str, Any]]:
    """The pictures of the gallery."""
    return [item for data in components(at) if "Pictures;" in str(data.get("label")) for item in data["items"]]


def drawn(at: AppTest) -> bool:
    """All pictures of the gallery are there."""
    shown = tiles(at)
    return bool(shown) and all(item["src"] for item in shown)


def opened(made: MadeUp, **query: Any) -> AppTest:
    """The page on an audit, once its figures are there."""
    return until(page(audit=made.folder, **query), lambda at: "Each map is scaled from 0" in captions(at))


def test_without_an_audit_one_can_be_begun() -> None:
    at = page()
    assert headline(at) == "Audit a network on many pictures"
    assert at.button(key="audit_begin").disabled
    assert not run(at.text_input(key="pictures").set_value("somewhere").run()).button(key="audit_begin").disabled


def test_an_audit_is_opened(made: MadeUp) -> None:
    at = until(opened(made), drawn)
    right = sum(bool(row.get("correct")) for row in made.rows)
    assert headline(at) == f"pets is right on {100 * right / 58:.0f}\N{NO-BREAK SPACE}% of 58 pictures"
    assert f"{right} of 58" in html(at)
    assert "2 could not be used" in captions(at)
    assert "1 to 40 of 58 pictures" in captions(at)
    first = next(item for item in tiles(at))
    assert (first["id"], first["note"]) == ("cat/000.png", "right")


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ({"answer": "wrong"}, lambda row: row["correct"] is False),
        ({"said": "dog", "truth": "cat"}, lambda row: (row["predicted"], row["label"]) == ("dog", "cat")),
        ({"least": 60, "most": 75}, lambda row: 0.6 <= row["probability"] <= 0.75),
        ({"least": 75, "most": 60}, lambda row: 0.6 <= row["probability"] <= 0.75),
        ({"search": "DOG/03"}, lambda row: "dog/03" in row["path"]),
        ({"search": "<script>"}, lambda row: False),
        ({"search": "nul\0' or 1=1"}, lambda row: False),
    ],
)
def test_the_address_chooses_pictures(made: MadeUp, query: dict[str, Any], chosen: Any) -> None:
    at = opened(made, **query)
    wanted = [row["path"] for row in made.rows if row["error"] is None and chosen(row)]
    assert [item["id"] for item in tiles(at)] == wanted[:40]
    assert f"{len(wanted):,} picture" in captions(at)
    kept = {name: at.query_params.get(name) for name in query}
    assert kept == {name: str(value) for name, value in query.items()} or query["least"] > query["most"]


@pytest.mark.parametrize("at_percent", [0, 35, 50, 100])
def test_the_threshold_of_two_classes_is_that_of_the_address(made: MadeUp, at_percent: int) -> None:
    at = until(opened(made, threshold=at_percent), lambda at: "is its confidence off" in html(at))
    rows = [row for row in made.rows if row["error"] is None]
    second = [row["probability"] if row["predicted"] == "dog" else 1 - row["probability"] for row in rows]
    right = sum((p >= at_percent / 100) == (row["label"] == "dog") for p, row in zip(second, rows, strict=True))
    parts = at.get("html")
    assert f"{right} of 58;" in next(one.proto.body for one in parts if "is its confidence off" in one.proto.body)


def test_average_maps_are_of_right_and_wrong_answers(made: MadeUp) -> None:
    at = until(opened(made), lambda at: "predicted cat, wrong" in html(at))
    rows = [row for row in made.rows if row["error"] is None]
    for label in ("cat", "dog"):
        for right, word in ((True, "right"), (False, "wrong")):
            count = sum((row["predicted"], row["correct"]) == (label, right) for row in rows)
            assert f"<b>predicted {label}, {word}</b><span>{count} pictures</span>" in html(at)


def test_of_many_classes_one_has_its_roc(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 80, classes=tuple(f"class {i}" for i in range(8)))
    told = opened(made, roc="class 9")
    assert "so it has no ROC" in text(told)
    at = until(opened(made, roc="class 2"), lambda at: len(at.get("plotly_chart")) > 3)
    assert any("ROC of class 2 against the rest" in one.proto.spec for one in at.get("plotly_chart"))
    assert not [one for one in at.slider if one.key == "threshold"]


def test_pages_are_turned_and_kept_in_the_address(made: MadeUp) -> None:
    at = opened(made, sort="name")
    paths = sorted(row["path"] for row in made.rows if row["error"] is None)
    run(at.button(key="audit_on").click().run())
    assert [item["id"] for item in tiles(at)] == paths[40:]
    assert at.query_params["page"] == "2"
    assert at.button(key="audit_on").disabled
    assert [item["id"] for item in tiles(opened(made, sort="name", page=99))] == paths[40:]


def test_unusable_pictures_are_listed_with_the_reason(made: MadeUp) -> None:
    at = opened(made, answer="unusable")
    table = at.dataframe[-1].value
    assert table["picture"].tolist() == [made.rows[5]["path"], made.rows[40]["path"]]
    assert set(table["why"]) == {"It is damaged."}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"said": "wolf"}, "“wolf”"),
        ({"truth": "wolf"}, "“wolf”"),
        ({"group": 7}, "no group 7"),
        ({"threshold": 140}, "between 0 and 100"),
        ({"group": "x"}, "whole number"),
        ({"sort": "surset"}, "Did you mean “surest”?"),
        ({"answer": "maybe"}, "does not exist"),
        ({"least": 140}, "between 0 and 100"),
        ({"page": 0}, "too small"),
        ({"most": -1}, "between 0 and 100"),
        ({"draw": "x"}, "does not exist"),
        ({"opacity": "x"}, "whole number"),
        ({"model": "NoNet"}, "does not exist"),
        ({"change": "x"}, "does not exist"),
        ({"change_page": 0}, "too small"),
        ({"page": "9" * 5000}, "whole number"),
        ({"box": "1,2"}, "four numbers"),
        ({"box": "nan,1,0,1"}, "have to be finite"),
        ({"part": "1,2,3"}, "four whole numbers"),
        ({"part": "9,0,4,5"}, "have to lie before"),
    ],
)
def test_what_a_link_cannot_mean_is_told(made: MadeUp, query: dict[str, Any], said: str) -> None:
    at = opened(made, **query)
    assert said in text(at)
    assert "1 to 40 of 58 pictures" in captions(at)


def test_without_labels_it_is_told_what_is_said(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30, labelled=False)
    at = opened(made, answer="wrong", sort="true class least")
    assert headline(at) == "pets on 29 pictures without labels"
    assert "so that none is right or wrong" in text(at)
    assert "no true class to sort by" in text(at)
    assert "are predicted as “cat”" in html(at)
    assert "The pictures" in [one.value for one in at.subheader]


def test_pictures_that_are_gone_do_not_stop_the_page(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path / "nowhere", 12)
    at = until(opened(made), lambda at: "cannot be shown now" in html(at))
    assert "11 pictures of this page" in html(at)


def test_an_audit_that_is_not_finished_is_shown_with_a_note(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 20)
    unfinished(made, 1000)
    assert "20 of 1,000 pictures are done" in text(opened(made))


@pytest.mark.parametrize(
    "folder",
    [
        "nowhere",
        "~no such user",
        "nul\0",
        "<b>x</b>",
        "empty",
        "damaged",
        "newer",
        "a" * 5000,
        "/dev/null",
        "audit.json",
    ],
)
def test_what_is_no_audit_is_told(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    make_audit(tmp_path / "damaged", tmp_path, 3)
    (tmp_path / "damaged" / "pictures" / "part-000000.parquet").write_bytes(b"x")
    write_manifest(tmp_path / "newer", replace(make_audit(tmp_path / "newer", tmp_path, 3).manifest, schema=99))
    (tmp_path / "audit.json").write_text("{}")
    at = until(page(audit=folder), lambda at: "This audit cannot be opened" in html(at))
    assert "<b>x" not in html(at)


def test_more_like_this_are_the_pictures_of_alike_evidence(made: MadeUp) -> None:
    at = until(opened(made, like="cat/007.png", answer="wrong"), lambda at: "most like" in captions(at) and tiles(at))
    places = [i for i in range(60) if i not in (5, 40)]
    vectors = made.evidence[places].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = [places[i] for i in np.argsort(-vectors @ vectors[places.index(7)], kind="stable")[:40]]
    wanted = [made.rows[i]["path"] for i in nearest if not made.rows[i]["correct"]]
    assert [item["id"] for item in tiles(at)] == wanted
    run(at.button(key="audit_clear").click().run())
    assert "1 to 40 of 58 pictures" in captions(at)


def test_nothing_is_like_a_picture_that_is_not_there(made: MadeUp) -> None:
    at = until(opened(made, like="<b>x</b>"), lambda at: "cannot be found" in html(at))
    assert "<b>x" not in html(at)


def test_an_audit_that_vanishes_while_it_is_open_is_told(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 12)
    at = opened(made)
    shutil.rmtree(made.folder)
    run(at.selectbox(key="answer").set_value("wrong").run())
    until(at, lambda at: "This audit cannot be opened" in html(at))


def test_damaged_groups_leave_the_rest(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 20)
    (made.folder / "groups.json").write_text('[{"class": 1}]')
    at = opened(made)
    assert "holds no groups" in text(at)
    assert headline(at).startswith("pets is right")


def test_a_folder_is_audited(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures", {"cat": 6, "dog": 5})
    (tmp_path / "pictures" / "dog" / "broken.jpg").write_bytes(b"\xff\xd8\xff damaged")
    at = page(model="pets", pictures=tmp_path / "pictures")
    run(at.button(key="audit_begin").click().run())
    until(at, lambda at: "How good is it?" in [one.value for one in at.subheader])
    assert headline(at).endswith("of 11 pictures")
    assert "1 could not be used" in captions(at)
    assert Path(at.query_params["audit"]).is_dir()
    until(at, drawn)
    assert len(tiles(at)) == 11
    run(at.button(key="audit_new").click().run())
    assert headline(at) == "Audit a network on many pictures"


def test_without_room_on_the_disk_no_audit_is_begun_and_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    at = page(model="pets", pictures=tmp_path)
    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    run(at.button(key="audit_begin").click().run())
    assert "Nothing can be kept for you on this machine: No space left on device." in html(at)
    assert headline(at) == "Audit a network on many pictures"


def test_an_audit_that_a_killed_server_left_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    make_folder(tmp_path / "pictures", {"cat": 6, "dog": 5})
    left = tmp_path / f"camcore-visitor-{2**22 + 1}-x" / "audits" / "pets_pictures_1"
    monkeypatch.setattr(running, "CHUNK", 4)
    with closing(
        camcore.audit(camcore.load("pets"), tmp_path / "pictures", left, workers=0, chunk=running.CHUNK)
    ) as steps:
        next(step for step in steps if step.done == 8)
    at = page(model="pets", pictures=tmp_path / "pictures")
    run(at.button(key="audit_begin").click().run())
    until(at, lambda at: "How good is it?" in [one.value for one in at.subheader])
    assert headline(at).endswith("of 11 pictures")
    folder = Path(at.query_params["audit"])
    assert folder.name == left.name
    assert len(part_files(folder)) == 3
    assert not left.exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: None, "cannot be read"),
        (lambda root: root.mkdir(), "no pictures"),
        (lambda root: make_folder(root, {"wolf": 2}), "wolf"),
        (
            lambda root: (root.mkdir(), (root / "cat.txt").write_text("meow")),
            "1 file there can be opened as no picture",
        ),
        (lambda root: root.write_text("words"), "cannot be read"),
    ],
    ids=["nowhere", "empty", "another class", "text files", "a file"],
)
def test_pictures_that_cannot_be_audited_are_told(make: Any, said: str, tmp_path: Path) -> None:
    make(tmp_path / "pictures")
    at = page(model="pets", pictures=tmp_path / "pictures")
    run(at.button(key="audit_begin").click().run())
    until(at, lambda at: "could not be audited" in html(at))
    assert said in html(at)
    run(at.button(key="audit_back_to_form").click().run())
    assert at.text_input(key="pictures").value == str(tmp_path / "pictures")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"../../a/1.png": picture(), "<i>/1.png": picture(), "C:\\b\\1.png": picture()}, "2 class folders"),
        ({"cat/1.png": picture(), "cat/2.png": picture()}, "2 uploaded pictures, without labels"),
        ({"1.png": picture(), "notes.txt": b"words"}, "1 uploaded picture, without labels"),
        ({"notes.txt": b"words"}, "These files cannot be used"),
        ({}, "These files cannot be used"),
    ],
    ids=["hostile names", "one class", "flat", "text files", "empty"],
)
def test_uploads_are_told_as_they_arrive(files: dict[str, bytes], said: str) -> None:
    at = page(model="pets")
    at.file_uploader[0].upload("pictures.zip", packed(files).getvalue())
    run(at)
    assert said in captions(at) + html(at)
    assert at.button(key="audit_begin").disabled == ("cannot be used" in said)


def test_more_like_a_box_of_this(pets: Path, tmp_path: Path) -> None:
    pictures, network = make_folder(tmp_path / "pictures", {"cat": 6, "dog": 6}), camcore.load("pets")
    for _ in camcore.audit(network, pictures, tmp_path / "audit", workers=0):
        pass
    audit = camcore.open_audit(tmp_path / "audit")
    patch = next(group.patches[0] for group in audit.groups() if group.evidence)
    path, box, (top, left, bottom, _) = patch.path, ",".join(map(str, patch.box)), patch.box
    pic, (values,) = camcore.open_picture(pictures / path), audit.maps([path])
    wanted = most_alike(audit.folder, evidence_in_box(network, audit.manifest, pic, values, patch.box))

    def there(at: AppTest) -> bool:
        return "that in the box" in text(at) and bool(tiles(at))

    at = until(page(audit=audit.folder, like=path, part=box), there)
    assert [item["id"] for item in tiles(at)][: len(wanted)] == [one.path for one in wanted]
    (drawn,) = (data for data in components(at) if "Draw a box" in str(data.get("label")))
    assert (drawn["box"], drawn["size"]) == (list(patch.box), [40, 48])
    at = page(audit=audit.folder, like=path, part=f"{top},{left},{bottom},90")
    until(at, lambda at: "does not lie on the picture" in html(at))
    manifest = replace(audit.manifest, network=replace(audit.manifest.network, weights_sha256="0" * 64))
    write_manifest(tmp_path / "audit", manifest)
    until(page(audit=audit.folder, like=path, part=box), lambda at: "other weights" in html(at))


def pairs(at: AppTest) -> list[dict[str, Any]]:
    """The pictures whose answer or reasons changed."""
    return [item for data in components(at) if "both maps" in str(data.get("label")) for item in data["items"]]


def test_an_audit_is_added_to_the_report(made: MadeUp) -> None:
    at = opened(made)
    run(at.button(key="audit_to_report_whole").click().run())
    until(at, lambda at: "basket" in at.session_state)
    (entry,) = at.session_state["basket"]
    assert entry.item.title == "Audit of pets"
    at = visit("pages/report.py", at)
    assert headline(at) == "Report, 1 entry"
    assert "The network is right on" in captions(at)
    run(at.button(key="present_now").click().run())
    assert any("steps" in data for data in components(at))


def test_another_audit_of_the_same_pictures_is_compared(made: MadeUp, tmp_path: Path) -> None:
    other = make_audit(tmp_path / "other", Path(made.manifest.base), 60, failed=(7,), seed=1)
    at = opened(made, other=other.folder)
    until(at, lambda at: pairs(at) and all(item["src"] for item in pairs(at)))
    assert "1 picture with an answer in this audit only" in captions(at)
    assert "2 pictures with an answer in the other audit only" in captions(at)
    assert "p = 1.00" in html(at)
    assert "1 to 12 of 57 pictures, the maps furthest apart first" in captions(at)
    first = pairs(at)[0]["id"]
    run(at.button(key="audit_change_on").click().run())
    assert "13 to 24 of 57 pictures" in captions(at)
    assert at.query_params["change_page"] == "2"
    assert first not in [item["id"] for item in pairs(at)]
    run(at.text_input(key="other").set_value("").run())
    assert not pairs(at)
    assert "other" not in at.query_params


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("{audit}", "open already"),
        ("{audit}/../audit", "open already"),
        ("nowhere", "cannot be opened"),
        ("~no such user", "cannot be opened"),
        ("nul\0", "cannot be opened"),
        ("<b>x</b>", "cannot be opened"),
        ("{elsewhere}", "no picture with an answer in common"),
    ],
)
def test_what_cannot_be_compared_is_told(made: MadeUp, other: str, said: str, tmp_path: Path) -> None:
    elsewhere = make_audit(tmp_path / "elsewhere", tmp_path, 9, classes=("owl", "newt"))
    at = opened(made, other=other.format(audit=made.folder, elsewhere=elsewhere.folder))
    until(at, lambda at: said in text(at))
    assert "<b>x" not in html(at)
    assert "1 to 40 of 58 pictures" in captions(at)
