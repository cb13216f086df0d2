"""Groups of evidence: the pictures of a class said that the network decided because of the same things.

``groups.json`` lists them, ``groups.parquet`` has the group of each picture, by its place in that list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from camcore.audits.clustering import Division
from camcore.audits.database import GROUPS
from camcore.audits.grouping import Apart, Gathered, Grouping, group_rows
from camcore.audits.manifest import Manifest, read_manifest
from camcore.audits.patches import PatchBox, patch_box
from camcore.checks import checked
from camcore.errors import CamcoreError
from camcore.files import Json, content_checked, read_json, replaced_whole, unwritable, write_whole
from camcore.framing import CellGrid, frame_for
from camcore.heatmaps.arguments import a_path
from camcore.metrics.intervals import Rate, rate
from camcore.shortcuts.verdict import Copied, Verdict, verdict_from_json, verdict_to_json

NAME = "groups.json"
LISTED = 100_000
"""Members that groups.json lists; of larger audits each group lists its share of so many. groups.parquet has all."""
CHANNELS = 8
"""Channels named of each group."""

_OF_PATHS = pa.schema([("path", pa.string()), ("group", pa.int64())])


@dataclass(frozen=True)
class GroupPatch:
    """The part of a picture that holds half of its map: (top, left, bottom, right) in pixels of the picture."""

    path: str
    box: PatchBox


@dataclass(frozen=True)
class GroupChannel:
    """A channel's mean evidence in a group, beside that in all pictures of the class."""

    channel: int
    mean: float
    class_mean: float


@dataclass(frozen=True)
class Stability:
    """Stability of a class's groups: adjusted Rand indices, 1 where divisions are the same, 0 by chance.

    ``halves``: the mean between divisions made from random halves of the pictures, by which the number of groups was
    chosen; ``seeds``: between the division and others from other starts.
    """

    halves: float
    seeds: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Group:
    """Pictures that were said to be of one class because of alike evidence.

    ``share``: of the pictures said to be of the class. ``members``: paths; of large audits not all. ``patches``: of the
    members most like the group's mean, the most alike first. ``accuracy``: of the answers, ``class_accuracy`` that of
    all pictures said to be of the class; None without labels. ``mean_map``: (h, w). ``evidence``: False for the
    pictures whose map is zero, which have none. ``sameness``: the mean cosine of evidence between two members less that
    between any two pictures said to be of the class. ``copied``: what the members share comes again pixel by pixel, so
    that they are a group whatever the rest of their evidence; None for groups of alike evidence. ``verdict``: of the
    group's trial; None before it.
    """

    label: str
    number: int
    size: int
    share: float
    members: tuple[str, ...]
    patches: tuple[GroupPatch, ...]
    accuracy: Rate | None
    class_accuracy: Rate | None
    mean_map: NDArray[np.float64]
    channels: tuple[GroupChannel, ...]
    stability: Stability
    evidence: bool = True
    sameness: float = 0.0
    copied: Copied | None = None
    verdict: Verdict | None = None

    @property
    def suspect(self) -> bool:
        """The group's trial says that its answers may rest on a shortcut."""
        return self.verdict is not None and self.verdict.suspect

    @property
    def failing(self) -> bool:
        """The group's answers are right less often than the class's."""
        return (
            self.accuracy is not None
            and self.class_accuracy is not None
            and self.accuracy.value < self.class_accuracy.value
        )

    @property
    def clearly_failing(self) -> bool:
        """The class's accuracy lies above the group's interval."""
        return (
            self.accuracy is not None
            and self.class_accuracy is not None
            and self.accuracy.high < self.class_accuracy.value
        )


def failing_groups(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups that are right less often than their class, the worst first: by the end of their intervals."""
    failing = [(one.accuracy.high, one.accuracy.value, one) for one in groups if one.failing and one.accuracy]
    return tuple(one for _, _, one in sorted(failing, key=lambda entry: entry[:2]))


@dataclass(frozen=True)
class CopyGroup:
    """Pictures said to be of a class in which something comes again pixel by pixel: its box in each, by path."""

    label: str
    boxes: Mapping[str, PatchBox]
    copied: Copied


@checked(folder=a_path)
def write_groups(folder: str | os.PathLike[str], copies: Sequence[CopyGroup] = ()) -> tuple[Group, ...]:
    """Find the groups of an audit and write groups.json and groups.parquet into its folder.

    ``copies``: groups that were found by what comes again in their pictures, and are kept as they are. Raises
    CamcoreError where there is no audit, a part is damaged, or the folder cannot be written.
    """
    home = Path(folder)
    manifest = read_manifest(home)
    grouping = group_rows(home, manifest, [Apart(one.label, frozenset(one.boxes)) for one in copies])
    groups = _groups(manifest, grouping, copies)
    _write(home, groups, pa.table([grouping.paths, grouping.group_of], schema=_OF_PATHS))
    return groups


def write_verdicts(folder: Path, verdicts: Sequence[Verdict], order: Sequence[int]) -> tuple[Group, ...]:
    """Write the groups of an audit anew with their verdicts, in another order: places among those that are there."""
    groups = read_groups(folder)
    judged = tuple(replace(groups[place], verdict=verdicts[place]) for place in order)
    place_of = np.empty(len(groups), np.int64)
    place_of[list(order)] = np.arange(len(groups))
    table = read_members(folder)
    _write(folder, judged, pa.table([table["path"], place_of[table["group"].to_numpy()]], schema=_OF_PATHS))
    return judged


def read_members(folder: Path) -> pa.Table:
    """The ``path`` of each answered picture, and its ``group`` by its place. CamcoreError where they are damaged."""
    path = folder / GROUPS
    try:
        return pq.read_table(path, schema=_OF_PATHS)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CamcoreError(
            f"The groups of the audit, '{path}', cannot be read: {error}. They are damaged, or were changed. Delete "
            f"the file '{folder / NAME}', and run the same audit again: it writes both anew."
        ) from error


def _write(folder: Path, groups: Sequence[Group], members: pa.Table) -> None:
    path = folder / GROUPS
    try:
        with replaced_whole(path) as part:
            pq.write_table(members, part, compression="zstd")
    except OSError as error:
        raise unwritable(path, error) from error
    content = json.dumps([_to_json(one) for one in groups], ensure_ascii=False, indent=1)
    write_whole(folder / NAME, content.encode("utf-8"))


@checked(folder=a_path)
def read_groups(folder: str | os.PathLike[str]) -> tuple[Group, ...]:
    """The groups of an audit, as ``write_groups`` wrote them. Raises CamcoreError where they are missing or damaged."""
    path = Path(folder) / NAME
    with content_checked(path, "groups of an audit", "An audit writes them at its end. Run the same audit again."):
        content = read_json(path)
        if not isinstance(content, list):
            raise ValueError("it holds no list")
        return tuple(_from_json(one) for one in content)


def _groups(manifest: Manifest, grouping: Grouping, copies: Sequence[CopyGroup]) -> tuple[Group, ...]:
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
            copy = None if one.apart is None else copies[one.apart]
            made.append(_group(manifest, number, one, own, tuple(members[place]), division, copy))
    return tuple(made)


def _group(
    manifest: Manifest,
    number: int,
    one: Gathered,
    of_class: Sequence[Gathered],
    members: tuple[str, ...],
    division: Division | None,
    copy: CopyGroup | None,
) -> Group:
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


# ---- as JSON


def _to_json(one: Group) -> dict[str, Json]:
    return {
        "class": one.label,
        "number": one.number,
        "size": one.size,
        "share": one.share,
        **verdict_to_json(one.verdict),
        "sameness": one.sameness,
        "copied": None if one.copied is None else {"within": one.copied.within, "beside": one.copied.beside},
        "evidence": one.evidence,
        "accuracy": rate_to_json(one.accuracy),
        "class_accuracy": rate_to_json(one.class_accuracy),
        "stability": {"halves": one.stability.halves, "seeds": list(one.stability.seeds)},
        "channels": [{"channel": c.channel, "mean": c.mean, "class_mean": c.class_mean} for c in one.channels],
        "mean_map": np.round(one.mean_map, 4).tolist(),
        "patches": [{"path": patch.path, "box": list(patch.box)} for patch in one.patches],
        "members": list(one.members),
    }


def _from_json(content: Json) -> Group:
    mean_map = np.array(content["mean_map"], np.float64)
    if mean_map.ndim != 2:
        raise ValueError(f"a mean map has the shape {mean_map.shape}")
    return Group(
        label=str(content["class"]),
        number=int(content["number"]),
        size=int(content["size"]),
        share=float(content["share"]),
        members=tuple(map(str, content["members"])),
        patches=tuple(GroupPatch(str(one["path"]), _box(one["box"])) for one in content["patches"]),
        accuracy=_rate_from_json(content["accuracy"]),
        class_accuracy=_rate_from_json(content["class_accuracy"]),
        mean_map=mean_map,
        channels=tuple(GroupChannel(c["channel"], c["mean"], c["class_mean"]) for c in content["channels"]),
        stability=Stability(content["stability"]["halves"], tuple(content["stability"]["seeds"])),
        evidence=bool(content["evidence"]),
        sameness=float(content.get("sameness", 0)),  # of groups that were written before there were trials
        copied=Copied(**content["copied"]) if content.get("copied") else None,
        verdict=verdict_from_json(content),
    )


def _box(edges: Json) -> PatchBox:
    top, left, bottom, right = map(int, edges)
    return top, left, bottom, right


def rate_to_json(one: Rate | None) -> Json:
    """A rate as JSON has it; null where there is none."""
    if one is None or isnan(one.value):
        return None
    return {"value": one.value, "low": one.low, "high": one.high, "correct": one.count, "of": one.n}


def _rate_from_json(content: Json) -> Rate | None:
    if content is None:
        return None
    return Rate(content["value"], content["low"], content["high"], content["correct"], content["of"])
