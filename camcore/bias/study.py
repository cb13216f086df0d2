"""The bias study: teach a network a shortcut on purpose, see it in the maps, mend the data, see it gone.

Three networks learn from the same pictures: ``clean``, no picture has the cue; ``planted``, every picture of one
class has it and no other does; ``mended``, half the pictures of every class have it, so that it says nothing.
Each is tried on pictures it has not seen, three times over: ``without`` any cue; ``with`` the cue where planted
training had it; ``swapped``, where only the other classes have it. Who learned the thing does not mind; who
learned the cue fails. Then each is audited on the pictures ``with`` the cue, as any network can be (``court.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from camcore.bias.court import HeadCourt, audit_head, right_on
from camcore.bias.cue import CORNER, half_of_each, of_class, write_planted
from camcore.bias.energy import Box, Energy, Share, check_box, energy_in_region
from camcore.errors import CamcoreError
from camcore.framing import frame_for
from camcore.generators import Returning
from camcore.metrics.intervals import Rate
from camcore.models.load import load
from camcore.network import Network
from camcore.training.folders import LabelledFolder, Skipped
from camcore.training.recipe import HeadRecipe
from camcore.training.surgery import train_head

HEADS = ("clean", "planted", "mended")
TRIALS = ("without", "with", "swapped")

# Trains a network on labelled pictures, with a folder for what it keeps; what it yields on the way is not looked at.
Trainer = Callable[[LabelledFolder, Path], Generator[object, None, Network]]

Step = TypeVar("Step")


@dataclass(frozen=True, eq=False)
class StudyHead:
    """One of the networks, tried.

    accuracy: for each of TRIALS. energy: of the marked class's maps on its own pictures, in the place of the cue,
    ``with`` and ``without`` it. mean_map: float64 (h, w), the mean of these maps in 0..1, with the cue. shares:
    the pictures one by one. seconds: for the training. court: its audit on the pictures with the cue; None where
    none was held.
    """

    name: str
    accuracy: dict[str, Rate]
    energy: dict[str, Energy]
    mean_map: NDArray[np.float64]
    shares: dict[str, tuple[Share, ...]]
    seconds: float
    court: HeadCourt | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """The heads tried so far, and the pictures they were tried on.

    marked: the class that has the cue, an index into classes. box: where it is, as shares of the sides. training,
    testing: how many pictures; skipped: files that could not be used. layer: where the maps were taken; method: how.
    """

    classes: tuple[str, ...]
    marked: int
    box: Box
    training: int
    testing: int
    skipped: tuple[Skipped, ...]
    seed: int
    layer: str = ""
    method: str = ""
    heads: tuple[StudyHead, ...] = ()

    @property
    def box_on_input(self) -> Box:
        """The cue's place on a map's grid: shares of the sides of what the network sees of a square picture."""
        side = 1000
        frame = frame_for((side, side), (side, side))
        top, left = frame.to_input((self.box[0] * side - 0.5, self.box[1] * side - 0.5))
        bottom, right = frame.to_input((self.box[2] * side - 0.5, self.box[3] * side - 0.5))
        edges = (min(1.0, max(0.0, (edge + 0.5) / side)) for edge in (top, left, bottom, right))
        return tuple(edges)  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class StudyStep:
    """``done`` of ``total`` steps after ``seconds``. head and network: where one has just been tried, else None."""

    done: int
    total: int
    message: str
    seconds: float
    study: Study
    head: StudyHead | None = None
    network: Network | None = None


def run_study(
    training: LabelledFolder,
    testing: LabelledFolder,
    trainer: Trainer,
    *,
    marked: int,
    box: Box = CORNER,
    seed: int = 0,
    court: bool = True,
    keep: Path | None = None,
) -> Iterator[StudyStep]:
    """Run the study; a StudyStep for each step, the last one with the whole Study.

    The pictures are copied to a temporary folder as centred squares, with and without the cue. ``court``: audit
    each head, too, and mend what is suspected. ``keep``: a new folder for pictures, heads and audits instead of the
    temporary one. Closing the generator stops the work. Raises CamcoreError at the call where the two folders have
    different classes, there is no such class or no such box, and where ``keep`` holds something.
    """
    if training.classes != testing.classes:
        raise CamcoreError(
            f"The pictures to learn from are of {', '.join(training.classes)}, those to try are of "
            f"{', '.join(testing.classes)}. A study needs the same classes in both. Choose another folder."
        )
    if not 0 <= marked < len(training.classes):
        raise CamcoreError(f"There is no class {marked}: there are {len(training.classes)}, counted from 0.")
    check_box(box)
    if keep is not None and keep.exists() and not (keep.is_dir() and next(keep.iterdir(), None) is None):
        raise CamcoreError(
            f"'{keep}' is there already and not an empty folder. What it holds would be audited with these pictures. "
            "Give a new folder."
        )
    return _steps(training, testing, trainer, marked, box, seed, court, keep)


def head_trainer(backbone: Network, layer: str | None = None, seed: int = 0) -> Trainer:
    """Trains a head on a backbone's frozen trunk, cut at ``layer`` (None: the recommended one)."""

    def trainer(data: LabelledFolder, folder: Path) -> Generator[object, None, Network]:
        recipe = HeadRecipe(layer=layer or "", seed=seed)
        saved = yield from train_head(backbone, data, folder, folder.parent.name, recipe)
        return load(saved.folder)

    return trainer


def _steps(
    training: LabelledFolder,
    testing: LabelledFolder,
    trainer: Trainer,
    marked: int,
    box: Box,
    seed: int,
    court: bool,
    keep: Path | None,
) -> Iterator[StudyStep]:
    start = perf_counter()
    each = 3 if court else 2
    total = 1 + each * len(HEADS)
    study = Study(training.classes, marked, box, len(training), len(testing), (), seed)

    def step(done: int, message: str, head: StudyHead | None = None, network: Network | None = None) -> StudyStep:
        return StudyStep(done, total, message, perf_counter() - start, study, head, network)

    with tempfile.TemporaryDirectory(prefix="camcore-bias-") if keep is None else nullcontext(keep) as folder:
        home = Path(folder)
        yield step(0, f"writing {len(testing)} pictures without the cue, with it, and with it swapped")
        own = of_class(testing, marked)
        cues = {"without": np.zeros_like(own), "with": own, "swapped": ~own}
        trials = {key: write_planted(testing, cues[key], home / "trials" / key, box) for key in TRIALS}
        study = replace(study, testing=len(trials["with"]), skipped=trials["with"].skipped)
        lessons = {
            "clean": np.zeros(len(training), bool),
            "planted": of_class(training, marked),
            "mended": half_of_each(training, seed),
        }
        for done, (name, cue) in zip(range(1, total, each), lessons.items(), strict=True):
            begun = perf_counter()
            message = f"{name}: learning from {len(training)} pictures, {cue.sum()} of them with the cue"
            yield step(done, message)
            pictures = write_planted(training, cue, home / name / "pictures", box)
            if name == HEADS[0]:
                study = replace(study, training=len(pictures), skipped=study.skipped + pictures.skipped)
            training_run = Returning(trainer(pictures, home / name / "network"))
            for _ in training_run:
                yield step(done, message)
            network = training_run.result
            learned = perf_counter() - begun
            yield step(done + 1, f"{name}: trying it on {len(testing)} pictures, {len(TRIALS)} times over")
            head, layer, method = _tried(name, network, trials, marked, box, learned)
            if court:
                sitting = Returning(audit_head(network, trials, study.classes[marked], home / name / "audit"))
                for progress in sitting:
                    yield step(done + 2, f"{name}: {progress}")
                head = replace(head, court=sitting.result)
            study = replace(study, layer=layer, method=method, heads=(*study.heads, head))
            yield step(done + each, f"{name}: done", head, network)


def _tried(
    name: str, network: Network, trials: dict[str, LabelledFolder], marked: int, box: Box, seconds: float
) -> tuple[StudyHead, str, str]:
    """The head, the layer where its maps were taken, and by which method."""
    rates = {key: right_on(network, data) for key, data in trials.items()}
    measured = {
        key: _last(energy_in_region(network, data.take(np.flatnonzero(data.labels == marked)), box, marked))
        for key, data in trials.items()
        if key != "swapped"  # there the pictures of this class are as they are without the cue
    }
    with_cue = measured["with"]
    energy = {key: one.energy for key, one in measured.items()}
    shares = {key: one.shares for key, one in measured.items()}
    return StudyHead(name, rates, energy, with_cue.mean_map, shares, seconds), with_cue.layer, with_cue.method


def _last(steps: Iterator[Step]) -> Step:
    *_, step = steps
    return step
