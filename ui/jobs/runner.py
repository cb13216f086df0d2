"""Long work done once for everybody: shared, stopped when nobody waits any more, its result kept."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from typing import Any, TypeVar

from camcore import CamcoreError
from camcore.cache import ByteLRU
from camcore.graph.priority_semaphore import PrioritySemaphore
from camcore.places import carried
from ui.jobs.job import Job, Stage, StoppedError
from ui.jobs.work import Lane, Work
from ui.networks import Networks, networks
from ui.policy import JOBS_AT_ONCE, policy
from ui.query import Failure

RESULT_BYTES = 192 << 20
AT_ONCE: dict[Lane, int] = {"answer": 8, "work": 8, "evidence": 2}
"""Jobs of a lane that may run at the same time; further ones queue."""
MOST_VISITORS = 1000
"""Visitors of a public server whose places are counted."""

V = TypeVar("V")

_LOG = logging.getLogger(__name__)


class Runner:
    """Runs work in threads of its own; thread-safe."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._lanes = {lane: PrioritySemaphore(count) for lane, count in AT_ONCE.items()}
        self._lock = threading.Lock()
        self._jobs: dict[Work[Any], Job[Any]] = {}
        self._visitors: dict[str, PrioritySemaphore] = {}
        self._results: ByteLRU[tuple[Any, int]] = ByteLRU(RESULT_BYTES, lambda entry: entry[1] + 256)

    def known(self, work: Work[V]) -> V | None:
        """The complete result; None where it is not held."""
        entry = self._results.get(work)
        return None if entry is None else entry[0]

    def ask(self, work: Work[V], visitor: str) -> Job[V]:
        """The job that does this work, running or just begun; never blocks.

        Work with a network waits for ``ui.networks.start``.
        """
        with self._lock:
            running = self._jobs.get(work)
            if running is not None and not running.finished and running.watch(visitor):
                return running
            job = Job(work)
            job.watch(visitor)
            known = self.known(work)
            if known is not None:  # another visitor's job ended since the caller looked
                job.publish(known)
                job.finish("done")
                return job
            self._jobs[work] = job
        # In the thread, too, networks of one's own are this visitor's.
        run = carried(self._run)
        threading.Thread(target=run, args=(job, self._places_of(visitor)), name="job", daemon=True).start()
        return job

    def _places_of(self, visitor: str) -> PrioritySemaphore | None:
        """How much of this visitor's work may run at a time; None where all of it may."""
        if not policy().public:
            return None
        with self._lock:
            places = self._visitors.pop(visitor, None) or PrioritySemaphore(JOBS_AT_ONCE)
            self._visitors[visitor] = places  # the latest last
            while len(self._visitors) > MOST_VISITORS:
                del self._visitors[next(iter(self._visitors))]
        return places

    def _run(self, job: Job[V], places: PrioritySemaphore | None) -> None:
        work = job.work
        try:
            with (
                contextlib.nullcontext() if places is None else places.acquired(job.check),
                self._lanes[work.lane].acquired(job.check),
            ):
                if work.lane == "evidence":
                    from camcore.graph import turns  # not before a page is drawn

                    turns.give_way()
                network = None if work.network is None else self._networks.get(job, work.network)
                job.enter(Stage(work.title, work.expected))
                self._do(job, network)
            if work.size is not None and job.value is not None:
                self._results.put(work, (job.value, work.size(job.value)))
            job.finish("done")
        except StoppedError:
            job.finish("stopped")
        except Exception as error:
            if not isinstance(error, CamcoreError):
                _LOG.exception("%s failed", job.stage.title)
            job.finish("failed", Failure.of(error))
        finally:
            with self._lock:
                if self._jobs.get(work) is job:
                    del self._jobs[work]

    @staticmethod
    def _do(job: Job[V], network: Any) -> None:
        with contextlib.closing(job.work.steps(network, job)) as updates:
            for update in updates:
                job.check()
                if update.title is not None:
                    job.stage.title = update.title
                if update.share is not None:
                    job.stage.reach(update.share)
                if update.value is not None:
                    job.publish(update.value)


@functools.cache
def runner() -> Runner:
    """The runner of this process."""
    return Runner(networks())
