"""Inputs that are the scores of perturbed pictures or activations, asked in series that methods share.

A *series* is a row of perturbations of one kind: the picture seen through each channel's mask, a layer without each
of its channels, the picture with each square hidden. Its answers are the logits of all classes, kept under the
series' key, so that a further class costs nothing, Faster Score-CAM is a prefix of Score-CAM, IS-CAM's last step is
Score-CAM's, and stopped work goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.framing import CellGrid
from camcore.graph.layers import Site
from camcore.methods.inputs import Array, Input, MethodCall, Size

if TYPE_CHECKING:
    from camcore.methods.info import OptionValues
    from camcore.network import Network

Indices = NDArray[np.intp]

# Cells per side of the coarsest perturbations: squares, RISE's masks, and the random control's noise.
COARSE = 7

# Whole pictures per chunk: as fast as larger chunks on a CPU, and small in memory; of a heavy network fewer, so that
# nobody else waits for longer than some tenths of a second.
_CHUNK_PIXELS = 16 * 224 * 224
_CHUNK_MULTIPLICATIONS = 64e9

# Values of altered activations per chunk of the head.
_CHUNK_VALUES = 4 << 20
_MOST_ALTERED = 256


@dataclass(frozen=True, eq=False)
class Series:
    """Perturbations of one kind. ``ask``: member numbers (m,) → logits (m, classes)."""

    key: tuple[Hashable, ...]
    ask: Callable[[Indices], Array]


@dataclass(frozen=True, eq=False)
class PerturbationPlan:
    """The perturbations of one request: ``members`` (m,) in the order of asking, each in every series.

    ``chunk``: how many members at a time. ``cost``: forward passes of one member in one series.
    """

    members: Indices
    series: tuple[Series, ...]
    chunk: int
    cost: float = 1.0


class Perturbations(Input):
    """``A`` (None without a layer) and ``PerturbedScores``; these grow chunk by chunk, and with them a partial map.

    A new kind says its ``plan``. ``with_probabilities``: False where the method takes logits alone. ``redraw``: a
    partial map is made again once the answers are so many times as many.
    """

    with_probabilities: ClassVar[bool] = True
    redraw: ClassVar[float] = 0.0

    def plan(self, call: MethodCall) -> PerturbationPlan:
        """The perturbations to be asked, of one picture at one layer (None: of its pixels)."""
        raise NotImplementedError


# ---- the picture seen through the channels of a layer


class ChannelMasks(Perturbations):
    """Scores of the picture seen through each channel's activations, stretched to 0..1; option ``n``: the most."""

    nested = True

    def passes(self, site: Site, options: OptionValues) -> float:
        return float(min(site.channels, options.get("n", site.channels)))

    def plan(self, call: MethodCall) -> PerturbationPlan:
        return _channel_plan(call, _masks(call), most=call.options.get("n"))


class NoisyMasks(Perturbations):
    """As ChannelMasks, each mask shaken by ``n`` fields of noise."""

    def passes(self, site: Site, options: OptionValues) -> float:
        return float(site.channels * options["n"])

    def plan(self, call: MethodCall) -> PerturbationPlan:
        n, sigma, seed = (call.options[name] for name in ("n", "sigma", "seed"))
        return _channel_plan(call, *(_masks(call, noise=(sigma, seed, number)) for number in range(n)))


class FadedMasks(NoisyMasks):
    """As ChannelMasks, each mask in ``n`` steps from faint to full."""

    def plan(self, call: MethodCall) -> PerturbationPlan:
        n = call.options["n"]
        return _channel_plan(call, *(_masks(call, step / n) for step in range(1, n + 1)))


def pictures_per_chunk(network: Network) -> int:
    """The number of whole pictures that go through a network at once."""
    h, w = network.input_size
    by_work = int(_CHUNK_MULTIPLICATIONS / max(network.multiplications, 1))
    return max(1, min(_CHUNK_PIXELS // (h * w), by_work))


def channel_order(A: Array) -> Indices:
    """The channels of ``A`` (h, w, K) by falling variance over space; those constant over space left out.

    A constant channel gives no mask (its normalisation would divide by zero), so it takes no part. Ties keep
    the channels' order.
    """
    flat = A.reshape(-1, A.shape[-1])
    varies = flat.max(axis=0) > flat.min(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):  # activations that overflow come last
        order = np.argsort(-flat.var(axis=0), kind="stable")
    return order[varies[order]]


def noise_field(size: Size, sigma: float, seed: int, number: int) -> NDArray[np.float32]:
    """The ``number``-th noise field N(0, σ²) of SS-CAM, float32 (H, W). The same for every channel."""
    field = np.random.default_rng([seed, number]).standard_normal(size, np.float32)
    return field * np.float32(sigma)


def _channel_plan(call: MethodCall, *series: Series, most: int | None = None) -> PerturbationPlan:
    members = channel_order(call.session.activations(call.path))[:most]
    return PerturbationPlan(members, series, pictures_per_chunk(call.session.network))


def _masks(call: MethodCall, scale: float = 1.0, noise: tuple[float, int, int] | None = None) -> Series:
    """The picture seen through each channel of a layer. ``noise``: deviation, seed and number of its field."""
    session, layer = call.session, call.path
    A, network = session.activations(layer), session.network
    field = None if noise is None or not noise[0] else noise_field(network.input_size, *noise)

    def ask(members: Indices) -> Array:
        maps = network.layer(layer).upright(np.moveaxis(A[:, :, members], 2, 0))  # a mask lies on the picture
        return network.masked_logits(session.x, np.ascontiguousarray(maps, np.float32), scale, field)

    return Series(("masks", layer, scale, None if field is None else noise), ask)


# ---- the head behind a layer, with altered activations


class Ablations(Perturbations):
    """Scores with each channel of the layer set to zero."""

    with_probabilities = False

    def passes(self, site: Site, options: OptionValues) -> float:
        return site.channels * site.behind

    def plan(self, call: MethodCall) -> PerturbationPlan:
        session, layer = call.session, call.path
        network, site = session.network, session.network.site(layer)
        witness = (session.activations(layer), session.logits)

        def ask(members: Indices) -> Array:
            return network.ablated_logits(session.x, layer, members, witness)

        chunk = _altered_per_chunk(network.ablated_size(layer))
        return PerturbationPlan(np.arange(site.channels), (Series(("ablations", layer), ask),), chunk, site.behind)


class SingleCells(Perturbations):
    """Scores with the activations of each cell alone; ``variant`` ``gaussian``: spread over the 3×3 cells around it."""

    def passes(self, site: Site, options: OptionValues) -> float:
        return site.cells * site.behind

    def plan(self, call: MethodCall) -> PerturbationPlan:
        session, layer, variant = call.session, call.path, call.options["variant"]
        network, A, site = session.network, session.activations(layer), session.network.site(layer)
        h, w = site.grid
        vectors, witness = A.reshape(h * w, -1), (A, session.logits)
        spread = np.outer([1, 2, 1], [1, 2, 1]) / 16 if variant == "gaussian" else np.ones((1, 1))
        reach = len(spread) // 2

        def ask(members: Indices) -> Array:
            weights = np.zeros((len(members), h + 2 * reach, w + 2 * reach), A.dtype)
            for i, member in enumerate(members):
                y, x = divmod(int(member), w)
                weights[i, y : y + 2 * reach + 1, x : x + 2 * reach + 1] = spread
            weights = weights[:, reach : reach + h, reach : reach + w]
            return network.placed_logits(session.x, layer, vectors[members], weights, witness)

        series = Series(("positions", layer, variant), ask)
        chunk = _altered_per_chunk(site.cells * site.channels)
        return PerturbationPlan(np.arange(site.cells), (series,), chunk, site.behind)


def _altered_per_chunk(values: int) -> int:
    """The number of alterations, of so many values each, that go through the head at once."""
    return min(max(1, _CHUNK_VALUES // values), _MOST_ALTERED)


# ---- hidden parts of the picture


class HiddenSquares(Perturbations):
    """Scores with each square of the picture, option ``size`` wide and ``stride`` apart, set to its mean colour."""

    layer_free = True

    def passes(self, site: Site, options: OptionValues) -> float:
        rows, columns = square_starts(site.input_size, options["size"], options["stride"])
        return float(len(rows) * len(columns))

    def plan(self, call: MethodCall) -> PerturbationPlan:
        network, size, stride = call.session.network, call.options["size"], call.options["stride"]
        rows, columns = square_starts(network.input_size, size, stride)
        side = square_side(network.input_size, size)
        picture = network.channels_last(call.session.x)[0]
        mean = picture.mean(axis=(0, 1), dtype=np.float64).astype(picture.dtype)

        def ask(members: Indices) -> Array:
            hidden = np.repeat(picture[np.newaxis], len(members), axis=0)
            for i, member in enumerate(members):
                y, x = rows[member // len(columns)], columns[member % len(columns)]
                hidden[i, y : y + side, x : x + side] = mean
            return network.logits(network.as_input(hidden))

        series = Series(("squares", size, stride), ask)
        return PerturbationPlan(np.arange(len(rows) * len(columns)), (series,), pictures_per_chunk(network))

    def cells(self, network: Network, options: OptionValues, grid: Size) -> CellGrid:
        starts = square_starts(network.input_size, options["size"], options["stride"])
        middle = (square_side(network.input_size, options["size"]) - 1) / 2
        steps = [float(one[-1] - one[0]) / (len(one) - 1) if len(one) > 1 else 1.0 for one in starts]
        return CellGrid((middle, middle), (steps[0], steps[1]))


class RandomMasks(Perturbations):
    """Scores of the picture through ``n`` random masks (options ``p``, ``cells``, ``seed``)."""

    layer_free = True
    redraw = 2.0  # a map of masks takes as long as its masks

    def passes(self, site: Site, options: OptionValues) -> float:
        return float(options["n"])

    def plan(self, call: MethodCall) -> PerturbationPlan:
        network = call.session.network
        picture = network.channels_last(call.session.x)
        p, cells, seed = (call.options[name] for name in ("p", "cells", "seed"))

        def ask(members: Indices) -> Array:
            masks = random_masks(members, network.input_size, p, cells, seed).astype(picture.dtype)
            return network.logits(network.as_input(picture * masks[..., np.newaxis]))

        series = Series(("random masks", p, cells, seed), ask)
        return PerturbationPlan(np.arange(call.options["n"]), (series,), pictures_per_chunk(network))


def square_starts(input_size: Size, size: int, stride: int) -> tuple[Indices, Indices]:
    """The first pixels of the squares along y and x: ``stride`` apart or a little less, from edge to edge.

    ``size`` 0: a seventh of the shorter side; ``stride`` 0: half the size.
    """
    side = square_side(input_size, size)
    step = stride or max(1, side // 2)
    starts = []
    for length in input_size:
        free = max(length - side, 0)
        starts.append(np.linspace(0, free, -(-free // step) + 1).round().astype(np.intp))
    return starts[0], starts[1]


def square_side(input_size: Size, size: int) -> int:
    """The squares' side in input pixels."""
    return min(size or max(1, round(min(input_size) / COARSE)), *input_size)


def random_masks(members: Indices, size: Size, p: float, cells: int, seed: int) -> NDArray[np.float32]:
    """The masks of these numbers, (m, H, W) in 0..1; each depends on its number and the seed alone."""
    cell = -(-size[0] // cells), -(-size[1] // cells)
    masks = np.empty((len(members), *size), np.float32)
    for i, member in enumerate(members):
        rng = np.random.default_rng([seed, int(member)])
        coarse = (rng.random((cells, cells)) < p).astype(np.float32)
        big = cv2.resize(coarse, ((cells + 1) * cell[1], (cells + 1) * cell[0]), interpolation=cv2.INTER_LINEAR)
        y, x = rng.integers(0, cell[0]), rng.integers(0, cell[1])
        masks[i] = big[y : y + size[0], x : x + size[1]]
    return masks
