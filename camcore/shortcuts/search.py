"""The search for copies in the pictures said to be of one class.

Parts that its answers rest on, and keypoints that come again, propose templates; pixels decide.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.finding import CopyGroup
from camcore.framing import CellGrid
from camcore.shortcuts.copies import Copy, box_of, find_copy, match, view
from camcore.shortcuts.in_place_search import AGREED, find_in_place
from camcore.shortcuts.keypoint_search import find_recurring, keypoints_of, reach
from camcore.shortcuts.parts import find_parts
from camcore.shortcuts.transplants import to_picture
from camcore.shortcuts.verdict import Copied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from camcore.audits.manifest import Manifest
    from camcore.audits.patches import PatchBox
    from camcore.audits.store import Audit
    from camcore.framing import Point
    from camcore.network import Network
    from camcore.shortcuts.copies import View
    from camcore.shortcuts.gallery import Gallery
    from camcore.shortcuts.in_place_search import InPlace
    from camcore.shortcuts.transplants import Framed

SAMPLE = 400
"""Pictures of a class that its parts are found in."""
MATCHED = 5_000
"""Pictures of a class that a template is looked for in."""
COARSE = 8
"""Parts that a side of the layer's grid is divided into at most: a finer one has many cells where this has one."""
LEAST = 6
"""Pictures that have a copy."""
BESIDE = 60
"""Pictures of other classes that templates are held against."""

_BATCH = 32
_HELD_BYTES = 512 << 20  # of activations
_MOST = 2 / 3  # of the pictures: what is in more of them may be the thing itself, as in drawings, and hides no cue
_SAME = 0.5  # of the pictures with a copy, by which it is one that was found before


def sample_size(manifest: Manifest, count: int) -> int:
    """The number of pictures, of those of a class, whose activations are looked at."""
    rows, columns = (len(edges_of(side)) for side in manifest.grid)
    each = 2 * rows * columns * max(1, manifest.channels)
    return min(count, SAMPLE, max(LEAST, _HELD_BYTES // each))


def search(
    network: Network,
    audit: Audit,
    gallery: Gallery,
    label: str,
    paths: Sequence[str],
    others: Sequence[str],
    rng: np.random.Generator,
) -> Generator[int, None, tuple[CopyGroup, ...]]:
    """Find what comes again in ``paths``, pictures said to be of a class, and not in ``others``.

    Yields the number of pictures that the network has just answered.
    """
    manifest = audit.manifest
    drawn = rng.permutation(len(paths))[: sample_size(manifest, len(paths))]
    sample = [paths[place] for place in np.sort(drawn)]
    kept: list[str] = []
    activations = []
    for start in range(0, len(sample), _BATCH):
        batch = list(gallery.there(sample[start : start + _BATCH]))
        if batch:
            x = network.preprocess(np.stack([picture.pixels for _, picture in batch]).astype(np.float32))
            A = network.tap(x, [manifest.layer]).activations[manifest.layer]
            activations.append(coarse(np.asarray(A, np.float32)).astype(np.float16))
            kept += [path for path, _ in batch]
        yield len(batch)
    if len(kept) < LEAST:
        return ()
    maps = coarse(np.nan_to_num(audit.maps(kept))[..., None])[..., 0]
    pictures = dict(gallery.there(kept))
    strangers = [picture for _, picture in gallery.there(others[:BESIDE])]
    still = yield from _in_place(gallery, label, paths, find_in_place(list(pictures.values()), strangers), strangers)
    views, beside = {path: view(picture) for path, picture in pictures.items()}, [view(one) for one in strangers]
    seen = [views[path] for path in kept]
    found: list[tuple[Copy, dict[int, Point]]] = []
    cells = manifest.cells or CellGrid.uniform(manifest.grid, manifest.network.input_size)
    for part in find_parts(np.concatenate(activations), maps, manifest.seed):
        points = [_centres(own, manifest.grid, cells, manifest.network.input_size) for own in part.cells]
        copy = find_copy([seen[place] for place in part.members], points, beside, rng)
        yield 0
        if copy is not None:
            found.append((copy, _having(copy, seen)))
    keypoints = keypoints_of([pictures[path] for path in kept], strangers, rng)
    known = {place for _, having in found for place in having}
    for recurring in find_recurring(keypoints, rng):
        if 2 * len(known.intersection(recurring.members.tolist())) > len(recurring.members):
            continue
        copy = find_copy([seen[place] for place in recurring.members], [[one] for one in recurring.points], beside, rng)
        yield 0
        if copy is None:
            continue
        having = _having(copy, seen)
        if len(having) <= _MOST * len(seen):
            found.append((copy, having))
            known.update(having)
    found.sort(key=lambda one: (len(one[1]) > _MOST * len(seen), -one[0].clear))
    copies = [replace(copy, reach=reach(keypoints, having)) for copy, having in found]
    taken = {path for one in still for path in one.boxes}
    return still + (yield from _members(gallery, label, paths, copies, views, taken))


def _having(copy: Copy, views: Sequence[View]) -> dict[int, Point]:
    """The places of the views that have a copy, and its corner (y, x) in them, as shares of the sides."""
    matches = ((place, seen, *match(copy.template, seen)) for place, seen in enumerate(views))
    return {
        place: (top / seen.shape[0], left / seen.shape[1])
        for place, seen, score, (top, left) in matches
        if score >= copy.threshold
    }


def edges_of(side: int) -> NDArray[np.int64]:
    """The first cell of each part that a side of a grid is divided into: at most COARSE of them."""
    return np.linspace(0, side, min(side, COARSE), endpoint=False).astype(np.int64)


def coarse(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The means of (n, h, w, K) over the parts of its grid: (n, ≤ COARSE, ≤ COARSE, K)."""
    for axis in (1, 2):
        edges = edges_of(values.shape[axis])
        counts = np.diff([*edges, values.shape[axis]]).reshape(-1, *[1] * (3 - axis))
        values = np.divide(np.add.reduceat(values, edges, axis=axis), counts, dtype=np.float32)
    return values


def _centres(
    own: NDArray[np.int64], grid: tuple[int, int], cells: CellGrid, size: tuple[int, int]
) -> list[tuple[float, float]]:
    """The centres (y, x) of the parts of a grid, as shares of the input's sides."""
    middles = [(edges_of(side) + np.append(edges_of(side)[1:], side) - 1) / 2 for side in grid]
    index = np.stack([middles[axis][own[:, axis]] for axis in (0, 1)], axis=1)
    places = (np.asarray(cells.first_centre) + index * np.asarray(cells.stride) + 0.5) / np.asarray(size)
    return [(float(y), float(x)) for y, x in places]


def _members(
    gallery: Gallery, label: str, paths: Sequence[str], found: Sequence[Copy], views: dict[str, View], taken: set[str]
) -> Generator[int, None, tuple[CopyGroup, ...]]:
    """The pictures that have each copy. One that is mostly in ``taken``, or those of an earlier one, is the same."""
    recurring: list[CopyGroup] = []
    for copy in found:
        boxes: dict[str, PatchBox] = {}
        for path, picture in gallery.there(paths[:MATCHED]):
            seen = views[path] if path in views else view(picture)
            score, corner = match(copy.template, seen)
            if score >= copy.threshold:
                boxes[path] = to_picture(box_of(copy, corner, seen, picture), picture.frame)
        yield 0
        own = {path: box for path, box in boxes.items() if path not in taken}
        if len(own) >= LEAST and len(own) > (1 - _SAME) * len(boxes):
            recurring.append(CopyGroup(label, own, Copied(copy.within, copy.beside)))
            taken |= set(own)
    return tuple(recurring)


def _in_place(
    gallery: Gallery, label: str, paths: Sequence[str], found: Sequence[InPlace], others: Sequence[Framed]
) -> Generator[int, None, tuple[CopyGroup, ...]]:
    """The pictures that have each copy that stays in its place."""
    recurring: list[CopyGroup] = []
    taken: set[str] = set()
    for copy in found:
        rows, columns = (np.flatnonzero(copy.shape.any(axis=axis)) for axis in (1, 0))
        box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
        within, boxes = [], {}
        for path, picture in gallery.there(paths[:MATCHED]):
            share = copy.agreement(picture)
            if share >= AGREED and path not in taken:
                within.append(share)
                boxes[path] = to_picture(box, picture.frame)
        yield 0
        if len(boxes) >= LEAST:
            beside = float(np.median([copy.agreement(one) for one in others]))
            copied = Copied(float(np.median(within)), beside, float(copy.shape.mean()))
            recurring.append(CopyGroup(label, boxes, copied, copy.shape))
            taken |= set(boxes)
    return tuple(recurring)
