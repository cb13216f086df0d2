"""A report: findings, frozen, with all that says how they came about. No network is needed to read or write it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from camcore.errors import CamcoreError, PictureError
from camcore.graph.layers import LayerInfo
from camcore.heatmaps.cam_map import CamMap
from camcore.network import Network
from camcore.pictures.picture import Picture, open_picture
from camcore.predictions import Prediction
from camcore.render.encode import to_png
from camcore.report.blocks import Section
from camcore.report.facts import NetworkFacts, versions
from camcore.verdict.rules import Verdict

# The first answers of a network that a report keeps.
TOP = 5


@dataclass(frozen=True)
class PictureFile:
    """A picture as its file's bytes, a tenth of what its pixels take. ``name``: as given, not escaped."""

    data: bytes = field(repr=False)
    name: str
    sha256: str
    height: int
    width: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, pic: Picture, data: bytes | None = None, name: str | None = None) -> PictureFile:
        """``data``: the bytes that ``pic`` was opened from; None: its pixels become a PNG.

        Raises PictureError where the bytes are not this picture's.
        """
        if data is None:
            data = to_png(pic.rgb)
        elif hashlib.sha256(data).hexdigest() != pic.sha256:
            raise PictureError(
                f"The bytes given are not those of the picture {pic.name!r}: their hash is another. A report must show "
                "the picture that the maps were made of. Give the bytes it was opened from, or none."
            )
        called = pic.name if name is None else name
        return cls(data, called, hashlib.sha256(data).hexdigest(), pic.height, pic.width, pic.notes)

    def open(self) -> Picture:
        """The picture."""
        return open_picture(self.data, name=self.name)


@dataclass(frozen=True)
class DrawStyle:
    """The drawing of maps. ``alpha``: opacity, 0..1; ``smooth``: interpolated, else the layer's own cells.

    ``by_value``: the opacity is ``alpha`` times the map's value, else the same everywhere.
    """

    alpha: float = 0.7
    colormap: str = "viridis"
    smooth: bool = True
    by_value: bool = True


@dataclass(frozen=True)
class Scale:
    """The raw value of the last colour; ``signed``: what speaks against the class is shown, too; ``mark``: in words."""

    top: float
    signed: bool = False
    mark: str = ""


@dataclass(frozen=True)
class VerdictSummary:
    """A verdict on a map: ``level`` (``trust``, ``caution``, ``distrust`` or empty), a headline, and the reasons.

    ``reasons``: (kind, sentence); kinds are those of ``camcore.verdict.rules.Reason``, or empty. ``figures``: (name,
    value).
    """

    level: str
    headline: str
    reasons: tuple[tuple[str, str], ...] = ()
    figures: tuple[tuple[str, str], ...] = ()


def verdict_summary(verdict: Verdict | Mapping[str, object]) -> VerdictSummary:
    """A verdict as a report keeps it.

    ``verdict``: a ``camcore.Verdict``, or a mapping with ``headline`` and, where there are any, ``level``,
    ``sentences`` and ``figures``.
    """
    if isinstance(verdict, Mapping):
        return VerdictSummary(
            str(verdict.get("level", "")),
            str(verdict["headline"]),
            tuple(("", str(sentence)) for sentence in verdict.get("sentences", ())),  # type: ignore[attr-defined]
            tuple((str(name), str(value)) for name, value in dict(verdict.get("figures", {})).items()),  # type: ignore[call-overload]
        )
    reasons = tuple((reason.kind, reason.text) for reason in verdict.reasons)
    return VerdictSummary(verdict.level, verdict.headline, reasons)


@dataclass(frozen=True, eq=False)
class Finding:
    """One map with the network that it is of. ``info``: its layer, None on the input's own grid.

    ``predictions``: the network's first answers to the picture, in this framing. ``scale``: None: from 0 to the map's
    maximum.
    """

    map: CamMap
    info: LayerInfo | None
    network: NetworkFacts
    predictions: tuple[Prediction, ...]
    scale: Scale | None = None
    verdict: VerdictSummary | None = None


def findings_of(
    network: Network, pic: Picture, maps: Sequence[CamMap], weights: str | os.PathLike[str] | None = None
) -> tuple[Finding, ...]:
    """Maps of one network and picture as findings; ``weights``: as given to ``load``."""
    facts = NetworkFacts.of(network, weights)
    first = {framing: network.predict(pic, TOP, framing) for framing in {m.framing for m in maps}}
    return tuple(Finding(m, None if m.layer is None else network.layer(m.layer), facts, first[m.framing]) for m in maps)


@dataclass(frozen=True, eq=False)
class Item:
    """One entry of a report: a picture and one map of it, or several side by side.

    ``depths``: the same class at each depth, shallow to deep. ``versions``: of the libraries that made the maps.
    Raises CamcoreError where there is no finding, or one of a picture of another size.
    """

    picture: PictureFile
    findings: tuple[Finding, ...]
    depths: tuple[CamMap, ...] = ()
    style: DrawStyle = DrawStyle()
    comment: str = ""
    versions: Mapping[str, str] = field(default_factory=versions)

    def __post_init__(self) -> None:
        if not self.findings:
            raise CamcoreError("An entry of a report holds no map. It is about at least one. Give a finding.")
        size = (self.picture.height, self.picture.width)
        for m in (*(one.map for one in self.findings), *self.depths):
            if m.frame.picture_size != size:
                raise CamcoreError(
                    f"A map of a picture of {m.frame.picture_size} was given with a picture of {size} pixels (height, "
                    "width). Maps and picture belong together. Give the picture that the maps were made of."
                )

    @property
    def first(self) -> Finding:
        """The only finding, or the first of several."""
        return self.findings[0]

    @property
    def nbytes(self) -> int:
        """Bytes that the entry takes, about."""
        maps = [*(one.map for one in self.findings), *self.depths]
        return len(self.picture.data) + sum(m.raw.nbytes + m.values.nbytes + 2048 for m in maps)


@dataclass(frozen=True, eq=False)
class AuditItem:
    """One entry of a report: an audit of many pictures, as it was when it was added.

    ``source``: the pictures; ``answer``: the outcome in a sentence or two; ``notes``: warnings to read before it.
    ``numbers``: (value, name, note) of the large figures. ``command``: that makes it again, empty where none does.
    ``files``: what an archive keeps of it beside, by file name.
    """

    title: str
    source: str
    answer: str
    numbers: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    command: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    comment: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes that the entry takes, about."""
        pictures = sum(len(one.jpeg) for section in self.sections for one in section.prints())
        return pictures + sum(map(len, self.files.values())) + 4096


ReportItem: TypeAlias = Item | AuditItem
"""An entry of a report: maps of a picture, or an audit of many."""


@dataclass(frozen=True, eq=False)
class Report:
    """Entries in the order in which they are to be read. ``made``: the day, as it is to be shown."""

    items: tuple[ReportItem, ...]
    title: str = ""
    author: str = ""
    made: str = ""


def bytes_of(items: Sequence[ReportItem]) -> int:
    """Bytes that several entries take; a picture that they share counts once."""
    pictures = {item.picture.sha256: len(item.picture.data) for item in items if isinstance(item, Item)}
    others = (item.nbytes - (len(item.picture.data) if isinstance(item, Item) else 0) for item in items)
    return sum(pictures.values()) + sum(others)
