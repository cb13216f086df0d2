"""Class names: checks of the labels passed to ``wrap``, and the lookup of a class by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Protocol

import numpy as np

from camcore.checks import shown
from camcore.errors import ModelError, similar

_FORMS = (
    "Give a list with one name for each class, in the order of the outputs, or a dictionary {index: name} or "
    "{name: index}. A file is read by camcore.models.labels.read_labels."
)


def index_of(labels: Sequence[str], name: str, network: str) -> int:
    """The index of the class that a name means: its label exactly, else without regard to capitals and underscores.

    Raises ModelError where there is no such class, with the nearest names, or several.
    """
    exact = [index for index, label in enumerate(labels) if label == name]
    if len(exact) == 1:
        return exact[0]
    plain = [_plain(label) for label in labels]
    wanted = _plain(name)
    places = exact or [index for index, label in enumerate(plain) if label == wanted]
    if len(places) == 1:
        return places[0]
    if places:
        listed = ", ".join(map(str, places))
        raise ModelError(f"{len(places)} classes are called {name!r}. Give one by index: {listed}.")
    near = similar(wanted, plain)
    hint = f" Did you mean {', '.join(map(repr, dict.fromkeys(near)))}?" if near else ""
    raise ModelError(
        f"There is no class {shown(name)} in {network}: it has {len(labels)} classes, 0 to {len(labels) - 1}.{hint} "
        "Give a class by its label or its index."
    )


def classes_called(labels: Sequence[str], name: str) -> list[int]:
    """The classes that a folder's or a table's name means: capitals, ``_``, ``-`` and a plural s make no difference."""
    plain = [_spaced(label) for label in labels]
    wanted = _spaced(name)
    exact = [index for index, label in enumerate(plain) if label == wanted]
    return exact or [index for index, label in enumerate(plain) if label.rstrip("s") == wanted.rstrip("s")]


class Classifier(Protocol):
    """A Network, as far as its classes go."""

    def check_class(self, index: object) -> int: ...


def class_named(network: Classifier, text: str) -> int:
    """The class that a person means by an index in digits or a label, as ``Network.check_class`` takes it.

    Raises ModelError where the network has no such class, or several of that label.
    """
    digits = isinstance(text, str) and text.lstrip("-").isdecimal() and len(text) < 10
    return network.check_class(int(text) if digits else text)


def given_labels(labels: object) -> tuple[str, ...] | None:
    """Labels in any accepted form as a tuple in the order of the outputs; None stays None.

    A list or another ordered collection of names (whole numbers are taken as names), a generator of them, or a
    dictionary: {index: name} or {name: index}. Raises ModelError for anything else.
    """
    if labels is None:
        return None
    if isinstance(labels, Mapping):
        return _from_mapping(labels)
    if isinstance(labels, (set, frozenset)):
        raise _refused(labels, "a set has no order, and the labels belong to the outputs one by one")
    scalar = isinstance(labels, np.ndarray) and labels.ndim != 1
    if scalar or isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise _refused(labels, "it is not a list of names")
    return tuple(_label(index, label) for index, label in enumerate(labels))


def output_labels(labels: Sequence[str] | None, classes: int, kind: str) -> tuple[str, ...]:
    """One label for each of ``classes``; None: generic ones. ``kind``: the network's ``score_kind``.

    A regression (``value``) has two, "raises" and "lowers", followed by its quantity where one label names it.
    Raises ModelError for another number of labels.
    """
    if kind == "value":
        if labels is not None and len(labels) > 1:
            raise ModelError(
                f"{len(labels)} labels were given, but the network's output is one number per picture. Without a "
                "sigmoid it is a regression. Give no label, or one that names the quantity; for a classifier of two "
                "classes give two labels, the negative one first."
            )
        ends = ("raises", "lowers")
        return ends if not labels else tuple(f"{end} {labels[0]}" for end in ends)
    if labels is None:
        return generic_labels(classes)
    if len(labels) != classes:
        raise ModelError(
            f"{len(labels)} labels were given, but the network has {classes} classes. Give one label per class"
            + (" (a single sigmoid unit has two, the negative one first)." if classes == 2 else ".")
        )
    return tuple(str(label) for label in labels)


def generic_labels(classes: int) -> tuple[str, ...]:
    """The labels "class 0", "class 1", … of a network whose classes have no names."""
    return tuple(f"class {index}" for index in range(classes))


def _from_mapping(labels: Mapping[object, object]) -> tuple[str, ...]:
    try:
        names = in_order(labels)
    except ValueError as error:
        raise _refused(labels, f"its indices are not 0, 1, 2 and so on, each once ({error})") from error
    return tuple(_label(index, name) for index, name in enumerate(names))


def in_order(labels: Mapping[object, object]) -> list[object]:
    """The names of {index: name}, indices as numbers or text, or of {name: index}, in the order of the indices.

    Of a name in ImageNet's form, [WordNet id, name], the second. Raises ValueError where an index is missing, given
    twice, or no index.
    """
    pairs = list(labels.items())
    if all(isinstance(key, str) and _is_whole(value) for key, value in pairs):
        pairs = [(value, key) for key, value in pairs]
    named: dict[int, object] = {}
    for key, name in pairs:
        if not _is_whole(key) and not (isinstance(key, str) and re.fullmatch(r"\s*\d{1,9}\s*", key)):
            raise ValueError(f"its key {shown(key)} is no index")
        index = int(str(key))
        if index in named:
            raise ValueError("two of its names have the same index")
        named[index] = name[-1] if isinstance(name, list | tuple) and len(name) == 2 else name
    missing = next((index for index in range(max(len(named), 1)) if index not in named), None)
    if missing is not None:
        raise ValueError(f"it names {len(named)} classes, but none has the index {missing}")
    return [named[index] for index in range(len(named))]


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _label(index: int, label: object) -> str:
    if not (_is_whole(label) or (isinstance(label, str) and label.strip())):
        raise ModelError(f"The label of class {index} is {shown(label)}, and a class has a name. {_FORMS}")
    return str(label)


def _plain(label: str) -> str:
    return label.replace("_", " ").lower()


def _spaced(name: str) -> str:
    return " ".join(_plain(name).replace("-", " ").split())


def _refused(labels: object, why: str) -> ModelError:
    return ModelError(f"labels={shown(labels)} cannot be used: {why}. {_FORMS}")
