"""Runs made again from their ``run.json``, with the difference of each map."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError, ModelError, PictureError
from camcore.files import read_text
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.run import explain
from camcore.models.description import JSON_NAME
from camcore.models.load import load
from camcore.models.pickling import renamed, weights_hash
from camcore.network import Network
from camcore.pictures.picture import Picture, open_picture
from camcore.report.recorded import RecordedRun, read_runs

# The maps of one run share what was computed of its picture.
_MEMORY_BYTES = 256 << 20


@dataclass(frozen=True, eq=False)
class Repeated:
    """One map made again. ``difference``: max |Δraw| as a share of the recorded map's largest |raw|."""

    map: CamMap
    difference: float


@dataclass(frozen=True, eq=False)
class Rerun:
    """Runs made again: their maps in the order recorded, and notes on what is not as it was."""

    maps: tuple[Repeated, ...]
    notes: tuple[str, ...]


def rerun(path: str | os.PathLike[str], custom: Sequence[str] = (), unsafe: bool = False) -> Rerun:
    """Make every map of a ``run.json`` again and compare it with the CSV beside the file.

    The picture is looked for where it was, then beside the file, and must have the recorded hash. A whole model's
    file is looked for likewise; the notes name one that has changed. ``custom``: modules with its custom classes,
    and ``unsafe``: whether code in it may run; neither is taken from the record, which may be anybody's. Raises
    CamcoreError for a file that is no run record, PictureError, ModelError, LayerError or MethodError where a
    part of it is not to be had any more. Of several runs, as a report has them, those that cannot be made again are
    named in the notes; where none can, the first one's error is raised.
    """
    home = Path(path)
    runs = read_runs(home)
    networks: dict[Hashable, tuple[Network, str]] = {}
    maps: list[Repeated] = []
    notes: list[str] = []
    failures: list[CamcoreError] = []
    for number, run in enumerate(runs, 1):
        try:
            key = (run.network, run.weights, repr(run.options), run.folder, run.file, repr(run.given))
            if key not in networks:
                network = _network(home, run, tuple(custom), unsafe)
                networks[key] = network, weights_hash(network)
            network, found_hash = networks[key]
            notes += _changed(run, network)
            maps += _again(home, run, network)
        except CamcoreError as error:
            failures.append(error)
            notes.append(f"run {number} of {len(runs)} cannot be made again: {error}")
            continue
        if found_hash != run.weights_sha256:
            notes.append(f"the weights of {run.network} are not those of the record, so the maps may differ")
    if not maps:
        raise failures[0]
    return Rerun(tuple(maps), tuple(dict.fromkeys(notes)))


def _again(home: Path, run: RecordedRun, network: Network) -> list[Repeated]:
    pic = _picture(home, run)
    memory = Memory(_MEMORY_BYTES)
    repeated = []
    for one in run.maps:
        before = _recorded(home, one.csv)
        options = {one.method: one.options}
        (made,) = explain(
            network, pic, one.method, one.layer, one.class_index, run.framing, options, one.refine, memory
        )
        repeated.append(Repeated(made, _difference(made, before)))
    return repeated


def _network(home: Path, run: RecordedRun, custom: tuple[str, ...], unsafe: bool) -> Network:
    if run.weights == "random":
        raise ModelError(
            f"{str(home)!r} was made with random weights, which cannot be had again. Record a run with ImageNet "
            "weights or a weights file."
        )
    if run.unrecorded:
        raise ModelError(
            f"{str(home)!r} was made in Python with a {run.unrecorded[0]!r} that a file cannot hold. Make the maps "
            "again there, or name a preprocessing (--preprocess) instead of a function."
        )
    here = run.folder is not None and _is_file(Path(run.folder) / JSON_NAME)
    options, given = _as_given(run.options), _as_given(run.given)
    source = str(run.folder) if here else run.network
    if run.file is not None:
        source = _model_file(home, run.file)
        given |= _code(home, given, custom, unsafe)
    try:
        network = load(source, weights=run.weights, **options, **given)
        return renamed(network, run.network) if run.file is not None else network
    except (OSError, TypeError) as error:  # a path that cannot be one, options that are none
        raise ModelError(
            f"The network {run.network!r} of {str(home)!r} cannot be loaded as recorded: {error}. The record was "
            "edited; take the one that was written."
        ) from error


def _as_given(options: Mapping[str, object]) -> dict[str, Any]:
    """Options as ``load`` was given them: JSON has lists for tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}


def _model_file(home: Path, file: str) -> str:
    """The path of a whole model's file now: where it was, else beside the record."""
    beside = home.parent / Path(file.replace("\\", "/")).name
    try:
        return str(beside if not Path(file).exists() and beside.exists() else Path(file))
    except OSError:  # it cannot be a path
        return file


def _code(home: Path, given: Mapping[str, object], custom: tuple[str, ...], unsafe: bool) -> dict[str, object]:
    """The options that allow code. A record may come from anybody: what it says of that is a question, not an order."""
    if given.get("safe_mode") is False and not unsafe:
        raise ModelError(
            f"{str(home)!r} was made with --unsafe: code that lies in the model's file runs when it is loaded. A "
            "record cannot allow that. If you trust the file, run it again with --unsafe."
        )
    if given.get("custom_objects") and not custom:
        named = given["custom_objects"]
        shown = " ".join(f"--custom {one}" for one in (named if isinstance(named, tuple) else (named,)))
        raise ModelError(
            f"{str(home)!r} was made with classes of somebody's own. A record cannot have modules imported. If you "
            f"trust them, run it again with {shown}."
        )
    return {"custom_objects": custom or None, "safe_mode": not unsafe}


def _changed(run: RecordedRun, network: Network) -> list[str]:
    recipe = network.load_arguments
    if recipe is None or recipe.file is None or recipe.sha256 == run.file_sha256:
        return []
    return [f"the file {recipe.file.name} is not the one of the record (its SHA-256 differs)"]


def _is_file(path: Path) -> bool:
    """True where there is such a file; False also for what cannot be a path."""
    try:
        return path.is_file()
    except OSError:
        return False


def _picture(home: Path, run: RecordedRun) -> Picture:
    candidates = [home.parent / place for place in run.places]  # an absolute path stays as it is
    for candidate in candidates:
        if _is_file(candidate):
            pic = open_picture(candidate)
            if pic.sha256 == run.sha256:
                return pic
    raise PictureError(
        f"The picture of {str(home)!r} is not to be found: no file with its hash at "
        f"{' or '.join(repr(str(candidate)) for candidate in candidates)}. Put the picture beside the run.json."
    )


def _recorded(home: Path, csv: str | None) -> NDArray[np.float64]:
    try:
        if csv is None:
            raise ValueError("no file is named")
        lines = [line for line in read_text(home.parent / csv).splitlines() if not line.startswith("#")]
        if not any(lines):
            raise ValueError("it is empty")
        recorded = np.loadtxt(lines, delimiter=",", ndmin=2)
        if not np.isfinite(recorded).all():
            raise ValueError("it holds what is no finite number")
    except (OSError, ValueError) as error:
        raise CamcoreError(
            f"The recorded map {csv!r} beside {str(home)!r} cannot be read, so there is nothing to compare with. "
            "Keep the CSV files together with their run.json."
        ) from error
    return recorded


def _difference(made: CamMap, before: NDArray[np.float64]) -> float:
    if before.shape != made.raw.shape:
        raise CamcoreError(
            f"The recorded map of {made.method!r} at {made.layer!r} has the shape {before.shape}, the new one "
            f"{made.raw.shape}. The CSV belongs to another run."
        )
    largest = float(np.abs(before).max())
    return float(np.abs(made.raw - before).max()) / (largest or 1.0)
