"""Steps of a presentation as plain values."""

from __future__ import annotations

from typing import TypedDict

AT_ONCE = 12
"""The most pictures on one step."""
REASONS = 4
"""The most sentences on one step that can be read from the back of a room."""


class StoryPicture(TypedDict):
    """One picture with its caption; ``src``: data URL."""

    src: str
    alt: str
    caption: str


class StoryStep(TypedDict, total=False):
    """Everything on the screen at once.

    ``bars``: (label, share in 0..1, words); ``numbers``: (value, name, note); ``reasons``: (kind, sentence).
    """

    kicker: str
    title: str
    note: str
    ratio: float
    pictures: list[StoryPicture]
    bars: list[tuple[str, float, str]]
    numbers: list[tuple[str, str, str]]
    reasons: list[tuple[str, str]]
    level: str
    legend: tuple[str, str, str] | None
