"""Concepts: a layer's activations as a few maps that pictures share, and what each adds to a class.

Deep feature factorisation (Collins, Achanta and Süsstrunk, "Deep Feature Factorization for Concept Discovery", ECCV
2018): the activations of all pictures, one row for each place, are factorised into non-negative parts, A ≈ S P. A
column of S, folded back to the grid, is where a concept is; its row of P is the channels that it is made of.

What a concept adds to a class is measured, not estimated: the class's logit, less the logit of the activations
without the concept, y(A) − y(A − S_c P_c). Where everything behind the layer is affine these sums are exact: y(A) =
Σ_c effect_c + what lies beside the concepts (A − S P) + y(0). Elsewhere concepts act together, and ``unexplained``
says by how much the sum misses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, max_side, optional, whole
from camcore.checks import seed as a_seed
from camcore.errors import CamcoreError
from camcore.features.nmf import SWEEPS, Factors, factorise
from camcore.heatmaps.arguments import a_framing, a_network
from camcore.heatmaps.arguments import pictures as several_pictures
from camcore.heatmaps.request import Layer
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame

Array = NDArray[np.floating]

MOST = 12
"""Concepts that can be told apart by eye, and by colour."""
PICTURES = 64

# Activations of all pictures together: what is factorised has to fit into memory a few times.
_MOST_VALUES = 64 << 20

# Altered activations per pass of the head, and input values per pass of the network.
_CHUNK_VALUES = 4 << 20
_CHUNK_PICTURES = 8

# Of the work, what the factorisation takes.
_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class Effects:
    """The effects of concepts on the logits of n pictures: y(A) less y(A without the concept).

    concepts: (n, k, classes). beside: (n, classes), of what the concepts leave, A − S P. nothing: (n, classes), the
    logits where the layer is all zero. exact: everything behind the layer is affine.
    """

    concepts: Array
    beside: Array
    nothing: Array
    exact: bool


@dataclass(frozen=True, eq=False)
class Concepts:
    """k concepts in the activations of n pictures at one layer.

    maps: (n, h, w, k), where each concept is and how strongly. parts: (k, K), the channels that it is made of, of
    length 1. error: ‖max(A, 0) − S P‖ / ‖max(A, 0)‖. negative: the share of ‖A‖² that is below 0 and was left out,
    0..1. logits: (n, classes). effects: None until they are measured. frames: of each picture. done: share of the
    work, 0..1.
    """

    layer: str
    maps: Array
    parts: Array
    error: float
    negative: float
    logits: Array
    frames: tuple[Frame, ...]
    grid: CellGrid
    done: float
    effects: Effects | None = None

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def unexplained(self) -> Array | None:
        """(n, classes): logits less all effects and y(0), zero to rounding where the sums are exact."""
        e = self.effects
        return None if e is None else self.logits - e.concepts.sum(axis=1) - e.beside - e.nothing

    @property
    def homes(self) -> Array:
        """(k,) the share of each concept's energy that lies in the picture where it is strongest: 1 where no other
        picture has it, 1/n where all n have it alike.
        """
        energy = np.square(self.maps, dtype=np.float64).sum(axis=(1, 2))
        total = energy.sum(axis=0)
        return np.divide(energy.max(axis=0), total, out=np.ones_like(total), where=total > 0)

    @checked(concept=whole(), count=whole(1, example=5))
    def channels(self, concept: int, count: int = 5) -> tuple[tuple[int, float], ...]:
        """(channel, weight) of the strongest channels of a concept; weights 0..1, their squares over all sum to 1."""
        self._check(concept)
        part = self.parts[concept]
        return tuple((int(k), float(part[k])) for k in np.argsort(-part, kind="stable")[:count] if part[k] > 0)

    @checked(concept=whole(), count=whole(1, example=3), picture=optional(whole()))
    def classes(self, concept: int, count: int = 3, picture: int | None = None) -> tuple[tuple[int, float], ...]:
        """(class, what the concept adds to its logit) of the classes it adds most to; in one picture, or on average."""
        self._check(concept, picture)
        if self.effects is None:
            return ()
        effects = self.effects.concepts[:, concept]
        added = effects.mean(axis=0) if picture is None else effects[picture]
        return tuple((int(c), float(added[c])) for c in np.argsort(-added, kind="stable")[:count])

    @checked(picture=whole(), concept=whole(), smooth=flag, max_side=max_side)
    def on_picture(self, picture: int, concept: int, smooth: bool = True, max_side: int | None = None) -> Array:
        """A concept on the whole original picture: float32 (H, W) in 0..1, NaN outside what the network saw.

        One scale for all pictures: divided by the concept's maximum over all of them.
        """
        self._check(concept, picture)
        top = float(self.maps[..., concept].max())
        values = self.maps[picture, ..., concept] / (top or 1.0)
        return self.frames[picture].to_picture(values, self.grid, smooth, max_side)

    def _check(self, concept: int, picture: int | None = None) -> None:
        """Raise CamcoreError where there is no such concept or picture."""
        for kind, number, count in (("concept", concept, len(self)), ("picture", picture, len(self.frames))):
            if number is not None and not 0 <= number < count:
                raise CamcoreError(
                    f"There is no {kind} {number}: there are {count}, 0 to {count - 1}. Choose one of these."
                )


@checked(network=a_network, pictures=several_pictures, k=whole(example=6), framing=a_framing, seed=a_seed)
def find_concepts(
    network: Network,
    pictures: Sequence[Picture],
    k: int,
    layer: Layer | None = None,
    framing: str | None = None,
    seed: int = 0,
) -> Iterator[Concepts]:
    """Find ``k`` concepts that ``pictures`` share at ``layer`` (None: the default one).

    Yields the Concepts as they settle, without effects, and last with them. Negative activations, which cannot be
    parts of a non-negative sum, are taken as 0 for the factorisation; the effects are measured on the activations
    as they are. Costs one forward pass for each picture, then the head k + 2 times. Deterministic for a seed.
    Closing the generator stops the work. Raises at the call: LayerError for a layer without a heatmap, CamcoreError
    for an unknown framing, no or too many pictures, or a number of concepts that there cannot be. Collins et al., ECCV
    2018.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> *_, concepts = camcore.find_concepts(net, [pic], k=2)
    >>> concepts.maps.shape, concepts.parts.shape, concepts.effects.concepts.shape
    ((1, 12, 12, 2), (2, 96), (1, 2, 2))
    """
    info = network.layer_with_grid(layer)
    assert info.grid is not None
    cells, channels = info.grid[0] * info.grid[1] * len(pictures), info.channels or 0
    if not 1 <= len(pictures) <= PICTURES:
        raise CamcoreError(
            f"Concepts are looked for in 1 to {PICTURES} pictures, not in {len(pictures)}. Choose so many."
        )
    if not 1 <= k <= min(MOST, cells, channels):
        raise CamcoreError(
            f"{k} concepts cannot be found at {info.path!r} ({cells} places with {channels} channels). Choose 1 to "
            f"{min(MOST, cells, channels)}."
        )
    if cells * channels > _MOST_VALUES:
        raise CamcoreError(
            f"The activations of {len(pictures)} pictures at {info.path!r} are {cells * channels / 1e6:.0f} million "
            f"values, too many to factorise. Take fewer pictures, or a deeper layer such as {network.default_layer!r}."
        )
    prepared = [network.prepare(pic, framing) for pic in pictures]
    return _steps(network, np.concatenate([x for x, _ in prepared]), tuple(f for _, f in prepared), info.path, k, seed)


def _steps(network: Network, x: Array, frames: tuple[Frame, ...], path: str, k: int, seed: int) -> Iterator[Concepts]:
    passes = [network.tap(x[i : i + _CHUNK_PICTURES], [path]) for i in range(0, len(x), _CHUNK_PICTURES)]
    A = np.concatenate([one.activations[path] for one in passes])
    logits = np.concatenate([one.logits for one in passes])
    V = np.maximum(A, 0).reshape(-1, A.shape[3])
    energy = float((A * A).sum(dtype=np.float64))
    negative = 1 - float((V * V).sum(dtype=np.float64)) / energy if energy else 0.0
    cells = network.layer(path).cells(network.input_size)

    def concepts(factors: Factors) -> Concepts:
        maps = factors.weights.reshape(*A.shape[:3], k)
        share = _SHARE if factors.done else _SHARE * factors.sweeps / SWEEPS
        return Concepts(path, maps, factors.parts, factors.error, negative, logits, frames, cells, share)

    for factors in factorise(V, k, seed):
        factorised = concepts(factors)
        yield factorised
    effects = []
    for picture in range(len(x)):
        effects.append(_effects(network, x[picture : picture + 1], A[picture], logits[picture], factorised, picture))
        yield replace(factorised, done=_SHARE + (1 - _SHARE) * (picture + 1) / (len(x) + 1))
    single, beside, nothing = (np.stack(part) for part in zip(*effects, strict=True))
    measured = Effects(single, beside, nothing, network.is_affine_behind(path))
    yield replace(factorised, done=1.0, effects=measured)


def _effects(
    network: Network, x: Array, A: Array, logits: Array, concepts: Concepts, picture: int
) -> tuple[Array, Array, Array]:
    """The effects in one picture: of each concept, of what lies beside them; and the logits without activations."""
    head = network.head(concepts.layer)
    maps, parts = concepts.maps[picture], concepts.parts
    single = [maps[..., c, np.newaxis] * parts[c] for c in range(len(parts))]
    altered = [*(A - one for one in single), sum(single), np.zeros_like(A)]
    chunk = max(1, _CHUNK_VALUES // A.size)
    answers = []
    for start in range(0, len(altered), chunk):
        part = np.stack(altered[start : start + chunk])
        answers.append(head(np.repeat(x, len(part), axis=0), part))
    without = np.concatenate(answers)
    return logits - without[:-2], logits - without[-2], without[-1]
