"""A network's origin, in values that a file can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from camcore.files import Json


@dataclass(frozen=True)
class Origin:
    """The origin of a network, by which it can be had again.

    ``architecture``: as ``camcore.models.architectures`` builds it. ``preprocessing``: a name of
    ``camcore.models.preprocessing``. ``folder`` and ``sha256`` of the weights file: of a saved network, else None
    and "".
    """

    architecture: Mapping[str, Json]
    preprocessing: str
    folder: Path | None = None
    sha256: str = ""


@dataclass(frozen=True)
class LoadArguments:
    """The arguments with which ``camcore.load`` makes a network again.

    ``source``: its first one, with a file's path made absolute. ``weights``: as given. ``options``: those that were
    given. ``called``: the network's name. ``file`` and ``sha256``: of a whole model's file or folder, else None and "".
    """

    source: str
    called: str
    weights: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    file: Path | None = None
    sha256: str = ""
