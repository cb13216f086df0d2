"""A report as a story for a room: picture → what it says → where it looks → at which depth → is it true → compare.

Steps are plain values for the story component; nothing is computed anew.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import camcore
from camcore.cache import ByteLRU
from camcore.heatmaps.cam_map import CamMap
from camcore.render.colour import DIVERGING, css_gradient
from camcore.report import entry_text
from camcore.report.document import Finding, Item, Report
from camcore.report.drawing import jpeg_url, map_on, overlay_of, shrink
from ui import words

SIDE, TILE_SIDE = 1200, 640
AT_ONCE = 12
"""So many maps stand on one step."""
REASONS = 4
"""So many reasons for a verdict can be read from the back of a room."""


class Shown(TypedDict):
    """One picture with its caption; ``src``: data URL."""

    src: str
    alt: str
    caption: str


class StoryStep(TypedDict, total=False):
    """What stands on the screen at once. ``bars``: (label, share in 0..1, words); ``reasons``: (kind, sentence)."""

    kicker: str
    title: str
    note: str
    ratio: float
    pictures: list[Shown]
    bars: list[tuple[str, float, str]]
    reasons: list[tuple[str, str]]
    level: str
    legend: tuple[str, str, str] | None


_parts: ByteLRU[list[StoryStep]] = ByteLRU(
    96 << 20, lambda steps: sum(len(shown["src"]) for step in steps for shown in step.get("pictures", ())) + 4096
)


def steps(report: Report) -> list[StoryStep]:
    """The story of a report. What was just told of the same picture is not told again."""
    found: list[StoryStep] = []
    if report.title.strip():
        found.append({"kicker": "", "title": report.title.strip(), "note": entry_text.byline(report)})
    before: Item | None = None
    run: list[Item] = []
    for item in (*report.items, None):
        if run and (item is None or item.picture.sha256 != run[0].picture.sha256):
            found += _together(run)
            run = []
        if item is not None:
            run.append(item)
            found += _told(item, before)
            before = item
    return found


def _told(item: Item, before: Item | None) -> list[StoryStep]:
    parts = _parts.get(item) or _parts.put(item, _single(item) if len(item.findings) == 1 else _many(item))
    if before is None or before.picture.sha256 != item.picture.sha256:
        return parts
    first = {_key(one) for one in before.findings}
    heard = ("The picture", "What it says") if _key(item.first) in first else ("The picture",)
    return [step for step in parts if step["kicker"] not in heard]


def _key(one: Finding) -> tuple[str, str, str]:
    return one.network.name, one.network.weights_sha256, one.map.framing


def depths_title(m: CamMap) -> str:
    """The title over one map at each depth."""
    if m.score_kind == "value":
        return f"{words.map_title(m)}, from shallow to deep"
    return f"How “{words.label(m.label)}” forms, from shallow to deep"


def _single(item: Item) -> list[StoryStep]:
    one = item.first
    rgb = item.picture.open().rgb
    photo, small = shrink(rgb, SIDE), shrink(rgb, TILE_SIDE)
    ratio = item.picture.width / item.picture.height
    info = camcore.METHODS[one.map.method]
    overlay: Shown = {
        "src": jpeg_url(overlay_of(photo, one, item.style, SIDE)),
        "alt": entry_text.alternative(one, item),
        "caption": "",
    }
    plain = _photograph(item, photo)
    found: list[StoryStep] = [_picture(item, plain, ratio), _says(item, plain, ratio)]
    found.append(
        {
            "kicker": "Where it looks",
            "title": words.map_title(one.map, quoted=True),
            "note": item.comment.strip() or f"{entry_text.method_title(one.map)}: {_lower(info.summary)}",
            "ratio": ratio,
            "pictures": [overlay],
            "legend": _legend(item),
        }
    )
    if item.depths:
        tiles: list[Shown] = [
            {
                "src": jpeg_url(map_on(small, m, item.style, TILE_SIDE)),
                "alt": f"Map at {m.layer}",
                "caption": f"{m.raw.shape[0]} × {m.raw.shape[1]} places",
            }
            for m in item.depths
        ]
        found.append(
            {
                "kicker": "At which depth",
                "title": depths_title(one.map),
                "note": "",
                "ratio": ratio,
                "pictures": tiles,
                "legend": _legend(item),
            }
        )
    if one.verdict is not None:
        told = one.verdict
        figures = (("", f"{name}: {value}") for name, value in told.figures)
        reasons = [(kind, words.together(text)) for kind, text in (*told.reasons, *figures)]
        found.append(
            {
                "kicker": "Is it true?",
                "title": told.headline,
                "note": "",
                "ratio": ratio,
                "pictures": [overlay],
                "reasons": reasons[:REASONS],
                "level": told.level,
            }
        )
    return found


def _many(item: Item) -> list[StoryStep]:
    rgb = item.picture.open().rgb
    plain = _photograph(item, shrink(rgb, SIDE))
    ratio = item.picture.width / item.picture.height
    small = shrink(rgb, TILE_SIDE)
    names = entry_text.names(item.findings)
    shown: list[Shown] = [
        {
            "src": jpeg_url(overlay_of(small, one, item.style, TILE_SIDE)),
            "alt": entry_text.alternative(one, item),
            "caption": name,
        }
        for one, name in zip(item.findings, names, strict=True)
    ]
    kind = "Side by side"
    found = [_picture(item, plain, ratio), _says(item, plain, ratio)]
    title = entry_text.subject(item)
    for start in range(0, len(shown), AT_ONCE):
        note = item.comment.strip() if start == 0 else ""
        found.append(_compared(kind, title, note, ratio, shown[start : start + AT_ONCE], _legend(item)))
    return found


def _together(run: Sequence[Item]) -> list[StoryStep]:
    """Entries of one picture that follow each other, compared at the end."""
    singles = [item for item in run if len(item.findings) == 1][:AT_ONCE]
    if len(singles) < 2:
        return []
    small = shrink(singles[0].picture.open().rgb, TILE_SIDE)
    names = entry_text.names([item.first for item in singles])
    shown: list[Shown] = [
        {
            "src": jpeg_url(overlay_of(small, item.first, item.style, TILE_SIDE)),
            "alt": entry_text.alternative(item.first, item),
            "caption": name,
        }
        for item, name in zip(singles, names, strict=True)
    ]
    ratio = singles[0].picture.width / singles[0].picture.height
    alike = {_legend(item) for item in singles}
    legend = alike.pop() if len(alike) == 1 else None
    return [_compared("Side by side", f"{len(shown)} maps of one picture", "", ratio, shown, legend)]


def _compared(
    kicker: str, title: str, note: str, ratio: float, shown: list[Shown], legend: tuple[str, str, str] | None
) -> StoryStep:
    return {"kicker": kicker, "title": title, "note": note, "ratio": ratio, "pictures": shown, "legend": legend}


def _photograph(item: Item, photo: Any) -> Shown:
    return {"src": jpeg_url(photo), "alt": f"Photograph: {entry_text.picture_name(item)}", "caption": ""}


def _picture(item: Item, plain: Shown, ratio: float) -> StoryStep:
    return {
        "kicker": "The picture",
        "title": entry_text.picture_name(item),
        "note": "",
        "ratio": ratio,
        "pictures": [plain],
    }


def _says(item: Item, plain: Shown, ratio: float) -> StoryStep:
    bars = [
        (words.answer_name(p), p.probability if p.probability == p.probability else 0.0, words.strength(p))
        for p in item.first.predictions[:4]
    ]
    return {
        "kicker": "What it says",
        "title": words.together(entry_text.prediction(item.first)),
        "note": "",
        "ratio": ratio,
        "pictures": [plain],
        "bars": bars,
    }


def _lower(sentence: str) -> str:
    """A sentence to stand behind a colon; an abbreviation stays as it is."""
    return sentence if sentence[:2].isupper() else sentence[:1].lower() + sentence[1:]


def _legend(item: Item) -> tuple[str, str, str]:
    """The words at the ends of the colours, and the colours."""
    if any(one.scale is not None and one.scale.signed for one in item.findings):
        return "speaks against", "speaks for", css_gradient(DIVERGING)
    return "little", "much", css_gradient(item.style.colormap)
