"""The search for a style that counts: pictures of a class whose style alone moves other pictures towards the class.

The style of each picture is given to the same few pictures of other classes. Those whose style moves them farther than
nearly every style of the other classes does, and than most of their own class, are proposed as a group, which a trial
decides on. Its controls are as large a part of the other classes' pictures, again those whose style moves others
farthest.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.finding import StyleGroup
from camcore.shortcuts.style_groups import GROUPS, LEAST, nested
from camcore.shortcuts.style_trial import activations, framed_input, head_of
from camcore.shortcuts.styles import change, mean_style, styles_of
from camcore.shortcuts.trial import BATCH, margins
from camcore.shortcuts.verdict import Styled

if TYPE_CHECKING:
    from camcore.network import Network
    from camcore.shortcuts.gallery import Gallery
    from camcore.shortcuts.styles import Style
    from camcore.shortcuts.transplants import Framed

SAMPLE = 300
"""Pictures of a class whose style is tried."""
BESIDE = 100
"""Pictures of other classes whose style is tried."""
TARGETS = 4
"""Pictures of other classes that each style is given to."""
TOGETHER = 8
"""Others that the style of a group is given to, to see how strong it is."""
BEYOND = 0.95
"""The share of the styles of other classes that one of the group moves pictures farther than."""


def sample_size(of_class: int, others: int, layers: int) -> int:
    """The pictures that the network answers at most in a search at some layers, of a class and all others."""
    return layers * ((min(of_class, SAMPLE) + min(others, BESIDE)) * (1 + TARGETS) + 2 * GROUPS * TOGETHER)


def search(
    network: Network,
    layers: Sequence[str | None],
    target: Sequence[int],
    gallery: Gallery,
    label: str,
    paths: Sequence[str],
    others: Sequence[str],
    rng: np.random.Generator,
) -> Generator[int, None, tuple[StyleGroup, ...]]:
    """Find the pictures of ``paths``, said to be of a class, whose style moves those of ``others`` towards it.

    ``layers``: those at which styles are compared, None for the input itself; the one that tells most is taken. Yields
    the number of pictures that the network has just answered.
    """
    own = [paths[place] for place in np.sort(rng.permutation(len(paths))[:SAMPLE])]
    found: list[tuple[float, StyleGroup]] = []
    for layer in layers:
        found += yield from _at(network, layer, target, gallery, label, own, list(others[:BESIDE]))
    return (max(found, key=lambda one: one[0])[1],) if found else ()


def _at(
    network: Network,
    layer: str | None,
    target: Sequence[int],
    gallery: Gallery,
    label: str,
    own: Sequence[str],
    beside: Sequence[str],
) -> Generator[int, None, list[tuple[float, StyleGroup]]]:
    """The groups that are found at a layer, with how strong their style is."""
    styles: dict[str, Style] = {}
    for start in range(0, len(own) + len(beside), BATCH):
        batch = list(gallery.there([*own, *beside][start : start + BATCH]))
        if batch:
            made = styles_of(activations(network, layer, framed_input(network, [picture for _, picture in batch])))
            styles.update(zip([path for path, _ in batch], made, strict=True))
        yield len(batch)
    own, beside = ([path for path in some if path in styles] for some in (own, beside))
    if len(own) < 2 * LEAST or len(beside) < LEAST:
        return []
    given = _Given(network, layer, target, mean_style(list(styles.values())))
    to = [picture for _, picture in gallery.there(beside[:TARGETS])]
    gains = yield from given.gains(to, styles)
    limit = float(np.quantile([gains[path] for path in beside], BEYOND))
    to = [picture for _, picture in gallery.there(beside[TARGETS:][:TOGETHER] or beside)]
    found = []
    for group in nested(own, beside, limit, gains, styles):
        sets = {"group": group, "rest": [path for path in own if path not in set(group)]}
        means = {name: mean_style([styles[path] for path in some]) for name, some in sets.items()}
        moved = yield from given.gains(to, means)
        # As a mean is told from noise: times the root of the number.
        strength = (moved["group"] - moved["rest"]) * len(group) ** 0.5
        # As large a part of the other classes, chosen in the same way: what a choice of the best does is no cue.
        count = max(LEAST, round(len(group) / len(own) * len(beside)))
        controls = tuple(sorted(beside, key=lambda path: -gains[path])[:count])
        found.append((strength, StyleGroup(label, group, controls, Styled(layer))))
    return found


@dataclass(frozen=True, eq=False)
class _Given:
    """Styles that are given to pictures at a layer, instead of the usual one."""

    network: Network
    layer: str | None
    target: Sequence[int]
    usual: Style

    def gains(self, to: Sequence[Framed], styles: Mapping[str, Style]) -> Generator[int, None, dict[str, float]]:
        """The mean margin of some pictures for the class, in each of the styles."""
        x, head = framed_input(self.network, to), head_of(self.network, self.layer)
        A = activations(self.network, self.layer, x)
        gains: dict[str, float] = {}
        together = max(1, BATCH // len(x))
        names = list(styles)
        for start in range(0, len(names), together):
            batch = names[start : start + together]
            changed = np.concatenate([change(self.usual, styles[name]).of(A) for name in batch])
            found = margins(np.asarray(head(np.concatenate([x] * len(batch)), changed), np.float64), self.target)
            gains.update(zip(batch, found.reshape(len(batch), -1).mean(axis=1).tolist(), strict=True))
            yield len(changed)
        return gains
