"""The process-wide worker that answers pages' questions without ever holding up a script run.

One engine serves every browser tab. Networks, predictions and maps are kept for all in caches bounded in
bytes; equal questions share one job; a job belongs to those who wait for it and ends when the last one leaves.
"""

import contextlib
import functools
import logging
import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from types import ModuleType
from typing import Any

import camcore
from camcore.cache import ByteLRU
from ui.jobs import Job, Stage, StoppedError
from ui.methods import layer_free
from ui.networks import Networks
from ui.questions import Answer, Cost, Failure, NetworkKey, Question

MAP_BYTES = 256 << 20
MEMORY_BYTES = 512 << 20
PATIENCE_SECONDS = 3.0
"""A method that would take longer is priced first and runs when the visitor says so."""
CHEAP_PASSES = 16
"""Up to this many forward passes nobody needs to see a partial map."""

_LOG = logging.getLogger(__name__)


class Engine:
    """Answers questions in worker threads. ``core`` is camcore, or a stand-in for tests."""

    def __init__(self, core: Any | ModuleType = camcore, start: Callable[[], None] | None = None) -> None:
        self._core = core
        self.networks = Networks(lambda *name, **how: core.load(*name, **how), start)
        self._lock = threading.Lock()
        self._jobs: dict[Question, Job] = {}
        self._predictions: ByteLRU[tuple[Any, ...]] = ByteLRU(8 << 20, lambda rows: 256 * len(rows))
        self._maps: ByteLRU[Any] = ByteLRU(MAP_BYTES, lambda m: m.raw.nbytes + m.values.nbytes + 1024)
        self._ladders: ByteLRU[tuple[Any, ...]] = ByteLRU(
            MAP_BYTES, lambda ms: sum(m.raw.nbytes + m.values.nbytes + 1024 for m in ms)
        )
        self._costs: dict[tuple[NetworkKey, str, str | None], float] = {}
        self._pace: dict[NetworkKey, float] = {}

    @functools.cached_property
    def memory(self) -> Any:
        """What has been computed of pictures, for whatever asks the core next; one for the process."""
        return self._core.Memory(MEMORY_BYTES)

    @property
    def core(self) -> Any:
        """camcore, or what stands in for it."""
        return self._core

    # What pages call

    def start(self) -> None:
        """Begin importing TensorFlow in the background; see ``Networks.start``."""
        self.networks.start()

    def ask(self, question: Question, picture: Any, visitor: str) -> Job:
        """The job that answers this question, running or already finished; never blocks.

        Jobs that need a network wait for ``start``, which is the caller's to call once its page is drawn:
        importing TensorFlow holds the interpreter so much that drawing would take three times as long.
        """
        answer = self.known(question, picture)
        if answer.complete or (answer.cost is not None and answer.map is not None and answer.has_ladder):
            job = Job(question, answer)
            job.finish("done")
            return job
        with self._lock:
            job_running = self._jobs.get(question)
            if job_running is not None and not job_running.finished and job_running.watch(visitor):
                return job_running
            job = Job(question, answer)
            job.watch(visitor)
            self._jobs[question] = job
        threading.Thread(target=self._run, args=(job,), name="answer", daemon=True).start()
        return job

    def known(self, question: Question, picture: Any) -> Answer:
        """What the caches alone can answer."""
        answer = Answer(question, picture, self.networks.peek(question.network))
        if answer.network is None:
            return answer
        predictions = self._predictions.get((question.network, question.picture, question.framing))
        if predictions is None:
            return answer
        answer = replace(answer, predictions=predictions)
        try:
            key = self._map_key(answer, question.method)
        except camcore.CamcoreError:
            return answer
        found = self._maps.get(key)
        if found is None and (cost := self._known_cost(answer)) and not self._affordable(question, cost):
            answer = replace(answer, cost=cost)
            found = self._maps.get(self._map_key(answer, "gradcam"))
        ladder = self._ladders.get(self._ladder_key(answer)) or ()
        return replace(answer, map=found, ladder=ladder)

    # The worker

    def _run(self, job: Job) -> None:
        step = "network"
        try:
            with self.place(job):
                answer = job.publish(replace(job.answer, network=self.network(job)))
                step = "predict"
                question = job.question
                said = self.predictions(job, question.network, answer.network, answer.picture, question.framing)
                answer = job.publish(replace(answer, predictions=said))
                step = "map"
                answer = self._map(job, answer)
                step = "ladder"
                job.publish(replace(answer, ladder=self._ladder(job, answer)))
            job.finish("done")
        except StoppedError:
            job.finish("stopped")
        except Exception as error:
            if not isinstance(error, camcore.CamcoreError):
                _LOG.exception("a job failed at its step %r", step)
            job.finish("failed", Failure.of(error, step))
        finally:
            with self._lock:
                if self._jobs.get(job.question) is job:
                    del self._jobs[job.question]

    def place(self, job: Job[Any, Any]) -> contextlib.AbstractContextManager[None]:
        """One of the places for running jobs; for a worker's thread, which waits until one is free."""
        return self.networks.place(job)

    def peek(self, key: NetworkKey) -> Any:
        """The network where it is loaded already, else None."""
        return self.networks.peek(key)

    def network(self, job: Job[Any, Any], key: NetworkKey | None = None) -> Any:
        """A network, that of the job's question unless ``key`` names another; for a worker's thread, which waits."""
        return self.networks.get(job, job.question.network if key is None else key)

    def predictions(self, job: Job[Any, Any], key: NetworkKey, net: Any, picture: Any, framing: str) -> tuple[Any, ...]:
        """What a network says about a picture; for a worker's thread."""
        known = (key, picture.sha256, framing)
        predictions = self._predictions.get(known)
        if predictions is not None:
            return predictions
        title = f"{net.name} looks at the picture"
        job.enter(Stage(title, expected=0.3 if (title, key) in self.networks.took else 2.0))
        with self.networks.timed((title, key)):
            predictions = tuple(net.predict(picture, top=5, framing=framing))
        return self._predictions.put(known, predictions)

    def kept(self, key: Hashable) -> Any:
        """A finished map by its ``map_key``, None where it is not held."""
        return self._maps.get(key)

    def keep(self, key: Hashable, found: Any) -> Any:
        """Hold a finished map for everybody."""
        return self._maps.put(key, found)

    def pace(self, key: NetworkKey, net: Any, picture: Any, framing: str) -> float:
        """Seconds per forward pass: as real work went, or measured now where there was none."""
        if key not in self._pace:
            self._pace[key] = self._seconds_per_pass(net, picture, framing)
        return self._pace[key]

    def known_pace(self, key: NetworkKey) -> float | None:
        """Seconds per forward pass where they are known."""
        return self._pace.get(key)

    def learn(self, key: NetworkKey, step: Any) -> None:
        """Take the pace of real work for the next estimate."""
        if step.done > 0 and step.seconds > 0:
            self._pace[key] = step.seconds / step.done

    def _map(self, job: Job, answer: Answer) -> Answer:
        question = answer.question
        key = self._map_key(answer, question.method)
        found = self._maps.get(key)
        if found is not None:
            return job.publish(replace(answer, map=found))
        cost = self._cost(answer, key)
        if not self._affordable(question, cost):
            cheap = self._map(job, replace(answer, question=replace(question, method="gradcam")))
            return job.publish(replace(cheap, question=question, cost=cost))
        stage = Stage(self._core.METHODS[question.method].title, expected=cost.seconds)
        if cost.passes > CHEAP_PASSES:
            job.enter(stage)
            return self._streamed(job, answer, key)
        timing = (stage.title, question.network)
        stage.expected = self.networks.took.get(timing, 1.5)
        job.enter(stage)
        with self.networks.timed(timing):
            request = _request(key, question.framing)
            found = self._core.explain(answer.network, answer.picture, **request, memory=self.memory)[0]
        return job.publish(replace(answer, map=self._maps.put(key, found)))

    def _streamed(self, job: Job, answer: Answer, key: tuple[Any, ...]) -> Answer:
        """A long method: partial maps as they grow, stopped within a chunk once nobody waits."""
        question = answer.question
        request = _request(key, question.framing)
        steps = self._core.stream(answer.network, answer.picture, **request, memory=self.memory)
        with contextlib.closing(steps):
            for step in steps:
                job.check()
                share = step.done / max(step.total, 1)
                job.stage.reach(share)
                self.learn(question.network, step)
                if step.maps:
                    answer = replace(answer, map=self._maps.put(key, step.maps[-1]), done=1.0)
                elif step.partial:
                    answer = replace(answer, map=step.partial[-1], done=share)
                job.publish(answer)
        return answer

    def _ladder(self, job: Job, answer: Answer) -> tuple[Any, ...]:
        """The same class at every depth, from one pass; by Grad-CAM where the method itself is too dear."""
        question = answer.question
        if not answer.network.ladder:
            return ()
        key = self._ladder_key(answer)
        found = self._ladders.get(key)
        if found is not None:
            return found
        job.enter(Stage("The same class at each depth", expected=1.5))
        request = {**_request(key, question.framing), "layers": list(answer.network.ladder)}
        found = tuple(self._core.explain(answer.network, answer.picture, **request, memory=self.memory))
        return self._ladders.put(key, found)

    # Keys and costs

    def _map_key(self, answer: Answer, method: str) -> tuple[Any, ...]:
        question, net = answer.question, answer.network
        layer = None
        free = layer_free(self._core.METHODS[method])
        # Asked also where the method has no use for it: a layer that does not exist is told in any case.
        if not free or question.layer is not None or net.default_layer is not None:
            path = net.layer_with_grid(question.layer).path
            layer = None if free else path
        class_index = question.class_index
        class_index = answer.predictions[0].index if class_index is None else net.check_class(class_index)
        return map_key(question.network, question.picture, question.framing, method, layer, class_index)

    def _ladder_key(self, answer: Answer) -> tuple[Any, ...]:
        net = answer.network
        key = self._map_key(answer, answer.question.method)
        method, class_index = key[3], key[5]
        info = self._core.METHODS[method]
        if (
            info.at_own_layer
            or layer_free(info)
            or (self._core.estimate(net, [method], layers=list(net.ladder), classes=[class_index]) > CHEAP_PASSES)
        ):
            method = "gradcam"
        return (*key[:3], method, "ladder", class_index)

    def _cost(self, answer: Answer, key: tuple[Any, ...]) -> Cost:
        question, net = answer.question, answer.network
        request = _request(key, question.framing)
        passes = float(
            self._core.estimate(net, request["methods"], layers=request["layers"], classes=request["classes"])
        )
        if passes > CHEAP_PASSES:
            pace = self._seconds_per_pass(net, answer.picture, question.framing)
            self._pace[question.network] = min(pace, self._pace.get(question.network, math.inf))
        self._costs[(question.network, question.method, key[4])] = passes
        return Cost(passes, passes * self._pace.get(question.network, 0.05))

    def _seconds_per_pass(self, net: Any, picture: Any, framing: str) -> float:
        """What one pass takes now; the quicker of two, as others may be at work."""
        seconds = []
        for _ in range(2):
            began = time.monotonic()
            net.predict(picture, top=1, framing=framing)
            seconds.append(time.monotonic() - began)
        return min(seconds)

    def _known_cost(self, answer: Answer) -> Cost | None:
        question = answer.question
        key = self._map_key(answer, question.method)
        passes = self._costs.get((question.network, question.method, key[4]))
        return None if passes is None else Cost(passes, passes * self._pace.get(question.network, 0.05))

    def _affordable(self, question: Question, cost: Cost) -> bool:
        return question.expressly or cost.passes <= CHEAP_PASSES or cost.seconds <= PATIENCE_SECONDS


def map_key(
    network: NetworkKey, picture: str, framing: str, method: str, layer: str | None, class_index: int
) -> tuple[Any, ...]:
    """What tells a map from all others; ``layer``: its path, None for a method on the input's own grid."""
    return (network, picture, framing, method, layer, class_index)


def _request(key: tuple[Any, ...], framing: str) -> dict[str, Any]:
    """A map's key as the arguments of camcore's explain and stream."""
    *_, method, layer, class_index = key
    layers = None if layer is None else [layer]
    return {"methods": [method], "layers": layers, "classes": [class_index], "framing": framing}


@functools.cache
def engine() -> Engine:
    """The engine of this process."""
    return Engine()
