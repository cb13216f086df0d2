"""Where the benchmarks find real weights, photographs and masks: the folder that the tests use too."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camcore.pictures.picture import Picture

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SHARED = Path(os.environ.get("CAMCORE_SHARED") or ROOT.parent / "shared") / "data"
os.environ.setdefault("CAMCORE_WEIGHTS", str(SHARED / "weights"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def table(folder: str) -> list[dict[str, str]]:
    """The rows of a folder's ``index.csv``; ends the program with a hint where the folder is absent."""
    path = SHARED / folder / "index.csv"
    if not path.exists():
        raise SystemExit(f"{path} is not there. Set CAMCORE_SHARED to the folder that holds data/{folder}.")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def photographs(model: str, count: int) -> tuple[str, list[Picture]]:
    """(their kind in words, so many pictures): for a bundled network test photographs, evenly over the classes."""
    from camcore.models.saved import saved_networks
    from camcore.pictures.picture import open_picture

    if any(one.name == model and one.bundled for one in saved_networks()):
        rows = [row for row in table("cats_dogs") if row["split"] == "test"]
        by_label = [[row["file"] for row in rows if row["label"] == label] for label in "01"]
        files = [name for pair in zip(*by_label, strict=False) for name in pair]
        folder, kind = "cats_dogs", "test photographs of cats and dogs"
    else:
        files = [row["file"] for row in table("imagenet_sample")]
        folder, kind = "imagenet_sample", "pictures of the ImageNet sample"
    step = max(1, len(files) // count)
    if folder == "cats_dogs":
        step |= 1  # odd, so that both classes come
    return kind, [open_picture(SHARED / folder / name) for name in files[::step][:count]]
