"""A bias study on disk, for a page and for people. No photograph of the study is among it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.bias.court import court_from_json, court_to_json
from camcore.bias.cue import plant_cue, square
from camcore.bias.energy import Energy, Share, box_mask, check_box
from camcore.bias.study import TRIALS, Study, StudyHead
from camcore.errors import CamcoreError
from camcore.files import UNFIT, from_cell, read_json, read_text, to_csv, write_whole
from camcore.heatmaps.evidence import Evidence, common_scale, evidence
from camcore.metrics.intervals import Rate
from camcore.metrics.localisation import energy_share
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.render.colour import DIVERGING, colour
from camcore.render.encode import to_png, with_caption
from camcore.render.overlay import blend
from camcore.text import percent, readable
from camcore.training.folders import Skipped

SCHEMA_VERSION = 1

_MAP_SIDE = 336  # pixels, about, of a mean map's picture


@dataclass(frozen=True)
class StudySample:
    """A head's answer to a picture that may be shown: file is its PNG beside study.json.

    probability: of the marked class, whose evidence is drawn. energy: of its map, in the place of the cue.
    """

    picture: str
    head: str
    cue: bool
    said: str
    probability: float
    energy: float
    file: str


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """A study as read from its folder, with the pictures drawn for it."""

    study: Study
    samples: tuple[StudySample, ...]
    record: dict[str, object]
    folder: Path


def draw_samples(
    networks: dict[str, Network], pictures: Sequence[Picture], study: Study
) -> dict[StudySample, NDArray[np.uint8]]:
    """Each head's evidence for the marked class on pictures, with and without the cue: uint8 (H, W, 3) each.

    All of one picture are on one scale. Raises MethodError where a head is not a linear one behind an average.
    """
    drawn: dict[StudySample, NDArray[np.uint8]] = {}
    label = readable(study.classes[study.marked])
    for pic in pictures:
        plain = square(pic)
        variants = {cue: Picture.from_array(plant_cue(plain, study.box) if cue else plain) for cue in (False, True)}
        by_head = {
            (name, cue): evidence(network, one, classes=range(network.classes))
            for name, network in networks.items()
            for cue, one in variants.items()
        }
        scale = common_scale([classes[study.marked] for classes in by_head.values()])
        for (name, cue), classes in by_head.items():
            one = classes[study.marked]
            first = max(classes, key=lambda e: e.logit)
            energy = _energy(one, study)
            stem = re.sub(r"[^\w+-]+", "_", Path(pic.name).stem) or pic.sha256[:8]
            file = f"{stem}-{name}-{'with' if cue else 'without'}.png"
            sample = StudySample(pic.name, name, cue, first.label, one.probability, energy, file)
            lines = (
                f"{name} · {'with' if cue else 'without'} the cue · says {readable(first.label)} "
                f"{percent(first.probability)}",
                f"red: evidence for {label}, {percent(energy)} of it in the cue's place; blue: against",
            )
            overlaid = blend(variants[cue].rgb, one.on_picture(scale), 0.8, DIVERGING, by_value=True)
            drawn[sample] = with_caption(overlaid, lines)
    return drawn


def draw_mean_map(study: Study, head: StudyHead) -> NDArray[np.uint8]:
    """A head's mean map over the marked class's pictures with the cue, its place outlined: uint8 (H, W, 3)."""
    side = max(1, _MAP_SIDE // len(head.mean_map))
    rgb = np.kron(colour(head.mean_map), np.ones((side, side, 1), np.uint8))
    height, width = rgb.shape[:2]
    box = study.box_on_input
    top, left, bottom, right = (round(edge * length) for edge, length in zip(box, (height, width) * 2, strict=True))
    outline = np.zeros((height, width), bool)
    outline[top:bottom, left:right] = True
    outline[top + 2 : bottom - 2, left + 2 : right - 2] = False
    rgb[outline] = 255
    energy = head.energy["with"]
    label = readable(study.classes[study.marked])
    lines = (
        f"{head.name} · mean CAM for {label} over {energy.n} pictures of {label} with the cue",
        f"{percent(energy.value)} of the energy in the cue's place (outlined), {percent(energy.area)} of the area",
    )
    return with_caption(rgb, lines)


def write_study(
    folder: str | os.PathLike[str],
    study: Study,
    samples: Mapping[StudySample, NDArray[np.uint8]],
    record: Mapping[str, object],
) -> tuple[Path, ...]:
    """Write the PNGs, energies.csv and, last, study.json; returns their paths.

    record: how the study came about, for people: values that JSON can hold. Raises CamcoreError where the folder
    cannot be written.
    """
    home = Path(folder)
    written = [write_whole(home / sample.file, to_png(rgb)) for sample, rgb in samples.items()]
    written += [write_whole(home / f"mean-{head.name}.png", to_png(draw_mean_map(study, head))) for head in study.heads]
    rows = (
        [head.name, cue, one.file, f"{one.energy:.6f}", f"{one.area:.6f}", int(one.empty)]
        for head in study.heads
        for cue, shares in head.shares.items()
        for one in shares
    )
    table = to_csv([["head", "cue", "file", "energy", "area", "empty"], *rows])
    written.append(write_whole(home / "energies.csv", table))
    content = {
        "schema_version": SCHEMA_VERSION,
        "classes": list(study.classes),
        "marked": study.marked,
        "box": list(study.box),
        "training": study.training,
        "testing": study.testing,
        "skipped": [{"file": one.file.name, "reason": one.reason} for one in study.skipped],
        "seed": study.seed,
        "layer": study.layer,
        "method": study.method,
        "heads": [
            {
                "name": head.name,
                "accuracy": {key: asdict(rate) for key, rate in head.accuracy.items()},
                "energy": {key: asdict(energy) for key, energy in head.energy.items()},
                "mean_map": np.round(head.mean_map, 6).tolist(),
                "seconds": round(head.seconds, 1),
                "court": court_to_json(head.court),
            }
            for head in study.heads
        ],
        "samples": [asdict(sample) for sample in samples],
        "record": dict(record),
    }
    data = json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8")
    return (*written, write_whole(home / "study.json", data))


def read_study(folder: str | os.PathLike[str]) -> StoredStudy:
    """Read what ``write_study`` wrote. Raises CamcoreError where study.json is missing or damaged."""
    home = Path(folder)
    try:
        content = read_json(home / "study.json")
        if content["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its schema_version is {content['schema_version']}, not {SCHEMA_VERSION}")
        shares = _read_shares(home / "energies.csv")
        study = Study(
            classes=tuple(content["classes"]),
            marked=content["marked"],
            box=tuple(content["box"]),
            training=content["training"],
            testing=content["testing"],
            skipped=tuple(Skipped(Path(one["file"]), one["reason"]) for one in content["skipped"]),
            seed=content["seed"],
            layer=content["layer"],
            method=content["method"],
            heads=tuple(_head(one, shares) for one in content["heads"]),
        )
        check_box(study.box)
        if not 0 <= study.marked < len(study.classes):
            raise ValueError(f"it has no class {study.marked}")
        return StoredStudy(study, tuple(StudySample(**one) for one in content["samples"]), content["record"], home)
    except OSError as error:
        raise CamcoreError(
            f"The bias study in '{home}' cannot be read: {error.strerror or error}. Correct the path, or make a study "
            "with python -m camcore bias study … --out."
        ) from error
    except (*UNFIT, csv.Error) as error:
        raise CamcoreError(
            f"The bias study in '{home}' is damaged ({type(error).__name__}: {error}). It was changed or cut off. "
            "Make it again with python -m camcore bias study … --out."
        ) from error


def _head(content: dict[str, Any], shares: dict[tuple[str, str], tuple[Share, ...]]) -> StudyHead:
    mean_map = np.array(content["mean_map"], np.float64)
    if mean_map.ndim != 2 or not mean_map.size:
        raise ValueError(f"the mean map of {content['name']!r} has the shape {mean_map.shape}")
    accuracy = {key: Rate(**content["accuracy"][key]) for key in TRIALS}
    energy = {key: Energy(**fields) for key, fields in content["energy"].items()}
    own = {key: shares.get((content["name"], key), ()) for key in energy}
    court = court_from_json(content.get("court"))  # studies that were written before there were courts have none
    return StudyHead(content["name"], accuracy, energy, mean_map, own, content["seconds"], court)


def _read_shares(path: Path) -> dict[tuple[str, str], tuple[Share, ...]]:
    by_head: dict[tuple[str, str], list[Share]] = {}
    for row in csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True):
        share = Share(from_cell(row["file"]), float(row["energy"]), float(row["area"]), row["empty"] == "1")
        by_head.setdefault((row["head"], row["cue"]), []).append(share)
    return {key: tuple(shares) for key, shares in by_head.items()}


def _energy(one: Evidence, study: Study) -> float:
    """The share of what speaks for the class that lies in the cue's place."""
    drawn = one.on_picture()
    return energy_share(drawn, box_mask(study.box, drawn.shape))[0]
