"""Class names from files: ImageNet's, and labels files of one name a line or in the JSON forms of the field."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from camcore.checks import checked, optional, refused, whole
from camcore.class_names import in_order
from camcore.errors import ModelError
from camcore.files import parse_json, read_plain
from camcore.text import one_line

_IMAGENET = Path(__file__).parents[1] / "data" / "imagenet_classes.txt"
_MOST_BYTES = 4 << 20
_LONGEST = 200  # letters of a label, as network.json takes them
_WRAPPERS = ("id2label", "label2id", "labels", "classes", "class_names")


def _a_source(name: str, value: object) -> str | os.PathLike[str] | bytes:
    """A path or a file's bytes."""
    if not isinstance(value, (str, os.PathLike, bytes)):
        raise refused(name, value, "the path of a labels file, or its bytes", FORMS, ModelError)
    return value


FORMS = (
    "Give a text file with one name a line, or JSON: a list of names, {index: name}, {name: index} as "
    "class_indices has it, or {index: [id, name]} as ImageNet's class index has it."
)
"""The forms of a labels file, in words."""


@lru_cache(maxsize=1)
def imagenet_labels() -> tuple[str, ...]:
    """The 1,000 ImageNet class names in output order, as Keras' ``decode_predictions`` gives them.

    Source: imagenet_class_index.json, which ``decode_predictions`` downloads.
    """
    lines = _IMAGENET.read_text(encoding="utf-8").splitlines()
    return tuple(line.split(maxsplit=1)[1] for line in lines if not line.startswith("#"))


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
    names = _from_json(name, text) if text.lstrip()[:1] in ("[", "{") else text.rstrip().splitlines()
    labels = tuple(one_line(label).strip() for label in names)
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
        return f"'{path}'", read_plain(path)
    except OSError as error:
        raise ModelError(f"The labels file '{path}' cannot be read: {error.strerror or error}. {FORMS}") from error


def _from_json(name: str, text: str) -> list[str]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise _wrong(name, f"it begins as JSON does, and is none ({error})") from error
    if isinstance(value, dict):
        value = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), list | dict)), value)
    if isinstance(value, dict):
        try:
            value = in_order(value)
        except ValueError as error:
            raise _wrong(name, str(error)) from error
    for index, label in enumerate(value):
        if not isinstance(label, str):
            raise _wrong(name, f"what it says of class {index} is {str(label)[:60]!r}, no name")
    return list(value)


def _wrong(name: str, what: str) -> ModelError:
    return ModelError(f"The labels file {name} cannot be used: {what}. {FORMS}")
