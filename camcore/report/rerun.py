"""A run made again from its ``run.json``, and how far its maps differ."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from camcore.description import JSON_NAME
from camcore.errors import CamcoreError, ModelError, PictureError
from camcore.explaining import explain
from camcore.loading import load
from camcore.maps import CamMap
from camcore.pictures import Picture, open_picture
from camcore.report.files import SCHEMA_VERSION, weights_hash


@dataclass(frozen=True, eq=False)
class Repeated:
    """One map made again. ``difference``: max |Δraw| as a share of the recorded map's largest |raw|."""

    map: CamMap
    difference: float


@dataclass(frozen=True, eq=False)
class Rerun:
    """A run made again: its maps in the order recorded, and notes on what is not as it was."""

    maps: tuple[Repeated, ...]
    notes: tuple[str, ...]


def rerun(path: str | os.PathLike[str]) -> Rerun:
    """Make every map of a ``run.json`` again and compare it with the CSV beside the file.

    The picture is looked for where it was, then beside the file, and must have the recorded hash. Raises
    CamcoreError for a file that is no run record, PictureError, ModelError, LayerError or MethodError where a
    part of it is not to be had any more.
    """
    home = Path(path)
    run = _read(home)
    try:
        picture, network = run["picture"], run["network"]
        wanted = [
            (
                entry["method"],
                dict(entry["options"]),
                entry["layer"],
                entry["class_index"],
                entry.get("csv"),
                entry.get("refine", []),
            )
            for entry in run["maps"]
        ]
        framing, name = run["framing"]["name"], network["name"]
        given, known_hash = network["weights_given"], network["weights_sha256"]
        folder = network.get("folder")  # of a saved network
        places, sha256 = (picture["path"], picture["name"]), picture["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_record(home, f"it lacks {error}") from error

    pic = _picture(home, places, sha256)
    if given == "random":
        raise ModelError(
            f"{str(home)!r} was made with random weights, which cannot be had again. Record a run with ImageNet "
            "weights or a weights file."
        )
    here = isinstance(folder, str) and (Path(folder) / JSON_NAME).is_file()
    net = load(folder if here else name, weights=given)
    notes = []
    if weights_hash(net) != known_hash:
        notes.append(f"the weights of {name} are not those of the record, so the maps may differ")
    maps = []
    for method, options, layer, index, csv, refine in wanted:
        made = explain(net, pic, method, layer, index, framing, {method: options}, refine)[0]
        maps.append(Repeated(made, _difference(made, _recorded(home, csv))))
    return Rerun(tuple(maps), tuple(notes))


def _read(path: Path) -> dict[str, Any]:
    try:
        run = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CamcoreError(f"{str(path)!r} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError as error:
        raise _not_a_record(path, "it is not JSON") from error
    if not isinstance(run, dict) or run.get("schema_version") != SCHEMA_VERSION:
        raise _not_a_record(path, f"its schema_version is not {SCHEMA_VERSION}")
    return run


def _not_a_record(path: Path, why: str) -> CamcoreError:
    return CamcoreError(
        f"{str(path)!r} is not a run record: {why}. Take a run.json as `python -m camcore explain --out` writes it."
    )


def _picture(home: Path, places: tuple[Any, ...], sha256: str) -> Picture:
    found = [home.parent / str(place) for place in places if place]  # an absolute path stays as it is
    for candidate in found:
        if candidate.is_file():
            pic = open_picture(candidate)
            if pic.sha256 == sha256:
                return pic
    raise PictureError(
        f"The picture of {str(home)!r} is not to be found: no file with its hash at "
        f"{' or '.join(repr(str(candidate)) for candidate in found)}. Put the picture beside the run.json."
    )


def _recorded(home: Path, csv: Any) -> np.ndarray:
    try:
        return np.loadtxt(home.parent / str(csv), delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise CamcoreError(
            f"The recorded map {csv!r} beside {str(home)!r} cannot be read, so there is nothing to compare with. "
            "Keep the CSV files together with their run.json."
        ) from error


def _difference(made: CamMap, before: np.ndarray) -> float:
    if before.shape != made.raw.shape:
        raise CamcoreError(
            f"The recorded map of {made.method!r} at {made.layer!r} has the shape {before.shape}, the new one "
            f"{made.raw.shape}. The CSV belongs to another run."
        )
    largest = float(np.abs(before).max())
    return float(np.abs(made.raw - before).max()) / (largest or 1.0)
