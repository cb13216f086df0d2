"""The differences between methods as a table: cost on this machine, layers, and figures of the map.

Every figure is measured or computed from the maps at hand; what is not there is None, and an empty cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from camcore.errors import CamcoreError
from camcore.files import to_csv
from camcore.heatmaps.cam_map import CamMap
from camcore.methods import METHODS, MethodInfo
from camcore.metrics.agreement import COMMON_SIDE, agreement_matrix, aligned, peakedness
from camcore.metrics.cost import MethodCost

ANY_LAYER = "any layer with a grid"
OWN_LAYER = "only the layer before global pooling"
NO_LAYER = "none"

REFERENCE = "scorecam"
TOP_SHARE = 0.2


@dataclass(frozen=True)
class Difference:
    """One method's row.

    ``seconds``, ``passes``, ``peak_bytes``: as measured, see MethodCost. ``peakedness``: Gini coefficient of the map
    on its own grid, 0..1. ``spearman``, ``top_iou``: agreement with Score-CAM on the picture; None where Score-CAM
    was not measured, or one of the two maps is the same everywhere.
    """

    title: str
    key: str
    seconds: float
    passes: float
    peak_bytes: int | None
    layers: str
    class_specific: bool
    peakedness: float
    spearman: float | None
    top_iou: float | None
    strengths: str
    weaknesses: str
    paper: str
    year: int
    url: str


def differences(measured: Sequence[MethodCost]) -> tuple[Difference, ...]:
    """A row for each method measured, in that order.

    Raises CamcoreError where the maps are not of one network, one class and one picture.
    """
    if not measured:
        return ()
    maps = [one.map for one in measured]
    first = maps[0]
    for m in maps:
        if (m.network, m.class_index) != (first.network, first.class_index):
            raise CamcoreError(
                f"Maps of {first.network}, class {first.class_index}, and of {m.network}, class {m.class_index}, "
                "cannot stand in one table: methods are compared on one question. Measure all methods for one class "
                "of one network."
            )
    spearman, top_iou = _with_reference(maps)
    return tuple(
        _row(METHODS[one.method], one, correlation, overlap)
        for one, correlation, overlap in zip(measured, spearman, top_iou, strict=True)
    )


def as_csv(rows: Sequence[Difference]) -> str:
    """The rows with a header of the fields' names; figures as they are, an empty cell where there is none."""
    return to_csv([[field.name for field in fields(Difference)], *map(astuple, rows)]).decode("utf-8")


def as_markdown(rows: Sequence[Difference]) -> str:
    """The rows as a Markdown table for reading, figures rounded; a dash where there is none."""
    head = (
        "method",
        "seconds",
        "forward passes",
        "memory",
        "layers",
        "class specific",
        "peakedness",
        "rank correlation with Score-CAM",
        f"top {TOP_SHARE:.0%} in common with Score-CAM".replace("%", " %"),
        "strengths",
        "weaknesses",
        "source",
    )
    lines = [head, ("---",) * len(head), *map(_cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _with_reference(maps: Sequence[CamMap]) -> tuple[list[float | None], list[float | None]]:
    keys = [m.method for m in maps]
    if REFERENCE not in keys:
        return [None] * len(maps), [None] * len(maps)
    at, rasters = keys.index(REFERENCE), aligned(maps, COMMON_SIDE).rasters
    spearman = agreement_matrix(rasters, "spearman").values[at]
    top_iou = agreement_matrix(rasters, "top_iou", TOP_SHARE).values[at]
    return [_defined(value) for value in spearman], [_defined(value) for value in top_iou]


def _defined(value: float) -> float | None:
    return None if value != value else float(value)


def _row(info: MethodInfo, one: MethodCost, spearman: float | None, top_iou: float | None) -> Difference:
    return Difference(
        title=_title(info, one.map),
        key=info.key,
        seconds=one.seconds,
        passes=one.passes,
        peak_bytes=one.peak_bytes,
        layers=f"{NO_LAYER}: {info.own_grid}"
        if one.map.layer is None
        else OWN_LAYER
        if info.at_own_layer
        else ANY_LAYER,
        class_specific=info.class_specific,
        peakedness=peakedness(one.map.values),
        spearman=spearman,
        top_iou=top_iou,
        strengths=info.strengths,
        weaknesses=info.weaknesses,
        paper=info.paper,
        year=info.year,
        url=info.url,
    )


def _title(info: MethodInfo, m: CamMap) -> str:
    variant = m.options.get("variant")
    return info.title if variant is None or variant == info.variants[0] else f"{info.title} ({variant})"


def _cells(row: Difference) -> tuple[str, ...]:
    return (
        _plain(row.title),
        f"{row.seconds:.3g}",
        f"{row.passes:g}",
        "–" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f} MB",
        row.layers,
        "yes" if row.class_specific else "no",
        f"{row.peakedness:.2f}",
        "–" if row.spearman is None else f"{row.spearman:.2f}",
        "–" if row.top_iou is None else f"{row.top_iou:.2f}",
        _plain(row.strengths),
        _plain(row.weaknesses),
        f"[{_plain(row.paper)}]({row.url})",
    )


def _plain(text: str) -> str:
    """Text that ends no cell of a table."""
    return " ".join(text.replace("|", "\\|").split())
