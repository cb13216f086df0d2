"""Architecture surgery: features of a trunk once, a new head in seconds, then, if asked for, the last blocks, too."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np

from camcore.errors import ModelError
from camcore.models.description import SavedNetwork, check_name
from camcore.models.grafting import HEAD
from camcore.models.saved import write
from camcore.network import Network
from camcore.training.fine_tuning import MOST_CHECKPOINT_PARAMETERS, last_blocks, tune
from camcore.training.folders import LabelledFolder, check_enough, split
from camcore.training.head_fit import Head, fit_head
from camcore.training.new_head import replace_head
from camcore.training.recipe import HeadRecipe
from camcore.training.runs import Epoch, Run, RunProgress, keeps_checkpoint, read_log
from camcore.training.trunk_features import TrunkFeatures, View, trunk_features

Backbone = Network | str | os.PathLike[str]
"""A network, or what ``camcore.load`` takes as its first argument."""


def train_head(
    backbone: Backbone,
    data: LabelledFolder,
    folder: str | os.PathLike[str],
    name: str = "",
    recipe: HeadRecipe | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    """Put a new head on a backbone and train it on the folder's pictures; network and log go into ``folder``.

    ``backbone`` and ``weights``: as ``replace_head`` takes them. ``name``: the network's, else that of ``folder``.
    Yields RunProgress about every second and an Epoch after each; returns the saved network, exact for CAM. Where
    ``folder`` holds a run of the same recipe and pictures that was stopped or killed, its features and its last
    whole epoch of fine-tuning are taken up again; one that is done is left as it is. Raises Stopped where the file
    ``stop`` appears in the folder; ModelError for a backbone that cannot be had, cut or saved; CamcoreError where
    pictures or the disk do not do.
    """
    recipe = recipe or HeadRecipe()
    description = {
        "from": backbone.name if isinstance(backbone, Network) else os.fspath(backbone),
        "weights": None if weights is None else str(weights),
        "pictures": str(data.root),
        "classes": list(data.classes),
        **asdict(recipe),
    }
    run = Run(folder, description)
    done = run.finished()
    if done is not None:
        return done
    return (yield from run.guarded(_train(backbone, weights, data, run, name or run.folder.name, recipe)))


def _train(
    backbone: Backbone,
    weights: str | os.PathLike[str] | None,
    data: LabelledFolder,
    run: Run,
    name: str,
    recipe: HeadRecipe,
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    check_name(name)
    yield run.report(RunProgress("preparing", "Loading the backbone", 0, recipe.epochs))
    net = with_new_head(backbone, weights, data.classes, run, recipe)
    start, layers = last_blocks(net.model, recipe.fine_tune) if recipe.fine_tune else (None, [])
    learn, held = split(data, recipe.held_out, recipe.seed)
    mirrored = [(learn, View(mirrored=True))] if recipe.mirrored else []
    sets = [(learn, View()), *mirrored, (held, View())]
    steps = trunk_features(net, sets, start, run.folder / "cache")
    *learned, checked = yield from run.preparing(steps, "Looking at the pictures", recipe.epochs)
    check_enough(data, learned[0].data, checked.data)
    state, log = (run.load_state() if recipe.fine_tune else None), read_log(run.folder)
    if state is None or not log:
        state, log = None, (yield from _fit(net, run, recipe, learned, checked))
    if start is not None:
        log = yield from tune(net, start, layers, run, recipe, learned, checked, log, state)
    return _finish(net, run, recipe, name, data, learned[0].data, checked.data, log, backbone)


def with_new_head(
    backbone: Backbone,
    weights: str | os.PathLike[str] | None,
    classes: tuple[str, ...],
    run: Run,
    recipe: HeadRecipe,
) -> Network:
    """The backbone, loaded if need be, with an untrained head. Raises ModelError where it could not be saved."""

    def downloading(done: int, total: int) -> None:
        run.check_stop()
        message = f"Fetching the weights: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        run.report(RunProgress("preparing", message, 0, recipe.epochs, done, total))

    net = replace_head(
        backbone,
        classes,
        layer=recipe.layer or None,
        weights=weights,
        input_size=(recipe.size, recipe.size) if recipe.size else None,
        dropout=recipe.dropout,
        progress=downloading,
    )
    if net.origin is None:
        raise ModelError(
            f"A head on {net.name!r} could not be saved: camcore does not know how to build this trunk again. Train "
            "on a backbone of the catalogue or a saved network, or use camcore.training.new_head.replace_head and save "
            "the model yourself."
        )
    return net


def _fit(
    net: Network, run: Run, recipe: HeadRecipe, learned: list[TrunkFeatures], checked: TrunkFeatures
) -> Generator[RunProgress | Epoch, None, tuple[Epoch, ...]]:
    """Fit the head, and set it into the network as it was in its best epoch; returns the log."""
    heads = fit_head(
        np.concatenate([one.pooled[np.arange(len(one.pooled))] for one in learned]),
        np.concatenate([one.data.labels for one in learned]),
        checked.pooled[np.arange(len(checked.pooled))],
        checked.data.labels,
        int(net.model.output_shape[-1]),
        epochs=recipe.epochs,
        rate=recipe.rate,
        weight_decay=recipe.weight_decay,
        batch=recipe.batch,
        dropout=recipe.dropout,
        seed=recipe.seed,
    )
    log: list[Epoch] = []
    best: Head | None = None
    best_epoch = 0
    before = time.monotonic()
    for number, head in enumerate(heads, 1):
        now = time.monotonic()
        measures = head.loss, head.accuracy, head.val_loss, head.val_accuracy
        line = Epoch(number, net.input_size[0], recipe.rate, *measures, now - before)
        before = now
        log.append(line)
        run.log(line)
        run.check_stop()
        if keeps_checkpoint(number) and net.parameters <= MOST_CHECKPOINT_PARAMETERS:
            _set_head(net, head)
            run.checkpoint(net.model, number)
        if best is None or head.val_loss < best.val_loss:
            best, best_epoch = head, number
        yield line
        if run.due():
            yield run.report(RunProgress("training", "Fitting the head", number, recipe.epochs))
        if number - best_epoch >= recipe.patience:
            break
    assert best is not None
    _set_head(net, best)
    return tuple(log)


def _set_head(net: Network, head: Head) -> None:
    net.model.get_layer(HEAD).set_weights([head.kernel, head.bias])


def _finish(
    net: Network,
    run: Run,
    recipe: HeadRecipe,
    name: str,
    data: LabelledFolder,
    learned: LabelledFolder,
    held: LabelledFolder,
    log: tuple[Epoch, ...],
    backbone: Backbone,
) -> SavedNetwork:
    """Write the network, and end the run."""
    assert net.origin is not None
    best = min(log, key=lambda line: line.val_loss)
    trunk = backbone.name if isinstance(backbone, Network) else Path(backbone).name
    tuned = f" and its last {recipe.fine_tune} blocks" if recipe.fine_tune else ""
    saved = write(
        run.folder,
        net.model,
        name=name,
        architecture=net.origin.architecture,
        input_size=net.input_size,
        preprocessing=net.origin.preprocessing,
        framing=net.framing,
        labels=data.classes,
        trained={
            "summary": f"{len(learned):,} pictures of {', '.join(data.classes)}: a new head on {trunk}{tuned}",
            "date": date.today().isoformat(),
            "trunk": net.weights_note.removesuffix("; the head is untrained"),
            "pictures": learned.counts,
            "held_out": held.counts,
            "skipped": len(learned.skipped) + len(held.skipped) - len(data.skipped),
            "epochs": log[-1].epoch,
            "best_epoch": best.epoch,
            "val_accuracy": best.val_accuracy,
        },
    )
    run.end(log[-1].epoch, log[-1].epoch)
    return saved
