"""The perturbed inputs that a method asks a network about, in rows that methods share.

A *series* is a row of perturbations of one kind: the picture seen through each channel's mask, a layer without each
of its channels, the picture with each square hidden. Its answers are the logits of all classes, kept under the
series' key, so that a further class costs nothing, Faster Score-CAM is a prefix of Score-CAM, IS-CAM's last step is
Score-CAM's, and stopped work goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.heatmaps.session import Look
from camcore.methods.control import random_masks, square_side, square_starts
from camcore.methods.score import channel_order, noise_field
from camcore.network import Network

Array = NDArray[Any]
Indices = NDArray[np.intp]

# Whole pictures per chunk: as fast as larger chunks on a CPU, and small in memory; of a heavy network fewer, so that
# nobody else waits for longer than some tenths of a second.
_CHUNK_PIXELS = 16 * 224 * 224
_CHUNK_MULTIPLICATIONS = 64e9

# Values of altered activations per chunk of the head.
_CHUNK_VALUES = 4 << 20


@dataclass(frozen=True, eq=False)
class Series:
    """Perturbations of one kind. ``ask``: member numbers (m,) → logits (m, classes)."""

    key: tuple[Any, ...]
    ask: Callable[[Indices], Array]


@dataclass(frozen=True, eq=False)
class Plan:
    """What a method asks: ``members`` (m,) in the order of asking, each in every series, ``chunk`` at a time.

    ``cost``: forward passes of one member in one series.
    """

    members: Indices
    series: tuple[Series, ...]
    chunk: int
    cost: float


def plan_for(source: str, look: Look, path: str | None, options: Mapping[str, Any]) -> Plan:
    """The plan of a method with this source at this site."""
    return _PLANS[source](look, path, options)


def pictures_per_chunk(network: Network) -> int:
    """How many whole pictures go through a network at once."""
    h, w = network.input_size
    by_work = int(_CHUNK_MULTIPLICATIONS / max(network.multiplications, 1))
    return max(1, min(_CHUNK_PIXELS // (h * w), by_work))


def _masks(look: Look, path: str, scale: float = 1.0, noise: tuple[float, int, int] | None = None) -> Series:
    """The picture seen through each channel of a layer. ``noise``: deviation, seed and number of its field."""
    A, network = look.activations(path), look.network
    field = None if noise is None or not noise[0] else noise_field(network.input_size, *noise)

    def ask(members: Indices) -> Array:
        maps = network.layer(path).upright(np.moveaxis(A[:, :, members], 2, 0))  # a mask lies on the picture
        return network.masked_logits(look.x, np.ascontiguousarray(maps, np.float32), scale, field)

    return Series(("masks", path, scale, None if field is None else noise), ask)


def _channel_plan(look: Look, path: str, *series: Series) -> Plan:
    return Plan(channel_order(look.activations(path)), series, pictures_per_chunk(look.network), 1.0)


def _channel_masks(look: Look, path: str, options: Mapping[str, Any]) -> Plan:
    plan = _channel_plan(look, path, _masks(look, path))
    return replace(plan, members=plan.members[: options["n"]]) if "n" in options else plan


def _noisy_masks(look: Look, path: str, options: Mapping[str, Any]) -> Plan:
    fields = ((options["sigma"], options["seed"], number) for number in range(options["n"]))
    return _channel_plan(look, path, *(_masks(look, path, noise=field) for field in fields))


def _faded_masks(look: Look, path: str, options: Mapping[str, Any]) -> Plan:
    n = options["n"]
    return _channel_plan(look, path, *(_masks(look, path, step / n) for step in range(1, n + 1)))


def _ablations(look: Look, path: str, options: Mapping[str, Any]) -> Plan:
    network = look.network
    site = network.site(path)
    witness = (look.activations(path), look.logits)
    series = Series(("ablations", path), lambda members: network.ablated_logits(look.x, path, members, witness))
    chunk = min(max(1, _CHUNK_VALUES // network.ablated_size(path)), 256)
    return Plan(np.arange(site.channels), (series,), chunk, site.behind)


def _positions(look: Look, path: str, options: Mapping[str, Any]) -> Plan:
    network, A = look.network, look.activations(path)
    site = network.site(path)
    h, w = site.grid
    vectors, witness = A.reshape(h * w, -1), (A, look.logits)
    spread = np.outer([1, 2, 1], [1, 2, 1]) / 16 if options["variant"] == "gaussian" else np.ones((1, 1))
    reach = len(spread) // 2

    def ask(members: Indices) -> Array:
        weights = np.zeros((len(members), h + 2 * reach, w + 2 * reach), A.dtype)
        for i, member in enumerate(members):
            y, x = divmod(int(member), w)
            weights[i, y : y + 2 * reach + 1, x : x + 2 * reach + 1] = spread
        weights = weights[:, reach : reach + h, reach : reach + w]
        return network.placed_logits(look.x, path, vectors[members], weights, witness)

    series = Series(("positions", path, options["variant"]), ask)
    chunk = min(max(1, _CHUNK_VALUES // (site.cells * site.channels)), 256)
    return Plan(np.arange(site.cells), (series,), chunk, site.behind)


def _squares(look: Look, path: str | None, options: Mapping[str, Any]) -> Plan:
    network, size, stride = look.network, options["size"], options["stride"]
    rows, columns = square_starts(network.input_size, size, stride)
    side = square_side(network.input_size, size)
    picture = network.channels_last(look.x)[0]
    mean = picture.mean(axis=(0, 1), dtype=np.float64).astype(picture.dtype)

    def ask(members: Indices) -> Array:
        hidden = np.repeat(picture[np.newaxis], len(members), axis=0)
        for i, member in enumerate(members):
            y, x = rows[member // len(columns)], columns[member % len(columns)]
            hidden[i, y : y + side, x : x + side] = mean
        return network.logits(network.as_input(hidden))

    series = Series(("squares", size, stride), ask)
    return Plan(np.arange(len(rows) * len(columns)), (series,), pictures_per_chunk(look.network), 1.0)


def _random_masks(look: Look, path: str | None, options: Mapping[str, Any]) -> Plan:
    network = look.network
    picture = network.channels_last(look.x)
    made = (options["p"], options["cells"], options["seed"])

    def ask(members: Indices) -> Array:
        masks = random_masks(members, network.input_size, *made).astype(picture.dtype)
        return network.logits(network.as_input(picture * masks[..., np.newaxis]))

    return Plan(np.arange(options["n"]), (Series(("random masks", *made), ask),), pictures_per_chunk(look.network), 1.0)


_PLANS: Mapping[str, Callable[..., Plan]] = {
    "channel masks": _channel_masks,
    "noisy masks": _noisy_masks,
    "faded masks": _faded_masks,
    "ablations": _ablations,
    "positions": _positions,
    "squares": _squares,
    "random masks": _random_masks,
}
