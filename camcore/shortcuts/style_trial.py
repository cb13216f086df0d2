"""The trial of a group by its style: given to pictures of other classes, and taken from its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from camcore.shortcuts.styles import change, mean_style, styles_of
from camcore.shortcuts.trial import BATCH, Tally, TrialPart, counted, margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camcore.network import Network
    from camcore.shortcuts.styles import Style
    from camcore.shortcuts.transplants import Framed

    Array32 = NDArray[np.float32]

SET = 60
"""Pictures that a style is the mean of at most."""
LEAST = 6
"""Pictures that a style is the mean of at least."""

_HALF = BATCH // 2


@dataclass(frozen=True, eq=False)
class Sides:
    """Pictures whose styles are compared: ``members`` of a group, the ``rest`` of those said to be of the class.

    ``controls``: pictures of other classes, whose style stands beside the group's.
    """

    members: Sequence[Framed]
    rest: Sequence[Framed]
    controls: Sequence[Framed]

    @property
    def enough(self) -> bool:
        """Each side has a style that is the mean of several."""
        return min(len(self.members), len(self.rest), len(self.controls)) >= LEAST


def style_passes(members: int, rest: int, others: int, pastes: int, paints: int) -> int:
    """The pictures that the network has to answer in a trial: for their styles, and then in two styles each."""
    if min(members, rest) < LEAST:
        return 0
    styles = 2 * min(members, SET) + min(rest, SET) + min(others, SET)
    return styles + (4 * pastes if others else 0) + 3 * min(paints, members)


def try_style(
    network: Network,
    layer: str | None,
    target: Sequence[int],
    sides: Sides,
    others: Sequence[Framed],
    pastes: int,
    paints: int,
    rng: np.random.Generator,
) -> Iterator[TrialPart]:
    """Try the style of a group at a layer, or of the input itself where it is None, a batch at a time.

    Each of ``others``, pictures of other classes, is changed as the style of the rest of the class goes over into the
    group's, and beside it as the style of these others goes over into that of the controls, and into that of the rest
    of the class: then the style is all of the class's. Members are changed the first two ways back.
    """
    if not sides.enough:
        return
    group = yield from _style(network, layer, sides.members)
    rest = yield from _style(network, layer, sides.rest)
    control = yield from _style(network, layer, sides.controls)
    plain = (yield from _style(network, layer, others)) if others else rest
    targets = [others[int(place)] for place in rng.integers(len(others), size=pastes)] if others else []
    head = head_of(network, layer)
    for pictures, ways, kinds in (
        (
            targets,
            (change(rest, group), change(plain, control), change(plain, rest)),
            ("patch", "random patch", "rest"),
        ),
        (sides.members[:paints], (change(group, rest), change(control, plain)), ("painted", "random painted")),
    ):
        for start in range(0, len(pictures), _HALF):
            x = framed_input(network, pictures[start : start + _HALF])
            A = activations(network, layer, x)
            scores = head(np.concatenate([x] * len(ways)), np.concatenate([way.of(A) for way in ways]))
            above = margins(np.asarray(scores, np.float64), target)
            yield TrialPart((1 + len(ways)) * len(x), counted([kind for kind in kinds for _ in x], above, better=True))


def framed_input(network: Network, pictures: Sequence[Framed]) -> Array32:
    """Pictures as a batch of the network's input."""
    return np.asarray(network.preprocess(np.stack([one.pixels for one in pictures]).astype(np.float32)))


def activations(network: Network, layer: str | None, x: Array32) -> Array32:
    """The activations (n, h, w, K) of a layer; the input itself where it is None."""
    return x if layer is None else np.asarray(network.tap(x, [layer]).activations[layer], np.float32)


def head_of(network: Network, layer: str | None) -> Callable[[Array32, Array32], Array32]:
    """The logits of inputs with other activations of a layer: a function of both."""
    if layer is None:
        return lambda x, A: np.asarray(network.logits(A), np.float32)
    return network.head(layer)


def _style(network: Network, layer: str | None, pictures: Sequence[Framed]) -> Generator[TrialPart, None, Style]:
    """The mean style of some pictures."""
    styles: list[Style] = []
    for start in range(0, min(len(pictures), SET), BATCH):
        batch = pictures[start : min(start + BATCH, SET)]
        styles += styles_of(activations(network, layer, framed_input(network, batch)))
        yield TrialPart(len(batch), Tally())
    return mean_style(styles)
