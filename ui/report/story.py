"""A report as a presentation: picture → answer → where it looks → at which depth → verdict → side by side → in short.

Steps are plain values for the story component; nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

import camcore
from camcore.cache import ByteLRU
from camcore.heatmaps.cam_map import CamMap
from camcore.render.colour import DIVERGING, css_gradient
from camcore.report import entry_text
from camcore.report.document import AuditItem, Finding, Item, Report, ReportItem
from camcore.report.drawing import jpeg_url, map_on, overlay_of, shrink
from ui import words
from ui.report import audit_story
from ui.report.steps import AT_ONCE, REASONS, StoryPicture, StoryStep

SIDE, TILE_SIDE = 1200, 640
WIDE_DEPTHS, TALL_DEPTHS = 3, 4
"""So many depths of a wide and of a tall picture stand in one row."""
LINES = 6
"""Entries in a step of the summary."""


_steps: ByteLRU[list[StoryStep]] = ByteLRU(
    96 << 20, lambda steps: sum(len(one["src"]) for step in steps for one in step.get("pictures", ())) + 4096
)


def steps(report: Report) -> list[StoryStep]:
    """The story of a report. What was just told of the same picture is not told again."""
    story: list[StoryStep] = []
    if report.title.strip():
        story.append({"kicker": "", "title": report.title.strip(), "note": entry_text.byline(report)})
    before: Item | None = None
    of_one_picture: list[Item] = []
    for item in (*report.items, None):
        if of_one_picture and not _of_picture(item, of_one_picture[0]):
            story += _comparison(of_one_picture)
            of_one_picture = []
        if isinstance(item, AuditItem):
            story += _steps.get(item) or _steps.put(item, audit_story.steps(item))
            before = None
        elif item is not None:
            of_one_picture.append(item)
            story += _new_steps(item, before)
            before = item
    return [*story, *_summary(report)]


def _summary(report: Report) -> Iterator[StoryStep]:
    """Each entry in a sentence, at the end; none where there is one entry only."""
    told = entry_text.outcomes(report)
    for start in range(0, len(told) if len(told) > 1 else 0, LINES):
        lines = [(kind, words.together(text)) for kind, text in told[start : start + LINES]]
        yield {"kicker": "In short", "title": report.title.strip() or "What was shown", "note": "", "reasons": lines}


def _of_picture(item: ReportItem | None, first: Item) -> bool:
    return isinstance(item, Item) and item.picture.sha256 == first.picture.sha256


def _new_steps(item: Item, before: Item | None) -> list[StoryStep]:
    """The steps of an entry without those that the entry ``before`` has shown."""
    steps = _steps.get(item) or _steps.put(item, _single(item) if len(item.findings) == 1 else _several(item))
    if before is None or before.picture.sha256 != item.picture.sha256:
        return steps
    known = {_answer_key(one) for one in before.findings}
    shown = ("The picture", "What it says") if _answer_key(item.first) in known else ("The picture",)
    return [step for step in steps if step["kicker"] not in shown]


def _answer_key(one: Finding) -> tuple[str, str, str]:
    return one.network.name, one.network.weights_sha256, one.map.framing


def depths_title(m: CamMap) -> str:
    """The title over one map at each depth."""
    if m.score_kind == "value":
        return f"{words.map_title(m)}, from shallow to deep"
    return f"How “{words.label(m.label)}” forms, from shallow to deep"


def _single(item: Item) -> list[StoryStep]:
    """One map: the picture, the answer, where it looks, at which depth, and the verdict."""
    one = item.first
    rgb = item.picture.open().rgb
    photo, small = shrink(rgb, SIDE), shrink(rgb, TILE_SIDE)
    overlay = _overlay(item, one, photo, SIDE)
    summary = camcore.METHODS[one.map.method].summary
    note = item.comment.strip() or f"{entry_text.method_title(one.map)}: {_lower(summary)}"
    story = [
        *_opening(item, photo),
        _step(item, "Where it looks", words.map_title(one.map, quoted=True), [overlay], note, legend=True),
    ]
    if item.depths:
        tiles: list[StoryPicture] = [
            {
                "src": jpeg_url(map_on(small, m, item.style, TILE_SIDE)),
                "alt": f"Map at {m.layer}",
                "caption": f"{m.raw.shape[0]} × {m.raw.shape[1]} places",
            }
            for m in _some(item.depths, item.picture.width / item.picture.height)
        ]
        story.append(_step(item, "At which depth", depths_title(one.map), tiles, legend=True))
    if one.verdict is not None:
        figures = (("", f"{name}: {value}") for name, value in one.verdict.figures)
        reasons = [(kind, words.together(text)) for kind, text in (*one.verdict.reasons, *figures)]
        verdict = _step(item, "Can you trust it?", one.verdict.headline, [overlay])
        story.append({**verdict, "reasons": reasons[:REASONS], "level": one.verdict.level})
    return story


def _some(depths: Sequence[CamMap], ratio: float) -> Sequence[CamMap]:
    """As many depths as can be seen from the back of a room in one row, from the first to the last."""
    most = min(len(depths), WIDE_DEPTHS if ratio > 1 else TALL_DEPTHS)
    return [depths[round(at * (len(depths) - 1) / max(most - 1, 1))] for at in range(most)]


def _several(item: Item) -> list[StoryStep]:
    """Maps side by side: the picture, the answer, and the maps, so many at once."""
    rgb = item.picture.open().rgb
    small = shrink(rgb, TILE_SIDE)
    names = entry_text.names(item.findings)
    maps = [_overlay(item, one, small, TILE_SIDE, name) for one, name in zip(item.findings, names, strict=True)]
    story = _opening(item, shrink(rgb, SIDE))
    title = entry_text.subject(item)
    for start in range(0, len(maps), AT_ONCE):
        note = item.comment.strip() if start == 0 else ""
        story.append(_step(item, "Side by side", title, maps[start : start + AT_ONCE], note, legend=True))
    return story


def _comparison(items: Sequence[Item]) -> list[StoryStep]:
    """Entries of one picture that follow each other, compared at the end."""
    singles = [item for item in items if len(item.findings) == 1][:AT_ONCE]
    if len(singles) < 2:
        return []
    small = shrink(singles[0].picture.open().rgb, TILE_SIDE)
    names = entry_text.names([item.first for item in singles])
    maps = [_overlay(item, item.first, small, TILE_SIDE, name) for item, name in zip(singles, names, strict=True)]
    alike = len({_legend(item) for item in singles}) == 1
    step = _step(singles[0], "Side by side", f"{len(maps)} maps of one picture", maps, legend=alike)
    return [step]


def _opening(item: Item, photo: NDArray[np.uint8]) -> list[StoryStep]:
    """The photograph, first by itself and then with the network's answer."""
    name = entry_text.picture_name(item)
    plain: StoryPicture = {"src": jpeg_url(photo), "alt": f"Photograph: {name}", "caption": ""}
    bars = [
        (words.answer_name(p), p.probability if p.probability == p.probability else 0.0, words.strength(p))
        for p in item.first.predictions[:4]
    ]
    answer = _step(item, "What it says", words.together(entry_text.prediction(item.first)), [plain])
    return [_step(item, "The picture", name, [plain]), {**answer, "bars": bars}]


def _overlay(item: Item, one: Finding, photo: NDArray[np.uint8], side: int, caption: str = "") -> StoryPicture:
    src = jpeg_url(overlay_of(photo, one, item.style, side))
    return {"src": src, "alt": entry_text.alternative(one, item), "caption": caption}


def _step(
    item: Item, kicker: str, title: str, pictures: list[StoryPicture], note: str = "", *, legend: bool = False
) -> StoryStep:
    ratio = item.picture.width / item.picture.height
    step: StoryStep = {"kicker": kicker, "title": title, "note": note, "ratio": ratio, "pictures": pictures}
    return {**step, "legend": _legend(item)} if legend else step


def _lower(sentence: str) -> str:
    """A sentence to stand behind a colon; an abbreviation stays as it is."""
    return sentence if sentence[:2].isupper() else sentence[:1].lower() + sentence[1:]


def _legend(item: Item) -> tuple[str, str, str]:
    """The words at the ends of the colours, and the colours."""
    if any(one.scale is not None and one.scale.signed for one in item.findings):
        return "speaks against", "speaks for", css_gradient(DIVERGING)
    return "little", "much", css_gradient(item.style.colormap)
