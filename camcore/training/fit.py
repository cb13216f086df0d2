"""Training the compact classifier from nothing: a generator that tells how far it is and can be stopped and resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.files import unwritable
from camcore.models.preprocessing import preprocessing
from camcore.models.saved import SavedNetwork, find, write
from camcore.models.weights import load_weights
from camcore.models.weights_out import save_weights
from camcore.training.classifier import gap_classifier
from camcore.training.distillation import teacher_features
from camcore.training.folders import LabelledFolder, check_enough, split
from camcore.training.recipe import Recipe
from camcore.training.runs import Epoch, Progress, Run, Stopped, read_log
from camcore.training.views import augmentation, centre_views, make_views

# Seconds between two reports of a run at work.
_REPORT_EVERY = 1.0

_PREPROCESSING = "tf"  # to -1..1
_BEST = "best.weights.h5"


@dataclass(frozen=True, eq=False)
class _Learner:
    """The network that learns, with what only training needs."""

    model: Any  # keras.Model, its input's sides left open
    hint: Any  # keras.layers.Dense that tells the teacher's features; None without a teacher
    optimizer: Any
    step: Callable[..., Any]  # (x, labels, teacher's features) → loss, share of right answers
    scores: Callable[..., Any]  # (x) → logits in inference mode

    def variables(self) -> list[Any]:
        extra = self.hint.weights if self.hint is not None else []
        return [*self.model.weights, *extra, *self.optimizer.variables]


def train(
    recipe: Recipe, data: LabelledFolder, folder: str | os.PathLike[str], name: str = ""
) -> Generator[Progress | Epoch, None, SavedNetwork]:
    """Train on the folder's pictures; the network, its log and its checkpoints go into ``folder``.

    Yields Progress about every second and an Epoch after each; returns the saved network. Where ``folder`` holds a
    run of the same recipe and pictures that was stopped or killed, it goes on after that run's last whole epoch,
    with the same result as if it had never been interrupted; one that is done is left as it is. Raises Stopped
    where the file ``stop`` appears in the folder, and CamcoreError where something cannot be read or written; both
    leave the run fit to be taken up again.
    """
    told = {"from": "scratch", "pictures": str(data.root), "classes": list(data.classes), **asdict(recipe)}
    run = Run(folder, told)
    done = run.finished()
    if done is not None:
        return done
    try:
        return (yield from _train(recipe, data, run, name or run.folder.name))
    except Stopped:
        run.report(Progress("stopped", "Stopped as asked. It can be taken up again after the last whole epoch."))
        raise
    except Exception as error:
        message = str(error) if isinstance(error, CamcoreError) else f"{type(error).__name__}: {error}"
        run.report(Progress("failed", message))
        raise


def _train(
    recipe: Recipe, data: LabelledFolder, run: Run, name: str
) -> Generator[Progress | Epoch, None, SavedNetwork]:
    begin = _start(recipe, data) if recipe.start else None
    learned, held = split(data, recipe.held_out, recipe.seed)
    cache = run.folder / "cache"
    views = yield from _preparing(run, recipe, "Cutting the pictures", make_views(learned, recipe, cache))
    hints = None
    if recipe.teacher:
        hints = yield from _preparing(
            run, recipe, f"Asking {recipe.teacher} what it sees", teacher_features(recipe, views.pixels, cache)
        )
    seen, held = centre_views(held, recipe.size)
    check_enough(data, views.data, held)
    validation = preprocessing(_PREPROCESSING)(seen)
    batch = min(recipe.batch, len(views.data))
    steps = len(views.data) // batch
    learner = _learner(recipe, len(data.classes), steps, 0 if hints is None else hints.shape[2])
    first = _take_up(run, learner)
    if begin is not None and first == 0:
        load_weights(learner.model, begin.weights)
    clock = _Clock(recipe, first)
    for epoch in range(first, recipe.epochs):
        if _ended_early(run, recipe):
            break
        started = time.monotonic()
        totals = np.zeros(2)
        batches = _batches(recipe, views.pixels, views.data.labels, hints, epoch, batch)
        for step, (x, labels, told) in enumerate(batches, 1):
            totals += np.array(learner.step(x, labels, told))
            run.check_stop()
            if clock.due():
                now = Progress("training", "", epoch + 1, recipe.epochs, step, steps, clock.left(epoch, step / steps))
                run.report(now)
                yield now
        yield _end_epoch(run, recipe, learner, epoch, totals / steps, _check(learner, validation, held.labels), started)
    return _finish(recipe, data, views.data, held, run, learner, name)


class _Clock:
    """When to report, and how long the rest takes: an epoch's time goes with the area of its pictures."""

    def __init__(self, recipe: Recipe, first: int) -> None:
        self._work = np.array([float(recipe.side(epoch)) ** 2 for epoch in range(recipe.epochs)])
        self._first = first
        self._started = self._reported = time.monotonic()

    def due(self) -> bool:
        due = time.monotonic() - self._reported > _REPORT_EVERY
        if due:
            self._reported = time.monotonic()
        return due

    def left(self, epoch: int, share: float) -> float:
        done = self._work[self._first : epoch].sum() + share * self._work[epoch]
        rest = self._work[self._first :].sum() - done
        return float((time.monotonic() - self._started) * rest / done)


def _end_epoch(
    run: Run,
    recipe: Recipe,
    learner: _Learner,
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
    try:
        if _kept(epoch + 1):
            save_weights(learner.model, run.checkpoint_path(epoch + 1), half=True)
        if recipe.patience and _best(read_log(run.folder)) == epoch + 1:
            save_weights(learner.model, run.folder / _BEST)
    except OSError as error:
        raise unwritable(run.folder, error) from error
    _keep(run, learner, epoch + 1)
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
    learner: _Learner,
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
    found = find(recipe.start)
    outputs = 1 if len(data.classes) == 2 else len(data.classes)
    wanted = {"builder": "gap_classifier", **_shape(recipe, outputs)}
    if found is None or dict(found.architecture) != wanted or found.labels != data.classes:
        have = "there is none" if found is None else f"that one is {dict(found.architecture)} for {found.labels}"
        raise CamcoreError(
            f"The network {recipe.start!r} is nothing to learn on from: {have}, and this recipe makes {wanted} for "
            f"{data.classes}. Name one of the same shape and classes, or leave it out to begin with random weights."
        )
    return found


def _shape(recipe: Recipe, outputs: int) -> dict[str, Any]:
    return {"stem": recipe.stem, "widths": list(recipe.widths), "blocks": list(recipe.blocks), "outputs": outputs}


def _preparing(run: Run, recipe: Recipe, what: str, work: Iterator[tuple[int, int]]) -> Generator[Progress, None, Any]:
    """Run preparing work, telling how far it is; its return value."""
    started = reported = time.monotonic()
    while True:
        try:
            done, count = next(work)
        except StopIteration as finished:
            return finished.value
        run.check_stop()
        now = time.monotonic()
        if now - reported > _REPORT_EVERY:
            reported = now
            left = (now - started) * (count - done) / done
            progress = Progress("preparing", f"{what}: {done:,} of {count:,}", 0, recipe.epochs, done, count, left)
            run.report(progress)
            yield progress


def _learner(recipe: Recipe, classes: int, steps: int, hint_width: int) -> _Learner:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    outputs = 1 if classes == 2 else classes
    model = gap_classifier(None, recipe.stem, recipe.widths, recipe.blocks, outputs)
    scores = model.layers[-1]
    trunk = keras.Model(model.input, scores.input)
    variables = list(model.trainable_variables)
    hint = None
    if hint_width:
        hint = keras.layers.Dense(hint_width, name="hint")
        hint.build((None, trunk.output.shape[-1]))
        variables += hint.trainable_variables
    warmup = min(recipe.warmup, recipe.epochs / 4)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(1, ceil((recipe.epochs - warmup) * steps)),
            warmup_target=recipe.rate,
            warmup_steps=max(1, round(warmup * steps)),
        ),
        weight_decay=recipe.weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(variables)

    def logits(pooled: Any) -> Any:
        return keras.ops.matmul(pooled, scores.kernel) + scores.bias

    def class_loss(z: Any, labels: Any) -> Any:
        smoothing = recipe.label_smoothing
        if outputs == 1:
            wanted = tf.cast(labels[:, tf.newaxis], z.dtype) * (1 - smoothing) + smoothing / 2
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        wanted = tf.one_hot(labels, outputs) * (1 - smoothing) + smoothing / outputs
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, z))

    pictures = tf.TensorSpec([None, None, None, 3])

    @tf.function(
        autograph=False,
        input_signature=[pictures, tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, hint_width], tf.float16)],
    )
    def step(x: Any, labels: Any, told: Any) -> Any:
        with tf.GradientTape() as tape:
            pooled = trunk(x, training=True)
            z = logits(pooled)
            loss = total = class_loss(z, labels)
            if hint is not None:
                apart = hint(pooled) - tf.cast(told, tf.float32)
                total += recipe.distillation * tf.reduce_mean(apart**2)
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss, tf.reduce_mean(tf.cast(_chosen(z) == labels, tf.float32))

    @tf.function(autograph=False, input_signature=[pictures])
    def inference(x: Any) -> Any:
        return logits(trunk(x, training=False))

    return _Learner(model, hint, optimizer, step, inference)


def _chosen(z: Any) -> Any:
    """The class that logits (n, 1) or (n, classes) choose."""
    import tensorflow as tf

    return tf.cast(z[:, 0] > 0, tf.int64) if z.shape[1] == 1 else tf.argmax(z, 1)


def _batches(
    recipe: Recipe, pixels: NDArray[np.uint8], labels: NDArray[np.int64], hints: Any, epoch: int, batch: int
) -> Any:
    """One epoch as a tf.data.Dataset of (x in -1..1, labels, teacher's features), in an order drawn by the seed."""
    import tensorflow as tf

    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(labels))
    view = epoch % recipe.views
    change = augmentation(recipe, recipe.side(epoch), epoch)
    nothing = np.zeros((batch, 0), np.float16)

    def gather(indices: Any) -> Any:
        return pixels[view][indices], labels[indices], nothing if hints is None else hints[view][indices]

    def load(indices: Any) -> Any:
        x, y, told = tf.numpy_function(gather, [indices], (tf.uint8, tf.int64, tf.float16), stateful=False)
        x = tf.ensure_shape(x, (batch, *pixels.shape[2:]))
        return change(tf.cast(x, tf.float32)) / 127.5 - 1.0, tf.ensure_shape(y, (batch,)), told

    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch, drop_remainder=True).map(load).prefetch(2)
    options = tf.data.Options()
    options.autotune.enabled = False  # nothing here is tuned, and its thread can hold up the epoch's end for a minute
    return batches.with_options(options)


def _check(learner: _Learner, x: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    """(loss in nats without smoothing, accuracy) over the held-out pictures."""
    z = np.concatenate([learner.scores(x[i : i + 64]).numpy() for i in range(0, len(x), 64)]).astype(np.float64)
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], axis=1)  # a sigmoid is the softmax of (0, z)
    loss = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), labels]
    return float(loss.mean()), float((z.argmax(1) == labels).mean())


def _kept(epoch: int) -> bool:
    """Whether a checkpoint stays: after epochs 1, 2, 4, 8, …, for most happens early."""
    return epoch & (epoch - 1) == 0


def _keep(run: Run, learner: _Learner, epochs: int) -> None:
    values = {f"v{i:04d}": np.asarray(variable) for i, variable in enumerate(learner.variables())}
    run.save_state({"epochs": np.array(epochs), **values})


def _take_up(run: Run, learner: _Learner) -> int:
    """Set everything as it was after the last whole epoch; how many epochs that makes."""
    state = run.load_state()
    if state is None:
        return 0
    for i, variable in enumerate(learner.variables()):
        variable.assign(state[f"v{i:04d}"])
    return int(state["epochs"])
