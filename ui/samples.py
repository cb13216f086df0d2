"""The photographs to start from: those that scikit-image ships in its wheel, found without importing it."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import camcore
from camcore.render.encode import to_data_url, to_jpeg
from ui.rasters import shrink

THUMB_SIDE = 160


@dataclass(frozen=True)
class Sample:
    """One photograph: its word in the URL, what a person calls it, and where its bytes are."""

    key: str
    title: str
    path: Path


CATALOGUE = (
    ("chelsea", "Cat", "chelsea.png"),
    ("astronaut", "Astronaut", "astronaut.png"),
    ("coffee", "Coffee", "coffee.png"),
    ("rocket", "Rocket", "rocket.jpg"),
    ("motorcycle", "Motorcycle", "motorcycle_left.png"),
)
KEYS = tuple(key for key, _, _ in CATALOGUE)
DEFAULT = KEYS[0]


@functools.cache
def samples() -> dict[str, Sample]:
    """The samples that are present, by key; empty where scikit-image is not installed."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "data"
    found = (Sample(key, title, folder / name) for key, title, name in CATALOGUE)
    return {sample.key: sample for sample in found if sample.path.is_file()}


@functools.cache
def picture(key: str) -> camcore.Picture:
    """A sample, decoded once for everybody."""
    return camcore.open_picture(samples()[key].path)


@functools.cache
def thumbnail(key: str) -> str:
    """A small JPEG of the sample as a data URL."""
    return to_data_url(to_jpeg(shrink(picture(key).rgb, THUMB_SIDE)), "image/jpeg")
