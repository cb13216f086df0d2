"""Long work with a network, done once for everybody: shared, stopped when nobody waits any more, its result kept.

The engine answers one kind of question, and quickly. Work is any other: a generator that gets the network and
yields how far it is and what it has so far.
"""

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import Any

from camcore import CamcoreError
from camcore.cache import ByteLRU
from ui.engine import Engine, engine
from ui.jobs import Job, Stage, StoppedError
from ui.questions import Failure, NetworkKey

RESULT_BYTES = 192 << 20

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What a work has so far: ``share`` of all in 0..1, None where the clock has to tell; ``value`` None: nothing."""

    share: float | None
    value: Any = None


@dataclass(frozen=True)
class Work:
    """What is to be done. ``key``, with the network (None: it needs none), tells it from all other work.

    ``steps``: network → Parts, the last one complete. ``weigh``: value → bytes, for the cache. ``expected``:
    seconds, where no part tells its share. ``watched``: ``steps`` takes the job, too, whose ``check`` it calls and
    whose stage it moves between its parts.
    """

    network: NetworkKey | None
    key: Hashable
    title: str = field(compare=False)
    steps: Callable[..., Generator[Part, None, None]] = field(compare=False)
    weigh: Callable[[Any], int] = field(compare=False)
    expected: float | None = field(compare=False, default=None)
    watched: bool = field(compare=False, default=False)


class Works:
    """Runs work in threads of its own; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._jobs: dict[Work, Job[Work, Any]] = {}
        self._results: ByteLRU[tuple[Any, int]] = ByteLRU(RESULT_BYTES, lambda entry: entry[1] + 256)

    def known(self, work: Work) -> Any:
        """The complete result; None where it is not held."""
        entry = self._results.get(work)
        return None if entry is None else entry[0]

    def ask(self, work: Work, visitor: str) -> Job[Work, Any]:
        """The job that does this work, running or just begun; never blocks."""
        with self._lock:
            running = self._jobs.get(work)
            if running is not None and not running.finished and running.watch(visitor):
                return running
            job: Job[Work, Any] = Job(work, None)
            job.watch(visitor)
            self._jobs[work] = job
        threading.Thread(target=self._run, args=(job,), name="work", daemon=True).start()
        return job

    def _run(self, job: Job[Work, Any]) -> None:
        work = job.question
        try:
            with self._engine.place(job):
                network = None if work.network is None else self._engine.network(job)
                job.enter(Stage(work.title, expected=work.expected))
                steps = work.steps(network, job) if work.watched else work.steps(network)
                with contextlib.closing(steps) as parts:
                    for part in parts:
                        job.check()
                        if part.share is not None:
                            job.stage.reach(part.share)
                        if part.value is not None:
                            job.publish(part.value)
            if job.answer is not None:
                self._results.put(work, (job.answer, work.weigh(job.answer)))
            job.finish("done")
        except StoppedError:
            job.finish("stopped")
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("%s failed", work.title)
            job.finish("failed", Failure.of(error, work.title))
        finally:
            with self._lock:
                if self._jobs.get(work) is job:
                    del self._jobs[work]


@functools.cache
def works() -> Works:
    """The works of this process."""
    return Works(engine())
