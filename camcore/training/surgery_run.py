"""Training after surgery: features once, the head in seconds, then, if asked for, the last blocks of the trunk."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from camcore.errors import CamcoreError, ModelError
from camcore.files import unwritable
from camcore.models.architectures import HEAD, POOL
from camcore.models.description import SavedNetwork, check_name
from camcore.models.saved import write
from camcore.models.weights_out import save_weights
from camcore.network import Network
from camcore.training.fine_tuning import Tuner, last_blocks
from camcore.training.folders import LabelledFolder, check_enough, split
from camcore.training.head_fit import Head, fit_head
from camcore.training.recipe import LARGEST, SEEDS
from camcore.training.runs import Epoch, Progress, Run, Stopped, read_log
from camcore.training.surgery import operate
from camcore.training.trunk_features import Array, Stored, collect

_REPORT_EVERY = 1.0  # seconds between two reports
_CHECKPOINT_PARAMETERS = 15_000_000  # larger networks' checkpoints would fill the disk


@dataclass(frozen=True)
class HeadRecipe:
    """How a head is trained on a frozen trunk.

    layer: where the trunk is cut, "" for the default layer. size: side of the network's input in pixels, 0 for the
    backbone's own. epochs: at most so many passes over the features; patience: epochs without a lower validation
    loss after which fitting ends; the best epoch is what is kept. rate, weight_decay, batch, dropout: of AdamW.
    mirrored: learn from each picture's mirror image too, at twice the time for the features. held_out: the share of
    the pictures kept for validation. fine_tune: how many of the trunk's last blocks learn too, afterwards, by
    fine_tune_rate for at most fine_tune_epochs.
    """

    layer: str = ""
    size: int = 0
    epochs: int = 200
    patience: int = 20
    rate: float = 1e-3
    weight_decay: float = 0.01
    batch: int = 32
    dropout: float = 0.2
    mirrored: bool = False
    held_out: float = 0.2
    fine_tune: int = 0
    fine_tune_epochs: int = 10
    fine_tune_rate: float = 1e-4
    fine_tune_patience: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise CamcoreError(f"This recipe cannot be followed: {problem}. Change that value.")


def _problem(recipe: HeadRecipe) -> str:
    if min(recipe.epochs, recipe.patience, recipe.batch, recipe.fine_tune_epochs, recipe.fine_tune_patience) < 1:
        return "epochs, patience and batch must be at least 1"
    if recipe.size != 0 and not 32 <= recipe.size <= LARGEST:
        return f"size is {recipe.size}, and must be from 32 to {LARGEST}, or 0 for the backbone's own"
    if not 0 <= recipe.seed < SEEDS:
        return f"seed is {recipe.seed}, and must be a number from 0 to {SEEDS - 1:,}"
    if min(recipe.fine_tune, recipe.weight_decay) < 0:
        return "fine_tune and weight_decay must be at least 0"
    if not (0 < recipe.rate < 1 and 0 < recipe.fine_tune_rate < 1 and 0 < recipe.held_out < 1):
        return "rate, fine_tune_rate and held_out must lie between 0 and 1"
    return "" if 0 <= recipe.dropout < 1 else "dropout must be a share from 0 to below 1"


def train_head(
    backbone: Network | str | os.PathLike[str],
    data: LabelledFolder,
    folder: str | os.PathLike[str],
    name: str = "",
    recipe: HeadRecipe | None = None,
    *,
    weights: str | os.PathLike[str] | None = None,
) -> Generator[Progress | Epoch, None, SavedNetwork]:
    """Put a new head on a backbone and train it on the folder's pictures; network and log go into ``folder``.

    ``backbone`` and ``weights``: as ``operate`` takes them. ``name``: the network's, else that of ``folder``.
    Yields Progress about every second and an Epoch after each; returns the saved network, exact for CAM. Where
    ``folder`` holds a run of the same recipe and pictures that was stopped or killed, its features and its last
    whole epoch of fine-tuning are taken up again; one that is done is left as it is. Raises Stopped where the file
    ``stop`` appears in the folder; ModelError for a backbone that cannot be had, operated on or saved; CamcoreError
    where pictures or the disk do not do.
    """
    recipe = recipe or HeadRecipe()
    told = {
        "from": backbone.name if isinstance(backbone, Network) else os.fspath(backbone),
        "weights": None if weights is None else str(weights),
        "pictures": str(data.root),
        "classes": list(data.classes),
        **asdict(recipe),
    }
    run = Run(folder, told)
    done = run.finished()
    if done is not None:
        return done
    try:
        called = check_name(name or run.folder.name)
        return (yield from _train(backbone, weights, data, run, called, recipe))
    except Stopped:
        run.report(Progress("stopped", "Stopped as asked. It can be taken up again."))
        raise
    except Exception as error:
        message = str(error) if isinstance(error, CamcoreError) else f"{type(error).__name__}: {error}"
        run.report(Progress("failed", message))
        raise


def _train(
    backbone: Network | str | os.PathLike[str],
    weights: str | os.PathLike[str] | None,
    data: LabelledFolder,
    run: Run,
    name: str,
    recipe: HeadRecipe,
) -> Generator[Progress | Epoch, None, SavedNetwork]:
    started = time.monotonic()
    first = Progress("preparing", "Loading the backbone", 0, recipe.epochs)
    run.report(first)
    yield first

    def downloading(done: int, total: int) -> None:
        run.check_stop()
        message = f"Fetching the weights: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        run.report(Progress("preparing", message, 0, recipe.epochs, done, total))

    net = operate(
        backbone,
        data.classes,
        layer=recipe.layer or None,
        weights=weights,
        input_size=(recipe.size, recipe.size) if recipe.size else None,
        dropout=recipe.dropout,
        progress=downloading,
    )
    if net.origin is None:
        raise ModelError(
            f"A head on {net.name!r} could not be saved: camcore does not know how to build this trunk again. Train "
            "on a backbone of the catalogue or a saved network, or use camcore.training.surgery.operate and save "
            "the model yourself."
        )
    work = _Work(net, run, recipe, started)
    learn, held = split(data, recipe.held_out, recipe.seed)
    sets = [(learn, False), (learn, True), (held, False)] if recipe.mirrored else [(learn, False), (held, False)]
    found = yield from work.looked_at(sets)
    *learned, checked = found
    check_enough(data, learned[0].data, checked.data)
    state, log = (run.load_state() if recipe.fine_tune else None), read_log(run.folder)
    if state is None or not log:
        state, log = None, (yield from work.fit(learned, checked))
    if recipe.fine_tune:
        log = yield from work.tune(learned, checked, log, state)
    return _finish(work, name, data, learned[0].data, checked.data, log, backbone)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the trunk made of some pictures: pooled features, and the maps before the blocks to be tuned."""

    data: LabelledFolder
    pooled: Stored
    maps: Stored | None


class _Work:
    """A run under way: the network that learns, and where it is reported."""

    def __init__(self, net: Network, run: Run, recipe: HeadRecipe, started: float) -> None:
        self.net, self.run, self.recipe = net, run, recipe
        self.start: Any = None
        self.layers: list[Any] = []
        if recipe.fine_tune:
            self.start, self.layers = last_blocks(net.model, recipe.fine_tune)
        self._reported = self._started = started

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._reported < _REPORT_EVERY:
            return False
        self._reported = now
        return True

    # ---- features

    def looked_at(self, sets: list[tuple[LabelledFolder, bool]]) -> Generator[Progress, None, list[_Seen]]:
        """Features of each set of pictures, mirrored or not."""
        extract, key = _extractor(self.net, self.start), self._key()
        total, before, began = sum(len(data) for data, _ in sets), 0, time.monotonic()
        found = []
        for data, mirrored in sets:
            outputs = 1 if self.start is None else 2
            work = collect(extract, outputs, self.net, data, mirrored, self.run.folder / "cache", key)
            arrays, kept = yield from self._counted(work, before, total, began)
            found.append(_Seen(kept, arrays[0], arrays[1] if outputs == 2 else None))
            before += len(data)
        return found

    def _counted(
        self, work: Generator[tuple[int, int], None, Any], before: int, total: int, began: float
    ) -> Generator[Progress, None, Any]:
        while True:
            try:
                done = before + next(work)[0]
            except StopIteration as finished:
                return finished.value
            except OSError as error:
                raise unwritable(self.run.folder, error) from error
            self.run.check_stop()
            if self.due():
                left = (time.monotonic() - began) * (total - done) / done
                message = f"Looking at the pictures: {done:,} of {total:,}"
                now = Progress("preparing", message, 0, self.recipe.epochs, done, total, left)
                self.run.report(now)
                yield now

    def _key(self) -> str:
        """What the features depend on, apart from the pictures."""
        digest = hashlib.sha256()
        for weight in self.net.model.weights:
            digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
        where = None if self.start is None else self.start.name
        return f"{digest.hexdigest()} {self.net.input_size} {where}"

    # ---- the head

    def fit(self, learned: list[_Seen], checked: _Seen) -> Generator[Progress | Epoch, None, tuple[Epoch, ...]]:
        """Fit the head, and set it into the network as it was in its best epoch."""
        recipe = self.recipe
        every = np.concatenate([one.pooled[np.arange(len(one.pooled))] for one in learned])
        labels = np.concatenate([one.data.labels for one in learned])
        held = checked.pooled[np.arange(len(checked.pooled))]
        outputs = int(self.net.model.output_shape[-1])
        heads = fit_head(
            every,
            labels,
            held,
            checked.data.labels,
            outputs,
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
            size, measures = self.net.input_size[0], (head.loss, head.accuracy, head.val_loss, head.val_accuracy)
            line = Epoch(number, size, recipe.rate, *measures, now - before)
            before = now
            log.append(line)
            self.run.log(line)
            self.run.check_stop()
            if number & (number - 1) == 0:
                self._set(head)
                self._checkpoint(number)
            if best is None or head.val_loss < best.val_loss:
                best, best_epoch = head, number
            yield line
            if self.due():
                progress = Progress("training", "Fitting the head", number, recipe.epochs)
                self.run.report(progress)
                yield progress
            if number - best_epoch >= recipe.patience:
                break
        assert best is not None
        self._set(best)
        return tuple(log)

    def _set(self, head: Head) -> None:
        self.net.model.get_layer(HEAD).set_weights([head.kernel, head.bias])

    def _checkpoint(self, epoch: int) -> None:
        if self.net.parameters > _CHECKPOINT_PARAMETERS:
            return
        try:
            save_weights(self.net.model, self.run.checkpoint_path(epoch), half=True)
        except OSError as error:
            raise unwritable(self.run.folder, error) from error

    # ---- the last blocks

    def tune(
        self, learned: list[_Seen], checked: _Seen, log: tuple[Epoch, ...], state: dict[str, Any] | None
    ) -> Generator[Progress | Epoch, None, tuple[Epoch, ...]]:
        """Train the last blocks and the head together; the network is left as it was in the best epoch.

        ``state``: of an earlier run that was cut off, whose ``log`` this is then.
        """
        recipe, run = self.recipe, self.run
        maps = Stored(tuple(part for one in learned if one.maps for part in one.maps.parts))
        labels = np.concatenate([one.data.labels for one in learned])
        assert checked.maps is not None
        tuner = Tuner(self.net.model, self.start, self.layers, recipe.fine_tune_rate, recipe.seed)
        if state is None:
            done, best, best_values = 0, 0, tuner.values()
            best_loss = min(line.val_loss for line in log)
        else:
            done, best, best_loss, best_values = tuner.take_up(state)
            log = tuple(line for line in log if line.epoch <= int(state["before"]) + done)
        before, last = log[-1].epoch - done, recipe.fine_tune_epochs
        began = time.monotonic()
        for epoch in range(done, last):
            if epoch - best >= recipe.fine_tune_patience:
                break
            order = np.random.default_rng((recipe.seed, epoch)).permutation(len(maps))
            epoch_began, sums = time.monotonic(), np.zeros(2)
            for step, (rows, *measures) in enumerate(tuner.epoch(maps, labels, order, recipe.batch), 1):
                sums += np.array(measures) * (rows - recipe.batch * (step - 1))
                run.check_stop()
                if self.due():
                    share = epoch - done + rows / len(order)
                    left = (time.monotonic() - began) * (last - done - share) / share
                    what = "Fine-tuning the last blocks"
                    now = Progress("training", what, before + epoch + 1, before + last, rows, len(order), left)
                    run.report(now)
                    yield now
            loss, accuracy = (float(value) for value in sums / len(order))
            val_loss, val_accuracy = tuner.check(checked.maps, checked.data.labels)
            line = Epoch(
                epoch=before + epoch + 1,
                size=self.net.input_size[0],
                rate=recipe.fine_tune_rate,
                loss=loss,
                accuracy=accuracy,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                seconds=time.monotonic() - epoch_began,
            )
            if line.val_loss < best_loss:
                best, best_loss, best_values = epoch + 1, line.val_loss, tuner.values()
            run.log(line)
            self._checkpoint(line.epoch)
            tuner.keep(run, before, epoch + 1, best, best_loss, best_values)
            log = (*log, line)
            yield line
        tuner.assign(best_values)
        return log


def _extractor(net: Network, start: Any) -> Any:
    """A preprocessed batch → [pooled features] or [pooled features, maps at ``start``]."""
    import keras
    import tensorflow as tf

    pooled = net.model.get_layer(POOL).output
    model = keras.Model(net.model.inputs[0], pooled if start is None else [pooled, start])
    spec = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)]
    function = tf.function(lambda x: model(x, training=False), autograph=False, input_signature=spec)

    def extract(x: Array) -> list[Array]:
        arrays = function(tf.convert_to_tensor(net.check_input(x)))
        return [np.asarray(array, np.float32) for array in ([arrays] if start is None else arrays)]

    return extract


def _finish(
    work: _Work,
    name: str,
    data: LabelledFolder,
    learned: LabelledFolder,
    held: LabelledFolder,
    log: tuple[Epoch, ...],
    backbone: Network | str | os.PathLike[str],
) -> SavedNetwork:
    net, run, recipe = work.net, work.run, work.recipe
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
