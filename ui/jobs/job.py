"""One running work: its stage, its latest value, and who still waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from ui._compat import is_connected

if TYPE_CHECKING:
    from ui.jobs.work import Work
    from ui.query import Failure

PATIENCE = 20.0
"""Seconds after which somebody who no longer looks no longer counts as waiting."""
RELOAD = 3.0
"""The same where the browser has gone (a closed tab): a page that is loaded again finds its work still running."""

V = TypeVar("V")
State = Literal["running", "done", "failed", "stopped"]


class StoppedError(Exception):
    """Raised inside a worker when nobody waits for its result any more."""


@dataclass
class Stage:
    """The step that a job is at. ``fraction`` None: judged by the clock against ``expected`` seconds."""

    title: str
    expected: float | None = None
    fraction: float | None = None
    since: float = field(default_factory=time.monotonic)

    def reach(self, fraction: float) -> None:
        """Report the share that is done, 0..1."""
        self.fraction = fraction

    def progress(self) -> tuple[float, float | None]:
        """Share done in 0..1, and the seconds that remain where they can be told."""
        elapsed = time.monotonic() - self.since
        if self.fraction is not None:
            known = self.fraction > 0.02 and elapsed > 0.3
            return self.fraction, elapsed * (1 / self.fraction - 1) if known else self.expected
        if not self.expected:
            return 0.0, None
        return min(elapsed / self.expected, 0.95), max(self.expected - elapsed, 0.0)


class Job(Generic[V]):
    """The meeting point of one worker thread and the script runs that wait for it; thread-safe.

    ``value``: the fullest result so far; it is replaced as a whole, never changed.
    """

    def __init__(self, work: Work[V]) -> None:
        self.work = work
        self.state: State = "running"
        self.failure: Failure | None = None
        self.stage = Stage("Waiting for a free place")
        self.value: V | None = work.start
        self.version = 0
        self._news = threading.Condition()
        self._seen: dict[str, float] = {}
        self._given_up = False

    @property
    def finished(self) -> bool:
        """The worker is through, in whichever way."""
        return self.state != "running"

    # The visitors' side

    def watch(self, visitor: str) -> bool:
        """Count this visitor as waiting; False where the worker has already given up."""
        with self._news:
            if self._given_up:
                return False
            self._seen[visitor] = time.monotonic()
            return True

    def leave(self, visitor: str) -> None:
        """Stop waiting; the worker stops at its next step once nobody waits."""
        with self._news:
            self._seen.pop(visitor, None)

    def wait(self, visitor: str, version: int, timeout: float) -> int:
        """Sleep until there is news since ``version`` or the time is over; returns the version now."""
        with self._news:
            if visitor in self._seen:
                self._seen[visitor] = time.monotonic()
            self._news.wait_for(lambda: self.version != version or self.finished, timeout)
            return self.version

    def wait_for_end(self, timeout: float) -> bool:
        """Sleep until the job is finished or the time is over; True where it is finished."""
        with self._news:
            return self._news.wait_for(lambda: self.finished, timeout)

    # The worker's side

    def wanted(self) -> bool:
        """Somebody still waits."""
        now = time.monotonic()
        with self._news:
            return any(
                now - seen <= (PATIENCE if is_connected(visitor) else RELOAD) for visitor, seen in self._seen.items()
            )

    def check(self) -> None:
        """Raise StoppedError where nobody waits any more; from then on nobody can join."""
        with self._news:
            if not self.wanted():
                self._given_up = True
                raise StoppedError

    def enter(self, stage: Stage) -> None:
        """Begin the next stage."""
        self.check()
        self.stage = stage

    def publish(self, value: V) -> None:
        """Show a fuller value to everybody who waits."""
        with self._news:
            self.value = value
            self.version += 1
            self._news.notify_all()

    def finish(self, state: State, failure: Failure | None = None) -> None:
        """Close the job and wake everybody."""
        with self._news:
            self.state, self.failure = state, failure
            self.version += 1
            self._news.notify_all()
