"""The evidence in one picture at each checkpoint that was kept of a training run.

One model serves all checkpoints: their weights are loaded into it one after the other, so that nothing is traced
anew and memory holds one network. It is nobody else's, as its weights change.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from camcore.heatmaps.evidence import Evidence, evidence
from camcore.models.saved import SavedNetwork, open_saved
from camcore.models.weights import load_weights
from camcore.models.wrap import wrap
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.training.runs import checkpoints


@dataclass(frozen=True, eq=False)
class EpochEvidence:
    """The evidence in a picture after ``epoch``; None: of the finished network."""

    epoch: int | None
    evidence: tuple[Evidence, ...]


class CheckpointNetwork:
    """A saved network at each stage of its training, ready for one picture after the other. Safe in several threads."""

    def __init__(self, saved: SavedNetwork) -> None:
        """Raises ModelError where the network cannot be opened."""
        built = open_saved(saved)
        self._network: Network = wrap(
            built.model,
            labels=built.labels,
            preprocess=built.preprocess,
            input_size=built.input_size,
            framing=built.framing,
            name=saved.name,
            weights_note=built.weights_note,
        )
        self._lock = threading.Lock()
        self.stages: tuple[tuple[int | None, Path], ...] = (*checkpoints(saved.folder), (None, saved.weights))

    def of(self, pic: Picture, classes: Sequence[int], framing: str | None = None) -> Iterator[EpochEvidence]:
        """The evidence for ``classes`` at each stage, in order.

        Raises ModelError for a file that does not fit, MethodError where the head is not linear.
        """
        for epoch, weights in self.stages:
            with self._lock:
                load_weights(self._network.model, weights)
                evidences = evidence(self._network, pic, classes, framing)
            yield EpochEvidence(epoch, evidences)
