"""The small pictures of a group of evidence: patches of its members, its mean map, and what its patches turned."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

import camcore
from camcore.audits.groups import Group, GroupPatch
from camcore.audits.manifest import Manifest
from camcore.audits.sources import open_row
from camcore.render.colour import colour
from camcore.render.encode import to_data_url, to_jpeg
from camcore.shortcuts.examples import read_examples
from camcore.shortcuts.state import group_key
from ui.audit.opened import OpenAudit
from ui.jobs.work import Update, Updates, Work
from ui.rasters import shrink

PATCHES = 6
"""Patches shown of each group."""
_SIDE = 112
_QUALITY = 84
_THREADS = 4


@dataclass(frozen=True)
class GroupPictures:
    """Data URLs: of the mean map, and of the patches that can still be cut from their pictures.

    ``turned``: pictures of other classes that a patch turned in the trial, before and after.
    """

    mean_map: str
    patches: tuple[str, ...]
    turned: tuple[tuple[str, str], ...] = ()


def group_pictures(opened: OpenAudit, places: Sequence[int]) -> Work[tuple[GroupPictures, ...]]:
    """Cuts the patches of the groups at these places, in their order."""
    wanted = tuple(places)

    def steps(_: object, __: object) -> Updates[tuple[GroupPictures, ...]]:
        done: tuple[GroupPictures, ...] = ()
        with ThreadPoolExecutor(_THREADS) as pool:
            for place in wanted:
                one = opened.groups[place]
                cut = pool.map(lambda patch: _patch(opened.manifest, patch), one.patches[:PATCHES])
                turned = _turned(opened, one) if one.suspect else ()
                done = (*done, GroupPictures(_mean_map(one), tuple(filter(None, cut)), turned))
                yield Update(len(done) / len(wanted), done)

    def size(made: tuple[GroupPictures, ...]) -> int:
        return sum(len(one.mean_map) + sum(map(len, (*one.patches, *chain(*one.turned)))) for one in made)

    return Work(None, ("group_pictures", opened.key, wanted), "Cutting out the patches", steps, size)


def _patch(manifest: Manifest, patch: GroupPatch) -> str | None:
    try:
        rgb = open_row(manifest, patch.path).rgb
    except camcore.CamcoreError:
        return None
    top, left, bottom, right = patch.box
    cut = rgb[max(top, 0) : bottom, max(left, 0) : right]
    return _url(cut) if cut.size else None


def _turned(opened: OpenAudit, one: Group) -> tuple[tuple[str, str], ...]:
    examples = read_examples(opened.audit.folder, group_key(one))
    return tuple((_url(example.before), _url(example.after)) for example in examples)


def _url(rgb: NDArray[np.uint8]) -> str:
    return to_data_url(to_jpeg(shrink(rgb, _SIDE), _QUALITY), "image/jpeg")


def _mean_map(one: Group) -> str:
    values = one.mean_map / (one.mean_map.max() or 1.0)
    large = cv2.resize(values.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    return _url(colour(np.clip(large, 0, 1)))
