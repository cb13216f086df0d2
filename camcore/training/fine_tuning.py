"""Fine-tuning: the last blocks of the trunk learn too, from the feature maps before them, computed once.

A block is what lies between two places of the graph that every path passes through: a residual block, an Inception
module, or, where the network is a plain chain, a single convolution.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore._compat import calls
from camcore.models.grafting import HEAD, POOL
from camcore.network import Network
from camcore.training.head_fit import measured
from camcore.training.recipe import HeadRecipe
from camcore.training.runs import Epoch, Run, RunProgress
from camcore.training.trunk_features import StoredRows, TrunkFeatures

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

MOST_CHECKPOINT_PARAMETERS = 15_000_000
"""The checkpoints of networks with more would fill the disk."""


def last_blocks(model: keras.Model, count: int) -> tuple[keras.KerasTensor, list[keras.Layer]]:
    """(the tensor that feeds the last ``count`` blocks of a trunk, their layers), of a model that surgery made.

    Only blocks with a kernel count; where there are fewer, all of the trunk is meant, and the tensor is its input.
    """
    nodes = calls(model)
    nodes = nodes[: next(i for i, node in enumerate(nodes) if node.operation.name == POOL)]
    place = {id(tensor): i for i, node in enumerate(nodes) for tensor in node.output_tensors}
    last_use = list(range(len(nodes)))
    for i, node in enumerate(nodes):
        for tensor in node.input_tensors:
            last_use[place[id(tensor)]] = i
    furthest = np.maximum.accumulate([0, *last_use])
    narrow = [i for i in range(len(nodes)) if furthest[i] <= i]  # nothing before i is used behind it
    end, layers = len(nodes) - 1, []
    for start in reversed(narrow[:-1]):
        inside = [node.operation for node in nodes[start + 1 : end + 1]]
        layers += [one for one in inside if getattr(one, "weights", None)]
        count -= any(len(weight.shape) > 1 for one in inside for weight in getattr(one, "weights", ()))
        end = start
        if count <= 0:
            break
    return nodes[end].output_tensors[0], layers


class Tuner:
    """The last blocks and the head of a model, made trainable, with their optimizer.

    Batch normalisation stays as it is, statistics and all: on few pictures its statistics would wander off.
    """

    def __init__(
        self, model: keras.Model, start: keras.KerasTensor, layers: list[keras.Layer], rate: float, seed: int
    ) -> None:
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        head = model.get_layer(HEAD)
        for layer in layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        tail = keras.Model(start, head.input)
        self.variables = [variable for layer in (*layers, head) for variable in layer.trainable_variables]
        self._optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
        self._optimizer.build(self.variables)
        shapes = [tf.TensorSpec([None, *start.shape[1:]]), tf.TensorSpec([None], tf.int64)]

        def logits(x: tf.Tensor, training: bool) -> tf.Tensor:
            return keras.ops.matmul(tail(x, training=training), head.kernel) + head.bias

        @tf.function(autograph=False, input_signature=shapes)
        def step(x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                z = logits(x, True)
                if z.shape[1] == 1:
                    wanted = tf.cast(labels[:, tf.newaxis], z.dtype)
                    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
                else:
                    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z))
            self._optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
            return z

        self._step = step
        self._logits = tf.function(lambda x: logits(x, False), autograph=False, input_signature=shapes[:1])

    def epoch(
        self, maps: StoredRows, labels: NDArray[np.int64], order: NDArray[np.int64], batch: int
    ) -> Iterator[tuple[int, float, float]]:
        """Learn from the maps in this order; yields (rows done, loss, share of right answers) for each batch."""
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            yield start + len(rows), *measured(self._step(maps[rows], labels[rows]).numpy(), labels[rows])

    def check(self, maps: StoredRows, labels: NDArray[np.int64], batch: int = 64) -> tuple[float, float]:
        """(loss, accuracy) over maps that are not learned from."""
        rows = np.arange(len(maps))
        z = [self._logits(maps[rows[i : i + batch]]).numpy() for i in range(0, len(rows), batch)]
        return measured(np.concatenate(z), labels)

    def values(self) -> list[NDArray[np.float32]]:
        """The weights that learn, copied."""
        return [variable.numpy().copy() for variable in self.variables]

    def assign(self, values: list[NDArray[np.float32]]) -> None:
        """Set the weights that learn."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def keep(
        self,
        run: Run,
        before: int,
        epochs: int,
        best: int,
        best_loss: float,
        best_values: list[NDArray[np.float32]],
    ) -> None:
        """Write what taking up again needs: epochs before tuning and of it, which was the best and how good."""
        arrays = {f"v{i}": value for i, value in enumerate(self.values())}
        arrays |= {f"b{i}": value for i, value in enumerate(best_values)}
        arrays |= {f"o{i}": variable.numpy() for i, variable in enumerate(self._optimizer.variables)}
        numbers = {"before": before, "epochs": epochs, "best": best, "best_loss": best_loss}
        run.save_state({**{key: np.array(value) for key, value in numbers.items()}, **arrays})

    def take_up(self, state: dict[str, NDArray[np.float32]]) -> tuple[int, int, float, list[NDArray[np.float32]]]:
        """Set everything as ``keep`` wrote it; (epochs done, the best one, its loss, its weights)."""
        self.assign([state[f"v{i}"] for i in range(len(self.variables))])
        for i, variable in enumerate(self._optimizer.variables):
            variable.assign(state[f"o{i}"])
        best_values = [state[f"b{i}"] for i in range(len(self.variables))]
        return int(state["epochs"]), int(state["best"]), float(state["best_loss"]), best_values


def tune(
    net: Network,
    start: keras.KerasTensor,
    layers: list[keras.Layer],
    run: Run,
    recipe: HeadRecipe,
    learned: list[TrunkFeatures],
    checked: TrunkFeatures,
    log: tuple[Epoch, ...],
    state: dict[str, NDArray[np.float32]] | None,
) -> Generator[RunProgress | Epoch, None, tuple[Epoch, ...]]:
    """Train the last blocks and the head together; the network is left as it was in the best epoch. Returns the log.

    ``start``, ``layers``: as ``last_blocks`` gives them. ``state``: of an earlier run that was cut off, whose ``log``
    this is then.
    """
    maps = StoredRows(tuple(part for one in learned if one.maps for part in one.maps.parts))
    labels = np.concatenate([one.data.labels for one in learned])
    assert checked.maps is not None
    tuner = Tuner(net.model, start, layers, recipe.fine_tune_rate, recipe.seed)
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
            if run.due():
                share = epoch - done + rows / len(order)
                left = (time.monotonic() - began) * (last - done - share) / share
                message = "Fine-tuning the last blocks"
                yield run.report(
                    RunProgress("training", message, before + epoch + 1, before + last, rows, len(order), left)
                )
        loss, accuracy = (float(value) for value in sums / len(order))
        val_loss, val_accuracy = tuner.check(checked.maps, checked.data.labels)
        line = Epoch(
            epoch=before + epoch + 1,
            size=net.input_size[0],
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
        if net.parameters <= MOST_CHECKPOINT_PARAMETERS:
            run.checkpoint(net.model, line.epoch)
        tuner.keep(run, before, epoch + 1, best, best_loss, best_values)
        log = (*log, line)
        yield line
    tuner.assign(best_values)
    return log
