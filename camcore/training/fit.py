"""Training the compact classifier from nothing: a generator that tells how far it is and can be stopped and resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.files import unwritable
from camcore.models.preprocessing import preprocessing
from camcore.models.saved import SavedNetwork, find, write
from camcore.models.weights import load_weights
from camcore.models.weights_saving import save_weights
from camcore.training.distillation import teacher_features
from camcore.training.folders import LabelledFolder, check_enough, split
from camcore.training.learner import Learner, batches_of, new_learner
from camcore.training.recipe import Recipe
from camcore.training.runs import Epoch, Run, RunProgress, keeps_checkpoint, read_log
from camcore.training.views import centre_views, make_views

_PREPROCESSING = "tf"  # to -1..1
_BEST = "best.weights.h5"


def train(
    recipe: Recipe, data: LabelledFolder, folder: str | os.PathLike[str], name: str = ""
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    """Train on the folder's pictures; the network, its log and its checkpoints go into ``folder``.

    Yields RunProgress about every second and an Epoch after each; returns the saved network. Where ``folder`` holds a
    run of the same recipe and pictures that was stopped or killed, it goes on after that run's last whole epoch,
    with the same result as if it had never been interrupted; one that is done is left as it is. Raises Stopped
    where the file ``stop`` appears in the folder, and CamcoreError where something cannot be read or written; both
    leave the run fit to be taken up again.
    """
    description = {"from": "scratch", "pictures": str(data.root), "classes": list(data.classes), **asdict(recipe)}
    run = Run(folder, description)
    done = run.finished()
    if done is not None:
        return done
    return (yield from run.guarded(_train(recipe, data, run, name or run.folder.name)))


def _train(
    recipe: Recipe, data: LabelledFolder, run: Run, name: str
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    begin = _start(recipe, data) if recipe.start else None
    learned, held = split(data, recipe.held_out, recipe.seed)
    cache = run.folder / "cache"
    views = yield from run.preparing(make_views(learned, recipe, cache), "Cutting the pictures", recipe.epochs)
    hints = None
    if recipe.teacher:
        steps = teacher_features(recipe, views.pixels, cache)
        hints = yield from run.preparing(steps, f"Asking {recipe.teacher} what it sees", recipe.epochs)
    centres, held = centre_views(held, recipe.size)
    check_enough(data, views.data, held)
    validation = preprocessing(_PREPROCESSING)(centres)
    batch = min(recipe.batch, len(views.data))
    count = len(views.data) // batch
    learner = new_learner(recipe, len(data.classes), count, 0 if hints is None else hints.shape[2])
    first = learner.take_up(run)
    if begin is not None and first == 0:
        load_weights(learner.model, begin.weights)
    seconds_left = _estimate(recipe, first)
    for epoch in range(first, recipe.epochs):
        if _ended_early(run, recipe):
            break
        started = time.monotonic()
        totals = np.zeros(2)
        batches = batches_of(recipe, views.pixels, views.data.labels, hints, epoch, batch)
        for step, (x, labels, features) in enumerate(batches, 1):
            totals += np.array(learner.step(x, labels, features))
            run.check_stop()
            if run.due():
                left = seconds_left(epoch, step / count)
                yield run.report(RunProgress("training", "", epoch + 1, recipe.epochs, step, count, left))
        checked = learner.check(validation, held.labels)
        yield _end_epoch(run, recipe, learner, epoch, totals / count, checked, started)
    return _finish(recipe, data, views.data, held, run, learner, name)


def _estimate(recipe: Recipe, first: int) -> Callable[[int, float], float]:
    """A function from an epoch and the share of it that is done to the seconds left.

    An epoch's time goes with the area of its pictures.
    """
    work = np.array([float(recipe.side(epoch)) ** 2 for epoch in range(recipe.epochs)])
    started = time.monotonic()

    def seconds_left(epoch: int, share: float) -> float:
        done = work[first:epoch].sum() + share * work[epoch]
        return float((time.monotonic() - started) * (work[first:].sum() - done) / done)

    return seconds_left


def _end_epoch(
    run: Run,
    recipe: Recipe,
    learner: Learner,
    epoch: int,
    learned: NDArray[np.float64],
    checked: tuple[float, float],
    started: float,
) -> Epoch:
    """Log a finished epoch and keep what it made."""
    rate = float(learner.optimizer.learning_rate)
    seconds = time.monotonic() - started
    line = Epoch(epoch + 1, recipe.side(epoch), rate, float(learned[0]), float(learned[1]), *checked, seconds)
    run.log(line)
    if keeps_checkpoint(epoch + 1):
        run.checkpoint(learner.model, epoch + 1)
    if recipe.patience and _best(read_log(run.folder)) == epoch + 1:
        try:
            save_weights(learner.model, run.folder / _BEST)
        except OSError as error:
            raise unwritable(run.folder, error) from error
    learner.keep(run, epoch + 1)
    return line


def _best(log: tuple[Epoch, ...]) -> int:
    """The epoch of the lowest validation loss."""
    return min(log, key=lambda line: line.val_loss).epoch


def _ended_early(run: Run, recipe: Recipe) -> bool:
    log = read_log(run.folder)
    return bool(recipe.patience and log and log[-1].epoch - _best(log) >= recipe.patience)


def _finish(
    recipe: Recipe,
    data: LabelledFolder,
    used: LabelledFolder,
    held: LabelledFolder,
    run: Run,
    learner: Learner,
    name: str,
) -> SavedNetwork:
    """Write the network: after the last epoch, or after the best one where training ended early."""
    log = read_log(run.folder)
    kept = log[-1]
    if _ended_early(run, recipe):
        load_weights(learner.model, run.folder / _BEST)
        kept = log[_best(log) - 1]
    outputs = int(learner.model.output_shape[-1])
    saved = write(
        run.folder,
        learner.model,
        name=name,
        architecture={"builder": "gap_classifier", **_shape(recipe, outputs)},
        input_size=(recipe.size, recipe.size),
        preprocessing=_PREPROCESSING,
        labels=data.classes,
        trained={
            "summary": f"{len(used):,} pictures of {', '.join(data.classes)}",
            "pictures": used.counts,
            "held_out": held.counts,
            "skipped": len(used.skipped) + len(held.skipped) - len(data.skipped),
            "epochs": len(log),
            "val_accuracy": kept.val_accuracy,
            "teacher": recipe.teacher,
            "start": recipe.start,
        },
        half=True,
    )
    run.end(len(log), recipe.epochs)
    return saved


def _start(recipe: Recipe, data: LabelledFolder) -> SavedNetwork:
    """The saved network to learn on from. Raises CamcoreError where it is not there or is of another kind."""
    network = find(recipe.start)
    outputs = 1 if len(data.classes) == 2 else len(data.classes)
    wanted = {"builder": "gap_classifier", **_shape(recipe, outputs)}
    if network is None or dict(network.architecture) != wanted or network.labels != data.classes:
        have = "there is none" if network is None else f"that one is {dict(network.architecture)} for {network.labels}"
        raise CamcoreError(
            f"The network {recipe.start!r} is nothing to learn on from: {have}, and this recipe makes {wanted} for "
            f"{data.classes}. Name one of the same shape and classes, or leave it out to begin with random weights."
        )
    return network


def _shape(recipe: Recipe, outputs: int) -> dict[str, object]:
    return {"stem": recipe.stem, "widths": list(recipe.widths), "blocks": list(recipe.blocks), "outputs": outputs}
