"""Groups of evidence: the pictures of a class said that the network decided because of the same things.

``groups.json`` lists them, ``groups.parquet`` has the group of each picture, by its place in that list.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from camcore.audits.database import GROUPS
from camcore.audits.patches import PatchBox
from camcore.checks import checked
from camcore.errors import CamcoreError
from camcore.files import Json, content_checked, read_json
from camcore.heatmaps.arguments import a_path
from camcore.metrics.intervals import Rate
from camcore.shortcuts.verdict import Copied, Styled, Verdict, verdict_from_json, verdict_to_json

NAME = "groups.json"
OF_PATHS = pa.schema([("path", pa.string()), ("group", pa.int64())])
"""The columns of groups.parquet."""


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
    that they are a group whatever the rest of their evidence; ``styled``: they have a style in common, which lies all
    over the picture. Both are None for groups of alike evidence. ``verdict``: of the group's trial; None before it.
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
    styled: Styled | None = None
    verdict: Verdict | None = None

    @property
    def alike(self) -> bool:
        """The group was found by its evidence: not by copies, nor by a style."""
        return self.copied is None and self.styled is None

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


def read_members(folder: Path) -> pa.Table:
    """The ``path`` of each answered picture, and its ``group`` by its place. CamcoreError where they are damaged."""
    path = folder / GROUPS
    try:
        return pq.read_table(path, schema=OF_PATHS)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CamcoreError(
            f"The groups of the audit, '{path}', cannot be read: {error}. They are damaged, or were changed. Delete "
            f"the file '{folder / NAME}', and run the same audit again: it writes both anew."
        ) from error


@checked(folder=a_path)
def read_groups(folder: str | os.PathLike[str]) -> tuple[Group, ...]:
    """The groups of an audit, as ``write_groups`` wrote them. Raises CamcoreError where they are missing or damaged."""
    path = Path(folder) / NAME
    with content_checked(path, "groups of an audit", "An audit writes them at its end. Run the same audit again."):
        content = read_json(path)
        if not isinstance(content, list):
            raise ValueError("it holds no list")
        return tuple(group_from_json(one) for one in content)


# ---- as JSON


def group_to_json(one: Group) -> dict[str, Json]:
    """A group as groups.json has it."""
    return {
        "class": one.label,
        "number": one.number,
        "size": one.size,
        "share": one.share,
        **verdict_to_json(one.verdict),
        "sameness": one.sameness,
        "copied": None if one.copied is None else asdict(one.copied),
        "styled": None if one.styled is None else {"layer": one.styled.layer},
        "evidence": one.evidence,
        "accuracy": rate_to_json(one.accuracy),
        "class_accuracy": rate_to_json(one.class_accuracy),
        "stability": {"halves": one.stability.halves, "seeds": list(one.stability.seeds)},
        "channels": [{"channel": c.channel, "mean": c.mean, "class_mean": c.class_mean} for c in one.channels],
        "mean_map": np.round(one.mean_map, 4).tolist(),
        "patches": [{"path": patch.path, "box": list(patch.box)} for patch in one.patches],
        "members": list(one.members),
    }


def group_from_json(content: Json) -> Group:
    """A group out of JSON. Raises ValueError, KeyError or TypeError where it is none."""
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
        styled=Styled(**content["styled"]) if content.get("styled") else None,
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
