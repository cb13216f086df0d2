"""A weights file of one's own for an architecture of the catalogue: checked in full, then kept as a saved network.

It becomes a folder as training writes one (``camcore.models.saved``), so every page and command knows it by name.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.class_names import generic_labels
from camcore.errors import ModelError
from camcore.files import Json
from camcore.models import catalogue, saved
from camcore.models.description import SavedNetwork, check_name
from camcore.models.labels import check_count, imagenet_labels
from camcore.models.load import backbones
from camcore.models.preprocessing_check import Fit, compare_preprocessings
from camcore.models.weights import check_fit, load_weights
from camcore.models.weights_contents import head_options, refuse_whole_model
from camcore.models.weights_files import search_folders
from camcore.models.wrap import wrap

if TYPE_CHECKING:
    import keras
from camcore.pictures.picture import Picture


@dataclass(frozen=True)
class Candidate:
    """A weights file and what it is said to be the weights of.

    ``path``: a Path, or a path as text. ``alpha``: the width of a MobileNet, None for the usual one. ``labels``: None
    for ImageNet's where there are 1,000 classes, else numbers.
    """

    path: Path
    backbone: str
    alpha: float | None = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path).expanduser())


@dataclass(frozen=True)
class Check:
    """The result of a check of a weights file. ``fits``: its answers for each preprocessing, growing."""

    classes: int
    parameters: int
    labels: tuple[str, ...]
    fits: tuple[Fit, ...] = ()


def loose_files() -> tuple[Path, ...]:
    """Files in the folders of ``CAMCORE_WEIGHTS`` that look like weights and are not a backbone's ImageNet ones."""
    known = {path.name for row in catalogue.backbones() if (path := catalogue.find_weights(row.name)) is not None}
    files: dict[Path, None] = {}
    for folder in search_folders()[:-1]:
        try:
            inside = sorted(folder.iterdir())
        except OSError:
            continue
        files.update({path: None for path in inside if path.suffix in (".h5", ".hdf5") and path.name not in known})
    return tuple(files)


def options_of(candidate: Candidate) -> dict[str, Json]:
    """The constructor's options for a candidate, its number of classes read from the file.

    Raises ModelError where the file is no weights file, or where its head cannot be told and no labels say how many
    classes there are.
    """
    refuse_whole_model(candidate.path)
    usual: dict[str, Json] = {"classes": len(candidate.labels) if candidate.labels else 1000}
    options: dict[str, Json] = head_options(candidate.path) or usual
    if candidate.alpha is not None:
        options["alpha"] = candidate.alpha
    return options


def check(candidate: Candidate, pictures: Sequence[Picture]) -> Generator[Check, None, None]:
    """Load the file in full and let the network answer about pictures; yields what is known so far.

    Raises ModelError where the file is damaged, holds a whole model, or belongs to another architecture (with the
    layer and shapes that differ), and where the labels are not as many as its classes.
    """
    model, labels = _loaded(candidate)
    result = Check(len(labels), int(model.count_params()), labels)
    yield result
    size = catalogue.backbone(candidate.backbone).input_size
    network = wrap(model, labels=labels, input_size=size, framing=catalogue.FRAMING, name=candidate.path.name)
    for fits in compare_preprocessings(network, pictures):
        yield Check(result.classes, result.parameters, labels, fits)


def adopt(
    candidate: Candidate, name: str, preprocessing: str, fits: Sequence[Fit] = (), source: str = ""
) -> SavedNetwork:
    """Keep a weights file as a network of one's own under ``name``; the file itself stays as it is.

    ``fits``: what the check found, and ``source``: the file's name as people know it, for the record. Raises
    ModelError as ``check`` does, where the name cannot be used or is taken, and where it cannot be written.
    """
    check_new_name(name)
    model, labels = _loaded(candidate)
    row = catalogue.backbone(candidate.backbone)
    record = {
        "weights_file": source or candidate.path.name,
        "preprocessing_check": [_record(fit) for fit in fits],
    }
    return saved.write(
        saved.networks_folder() / name,
        model,
        name=name,
        architecture={"builder": "classifier", "backbone": row.name, "options": options_of(candidate)},
        input_size=row.input_size,
        preprocessing=preprocessing,
        labels=labels,
        trained=record,
    )


def check_new_name(name: str) -> str:
    """A name for a new network, as it is. Raises ModelError where it cannot be one, or is taken."""
    check_name(name)
    if name in {row.name for row in backbones()} or (saved.networks_folder() / name).exists():
        raise ModelError(f"There is a network called {name!r} already. It is kept as it is. Choose another name.")
    return name


def _loaded(candidate: Candidate) -> tuple[keras.Model, tuple[str, ...]]:
    """The model with the file's weights, and the names of its classes."""
    options = options_of(candidate)
    check_fit(candidate.path, lambda: catalogue.build(candidate.backbone, "random", **options).model)
    model = catalogue.build(candidate.backbone, "random", **options).model
    load_weights(model, candidate.path)
    outputs = int(model.output_shape[-1])
    classes = 2 if outputs == 1 else outputs
    labels = candidate.labels
    if labels is None:
        labels = imagenet_labels() if classes == 1000 else generic_labels(classes)
    check_count(labels, classes)
    return model, labels


def _record(fit: Fit) -> Mapping[str, Json]:
    return {
        "preprocessing": fit.name,
        "confidence": round(fit.confidence, 4),
        "entropy_bits": round(fit.entropy, 4),
        "information_bits": round(fit.information, 4),
    }
