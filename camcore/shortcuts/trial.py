"""The trial of a group: its patches pasted into other pictures and painted over in its own, beside random ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.metrics.intervals import Interval, Rate, rate
from camcore.shortcuts.transplants import Framed, painted_over, pasted, place_for, size_of

if TYPE_CHECKING:
    from camcore.audits.patches import PatchBox
    from camcore.network import Network
    from camcore.shortcuts.transplants import Pixels

BATCH = 32
"""Pictures in a pass; an even number, so that a patch and its random rectangle are in the same."""

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Tally:
    """The answers counted in a group's trial.

    ``pasted``: patches pasted into pictures of other classes, and as many random rectangles of the same members;
    ``flipped`` and ``random_flipped``: those that the network then called the group's class. ``painted``: members whose
    patch was painted over, and as many with a random rectangle of its size painted over; ``fell`` and ``random_fell``:
    those that it then called otherwise. ``missing``: members that could not be opened any more. ``gain`` and
    ``gain_squares``: the sum, and that of squares, of how much farther a patch moved a picture towards the class than
    the random rectangle did that was pasted into the same picture, in units of the score above the next class's.
    ``rest_flipped``: in the trial of a style, those called the class with the style of the rest of the class.
    """

    pasted: int = 0
    flipped: int = 0
    random_flipped: int = 0
    painted: int = 0
    fell: int = 0
    random_fell: int = 0
    missing: int = 0
    gain: float = 0.0
    gain_squares: float = 0.0
    rest_flipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    @property
    def mean_gain(self) -> Interval:
        """The mean gain of a patch over a random rectangle, with its 95 % interval (normal); NaN without two."""
        n = self.pasted
        if n < 2:
            return Interval(float("nan"), float("nan"), float("nan"), n)
        mean = self.gain / n
        half = _Z * sqrt(max(0.0, self.gain_squares / n - mean**2) / (n - 1))
        return Interval(mean, mean - half, mean + half, n)

    @property
    def sufficiency(self) -> Rate:
        """The pictures of other classes that became the group's class by a patch of it."""
        return rate(self.flipped, self.pasted)

    @property
    def random(self) -> Rate:
        """Those that became it by a random rectangle of the same members."""
        return rate(self.random_flipped, self.pasted)

    @property
    def rest(self) -> Rate:
        """Those that became it by the style of the rest of the class."""
        return rate(self.rest_flipped, self.pasted)

    @property
    def necessity(self) -> Rate:
        """The members that left the class where their patch was painted over."""
        return rate(self.fell, self.painted)

    @property
    def random_necessity(self) -> Rate:
        """The members that left it where a random rectangle was."""
        return rate(self.random_fell, self.painted)


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A member as the network saw it, and the box of its patch on the input."""

    picture: Framed
    box: PatchBox


def passes(members: int, others: int, pastes: int, paints: int) -> int:
    """The pictures that the network has to answer in a trial of so many pastes and paints."""
    return 2 * (pastes if members and others else 0) + 2 * min(paints, members)


def try_group(
    network: Network,
    target: Sequence[int],
    members: Sequence[Exhibit],
    others: Sequence[Framed],
    pastes: int,
    paints: int,
    rng: np.random.Generator,
) -> Iterator[Tally]:
    """Try a group of the class with these indices; yields the tally of each batch.

    ``members``: pictures said to be of the class; ``others``: pictures of other classes, said to be of another. Each
    patch goes to a random place of a random one of these.
    """
    made = _altered(members, others, pastes, paints, rng)
    while batch := list(islice(made, BATCH)):
        yield counted([kind for kind, _ in batch], margins_of(network, [pixels for _, pixels in batch], target))


def margins_of(network: Network, pictures: Sequence[Pixels], target: Sequence[int]) -> NDArray[np.float64]:
    """The score of a class above the highest of the others, of pictures on the network's input: (n,).

    ``target``: the indices of the class; several where the network has two of its name.
    """
    x = network.preprocess(np.stack(pictures).astype(np.float32))
    return margins(np.asarray(network.logits(x), np.float64), target)


def margins(scores: NDArray[np.float64], target: Sequence[int]) -> NDArray[np.float64]:
    """The score of a class above the highest of the others, of scores (n, classes): (n,)."""
    own = np.isin(np.arange(scores.shape[1]), target)
    return np.asarray(scores[:, own].max(axis=1) - scores[:, ~own].max(axis=1, initial=-np.inf))


def _altered(
    members: Sequence[Exhibit], others: Sequence[Framed], pastes: int, paints: int, rng: np.random.Generator
) -> Iterator[tuple[str, Pixels]]:
    """The pictures of a trial, each with its kind."""
    if not members:
        return
    for number in range(pastes if others else 0):
        member, target = members[number % len(members)], others[int(rng.integers(len(others)))]
        yield "patch", pasted(member.picture, member.box, target, rng)
        yield "random patch", pasted(member.picture, _elsewhere(member, rng), target, rng)
    for member in members[:paints]:
        yield "painted", painted_over(member.picture, member.box)
        yield "random painted", painted_over(member.picture, _elsewhere(member, rng))


def _elsewhere(member: Exhibit, rng: np.random.Generator) -> PatchBox:
    """A box of the patch's size at a random place of the member."""
    return place_for(size_of(member.box), member.picture.area, rng)


def counted(kinds: Sequence[str], above: NDArray[np.float64]) -> Tally:
    """The tally of some answers by their margins above the next class: patches and their controls in the same order."""
    of = {
        kind: above[[one == kind for one in kinds]] for kind in ("patch", "random patch", "painted", "random painted")
    }
    gains = of["patch"] - of["random patch"]
    return Tally(
        pasted=len(gains),
        flipped=int((of["patch"] > 0).sum()),
        random_flipped=int((of["random patch"] > 0).sum()),
        painted=len(of["painted"]),
        fell=int((of["painted"] <= 0).sum()),
        random_fell=int((of["random painted"] <= 0).sum()),
        gain=float(gains.sum()),
        gain_squares=float((gains**2).sum()),
        rest_flipped=int((above[[one == "rest" for one in kinds]] > 0).sum()),
    )
