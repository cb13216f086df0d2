"""Blocks of a report's section: figures, tables, pictures and texts as frozen values; each format sets them its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import ClassVar, TypeAlias

from camcore.metrics.intervals import Rate
from camcore.text import percent

Cell: TypeAlias = str | Rate
"""A cell of a table: text, or a share with its interval."""


@dataclass(frozen=True)
class Print:
    """A small picture as JPEG, with its caption. ``jpeg`` empty: it could not be opened any more."""

    jpeg: bytes = field(repr=False)
    name: str
    note: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text. ``quiet``: a remark."""

    kind: ClassVar[str] = "paragraph"
    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its heads. ``numbers``: the columns that hold numbers; ``flags``: the one that holds warnings."""

    kind: ClassVar[str] = "table"
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    flags: int | None = None


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: the ``counts`` of each true class (a row) by the class predicted."""

    kind: ClassVar[str] = "matrix"
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CalibrationPoint:
    """Pictures of about one probability, and the share of them that is right with its interval, all in 0..1."""

    probability: float
    right: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class CalibrationChart:
    """A reliability diagram, and its message in words."""

    kind: ClassVar[str] = "calibration"
    points: tuple[CalibrationPoint, ...]
    text: str


@dataclass(frozen=True)
class Prints:
    """Pictures beside each other. ``maps``: they are maps on their own grid."""

    kind: ClassVar[str] = "prints"
    prints: tuple[Print, ...]
    maps: bool = False


@dataclass(frozen=True)
class Card:
    """A group of pictures: its mean map, patches cut from its members, and lines about it. ``flag``: a warning.

    ``turned``: pictures before and after an experiment, under ``turned_by``.
    """

    name: str
    map: Print
    patches: tuple[Print, ...]
    lines: tuple[str, ...]
    flag: str = ""
    remarks: tuple[str, ...] = ()
    turned: tuple[tuple[Print, Print], ...] = ()
    turned_by: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards one below the other."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Bullets:
    """Sentences as a list."""

    kind: ClassVar[str] = "bullets"
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Command:
    """A command line."""

    kind: ClassVar[str] = "command"
    text: str


Block: TypeAlias = Paragraph | Table | Matrix | CalibrationChart | Prints | Cards | Bullets | Facts | Command


@dataclass(frozen=True)
class Section:
    """Blocks under a title. ``half``: two such sections may stand beside each other."""

    title: str
    blocks: tuple[Block, ...]
    half: bool = False

    def prints(self) -> Iterator[Print]:
        """Its pictures that are there."""
        for block in self.blocks:
            if isinstance(block, Prints):
                found = block.prints
            elif isinstance(block, Cards):
                found = tuple(one for card in block.cards for one in (card.map, *card.patches, *chain(*card.turned)))
            else:
                continue
            yield from (one for one in found if one.jpeg)


def rate_text(one: Rate) -> str:
    """A share with its interval: ``95 % (93 % to 96 %)``; a dash where there is nothing to count."""
    return f"{percent(one.value)} ({percent(one.low)} to {percent(one.high)})" if one.n else "–"


def cell_text(cell: Cell) -> str:
    """A cell as text."""
    return cell if isinstance(cell, str) else rate_text(cell)
