"""What lies in a folder of labelled pictures: counted at once, then every picture opened once, in the background.

One survey serves every browser tab; it ends when nobody has looked at it for a while.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from camcore import CamcoreError
from camcore.training.folders import Skipped, class_names, opened, read_folder
from ui.questions import Failure

PATIENCE = 20.0
"""Seconds without anybody looking after which a survey ends."""
MAX_FILES = 200_000
KEPT = 8

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What is known by now. ``counts`` None: still counting; ``damaged``: of the ``checked`` pictures."""

    counts: dict[str, int] | None = None
    others: int = 0
    checked: int = 0
    damaged: tuple[Skipped, ...] = ()
    failure: Failure | None = None
    finished: bool = False

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return sum((self.counts or {}).values())

    @property
    def usable(self) -> dict[str, int]:
        """How many pictures of each class have not turned out to be damaged."""
        lost = Counter(skipped.file.parent.name for skipped in self.damaged)
        return {name: count - lost[name] for name, count in (self.counts or {}).items()}


@dataclass
class Survey:
    """One folder's survey; ``found`` is replaced as a whole as it grows."""

    root: Path
    signature: tuple[Any, ...]
    found: Found = field(default_factory=Found)
    seen: float = field(default_factory=time.monotonic)
    abandoned: bool = False

    def run(self) -> None:
        """Count, then open every picture; for a thread."""
        try:
            _refuse_vast(self.root)
            data = read_folder(self.root, least=1)
            self.found = Found(data.counts, len(data.skipped))
            for index, picture in opened(data):
                if time.monotonic() - self.seen > PATIENCE:
                    self.abandoned = True
                    return
                bad: tuple[Skipped, ...] = ()
                if isinstance(picture, Skipped):
                    # Named under its class, however deep it lies there.
                    bad = (replace(picture, file=self.root / data.classes[data.labels[index]] / picture.file.name),)
                self.found = replace(self.found, checked=index + 1, damaged=self.found.damaged + bad)
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("the survey of a folder failed")
            self.found = replace(self.found, failure=Failure.of(error, "folder"))
        self.found = replace(self.found, finished=True)


_lock = threading.Lock()
_surveys: dict[Path, Survey] = {}


def survey(path: str, start: Callable[[Survey], None] | None = None) -> Survey:
    """The survey of a folder, begun if it is new or the folder has changed; never blocks."""
    root = root_of(path)
    signature = _signature(root)
    with _lock:
        known = _surveys.pop(root, None)
        fresh = known is None or known.abandoned or known.signature != signature
        current = Survey(root, signature) if known is None or fresh else known
        current.seen = time.monotonic()
        _surveys[root] = current  # the last one looked at stands last
        for stale in list(_surveys)[:-KEPT]:
            del _surveys[stale]
    if fresh:
        (start or _in_background)(current)
    return current


def root_of(path: str) -> Path:
    """The folder that a typed path means."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # ~nobody
        return Path(path).absolute()


def _in_background(one: Survey) -> None:
    threading.Thread(target=one.run, name="survey", daemon=True).start()


def _signature(root: Path) -> tuple[Any, ...]:
    """Changes where a class comes or goes, or a picture directly in it."""
    try:
        folders = [root, *(root / name for name in class_names(root)[:2000])]
        return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders)
    except (CamcoreError, OSError):
        return ()  # changes once the folder can be read


def _refuse_vast(root: Path) -> None:
    """CamcoreError for a folder such as the root of the disk, which would be walked for minutes."""
    files = 0
    for _, _, names in os.walk(root):
        files += len(names)
        if files > MAX_FILES:
            raise CamcoreError(
                f"'{root}' holds more than {MAX_FILES:,} files, too many to be looked through here. It may be a "
                "folder above the one that is meant. Give the folder that holds the class folders; or train on it "
                "with the command line."
            )
