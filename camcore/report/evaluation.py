"""The results of an evaluation as an entry of a report: figures, classes, confusion, calibration, average maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from camcore.evaluation import measures
from camcore.report.blocks import (
    Block,
    Bullets,
    CalibrationChart,
    CalibrationPoint,
    Facts,
    Matrix,
    Paragraph,
    Prints,
    Section,
    Table,
)
from camcore.report.document import AuditItem
from camcore.text import counted, one_line, percent, readable

if TYPE_CHECKING:
    from camcore.evaluation.measures import Calibration, Confusion
    from camcore.evaluation.predict import Predictions
    from camcore.report.blocks import Print

MATRIX, CLASSES, MISTAKES = 12, 24, 20
"""The most classes of a matrix, rows of the table of classes, and kinds of mistakes that are shown."""
LIMITS = (
    "Intervals hold for pictures drawn as these were. They say nothing about pictures from elsewhere.",
    "Labels are taken as they are. A wrong label counts as a wrong answer.",
    "A network that is right may be right for a wrong reason: an audit shows what its answers rest on.",
)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A network's answers to labelled pictures. ``threshold``: of two classes. ``caution``: what readers should know.

    ``facts``: of the network, (name, value). ``averages``: mean maps, drawn. ``files``: that an archive keeps.
    """

    network: str
    predictions: Predictions
    threshold: float = 0.5
    caution: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    averages: tuple[Print, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)


def evaluation_item(one: Evaluated) -> AuditItem:
    """The entry."""
    p = one.predictions
    right = measures.accuracy(p, one.threshold)
    return AuditItem(
        title=f"Evaluation of {one_line(one.network)}",
        source=f"{counted(len(p), 'labelled picture')} of {counted(len(p.classes), 'class')}",
        answer=f"The network is right on {right.count:,} of {counted(right.n, 'picture')}: {percent(right.value)}. On "
        f"others like these it is right on {percent(right.low)} to {percent(right.high)}, with 95 % confidence.",
        numbers=tuple(_numbers(one)),
        sections=tuple(_sections(one)),
        notes=(one.caution,) if one.caution else (),
        files=one.files,
    )


def _numbers(one: Evaluated) -> Iterator[tuple[str, str, str]]:
    p = one.predictions
    right = measures.accuracy(p, one.threshold)
    yield percent(right.value), "right", f"95 % interval {percent(right.low)} to {percent(right.high)}"
    yield f"{measures.auc(p):.3f}", "area under the ROC", "1 is perfect, 0.5 is guessing"
    off = 100 * measures.calibration(p).ece
    yield f"{off:.1f} points", "its confidence is off", "expected calibration error"


def _sections(one: Evaluated) -> Iterator[Section]:
    p = one.predictions
    table = measures.confusion(p, one.threshold)
    yield _classes(table)
    yield Section("Confusion", (confusion_block(table),), half=True)
    bins = measures.calibration(p)
    yield Section("Calibration", (calibration_chart(bins),), half=True)
    if one.averages:
        yield Section("Average maps", (Prints(one.averages, maps=True),))
    yield Section("Limits", (Bullets(LIMITS),))
    decides = (("Threshold", f"“{readable(p.classes[1])}” from {percent(one.threshold)} on"),) * (len(p.classes) == 2)
    skipped = (("Left out", counted(len(p.skipped), "file")),) if p.skipped else ()
    yield Section("How this was made", (Facts((*one.facts, *decides, *skipped)),))


def _classes(table: Confusion) -> Section:
    """The classes in their order where they fit; of more those found least often."""
    places: Sequence[int] = range(len(table.classes))
    left_out: tuple[Block, ...] = ()
    if len(table.classes) > CLASSES:
        places = sorted((place for place in places if table.counts[place].any()), key=lambda at: table.recall(at).high)
        text = f"The classes found least often; {max(len(places) - CLASSES, 0):,} more are not shown."
        left_out = (Paragraph(text, quiet=True),)
    rows = tuple(
        (readable(table.classes[at]), table.recall(at), table.precision(at), f"{table.counts[at].sum():,}")
        for at in places[:CLASSES]
    )
    heads = ("class", "found (recall)", "right when predicted (precision)", "pictures")
    return Section("By class", (*left_out, Table(heads, rows, frozenset((3,)))))


def confusion_block(table: Confusion) -> Block:
    """The confusion as a matrix; of many classes its most frequent mistakes."""
    if len(table.classes) <= MATRIX:
        return Matrix(tuple(map(readable, table.classes)), tuple(map(tuple, table.counts.tolist())))
    wrong = table.counts * (1 - np.eye(len(table.classes), dtype=np.int64))
    most = np.argsort(-wrong, axis=None, kind="stable")[:MISTAKES].tolist()
    rows = tuple(
        (readable(table.classes[true]), readable(table.classes[said]), f"{wrong[true, said]:,}")
        for true, said in (divmod(place, len(table.classes)) for place in most)
        if wrong[true, said]
    )
    if not rows:
        return Paragraph("Every answer is right.")
    return Table(("true class", "predicted", "pictures"), rows, frozenset((2,)))


def calibration_chart(bins: Calibration) -> CalibrationChart:
    """The bins of a calibration that hold pictures, and the calibration error in words."""
    columns = (bins.confidence, bins.observed, bins.low, bins.high)
    points = tuple(
        CalibrationPoint(p, right, low, high, f"predicted with {percent(p)}, {percent(right)} of {count:,} right")
        for count, p, right, low, high in zip(bins.count.tolist(), *(c.tolist() for c in columns), strict=True)
        if count
    )
    return CalibrationChart(
        points,
        f"Its probability differs from the share of right answers by {percent(bins.ece)} on average (expected "
        "calibration error, ten bins). Below the diagonal it is overconfident.",
    )
