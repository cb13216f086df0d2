"""The state of a court that sits: the copies found in each class, and the tallies of the groups tried.

It is kept in ``court.json``, so that a court that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.finding import CopyGroup, StyleGroup
from camcore.files import UNFIT, Json, read_json, write_whole
from camcore.shortcuts.trial import Tally
from camcore.shortcuts.verdict import Copied, Styled

if TYPE_CHECKING:
    from pathlib import Path

    from camcore.audits.groups import Group
    from camcore.audits.patches import PatchBox
    from camcore.shortcuts.in_place import Mask

NAME = "court.json"
TRIALS = 5
"""The kind of trials that are held: a court of another is not taken up, and held anew."""

MOST_PIXELS = 1 << 26
"""Pixels of a network's input whose shapes are read."""


@dataclass(eq=False)
class State:
    """The work done so far: copies and styles by class, tallies by the groups' keys; ``again``: of second trials."""

    copies: dict[str, list[CopyGroup]] = field(default_factory=dict)
    styles: dict[str, list[StyleGroup]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    again: dict[str, Tally] = field(default_factory=dict)
    trials: int = TRIALS

    def tally(self, group: Group) -> Tally | None:
        """The trial of a group that counts: the second where there was one."""
        key = group_key(group)
        return self.again.get(key) or self.tallies.get(key)

    def shape(self, group: Group) -> Mask | None:
        """The pixels of the input that are the same in all of a group's members; None where there are none."""
        copies = self.copies.get(group.label, []) if group.copied is not None else []
        return next((copy.shape for copy in copies if copy.copied == group.copied), None)

    def boxes(self, group: Group) -> dict[str, PatchBox]:
        """The places of what comes again in a group's members; empty for a group of alike evidence."""
        if group.copied is None:
            return {}
        return {path: box for copy in self.copies.get(group.label, []) for path, box in copy.boxes.items()}


def group_key(group: Group) -> str:
    """A text that tells a group by its class and members."""
    kind = "style" if group.styled is not None else group.copied is not None
    content = json.dumps([group.label, group.size, kind, group.members])
    return sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def write_state(folder: Path, state: State) -> None:
    """Keep the state beside the audit. Raises CamcoreError where that is not possible."""
    content = {
        "trials": state.trials,
        "copies": {
            label: [{"boxes": one.boxes, "shape": _shape_to_json(one.shape), **asdict(one.copied)} for one in copies]
            for label, copies in state.copies.items()
        },
        "styles": {label: [asdict(one) for one in styles] for label, styles in state.styles.items()},
        "tallies": {key: asdict(tally) for key, tally in state.tallies.items()},
        "again": {key: asdict(tally) for key, tally in state.again.items()},
    }
    write_whole(folder / NAME, json.dumps(content, ensure_ascii=False).encode("utf-8"))


def read_state(folder: Path) -> State:
    """The state that was left; an empty one where there is none, or it is damaged: then it is made anew."""
    try:
        content = read_json(folder / NAME)
        tallies, again = (
            {str(key): Tally(**tally) for key, tally in content[name].items()} for name in ("tallies", "again")
        )
        copies = {
            str(label): [_copy_from_json(str(label), one) for one in found]
            for label, found in content["copies"].items()
        }
        styles = {
            str(label): [
                StyleGroup(str(label), tuple(one["paths"]), tuple(one["controls"]), Styled(**one["styled"]))
                for one in found
            ]
            for label, found in content["styles"].items()
        }
        return State(copies, styles, tallies, again, int(content.get("trials", 0)))
    except (OSError, *UNFIT):
        return State()


def _copy_from_json(label: str, content: Json) -> CopyGroup:
    boxes: dict[str, PatchBox] = {}
    for path, (top, left, bottom, right) in content["boxes"].items():
        boxes[path] = int(top), int(left), int(bottom), int(right)
    copied = Copied(*(float(content.get(name, 0)) for name in ("within", "beside", "in_place")))
    return CopyGroup(label, boxes, copied, _shape_from_json(content.get("shape")))


def _shape_to_json(shape: Mask | None) -> Json:
    """A mask as the lengths of its runs, in the order of reading, beginning with pixels that are not in it."""
    if shape is None:
        return None
    changes = np.flatnonzero(np.diff(np.r_[False, shape.ravel()]))
    return {"size": list(shape.shape), "runs": np.diff(np.r_[0, changes, shape.size]).tolist()}


def _shape_from_json(content: Json) -> Mask | None:
    if content is None:
        return None
    height, width = map(int, content["size"])
    runs = np.array(content["runs"], np.int64)
    if runs.min() < 0 or runs.sum() != height * width or not 0 < height * width <= MOST_PIXELS:
        raise ValueError(f"runs of {runs.sum()} pixels for a mask of {height} x {width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
