"""The steps of a gate: the audits of its networks, then the comparison of two of them with the objects' masks."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.comparison import compared, distances
from camcore.audits.engine import audit
from camcore.audits.joined import join
from camcore.audits.step import AuditStep
from camcore.audits.store import Audit, open_audit
from camcore.evaluation.average_maps import single_pass_method
from camcore.heatmaps.arguments import a_path
from camcore.models.pickling import weights_hash
from camcore.release.masks import InsideMasks, inside_masks
from camcore.release.versions import Versions
from camcore.report.record import safe

if TYPE_CHECKING:
    from camcore.audits.sources import Listing
    from camcore.network import Network


def an_audit(name: str, value: object) -> Audit:
    """An audit, or its folder, opened: an argument's check."""
    return value if isinstance(value, Audit) else open_audit(a_path(name, value))


@dataclass(frozen=True)
class Choices:
    """The choices of all audits of a gate, as ``camcore.audit`` takes them; groups are tried where that is asked."""

    method: str | None = None
    layer: object = None
    framing: str | None = None
    workers: int | None = None
    limit: int | None = None
    seed: int = 0
    court: bool = False


@dataclass(frozen=True, eq=False)
class Auditing:
    """An audit that is begun, or goes on, in ``folder``; ``steps`` carries it out."""

    folder: Path
    weights_sha256: str
    steps: Generator[AuditStep, None, None]


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` pictures are compared or, with ``masks``, held against their masks."""

    done: int
    total: int
    masks: bool = False


def begin(network: Network, listing: Listing, out: Path, choices: Choices) -> Auditing:
    """Begin the audit of a network below ``out``, in a folder that only the same audit of the same files has.

    So the network that stays is not audited again. Raises CamcoreError as ``camcore.audit`` does.
    """
    layer = network.layer_with_grid(choices.layer).path
    method = single_pass_method(network, choices.method or "gradcam", layer).key
    weights = weights_hash(network)
    kept = [weights, network.labels, network.input_size, method, layer, network.framing_for(choices.framing)]
    pictures = [listing.given, listing.paths, listing.labels, _sizes(listing)]
    content = json.dumps([*kept, choices.limit, choices.seed, *pictures])
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    folder = out / "-".join(filter(None, (safe(network.name), digest[:12])))
    steps = audit(
        network,
        listing.given,
        folder,
        method=method,
        layer=layer,
        framing=choices.framing,
        workers=choices.workers,
        limit=choices.limit,
        seed=choices.seed,
        court=choices.court,
    )
    return Auditing(folder, weights, steps)


def _sizes(listing: Listing) -> list[int]:
    """The bytes of each file on this machine, which tell most files apart that took another's place; else 0."""
    sizes = []
    for path in listing.paths:
        try:
            sizes.append(os.path.getsize(os.path.join(listing.base, path)))
        except (OSError, ValueError):  # remote, gone, or no path at all
            sizes.append(0)
    return sizes


def compare(old: Audit, new: Audit, masks: Mapping[str, Path] | None) -> Generator[Progress, None, Versions]:
    """Compare two audits, a batch of pictures at a time, and hold their maps against the masks.

    Raises CamcoreError where they have no picture in common.
    """
    joined = join(old, new)
    moved, done = [], 0
    for batch in distances(old, new, joined.pairs):
        moved.append(batch)
        done += len(batch)
        yield Progress(done, len(joined.pairs))
    comparison = compared(old, new, joined, moved)
    inside: InsideMasks | None = None
    if masks is not None:
        paths = comparison.pictures["path"].to_pylist()
        for inside in inside_masks(old, new, paths, masks):
            yield Progress(inside.looked_at, len(paths) - inside.without, masks=True)
    return Versions(old, new, comparison, inside)
