"""Folders of labelled pictures: what is found, in which order, and what is said of what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from labelled import make_folder

from camcore import CamcoreError
from camcore.training.folders import (
    LabelledFolder,
    Skipped,
    balanced_sample,
    check_enough,
    opened,
    read_folder,
    split,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "animals", {"dog": 6, "cat": 9})


def test_classes_are_numbered_alphabetically(root: Path) -> None:
    data = read_folder(root)
    assert data.classes == ("cat", "dog")
    assert data.counts == {"cat": 9, "dog": 6}
    assert all(file.parent.name == data.classes[label] for file, label in zip(data.files, data.labels, strict=True))


def test_pictures_are_known_by_how_they_begin_not_by_their_names(root: Path) -> None:
    (root / "cat" / "000.png").rename(root / "cat" / "a photograph")
    (root / "cat" / "notes.jpg").write_text("not a picture")
    (root / "cat" / ".hidden.png").write_bytes((root / "cat" / "001.png").read_bytes())
    data = read_folder(root)
    assert data.counts["cat"] == 9
    assert [skipped.file.name for skipped in data.skipped] == ["notes.jpg"]


def test_pictures_in_folders_below_a_class_belong_to_it(root: Path) -> None:
    (root / "cat" / "kittens").mkdir()
    (root / "cat" / "003.png").rename(root / "cat" / "kittens" / "003.png")
    assert read_folder(root).counts["cat"] == 9


def test_a_folder_without_pictures_beside_the_classes_is_no_class(root: Path) -> None:
    (root / "notes").mkdir()
    (root / "notes" / "readme.txt").write_text("hello")
    assert read_folder(root).classes == ("cat", "dog")


def test_some_of_the_classes(root: Path) -> None:
    make_folder(root, {"fox": 5})
    assert read_folder(root, ["fox", "cat"]).classes == ("cat", "fox")


@pytest.mark.parametrize(
    ("counts", "classes", "said"),
    [
        ({}, None, "no class folders"),
        ({"cat": 8}, None, "only 'cat'"),
        ({"cat": 8, "dog": 3}, None, "'dog' has 3 pictures"),
        ({"cat": 8, "dog": 8}, ["cat", "dgo"], "Did you mean 'dog'"),
        ({"cat": 8, "dog": 8}, ["cat"], "only 'cat'"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    tmp_path: Path, counts: dict[str, int], classes: list[str] | None, said: str
) -> None:
    make_folder(tmp_path, counts)
    with pytest.raises(CamcoreError, match=said):
        read_folder(tmp_path, classes)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match="cannot be read"):
        read_folder(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder(root: Path) -> None:
    with pytest.raises(CamcoreError, match="cannot be read"):
        read_folder(root / "cat" / "000.png")


def test_split_holds_the_share_of_every_class_and_loses_nothing(root: Path) -> None:
    data = read_folder(root)
    learned, held = split(data, 1 / 3, seed=3)
    assert held.counts == {"cat": 3, "dog": 2}
    assert sorted((*learned.files, *held.files)) == sorted(data.files)
    assert not set(learned.files) & set(held.files)
    again = split(data, 1 / 3, seed=3)[1]
    other = split(data, 1 / 3, seed=4)[1]
    assert again.files == held.files
    assert other.files != held.files


def test_split_holds_at_least_one_of_each_class(root: Path) -> None:
    assert split(read_folder(root), 0.01, seed=0)[1].counts == {"cat": 1, "dog": 1}


def test_a_balanced_sample(root: Path) -> None:
    sample = balanced_sample(read_folder(root), 4, seed=0)
    assert sample.counts == {"cat": 4, "dog": 4}


def test_damaged_pictures_are_told_where_they_are_opened(root: Path) -> None:
    whole = (root / "dog" / "002.png").read_bytes()
    (root / "dog" / "002.png").write_bytes(whole[: len(whole) // 2])
    data = read_folder(root)
    found = {data.files[index].name: picture for index, picture in opened(data) if data.labels[index] == 1}
    assert isinstance(found["002.png"], Skipped)
    assert sum(isinstance(picture, Skipped) for picture in found.values()) == 1


def test_a_class_without_a_whole_picture_on_either_side_is_told(root: Path) -> None:
    data = read_folder(root)
    cats, dogs = (np.flatnonzero(data.labels == index) for index in range(2))
    learned, held = data.take([*cats[1:], *dogs[1:]]), data.take([cats[0], dogs[0]])
    check_enough(data, learned, held)
    with pytest.raises(CamcoreError, match=r"of 'dog' .* none is left to check with"):
        check_enough(data, learned, data.take(cats[:1]))
    with pytest.raises(CamcoreError, match=r"of 'cat' .* none is left to learn from"):
        check_enough(data, data.take(dogs), held)


def test_taking_some_keeps_files_and_labels_together(root: Path) -> None:
    data: LabelledFolder = read_folder(root).take([10, 0])
    assert [file.parent.name for file in data.files] == ["dog", "cat"]
    np.testing.assert_array_equal(data.labels, [1, 0])
