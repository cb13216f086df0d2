"""``CAMCORE_MODELS``: the networks of one's own that a server or a command line names.

Read from the environment variable, else under that name in ``.streamlit/secrets.toml`` of the folder where the program
was started (Streamlit's file for what a server alone knows). A network is a function that returns it or a whole model's
file. Two forms are read; the second takes every path and says more:

    CAMCORE_MODELS = "birds=my_models:birds, cars=nets/cars.keras"
    CAMCORE_MODELS = '{"cars": {"file": "nets/cars.keras", "labels": "cars.txt", "preprocess": "tf"}}'

Relative paths start from the folder where the program was started. Nothing is imported or opened here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from camcore.errors import CamcoreError, ModelError, nearest
from camcore.files import Json, parse_json, read_json_object, write_whole
from camcore.framing import check_framing
from camcore.models.description import check_name
from camcore.models.preprocessing import TITLES, preprocessing
from camcore.places import home

VARIABLE = "CAMCORE_MODELS"
DEFAULT_MODEL = "CAMCORE_DEFAULT_MODEL"
"""The variable that names the network to begin with; the app's network picker reads it."""
SECRETS = Path(".streamlit") / "secrets.toml"
SUFFIXES = (".keras", ".h5", ".hdf5")
"""The file name suffixes of whole models."""

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_FILE_OPTIONS = ("labels", "preprocess", "framing", "custom", "unsafe")
_KEYS = ("file", "function", *_FILE_OPTIONS)


@dataclass(frozen=True)
class Declaration:
    """A network that was named, not yet made: exactly one of ``function`` and ``file`` is set.

    ``function``: "module:function". ``file``: an absolute path. The rest belongs to files; None where nobody said:
    ``labels`` a labels file or the names, ``preprocess`` a name of ``camcore.models.preprocessing``, ``framing`` one of
    ``camcore.framing.FRAMINGS``, ``custom`` the module that registers the file's custom classes, ``unsafe`` whether
    code inside the file may run.
    """

    name: str
    function: str | None = None
    file: Path | None = None
    labels: Path | tuple[str, ...] | None = None
    preprocess: str | None = None
    framing: str | None = None
    custom: str | None = None
    unsafe: bool = False


@dataclass(frozen=True)
class Declared:
    """The declarations in their order, and what is wrong with those left out, a sentence or more each."""

    networks: tuple[Declaration, ...] = ()
    problems: tuple[str, ...] = ()


# ---- reading


def declared() -> Declared:
    """Everything that is declared for this process, as it is now."""
    if VARIABLE in os.environ:
        return parse(os.environ[VARIABLE])
    try:
        declared = tomllib.loads(SECRETS.read_text("utf-8")).get(VARIABLE, "")
    except FileNotFoundError:
        return Declared()
    except (OSError, ValueError) as error:  # ValueError: no TOML, or no UTF-8
        return Declared(
            problems=(f"The file '{SECRETS}' cannot be read ({error}), so no networks are declared there. Mend it.",)
        )
    if not isinstance(declared, str | Mapping):
        return Declared(
            problems=(
                f"{VARIABLE} in '{SECRETS}' is {declared!r}; it must be a text such as \"name=module:function\", or a "
                "table. Put it in quotation marks.",
            )
        )
    return parse(declared)


def parse(declared: str | Mapping[str, Json]) -> Declared:
    """The networks that a text declares, in either form, or a mapping of names as the second form has it."""
    try:
        entries = list(_entries(declared))
    except ModelError as error:
        return Declared(problems=(str(error),))
    networks: dict[str, Declaration] = {}
    problems = []
    for name, value in entries:
        try:
            one = _declaration(name, value)
            if one.name in networks:
                raise ModelError(
                    f"Another network is called {one.name!r} already. Names tell networks apart in lists and links. "
                    "Give it another name."
                )
            networks[one.name] = one
        except CamcoreError as error:
            called = f" {name!r}" if name else ""
            problems.append(f"{VARIABLE} declares a network{called} that cannot be used. {error}")
    return Declared(tuple(networks.values()), tuple(problems))


def _entries(declared: str | Mapping[str, Json]) -> Iterator[tuple[str | None, Json]]:
    """Names and their values; None is the name of a part without an equals sign."""
    if isinstance(declared, str) and not declared.lstrip().startswith("{"):
        for part in filter(None, (part.strip() for part in declared.split(","))):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            yield (name, value) if equals else (None, part)
        return
    try:
        table = parse_json(declared) if isinstance(declared, str) else declared
    except ValueError as error:
        raise ModelError(
            f"{VARIABLE} begins like JSON and is none ({error}), so it declares no networks. Mend it, or write "
            "name=module:function or name=file.keras, with commas between several."
        ) from error
    yield from table.items()


def _declaration(name: str | None, value: Json) -> Declaration:
    if name is None:
        raise _malformed(value)
    if isinstance(value, str):
        value = _plain(name, value)
    if not isinstance(value, Mapping):
        raise _malformed(f"{name}={value!r}")
    check_name(name)
    unknown = next((str(key) for key in value if key not in _KEYS), None)
    if unknown is not None:
        near = nearest(unknown, _KEYS)
        raise ModelError(
            f"{name!r} says {unknown!r}, which is not known. It may say {', '.join(_KEYS)}. "
            + (f"Did you mean {near!r}?" if near else "Leave it out.")
        )
    if ("file" in value) == ("function" in value):
        raise ModelError(
            f"{name!r} names {'both a file and a function' if 'file' in value else 'neither a file nor a function'}. "
            "It is the one or the other that gives the network. Name one of them."
        )
    if "function" in value:
        return _function(name, value)
    return file_declaration(name, value)


def _plain(name: str, text: str) -> dict[str, str]:
    """A function's or a file's name, distinguished by its form."""
    if _FUNCTION.fullmatch(text):
        return {"function": text}
    if text.lower().endswith(SUFFIXES) or "/" in text or os.sep in text or (text and os.path.exists(text)):
        return {"file": text}
    raise _malformed(f"{name}={text}")


def _function(name: str, value: Mapping[str, Json]) -> Declaration:
    function = value["function"]
    if not isinstance(function, str) or not _FUNCTION.fullmatch(function):
        raise _malformed(f"{name}={function}")
    more = next((key for key in _FILE_OPTIONS if key in value), None)
    if more is not None:
        raise ModelError(
            f"{name!r} says {more!r} beside a function. What a function returns says that itself. Leave it out here, "
            "and return it."
        )
    return Declaration(name, function=function)


def file_declaration(name: str, value: Mapping[str, Json]) -> Declaration:
    """The declaration of a whole model's file, with the second form's options. Raises CamcoreError for a bad one."""
    preprocess, framing, custom = (_text(name, value, key) for key in ("preprocess", "framing", "custom"))
    if preprocess is not None:
        preprocessing(preprocess)
    if framing is not None:
        check_framing(framing)
    if custom is not None and not _MODULE.fullmatch(custom):
        raise ModelError(
            f"{name!r} says custom {custom!r}, which is no module's name: that is as `import` takes it, without .py. "
            "Its folder is the one where the program was started or on PYTHONPATH. Correct the name."
        )
    unsafe = value.get("unsafe", False)
    if not isinstance(unsafe, bool):
        raise ModelError(f"{name!r} says unsafe {unsafe!r}. It is true or false, without quotation marks. Say which.")
    path = _text(name, value, "file")
    if not path:
        raise ModelError(f"{name!r} names an empty file. It needs the path of a whole model. Name one.")
    return Declaration(name, None, _absolute(path), _labels(name, value), preprocess, framing, custom, unsafe)


def _labels(name: str, value: Mapping[str, Json]) -> Path | tuple[str, ...] | None:
    given = value.get("labels")
    if isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
        return tuple(given)
    text = _text(name, value, "labels")
    return None if text is None else _absolute(text)


def _text(name: str, value: Mapping[str, Json], key: str) -> str | None:
    given = value.get(key)
    if given is None or isinstance(given, str):
        return given
    raise ModelError(f"{name!r} says {key} {given!r}. It is a text. Put it in quotation marks.")


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _malformed(part: str) -> ModelError:
    return ModelError(
        f"The declaration {part[:120]!r} is not of the form name=module:function or name=file.keras. Several are "
        'separated by commas; a path with a comma in it is declared as {"name": {"file": "…"}}.'
    )


# ---- writing


def written(networks: Iterable[Declaration]) -> str:
    """The second form of these declarations, which ``parse`` reads back as they are."""
    return json.dumps({one.name: _as_json(one) for one in networks}, ensure_ascii=False)


def _as_json(one: Declaration) -> dict[str, Json]:
    if one.function is not None:
        return {"function": one.function}
    labels = one.labels if one.labels is None or isinstance(one.labels, tuple) else str(one.labels)
    options = {
        "file": str(one.file),
        "labels": labels,
        "preprocess": one.preprocess,
        "framing": one.framing,
        "custom": one.custom,
        "unsafe": one.unsafe or None,
    }
    return {key: value for key, value in options.items() if value is not None}


def name_for(file: Path, taken: Iterable[str]) -> str:
    """A name for the network in a file, from the file's name: allowed in lists and links, and none of ``taken``."""
    text = re.sub(r"[^\w .,+()-]", "_", file.stem)
    text = re.sub(r"^\W+|[^\w)+]+$", "", text[:70]) or "network"
    known = set(taken)
    names = (text, *(f"{text}-{number}" for number in range(2, len(known) + 3)))
    return next(name for name in names if name not in known)


# ---- the preprocessing chosen for one on the Models page, in a small file


def write_choice(name: str, identity: str, preprocessing: str) -> None:
    """Keep the choice for the network of that name; ``identity``: of the function or file that makes it.

    Raises ModelError where it cannot be written.
    """
    path = _note(name)
    try:
        write_whole(path, json.dumps({"target": identity, "preprocessing": preprocessing}).encode())
    except CamcoreError as error:
        raise ModelError(
            f"The preprocessing of {name!r} cannot be kept: {error} Or have the factory return it."
        ) from error


def read_choice(name: str, identity: str) -> str:
    """The preprocessing kept for that name, "" where there is none, or something else makes the network now."""
    choice = read_json_object(_note(name)) or {}
    usable = choice.get("target") == identity and choice.get("preprocessing") in TITLES
    return str(choice["preprocessing"]) if usable else ""


def _note(name: str) -> Path:
    """The file of the choice for a network of that name."""
    return home() / "factories" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"
