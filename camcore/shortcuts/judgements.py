"""A person's judgement on groups of an audit: the thing itself, or a shortcut; kept beside the audit with its time."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from camcore.errors import CamcoreError
from camcore.files import content_checked, read_json, write_whole
from camcore.shortcuts.state import group_key
from camcore.typed_json import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from camcore.audits.groups import Group

NAME = "judgements.json"

Answer = Literal["thing", "shortcut", "unsure"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True)
class Judgement:
    """An answer to the question whether a group rests on the thing itself or on a shortcut, and its time in UTC."""

    answer: Answer
    time: str


def judge(folder: str | os.PathLike[str], group: Group, answer: Answer) -> Judgement:
    """Keep a judgement on a group of an audit, in place of an earlier one.

    Raises CamcoreError for an answer that is none of ANSWERS, and where it cannot be kept.
    """
    if answer not in ANSWERS:
        raise CamcoreError(
            f"{answer!r} is no answer to the question what a group rests on. It is one of {', '.join(ANSWERS)}. Give "
            "one of these."
        )
    made = Judgement(answer, datetime.now(UTC).isoformat(timespec="seconds"))
    kept = {key: asdict(one) for key, one in read_judgements(folder).items()}
    content = json.dumps({**kept, group_key(group): asdict(made)}, indent=1)
    write_whole(Path(folder) / NAME, content.encode("utf-8"))
    return made


def judgement_of(folder: str | os.PathLike[str], group: Group) -> Judgement | None:
    """The judgement on a group; None where nobody gave one. A group of other members is another group."""
    return read_judgements(folder).get(group_key(group))


def read_judgements(folder: str | os.PathLike[str]) -> Mapping[str, Judgement]:
    """All judgements on an audit's groups, by the groups' keys. Raises CamcoreError where the file is damaged."""
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    with content_checked(path, "judgements of an audit's groups", "Move it away, and judge again."):
        return {str(key): from_json(Judgement, one) for key, one in read_json(path).items()}
