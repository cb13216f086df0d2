"""Files that name a network's classes: one name a line, or the JSON forms in which the field writes them down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from camcore.checks import checked, optional, refused, whole
from camcore.errors import ModelError
from camcore.files import parse_json

_MOST_BYTES = 4 << 20
_LONGEST = 200  # letters of a label, as network.json takes them
_WRAPPERS = ("id2label", "label2id", "labels", "classes", "class_names")


def _a_source(name: str, value: Any) -> Any:
    """A path or a file's bytes."""
    if not isinstance(value, (str, os.PathLike, bytes)):
        raise refused(name, value, "the path of a labels file, or its bytes", FORMS, ModelError)
    return value


FORMS = (
    "Give a text file with one name a line, or JSON: a list of names, {index: name}, {name: index} as "
    "class_indices has it, or {index: [id, name]} as ImageNet's class index has it."
)
"""What a labels file may be, in words."""


@checked(source=_a_source, classes=optional(whole(1)))
def read_labels(source: str | os.PathLike[str] | bytes, classes: int | None = None) -> tuple[str, ...]:
    """The class names in output order that a labels file (its path, or its bytes) gives.

    Text in UTF-8, one name a line, or JSON: ``["cat", "dog"]``, ``{"0": "cat"}``, ``{"cat": 0}``,
    ``{"0": ["n02123045", "tabby"]}``, or one of these under "id2label", "label2id", "labels", "classes" or
    "class_names". ``classes``: how many there must be. Raises ModelError where the file cannot be read, is neither,
    leaves a class without a name, or has another number of names.
    """
    name, data = _bytes_of(source)
    if len(data) > _MOST_BYTES:
        raise _wrong(name, f"it has {len(data):,} bytes, and names of classes take a few thousand")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(name, f"it is no text in UTF-8 (byte {error.start:,})") from error
    if "\0" in text:
        raise _wrong(name, "it is no text, but holds bytes of zero")
    found = _from_json(name, text) if text.lstrip()[:1] in ("[", "{") else text.rstrip().splitlines()
    labels = tuple(label.strip() for label in found)
    for index, label in enumerate(labels):
        if not label or len(label) > _LONGEST:
            problem = "is empty" if not label else f"is longer than {_LONGEST} letters"
            raise _wrong(name, f"the name of class {index} {problem}")
    if len(labels) < 2:
        raise _wrong(name, f"it names {len(labels)} classes, and a classifier tells at least two apart")
    check_count(labels, classes)
    return labels


def labels_beside(model: Path) -> tuple[tuple[str, ...] | None, str]:
    """The class names in ``birds.labels.txt`` or ``birds.txt`` beside a model's ``birds.keras``, and that file's name.

    (None, "") where there is no such file. Raises ModelError as ``read_labels`` does.
    """
    for suffix in (".labels.txt", ".txt"):
        path = model.with_suffix(suffix)
        if path.is_file():
            return read_labels(path), path.name
    return None, ""


def check_count(labels: tuple[str, ...], classes: int | None) -> None:
    """Raise ModelError where there are not as many labels as ``classes``; None: any number will do."""
    if classes is None or len(labels) == classes:
        return
    of_one_unit = " (one sigmoid unit tells two apart, the negative one first)" if classes == 2 else ""
    raise ModelError(
        f"The labels file names {len(labels):,} classes, from {labels[0]!r} to {labels[-1]!r}; the network has "
        f"{classes:,}{of_one_unit}. Each class needs one name, in the order of the outputs. Give the file that belongs "
        "to this network; a text file must have one line for each class and no heading."
    )


def _bytes_of(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return "given", source
    path = Path(source).expanduser()
    try:
        return f"'{path}'", path.read_bytes()
    except OSError as error:
        raise ModelError(f"The labels file '{path}' cannot be read: {error.strerror or error}. {FORMS}") from error
    except ValueError as error:  # a name with a zero in it
        raise ModelError(f"The labels file {str(path)!r} cannot be read: {error}. {FORMS}") from error


def _from_json(name: str, text: str) -> list[str]:
    try:
        told = parse_json(text)
    except ValueError as error:
        raise _wrong(name, f"it begins as JSON does, and is none ({error})") from error
    if isinstance(told, Mapping):
        inside = next((told[key] for key in _WRAPPERS if isinstance(told.get(key), list | Mapping)), told)
        told = inside
    if isinstance(told, list):
        return [_text(name, index, value) for index, value in enumerate(told)]
    by_index = _by_index(name, told)
    missing = next((index for index in range(len(by_index)) if index not in by_index), None)
    if missing is not None:
        raise _wrong(name, f"it names {len(by_index)} classes, but none has the index {missing}")
    return [by_index[index] for index in range(len(by_index))]


def _by_index(name: str, told: Mapping[str, Any]) -> dict[int, str]:
    """index → name of either form of mapping."""
    if told and all(isinstance(value, int) and not isinstance(value, bool) for value in told.values()):
        found = {value: key for key, value in told.items()}
        if len(found) < len(told):
            raise _wrong(name, "two of its names have the same index")
        return found
    if not all(key.strip().isdecimal() for key in told):
        other = next(key for key in told if not key.strip().isdecimal())
        raise _wrong(name, f"its key {other[:60]!r} is no index")
    return {int(key): _text(name, int(key), value) for key, value in told.items()}


def _text(name: str, index: int, value: Any) -> str:
    if isinstance(value, list) and value:  # ImageNet's index: [WordNet id, name]
        value = value[-1]
    if not isinstance(value, str):
        raise _wrong(name, f"what it says of class {index} is {str(value)[:60]!r}, no name")
    return value


def _wrong(name: str, what: str) -> ModelError:
    return ModelError(f"The labels file {name} cannot be used: {what}. {FORMS}")
