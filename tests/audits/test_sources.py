"""The pictures of an audit: folders, tables and addresses listed, their labels held against a network's classes."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from labelled import make_folder
from PIL import Image
from pyarrow import parquet

from camcore.audits.addresses import open_below
from camcore.audits.sources import NO_LABEL, class_indices, list_pictures
from camcore.errors import CamcoreError, PictureError

LABELS = ("cat", "Egyptian_cat", "dog")


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 10), (value, 0, 0)).save(path, "PNG")
    return path


def refused(given: object) -> str:
    with pytest.raises(CamcoreError) as caught:
        list_pictures(str(given))
    return str(caught.value)


# ---- folders


def test_the_first_folder_is_the_class_whatever_lies_between(tmp_path):
    for name in ("dog/b.png", "cat/deep/er/a.png", "dog/a.png", "top.png"):
        picture(tmp_path / name)
    listing = list_pictures(str(tmp_path))
    assert listing.paths == ("cat/deep/er/a.png", "dog/a.png", "dog/b.png", "top.png")
    assert listing.labels == ("cat", "dog", "dog", None)
    assert listing.base == str(tmp_path)


def test_a_flat_folder_has_no_labels(tmp_path):
    for name in ("b.png", "a.png"):
        picture(tmp_path / name)
    assert list_pictures(str(tmp_path)).labels == (None, None)


def test_what_is_no_picture_is_left_out_and_counted(tmp_path):
    picture(tmp_path / "cat" / "a picture without a suffix")
    picture(tmp_path / "cat" / ".hidden.png")
    picture(tmp_path / "cat" / ".thumbnails" / "a.png")
    (tmp_path / "cat" / "damaged.JPG").write_bytes(b"no picture, and to be audited as one")
    (tmp_path / "cat" / "notes.txt").write_bytes(b"notes")
    (tmp_path / "README").write_bytes(b"")
    os.mkfifo(tmp_path / "cat" / "pipe")
    listing = list_pictures(str(tmp_path))
    assert listing.paths == ("cat/a picture without a suffix", "cat/damaged.JPG")
    assert listing.left_out == 3


def test_a_link_to_a_class_folder_is_followed(tmp_path):
    picture(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "cat").symlink_to(tmp_path / "elsewhere")
    assert list_pictures(str(tmp_path / "root")).paths == ("cat/a.png",)


def test_a_name_in_another_encoding_becomes_text(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    assert list_pictures(str(tmp_path)).paths == ("caf\\xe9.png",)


def test_folders_without_pictures_are_refused(tmp_path):
    assert "no pictures in" in refused(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"notes")
    assert "1 file there" in refused(tmp_path)
    assert "No such file" in refused(tmp_path / "none")
    assert "Not a directory" in refused(picture(tmp_path / "a.png"))


# ---- tables


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_gives_paths_below_its_own_folder(kind, tmp_path):
    table = tmp_path / "sets" / f"some.{kind}"
    picture(tmp_path / "sets" / "in" / "a.png")
    away = str(picture(tmp_path / "away.png"))
    columns = {"more": [1, 2, 3], "path": ["in/a.png", away, "gone.png"], "label": ["cat", "", None]}
    if kind == "csv":
        table.write_text(f"more,path,label\n1,in/a.png,cat\n2,{away},\n3,gone.png,\n")
    else:
        parquet.write_table(pa.table(columns), table)
    listing = list_pictures(str(table))
    assert listing.paths == tuple(columns["path"])
    assert listing.labels == ("cat", None, None)
    assert [open_below(listing.base, path).width for path in listing.paths[:2]] == [12, 12]
    with pytest.raises(PictureError, match=r"gone\.png"):
        open_below(listing.base, "gone.png")


def test_a_table_without_labels(tmp_path):
    (tmp_path / "t.csv").write_text("path\n007.png\n008.png\n")
    listing = list_pictures(str(tmp_path / "t.csv"))
    assert (listing.paths, listing.labels) == (("007.png", "008.png"), (None, None))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"file,label\na.png,cat\n", "no column 'path': it has 'file', 'label'"),
        (b"path,label\na.png,cat\n,dog\n", "Row 2"),
        (b"path\na.png\nb.png\n./a.png\n", "'./a.png' more than once"),
        (b"path\n", "no pictures"),
        (b"", "cannot be read"),
        (b"path,label\na.png,cat,1\n", "cannot be read"),
        (b"path\n\xff\xfe.png\n", "cannot be read"),
    ],
)
def test_tables_that_cannot_be_used(content, said, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    assert said in refused(tmp_path / "t.csv")


def test_a_path_from_the_root_and_one_below_the_table_may_be_the_same(tmp_path):
    (tmp_path / "t.csv").write_text(f"path\na.png\n{tmp_path}/a.png\n")
    assert "more than once" in refused(tmp_path / "t.csv")


def test_a_table_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    assert "no plain file" in refused(tmp_path / "t.csv")


def test_parquet_files_that_cannot_be_used(tmp_path):
    table = tmp_path / "t.parquet"
    assert "cannot be read" in refused(table)
    table.write_bytes(b"PAR1 no table")
    assert "cannot be read" in refused(table)
    parquet.write_table(pa.table({"path": [["a.png"]]}), table)
    assert "not text" in refused(table)
    parquet.write_table(pa.table({"file": ["a.png"]}), table)
    assert "no column 'path': it has 'file'" in refused(table)


# ---- addresses


def test_an_fsspec_address(tmp_path):
    files = fsspec.filesystem("memory")
    for name in ("/set/cat/a.png", "/set/dog/b.png"):
        files.pipe(name, picture(tmp_path / "one.png").read_bytes())
    files.pipe("/set/notes.txt", b"notes")
    files.pipe("/set/t.csv", b"path,label\ncat/a.png,cat\nmemory://set/dog/b.png,dog\n")
    listing = list_pictures("memory://set")
    assert (listing.paths, listing.labels, listing.left_out) == (("cat/a.png", "dog/b.png"), ("cat", "dog"), 2)
    table = list_pictures("memory://set/t.csv")
    opened = [open_below(one.base, path).sha256 for one in (listing, table) for path in one.paths]
    assert len(opened) == 4
    assert len(set(opened)) == 1
    with pytest.raises(PictureError, match="cannot be read from its address"):
        open_below("memory://set", "cat/none.png")


@pytest.mark.parametrize("address", ["memory://nothing", "nonsense://x/y", "memory://nothing.csv"])
def test_addresses_that_cannot_be_read(address):
    refused(address)


# ---- samples


def test_a_sample_is_the_same_for_a_seed(tmp_path):
    make_folder(tmp_path, {"cat": 20, "dog": 20})
    listing = list_pictures(str(tmp_path))
    one, again, other = (listing.sample(10, seed) for seed in (3, 3, 4))
    assert one.paths == again.paths != other.paths
    assert list(one.paths) == sorted(one.paths)
    assert all(path.startswith(label) for path, label in zip(one.paths, one.labels, strict=True))
    assert listing.sample(40, 1).paths == listing.sample(None, 1).paths == listing.paths


def test_the_digest_tells_listings_apart(tmp_path):
    make_folder(tmp_path, {"cat": 2, "dog": 2})
    listing = list_pictures(str(tmp_path))
    assert listing.sha256([0, 0, 1, 1]) == list_pictures(str(tmp_path)).sha256([0, 0, 1, 1])
    assert (
        len({listing.sha256([0, 0, 1, 1]), listing.sha256([0, 0, 1, 0]), listing.sample(3, 0).sha256([0, 0, 1])}) == 3
    )


# ---- labels


def listed(*labels: str | None):
    from camcore.audits.sources import Listing

    return Listing("table.csv", "", tuple(map(str, range(len(labels)))), labels)


def test_labels_are_matched_as_evaluate_does():
    listing = listed("Cats", "egyptian cat", "Egyptian-Cats", "dog", None, "2")
    assert class_indices(LABELS, "net", listing).tolist() == [0, 1, 1, 2, NO_LABEL, 2]


def test_a_name_that_is_a_number_goes_before_an_index():
    assert class_indices(("1", "0"), "net", listed("0", "1")).tolist() == [1, 0]


def test_labels_that_the_network_does_not_have_are_named_with_the_ways_out():
    with pytest.raises(CamcoreError) as caught:
        class_indices(LABELS, "net", listed("cat", "hen", "cow", "hen", "3"))
    said = str(caught.value)
    assert "3 labels" in said
    assert "'hen', 'cow', '3'" in said
    for way in ("--labels", "--unlabelled", "Name the folders"):
        assert way in said


def test_a_label_of_several_classes_is_told_by_its_index():
    two = ("crane", "crane", "dog")
    with pytest.raises(CamcoreError, match="a table may give their index"):
        class_indices(two, "net", listed("crane"))
    assert class_indices(two, "net", listed("1", "dog")).tolist() == [1, 2]
