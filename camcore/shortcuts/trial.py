"""The trial of a group: its patches pasted into other pictures and painted over in its own, beside random ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from camcore.metrics.intervals import Interval, Rate, rate
from camcore.shortcuts.in_place import filled, pasted_in_place
from camcore.shortcuts.transplants import Framed, cropped, painted_over, pasted, pasted_at, place_for, size_of

if TYPE_CHECKING:
    from camcore.audits.patches import PatchBox
    from camcore.network import Network
    from camcore.shortcuts.in_place import Mask
    from camcore.shortcuts.transplants import Pixels

BATCH = 32
"""Pictures in a pass at most; a patch and its controls are in the same."""

_RIM = 16  # of which a patch's shorter side is its rim
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Tally:
    """The answers counted in a group's trial.

    ``pasted``: patches pasted into pictures of other classes. ``flipped``: those that the network then called the
    group's class; ``random_flipped``, ``rest_flipped``: those that it called so with the two controls, as many:

    - of alike evidence: random rectangles of the same members; no second control;
    - of a copy: the same patches with it painted over; pieces of pictures that have no copy;
    - of a copy in its place: this part painted over; the same part of other pictures of other classes;
    - of a style: the style of pictures of other classes; that of the rest of the class.

    ``gain``, ``gain_squares``: the sum, and that of squares, of how much farther a patch moved a picture towards the
    class than the second control did (of a copy in its place and of a style: than the better of the two), in units of
    the score above the next class's, and no farther than to the class; ``short``: the sum of what that control left
    missing to the class, in the same units, nothing where it turned the picture. ``painted``: members whose patch was
    painted over, and as many with a random rectangle of its size painted over; ``fell``, ``random_fell``: those that it
    then called otherwise. ``missing``: members that could not be opened any more.
    """

    pasted: int = 0
    flipped: int = 0
    random_flipped: int = 0
    painted: int = 0
    fell: int = 0
    random_fell: int = 0
    missing: int = 0
    rest_flipped: int = 0
    gain: float = 0.0
    gain_squares: float = 0.0
    short: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    @property
    def mean_gain(self) -> Interval:
        """The mean gain of a patch over a piece without the copy, with its 95 % interval (normal); NaN without two."""
        n = self.pasted
        if n < 2:
            return Interval(float("nan"), float("nan"), float("nan"), n)
        mean = self.gain / n
        half = _Z * sqrt(max(0.0, self.gain_squares / n - mean**2) / (n - 1))
        return Interval(mean, mean - half, mean + half, n)

    @property
    def way(self) -> float:
        """The least share, by the interval of the gain, of what pieces without the copy leave missing; NaN without."""
        return self.mean_gain.low * self.pasted / self.short if self.short > 0 else float("nan")

    @property
    def sufficiency(self) -> Rate:
        """The pictures of other classes that became the group's class by a patch of it."""
        return rate(self.flipped, self.pasted)

    @property
    def random(self) -> Rate:
        """Those that became it by a random rectangle of the same members, or by the patch without its copy."""
        return rate(self.random_flipped, self.pasted)

    @property
    def rest(self) -> Rate:
        """Those that became it by the style of the rest of the class, or by pieces of pictures without a copy."""
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
    """A member as the network saw it, and the box of its patch on the input.

    ``shape``: the pixels of the input that are the same in all members; then these are the patch.
    """

    picture: Framed
    box: PatchBox
    shape: Mask | None = None


@dataclass(frozen=True, eq=False)
class Turned:
    """A picture of another class before and after a patch made it the group's class: uint8 (h, w, 3), as framed."""

    before: Pixels
    after: Pixels


class TrialPart(NamedTuple):
    """A part of a trial: the pictures that were answered, the tally of it, and those that a patch turned."""

    answered: int
    tally: Tally
    turned: Sequence[Turned] = ()


class _Altered(NamedTuple):
    """A picture with a patch, or a control of it: its kind, its pixels, and the picture before."""

    kind: str
    pixels: Pixels
    picture: Framed


def passes(members: int, others: int, pastes: int, paints: int, ways: int = 2) -> int:
    """The pictures that the network has to answer in a trial of so many pastes, in so many ways, and paints."""
    return ways * (pastes if members and others else 0) + 2 * min(paints, members)


def try_group(
    network: Network,
    target: Sequence[int],
    members: Sequence[Exhibit],
    others: Sequence[Framed],
    pastes: int,
    paints: int,
    rng: np.random.Generator,
    without: Sequence[Framed] = (),
) -> Iterator[TrialPart]:
    """Try a group of the class with these indices, a batch at a time.

    ``members``: pictures said to be of the class; ``others``: pictures of other classes, said to be of another. Each
    patch goes to a random place of a random one of these. ``without``: pictures without what comes again in the
    members; where there are some, the controls at the same places are their pieces, and the patches with the copy
    painted over. A patch that has a shape stays in its place, and nothing of its picture comes with it: its controls
    are the same part of another one of the others, and this part painted over.
    """
    better = any(one.shape is not None for one in members)
    made = chain(_pasted(members, others, pastes, rng, without), _painted(members, paints, rng))
    while together := list(islice(made, BATCH // 3)):
        batch = [one for altered in together for one in altered]
        above = margins_of(network, [one.pixels for one in batch], target)
        turned = [
            Turned(cropped(one.picture.pixels, one.picture.area), cropped(one.pixels, one.picture.area))
            for one, margin in zip(batch, above, strict=True)
            if one.kind == "patch" and margin > 0
        ]
        yield TrialPart(len(batch), counted([one.kind for one in batch], above, better), turned)


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


def _pasted(
    members: Sequence[Exhibit],
    others: Sequence[Framed],
    pastes: int,
    rng: np.random.Generator,
    without: Sequence[Framed],
) -> Iterator[list[_Altered]]:
    """Pictures of other classes with a patch, and each with its controls."""
    for number in range(pastes if members and others else 0):
        member, chosen = members[number % len(members)], int(rng.integers(len(others)))
        target = others[chosen]
        if member.shape is not None:
            another = others[(chosen + int(rng.integers(1, max(2, len(others))))) % len(others)]
            yield [
                _Altered("patch", pasted_in_place(member.picture, member.shape, target), target),
                _Altered("random patch", filled(target, member.shape), target),
                _Altered("rest", pasted_in_place(another, member.shape, target), target),
            ]
            continue
        place = place_for(size_of(member.box), target.area, rng)
        patch = _Altered("patch", pasted_at(place, member.picture, member.box, target), target)
        if not without:
            random = pasted(member.picture, _elsewhere(member, rng), target, rng)
            yield [patch, _Altered("random patch", random, target)]
            continue
        hollow = without_copy(member)
        source = without[int(rng.integers(len(without)))]
        piece = place_for(size_of(member.box), source.area, rng)
        yield [
            patch,
            _Altered("random patch", pasted_at(place, hollow, member.box, target), target),
            _Altered("rest", pasted_at(place, source, piece, target), target),
        ]


def without_copy(member: Exhibit) -> Framed:
    """The member with its patch painted over, but for a narrow rim that nothing of what came again reaches into."""
    top, left, bottom, right = member.box
    rim = min(size_of(member.box)) // _RIM
    inside = top + rim, left + rim, bottom - rim, right - rim
    return replace(member.picture, pixels=painted_over(member.picture, inside))


def _painted(members: Sequence[Exhibit], paints: int, rng: np.random.Generator) -> Iterator[list[_Altered]]:
    """Members with their patch painted over, and with a random piece."""
    for member in members[:paints]:
        picture, shape = member.picture, member.shape
        over = painted_over(picture, member.box) if shape is None else filled(picture, shape)
        yield [
            _Altered("painted", over, picture),
            _Altered("random painted", painted_over(picture, _elsewhere(member, rng)), picture),
        ]


def _elsewhere(member: Exhibit, rng: np.random.Generator) -> PatchBox:
    """A box of the patch's size, of as many pixels as its shape has, at a random place of the member."""
    size, shape = size_of(member.box), member.shape
    if shape is not None:
        height, width = (round(side * sqrt(shape.mean())) for side in shape.shape)
        size = height, width
    return place_for(size, member.picture.area, rng)


def counted(kinds: Sequence[str], above: NDArray[np.float64], better: bool = False) -> Tally:
    """The tally of some answers by their margins above the next class: patches and their controls in the same order.

    ``better``: gains are those over the better of the two controls of each patch, not over the second.
    """
    names = np.array(kinds)
    beside = above[names == "rest"]
    if better:
        beside = np.maximum(beside, above[names == "random patch"])
    missing = np.maximum(-beside, 0.0)
    gains = missing - np.maximum(-above[names == "patch"], 0.0) if "rest" in kinds else np.zeros(0)
    count, turned = Counter(kinds), Counter(kind for kind, margin in zip(kinds, above, strict=True) if margin > 0)
    return Tally(
        pasted=count["patch"],
        flipped=turned["patch"],
        random_flipped=turned["random patch"],
        painted=count["painted"],
        fell=count["painted"] - turned["painted"],
        random_fell=count["random painted"] - turned["random painted"],
        rest_flipped=turned["rest"],
        gain=float(gains.sum()),
        gain_squares=float((gains**2).sum()),
        short=float(missing.sum()),
    )
