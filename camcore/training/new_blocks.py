"""Training new blocks on a frozen trunk: its feature maps once, then the blocks, taught by the whole backbone."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from dataclasses import asdict

import numpy as np

from camcore.framing import FRAMINGS
from camcore.models.architectures import build_architecture
from camcore.models.description import SavedNetwork, check_name
from camcore.models.grafting import cut
from camcore.models.saved import write
from camcore.network import Network
from camcore.training.blocks_learner import Lessons, blocks_learner
from camcore.training.blocks_recipe import BlocksRecipe
from camcore.training.blocks_teacher import dense_teacher, taught
from camcore.training.folders import LabelledFolder, check_enough, split
from camcore.training.head_fit import Head
from camcore.training.learner import Learner
from camcore.training.recipe import HeadRecipe
from camcore.training.runs import Epoch, Run, RunProgress, keeps_checkpoint, read_log
from camcore.training.surgery import with_new_head
from camcore.training.trunk_features import TrunkFeatures, View, trunk_features

_KINDS = {"transformer": "a transformer", "convolutions": "new convolutions"}
_CROPPED = FRAMINGS.index("crop")


def train_blocks(
    recipe: BlocksRecipe, data: LabelledFolder, folder: str | os.PathLike[str], name: str = ""
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    """Train new blocks on a frozen trunk; the network, its log and its checkpoints go into ``folder``.

    The framing that is right on most of the pictures held out becomes the network's own. Yields RunProgress about every
    second and an Epoch after each; returns the saved network. Where ``folder`` holds a run of the same recipe and
    pictures that was stopped or killed, its features and its last whole epoch are taken up again; one that is done is
    left as it is. Raises Stopped where the file ``stop`` appears in the folder; ModelError for a backbone that cannot
    be had or cut; CamcoreError where pictures or the disk do not do.
    """
    description = {"from": "a trunk", "pictures": str(data.root), "classes": list(data.classes), **asdict(recipe)}
    run = Run(folder, description)
    done = run.finished()
    if done is not None:
        return done
    return (yield from run.guarded(_train(recipe, data, run, name or run.folder.name)))


def _train(
    recipe: BlocksRecipe, data: LabelledFolder, run: Run, name: str
) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    import keras

    check_name(name)
    yield run.report(RunProgress("preparing", "Loading the backbone", 0, recipe.epochs))
    net = with_new_head(recipe.backbone, None, data.classes, run, HeadRecipe(size=recipe.size, dropout=0.0))
    dense = dense_teacher(recipe, net)
    source, position = cut(net.model, recipe.layer)
    assert net.origin is not None, "of the catalogue"
    outputs = int(net.model.output_shape[-1])
    architecture = {
        "builder": "grafted",
        "backbone": net.origin.architecture["backbone"],
        "layer": recipe.layer,
        "position": position,
        "kind": recipe.kind,
        "width": recipe.width,
        "blocks": recipe.blocks,
        "outputs": outputs,
    }
    learn, held = split(data, recipe.held_out, recipe.seed)
    crops = [View(crop=number, least_area=recipe.least_area, seed=recipe.seed) for number in range(1, recipe.views)]
    views = [(learn, view) for view in (View("crop"), *crops)] + [(held, View(framing)) for framing in FRAMINGS]
    features = yield from run.preparing(
        trunk_features(net, views, source, run.folder / "cache"), "Looking at the pictures", recipe.epochs
    )
    learned, checked = features[: recipe.views], features[recipe.views :]
    check_enough(data, learned[0].data, checked[0].data)
    steps = taught(recipe, outputs, learned, checked[_CROPPED], dense)
    teacher, lessons = yield from run.preparing(steps, "Asking the teacher about each cell", recipe.epochs)

    keras.utils.set_random_seed(recipe.seed)
    model = build_architecture(architecture)
    start = model.get_layer(recipe.layer).output
    keras.Model(model.inputs[0], start).set_weights(keras.Model(net.model.inputs[0], source).get_weights())
    batch = min(recipe.batch, len(learned[0].data))
    count = len(learned[0].data) // batch
    learner = blocks_learner(recipe, model, start, count, lessons.features.shape[1])
    yield from _epochs(recipe, run, learner, lessons, checked[_CROPPED], batch, count)
    return _finish(recipe, data, run, learner, name, architecture, net, learned[0].data, checked, teacher)


def _epochs(
    recipe: BlocksRecipe, run: Run, learner: Learner, lessons: Lessons, checked: TrunkFeatures, batch: int, steps: int
) -> Generator[RunProgress | Epoch, None, None]:
    """All epochs that are left, each with its line in the log, its checkpoint and its state."""
    rows = np.arange(len(checked.data))
    assert checked.maps is not None, "asked for"
    maps = checked.maps[rows]
    first, began = learner.take_up(run), time.monotonic()
    for epoch in range(first, recipe.epochs):
        started, totals = time.monotonic(), np.zeros(2)
        for step, lesson in enumerate(lessons.batches(recipe, epoch, batch), 1):
            totals += np.array(learner.step(*lesson))
            run.check_stop()
            if run.due():
                share = epoch - first + step / steps
                left = (time.monotonic() - began) * (recipe.epochs - first - share) / share
                yield run.report(RunProgress("training", "", epoch + 1, recipe.epochs, step, steps, left))
        val_loss, val_accuracy = learner.check(maps, checked.data.labels)
        line = Epoch(
            epoch=epoch + 1,
            size=recipe.size,
            rate=float(learner.optimizer.learning_rate),
            loss=float(totals[0] / steps),
            accuracy=float(totals[1] / steps),
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            seconds=time.monotonic() - started,
        )
        run.log(line)
        if keeps_checkpoint(epoch + 1):
            run.checkpoint(learner.model, epoch + 1)
        learner.keep(run, epoch + 1)
        yield line


def _finish(
    recipe: BlocksRecipe,
    data: LabelledFolder,
    run: Run,
    learner: Learner,
    name: str,
    architecture: dict[str, object],
    net: Network,
    learned: LabelledFolder,
    checked: list[TrunkFeatures],
    teacher: Head,
) -> SavedNetwork:
    """Write the network, in the framing that did best, and end the run."""
    log, held = read_log(run.folder), checked[0].data
    framings = {}
    for framing, one in zip(FRAMINGS, checked, strict=True):
        assert one.maps is not None, "asked for"
        framings[framing] = learner.check(one.maps[np.arange(len(held))], one.data.labels)
    assert net.origin is not None, "of the catalogue"
    saved = write(
        run.folder,
        learner.model,
        name=name,
        architecture=architecture,
        input_size=net.input_size,
        preprocessing=net.origin.preprocessing,
        framing=min(framings, key=lambda framing: framings[framing][0]),
        labels=data.classes,
        trained={
            "summary": f"{len(learned):,} pictures of {', '.join(data.classes)}: {_KINDS[recipe.kind]} on the first "
            f"layers of {recipe.backbone}",
            "trunk": net.weights_note.removesuffix("; the head is untrained"),
            "pictures": learned.counts,
            "held_out": held.counts,
            "skipped": len(learned.skipped) + len(held.skipped) - len(data.skipped),
            "epochs": len(log),
            "val_accuracy": log[-1].val_accuracy,
            "held_out_by_framing": {key: {"loss": loss, "accuracy": right} for key, (loss, right) in framings.items()},
            "teacher_val_accuracy": teacher.val_accuracy,
        },
        half=True,
    )
    run.end(len(log), recipe.epochs)
    return saved
