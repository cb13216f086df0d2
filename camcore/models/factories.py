"""Networks of one's own that ``CAMCORE_MODELS`` names: a Python function that makes one, or a whole model's file.

    CAMCORE_MODELS = "birds=my_models:birds, cars=cars.keras"

(``camcore.models.declarations`` reads it.) A function takes no argument and returns a Keras model, or a mapping or
dataclass with ``model`` and, as ``camcore.wrap`` takes them, ``labels`` (or a labels file's path), ``preprocess`` (a
function, or a name of ``camcore.models.preprocessing``), ``input_size``, ``output``, ``framing`` and the others. Its
module is imported, and a file is opened, when the network is loaded, not before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.errors import ModelError, nearest
from camcore.files import Json
from camcore.framing import check_framing
from camcore.models import declarations, saved
from camcore.models.catalogue import Built
from camcore.models.declarations import VARIABLE, Declaration, read_choice, write_choice
from camcore.models.labels import labels_beside, read_labels
from camcore.models.preprocessing import TITLES, preprocessing
from camcore.models.whole import open_whole

if TYPE_CHECKING:
    import keras

    from camcore.network import Preprocess

# By function: the framing that it returned. A list of networks must not run it to know.
_FRAMINGS: dict[str, str] = {}


@dataclass(frozen=True)
class Factory:
    """A declared network, not yet made. ``chosen``: the preprocessing kept for it on the Models page, "" for none.

    ``target``: module:function, or a file's name without its folder. ``declaration``: of a file, else None.
    """

    name: str
    target: str
    chosen: str = ""
    declaration: Declaration | None = None

    @property
    def file(self) -> Path | None:
        """The whole model's file; None where a function makes the network."""
        return self.declaration.file if self.declaration is not None else None

    @property
    def identity(self) -> str:
        """Tells what makes the network from anything else that could."""
        return str(self.file or self.target)

    @property
    def input_size(self) -> None:
        """Not known before it is made."""
        return None

    @property
    def parameters(self) -> None:
        """Not known before it is made."""
        return None

    @property
    def weights_state(self) -> str:
        """The place of the weights: the file, or what the function knows."""
        return "own code" if self.file is None else "own file"

    @property
    def download_mb(self) -> int:
        """Nothing that camcore would download."""
        return 0

    @property
    def summary(self) -> str:
        """The training data: unknown, as neither a function nor a file names it."""
        return ""

    @property
    def framing(self) -> str:
        """The framing of its pictures: as declared, or as the function returned when it last ran; else ``stretch``."""
        framing = _FRAMINGS.get(self.target) if self.declaration is None else self.declaration.framing
        return framing or "stretch"

    @property
    def version(self) -> str:
        """Tells this network from one of the same name that is made, fed or read otherwise, or of a changed file."""
        if self.file is None:
            return f"{self.target} {self.chosen}"
        stamp = ""
        with suppress(OSError):
            status = self.file.stat()
            stamp = f"{status.st_mtime_ns} {status.st_size}"
        return hashlib.sha256(repr((self.declaration, self.chosen, stamp)).encode()).hexdigest()


# ---- what is declared


def factories() -> tuple[Factory, ...]:
    """The networks declared, in their order; those that are not declared rightly are left out (see ``problems``)."""
    return _declared()[0]


def problems() -> tuple[str, ...]:
    """The faults of the declarations, a sentence or more each."""
    return _declared()[1]


def find(name: object) -> Factory | None:
    """The factory of that name; None where none is declared."""
    return next((factory for factory in factories() if factory.name == name), None)


def _declared() -> tuple[tuple[Factory, ...], tuple[str, ...]]:
    declared = declarations.declared()
    taken = {one.name for one in saved.saved_networks()} if declared.networks else set()
    known, wrong = [], list(declared.problems)
    for one in declared.networks:
        if one.name in taken:
            wrong.append(
                f"{VARIABLE} declares a network {one.name!r} that cannot be reached: a saved network is called so "
                "already, and it is the one that the name means. Give the declared one another name."
            )
            continue
        target = one.function or (one.file.name if one.file is not None else "")
        factory = Factory(one.name, target, declaration=one if one.file is not None else None)
        known.append(dataclasses.replace(factory, chosen=read_choice(one.name, factory.identity)))
    return tuple(known), tuple(wrong)


# ---- the network


@dataclass(frozen=True, eq=False)
class Made:
    """The result of a factory. ``preprocess``: None where it did not name the network's preprocessing.

    ``more``: further arguments of ``camcore.wrap``.
    """

    model: keras.Model
    labels: tuple[str, ...] | None = None
    preprocess: Preprocess | None = None
    framing: str = "stretch"
    more: Mapping[str, Json] = field(default_factory=dict)


def make(factory: Factory) -> Made:
    """Open the file, or import the module and call the function, and check what it returns.

    Raises ModelError where the module cannot be imported, has no such function, or where the function raises or
    returns something else, and as ``camcore.models.whole.open_whole`` does.
    """
    return _called_for(factory) if factory.declaration is None else _opened(factory.declaration)


def _called_for(factory: Factory) -> Made:
    from camcore.models.wrap import wrap_options  # loads all of the graph's modules, which a list of rows does not need

    allowed = ("model", "labels", "preprocess", "framing", *wrap_options())
    returns = "a Keras model, or a mapping or dataclass with " + ", ".join(allowed)
    given = _called(factory, _function(factory))
    if not isinstance(given, Mapping):
        fields = dataclasses.fields(given) if dataclasses.is_dataclass(given) else ()
        given = {one.name: getattr(given, one.name) for one in fields} or {"model": given}
    unknown = [str(key) for key in given if key not in allowed]
    if unknown:
        near = nearest(unknown[0], allowed)
        hint = f"Did you mean {near!r}?" if near else "Leave it out."
        raise _wrong(factory, f"returned {unknown[0]!r}. It has to return {returns}", hint)
    import keras

    model, labels, feed = given.get("model"), given.get("labels"), given.get("preprocess")
    if not isinstance(model, keras.Model):
        raise _wrong(
            factory,
            f"returned {_kind(given, model)}, no Keras 3 model. It has to return {returns}",
            "Return the keras.Model itself; a model of another library has to be rebuilt in Keras.",
        )
    if isinstance(labels, str | os.PathLike):
        labels = read_labels(labels)
    if isinstance(feed, str):
        feed = preprocessing(feed)
    if feed is not None and not callable(feed):
        raise _wrong(
            factory,
            f"returned the preprocess {feed!r}",
            f"It is a function of RGB pictures 0..255, or one of the names {', '.join(TITLES)}.",
        )
    named = None if labels is None else tuple(map(str, labels))
    framing = given.get("framing") or "stretch"
    check_framing(framing)
    _FRAMINGS[factory.target] = framing
    more = {key: given[key] for key in wrap_options() if given.get(key) is not None}
    return Made(model, named, feed, framing, more)


def _opened(declared: Declaration) -> Made:
    assert declared.file is not None
    model = open_whole(declared.file, None, declared.custom, not declared.unsafe).model
    labels = declared.labels
    if isinstance(labels, Path):
        labels = read_labels(labels)
    elif labels is None:
        labels, _ = labels_beside(declared.file)
    feed = None if declared.preprocess is None else preprocessing(declared.preprocess)
    return Made(model, labels, feed, declared.framing or "stretch")


def file_options(factory: Factory) -> dict[str, Json]:
    """The arguments of ``camcore.load`` for a file's declaration, with the preprocessing that was chosen."""
    declared = factory.declaration
    assert declared is not None
    options: dict[str, Json] = {
        "labels": declared.labels,
        "preprocess": declared.preprocess or factory.chosen or None,
        "framing": declared.framing,
        "custom_objects": (declared.custom,) if declared.custom else None,
        "safe_mode": False if declared.unsafe else None,
    }
    return {key: value for key, value in options.items() if value is not None}


def open_factory(factory: Factory, weights: str | os.PathLike[str] | None = None) -> Built:
    """The network that a function makes, ready to be wrapped.

    Fed as the function says; else as was chosen for it (``keep_preprocessing``); else 0..255 as they are, and the
    network's note about its weights says so. Raises ModelError as ``make`` does, and where ``weights`` are given.
    """
    if weights is not None:
        raise ModelError(
            f"{factory.name} cannot be loaded with the weights {str(weights)!r}: its own code ({factory.target}) "
            "decides which weights it has. Leave the weights away, or load them there."
        )
    made = make(factory)
    feed, note = made.preprocess, f"weights as {factory.target} gives them"
    if feed is None and factory.chosen:
        feed, note = preprocessing(factory.chosen), f"{note}; fed {TITLES[factory.chosen]}, as chosen for it"
    elif feed is None:
        note = f"{note}; fed RGB 0..255, as nobody said otherwise"
    return Built(made.model, feed, made.labels, None, note, framing=made.framing, more=made.more)


def _function(factory: Factory) -> Callable[[], object]:
    module, _, function = factory.target.partition(":")
    try:
        made_by = getattr(importlib.import_module(module), function, None)
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"The network {factory.name!r} cannot be made: importing {module!r} failed with {_reason(error)}. Its code "
            f"is named in {VARIABLE}. Mend the module, or put its folder on PYTHONPATH, and try again."
        ) from error
    if not callable(made_by):
        raise ModelError(
            f"The network {factory.name!r} cannot be made: the module {module!r} has no function {function!r}. "
            f"{VARIABLE} names it as {factory.target!r}. Correct the name."
        )
    return made_by


def _called(factory: Factory, function: Callable[[], object]) -> object:
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"The network {factory.name!r} cannot be made: its function {factory.target} raised {_reason(error)}. It "
            "is called without arguments. Mend it and try again."
        ) from error


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": .")


def _kind(given: Mapping[str, object], model: object) -> str:
    return "no 'model'" if "model" not in given else f"a {type(model).__name__}"


def _wrong(factory: Factory, what: str, advice: str) -> ModelError:
    return ModelError(f"The network {factory.name!r} cannot be used: its function {factory.target} {what}. {advice}")


# ---- the preprocessing chosen for it


def keep_preprocessing(factory: Factory, name: str) -> Factory:
    """Keep which preprocessing a factory's network is fed with, for as long as the same function or file makes it.

    Raises ModelError for an unknown name, and where it cannot be written.
    """
    preprocessing(name)
    write_choice(factory.name, factory.identity, name)
    return dataclasses.replace(factory, chosen=name)
