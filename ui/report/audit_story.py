"""An audit as steps of a presentation: its figures, then a step for each table, group and row of pictures."""

from __future__ import annotations

from collections.abc import Iterator

from camcore.metrics.intervals import Rate
from camcore.render.colour import css_gradient
from camcore.render.encode import to_data_url
from camcore.report.blocks import Bullets, Card, Cards, Paragraph, Print, Prints, Section, Table, cell_text
from camcore.report.document import AuditItem
from ui import words
from ui.report.steps import AT_ONCE, REASONS, StoryPicture, StoryStep

CARDS = 6
"""The most groups that are presented."""
_BARS = 6
_RATIO = 1.25  # width / height of the space for a picture


def steps(item: AuditItem) -> list[StoryStep]:
    """The steps of an audit, its answer first."""
    opening: StoryStep = {
        "kicker": item.source,
        "title": item.title,
        "note": words.together(item.comment.strip() or item.answer),
        "numbers": [(words.together(value), name, words.together(note)) for value, name, note in item.numbers],
    }
    return [opening, *(step for section in item.sections for step in _section(item, section))]


def _section(item: AuditItem, section: Section) -> Iterator[StoryStep]:
    if all(isinstance(block, Paragraph) for block in section.blocks):
        texts = [block.text for block in section.blocks if isinstance(block, Paragraph) and not block.quiet]
        yield {"kicker": item.title, "title": section.title, "note": words.together(" ".join(texts))}
    for block in section.blocks:
        if isinstance(block, Prints):
            yield from _prints(section.title, block)
        elif isinstance(block, Cards):
            cards = sorted(block.cards, key=lambda card: not card.flag)  # those that fail come first
            for card in cards[:CARDS]:
                yield _card(section.title, card)
                if card.turned:
                    yield _turned(section.title, card)
        elif isinstance(block, Table):
            yield from _bars(section.title, block)
        elif isinstance(block, Bullets):
            for start in range(0, len(block.texts), REASONS):
                sentences = [("", words.together(text)) for text in block.texts[start : start + REASONS]]
                yield {"kicker": item.title, "title": _titled(section.title), "note": "", "reasons": sentences}


def _bars(title: str, table: Table) -> Iterator[StoryStep]:
    """The first share of each row as a bar; nothing of a table without shares."""
    column = next((at for at, cell in enumerate(table.rows[0]) if isinstance(cell, Rate)), None) if table.rows else None
    if column is None:
        return
    shares = [(cell_text(row[0]), row[column]) for row in table.rows[:_BARS]]
    bars = [(name, rate.value, cell_text(rate)) for name, rate in shares if isinstance(rate, Rate) and rate.n]
    if bars:
        yield {"kicker": title, "title": f"{title.removesuffix('?')}: {table.heads[column]}", "note": "", "bars": bars}


def _titled(title: str) -> str:
    return "What to keep in mind" if title == "Limits" else title


def _prints(title: str, block: Prints) -> Iterator[StoryStep]:
    shown = [one for one in block.prints if one.jpeg]
    for start in range(0, len(shown), AT_ONCE):
        step: StoryStep = {"kicker": "", "title": title, "note": "", "ratio": 1.0 if block.maps else _RATIO}
        pictures = [_picture(one) for one in shown[start : start + AT_ONCE]]
        yield {**step, "pictures": pictures, "legend": ("little", "much", css_gradient())}


def _card(title: str, card: Card) -> StoryStep:
    patches: list[StoryPicture] = [{**_picture(one), "caption": ""} for one in card.patches if one.jpeg]
    return {
        "kicker": title,
        "title": _name(card),
        "note": words.together(" · ".join(card.lines)),
        "ratio": 1.0,
        "pictures": [_picture(card.map), *patches],
    }


def _turned(title: str, card: Card) -> StoryStep:
    pictures = [_picture(one) for pair in card.turned for one in pair]
    note = words.together(card.turned_by)
    return {"kicker": title, "title": _name(card), "note": note, "ratio": 1.0, "pictures": pictures}


def _name(card: Card) -> str:
    return f"{card.name}: {card.flag}" if card.flag else card.name


def _picture(one: Print) -> StoryPicture:
    return {"src": to_data_url(one.jpeg, "image/jpeg"), "alt": one.alt, "caption": one.name}
