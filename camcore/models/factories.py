"""Networks that a Python function of one's own makes: for those who run their own server.

Named in the environment variable ``CAMCORE_MODELS``, else under that name in ``.streamlit/secrets.toml`` of the folder
where the program was started (Streamlit's file for what a server alone knows):

    CAMCORE_MODELS = "birds=my_models:birds, cars=my_models:cars"

The function takes no argument and returns a Keras model, or a mapping or dataclass with ``model`` and, as
``camcore.wrap`` takes them, ``labels`` (or a labels file's path), ``preprocess`` (a function, or a name of
``camcore.models.preprocessing``), ``input_size`` and ``output``. Its module is imported when the network is loaded, not
before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camcore.errors import ModelError, nearest
from camcore.models import saved
from camcore.models.catalogue import Built
from camcore.models.description import check_name
from camcore.models.label_files import read_labels
from camcore.models.preprocessing import TITLES, preprocessing

VARIABLE = "CAMCORE_MODELS"
_SECRETS = Path(".streamlit") / "secrets.toml"
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_GIVES = ("model", "labels", "preprocess", "input_size", "output")
_RETURNS = "a Keras model, or a mapping or dataclass with " + ", ".join(_GIVES)


@dataclass(frozen=True)
class Factory:
    """A declared network, not yet made. ``chosen``: the preprocessing kept for it on the Models page, "" for none."""

    name: str
    target: str  # module:function
    chosen: str = ""

    @property
    def input_size(self) -> None:
        """Not known before the function has run."""
        return None

    @property
    def parameters(self) -> None:
        """Not known before the function has run."""
        return None

    @property
    def weights_state(self) -> str:
        """Where the weights are: the function knows."""
        return "own code"

    @property
    def download_mb(self) -> int:
        """Nothing that camcore would download."""
        return 0

    @property
    def summary(self) -> str:
        """On what it was trained: the function does not say."""
        return ""

    @property
    def framing(self) -> str:
        """How pictures are framed for it: the whole picture, as ``model.predict`` is fed."""
        return "stretch"

    @property
    def version(self) -> str:
        """Tells this network from one of the same name that another function made, or that was fed otherwise."""
        return f"{self.target} {self.chosen}"


# ---- what is declared


def factories() -> tuple[Factory, ...]:
    """The networks declared, in their order; those that are not declared rightly are left out (see ``problems``)."""
    return _declared()[0]


def problems() -> tuple[str, ...]:
    """What is wrong with the declarations, a sentence or more each."""
    return _declared()[1]


def find(name: Any) -> Factory | None:
    """The factory of that name; None where none is declared."""
    return next((factory for factory in factories() if factory.name == name), None)


def _declared() -> tuple[tuple[Factory, ...], tuple[str, ...]]:
    text, wrong = _text()
    found: dict[str, Factory] = {}
    taken = {one.name for one in saved.saved_networks()} if text.strip() else set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, target = (piece.strip() for piece in part.partition("="))
        try:
            if not equals or not _TARGET.fullmatch(target):
                raise ModelError(
                    f"The declaration {part[:120]!r} is not of the form name=module:function. Several "
                    "are separated by commas."
                )
            check_name(name)
            if name in found or name in taken:
                raise ModelError(
                    f"Another network is called {name!r} already. Names tell networks apart in lists and links. Give "
                    "it another name."
                )
        except ModelError as error:
            wrong.append(f"{VARIABLE} declares a network that cannot be used. {error}")
            continue
        found[name] = Factory(name, target, _chosen(name, target))
    return tuple(found.values()), tuple(wrong)


def _text() -> tuple[str, list[str]]:
    """The declarations as they were written, and what kept them from being read."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE], []
    try:
        told = tomllib.loads(_SECRETS.read_text("utf-8")).get(VARIABLE, "")
    except FileNotFoundError:
        return "", []
    except (OSError, ValueError) as error:  # ValueError: no TOML, or no UTF-8
        return "", [f"The file '{_SECRETS}' cannot be read ({error}), so no networks are declared there. Mend it."]
    if not isinstance(told, str):
        return "", [
            f"{VARIABLE} in '{_SECRETS}' is {told!r}; it must be a text such as \"name=module:function\". Put it in "
            "quotation marks."
        ]
    return told, []


# ---- the network


@dataclass(frozen=True, eq=False)
class Made:
    """What a factory gave. ``preprocess``: None where it did not say how the network wants its pictures."""

    model: Any
    labels: tuple[str, ...] | None = None
    preprocess: Callable[..., Any] | None = None
    input_size: tuple[int, int] | None = None
    output: int | str | None = None


def make(factory: Factory) -> Made:
    """Import the module, call the function, and check what it returns.

    Raises ModelError where the module cannot be imported, has no such function, or where the function raises or
    returns something else.
    """
    given = _called(factory, _function(factory))
    if not isinstance(given, Mapping):
        fields = dataclasses.fields(given) if dataclasses.is_dataclass(given) else ()
        given = {one.name: getattr(given, one.name) for one in fields} or {"model": given}
    unknown = [str(key) for key in given if key not in _GIVES]
    if unknown:
        near = nearest(unknown[0], _GIVES)
        hint = f"Did you mean {near!r}?" if near else "Leave it away."
        raise _wrong(factory, f"returned {unknown[0]!r}. It has to return {_RETURNS}", hint)
    import keras

    model, labels, feed = given.get("model"), given.get("labels"), given.get("preprocess")
    if not isinstance(model, keras.Model):
        raise _wrong(
            factory,
            f"returned {_kind(given, model)}, no Keras 3 model. It has to return {_RETURNS}",
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
    return Made(model, named, feed, given.get("input_size"), given.get("output"))


def open_factory(factory: Factory, weights: str | os.PathLike[str] | None = None) -> Built:
    """The network that a factory makes, ready to be wrapped.

    Fed as the factory says; else as was chosen for it (``keep_preprocessing``); else 0..255 as they are, and the
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
    return Built(made.model, feed, made.labels, made.input_size, note, output=made.output)


def _function(factory: Factory) -> Any:
    module, _, function = factory.target.partition(":")
    try:
        found = getattr(importlib.import_module(module), function, None)
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"The network {factory.name!r} cannot be made: importing {module!r} failed with {_told(error)}. Its code "
            f"is named in {VARIABLE}. Mend the module, or put its folder on PYTHONPATH, and try again."
        ) from error
    if not callable(found):
        raise ModelError(
            f"The network {factory.name!r} cannot be made: the module {module!r} has no function {function!r}. "
            f"{VARIABLE} names it as {factory.target!r}. Correct the name."
        )
    return found


def _called(factory: Factory, function: Any) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"The network {factory.name!r} cannot be made: its function {factory.target} raised {_told(error)}. It is "
            "called without arguments. Mend it and try again."
        ) from error


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": .")


def _kind(given: Mapping[str, Any], model: Any) -> str:
    return "no 'model'" if "model" not in given else f"a {type(model).__name__}"


def _wrong(factory: Factory, what: str, advice: str) -> ModelError:
    return ModelError(f"The network {factory.name!r} cannot be used: its function {factory.target} {what}. {advice}")


# ---- the preprocessing chosen for it


def keep_preprocessing(factory: Factory, name: str) -> Factory:
    """Keep which preprocessing a factory's network is fed with, for as long as the same function makes it.

    Raises ModelError for an unknown name, and where it cannot be written.
    """
    preprocessing(name)
    path = _note(factory.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"target": factory.target, "preprocessing": name}), "utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ModelError(
            f"The preprocessing of {factory.name!r} cannot be kept in '{path}': {error.strerror or error}. Allow "
            "writing there, or have the factory return it."
        ) from error
    return dataclasses.replace(factory, chosen=name)


def _chosen(name: str, target: str) -> str:
    with suppress(OSError, ValueError, AttributeError):
        told = json.loads(_note(name).read_text("utf-8"))
        if told.get("target") == target and told.get("preprocessing") in TITLES:
            return str(told["preprocessing"])
    return ""


def _note(name: str) -> Path:
    """Where the choice for a network of that name lies."""
    return saved.home() / "factories" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"
