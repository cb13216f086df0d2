"""Where a network came from, in words that a file can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Origin:
    """What it takes to have a network again.

    ``architecture``: as ``camcore.models.architectures`` builds it. ``preprocessing``: a name of
    ``camcore.models.preprocessing``. ``folder`` and ``sha256`` of the weights file: of a saved network, else None
    and "".
    """

    architecture: Mapping[str, Any]
    preprocessing: str
    folder: Path | None = None
    sha256: str = ""
