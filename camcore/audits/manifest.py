"""The manifest of an audit, ``audit.json``: of which network and pictures it is, how it was made, how far it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from camcore.audits import schema
from camcore.errors import CamcoreError
from camcore.files import content_checked, read_json, write_whole
from camcore.framing import CellGrid
from camcore.typed_json import from_json

NAME = "audit.json"

_MOST_SIDE = 1 << 16
_MOST_CHANNELS = 1 << 24

_REMEDY = (
    "An audit is a folder that python -m camcore audit PICTURES --out FOLDER wrote. Give such a folder, or audit the "
    "pictures again."
)


@dataclass(frozen=True)
class AuditedNetwork:
    """The network of an audit.

    ``source``: what ``camcore.load`` was given, empty for a wrapped model. ``weights_sha256``: over all weights.
    ``activation``: by which scores become probabilities; empty where these are not known from the scores, as of an
    output that is a map. ``preprocessed``: some values of a fixed picture of noise as the network is fed it, which tell
    two preprocessings apart; none in audits that older versions wrote.
    """

    name: str
    source: str
    weights_note: str
    weights_sha256: str
    labels: tuple[str, ...]
    input_size: tuple[int, int]
    score_kind: str
    activation: str = ""
    preprocessed: tuple[float, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Everything that is the same for all rows.

    ``cells``: where the map's cells lie on the network's input; None: spread evenly. ``pictures``: the folder, table or
    address as it was given; ``base``: the folder or address that the rows' paths lie below; ``pictures_sha256``: over
    the listing, paths and labels; ``left_out``: files beside them that are no pictures. ``limit`` and ``seed``: of a
    random sample, where one was drawn. ``chunk``: pictures in a part; ``total``: in the audit; ``done`` and ``failed``:
    rows written, and of these with an error. ``seconds``: of work, over all runs. ``versions``: of the libraries.
    """

    network: AuditedNetwork
    method: str
    layer: str
    grid: tuple[int, int]
    channels: int
    framing: str
    pictures: str
    pictures_sha256: str
    labelled: bool
    total: int
    chunk: int
    seed: int = 0
    limit: int | None = None
    base: str = ""
    left_out: int = 0
    cells: CellGrid | None = None
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    schema: int = schema.VERSION

    @property
    def complete(self) -> bool:
        """Every picture has its row."""
        return self.done == self.total


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write the manifest into an audit's folder; the file is whole or not there."""
    content = json.dumps(dataclasses.asdict(manifest), indent=2, ensure_ascii=False)
    return write_whole(folder / NAME, content.encode("utf-8"))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an audit. Raises CamcoreError where there is none, it is damaged, or of another schema."""
    path = folder / NAME
    with content_checked(path, "manifest of an audit", _REMEDY):
        content = read_json(path)
        if isinstance(content, dict) and content.get("schema") != schema.VERSION:
            raise CamcoreError(
                f"The audit in '{folder}' has schema {content.get('schema')!r}, and this version reads "
                f"{schema.VERSION}. Another version of camcore wrote it. Read it with that one, or audit again."
            )
        manifest = from_json(Manifest, content)
        within = all(1 <= side <= _MOST_SIDE for side in (*manifest.grid, *manifest.network.input_size))
        counts = (manifest.done, manifest.failed, manifest.left_out)
        if not (within and 0 <= manifest.channels <= _MOST_CHANNELS and min(manifest.total, manifest.chunk, 1) == 1):
            raise ValueError("one of its sizes is out of range")
        if min(counts) < 0 or manifest.seconds < 0:
            raise ValueError("one of its counts is negative")
        return manifest
