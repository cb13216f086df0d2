"""What the choices of a comparison are called: a title and a line beneath, as far as they are known yet."""

from typing import Any

from ui import methods, words
from ui.compare.comparison import DEPTHS, RANKS, Cell
from ui.compare.sheets import Sheet
from ui.facts import Facts

_RANK_WORDS = ("First answer", "Second answer", "Third answer")
_DEPTH_WORDS = ("Last grid", "One grid earlier", "Two grids earlier", "Three grids earlier")
OWN_GRID = "the input’s own grid"


def choice(axis: str, value: Any, facts: Facts | None, framing: str) -> tuple[str, str]:
    """A choice of an axis, and what is to be said about it. ``facts``: of the one network it is about, if it is one."""
    if axis == "methods":
        return methods.short(value), ""
    if axis == "layers":
        return _layer(value, facts)
    if axis == "classes":
        return _class(value, facts, framing)
    if axis == "backbones":
        return value.name, f"says {_said(facts, framing)}" if facts is not None and facts.said else ""
    return str(value), ""


def headings(sheet: Sheet, axis: str) -> list[tuple[str, str]]:
    """The titles of an axis's choices, in order."""
    plan = sheet.plan
    made = []
    for value in plan.choices(axis):
        network = value if axis == "backbones" else plan.lead if len(plan.backbones) == 1 else None
        framing = value if axis == "framings" else plan.framings_of(network or plan.lead)[0]
        facts = sheet.facts.get(network) if network is not None else None
        if axis == "classes" and len(plan.framings) > 1 and value in RANKS:
            facts = None  # each framing has answers of its own
        if axis == "framings" and len(plan.backbones) == 1:
            made.append((str(value), f"says {_said(facts, framing)}" if facts is not None and facts.said else ""))
        else:
            if axis == "classes" and facts is None and value not in RANKS:
                facts = sheet.facts.get(plan.lead)
            made.append(choice(axis, value, facts, framing))
    return made


def full(sheet: Sheet, cell: Cell) -> str:
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
            parts.append(choice(axis, value, sheet.facts.get(cell.network), cell.framing)[0])
    return ", ".join(parts)


def first_answer(title: str, first: Any) -> str:
    """The subject of maps of a first answer: ``why Net says “cat”, 71 %``, ``what raises age, 37.2 by Net``."""
    if first.score_kind == "value":
        return f"what raises {words.answer_name(first)}, {words.strength(first)} by {title}"
    return f"why {title} says “{words.answer_name(first)}”, {words.strength(first)}"


def detail(sheet: Sheet, cell: Cell, m: Any) -> str:
    """What the headings leave open about a map: the class and the layer where each network has its own; its time."""
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
        parts.append(OWN_GRID)
    return " · ".join(parts) or words.milliseconds(m.seconds)


def layer_title(path: str, facts: Facts | None) -> str:
    """A layer with its grid, as in a list; a word for a depth is told from the layer that it means."""
    title, note = _layer(path, facts)
    text = f"{title} · {note}" if note else title
    return f"{_DEPTH_WORDS[DEPTHS.index(path)]}: {text}" if path in DEPTHS and facts is not None else text


def recommended(facts: Facts | None) -> str:
    """The recommended layer, as the first in a list."""
    if facts is None:
        return "Recommended"
    return "No layer with a grid" if facts.default_layer is None else f"★ {facts.default_layer}"


def class_title(aim: str, facts: Facts | None, framing: str) -> str:
    """A class with its probability, as in a list."""
    title, note = _class(aim, facts, framing)
    return f"{title} · {note}" if note else title


def _layer(value: str | None, facts: Facts | None) -> tuple[str, str]:
    if facts is None:
        return (
            "Recommended layer" if value is None else _DEPTH_WORDS[DEPTHS.index(value)] if value in DEPTHS else value
        ), ""
    path = facts.default_layer if value is None else value
    if path is None:
        return "No layer with a grid", ""
    if value in DEPTHS:
        steps = DEPTHS.index(value)
        if steps >= len(facts.ladder):
            return _DEPTH_WORDS[steps], "not in this network"
        path = facts.ladder[-1 - steps]
    info = next((info for info in facts.layers if info.path == path), None)
    grid = words.grid(info.grid) if info is not None and info.grid is not None else ""
    return str(path), f"{grid} ★" if path == facts.default_layer else grid


def _class(aim: str, facts: Facts | None, framing: str) -> tuple[str, str]:
    if aim in RANKS:
        place = RANKS.index(aim)
        said = facts.said.get(framing, ()) if facts is not None else ()
        if place >= len(said):
            return _RANK_WORDS[place], ""
        return words.label(said[place].label), words.strength(said[place])
    index = int(aim)
    if facts is None or not 0 <= index < len(facts.labels):
        return f"class {index}", ""
    probability = next((p.probability for p in facts.said.get(framing, ()) if p.index == index), None)
    return words.label(facts.labels[index]), "" if probability is None else words.percent(probability)


def _said(facts: Facts, framing: str) -> str:
    said = facts.said.get(framing) or next(iter(facts.said.values()))
    return f"{words.answer_name(said[0])} {words.strength(said[0])}"
