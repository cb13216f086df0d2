"""The groups of an audit found in its rows, and written: groups.json and groups.parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from camcore.audits.clustering import Division
from camcore.audits.database import GROUPS
from camcore.audits.grouping import Apart, Gathered, Grouping, group_rows
from camcore.audits.groups import (
    NAME,
    OF_PATHS,
    Group,
    GroupChannel,
    GroupPatch,
    Stability,
    group_to_json,
    read_groups,
    read_members,
)
from camcore.audits.manifest import Manifest, read_manifest
from camcore.audits.patches import PatchBox, patch_box
from camcore.checks import checked
from camcore.files import replaced_whole, unwritable, write_whole
from camcore.framing import CellGrid, frame_for
from camcore.heatmaps.arguments import a_path
from camcore.metrics.intervals import Rate, rate

if TYPE_CHECKING:
    from camcore.shortcuts.in_place import Mask
    from camcore.shortcuts.verdict import Copied, Styled, Verdict

LISTED = 100_000
"""Members that groups.json lists; of larger audits each group lists its share of so many. groups.parquet has all."""
CHANNELS = 8
"""Channels named of each group."""


@dataclass(frozen=True)
class CopyGroup:
    """Pictures said to be of a class in which something comes again pixel by pixel: its box in each, by path.

    ``shape``: the pixels of the network's input that are the same in all of them; None where it moves about.
    """

    label: str
    boxes: Mapping[str, PatchBox]
    copied: Copied
    shape: Mask | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The group's pictures."""
        return tuple(self.boxes)


@dataclass(frozen=True)
class StyleGroup:
    """Pictures said to be of a class that have a style in common. ``controls``: of other classes, chosen alike."""

    label: str
    paths: tuple[str, ...]
    controls: tuple[str, ...]
    styled: Styled


@checked(folder=a_path)
def write_groups(
    folder: str | os.PathLike[str], copies: Sequence[CopyGroup] = (), styles: Sequence[StyleGroup] = ()
) -> tuple[Group, ...]:
    """Find the groups of an audit and write groups.json and groups.parquet into its folder.

    ``copies`` and ``styles``: groups that were found by what comes again in their pictures, and by their style, and are
    kept as they are. Raises CamcoreError where there is no audit, a part is damaged, or the folder cannot be written.
    """
    home = Path(folder)
    manifest = read_manifest(home)
    apart: list[CopyGroup | StyleGroup] = [*copies, *styles]
    grouping = group_rows(home, manifest, [Apart(one.label, frozenset(one.paths)) for one in apart])
    groups = _groups(manifest, grouping, apart)
    _write(home, groups, pa.table([grouping.paths, grouping.group_of], schema=OF_PATHS))
    return groups


def write_verdicts(folder: Path, verdicts: Sequence[Verdict], order: Sequence[int]) -> tuple[Group, ...]:
    """Write the groups of an audit anew with their verdicts, in another order: places among those that are there."""
    groups = read_groups(folder)
    judged = tuple(replace(groups[place], verdict=verdicts[place]) for place in order)
    place_of = np.empty(len(groups), np.int64)
    place_of[list(order)] = np.arange(len(groups))
    table = read_members(folder)
    _write(folder, judged, pa.table([table["path"], place_of[table["group"].to_numpy()]], schema=OF_PATHS))
    return judged


def _write(folder: Path, groups: Sequence[Group], members: pa.Table) -> None:
    path = folder / GROUPS
    try:
        with replaced_whole(path) as part:
            pq.write_table(members, part, compression="zstd")
    except OSError as error:
        raise unwritable(path, error) from error
    content = json.dumps([group_to_json(one) for one in groups], ensure_ascii=False, indent=1)
    write_whole(folder / NAME, content.encode("utf-8"))


def _groups(manifest: Manifest, grouping: Grouping, apart: Sequence[CopyGroup | StyleGroup]) -> tuple[Group, ...]:
    classes: dict[str, list[int]] = {}
    for place, one in enumerate(grouping.groups):
        classes.setdefault(one.label, []).append(place)
    members: list[list[str]] = [[] for _ in grouping.groups]
    total = len(grouping.paths)
    most = [-(-one.size * LISTED // total) if total > LISTED else one.size for one in grouping.groups]
    for path, place in zip(grouping.paths, grouping.group_of.tolist(), strict=True):
        if len(members[place]) < most[place]:
            members[place].append(path)
    made = []
    for label, places in classes.items():
        own = [grouping.groups[place] for place in places]
        division = grouping.divisions.get(label)
        for number, place in enumerate(places, 1):
            one = grouping.groups[place]
            found = None if one.apart is None else apart[one.apart]
            made.append(_group(manifest, number, one, own, tuple(members[place]), division, found))
    return tuple(made)


def _group(
    manifest: Manifest,
    number: int,
    one: Gathered,
    of_class: Sequence[Gathered],
    members: tuple[str, ...],
    division: Division | None,
    found: CopyGroup | StyleGroup | None,
) -> Group:
    copy = found if isinstance(found, CopyGroup) else None
    class_size = sum(other.size for other in of_class)
    class_mean = np.sum([other.evidence_sum for other in of_class], axis=0) / class_size
    mean = one.evidence_sum / one.size
    strongest = np.argsort(class_mean - mean, kind="stable")[: 0 if one.empty else CHANNELS]
    return Group(
        label=one.label,
        number=number,
        size=one.size,
        share=one.size / class_size,
        members=members,
        patches=tuple(_patches(manifest, one) if copy is None else _boxed(one, copy)),
        accuracy=_rate(one.correct, one.labelled),
        class_accuracy=_rate(sum(other.correct for other in of_class), sum(other.labelled for other in of_class)),
        mean_map=one.map_sum / one.size,
        channels=tuple(GroupChannel(int(k), float(mean[k]), float(class_mean[k])) for k in strongest),
        stability=Stability(1.0, ()) if division is None else Stability(division.halves, division.seeds),
        evidence=not one.empty,
        sameness=_mean_cosine([one]) - _mean_cosine(of_class),
        copied=None if copy is None else copy.copied,
        styled=found.styled if isinstance(found, StyleGroup) else None,
    )


def _mean_cosine(groups: Sequence[Gathered]) -> float:
    """The mean cosine between two of the members of some groups that have evidence; 0 where there are no two."""
    n = sum(one.size for one in groups if not one.empty)
    total = np.sum([one.direction_sum for one in groups], axis=0)
    return float((total @ total - n) / (n * (n - 1))) if n > 1 else 0.0


def _patches(manifest: Manifest, one: Gathered) -> list[GroupPatch]:
    input_size = manifest.network.input_size
    cells = manifest.cells or CellGrid.uniform(manifest.grid, input_size)
    found = [
        (member.path, patch_box(member.values, frame_for(member.size, input_size, manifest.framing), cells))
        for member in one.members()
    ]
    return [GroupPatch(path, box) for path, box in found if box is not None]


def _boxed(one: Gathered, copy: CopyGroup) -> list[GroupPatch]:
    return [GroupPatch(member.path, copy.boxes[member.path]) for member in one.members()]


def _rate(correct: int, labelled: int) -> Rate | None:
    return rate(correct, labelled) if labelled else None
