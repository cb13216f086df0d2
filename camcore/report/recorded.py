"""Reads ``run.json`` back into checked values: a file that was edited or damaged ends in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from camcore.errors import CamcoreError
from camcore.files import read_json
from camcore.report.record import SCHEMA_VERSION

# A record is some kilobytes; what is larger is another file.
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class RecordedMap:
    """The request for one map. ``csv``: its numbers' file, from the record; None where there is none."""

    method: str
    options: Mapping[str, object]
    layer: str | None
    class_index: int
    refine: tuple[str, ...]
    csv: str | None


@dataclass(frozen=True)
class RecordedRun:
    """Maps of one picture by one network in one framing. ``places``: where the picture may be, from the record.

    ``file`` and ``file_sha256``: of a whole model's file, ``given``: what ``load`` was given beside it, and
    ``unrecorded``: the names of what a record cannot hold.
    """

    name: str
    places: tuple[str, ...]
    sha256: str
    network: str
    weights: str | None
    weights_sha256: str
    options: Mapping[str, object]
    folder: str | None
    file: str | None
    file_sha256: str | None
    given: Mapping[str, object]
    unrecorded: tuple[str, ...]
    framing: str
    maps: tuple[RecordedMap, ...]


def read_runs(path: Path) -> tuple[RecordedRun, ...]:
    """The runs of a ``run.json``: one of ``explain``, or those of a report.

    Raises CamcoreError where the file cannot be read, or is none.
    """
    content = _json(path)
    try:
        runs = content.get("runs", [content])
        if content.get("audits") and not runs:
            raise ValueError("it holds audits and no single maps; each audit has a 'command' that makes it again")
        if not isinstance(runs, list) or not runs:
            raise ValueError("'runs' holds no run")
        return tuple(_run(_mapping(run, "a run")) for run in runs)
    except KeyError as error:
        raise _refused(path, f"it lacks {error}") from error
    except ValueError as error:
        raise _refused(path, str(error)) from error


def _json(path: Path) -> Mapping[str, object]:
    try:
        content = read_json(path, MOST_BYTES)
    except OSError as error:
        raise CamcoreError(f"{str(path)!r} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError as error:
        raise _refused(path, f"it is not JSON that can be read ({error})") from error
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        raise _refused(path, f"its schema_version is not {SCHEMA_VERSION}")
    return content


def _refused(path: Path, why: str) -> CamcoreError:
    return CamcoreError(
        f"{str(path)!r} is not a run record: {why}. Take a run.json as `python -m camcore explain --out` or a report's "
        "ZIP has it."
    )


def _run(run: Mapping[str, object]) -> RecordedRun:
    picture, network = _mapping(run["picture"], "picture"), _mapping(run["network"], "network")
    places = [picture.get("path"), picture["name"]]
    options = _mapping(network.get("options", {}), "the network's options")
    for name in options.keys() & {"name", "weights", "progress"}:  # what else ``load`` is given
        raise ValueError(f"{name!r} is no option of a backbone")
    given = _mapping(network.get("given", {}), "what the network was given")
    for name in given.keys() & {"name", "weights", "progress"}:
        raise ValueError(f"{name!r} cannot be given to a network beside its name")
    maps = run["maps"]
    if not isinstance(maps, list) or not maps:
        raise ValueError("'maps' holds no map")
    return RecordedRun(
        name=_text(picture["name"], "the picture's name"),
        places=tuple(_text(place, "the picture's path") for place in places if place),
        sha256=_text(picture["sha256"], "the picture's sha256"),
        network=_text(network["name"], "the network's name"),
        weights=_optional(network["weights_given"], "weights_given"),
        weights_sha256=_text(network["weights_sha256"], "weights_sha256"),
        options=options,
        folder=_optional(network.get("folder"), "folder"),
        file=_optional(network.get("file"), "file"),
        file_sha256=_optional(network.get("file_sha256"), "file_sha256"),
        given=given,
        unrecorded=tuple(_text(one, "unrecorded") for one in _list(network.get("unrecorded", []), "unrecorded")),
        framing=_text(_mapping(run["framing"], "framing")["name"], "the framing"),
        maps=tuple(_map(_mapping(one, "a map")) for one in maps),
    )


def _map(one: Mapping[str, object]) -> RecordedMap:
    refine = _list(one.get("refine", []), "refine")
    index = one["class_index"]
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError(f"class_index is {index!r}, not a whole number")
    return RecordedMap(
        method=_text(one["method"], "the method"),
        options=_mapping(one["options"], "options"),
        layer=_optional(one["layer"], "layer"),
        class_index=index,
        refine=tuple(_text(name, "refine") for name in refine),
        csv=_optional(one.get("csv"), "csv"),
    )


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {_short(value)}, not an object")
    return value


def _list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is {_short(value)}, not a list")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is {_short(value)}, not text")
    if "\0" in value:
        raise ValueError(f"{what} holds a zero byte")
    return value


def _optional(value: object, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
