"""The work of the Filters page: a layer's response to the picture, and searches for exciting pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore import CamcoreError, LayerInfo, Picture
from camcore.filters import (
    AscentRecipe,
    Excitation,
    FirstKernels,
    excite,
    first_kernels,
    legible_layer,
    searchable,
    step_seconds,
)
from camcore.framing import frame_picture
from ui.jobs.work import Update, Updates, Work
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network


@dataclass(frozen=True, eq=False)
class LayerResponse:
    """The response of a layer and of the scores to a picture; ``key`` tells it from all others.

    ``info``: of the layer; ``maps``: its activations, float32 (h, w, K); ``seen``: the network's input,
    uint8 (H, W, 3) RGB; ``logits`` and ``probabilities`` (classes,). ``kernels`` None: ``no_kernels``
    says why.
    """

    key: Hashable
    name: str
    layers: tuple[LayerInfo, ...]
    labels: tuple[str, ...]
    default_layer: str | None
    info: LayerInfo
    maps: NDArray[np.float32]
    seen: NDArray[np.uint8]
    logits: NDArray[np.floating]
    probabilities: NDArray[np.float64]
    kernels: FirstKernels | None
    no_kernels: str = ""

    @property
    def peaks(self) -> NDArray[np.float32]:
        """The strongest activation of each channel on the picture, (K,)."""
        return np.asarray(self.maps.max(axis=(0, 1)))

    def strongest(self, count: int) -> tuple[int, ...]:
        """The channels that respond most strongly somewhere on the picture, the first one most; then by their mean."""
        order = np.lexsort((-self.maps.mean(axis=(0, 1)), -self.peaks))  # many reach the ceiling of a ReLU6
        return tuple(int(index) for index in order[:count])

    def likeliest(self, count: int) -> tuple[int, ...]:
        """The classes of the largest logits."""
        return tuple(int(index) for index in np.argsort(-self.logits, kind="stable")[:count])


def response_work(network: NetworkKey, picture: Picture, framing: str, layer: str | None) -> Work[LayerResponse]:
    """Takes one pass with the picture. ``layer`` None: the one to begin with, else the recommended one."""
    key = ("filters look", picture.sha256, framing, layer)

    def steps(net: Network, _: object) -> Updates[LayerResponse]:
        first = legible_layer(net.layers, net.input_size) if layer is None else None
        info = searchable(net, layer if first is None else first.path)
        x, _ = net.prepare(picture, framing)
        tapped = net.tap(x, [info.path])
        maps = tapped.activations[info.path][0].astype(np.float32)
        seen = np.clip(np.rint(frame_picture(picture, net.input_size, framing)[0]), 0, 255).astype(np.uint8)
        kernels, problem = None, ""
        try:
            kernels = first_kernels(net)
        except CamcoreError as error:
            problem = str(error)
        yield Update(
            1.0,
            LayerResponse(
                (network, *key),
                net.name,
                net.layers,
                net.labels,
                net.default_layer,
                info,
                maps,
                seen,
                tapped.logits[0],
                net.probabilities(tapped.logits[0]),
                kernels,
                problem,
            ),
        )

    def size(response: LayerResponse) -> int:
        return response.maps.nbytes + response.seen.nbytes + response.logits.nbytes + 4096

    return Work(network, key, "Looking at the picture", steps, size, expected=2.0)


@dataclass(frozen=True)
class SearchSpec:
    """The terms of a search: channels of ``layer``, or classes where it is None."""

    network: NetworkKey
    layer: str | None
    indices: tuple[int, ...]
    steps: int
    seed: int

    @property
    def recipe(self) -> AscentRecipe:
        """The search's own terms."""
        return AscentRecipe(steps=self.steps)


@dataclass(frozen=True, eq=False)
class SearchPrice:
    """The pictures of a search that are on disk already, None in place of the rest, and the seconds for the rest."""

    kept: tuple[Excitation | None, ...]
    seconds: float


def price_work(spec: SearchSpec) -> Work[SearchPrice]:
    """Prices a search."""

    def steps(net: Network, _: object) -> Updates[SearchPrice]:
        with contextlib.closing(excite(net, spec.layer, spec.indices, spec.recipe, spec.seed)) as search:
            state = next(search)
        kept = tuple(one if one.steps == spec.steps else None for one in state.excitations)
        left = state.total - state.done
        seconds = left * step_seconds(net, spec.layer, spec.recipe) if left else 0.0
        yield Update(1.0, SearchPrice(kept, seconds))

    return Work(
        spec.network,
        ("filters offer", spec),
        "Measuring how long it takes",
        steps,
        lambda price: 4096,
        expected=3.0,
    )


def search_work(spec: SearchSpec) -> Work[tuple[Excitation, ...]]:
    """Searches for the pictures, which grow."""

    def steps(net: Network, _: object) -> Updates[tuple[Excitation, ...]]:
        shown: tuple[Excitation, ...] = ()
        for state in excite(net, spec.layer, spec.indices, spec.recipe, spec.seed):
            share = state.done / state.total if state.total else 1.0
            fresh = [one.steps for one in state.excitations] != [one.steps for one in shown]
            shown = state.excitations
            yield Update(share, shown if fresh else None)

    def size(found: Sequence[Excitation]) -> int:
        return sum(one.rgb.nbytes + 256 for one in found)

    title = "Searching" if len(spec.indices) == 1 else f"Searching for {len(spec.indices)} pictures at once"
    return Work(spec.network, ("filters search", spec), title, steps, size)
