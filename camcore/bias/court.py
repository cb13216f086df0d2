"""The audits of the heads of a bias study: each on the marked pictures, and none is told of the mark.

The most suspicious group that it finds stands beside what was planted. A suspect is taken out of the head, as the Audit
page offers to do, and the mended copy is tried on the study's pictures.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.engine import audit
from camcore.audits.groups import Group, group_from_json, group_to_json, read_groups, read_members
from camcore.errors import MethodError
from camcore.evaluation.measures import accuracy
from camcore.evaluation.predict import predict_folder
from camcore.files import Json
from camcore.generators import Returning
from camcore.metrics.intervals import Rate
from camcore.shortcuts.mended import Mending, mending_from_json, mending_to_json
from camcore.shortcuts.mending import mend
from camcore.text import counted

if TYPE_CHECKING:
    from camcore.audits.step import AuditStep
    from camcore.network import Network
    from camcore.training.folders import LabelledFolder


@dataclass(frozen=True, eq=False)
class HeadCourt:
    """The court on a head: ``groups`` were found, ``suspects`` of them are suspected of a shortcut.

    ``first``: the most suspicious group, None where there are none; ``marked``: its pictures that have the cue.
    ``mending``: what was changed in the head to take a suspect out; ``mended``: how often the copy is right, for each
    trial of the study. None and empty where nothing was suspected, or the head is no linear one.
    """

    groups: int
    suspects: int
    first: Group | None
    marked: int
    mending: Mending | None = None
    mended: Mapping[str, Rate] = field(default_factory=dict)


def audit_head(
    network: Network, trials: Mapping[str, LabelledFolder], marked: str, folder: Path
) -> Generator[str, None, HeadCourt]:
    """Audit a head on the pictures ``with`` the cue into ``folder``, and mend what is suspected.

    ``marked``: the class whose pictures have the cue. Yields the progress in words; closing it stops the work.
    """
    with closing(audit(network, trials["with"].root, folder, workers=0)) as steps:
        for step in steps:
            yield _progress(step)
    groups = read_groups(folder)
    if not groups:
        return HeadCourt(0, 0, None, 0)
    suspects = sum(one.suspect for one in groups)
    found = HeadCourt(len(groups), suspects, groups[0], _marked(folder, marked))
    if not groups[0].suspect:
        return found
    try:
        mending = Returning(mend(network, folder, 1))
    except MethodError:
        return found
    for done, total in mending:
        yield f"mending its head: {done:,} of {counted(total, 'picture')}"
    copy = mending.result
    right = {key: right_on(copy.network, data) for key, data in trials.items()}
    return HeadCourt(found.groups, suspects, found.first, found.marked, copy.record, right)


def right_on(network: Network, data: LabelledFolder) -> Rate:
    """The accuracy of a network on labelled pictures."""
    *_, last = predict_folder(network, data)
    return accuracy(last.predictions)


def court_to_json(one: HeadCourt | None) -> Json:
    """The court on a head as JSON has it; null where none was held."""
    if one is None:
        return None
    return {
        "groups": one.groups,
        "suspects": one.suspects,
        "first": None if one.first is None else group_to_json(one.first),
        "marked": one.marked,
        "mending": None if one.mending is None else mending_to_json(one.mending),
        "mended": {key: asdict(rate) for key, rate in one.mended.items()},
    }


def court_from_json(content: Json) -> HeadCourt | None:
    """The court on a head out of JSON. Raises ValueError, KeyError or TypeError where it is none."""
    if content is None:
        return None
    return HeadCourt(
        groups=int(content["groups"]),
        suspects=int(content["suspects"]),
        first=None if content["first"] is None else group_from_json(content["first"]),
        marked=int(content["marked"]),
        mending=None if content["mending"] is None else mending_from_json(content["mending"]),
        mended={key: Rate(**rate) for key, rate in content["mended"].items()},
    )


def _progress(step: AuditStep) -> str:
    if step.stage == "court":
        return f"trials of its groups: {step.tried:,} of at most {counted(step.trials, 'picture')}"
    return f"auditing {step.done:,} of {counted(step.total, 'picture')}"


def _marked(folder: Path, label: str) -> int:
    """The pictures of the first group that are of a class, by their folder."""
    table = read_members(folder)
    pairs = zip(table["path"].to_pylist(), table["group"].to_pylist(), strict=True)
    return sum(place == 0 and path.split("/")[0] == label for path, place in pairs)
