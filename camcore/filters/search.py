"""The search for the pictures that excite channels of a layer, or classes, most: many at once, step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.cache import ByteLRU
from camcore.errors import LayerError
from camcore.filters import disk_cache
from camcore.filters.ascent import AscentRecipe, random_view, step_maker
from camcore.filters.pixel_map import PixelMap, pixel_map
from camcore.filters.responses import climbing
from camcore.filters.spectrum import decode_rgb, initial_spectrum

if TYPE_CHECKING:
    from camcore.graph.layers import LayerInfo
    from camcore.heatmaps.request import Layer
    from camcore.network import Network

Array = NDArray[np.floating]
AscentStep = Callable[..., list[Array]]

RECIPE = AscentRecipe()

# Pictures per compiled call: more gain little on a CPU, and a short question waits for one call at most.
CHUNK = 4

# A part of a search shows this many states of its pictures before the last one.
_SHOWN = 8

# Changes where the same recipe gives other pictures, so that those kept on disk are found anew.
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Excitation:
    """A picture that excites a channel of a layer, or a class (``layer`` None), as far as it has been found.

    ``rgb``: uint8 (H, W, 3), at the size of the network's input. ``reached``: the channel's largest activation over
    the grid when the network is shown this very picture; of a class its logit. ``mean``: the mean over the grid.
    ``steps``: of gradient ascent taken so far.
    """

    layer: str | None
    index: int
    rgb: NDArray[np.uint8]
    reached: float
    mean: float
    steps: int


@dataclass(frozen=True, eq=False)
class SearchState:
    """The state of a search. ``done`` of ``total``: steps of single pictures that had to be searched for.

    ``excitations``: one for each channel asked, in that order.
    """

    done: int
    total: int
    excitations: tuple[Excitation, ...]


def step_seconds(network: Network, layer: Layer | None, recipe: AscentRecipe = RECIPE) -> float:
    """The cost of a search beforehand: seconds for one step of one picture, measured on this machine as it is now.

    ``layer``: as for ``excite``. Takes a step of CHUNK pictures, and the compilation that a search needs anyway.
    """
    path = None if layer is None else searchable(network, layer).path
    plan = _Plan(network, path, recipe, 0)
    climb = plan.climbing(pixel_map(network))
    chunk = _Chunk.begin(plan, [0] * CHUNK)
    edges = random_view(recipe, network.input_size, 0, 0)
    chunk.climb(climb, edges)  # TensorFlow optimises a function at its first call
    began = perf_counter()
    chunk.climb(climb, edges)
    return (perf_counter() - began) / CHUNK


def searchable(network: Network, layer: Layer | None) -> LayerInfo:
    """The layer whose channels can be asked for. Raises LayerError where it has no grid, or no channels."""
    info = network.layer_with_grid() if layer is None else network.layer(layer)
    if info.grid is None or not info.channels:
        raise LayerError(
            f"Layer {info.path!r} has no feature maps: its output has the shape {info.shape}, without a spatial grid. "
            "A filter is a channel of a layer with a grid. Ask for a class, which needs no layer, or for a layer that "
            f"has one. {network.traced.table.advice()}"
        )
    return info


def check_channel(info: LayerInfo, channel: object) -> int:
    """``channel`` as an int. Raises LayerError where the layer has no such channel."""
    count = info.channels or 0
    if not isinstance(channel, (int, np.integer)) or isinstance(channel, bool) or not 0 <= channel < count:
        raise LayerError(
            f"Layer {info.path!r} has no channel {channel!r}: it has {count} channels, 0 to {count - 1}. "
            "Choose one of these."
        )
    return int(channel)


def excite(
    network: Network,
    layer: Layer | None,
    indices: Sequence[int],
    recipe: AscentRecipe = RECIPE,
    seed: int = 0,
    keep: bool = True,
) -> Generator[SearchState, None, None]:
    """Search for the pictures that excite each channel of a layer most; a state after every part of a step.

    ``layer``: a path, a name or a Keras layer, and ``indices`` its channels; None: the network's logits, and classes.
    What is searched for is the largest mean of a channel over the grid, before a last rectifier; of a class the
    largest logit. The same request gives the same pixels on the same machine. With ``keep`` pictures are taken from
    the disk where they lie there, and put there once they are whole. The first state, grey noise or what was kept, is
    there before any step; closing the generator stops the search, and with ``keep`` the same request, in this process,
    goes on from there.

    Raises LayerError or ModelError where there is no such layer, channel or class, no gradient, or where the
    preprocessing has no way back (``pixel_map``).
    """
    if layer is None:
        path = None
        wanted = [network.check_class(index) for index in indices]
    else:
        info = searchable(network, layer)
        path = info.path
        wanted = [check_channel(info, index) for index in indices]
    pixels = pixel_map(network)
    plan = _Plan(network, path, recipe, seed)
    finished: dict[int, Excitation] = {}
    files = {}
    key: tuple[object, ...] = ()
    if keep:
        colours = repr((pixels.matrix.round(6).tolist(), pixels.offset.round(4).tolist()))
        key = (_VERSION, network.fingerprint, network.input_size, colours, path, recipe, seed)
        files = {index: disk_cache.path_for(*key, index) for index in wanted}
        for index, file in files.items():
            kept = plan.kept(index, disk_cache.get(file))
            if kept is not None:
                finished[index] = kept
    missing = [index for index in dict.fromkeys(wanted) if index not in finished]
    chunks = _resumed(key, missing) or [
        _Chunk.begin(plan, missing[i : i + CHUNK]) for i in range(0, len(missing), CHUNK)
    ]
    total = len(missing) * recipe.steps

    def state(done: int) -> SearchState:
        now = finished | {one.index: one for chunk in chunks for one in chunk.shown}
        return SearchState(done, total, tuple(now[index] for index in wanted))

    if not chunks:
        yield state(0)
        return
    for chunk in chunks:
        if not chunk.shown:
            chunk.show(plan)
    done = sum(chunk.steps * len(chunk.indices) for chunk in chunks)
    try:
        yield state(done)
        climb = plan.climbing(pixels)
        every = max(1, -(-recipe.steps // _SHOWN))
        for step in range(min(chunk.steps for chunk in chunks), recipe.steps):
            edges = random_view(recipe, network.input_size, seed, step)
            for chunk in chunks:
                if chunk.steps > step:
                    continue  # it was taken before the search was stopped
                chunk.climb(climb, edges)
                if chunk.steps % every == 0 or chunk.steps == recipe.steps:
                    chunk.show(plan)
                done += len(chunk.indices)
                yield state(done)
    finally:
        if keep and 0 < done < total:
            _stopped.put((key, tuple(missing)), tuple(replace(chunk) for chunk in chunks))
    if keep:
        for chunk in chunks:
            for one in chunk.shown:
                disk_cache.put(files[one.index], {"rgb": one.rgb, "reached": one.reached, "mean": one.mean})
        disk_cache.evict()


@dataclass(frozen=True, eq=False)
class _Plan:
    """The part of a search that is the same for all its pictures."""

    network: Network
    layer: str | None
    recipe: AscentRecipe
    seed: int

    def climbing(self, pixels: PixelMap) -> AscentStep:
        """The compiled step; one for all channels, seeds and numbers of steps."""
        recipe, net = replace(self.recipe, steps=1), self.network
        traced = net.traced
        make = step_maker(recipe, pixels, net.input_size, traced.channels_first, traced.source.dtype.name)
        return climbing(net, self.layer, recipe, make)

    def kept(self, index: int, arrays: dict[str, Array] | None) -> Excitation | None:
        """The picture that lies on disk, where it is what it should be."""
        try:
            rgb = arrays["rgb"] if arrays is not None else None
            if arrays is None or rgb is None or rgb.dtype != np.uint8 or rgb.shape != (*self.network.input_size, 3):
                return None
            return Excitation(
                self.layer,
                index,
                np.asarray(rgb, np.uint8),
                float(arrays["reached"]),
                float(arrays["mean"]),
                self.recipe.steps,
            )
        except (KeyError, TypeError, ValueError):
            return None

    def measured(self, indices: Sequence[int], rgb: NDArray[np.uint8], steps: int) -> tuple[Excitation, ...]:
        """Pictures (n, H, W, 3) shown to the network as any other."""
        x = self.network.preprocess(rgb.astype(np.float32))
        if self.layer is None:
            logits = self.network.logits(x)
            peaks = means = [float(row[index]) for row, index in zip(logits, indices, strict=True)]
        else:
            maps = self.network.tap(x, [self.layer]).activations[self.layer]
            own = [one[..., index] for one, index in zip(maps, indices, strict=True)]
            peaks, means = [float(one.max()) for one in own], [float(one.mean(dtype=np.float64)) for one in own]
        return tuple(Excitation(self.layer, *values, steps) for values in zip(indices, rgb, peaks, means, strict=True))


@dataclass(eq=False)
class _Chunk:
    """Pictures that are searched for in one call: their spectra and Adam's two means."""

    indices: list[int]
    spectra: Array
    mean: Array
    square: Array
    steps: int = 0
    shown: tuple[Excitation, ...] = ()

    @classmethod
    def begin(cls, plan: _Plan, indices: list[int]) -> _Chunk:
        spectra = np.stack([initial_spectrum(plan.network.input_size, plan.seed, index) for index in indices])
        return cls(indices, spectra, np.zeros_like(spectra), np.zeros_like(spectra))

    def climb(self, climb: AscentStep, edges: Array) -> None:
        channels, number = np.asarray(self.indices, np.int32), np.float32(self.steps + 1)
        self.spectra, self.mean, self.square, _ = climb(self.spectra, self.mean, self.square, channels, edges, number)
        self.steps += 1

    def show(self, plan: _Plan) -> None:
        self.shown = plan.measured(self.indices, decode_rgb(self.spectra, plan.network.input_size), self.steps)


# The chunks of stopped searches, to go on from there; their arrays are replaced by each step, never changed.
_stopped: ByteLRU[tuple[_Chunk, ...]] = ByteLRU(
    128 << 20, lambda chunks: sum(3 * chunk.spectra.nbytes for chunk in chunks)
)


def _resumed(key: tuple[object, ...], missing: Sequence[int]) -> list[_Chunk]:
    return [replace(chunk) for chunk in _stopped.get((key, tuple(missing))) or ()]
