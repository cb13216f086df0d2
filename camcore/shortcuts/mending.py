"""Mending of a shortcut: the linear head of a network changed so that a group's patch counts for no class any more.

The trunk stays. Pictures of all classes are shown as they are, with patches of the group, and with random patches of
its members, or, of what comes again pixel by pixel, with the same patches in which it is painted over. Where a global
average and a linear head follow the layer, all that counts of them is the averaged features. ``project`` takes out of
the head the direction by which the group's patch differs from these, which needs no labels; a usual picture without
the patch keeps its scores. ``refit`` fits the head anew to pictures with and without the patch, each with its true
class.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from camcore.audits.groups import Group, read_groups
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked, one_of, whole
from camcore.errors import CamcoreError
from camcore.heatmaps.arguments import a_network, a_path
from camcore.metrics.intervals import Rate, rate
from camcore.models.description import described
from camcore.models.pickling import weights_hash
from camcore.network import Network
from camcore.shortcuts.gallery import Gallery
from camcore.shortcuts.in_place import filled, pasted_in_place
from camcore.shortcuts.linear_head import LinearHead, linear_head, with_head
from camcore.shortcuts.mended import WAYS, Mending, Trials, Way
from camcore.shortcuts.sitting import exhibits_of
from camcore.shortcuts.state import group_key, read_state
from camcore.shortcuts.transplants import Framed, pasted, place_for, size_of
from camcore.shortcuts.trial import BATCH, Exhibit, without_copy

Floats = NDArray[np.float64]

PICTURES = 400
"""Pictures that a head is mended on, half of them, and tried on, the other half."""
PATCHES = 60
"""Members whose patches are pasted."""
PASTES = 240
"""Patches pasted into the pictures that it is tried on, at least: of few pictures each gets several."""

_PENALTY = 1e-3  # on the change of a head that is fitted anew, in units of its features' spread
_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class Mended:
    """A mended network, and the record of what it does beside the one it was made from.

    ``summary``: what both learned from, in a few words; "" where nobody says.
    """

    network: Network
    record: Mending
    summary: str = ""


@checked(network=a_network, folder=a_path, number=whole(1), way=one_of(*WAYS, kind="way to mend"))
def mend(
    network: Network, folder: str | os.PathLike[str], number: int, way: Way = "project"
) -> Generator[tuple[int, int], None, Mended]:
    """Mend a network of the shortcut that an audit of it found in the group at a place of its list, from 1.

    Yields (pictures done, in all). Raises CamcoreError for a group that there is not, without patches, or of an audit
    of another network; where labels are missing that ``refit`` needs; MethodError for a network without a linear head.
    """
    audit = open_audit(folder)
    groups = read_groups(audit.folder)
    if number > len(groups):
        raise CamcoreError(
            f"There is no group {number} in '{audit.folder}': it has {len(groups)}, counted from 1, the most "
            "suspicious first. Give the place of one."
        )
    if audit.manifest.network.labels != network.labels:
        raise CamcoreError(
            f"The audit in '{audit.folder}' is of {audit.manifest.network.name}, and {network.name} has other classes. "
            "A network is mended by an audit of its own. Give that network."
        )
    head = linear_head(network, audit.manifest.layer)
    return _steps(network, audit, groups[number - 1], way, head)


def _steps(
    network: Network, audit: Audit, group: Group, way: Way, head: LinearHead
) -> Generator[tuple[int, int], None, Mended]:
    manifest = audit.manifest
    rng = np.random.default_rng(manifest.seed)
    gallery = Gallery(network, manifest)
    patched = rng.permutation(list(group.members))[:PATCHES].tolist()
    exhibits = list(exhibits_of(audit, gallery, patched, read_state(audit.folder), group))
    if not exhibits:
        raise CamcoreError(
            f"None of the {group.size:,} pictures of this group can be opened and has a patch. What it rests on cannot "
            "be pasted. Put the pictures back where they were, or choose another group."
        )
    table = audit.table(["path", "label"])
    labels = dict(zip(table["path"].to_pylist(), table["label"].to_pylist(), strict=True))
    if way == "refit" and not all(labels.values()):
        raise CamcoreError(
            "A head cannot be fitted to pictures without labels. Nothing says what they show. Audit pictures in a "
            "folder for each class, or take the way 'project', which needs none."
        )
    drawn = rng.permutation(table["path"].to_pylist())[:PICTURES].tolist()
    members = [path for path in rng.permutation(list(group.members))[:PATCHES].tolist() if path not in set(drawn)]
    own = set(group.members)
    shown = sorted(gallery.there([*drawn, *members]), key=lambda one: one[0] in own)  # so that both halves have of each
    features: dict[str, Floats] = {}
    rounds = -(-2 * PASTES // max(1, len(shown)))
    total, done = (1 + 2 * rounds) * len(shown), 0
    for name, times in (("plain", 1), ("patch", rounds), ("random", rounds)):
        places = np.random.default_rng([manifest.seed, 1])  # the same with and without what comes again
        copied = group.copied is not None
        made = _altered(name, [picture for _, picture in shown] * times, exhibits, copied, places)
        rows = []
        for batch in made:
            x = network.preprocess(np.stack(batch).astype(np.float32))
            A = network.tap(x, [manifest.layer]).activations[manifest.layer]
            rows.append(A.mean(axis=(1, 2), dtype=np.float64))
            done += len(batch)
            yield done, total
        features[name] = np.concatenate(rows)
    half = np.arange(len(shown)) % 2 == 0
    if way == "project":
        altered = np.tile(half, rounds)
        direction = (features["patch"][altered] - features["random"][altered]).mean(axis=0)
        outside = half & np.array([path not in own for path, _ in shown])
        usual = features["plain"][outside if outside.any() else half].mean(axis=0)
        fresh = head.without(direction, usual)
    else:
        truth = np.array([network.labels.index(labels[path]) for path, _ in shown])
        both = np.concatenate([features["plain"][half], features["patch"][: len(shown)][half]])
        fresh = head.fitted(both, np.tile(truth[half], 2), _PENALTY, _ROUNDS)
    held = [(path, row) for row, (path, _) in enumerate(shown) if not half[row]]
    trials = [_trials(one, features, held, labels, own, network, group.label) for one in (head, fresh)]
    time = datetime.now(UTC).isoformat(timespec="seconds")
    made_from = (network.name, weights_hash(network))
    record = Mending(*made_from, group.label, group.size, group_key(group), way, time, trials[0], trials[1])
    note = f"{network.weights_note}; without a shortcut to {group.label!r}"
    return Mended(with_head(network, fresh, note), record, _summary(network))


def _summary(network: Network) -> str:
    origin = network.origin
    if origin is not None and origin.folder is not None:
        return described(origin.folder).summary
    return "ImageNet" if network.weights_note.startswith("ImageNet") else ""


def _altered(
    kind: str, pictures: Sequence[Framed], exhibits: Sequence[Exhibit], copied: bool, rng: np.random.Generator
) -> Iterator[list[NDArray[np.uint8]]]:
    """The pictures in batches: as they are, with a patch, or with a random piece of its size.

    Of what comes again (``copied``), in place of a random piece: the same patch with it painted over; of what stays in
    its place: with this part painted over.
    """
    batch: list[NDArray[np.uint8]] = []
    for number, picture in enumerate(pictures):
        one = exhibits[number % len(exhibits)]
        if kind == "plain":
            batch.append(picture.pixels)
        elif one.shape is not None:
            shown = pasted_in_place(one.picture, one.shape, picture) if kind == "patch" else filled(picture, one.shape)
            batch.append(shown)
        elif kind == "patch" or copied:
            batch.append(pasted(one.picture if kind == "patch" else without_copy(one), one.box, picture, rng))
        else:
            batch.append(pasted(one.picture, place_for(size_of(one.box), one.picture.area, rng), picture, rng))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _trials(
    head: LinearHead,
    features: dict[str, Floats],
    held: Sequence[tuple[str, int]],
    labels: dict[str, str | None],
    members: set[str],
    network: Network,
    target: str,
) -> Trials:
    said = {kind: head.classes(found) for kind, found in features.items()}
    name = [network.labels[index] for index in said["plain"]]
    own = [(path, row) for path, row in held if path in members]
    rest = [(path, row) for path, row in held if path not in members]
    right: list[Rate | None] = []
    for part in (own, rest):
        known = part and all(labels[path] for path, _ in part)
        right.append(rate(sum(name[row] == labels[path] for path, row in part), len(part)) if known else None)
    strangers = [row for path, row in rest if labels[path] != target and name[row] != target]
    count = len(said["plain"])  # of pictures; behind them come those with another patch in each
    pasted_into = [row + first for first in range(0, len(said["patch"]), count) for row in strangers]
    turned = (sum(network.labels[said[kind][row]] == target for row in pasted_into) for kind in ("patch", "random"))
    return Trials(right[0], right[1], *(rate(number, len(pasted_into)) for number in turned))
