"""Data sets of TensorFlow Datasets, by a stand-in for that package: what is asked of it, and what is written."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from labelled import make_folder

from camcore import CamcoreError
from camcore.training.folders import read_folder
from camcore.training.tfds import export


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A package that serves twelve pictures under any name but ``unknown``."""
    files = read_folder(make_folder(tmp_path / "source", {"cat": 6, "dog": 6})).files
    examples = [{"image": file.read_bytes(), "label": index // 6} for index, file in enumerate(files)]
    raw = object()

    def load(name: str, *, split: str, with_info: bool, decoders: dict[str, Any], shuffle_files: bool) -> Any:
        assert (split, with_info, decoders, shuffle_files) == ("train", True, {"image": raw}, False)
        if name == "unknown":
            raise ValueError("Dataset unknown not found.")
        label = SimpleNamespace(int2str=["cat", "dog"].__getitem__)
        return examples, SimpleNamespace(
            features={"label": label}, splits={"train": SimpleNamespace(num_examples=len(examples))}
        )

    stand_in = SimpleNamespace(
        load=load, as_numpy=iter, decode=SimpleNamespace(SkipDecoding=lambda: raw), examples=examples
    )
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", stand_in)
    return stand_in


def exported(name: str, home: Path) -> tuple[Path, int]:
    steps = 0
    work = export(name, home)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value, steps
        steps += 1


def test_pictures_are_written_as_they_are_by_class(package: SimpleNamespace, tmp_path: Path) -> None:
    folder, steps = exported("cats_vs_dogs", tmp_path / "home")
    assert steps == 12
    assert read_folder(folder).counts == {"cat": 6, "dog": 6}
    assert (folder / "dog" / "000007.jpg").read_bytes() == package.examples[6]["image"]


def test_what_is_whole_is_not_written_again(package: SimpleNamespace, tmp_path: Path) -> None:
    first, _ = exported("cats_vs_dogs", tmp_path / "home")
    package.load = None
    assert exported("cats_vs_dogs", tmp_path / "home") == (first, 0)


def test_an_unknown_data_set(package: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match="not found"):
        exported("unknown", tmp_path)


@pytest.mark.parametrize("name", ["../escape", "Cats", "", "a/../b"])
def test_no_name_of_a_data_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(CamcoreError, match="no name"):
        exported(name, tmp_path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(CamcoreError, match="pip install tensorflow-datasets"):
        exported("cats_vs_dogs", tmp_path)
