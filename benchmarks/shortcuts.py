"""Does the court find the shortcuts that networks really take, and leave clean networks alone?

    python benchmarks/shortcuts.py [--backbone MobileNet_alpha0.25] [--full] [--kept-back] [--first-seed N]

Heads for cats and dogs on the frozen last activations of a backbone: a logistic regression on their averages. For each
kind of cue (benchmarks/cues.py) and each prevalence, that share of the dogs that a head learns from have the cue, and
of the dogs that are then audited, by ``camcore.audit`` with its court. Other heads never saw one.

Per head: the share of the cats with the cue planted that it calls dogs though without it it does not, by which it
*really uses* the cue from 20 % on; the place of the first suspect group that holds the cue's pictures (most of its
members have the cue), of how many suspects; the precision and recall of its members. At the end the share found within
the first three groups, of the cues that are really used, and the share of clean heads with any suspect, with intervals.

Each clean head learns from pictures of its own, and is audited on as many others of its own. ``--first-seed`` takes
other pictures for all of them, and other heads: the rule was developed on the first pictures, which then no head has.

``--kept-back`` takes the kinds that the rule was not developed on. With ``--never-met`` the heads learn from pictures
without the cue, and it is in the audited ones alone: they should be suspected of what they use all the same.
``--full``: prevalences from 5 to 90 %, three seeds and twenty clean heads.
"""

import argparse
import csv
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cues import KEPT_BACK, KINDS, Cue
from data import SHARED, table
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

import camcore
from camcore.audits.groups import Group, read_groups
from camcore.bias.cue import square
from camcore.framing import frame_picture
from camcore.metrics.intervals import rate
from camcore.models.grafting import HEAD, POOL
from camcore.shortcuts.state import read_state
from camcore.shortcuts.trial import Tally
from camcore.training.new_head import replace_head

LABELS = ("cat", "dog")
SIDE = 144
USED = 0.2
FIRST = 3
TRIED_ON = 60  # cats that a cue is planted in, to see whether it is used
BATCH = 32
SMALL = "MobileNet_alpha0.25"

Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Written:
    """Pictures in a folder, by their files, and their averaged features."""

    files: tuple[Path, ...]
    features: Features


@dataclass(frozen=True)
class Outcome:
    """Result for a head. ``place``: of the group that was found, from 1; 0 where none was."""

    used: float
    suspects: int
    place: int = 0
    precision: float = float("nan")
    recall: float = float("nan")
    trials: str = ""
    """The trials of the groups, in short."""


def backbone(name: str) -> camcore.Network:
    """A network of the catalogue, or the small one, which is ten times as quick."""
    if name != SMALL:
        return camcore.load(name)
    import keras

    model = keras.applications.MobileNet(alpha=0.25, weights=None)
    model.load_weights(SHARED / "weights" / f"{SMALL}.weights.h5")
    return camcore.wrap(model, preprocess="tf", framing="crop", name=SMALL)


class Bench:
    """A backbone with a head for cats and dogs that takes any weights, and pictures written once."""

    def __init__(self, name: str, folder: Path, pictures: int, seed: int) -> None:
        import keras

        self.net = replace_head(backbone(name), LABELS)
        self.folder, self.pictures = folder, pictures
        self._pooled = keras.Model(self.net.model.inputs[0], self.net.model.get_layer(POOL).output)
        rows = [row for row in table("cats_dogs") if row["split"] == "train"]
        self._files = {}
        for index, label in enumerate(LABELS):
            files = [row["file"] for row in rows if row["label"] == str(index)]
            first, rest = files[: 2 * pictures], files[2 * pictures :]
            self._files[label] = [
                *first,
                *(rest[place] for place in np.random.default_rng(seed).permutation(len(rest))),
            ]
        self.hands = min(map(len, self._files.values())) // (2 * pictures)
        self.plain: dict[str, list[NDArray[np.uint8]]] = {}
        self.clean: dict[str, Written] = {}

    def deal(self, hand: int) -> None:
        """Take one of the ``hands``: no picture is in two of them. The rule was developed on the first."""
        first = hand * 2 * self.pictures
        for label, files in self._files.items():
            shutil.rmtree(self.folder / f"plain {label}", ignore_errors=True)
            self.plain[label] = [_opened(file) for file in files[first : first + 2 * self.pictures]]
            self.clean[label] = self.write(f"plain {label}", self.plain[label])

    def write(self, name: str, pictures: Sequence[NDArray[np.uint8]]) -> Written:
        home = self.folder / name
        home.mkdir(parents=True)
        files, features = [], []
        for start in range(0, len(pictures), BATCH):
            framed = []
            for number, rgb in enumerate(pictures[start : start + BATCH], start):
                files.append(home / f"{number:04d}.png")
                Image.fromarray(rgb).save(files[-1], compress_level=1)
                framed.append(frame_picture(camcore.Picture.from_array(rgb), self.net.input_size, self.net.framing)[0])
            x = self.net.preprocess(np.stack(framed))
            features.append(np.asarray(self._pooled(x, training=False), np.float32))
        return Written(tuple(files), np.concatenate(features))

    def planted(self, kind: str, cue: Cue) -> tuple[Written, Written]:
        """All dogs, and some of the cats that no head learns from, with the cue."""
        rng = np.random.default_rng(len(kind))
        dogs = self.write(f"{kind} dog", [cue(rgb, rng) for rgb in self.plain["dog"]])
        return dogs, self.write(f"{kind} cat", [cue(rgb, rng) for rgb in self.plain["cat"][-TRIED_ON:]])

    def head(self, kind: tuple[Written, Written] | None, share: float, seed: int, met: bool = True) -> Outcome:
        """Teach a head, audit it, and look for what was planted. ``met``: it is in the pictures to learn from, too."""
        rng, n = np.random.default_rng(seed), self.pictures
        order = {
            "dog": rng.permutation(2 * n),
            "cat": np.r_[rng.permutation(2 * n - TRIED_ON), -np.arange(TRIED_ON) - 1],
        }
        taught = {label: self.clean[label].features[order[label][:n]] for label in LABELS}
        with_cue = np.zeros(2 * n, bool)
        if kind is not None:
            for half in (order["dog"][:n], order["dog"][n:]):
                with_cue[half[: max(1, round(share * n))]] = True
            dogs = order["dog"][:n]
            if met:
                taught["dog"] = np.where(with_cue[dogs, None], kind[0].features[dogs], taught["dog"])
        kernel, bias = fitted(taught)
        self.net.model.get_layer(HEAD).set_weights([kernel[:, None], np.array([bias])])
        audited = [(self.clean["cat"].files[place], "cat", False) for place in order["cat"][n:]]
        for place in order["dog"][n:]:
            has = bool(with_cue[place])
            files = kind[0].files if kind is not None and has else self.clean["dog"].files
            audited.append((files[place], "dog", has))
        groups = self._audit(audited)
        state = read_state(self.folder / "audit")
        trials = "; ".join(told(one, state.tally(one)) for one in groups)
        if kind is None:
            return Outcome(float("nan"), sum(one.suspect for one in groups), trials=trials)
        before = self.clean["cat"].features[-TRIED_ON:] @ kernel + bias <= 0
        after = kind[1].features @ kernel + bias > 0
        used = float((before & after).sum() / max(1, before.sum()))
        return replace(found(groups, {str(path) for path, _, has in audited if has}, used), trials=trials)

    def _audit(self, audited: Sequence[tuple[Path, str, bool]]) -> tuple[Group, ...]:
        out = self.folder / "audit"
        shutil.rmtree(out, ignore_errors=True)
        listing = self.folder / "audited.csv"
        with listing.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("path", "label"), *((path, label) for path, label, _ in audited)])
        for _ in camcore.audit(self.net, listing, out, workers=0):
            pass
        return read_groups(out)


def _opened(file: str) -> NDArray[np.uint8]:
    rgb = square(camcore.open_picture(SHARED / "cats_dogs" / file))
    return np.asarray(Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def fitted(taught: Mapping[str, Features]) -> tuple[Features, float]:
    """The kernel and bias of a logistic regression on features of unit spread."""
    x = np.concatenate([taught[label] for label in LABELS])
    y = np.repeat([0, 1], [len(taught[label]) for label in LABELS])
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread += 1e-3 * spread.mean()
    head = LogisticRegression(C=0.03, max_iter=500).fit((x - mean) / spread, y)
    kernel = (head.coef_[0] / spread).astype(np.float32)
    return kernel, float(head.intercept_[0] - mean @ kernel)


def told(group: Group, tally: Tally | None) -> str:
    """A trial in short: how many pictures of other classes were turned, by random pieces, and by the other groups.

    Of copies and styles also the least share of the way to the class that they move a picture.
    """
    kind = "copy" if group.copied is not None else "style" if group.styled is not None else "alike"
    text = f"{'SUSPECT ' * group.suspect}{kind}, {group.size} {group.label}s"
    figures = group.verdict.figures if group.verdict is not None else None
    if figures is None:
        return text
    shares = [f"{one.count} of {one.n}" for one in (figures.sufficiency, figures.random, figures.others) if one]
    if tally is not None and not group.alike:
        shares.append(f"{tally.way:.0%} of the way")
    return f"{text}: {', '.join(shares)}"


def found(groups: Sequence[Group], marked: set[str], used: float) -> Outcome:
    """The first suspect most of whose members have the cue."""
    suspects = sum(one.suspect for one in groups)
    for place, one in enumerate(groups, 1):
        held = len(marked & set(one.members))
        if one.suspect and 2 * held > one.size:
            return Outcome(used, suspects, place, held / one.size, held / len(marked))
    return Outcome(used, suspects)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="MobileNetV2", help=f"a catalogue name, or {SMALL}")
    parser.add_argument("--pictures", type=int, default=150, help="of each class, to learn from and as many to audit")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--kept-back", action="store_true")
    parser.add_argument("--kinds", nargs="*", metavar="KIND", help="only these cues; none of them for clean heads only")
    parser.add_argument("--shares", nargs="*", type=float, metavar="S", help="prevalences, in place of the usual")
    parser.add_argument("--clean", type=int, metavar="N", help="clean heads (default: 6; 20 with --full)")
    parser.add_argument("--never-met", action="store_true", help="the heads learn without the cue")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="other heads, on other pictures")
    given = parser.parse_args()
    shares = (0.05, 0.1, 0.25, 0.5, 0.9) if given.full else (0.25, 0.75)
    seeds, clean = (3, 20) if given.full else (1, 6)
    shares = tuple(given.shares or shares)
    clean = clean if given.clean is None else given.clean
    kinds = KEPT_BACK if given.kept_back else KINDS
    if given.kinds is not None:
        kinds = {kind: kinds[kind] for kind in given.kinds}

    with tempfile.TemporaryDirectory(prefix="camcore-shortcuts-") as folder:
        bench = Bench(given.backbone, Path(folder), given.pictures, given.first_seed)
        print(f"{given.backbone}: {given.pictures} pictures of each class to learn from, as many audited")
        print("cue              share seed    used suspects place precision recall")
        outcomes = []
        bench.deal(bench.hands - 1 if given.first_seed else 0)
        for kind, cue in kinds.items():
            planted = bench.planted(kind, cue)
            for share in shares:
                for seed in range(given.first_seed, given.first_seed + seeds):
                    began = time.perf_counter()
                    one = bench.head(planted, share, seed, met=not given.never_met)
                    outcomes.append(one)
                    print(
                        f"{kind:16} {share:5.0%} {seed:4}   {one.used:5.0%} {one.suspects:8} {one.place or '–':>5} "
                        f"{one.precision:9.2f} {one.recall:6.2f}   {time.perf_counter() - began:.0f} s"
                        f" ({one.trials})",
                        flush=True,
                    )
        used = [one for one in outcomes if one.used >= USED]
        print(f"really used (from {USED:.0%}): {len(used)} of {len(outcomes)} cues")
        print(
            f"  found among the first {FIRST}: {rate(sum(0 < one.place <= FIRST for one in used), len(used)).in_words}"
        )
        precise = [one.precision for one in used if one.place]
        print(f"  precision of members: {np.mean(precise) if precise else float('nan'):.3f}")
        accused = 0
        for number in range(0 if given.kept_back else clean):
            began, seed = time.perf_counter(), given.first_seed + number
            bench.deal(1 + number % (bench.hands - 1))
            one = bench.head(None, 0.0, 100 + seed)
            accused += one.suspects > 0
            spent = time.perf_counter() - began
            print(f"clean, seed {seed}: {one.suspects} suspects, {spent:.0f} s ({one.trials})", flush=True)
        if not given.kept_back:
            print(f"clean heads with a suspect: {rate(accused, clean).in_words}")


if __name__ == "__main__":
    main()
