"""The catalogue: the 40 image classifiers of keras.applications, and how to build one.

The rows are in ``data/backbones.csv``, where a new backbone is one more row. Reading the catalogue imports
neither keras nor tensorflow; :func:`build` does.
"""

from __future__ import annotations

import csv
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.class_names import generic_labels
from camcore.errors import ModelError, nearest
from camcore.files import Json
from camcore.models.labels import imagenet_labels
from camcore.models.preprocessing import preprocessing
from camcore.models.published_weights import Options, options_text, own_name, published_weights, why_unpublished
from camcore.models.weights import check_fit, load_weights
from camcore.models.weights_contents import check_file, head_options
from camcore.models.weights_files import DownloadProgress, WeightsFile, download, find_file
from camcore.origin import Origin

if TYPE_CHECKING:
    import keras

    from camcore.network import Preprocess

FRAMING = "crop"
"""The framing used to evaluate ImageNet networks: short side to 256, then the central 224, in proportion."""

_CATALOGUE = Path(__file__).parents[1] / "data" / "backbones.csv"


@dataclass(frozen=True)
class Backbone:
    """A row of the catalogue, for the constructor's default options."""

    name: str  # the constructor's name in keras.applications
    family: str
    year: int  # of the paper's first appearance
    input_size: tuple[int, int]  # (height, width) in pixels; Keras' default, 224 where Keras leaves it open
    parameters: int  # with the classifier, trainable or not
    top1: float  # published top-1 accuracy on ImageNet's validation set, in %
    top1_source: str  # the page that publishes it
    keras_module: str  # keras.applications.<this>
    preprocessing: str  # a name of camcore.models.preprocessing, the same as that module's preprocess_input
    weights: WeightsFile  # Keras' ImageNet weights
    paper: str
    paper_url: str

    @property
    def download_mb(self) -> int:
        """About the size of Keras' weights file in millions of bytes: four bytes for each parameter."""
        return max(1, round(self.parameters * 4 / 1e6))

    @property
    def summary(self) -> str:
        """On what Keras' weights were trained."""
        return "ImageNet"

    @property
    def framing(self) -> str:
        """The framing of its pictures: the one ImageNet networks were evaluated with."""
        return FRAMING

    @property
    def version(self) -> str:
        """Nothing tells two networks of this name apart."""
        return ""

    @property
    def weights_state(self) -> str:
        """The place of the ImageNet weights: "on disk", or "downloads N MB" (about)."""
        return "on disk" if find_weights(self.name) else f"downloads {self.download_mb} MB"


@dataclass(frozen=True, eq=False)
class Built:
    """A network ready for use: a backbone, a saved one, what a factory made, or a whole model's file."""

    model: keras.Model
    preprocess: Preprocess | None  # RGB 0..255 (n,h,w,3) → float32 network input; copies
    labels: Sequence[str] | None  # one for each class; None: nobody named them
    input_size: tuple[int, int] | None  # (height, width); None: as the model says
    weights_note: str  # where the weights came from, in words
    origin: Origin | None = None  # what it takes to have it again
    framing: str = "stretch"  # how pictures are brought to the input size
    more: Mapping[str, Json] = field(default_factory=dict)  # further arguments of camcore.wrap


@lru_cache(maxsize=1)
def backbones() -> tuple[Backbone, ...]:
    """All rows of the catalogue, family by family."""
    with _CATALOGUE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Backbone(
                name=row["name"],
                family=row["family"],
                year=int(row["year"]),
                input_size=(int(row["input_size"]), int(row["input_size"])),
                parameters=int(row["parameters"]),
                top1=float(row["top1"]),
                top1_source=row["top1_source"],
                keras_module=row["keras_module"],
                preprocessing=row["preprocessing"],
                weights=WeightsFile(row["weights_file"], row["weights_url"], row["weights_hash"]),
                paper=row["paper"],
                paper_url=row["paper_url"],
            )
            for row in csv.DictReader(file)
        )


def backbone(name: str) -> Backbone:
    """The row of that name, letter for letter; else ModelError with the nearest one."""
    rows = {row.name: row for row in backbones()}
    if name in rows:
        return rows[name]
    near = nearest(name, rows)
    hint = f"Did you mean {near!r}?" if near else f"Choose one of: {', '.join(rows)}."
    raise ModelError(
        f"There is no backbone {name!r}. The names are those of keras.applications, letter for letter. {hint}"
    )


def find_weights(name: str, **options: Json) -> Path | None:
    """The weights file on this machine for a backbone with these constructor options; None where none is.

    Looked for in the folders named by ``CAMCORE_WEIGHTS``, then in Keras' cache, under the names
    ``<Name>.weights.h5``, or ``<Name>_<option><value>.weights.h5`` where an option that changes the weights
    (alpha, classes, depth_multiplier, input_shape, minimalistic) is not its default, and Keras' own name.
    Raises ModelError for an unknown backbone.
    """
    row = backbone(name)
    names = [own_name(row, options)]
    if not why_unpublished(row, options):
        names.append(published_weights(row, options).name)
    return find_file(names)


def build(
    name: str,
    weights: str | os.PathLike[str] | None = None,
    progress: DownloadProgress | None = None,
    **options: Json,
) -> Built:
    """Build a backbone and load its weights.

    ``weights``: None or "imagenet" for ImageNet weights, found on this machine or else downloaded from
    Keras' server into Keras' cache, with ``progress(done_bytes, total_bytes)``, which may raise to stop it;
    "random"; or a weights file's path, from whose head the number of classes is read unless ``options`` say it. These
    go to Keras' constructor (alpha, classes, input_shape, …).
    Raises ModelError for an unknown name or option, and where the weights are missing, damaged or of another
    network.
    """
    row = backbone(name)
    import keras

    constructor = getattr(keras.applications, row.name)
    _check_options(row, constructor, options)
    path, note = _resolve(row, weights, progress, options)
    if path is not None and weights not in (None, "imagenet"):
        options = head_options(path) | options
        check_fit(path, lambda: _constructed(row, constructor, options))
    model = _constructed(row, constructor, options)
    if path is not None:
        load_weights(model, path)
    height, width = model.input_shape[1:3]
    return Built(
        model=model,
        preprocess=preprocessing(row.preprocessing),
        labels=_labels(int(model.output_shape[-1]), options),
        input_size=(height or row.input_size[0], width or row.input_size[1]),
        weights_note=note,
        framing=FRAMING,
        origin=Origin({"builder": "backbone", "backbone": name, "options": _trunk_options(options)}, row.preprocessing),
    )


def build_trunk(name: str, **options: Json) -> keras.Model:
    """The keras.Model of a backbone without its classifier and without trained weights.

    ``options``: those that a trunk has (alpha, depth_multiplier, input_shape, minimalistic). Raises ModelError for an
    unknown name or option.
    """
    row = backbone(name)
    import keras

    constructor = getattr(keras.applications, row.name)
    _check_options(row, constructor, options)
    return _constructed(row, constructor, {**options, "include_top": False})


def fetch_weights(name: str, progress: DownloadProgress | None = None) -> Path:
    """The ImageNet weights of a backbone with its default options: found on this machine, else downloaded.

    ``progress``: as in :func:`build`. Needs no TensorFlow. Raises ModelError where they cannot be had.
    """
    return find_weights(name) or _downloaded(backbone(name), progress, {})


def _downloaded(row: Backbone, progress: DownloadProgress | None, options: Options) -> Path:
    return download(published_weights(row, options), progress, _without_network(row, options))


def _check_options(row: Backbone, constructor: Callable[..., keras.Model], options: Options) -> None:
    ours = {"weights", "input_tensor", "include_top", "name"}
    known = [key for key in inspect.signature(constructor).parameters if key not in ours]
    if not options.get("include_top", True):
        raise ModelError(
            f"{row.name} without its top (include_top=False) has no class scores, so there is nothing that a "
            "heatmap could explain. Leave include_top away."
        )
    if not options.get("include_preprocessing", True):
        raise ModelError(
            f"{row.name} with include_preprocessing=False would be given pictures it was not trained on: its "
            "preprocess_input does nothing, for the network prepares them itself. Leave the option away."
        )
    for key in options:
        if key not in known and key != "include_top":
            near = nearest(key, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise ModelError(
                f"{row.name} has no option {key!r}. Its constructor in keras.applications takes: "
                f"{', '.join(known)}.{hint}"
            )
    shape = options.get("input_shape")
    if shape is not None and not (isinstance(shape, tuple | list) and len(shape) == 3 and shape[2] == 3):
        raise ModelError(
            f"The input_shape {shape!r} does not fit. It must be (height, width, 3), for pictures have rows, "
            f"columns and three colours. Give one such as {(*row.input_size, 3)}."
        )


def _constructed(row: Backbone, constructor: Callable[..., keras.Model], options: Options) -> keras.Model:
    given = {"input_shape": (*row.input_size, 3), **options}
    if isinstance(given["input_shape"], list):  # from a JSON file
        given["input_shape"] = tuple(given["input_shape"])
    try:
        return constructor(weights=None, **given)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{row.name} cannot be built with {options_text(options)}: {str(error).rstrip('.')}. Change the options."
        ) from error


def _trunk_options(options: Options) -> dict[str, Json]:
    """Those options that change the network below its classifier, as JSON has them."""
    trunk = ("alpha", "depth_multiplier", "input_shape", "minimalistic")
    chosen = {key: options[key] for key in trunk if options.get(key) is not None}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in chosen.items()}


def _resolve(
    row: Backbone,
    weights: str | os.PathLike[str] | None,
    progress: DownloadProgress | None,
    options: Options,
) -> tuple[Path | None, str]:
    """The weights file to load (None: random weights) and the note about it."""
    if weights == "random":
        return None, "random weights"
    if weights is None or weights == "imagenet":
        activation = options.get("classifier_activation", "softmax")
        if activation not in ("softmax", None):
            raise ModelError(
                f"ImageNet weights do not go with classifier_activation={activation!r}: they were trained to "
                'end in softmax. Leave it out, or choose weights="random" or a weights file of your own.'
            )
        path = find_weights(row.name, **options)
        if path is None:
            path = _downloaded(row, progress, options)
        return path, f"ImageNet weights from {path.name}"
    if not isinstance(weights, str | os.PathLike):
        raise ModelError(
            f"The weights {weights!r} are a {type(weights).__name__}. They must say where to take them from. "
            "Give a weights file's path, 'imagenet' or 'random'."
        )
    path = check_file(weights)
    return path, f"weights from {path.name}"


def _without_network(row: Backbone, options: Options) -> str:
    return (
        "The network knows nothing without them. Put them as "
        f"{own_name(row, options)!r}, or under the download's own name, into a folder and name the folder in "
        'the environment variable CAMCORE_WEIGHTS; or choose weights="random" for an untrained network.'
    )


def _labels(outputs: int, options: Options) -> tuple[str, ...]:
    if outputs == 1000:
        return imagenet_labels()
    yes_or_no = outputs == 1 and options.get("classifier_activation") == "sigmoid"
    return generic_labels(2 if yes_or_no else outputs)
