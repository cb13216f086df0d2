"""An entry of a report in words: the findings on top, exactly how they were made beneath, and their limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from camcore.methods import METHODS
from camcore.report.captions import explained, headline, location, map_title, method_title, peak_position
from camcore.report.document import AuditItem, Finding, Item, Report, ReportItem
from camcore.text import duration, percent, readable, score_name, score_text

Rows = list[tuple[str, str]]

Word = Callable[[Finding], str]

# Kinds in which the maps of an entry may differ, and the word for one map.
_KINDS: tuple[tuple[str, Word], ...] = (
    ("networks", lambda one: one.network.name),
    ("framings", lambda one: one.map.framing),
    ("methods", lambda one: method_title(one.map)),
    ("layers", lambda one: one.map.layer or METHODS[one.map.method].own_grid.replace("'", "’")),
    ("classes", lambda one: readable(one.map.label)),
)


def prediction(one: Finding) -> str:
    """The network's answer to the picture, in one sentence."""
    if one.predictions:
        return headline(one.network.name, one.network.weights, one.predictions[0])
    return f"{one.network.name} on “{readable(one.map.label)}”"


def title(item: Item) -> str:
    """The subject of an entry in one sentence: also which class, where it is not the network's first answer."""
    first = item.first
    if len(item.findings) == 1:
        return f"{map_title(first.map, quoted=True)}: {prediction(first)}" if _beside(first) else prediction(first)
    counted = subject(item) if any(map(_beside, item.findings)) else _counted(item)
    alike = {(one.network.name, one.map.framing) for one in item.findings}
    return f"{counted}: {prediction(first)}" if len(alike) == 1 else f"{_counted(item)} on one picture"


def subject(item: Item) -> str:
    """The differences between an entry's maps, and the class, where they are all of one: ``6 methods on “tabby”``."""
    labels = {readable(one.map.label) for one in item.findings}
    return f"{_counted(item)} on “{labels.pop()}”" if len(labels) == 1 else _counted(item)


def _counted(item: Item) -> str:
    counts = [f"{len({word(one) for one in item.findings})} {several}" for several, word in _free(item.findings)]
    return " × ".join(counts) or f"{len(item.findings)} maps"


def _beside(one: Finding) -> bool:
    """True for a map of another class than the network's first answer."""
    specific = METHODS[one.map.method].class_specific
    return bool(one.predictions) and specific and one.predictions[0].index != one.map.class_index


def names(findings: Sequence[Finding]) -> list[str]:
    """A name for each map that tells it from the others, in a few words."""
    words = [word for _, word in _free(findings)]
    if len({one.network.name for one in findings}) > 1:  # each network has an answer of its own
        words.append(lambda one: explained(one.map))
    return [" · ".join(word(one) for word in words) or method_title(one.map) for one in findings]


def _free(findings: Sequence[Finding]) -> list[tuple[str, Word]]:
    """The kinds in which maps differ, less those that follow from the ones before: a network has its own layers."""
    kept: list[tuple[str, Word]] = []
    for several, word in _KINDS:
        known: dict[tuple[str, ...], set[str]] = {}
        for one in findings:
            known.setdefault(tuple(other(one) for _, other in kept), set()).add(word(one))
        if any(len(values) > 1 for values in known.values()):
            kept.append((several, word))
    return kept


def picture_name(item: Item) -> str:
    """The picture's name without its ending."""
    return item.picture.name.rpartition(".")[0] or item.picture.name or "The picture"


def where(one: Finding) -> str:
    """The line beneath a map: method, layer, class."""
    m = one.map
    return f"{method_title(m)} · {location(m, one.info)} · {explained(m)}"


def alternative(one: Finding, item: Item) -> str:
    """A map for those who cannot see it: its subject, and its brightest part."""
    m = one.map
    subject_of_map = f"Heatmap of {method_title(m)} for {readable(m.label)} on {picture_name(item)}"
    if not m.values.any():
        return f"{subject_of_map}. It is empty."
    return f"{subject_of_map}. Brightest at the {peak_position(m.values)} of what the network saw."


def exact(item: Item) -> Rows:
    """The making of an entry, in figures: (name, value)."""
    picture, first = item.picture, item.first
    rows = [
        ("Picture", f"{picture.name or 'without a name'}, {picture.width} × {picture.height} px"),
        ("SHA-256 of the picture", picture.sha256),
    ]
    rows += [("Changes to the picture", " ".join(picture.notes))] if picture.notes else []
    if len(item.findings) == 1:
        rows += _one(first)
    else:
        for facts in dict.fromkeys((one.network.name, one.network.weights_sha256) for one in item.findings):
            one = next(f for f in item.findings if (f.network.name, f.network.weights_sha256) == facts)
            rows += _network(one)
    rows.append(("Made with", ", ".join(f"{name} {number}" for name, number in item.versions.items())))
    return rows


def _network(one: Finding) -> Rows:
    facts = one.network
    h, w = facts.input_size
    options = "".join(f", {name} {value}" for name, value in facts.options.items())
    return [
        ("Network", f"{facts.name}{options}, {facts.weights}, input {h}×{w}"),
        ("SHA-256 of the weights", facts.weights_sha256),
    ]


def _one(one: Finding) -> Rows:
    m, info = one.map, METHODS[one.map.method]
    top, left, bottom, right = m.frame.seen
    seen = f"{m.framing}: pixels {left:.0f} to {right:.0f} across and {top:.0f} to {bottom:.0f} down"
    rows = [
        *_network(one),
        ("What the network saw", seen),
        ("Method", f"{method_title(m)}. {info.paper}, {info.equation}. {info.url}"),
    ]
    options = [f"{name} = {value}" for name, value in m.options.items()] + [f"refined by {name}" for name in m.refine]
    rows += [("Options", ", ".join(options))] if options else []
    rows += [
        ("Layer", location(m, one.info)),
        (
            "Class",
            f"{readable(m.label)}, number {m.class_index}, probability {percent(m.probability)}, {score_text(m, 4)}"
            if m.score_kind != "value"
            else f"{readable(m.label)}, {score_text(m, 4)}",
        ),
    ]
    if m.residual is not None:
        short = f"short of the {score_name(m.score_kind)} by {m.residual:.1e}"
        rows.append(("Adds up", f"evidence {m.evidence:.4f} + offset {m.offset:.4f}, {short}"))
    rows.append(("Raw map", f"{m.raw.min():.6g} to {m.raw.max():.6g}, in {duration(m.seconds)}"))
    return rows


def table(item: Item) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The maps of an entry with several: heads, and a row for each."""
    heads = ("map", "network", "method", "layer", "class", "probability", "raw maximum", "scale")
    rows: list[tuple[str, ...]] = [
        (
            str(number),
            one.network.name,
            method_title(one.map),
            f"{one.map.layer or 'input'} {one.map.raw.shape[0]}×{one.map.raw.shape[1]}",
            readable(one.map.label),
            percent(one.map.probability),
            f"{one.map.raw.max():.4g}",
            "own maximum" if one.scale is None else f"0 to {one.scale.top:.4g}",
        )
        for number, one in enumerate(item.findings, 1)
    ]
    return heads, rows


@dataclass(frozen=True)
class Limits:
    """A method's answer, and its weaknesses."""

    method: str
    summary: str
    weaknesses: str


def limits(item: Item) -> list[Limits]:
    """Of each method of an entry, in plain words."""
    infos = dict.fromkeys(METHODS[one.map.method].key for one in item.findings)
    return [Limits(METHODS[key].title, METHODS[key].summary, METHODS[key].weaknesses) for key in infos]


_KINDS_OF_LEVELS = {"trust": "for", "caution": "beware", "distrust": "against"}


def outcome(item: ReportItem) -> tuple[str, str]:
    """An entry in a sentence, with the kind of reason that its verdict is: for a summary of the report."""
    if isinstance(item, AuditItem):
        return "note", f"{item.title.rstrip('.')}{'' if item.title.endswith('?') else ':'} {item.answer}"
    if len(item.findings) > 1:
        judged = Counter(one.verdict.headline for one in item.findings if one.verdict is not None)
        said = "; ".join(f"{count} × {text.rstrip('.')}" for text, count in judged.most_common())
        return "note", f"{title(item)}. {said}." if said else f"{title(item)}. None of the maps was checked."
    verdict = item.first.verdict
    if verdict is None:
        return "note", f"{title(item)}. The map was not checked."
    return _KINDS_OF_LEVELS.get(verdict.level, "note"), f"{title(item)}. {verdict.headline}"


def outcomes(report: Report) -> list[tuple[str, str]]:
    """Every entry of a report, as ``outcome`` has it."""
    return [outcome(item) for item in report.items]


def unjudged(item: Item) -> str:
    """The sentence on maps without a verdict; empty where each has one."""
    missing = sum(one.verdict is None for one in item.findings)
    if not missing:
        return ""
    which = f"{missing} of these maps" if len(item.findings) > 1 else "this map"
    return f"Whether to believe {which} was not checked before the report was made."


def warnings(item: Item) -> list[str]:
    """The warnings of an entry's maps, to be read before these are believed."""
    named = [(name, one.map.warning) for name, one in zip(names(item.findings), item.findings, strict=True)]
    several = len(item.findings) > 1
    return [f"{name}: {text}" if several else text for name, text in named if text]


def byline(report: Report) -> str:
    """A report's author and date."""
    return ", ".join(filter(None, (report.author, report.made)))


def called(report: Report) -> str:
    """A report's title, with a plain one where none was given."""
    return report.title.strip() or "What the network looked at"
