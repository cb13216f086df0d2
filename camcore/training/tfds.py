"""Labelled pictures from TensorFlow Datasets, where that package is installed, brought into the common layout."""

from __future__ import annotations

import importlib
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from camcore.errors import CamcoreError
from camcore.files import unwritable, write_whole

PREFIX = "tfds:"
"""The beginning of a data set's name where a folder could be named: ``tfds:cats_vs_dogs``."""

_SPLIT = "train"  # the one that every data set has
_DONE = "complete"


def folder_of(name: str, home: Path) -> Path:
    """The folder that ``export`` writes a data set to."""
    return home / name.replace("/", "-")


def export(name: str, home: Path) -> Generator[tuple[int, int], None, Path]:
    """Write a data set's training pictures, as they are, to ``home/<name>/<class>/NNNNNN.jpg``; returns that folder.

    Yields (pictures done, in all). What an earlier call wrote whole is taken again. Raises CamcoreError where the
    package is not installed, the data set is not there or has no labelled pictures, or the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z0-9_]+(/[A-Za-z0-9_.+-]+)?", name):
        raise CamcoreError(
            f"{name!r} is no name of a TensorFlow data set. They are written in small letters and _. Write, for "
            f"example, {PREFIX}cats_vs_dogs."
        )
    folder = folder_of(name, home)
    if (folder / _DONE).exists():
        return folder
    try:
        tfds: Any = importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise CamcoreError(
            f"The data set {name!r} cannot be read: tensorflow_datasets is not installed. It is an optional extra. "
            "Install it (pip install tensorflow-datasets), or name a folder of pictures."
        ) from error
    try:
        pictures, info = tfds.load(
            name, split=_SPLIT, with_info=True, decoders={"image": tfds.decode.SkipDecoding()}, shuffle_files=False
        )
        labels = info.features["label"]
        count = int(info.splits[_SPLIT].num_examples)
    except Exception as error:  # the package raises what its many sources make it stumble over
        raise CamcoreError(
            f"The data set {name!r} cannot be read: {' '.join(str(error).split())[:300]}. It must be one of labelled "
            "pictures, and be downloaded or downloadable. Choose another, or name a folder of pictures."
        ) from error
    try:
        for done, example in enumerate(tfds.as_numpy(pictures), 1):
            label = labels.int2str(int(example["label"]))
            write_whole(folder / label / f"{done:06d}.jpg", bytes(example["image"]))
            yield done, count
        (folder / _DONE).touch()
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder
