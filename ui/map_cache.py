"""All that is kept of pictures, maps and costs for everybody, in caches bounded in bytes.

Work on maps (``ui.map_work``, ``ui.compare.fill``, ``ui.trust.work``) finds and keeps its results here.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import camcore
from camcore.cache import ByteLRU
from ui.jobs.job import Job, Stage
from ui.methods import layer_free
from ui.networks import Networks, networks
from ui.paces import Pace, Paces
from ui.query import Answer, Cost, MapKey, NetworkKey, Query

if TYPE_CHECKING:
    from camcore.heatmaps.cam_map import CamMap
    from camcore.heatmaps.memory import Memory
    from camcore.network import Network
    from camcore.pictures.picture import Picture
    from camcore.predictions import Prediction

MAP_BYTES = 256 << 20
MEMORY_BYTES = 512 << 20
PATIENCE_SECONDS = 3.0
"""A method that would take longer is priced first and runs when the visitor says so."""
CHEAP_PASSES = 16
"""Up to this many forward passes nobody needs to see a partial map."""
USUAL_PACE = Pace(0.05, 3.0)
"""The pace of a network of which nothing is known yet."""
_TRIAL = 4
"""Pictures of a batch that is tried to learn a network's pace."""


class MapCache:
    """Predictions, maps and paces; thread-safe. ``core``: camcore, or a stand-in for tests.

    ``maps``: finished ones. ``ladders``: the maps of a class at each depth. ``paces``: of work that was done.
    """

    def __init__(self, core: Any | ModuleType, networks: Networks) -> None:
        self.core = core
        self.networks = networks
        self._predictions: ByteLRU[tuple[Prediction, ...]] = ByteLRU(8 << 20, lambda rows: 256 * len(rows))
        self.maps: ByteLRU[CamMap] = ByteLRU(MAP_BYTES, _bytes)
        self.ladders: ByteLRU[tuple[CamMap, ...]] = ByteLRU(MAP_BYTES, lambda maps: sum(map(_bytes, maps)))
        self._passes: dict[tuple[NetworkKey, str, str | None], float] = {}
        self.paces = Paces()

    @functools.cached_property
    def memory(self) -> Memory:
        """Activations and scores of pictures, for whatever asks the core next."""
        memory: Memory = self.core.Memory(MEMORY_BYTES)
        return memory

    def known(self, query: Query, picture: Picture, express: bool = False) -> Answer:
        """The answer that the caches alone can give. ``express``: a slow method is not replaced by its price."""
        answer = Answer(query, picture, self.networks.peek(query.network))
        if answer.network is None:
            return answer
        predictions = self._predictions.get((query.network, query.picture, query.framing))
        if predictions is None:
            return answer
        answer = replace(answer, predictions=predictions)
        try:
            key = self.map_key(answer, query.method)
        except camcore.CamcoreError:
            return answer
        found, cost = self.maps.get(key), None
        if found is None and not express:
            passes = self._passes.get((query.network, query.method, key.layer))
            cost = None if passes is None else self._cost(query.network, passes)
            if cost is not None and not affordable(cost):
                instead = self.stand_in(answer)
                found = None if instead is None else self.maps.get(instead)
            else:
                cost = None
        return replace(answer, map=found, cost=cost, ladder=self.ladders.get(self.ladder_key(answer)) or ())

    def predictions(
        self, job: Job[Any], key: NetworkKey, network: Network, picture: Picture, framing: str
    ) -> tuple[Prediction, ...]:
        """The network's first answers to a picture, computed if need be; for a worker's thread."""
        known = (key, picture.sha256, framing)
        predictions = self._predictions.get(known)
        if predictions is not None:
            return predictions
        title = f"{network.name} looks at the picture"
        job.enter(Stage(title, expected=0.3 if (title, key) in self.networks.durations else 2.0))
        with self.networks.timed((title, key)):
            predictions = tuple(network.predict(picture, top=5, framing=framing))
        return self._predictions.put(known, predictions)

    # Keys

    def map_key(self, answer: Answer, method: str) -> MapKey:
        """The key of the answer's map by a method. Raises LayerError or ModelError where there can be none."""
        query, net = answer.query, answer.network
        assert net is not None
        layer = None
        free = layer_free(self.core.METHODS[method])
        # Asked also where the method has no use for it: a layer that does not exist is reported in any case.
        if not free or query.layer is not None or net.default_layer is not None:
            path = net.layer_with_grid(query.layer).path
            layer = None if free else path
        index = answer.predictions[0].index if query.class_index is None else net.check_class(query.class_index)
        return MapKey(query.network, query.picture, query.framing, method, layer, index)

    def stand_in(self, answer: Answer) -> MapKey | None:
        """The key of the map shown until a slow method has run; None for a network without a grid."""
        assert answer.network is not None
        return None if answer.network.default_layer is None else self.map_key(answer, "gradcam")

    def ladder_key(self, answer: Answer) -> MapKey:
        """The key of the maps at each depth: by Grad-CAM where the method itself is too expensive for that."""
        net = answer.network
        assert net is not None
        key = self.map_key(answer, answer.query.method)
        info = self.core.METHODS[key.method]
        expensive = info.at_own_layer or layer_free(info)
        if not expensive:
            passes = self.core.estimate(net, [key.method], layers=list(net.ladder), classes=[key.class_index])
            expensive = passes > CHEAP_PASSES
        return key._replace(method="gradcam" if expensive else key.method, layer="ladder")

    # Costs

    def cost(self, key: MapKey, network: Network, picture: Picture) -> Cost:
        """The price of a map; tries a few passes where the map takes many and the pace is not known."""
        request = request_for(key)
        passes = float(self.core.estimate(network, request["methods"], request["layers"], request["classes"]))
        if passes > CHEAP_PASSES:
            self.pace(key.network, network, picture, key.framing)
        self._passes[(key.network, key.method, key.layer)] = passes
        return self._cost(key.network, passes)

    def pace(self, key: NetworkKey, network: Network, picture: Picture, framing: str) -> Pace:
        """The pace of a method's passes: as real work went, or as a few go now where there was none."""
        known = self.paces.known(key)
        if known is None or known.spread > 1.0:
            self.paces.take_trial(key, self._seconds_per_pass(network, picture, framing))
        return self.paces.known(key) or USUAL_PACE

    def _cost(self, key: NetworkKey, passes: float) -> Cost:
        return (self.paces.known(key) or USUAL_PACE).cost(passes)

    def _seconds_per_pass(self, network: Network, picture: Picture, framing: str) -> float:
        """The time of one pass of a small batch now, as methods make them; the quicker of two batches."""
        x, _ = network.prepare(picture, framing)
        batch = x.repeat(_TRIAL, axis=0)
        seconds = []
        for _ in range(2):
            began = time.monotonic()
            network.answer(batch)
            seconds.append(time.monotonic() - began)
        return min(seconds) / _TRIAL


def affordable(cost: Cost) -> bool:
    """Cheap enough to be run unasked."""
    return cost.passes <= CHEAP_PASSES or cost.seconds <= PATIENCE_SECONDS


def request_for(key: MapKey) -> dict[str, Any]:
    """A map's key as the arguments of camcore's explain and stream."""
    layers = None if key.layer is None else [key.layer]
    return {"methods": [key.method], "layers": layers, "classes": [key.class_index], "framing": key.framing}


def _bytes(m: CamMap) -> int:
    return m.raw.nbytes + m.values.nbytes + 1024


@functools.cache
def map_cache() -> MapCache:
    """The caches of this process."""
    return MapCache(camcore, networks())
