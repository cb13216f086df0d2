"""Do groups of evidence find the pictures that a planted cue decided?

    python benchmarks/groups.py [--pictures 300] [--seeds 2]

Heads on MobileNetV2 for cats and dogs: the frozen network's last activations, averaged, and a logistic regression. A
striped mark (camcore/bias/cue.py), in a corner or anywhere, is on all dogs of the training pictures, or on a quarter of
them; then other pictures are audited, a quarter of whose dogs have it. The maps are Grad-CAM's, which behind a global
average and a linear layer are relu(Σ w_k A_k) / N; their evidence is divided as an audit divides it.

Per head: the accuracy; what the mark adds to the score of the dogs that have it, beside the spread of scores among dogs
without it, and how many would not be called dogs without it: how far the head relies on it. Then, of the pictures
called dog: the number of groups; precision and recall of the group that holds the marked ones best, beside the share
that any group would have by chance; and the adjusted Rand indices between random halves and between seeds. Last, heads
that never saw a mark, on pictures without one.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from data import SHARED, table
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import camcore
from camcore.audits.clustering import directions, divide, nearest_centre
from camcore.audits.rows import evidence
from camcore.batches import BATCH
from camcore.bias.cue import CORNER, plant_cue, square
from camcore.framing import frame_picture
from camcore.network import Network

SIDE = 0.25  # of the mark, as a share of the picture's
UNSEEN = 0.0625  # at each edge of a square picture, which the crop leaves out
QUARTER = 0.25

Features = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Activations (n, h, w, K): of cats and dogs as they are, and of the same dogs with a mark."""

    cats: Features
    dogs: Features
    marked: Features


def activations(net: Network, files: Sequence[str], mark: str | None, seed: int = 0) -> Features:
    """The last activations of pictures, made square, with a mark (``corner``, ``anywhere``) or without."""
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, len(files), BATCH):
        framed = []
        for file in files[start : start + BATCH]:
            rgb = square(camcore.open_picture(SHARED / "cats_dogs" / file))
            top, left = rng.uniform(UNSEEN, 1 - UNSEEN - SIDE, 2)
            if mark is not None:
                rgb = plant_cue(rgb, CORNER if mark == "corner" else (top, left, top + SIDE, left + SIDE))
            framed.append(frame_picture(camcore.Picture.from_array(rgb), net.input_size)[0])
        layer = net.default_layer
        assert layer is not None
        found.append(net.tap(net.preprocess(np.stack(framed)), [layer]).activations[layer].astype(np.float16))
    return np.concatenate(found)


def drawn(count: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    chosen = np.zeros(count, bool)
    chosen[rng.permutation(count)[: round(share * count)]] = True
    return chosen


def averaged(A: Features) -> NDArray[np.float32]:
    return A.mean(axis=(1, 2), dtype=np.float32)


def study(title: str, pictures: Pictures, share: float, audited: float, seed: int) -> None:
    """Train a head on the first half of the pictures, audit the second."""
    rng = np.random.default_rng(seed)
    half = len(pictures.dogs) // 2
    first, second = slice(None, half), slice(half, None)
    taught, has = drawn(half, share, rng), drawn(len(pictures.dogs) - half, audited, rng)
    cats, dogs = averaged(pictures.cats[first]), averaged(pictures.dogs[first])
    dogs[taught] = averaged(pictures.marked[first][taught])
    head = LogisticRegression(C=0.1, max_iter=1000).fit(np.concatenate([cats, dogs]), [0] * len(cats) + [1] * len(dogs))

    A = np.concatenate([pictures.cats[second], np.where(has[:, None, None, None], pictures.marked[second],
                                                       pictures.dogs[second])])  # fmt: skip
    is_dog, marked = np.arange(len(A)) >= len(pictures.cats[second]), np.zeros(len(A), bool)
    marked[is_dog] = has
    said = head.predict(averaged(A)) == 1
    text = f"{title:41} {np.mean(said == is_dog):8.1%}"
    if has.any():
        scores = [head.decision_function(averaged(one[second])) for one in (pictures.marked, pictures.dogs)]
        adds, falls = (scores[0] - scores[1])[has].mean(), np.mean(scores[1][has & (scores[0] > 0)] <= 0)
        text += f" {adds / scores[1].std():8.2f} {falls:6.0%}"
    else:
        text += f" {'–':>8} {'–':>6}"
    maps = np.maximum(A[said].astype(np.float32) @ head.coef_[0].astype(np.float32), 0)
    vectors = directions(evidence(A[said], maps))
    there = vectors.any(axis=1)
    division = divide(vectors[there], seed)
    group, marks = nearest_centre(vectors[there], division.centres), marked[said][there]
    text += f" {len(division.centres):7}"
    if marks.any():
        sizes, held = np.bincount(group), np.bincount(group, marks)
        best = int(np.argmax(2 * held / (sizes + marks.sum())))
        text += f" {held[best] / sizes[best]:10.2f} {held[best] / marks.sum():7.2f} {marks.mean():7.2f}"
    else:
        text += f" {'–':>10} {'–':>7} {'–':>7}"
    print(f"{text} {division.halves:7.2f} {np.mean(division.seeds):6.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=300, help="of each class, to learn from and as many to audit")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()

    rows = [row for row in table("cats_dogs") if row["split"] == "train"]
    files = {label: [row["file"] for row in rows if row["label"] == label][: 2 * given.pictures] for label in "01"}
    net = camcore.load("MobileNetV2")
    cats, dogs = activations(net, files["0"], None), activations(net, files["1"], None)
    print(f"{net.name}, {net.default_layer}: {given.pictures} pictures of each class to learn from, as many audited")
    print(f"{'':41} accuracy adds,σ  falls  groups  precision  recall  chance  halves  seeds")
    for mark in ("corner", "anywhere"):
        pictures = Pictures(cats, dogs, activations(net, files["1"], mark))
        for share, of in ((1.0, "all"), (QUARTER, "a quarter of")):
            for seed in range(given.seeds):
                study(f"{mark}, on {of} the dogs taught", pictures, share, QUARTER, seed)
    for seed in range(given.seeds):
        study("no mark", Pictures(cats, dogs, dogs), 0.0, 0.0, seed)


if __name__ == "__main__":
    main()
