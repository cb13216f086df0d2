"""The work behind one map on a page: the network's answers, the map, and the same class at each depth."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ui.jobs.job import Job, Stage
from ui.jobs.work import Lane, Update, Updates, Work
from ui.map_cache import CHEAP_PASSES, MapCache, affordable, request_for
from ui.query import Answer, MapKey

if TYPE_CHECKING:
    from camcore.network import Network


MapSteps: TypeAlias = Generator[Update[Answer], None, Answer]


def work(cache: MapCache, start: Answer, express: bool = False) -> Work[Answer]:
    """Answers a query, fuller from step to step. ``start``: the known part; ``express``: a slow method runs, too."""
    query = start.query

    def steps(network: Network, job: Job[Answer]) -> Updates[Answer]:
        answer = replace(start, network=network)
        yield Update(value=answer)
        predictions = cache.predictions(job, query.network, network, answer.picture, query.framing)
        answer = replace(answer, predictions=predictions)
        yield Update(value=answer)
        answer = yield from _map(cache, job, answer, cache.map_key(answer, query.method), express)
        if network.ladder:
            yield from _ladder(cache, job, answer)

    lane: Lane = "work" if express else "answer"
    return Work(query.network, ("map", query, express), "Looking at the picture", steps, start=start, lane=lane)


def _map(cache: MapCache, job: Job[Answer], answer: Answer, key: MapKey, express: bool) -> MapSteps:
    """The map, or the price of a slow method and Grad-CAM in its place."""
    network = answer.network
    assert network is not None
    found = cache.maps.get(key)
    if found is None:
        cost = cache.cost(key, network, answer.picture)
        if not express and not affordable(cost):
            instead = cache.stand_in(answer)
            if instead is not None:
                answer = yield from _map(cache, job, answer, instead, express)
            answer = replace(answer, cost=cost)
            yield Update(value=answer)
            return answer
        stage = Stage(cache.core.METHODS[key.method].title, expected=cost.seconds)
        if cost.passes > CHEAP_PASSES:
            job.enter(stage)
            return (yield from _streamed(cache, answer, key))
        timing = (stage.title, key.network)
        stage.expected = cache.networks.durations.get(timing, 1.5)
        job.enter(stage)
        with cache.networks.timed(timing):
            maps = cache.core.explain(network, answer.picture, **request_for(key), memory=cache.memory)
        found = cache.maps.put(key, maps[0])
    answer = replace(answer, map=found)
    yield Update(value=answer)
    return answer


def _streamed(cache: MapCache, answer: Answer, key: MapKey) -> MapSteps:
    """A long method: partial maps as they grow."""
    steps = cache.core.stream(answer.network, answer.picture, **request_for(key), memory=cache.memory)
    with contextlib.closing(steps):
        for step in steps:
            share = step.done / max(step.total, 1)
            if step.partial:  # the last step counts passes that were remembered, too
                cache.paces.learn(key.network, step.done, step.seconds)
            if step.maps:
                answer = replace(answer, map=cache.maps.put(key, step.maps[-1]), done=1.0)
            elif step.partial:
                answer = replace(answer, map=step.partial[-1], done=share)
            yield Update(share, answer)
    return answer


def _ladder(cache: MapCache, job: Job[Answer], answer: Answer) -> Updates[Answer]:
    """The same class at every depth, from one pass."""
    network = answer.network
    assert network is not None
    key = cache.ladder_key(answer)
    maps = cache.ladders.get(key)
    if maps is None:
        job.enter(Stage("The same class at each depth", expected=1.5))
        request = {**request_for(key), "layers": list(network.ladder)}
        maps = tuple(cache.core.explain(network, answer.picture, **request, memory=cache.memory))
        cache.ladders.put(key, maps)
    yield Update(value=replace(answer, ladder=maps))
