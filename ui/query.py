"""A page's query about a picture and its answer: plain frozen values, no threads and no Streamlit."""

from __future__ import annotations

import errno
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from camcore import CamcoreError
from camcore.models.catalogue import FRAMING
from camcore.models.hub_presets import PREFIX

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.network import Network
    from camcore.pictures.picture import Picture
    from camcore.predictions import Prediction

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a disk that is full, and of a folder in which nothing may be written."""


@dataclass(frozen=True)
class NetworkKey:
    """The identity of a network: a name, ``None`` or ``"random"`` weights, and the constructor's options.

    ``version`` tells a saved network from an earlier one of the same name. ``framing``: how pictures are framed for it
    unless the visitor says otherwise; no part of what it is.
    """

    name: str
    weights: str | None = None
    options: tuple[tuple[str, object], ...] = ()
    version: str = ""
    framing: str = field(default=FRAMING, compare=False)

    @property
    def title(self) -> str:
        """The name for sentences: of a preset of keras_hub without its folder."""
        return self.name.rsplit("/", 1)[-1] if self.name.startswith(PREFIX) else self.name


@dataclass(frozen=True)
class Query:
    """Everything that decides a map. ``layer`` None: the recommended one; ``class_index`` None: the top class."""

    network: NetworkKey
    picture: str
    framing: str = "crop"
    method: str = "gradcam"
    layer: str | None = None
    class_index: int | None = None


class MapKey(NamedTuple):
    """The identity of a map. ``layer``: its path, None for a method on the input's own grid."""

    network: NetworkKey
    picture: str
    framing: str
    method: str
    layer: str | None
    class_index: int


@dataclass(frozen=True)
class Cost:
    """The price of a computation: forward passes, and seconds on this machine.

    ``spread``: the factor by which the seconds may be off; 1 where the pace of such work was measured here.
    """

    passes: float
    seconds: float
    spread: float = 1.0


@dataclass(frozen=True, eq=False)
class Answer:
    """All that is known of a query so far; each step of a job replaces it by a fuller one.

    ``cost``: of the query's method, where it waits for the visitor's word; ``map`` is another method's then.
    """

    query: Query
    picture: Picture
    network: Network | None = None
    predictions: tuple[Prediction, ...] = ()
    map: CamMap | None = None
    done: float = 1.0
    ladder: tuple[CamMap, ...] = ()
    cost: Cost | None = None

    @property
    def whole_map(self) -> CamMap | None:
        """The map, None as long as it is growing."""
        return self.map if self.done >= 1.0 else None

    @property
    def complete(self) -> bool:
        """Nothing is left to compute unasked: the map and the maps at each depth are there."""
        has_ladder = bool(self.ladder) or (self.network is not None and not self.network.ladder)
        return self.whole_map is not None and has_ladder


@dataclass(frozen=True)
class Failure:
    """The end of a job without its result: the error's type, a message for the page, and the details."""

    kind: str
    message: str
    details: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Describe an error: camcore's own words where it refused, a calm sentence where it broke."""
        kind = type(error).__name__
        if isinstance(error, CamcoreError):
            message = str(error)
        elif isinstance(error, OSError) and error.errno in _UNWRITABLE:
            message = (
                f"A file could not be written on the machine that this app runs on: {error.strerror}. What was there "
                "before is as it was. Free space or allow writing there, and try again."
            )
        elif isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
            message = "The machine ran out of memory. A smaller network or a cheaper method may fit."
        else:
            message = "Something unexpected went wrong here. The rest of the page still works; try again."
        return cls(kind, message, _causes(error))


def map_identity(network: NetworkKey, picture: str, m: CamMap) -> tuple[Hashable, ...]:
    """The identity of a finished map with its options; ``picture``: its SHA-256."""
    options = tuple(sorted((name, repr(value)) for name, value in m.options.items()))
    return network, picture, m.framing, m.method, m.layer, m.class_index, options, m.refine


def _causes(error: BaseException) -> str:
    """The error and what caused it, a line each."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < 5:
        lines.append(f"{type(current).__name__}: {current}")
        current = current.__cause__ or current.__context__
    return "\n".join(lines)
