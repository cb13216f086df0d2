"""The outcome of a gate, kept beside the audit of the new network: ``check.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore.files import content_checked, read_json, write_whole
from camcore.release.summary import summary
from camcore.report.record import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from camcore.release.gate import CheckResult

NAME = "check.json"

_MOST_BYTES = 64 << 20
_REMEDY = "python -m camcore check … writes it. Move it away, or check again."


@dataclass(frozen=True)
class KeptCheck:
    """The verdict of a gate on the network of ``weights_sha256``, in place of ``old``, by the rules of ``policy``."""

    passed: bool
    verdict: str
    policy: str
    old: str
    weights_sha256: str


def keep_check(result: CheckResult) -> Path:
    """Keep an outcome, in place of an earlier one. Raises CamcoreError where the audit's folder cannot be written."""
    return write_whole(result.versions.new.folder / NAME, to_json(summary(result)))


def read_check(folder: Path) -> KeptCheck | None:
    """The outcome beside an audit; None where there is none. Raises CamcoreError where it is damaged."""
    path = folder / NAME
    if not path.exists():
        return None
    with content_checked(path, "outcome of a gate", _REMEDY):
        content = read_json(path, _MOST_BYTES)
        if not isinstance(content["passed"], bool):
            raise ValueError("whether it passed is not said")
        texts = (
            content["verdict"],
            content["policy"]["file"],
            content["old"]["name"],
            content["new"]["weights_sha256"],
        )
        return KeptCheck(content["passed"], *map(str, texts))
