"""The record of a mending: of which network and group, and the head before and after.

It is kept twice: in the ``network.json`` of the mended network, and beside the audit that found the shortcut.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from camcore.files import UNFIT, Json, content_checked, read_json, write_whole
from camcore.metrics.intervals import Rate, rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from camcore.models.saved import SavedNetwork

NAME = "mended.json"

Way = Literal["project", "refit"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True)
class Trials:
    """A head on pictures that it was not mended on.

    ``members``, ``others``: right answers among the group's pictures and all others; None without labels. ``flipped``:
    pictures of other classes that became the group's class by its patch; ``random``: by a random piece of its pictures,
    or by the same patch with what comes again painted over.
    """

    members: Rate | None
    others: Rate | None
    flipped: Rate
    random: Rate


@dataclass(frozen=True)
class Mending:
    """The record of a mending.

    ``network`` and ``weights_sha256``: of the network that it was made from. ``label``, ``size`` and ``group``: the
    class, the number of pictures and the key of the group. ``time``: in UTC.
    """

    network: str
    weights_sha256: str
    label: str
    size: int
    group: str
    way: Way
    time: str
    before: Trials
    after: Trials

    @property
    def rows(self) -> tuple[tuple[str, Rate | None, Rate | None], ...]:
        """The figures with their names, before and after."""
        one, two = self.before, self.after
        return (
            ("right among the group's pictures", one.members, two.members),
            ("right among the others", one.others, two.others),
            ("turned by the group's patch", one.flipped, two.flipped),
            ("turned by pieces without it", one.random, two.random),
        )


def mending_to_json(one: Mending) -> dict[str, Json]:
    """A record as JSON has it."""
    kept: dict[str, Json] = {name: value for name, value in vars(one).items() if not isinstance(value, Trials)}
    kept["class"] = kept.pop("label")
    return {**kept, "before": _trials_to_json(one.before), "after": _trials_to_json(one.after)}


def mending_from_json(content: Json) -> Mending:
    """A record out of JSON. Raises one of ``files.UNFIT`` where it is none."""
    if content["way"] not in WAYS:
        raise ValueError(f"there is no way {content['way']!r} to mend")
    network, sha256, label, group, time = (
        str(content[name]) for name in ("network", "weights_sha256", "class", "group", "time")
    )
    before, after = (_trials_from_json(content[name]) for name in ("before", "after"))
    return Mending(network, sha256, label, int(content["size"]), group, content["way"], time, before, after)


def keep_mending(folder: str | os.PathLike[str], name: str, one: Mending) -> None:
    """Keep the record of a mended network called ``name`` beside an audit. CamcoreError where it cannot be written."""
    kept = {known: mending_to_json(record) for known, record in read_mendings(folder).items()}
    content = json.dumps({**kept, name: mending_to_json(one)}, indent=1, ensure_ascii=False)
    write_whole(Path(folder) / NAME, content.encode("utf-8"))


def read_mendings(folder: str | os.PathLike[str], group: str = "") -> Mapping[str, Mending]:
    """The mendings of an audit, or of its group with this key, by the names of the mended networks.

    Raises CamcoreError where the file is damaged.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    with content_checked(path, "record of mended networks", "Move it away, and mend again."):
        made = {str(name): mending_from_json(one) for name, one in read_json(path).items()}
    return {name: one for name, one in made.items() if group in ("", one.group)}


def mending_of(saved: SavedNetwork) -> Mending | None:
    """The record of a mended network; None where it has none that can be read."""
    try:
        return mending_from_json(saved.trained["mended"])
    except UNFIT:
        return None


def _trials_to_json(one: Trials) -> dict[str, Json]:
    return {name: None if of is None else _rate_to_json(of) for name, of in vars(one).items()}


def _rate_to_json(one: Rate) -> dict[str, Json]:
    bounds = {name: getattr(one, name) if one.n else None for name in ("value", "low", "high")}
    return {**bounds, "count": one.count, "of": one.n}


def _trials_from_json(content: Json) -> Trials:
    members, others, flipped, random = (content[name] for name in ("members", "others", "flipped", "random"))
    return Trials(_rate(members), _rate(others), *(rate(one["count"], one["of"]) for one in (flipped, random)))


def _rate(content: Json) -> Rate | None:
    return None if content is None else rate(content["count"], content["of"])
