"""The accuracy of a network as it was measured: beside the network, in an audit, on what its training held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.figures import accuracy, class_figures
from camcore.evaluation import measures
from camcore.evaluation.held_out import held_out
from camcore.evaluation.record import REPORT, read_record
from camcore.evaluation.table import PREDICTIONS, read_csv
from camcore.metrics.intervals import Rate, rate
from camcore.text import counted
from camcore.training.runs import read_recipe

if TYPE_CHECKING:
    from camcore.audits.store import Audit
    from camcore.models.catalogue import Backbone
    from camcore.models.saved import SavedNetwork

CHOSEN_BY = "They chose which weights were kept, so expect less on other pictures."
LEARNED_FROM = "It learned from pictures of this folder, so this says nothing about others."
ELSEWHERE = "Measured elsewhere, on pictures of ImageNet; yours may be others."
NOT_RECORDED = "Whether it learned from them is not recorded."
OTHER_WEIGHTS = (
    "It was of other weights than these: the network was trained anew or replaced since, so it says nothing about it "
    "as it is. Evaluate it again."
)
WEIGHTS_NOT_RECORDED = "Of which weights it was is not recorded."

_VALIDATION = 50_000  # pictures of ImageNet's validation set


@dataclass(frozen=True)
class MeasuredAccuracy:
    """The accuracy on some pictures: ``right``, and how many of each class were found.

    ``caution``: what to beware of. ``counts``: these are new pictures, which had no part in its making.
    """

    source: str
    right: Rate
    classes: tuple[tuple[str, Rate], ...] = ()
    caution: str = ""
    counts: bool = True

    @property
    def guess(self) -> tuple[str, float]:
        """The most frequent class, and its share of the pictures: so often is right who names no other."""
        label, found = max(self.classes, key=lambda one: one[1].n)
        return label, found.n / self.right.n

    @property
    def weakest(self) -> tuple[str, Rate] | None:
        """The class that is found least often, by the end of its interval; None where there is one class only."""
        present = [one for one in self.classes if one[1].n]
        return min(present, key=lambda one: (one[1].high, one[1].value)) if len(present) > 1 else None


def of_these_weights(saved: SavedNetwork, weights_sha256: str = "") -> bool | None:
    """Tell whether the evaluation beside a saved network was of its weights; None where that is not recorded.

    ``weights_sha256``: over the network's weights, where it is known.
    """
    record = read_record(saved.folder / REPORT)
    return None if record is None else record.is_of(saved, weights_sha256)


def evaluated(saved: SavedNetwork, weights_sha256: str = "") -> MeasuredAccuracy | None:
    """The results beside a saved network; None where there are none, or those are of other classes.

    ``weights_sha256``: over the network's weights, where it is known. Raises CamcoreError where they are damaged.
    """
    path = saved.folder / PREDICTIONS
    if not path.is_file():
        return None
    p = read_csv(path)
    if p.classes != saved.labels:
        return None
    table = measures.confusion(p)
    classes = tuple((label, table.recall(place)) for place, label in enumerate(p.classes))
    source = f"Evaluation kept beside the network, {counted(len(p), 'picture')}"
    same = of_these_weights(saved, weights_sha256)
    if same is False:
        return MeasuredAccuracy(source, measures.accuracy(p), classes, OTHER_WEIGHTS, counts=False)
    cautions = ("" if saved.bundled else NOT_RECORDED, "" if same else WEIGHTS_NOT_RECORDED)
    return MeasuredAccuracy(source, measures.accuracy(p), classes, " ".join(filter(None, cautions)))


def trained(saved: SavedNetwork) -> MeasuredAccuracy | None:
    """The pictures that its training held out; None where its record does not tell."""
    right = held_out(saved.trained, saved.framing)
    if right is None:
        return None
    return MeasuredAccuracy(
        f"Held out in its training, {counted(right.n, 'picture')}", right, (), CHOSEN_BY, counts=False
    )


def published(row: Backbone) -> MeasuredAccuracy:
    """The accuracy that the makers of ImageNet weights publish."""
    right = rate(round(row.top1 / 100 * _VALIDATION), _VALIDATION)
    source = f"Published by its makers, {counted(_VALIDATION, 'validation picture')} of ImageNet"
    return MeasuredAccuracy(source, right, (), ELSEWHERE, counts=False)


def audited(audit: Audit, saved: SavedNetwork | None) -> MeasuredAccuracy | None:
    """The labelled pictures of an audit; None where none is labelled."""
    right = accuracy(audit)
    if not right.n:
        return None
    classes = tuple((one.name, one.found) for one in class_figures(audit))
    source = f"Audit, {counted(right.n, 'picture')} in {Path(audit.manifest.pictures).name or audit.manifest.pictures}"
    learned = saved is not None and _learned_from(saved, audit.manifest.base)
    caution = LEARNED_FROM if learned else "" if saved is not None and _recorded(saved) else NOT_RECORDED
    return MeasuredAccuracy(source, right, classes, caution, counts=not learned)


def _recorded(saved: SavedNetwork) -> str:
    """The folder that a network learned from as its recipe names it; empty where it names none."""
    return str((read_recipe(saved.folder) or {}).get("pictures") or "")


def _learned_from(saved: SavedNetwork, base: str) -> bool:
    """Tell whether pictures lie in the folder that a network learned from.

    A recipe may name it from another working directory: then the names at its end count.
    """
    named = _recorded(saved)
    if not named or not base:
        return False
    learned, pictures = Path(named), Path(base)
    if learned.is_absolute():
        return pictures.is_relative_to(learned)
    parts = tuple(_names(learned))
    return any(pictures.parts[at : at + len(parts)] == parts for at in range(len(pictures.parts))) if parts else False


def _names(path: Path) -> Iterator[str]:
    return (part for part in path.parts if part not in ("..", "."))
