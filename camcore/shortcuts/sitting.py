"""A sitting of the court: an audit's pictures, and what is searched and tried in them.

What was done is kept in ``court.json`` and not done again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.filters import Filters
from camcore.audits.patches import patch_box
from camcore.framing import CellGrid
from camcore.generators import Returning
from camcore.shortcuts import search, style_search
from camcore.shortcuts.examples import differing, write_examples
from camcore.shortcuts.state import State, group_key, write_state
from camcore.shortcuts.style_trial import SET, Sides, style_passes, try_style
from camcore.shortcuts.transplants import to_input
from camcore.shortcuts.trial import Exhibit, Tally, passes, try_group

if TYPE_CHECKING:
    from camcore.audits.finding import CopyGroup, StyleGroup
    from camcore.audits.groups import Group
    from camcore.audits.store import Audit
    from camcore.network import Network
    from camcore.shortcuts.gallery import Gallery
    from camcore.shortcuts.transplants import Framed
    from camcore.shortcuts.trial import Turned

LEAST = 6
"""Members of a group that is tried."""
OTHERS = 120
"""Pictures of other classes that patches are pasted into."""
PASTES, PAINTS = 32, 16
"""Trials of a group of alike evidence."""
COPY_PASTES, COPY_PAINTS = 240, 40
"""Trials of a group in which something comes again."""
WITHOUT = 60
"""Pictures without what comes again, whose pieces stand beside it."""
STYLE_PASTES, STYLE_PAINTS = 240, 40
"""Trials of a group that has a style in common."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The answered rows of an audit: paths, true classes (empty where nobody says) and classes said."""

    paths: np.ndarray
    labels: np.ndarray
    said: np.ndarray

    def of(self, label: str, without: Collection[str] = ()) -> list[str]:
        """The pictures said to be of a class."""
        return [str(path) for path in self.paths[self.said == label] if path not in without]

    def besides(self, label: str, count: int, rng: np.random.Generator) -> list[str]:
        """Random pictures that are of other classes, and are said to be."""
        others = np.flatnonzero((self.said != label) & (self.labels != label))
        return [str(path) for path in self.paths[rng.permutation(others)[:count]]]


@dataclass(frozen=True, eq=False)
class Sitting:
    """An audit before the court: the network, its pictures, and what is known of them so far."""

    network: Network
    audit: Audit
    rows: Rows
    gallery: Gallery
    state: State
    layers: tuple[str | None, ...]
    """The layers at which styles are compared; None stands for the input itself."""

    def searched(self, label: str) -> int:
        """The pictures that the network answers in the search of a class."""
        count = int((self.rows.said == label).sum())
        styles = style_search.sample_size(count, len(self.rows.said) - count, len(self.layers))
        return search.sample_size(self.audit.manifest, count) + styles

    def passes(self, group: Group) -> int:
        """The pictures that the network answers in the trial of a group."""
        if group.styled is None:
            return passes(group.size, 1, *counts(group), ways=2 if group.copied is None else 3)
        said = int((self.rows.said == group.label).sum())
        return style_passes(group.size, said - group.size, min(OTHERS, len(self.rows.said) - said), *counts(group))

    def styles(self, labels: Sequence[str], copies: Sequence[CopyGroup]) -> list[StyleGroup]:
        """The groups of classes with a style in common, less the pictures of ``copies``."""
        taken = {path for copy in copies for path in copy.boxes}
        groups = (
            replace(one, paths=tuple(path for path in one.paths if path not in taken))
            for label in labels
            for one in self.state.styles[label]
        )
        return [one for one in groups if len(one.paths) >= LEAST]

    def search(self, label: str) -> Iterator[int]:
        """Search the pictures of a class for copies and styles, unless that was done; the pictures answered so far."""
        if label in self.state.styles:
            return
        rng = self._rng("search", label)
        paths, others = self.rows.of(label), self.rows.besides(label, OTHERS, rng)
        copies = Returning(search.search(self.network, self.audit, self.gallery, label, paths, others, rng))
        done = 0
        for done in accumulate(copies):
            yield done
        given = self.network, self.layers, self._target(label), self.gallery
        styles = Returning(style_search.search(*given, label, paths, others, rng))
        for count in accumulate(styles):
            yield done + count
        self.state.copies[label], self.state.styles[label] = list(copies.result), list(styles.result)
        write_state(self.audit.folder, self.state)

    def try_group(self, group: Group, into: dict[str, Tally], pastes: int, paints: int) -> Iterator[int]:
        """Try a group, unless that was done, and keep its tally and examples; the pictures answered so far."""
        key = group_key(group)
        if key in into:
            return
        rng = self._rng("again" if into is self.state.again else "trial", key)
        members = [group.members[place] for place in rng.permutation(len(group.members))[: max(pastes, paints)]]
        others = [picture for _, picture in self.gallery.there(self.rows.besides(group.label, OTHERS, rng))]
        tally = Tally(missing=sum(path in self.gallery.missing for path in members))
        target, answered = self._target(group.label), 0
        if group.styled is not None:
            sides = self._sides(group, members, rng)
            made = try_style(self.network, group.styled.layer, target, sides, others, pastes, paints, rng)
        else:
            exhibits = list(exhibits_of(self.audit, self.gallery, members, self.state, group))
            without = () if group.copied is None else self._without(group.label, others, rng)
            made = try_group(self.network, target, exhibits, others, pastes, paints, rng, without)
        turned: list[Turned] = []
        for part in made:
            tally, answered = tally + part.tally, answered + part.answered
            turned = differing(part.turned, turned)
            yield answered
        into[key] = tally
        write_examples(self.audit.folder, key, turned)
        write_state(self.audit.folder, self.state)

    def _sides(self, group: Group, members: Sequence[str], rng: np.random.Generator) -> Sides:
        """The pictures whose styles are compared in the trial of a group that was found by its style."""
        rest = rng.permutation(self.rows.of(group.label, set(group.members)))[:SET].tolist()
        controls = [path for one in self.state.styles[group.label] for path in one.controls]
        return Sides(*([one for _, one in self.gallery.there(paths)] for paths in (members, rest, controls)))

    def _without(self, label: str, others: Sequence[Framed], rng: np.random.Generator) -> Sequence[Framed]:
        """Pictures of a class in which nothing comes again; those of ``others`` where it has hardly any."""
        paths = rng.permutation(self.rows.of(label, self._taken(label)))[:WITHOUT].tolist()
        found = [picture for _, picture in self.gallery.there(paths)]
        return found if len(found) >= LEAST else others

    def _taken(self, label: str) -> set[str]:
        """The pictures of a class in which something comes again."""
        return {path for copy in self.state.copies[label] for path in copy.boxes}

    def _target(self, label: str) -> list[int]:
        """The indices of the class: several where the network has two of its name."""
        return [index for index, own in enumerate(self.network.labels) if own == label]

    def _rng(self, *words: str) -> np.random.Generator:
        """Chance that is the same for the same audit, class and group, whatever was done before."""
        digest = sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()
        return np.random.default_rng([self.audit.manifest.seed, int.from_bytes(digest[:8], "little")])


def rows_of(audit: Audit) -> Rows:
    """The answered rows of an audit."""
    table = audit.table(["path", "label", "predicted"], Filters())
    paths, labels, said = (table[name].to_pylist() for name in ("path", "label", "predicted"))
    return Rows(np.array(paths, object), np.array([one or "" for one in labels], object), np.array(said, object))


def counts(group: Group) -> tuple[int, int]:
    """The pastes and paints of a group's trial."""
    if group.styled is not None:
        return STYLE_PASTES, STYLE_PAINTS
    return (PASTES, PAINTS) if group.copied is None else (COPY_PASTES, COPY_PAINTS)


def exhibits_of(
    audit: Audit, gallery: Gallery, members: Sequence[str], state: State, group: Group
) -> Iterator[Exhibit]:
    """The members that can be opened, each with its patch: what comes again in it, or the part its map rests on."""
    manifest, boxes, shape = audit.manifest, state.boxes(group), state.shape(group)
    cells = manifest.cells or CellGrid.uniform(manifest.grid, manifest.network.input_size)
    maps = dict(zip(members, audit.maps(members), strict=True))
    for path, picture in gallery.there(members):
        box = boxes.get(path) or patch_box(np.nan_to_num(maps[path]), picture.frame, cells)
        if box is not None:
            yield Exhibit(picture, to_input(box, picture.frame), shape)
