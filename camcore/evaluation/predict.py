"""Predictions of a network for every picture of a labelled folder, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from camcore.batches import BATCH, check_batch, framed_batches
from camcore.class_names import classes_called
from camcore.errors import CamcoreError, ModelError, nearest
from camcore.network import Network
from camcore.training.folders import LabelledFolder, Skipped, opened


@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's answers to n pictures.

    files: their paths below the folder, with slashes. labels: int64 (n,), the true class of each.
    probabilities: float64 (n, classes), finite. classes: their names. skipped: files that could not be used.
    """

    files: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def predicted(self, threshold: float = 0.5) -> NDArray[np.int64]:
        """The class that each picture is called, int64 (n,).

        Of two classes the second where its probability is at least ``threshold``; of more the most probable.
        Raises CamcoreError for a threshold outside 0..1.
        """
        check_threshold(threshold)
        if len(self.classes) == 2:
            return (self.probabilities[:, 1] >= threshold).astype(np.int64)
        return self.probabilities.argmax(axis=1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class PredictionStep:
    """``done`` of ``total`` files have been looked at in ``seconds``; ``predictions`` of those."""

    done: int
    total: int
    seconds: float
    predictions: Predictions

    @property
    def seconds_left(self) -> float:
        """Seconds that the rest will take at the same pace."""
        return self.seconds / self.done * (self.total - self.done) if self.done else float("nan")


def predict_folder(
    network: Network, data: LabelledFolder, framing: str | None = None, batch: int = BATCH
) -> Iterator[PredictionStep]:
    """Predict every picture of a folder; a PredictionStep after each batch, the last one complete.

    Files that cannot be opened are skipped and counted, and so are pictures for which the scores are not
    finite numbers. Closing the generator stops the work. Raises CamcoreError at the call where the folder's
    classes are not the network's, or for an unknown framing; ModelError where the network has no probabilities.
    """
    framing = network.framing_for(framing)
    check_batch(batch)
    if network.score_kind == "value":
        raise ModelError(
            f"{network.name} has one linear output, a regression, and no probabilities of classes. Evaluate a "
            "classifier: a network that ends in softmax or sigmoid, or give the two labels of a logit."
        )
    classes = class_indices(network, data)
    return _predict(network, data, classes[data.labels], framing, batch)


def _predict(
    network: Network, data: LabelledFolder, labels: NDArray[np.int64], framing: str, batch: int
) -> Iterator[PredictionStep]:
    start = perf_counter()
    total = len(data) + len(data.skipped)
    files = [relative(data, index) for index in range(len(data))]
    kept: list[int] = []
    skipped = list(data.skipped)
    probabilities = np.empty((len(data), network.classes))
    for part in framed_batches(network, opened(data), framing, batch):
        skipped += part.skipped
        if len(part.indices):
            answers = network.answer(part.x)[1]
            finite = np.isfinite(answers).all(axis=1)
            overflow = "The network's scores for it are not finite numbers: it overflows on this picture."
            skipped += [Skipped(data.files[i], overflow) for i in part.indices[~finite]]
            before = len(kept)
            kept += part.indices[finite].tolist()
            probabilities[before : len(kept)] = answers[finite]
        so_far = Predictions(
            tuple(files[i] for i in kept), labels[kept], probabilities[: len(kept)], network.labels, tuple(skipped)
        )
        yield PredictionStep(len(kept) + len(skipped), total, perf_counter() - start, so_far)


def check_threshold(threshold: float) -> None:
    """Raise CamcoreError for what is no probability."""
    if not 0 <= threshold <= 1:
        raise CamcoreError(
            f"The threshold {threshold} is out of range. It is a probability, from 0 to 1. Try 0.5, the usual one."
        )


def class_indices(network: Network, data: LabelledFolder) -> NDArray[np.int64]:
    """The network's class for each class folder, by name: int64 (folder's classes,).

    Capitals, underscores and a plural s make no difference (``Cats`` is ``cat``). Raises CamcoreError where a
    folder is not called as one of the network's labels, or as several.
    """
    indices: list[int] = []
    for folder in data.classes:
        matching = classes_called(network.labels, folder)
        if len(matching) != 1:
            labels = ", ".join(map(repr, network.labels[:6])) + (" …" if network.classes > 6 else "")
            near = nearest(folder, network.labels)
            why = f"{len(matching)} of its labels are called so" if matching else f"its labels are {labels}"
            raise CamcoreError(
                f"The folder {folder!r} in '{data.root}' is not a class of {network.name}: {why}. Name each class "
                f"folder as the network's label{f' ({near!r}?)' if near else ''}, or the labels as the folders "
                "(--labels)."
            )
        indices.append(matching[0])
    if len(set(indices)) != len(indices):
        raise CamcoreError(
            f"Several folders in '{data.root}' mean the same class of {network.name}: {', '.join(data.classes)}. Each "
            "class has one folder. Put their pictures together."
        )
    return np.array(indices, np.int64)


def relative(data: LabelledFolder, index: int) -> str:
    """The path of a file below its folder's root, with slashes on every system."""
    file: Path = data.files[index]
    return file.relative_to(data.root).as_posix() if file.is_relative_to(data.root) else file.as_posix()
