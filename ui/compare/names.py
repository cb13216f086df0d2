"""The names of a comparison's choices: a title and a line beneath, as far as they are known yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from camcore.methods import METHODS
from ui import methods, words
from ui.compare.comparison import DEPTHS, RANKS, GridCell
from ui.compare.sheets import MapSheet
from ui.network_summary import NetworkSummary

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.predictions import Prediction

_RANK_WORDS = ("First answer", "Second answer", "Third answer")
_DEPTH_WORDS = ("Last grid", "One grid earlier", "Two grids earlier", "Three grids earlier")


def choice(axis: str, value: Any, summary: NetworkSummary | None, framing: str) -> tuple[str, str]:
    """A choice of an axis, with a note on it. ``summary``: of the one network it is about, if it is one."""
    if axis == "methods":
        return methods.short(value), ""
    if axis == "layers":
        return _layer(value, summary)
    if axis == "classes":
        return _class(value, summary, framing)
    if axis == "backbones":
        return value.name, _says(summary, framing)
    return str(value), ""


def headings(sheet: MapSheet, axis: str) -> list[tuple[str, str]]:
    """The titles of an axis's choices, in order."""
    plan = sheet.plan
    made = []
    for value in plan.choices(axis):
        network = value if axis == "backbones" else plan.lead if len(plan.backbones) == 1 else None
        framing = value if axis == "framings" else plan.framings_of(network or plan.lead)[0]
        summary = sheet.networks.get(network) if network is not None else None
        if axis == "classes" and len(plan.framings) > 1 and value in RANKS:
            summary = None  # each framing has answers of its own
        if axis == "framings" and len(plan.backbones) == 1:
            made.append((str(value), _says(summary, framing)))
        else:
            if axis == "classes" and summary is None and value not in RANKS:
                summary = sheet.networks.get(plan.lead)
            made.append(choice(axis, value, summary, framing))
    return made


def full(sheet: MapSheet, cell: GridCell) -> str:
    """All that tells a cell from the other ones, in a few words."""
    plan = sheet.plan
    parts = []
    for axis, value in (
        ("methods", cell.method),
        ("layers", cell.layer),
        ("classes", cell.aim),
        ("backbones", cell.network),
        ("framings", cell.framing),
    ):
        if axis in (plan.columns, plan.rows):
            parts.append(choice(axis, value, sheet.networks.get(cell.network), cell.framing)[0])
    return ", ".join(parts)


def first_answer(title: str, first: Prediction) -> str:
    """The subject of maps of a first answer: ``why Net says “cat”, 71 %``, ``what raises age, 37.2 by Net``."""
    if first.score_kind == "value":
        return f"what raises {words.answer_name(first)}, {words.strength(first)} by {title}"
    return f"why {title} says “{words.answer_name(first)}”, {words.strength(first)}"


def detail(sheet: MapSheet, cell: GridCell, m: CamMap) -> str:
    """The facts of a map beside its headings: the class and the layer where each network has its own; its time."""
    plan = sheet.plan
    several = len(plan.backbones) > 1 or len(plan.framings) > 1
    parts = []
    if several and cell.aim in RANKS and not (plan.columns in ("backbones", "framings") and plan.rows == "none"):
        parts.append(words.explained(m))
    if len(plan.backbones) > 1 and (cell.layer is None or cell.layer in DEPTHS) and m.layer is not None:
        parts.append(f"{m.layer} {words.grid(m.raw.shape)}")
    if m.residual is not None:
        parts.append(words.completeness(m, short=True))
    if m.layer is None:
        parts.append(METHODS[m.method].own_grid.replace("'", "’"))
    return " · ".join(parts) or words.milliseconds(m.seconds)


def layer_title(path: str, summary: NetworkSummary | None) -> str:
    """A layer with its grid, as in a list; a word for a depth is told from the layer that it means."""
    title, note = _layer(path, summary)
    text = f"{title} · {note}" if note else title
    return f"{_DEPTH_WORDS[DEPTHS.index(path)]}: {text}" if path in DEPTHS and summary is not None else text


def recommended(summary: NetworkSummary | None) -> str:
    """The recommended layer, as the first in a list."""
    if summary is None:
        return "Recommended"
    return "No layer with a grid" if summary.default_layer is None else f"★ {summary.default_layer}"


def class_title(aim: str, summary: NetworkSummary | None, framing: str) -> str:
    """A class with its probability, as in a list."""
    title, note = _class(aim, summary, framing)
    return f"{title} · {note}" if note else title


def _layer(value: str | None, summary: NetworkSummary | None) -> tuple[str, str]:
    if summary is None:
        return (
            "Recommended layer" if value is None else _DEPTH_WORDS[DEPTHS.index(value)] if value in DEPTHS else value
        ), ""
    path = summary.default_layer if value is None else value
    if path is None:
        return "No layer with a grid", ""
    if value in DEPTHS:
        steps = DEPTHS.index(value)
        if steps >= len(summary.ladder):
            return _DEPTH_WORDS[steps], "not in this network"
        path = summary.ladder[-1 - steps]
    info = next((info for info in summary.layers if info.path == path), None)
    grid = words.grid(info.grid) if info is not None and info.grid is not None else ""
    return str(path), f"{grid} ★" if path == summary.default_layer else grid


def _class(aim: str, summary: NetworkSummary | None, framing: str) -> tuple[str, str]:
    if aim in RANKS:
        rank = RANKS.index(aim)
        predictions = summary.predictions.get(framing, ()) if summary is not None else ()
        if rank >= len(predictions):
            return _RANK_WORDS[rank], ""
        return words.label(predictions[rank].label), words.strength(predictions[rank])
    index = int(aim)
    if summary is None or not 0 <= index < len(summary.labels):
        return f"class {index}", ""
    probability = next((p.probability for p in summary.predictions.get(framing, ()) if p.index == index), None)
    return words.label(summary.labels[index]), "" if probability is None else words.percent(probability)


def _says(summary: NetworkSummary | None, framing: str) -> str:
    """The first answer of a network; empty where it is not known."""
    if summary is None or not summary.predictions:
        return ""
    first = (summary.predictions.get(framing) or next(iter(summary.predictions.values())))[0]
    return f"says {words.answer_name(first)} {words.strength(first)}"
