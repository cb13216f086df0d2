"""The image classifiers that the installed keras_hub knows by name, read from its files without importing it.

keras_hub keeps a table of presets beside the code of each architecture. To import them would start TensorFlow, which a
list need not.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from camcore.files import Json, read_json_object

PREFIX = "hub:"
INSTALL = 'pip install "camcore-workbench[hub]"'
FRAMING = "centre"
"""The framing of keras_hub's image converters, unless a preset says otherwise."""
_WEIGHTS = ("task.weights.h5", "model.weights.h5", "model.weights.json")

_CLASSIFIER = re.compile(r"imagenet[ -_]?1k|imagenet|in1k", re.IGNORECASE)
_BACKBONE = re.compile(r"21k|22k dataset|ade20k|cityscapes|\bbackbone\b", re.IGNORECASE)
"""Presets without a head for ImageNet's classes, as their names and descriptions say."""


@dataclass(frozen=True)
class HubPreset:
    """A preset of keras_hub, as a row of the list of networks.

    ``source``: what keras_hub knows it by. ``parameters``: without its head, as keras_hub counts them; None where
    nobody says. ``handle``: where on Kaggle it is; empty for a folder.
    """

    source: str
    family: str = ""
    parameters: int | None = None
    description: str = ""
    handle: str = ""

    @property
    def name(self) -> str:
        """The name that ``camcore.load`` takes."""
        return f"{PREFIX}{self.source}"

    @property
    def input_size(self) -> None:
        """Not known before it is loaded."""
        return None

    @property
    def download_mb(self) -> int:
        """About the size of its weights in millions of bytes: four bytes for each parameter."""
        return max(1, round((self.parameters or 0) * 4 / 1e6))

    @property
    def weights_state(self) -> str:
        """The place of its weights: "on disk", or "downloads N MB" (about)."""
        return "on disk" if self.folder is not None or not self.handle else f"downloads {self.download_mb} MB"

    @property
    def summary(self) -> str:
        """On what it was trained."""
        return "ImageNet" if self.handle else ""

    @property
    def version(self) -> str:
        """Tells it from another preset of the same name: of a folder, when it was written."""
        return "" if self.handle or self.folder is None else str(_written(self.folder))

    @property
    def framing(self) -> str:
        """The framing of its image converter, as far as its files are here."""
        return FRAMING if self.folder is None else framing_of(self.folder)

    @property
    def folder(self) -> Path | None:
        """The folder of its files on this machine; None where its weights are not here."""
        folder = _cached(self.handle) if self.handle else Path(self.source)
        return folder if any((folder / name).is_file() for name in _WEIGHTS) else None


def installed() -> bool:
    """True where keras_hub is installed; imports nothing."""
    return importlib.util.find_spec("keras_hub") is not None


@lru_cache(maxsize=1)
def presets() -> tuple[HubPreset, ...]:
    """The classifiers of ImageNet's 1,000 classes, family by family; none where keras_hub is not installed."""
    spec = importlib.util.find_spec("keras_hub")
    roots = () if spec is None else tuple(spec.submodule_search_locations or ())
    found: dict[str, HubPreset] = {}
    for root in map(Path, roots):
        for code in sorted(root.glob("src/models/*/*_image_classifier.py")):
            for table in sorted(code.parent.glob("*_presets.py")):
                found |= {row.source: row for row in _rows(table, code.parent.name)}
    return tuple(found.values())


def downloaded() -> tuple[HubPreset, ...]:
    """Those whose weights keras_hub has fetched to this machine."""
    there = (_cache() / "models").is_dir()  # or nothing need be read
    return tuple(row for row in presets() if row.folder is not None) if there else ()


def find(name: str) -> HubPreset | None:
    """The preset that ``hub:NAME`` means: one of keras_hub's, or the folder of one; None where it means neither."""
    if not name.startswith(PREFIX):
        return None
    source = name[len(PREFIX) :]
    known = next((row for row in presets() if row.source == source), None)
    return known or (HubPreset(source) if source and is_folder(Path(source)) else None)


def is_folder(path: Path) -> bool:
    """True for the folder of a preset of a whole classifier."""
    try:
        return (path / "task.json").is_file() and (path / "config.json").is_file()
    except (OSError, ValueError):  # too long, or with a zero in it
        return False


def framing_of(folder: Path) -> str:
    """The framing by which the image converter of a preset's folder brings pictures to its size."""
    options: Json = (read_json_object(folder / "image_converter.json") or {}).get("config")
    if not isinstance(options, Mapping):
        options = {}
    if options.get("crop_to_aspect_ratio", True):
        return "centre"
    return "letterbox" if options.get("pad_to_aspect_ratio", False) else "stretch"


def _rows(table: Path, family: str) -> Iterator[HubPreset]:
    """The presets of a module that assigns dictionaries of them, by name; what is not written out is left out."""
    for node in ast.parse(table.read_text("utf-8"), str(table)).body:
        value = node.value if isinstance(node, ast.Assign) else None
        if not isinstance(value, ast.Dict):
            continue
        for key, entry in zip(value.keys, value.values, strict=True):
            try:
                name, facts = ast.literal_eval(key) if key is not None else None, ast.literal_eval(entry)
                about = facts["metadata"]
                text = " ".join(str(about["description"]).split())
                row = HubPreset(str(name), family, int(about["params"]), text, str(facts["kaggle_handle"]))
            except (ValueError, TypeError, KeyError):
                continue
            if _CLASSIFIER.search(f"{row.source} {text}") and not _BACKBONE.search(f"{row.source} {text}"):
                yield row


def _cached(handle: str) -> Path:
    """The folder where kagglehub keeps a model, there or not."""
    return _cache() / "models" / handle.removeprefix("kaggle://")


def _cache() -> Path:
    """The folder that kagglehub keeps everything in."""
    return Path(os.environ.get("KAGGLEHUB_CACHE") or Path.home() / ".cache" / "kagglehub")


def _written(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.glob("*.json")), default=0)
