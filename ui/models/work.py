"""The work of the Models page: weights downloaded, files checked and kept, factories tried."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import camcore
from camcore.graph.priority_semaphore import PrioritySemaphore
from camcore.models import adopt as adopting
from camcore.models import catalogue, factories
from camcore.models.adopt import Candidate, Check
from camcore.models.factories import Factory
from camcore.models.input_scaling import advice, scales_itself
from camcore.models.preprocessing_check import Fit, compare_preprocessings
from camcore.models.saved import SavedNetwork
from ui import samples
from ui.jobs.job import Job
from ui.jobs.work import Update, Updates, Work
from ui.networks import networks

_building = PrioritySemaphore(1)
"""One network is built at a time: two large ones would not fit into memory."""


# ---- ImageNet weights


def download_work(name: str, press: str) -> Work[Path]:
    """Downloads a backbone's weights. ``press`` tells one press of the button from the next."""

    def steps(_: object, job: Job[Path]) -> Updates[Path]:
        def progress(done: int, total: int) -> None:
            job.check()
            job.stage.reach(done / max(total, 1))

        yield Update(1.0, catalogue.fetch_weights(name, progress))

    row = catalogue.backbone(name)
    title = f"Downloading {name}, about {row.download_mb:,} MB"
    return Work(None, ("download", name, press), title, steps, lambda _: 256)


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
    """A weights file with the visitor's word on what it is."""

    file: File
    backbone: str
    alpha: float | None
    labels: tuple[str, ...] | None


def check_work(offer: Offer) -> Work[Check]:
    """Loads the file in full and compares preprocessings on the sample photographs."""

    def steps(_: object, job: Job[Check]) -> Updates[Check]:
        with _candidate(offer, job) as candidate:
            for done, found in enumerate(adopting.check(candidate, _pictures())):
                yield Update((done + 1) / 6, found)

    size = partial(_size, offer)
    return Work(None, ("check", offer), "Loading the weights and trying them", steps, size, 8.0)


def adopt_work(offer: Offer, name: str, preprocessing: str, fits: tuple[Fit, ...], press: str) -> Work[SavedNetwork]:
    """Keeps the file as a network of one's own."""

    def steps(_: object, job: Job[SavedNetwork]) -> Updates[SavedNetwork]:
        with _candidate(offer, job) as candidate:
            yield Update(1.0, adopting.adopt(candidate, name, preprocessing, fits, offer.file.name))

    return Work(None, ("adopt", name, press), f"Keeping “{name}”", steps, partial(_size, offer), 4.0)


def _size(offer: Offer, value: Check | SavedNetwork) -> int:
    return 4096 + sum(64 + len(label) for label in value.labels) + len(offer.file.data or b"")  # the key holds it


@contextlib.contextmanager
def _candidate(offer: Offer, job: Job[Check] | Job[SavedNetwork]) -> Iterator[Candidate]:
    """The offer as a file on this machine, while one network may be built."""
    networks().wait_for_start(job)
    with _building.acquired(job.check), tempfile.TemporaryDirectory() as folder:
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


def _pictures() -> list[camcore.Picture]:
    return [samples.picture(key) for key in samples.samples()]


# ---- factories


@dataclass(frozen=True, eq=False)
class FactoryTrial:
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


def trial_work(factory: Factory, press: str) -> Work[FactoryTrial]:
    """Makes a factory's network, and where it does not say how it is fed, compares preprocessings."""

    def steps(_: object, job: Job[FactoryTrial]) -> Updates[FactoryTrial]:
        networks().wait_for_start(job)
        with _building.acquired(job.check):
            made = factories.make(factory)
            network = camcore.wrap(made.model, made.labels, name=factory.name, framing=made.framing, **made.more)
            scales = factory.file is not None and scales_itself(made.model) is True
            fed = made.preprocess is not None or scales
            note = "" if factory.file is None or made.preprocess else advice(made.model)
            sizes = (network.input_size, network.parameters, network.labels, network.default_layer)
            found = FactoryTrial(*sizes, network.score_kind, network.scored_over, fed, note)
            yield Update(1.0 if fed else 1 / 6, found)
            if not fed:
                for done, fits in enumerate(compare_preprocessings(network, _pictures())):
                    yield Update((done + 2) / 6, replace(found, fits=fits))

    return Work(None, ("trial", factory, press), f"Making {factory.name}", steps, lambda _: 1 << 16, 5.0)
