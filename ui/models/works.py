"""What the Models page has done in the background: weights fetched, files checked and kept, factories tried."""

import contextlib
import hashlib
import tempfile
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import camcore
from camcore.models import adopt as adopting
from camcore.models import catalogue, factories
from camcore.models.adopt import Candidate, Check
from camcore.models.factories import Factory
from camcore.models.input_scaling import advice, scales_itself
from camcore.models.preprocessing_check import Fit, compare_preprocessings
from camcore.models.saved import SavedNetwork
from ui import samples
from ui.engine import engine
from ui.jobs import Job
from ui.works import Part, Work

Parts = Generator[Part, None, None]

_building = threading.Lock()
"""One network is built at a time: two large ones would not fit into memory."""


# ---- ImageNet weights


def fetching(name: str, press: str) -> Work:
    """Downloads a backbone's weights; their path. ``press`` tells one press of the button from the next."""

    def steps(_: Any, job: Job[Any, Any]) -> Parts:
        def progress(done: int, total: int) -> None:
            job.check()
            job.stage.reach(done / max(total, 1))

        yield Part(1.0, catalogue.fetch_weights(name, progress))

    row = catalogue.backbone(name)
    title = f"Downloading {name}, about {row.download_mb:,} MB"
    return Work(None, ("fetching", name, press), title, steps, lambda _: 256, watched=True)


# ---- a weights file of one's own


@dataclass(frozen=True)
class File:
    """A weights file: one on this machine, or a visitor's upload. ``data`` None: it lies at ``path``.

    ``identity``: tells its content from any other's.
    """

    name: str
    identity: str
    path: Path | None = field(default=None, compare=False)
    data: bytes | None = field(default=None, repr=False, compare=False)


def uploaded(name: str, data: bytes) -> File:
    """A visitor's file."""
    return File(name, hashlib.sha256(data).hexdigest(), data=data)


def on_disk(path: Path) -> File | None:
    """A file of this machine as it is now; None where there is none any more."""
    try:
        status = path.stat()
    except OSError:
        return None
    return File(path.name, f"{path} {status.st_size} {status.st_mtime_ns}", path)


@dataclass(frozen=True)
class Offer:
    """A file and what the visitor says that it is."""

    file: File
    backbone: str
    alpha: float | None
    labels: tuple[str, ...] | None


def checking(offer: Offer) -> Work:
    """Loads the file in full and compares preprocessings on the sample photographs; a Check, growing."""

    def steps(_: Any, job: Job[Any, Any]) -> Parts:
        with _candidate(offer, job) as candidate:
            for done, found in enumerate(adopting.check(candidate, _pictures())):
                yield Part((done + 1) / 6, found)

    def weigh(found: Check) -> int:
        return 4096 + sum(64 + len(label) for label in found.labels) + len(offer.file.data or b"")  # the key holds it

    return Work(None, ("checking", offer), "Loading the weights and trying them", steps, weigh, 8.0, True)


def keeping(offer: Offer, name: str, preprocessing: str, fits: tuple[Fit, ...], press: str) -> Work:
    """Keeps the file as a network of one's own; a SavedNetwork."""

    def steps(_: Any, job: Job[Any, Any]) -> Parts:
        with _candidate(offer, job) as candidate:
            yield Part(1.0, adopting.adopt(candidate, name, preprocessing, fits, offer.file.name))

    def weigh(saved: SavedNetwork) -> int:
        return 4096 + sum(64 + len(label) for label in saved.labels) + len(offer.file.data or b"")

    return Work(None, ("keeping", name, press), f"Keeping “{name}”", steps, weigh, 4.0, True)


@contextlib.contextmanager
def _candidate(offer: Offer, job: Job[Any, Any]) -> Iterator[Candidate]:
    """The offer as a file on this machine, while one network may be built."""
    engine().networks.ready(job)
    with _turn(job), tempfile.TemporaryDirectory() as folder:
        path = offer.file.path
        if offer.file.data is not None:
            path = Path(folder) / _plain_name(offer.file.name)
            path.write_bytes(offer.file.data)
        assert path is not None
        try:
            yield Candidate(path, offer.backbone, offer.alpha, offer.labels)
        except camcore.ModelError as error:  # an upload has a name, and no folder that means anything to anybody
            raise camcore.ModelError(str(error).replace(f"{folder}/", "")) from error


def _plain_name(name: str) -> str:
    """An upload's name without what could lead elsewhere."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[-80:]
    return kept.lstrip(".") or "upload.h5"


@contextlib.contextmanager
def _turn(job: Job[Any, Any]) -> Iterator[None]:
    while not _building.acquire(timeout=0.2):
        job.check()
    try:
        yield
    finally:
        _building.release()


def _pictures() -> list[Any]:
    return [samples.picture(key) for key in samples.samples()]


# ---- factories


@dataclass(frozen=True, eq=False)
class Tried:
    """The facts of a declared network once loaded. ``fed``: whether its preprocessing is known.

    ``score_kind``, ``scored_over``: which score its maps explain, as Network has them.
    ``note``: of a whole model's file, whether it scales its pictures itself.
    """

    input_size: tuple[int, int]
    parameters: int
    labels: tuple[str, ...]
    default_layer: str | None
    score_kind: str
    scored_over: str
    fed: bool
    note: str = ""
    fits: tuple[Fit, ...] = ()


def trying(factory: Factory, press: str) -> Work:
    """Makes a factory's network, and where it does not say how it is fed, compares preprocessings; a Tried, growing."""

    def steps(_: Any, job: Job[Any, Any]) -> Parts:
        engine().networks.ready(job)
        with _turn(job):
            made = factories.make(factory)
            network = camcore.wrap(made.model, made.labels, name=factory.name, framing=made.framing, **made.more)
            scales = factory.file is not None and scales_itself(made.model) is True
            fed = made.preprocess is not None or scales
            note = "" if factory.file is None or made.preprocess else advice(made.model)
            sizes = (network.input_size, network.parameters, network.labels, network.default_layer)
            found = Tried(*sizes, network.score_kind, network.scored_over, fed, note)
            yield Part(1.0 if fed else 1 / 6, found)
            if not fed:
                for done, fits in enumerate(compare_preprocessings(network, _pictures())):
                    yield Part((done + 2) / 6, replace(found, fits=fits))

    return Work(None, ("trying", factory, press), f"Making {factory.name}", steps, lambda _: 1 << 16, 5.0, True)
