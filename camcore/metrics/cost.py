"""The cost of each method on this machine, on this picture: measured one after the other, each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from camcore import peak_memory as memory
from camcore.checks import checked, function, optional
from camcore.heatmaps.arguments import a_framing, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.request import Options, method_keys, options_by_method
from camcore.heatmaps.run import Step, estimate, stream
from camcore.network import Network
from camcore.pictures.picture import Picture


@dataclass(frozen=True, eq=False)
class MethodCost:
    """One method's map and its cost.

    ``seconds``: from the prepared picture to the map, with everything compiled. ``passes``: the work really done, in
    forward passes of one image; a backward pass counts as one. ``peak_bytes``: how far the memory in use rose
    meanwhile, see ``camcore.peak_memory``; None where the system keeps no count of it.
    """

    method: str
    map: CamMap
    seconds: float
    passes: float
    peak_bytes: int | None


@checked(network=a_network, pic=a_picture, framing=a_framing, on_step=optional(function))
def measure(
    network: Network,
    pic: Picture,
    methods: Sequence[str],
    layer: object = None,
    class_index: int | None = None,
    framing: str | None = None,
    options: Options | None = None,
    on_step: Callable[[str, Step], None] | None = None,
) -> Iterator[MethodCost]:
    """Run each method alone, in the order given, and measure it: a MethodCost at a time.

    Before a method is timed it runs up to its first map or partial map, so that what must be compiled is. Nothing
    is shared: every method does all its work, as if no other had been asked for. Other work on the machine
    lengthens the times.

    ``on_step``: called with the method's key and each Step of the run that is timed, for progress; its own time
    does not count, and what it raises ends the work. Closing the generator stops it.

    Raises, at the call, MethodError, LayerError, ModelError or CamcoreError as ``camcore.explain`` does.
    """
    keys = method_keys(methods)
    given = options_by_method(options)
    estimate(network, keys, layer, class_index, given)  # refuses what cannot be, before the first method runs
    keys = list(dict.fromkeys(keys))
    framing = network.framing_for(framing)

    def steps(key: str) -> Iterator[Step]:
        own = {key: given[key]} if key in given else None
        return stream(network, pic, key, layer, class_index, framing, own)

    return _measured(keys, steps, on_step)


def _measured(
    keys: list[str], steps: Callable[[str], Iterator[Step]], on_step: Callable[[str, Step], None] | None
) -> Iterator[MethodCost]:
    for key in keys:
        _warm(steps(key))
        yield _timed(key, steps(key), on_step)


def _warm(steps: Iterator[Step]) -> None:
    for step in steps:
        if step.maps or step.partial:
            break


def _timed(key: str, steps: Iterator[Step], on_step: Callable[[str, Step], None] | None) -> MethodCost:
    seconds, passes, result = 0.0, 0.0, None
    before = memory.begin()
    while True:
        start = perf_counter()
        step = next(steps, None)
        seconds += perf_counter() - start
        if step is None:
            break
        passes = step.done
        result = step.maps[0] if step.maps else result
        if on_step is not None:
            on_step(key, step)
    assert result is not None  # one method, one layer, one class: one map
    return MethodCost(key, result, seconds, passes, memory.peak_over(before))
