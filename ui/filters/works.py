"""What the Filters page has done in the background: one look at the picture, and searches for exciting pictures.

Each function describes a Work; nothing is computed before somebody asks for it.
"""

import contextlib
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore import CamcoreError, LayerInfo, Picture
from camcore.filters import AscentRecipe, Excitation, FirstKernels, excite, first_kernels, searchable, step_seconds
from camcore.framing import frame_picture
from ui.questions import NetworkKey
from ui.works import Part, Work

Parts = Generator[Part, None, None]


@dataclass(frozen=True, eq=False)
class Looked:
    """A network, and what a layer and the scores say about a picture; ``key`` tells it from all others.

    ``info``: of the layer; ``maps``: its activations, float32 (h, w, K); ``seen``: what the network was shown,
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
    logits: NDArray[Any]
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


def looking(network: NetworkKey, picture: Picture, framing: str, layer: str | None) -> Work:
    """One pass with the picture; a Looked. ``layer`` None: the recommended one."""

    key = ("filters look", picture.sha256, framing, layer)

    def steps(net: Any) -> Parts:
        info = searchable(net, layer)
        x, _ = net.prepare(picture, framing)
        found = net.tap(x, [info.path])
        maps = found.activations[info.path][0].astype(np.float32)
        seen = np.clip(np.rint(frame_picture(picture, net.input_size, framing)[0]), 0, 255).astype(np.uint8)
        kernels, problem = None, ""
        try:
            kernels = first_kernels(net)
        except CamcoreError as error:
            problem = str(error)
        yield Part(
            1.0,
            Looked(
                (network, *key),
                net.name,
                net.layers,
                net.labels,
                net.default_layer,
                info,
                maps,
                seen,
                found.logits[0],
                net.probabilities(found.logits[0]),
                kernels,
                problem,
            ),
        )

    def weigh(looked: Looked) -> int:
        return looked.maps.nbytes + looked.seen.nbytes + looked.logits.nbytes + 4096

    return Work(network, key, "Looking at the picture", steps, weigh, expected=2.0)


@dataclass(frozen=True)
class Wanted:
    """Which pictures are searched for, and how: channels of ``layer``, or classes where it is None."""

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
class Offer:
    """What is on disk already of what is wanted, None in place of the rest; and the seconds that the rest will take."""

    kept: tuple[Excitation | None, ...]
    seconds: float


def offering(wanted: Wanted) -> Work:
    """What a search would cost; an Offer."""

    def steps(net: Any) -> Parts:
        with contextlib.closing(excite(net, wanted.layer, wanted.indices, wanted.recipe, wanted.seed)) as search:
            state = next(search)
        kept = tuple(one if one.steps == wanted.steps else None for one in state.excitations)
        left = state.total - state.done
        seconds = left * step_seconds(net, wanted.layer, wanted.recipe) if left else 0.0
        yield Part(1.0, Offer(kept, seconds))

    return Work(
        wanted.network,
        ("filters offer", wanted),
        "Measuring how long it takes",
        steps,
        lambda offer: 4096,
        expected=3.0,
    )


def searching(wanted: Wanted) -> Work:
    """The pictures; a tuple of Excitations, growing."""

    def steps(net: Any) -> Parts:
        shown: tuple[Excitation, ...] = ()
        for state in excite(net, wanted.layer, wanted.indices, wanted.recipe, wanted.seed):
            share = state.done / state.total if state.total else 1.0
            fresh = [one.steps for one in state.excitations] != [one.steps for one in shown]
            shown = state.excitations
            yield Part(share, shown if fresh else None)

    def weigh(found: Sequence[Excitation]) -> int:
        return sum(one.rgb.nbytes + 256 for one in found)

    title = "Searching" if len(wanted.indices) == 1 else f"Searching for {len(wanted.indices)} pictures at once"
    return Work(wanted.network, ("filters search", wanted), title, steps, weigh)
