"""Does the gate refuse a network with a planted cue, and let other seeds of one recipe pass?

    python benchmarks/release.py [--teach 200] [--pictures 160] [--seeds 4] [--out FOLDER] [--write]

Heads on MobileNetV2 for cats and dogs, each a logistic regression on the averaged last activations of a random half of
the teaching pictures, which is its seed. One more head learns from dogs of which a quarter has a striped mark in a
corner (camcore/bias/cue.py), of the same half as the first one. All are checked on pets with masks, as squares, a
quarter of whose dogs have that mark.

The limits are those that `camcore spread` proposes from the seeds but the last; then the last seed and the head with
the cue ask to take the first one's place. Printed: the accuracy on the pets without any mark, then each rule's figure
for both, its limit, and what became of it. --write puts that into docs/release.md.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from data import ROOT, SHARED, table
from evidence_page import markdown, write_section
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

import camcore
from camcore.batches import BATCH
from camcore.bias.cue import plant_cue, square
from camcore.framing import frame_picture
from camcore.network import Network
from camcore.release.judged import Judgement
from camcore.release.proposal import to_toml
from camcore.training.new_head import replace_head

CLASSES = ("cat", "dog")
QUARTER = 0.25


def features(net: Network, files: Sequence[Path], marked: bool) -> NDArray[np.float32]:
    """The averaged last activations of pictures, made square, with the mark or without."""
    found = []
    layer = net.layer_with_grid(None).path
    for start in range(0, len(files), BATCH):
        squares = [square(camcore.open_picture(file)) for file in files[start : start + BATCH]]
        pictures = [camcore.Picture.from_array(plant_cue(rgb) if marked else rgb) for rgb in squares]
        x = net.preprocess(np.stack([frame_picture(pic, net.input_size, net.framing)[0] for pic in pictures]))
        found.append(net.tap(x, [layer]).activations[layer].mean(axis=(1, 2), dtype=np.float32))
    return np.concatenate(found)


def head(net: Network, cats: NDArray[np.float32], dogs: NDArray[np.float32], name: str, folder: Path) -> Network:
    """The network with a head that tells cats from dogs by these features, as a file that is loaded again."""
    fitted = LogisticRegression(C=0.1, max_iter=1000)
    fitted.fit(np.concatenate([cats, dogs]), [0] * len(cats) + [1] * len(dogs))
    made = replace_head(net, CLASSES)
    made.model.layers[-1].set_weights([fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)])
    made.model.save(folder / f"{name}.keras")
    return camcore.load(folder / f"{name}.keras", labels=CLASSES, preprocess="tf", framing=net.framing)


def taught(net: Network, count: int, seeds: int, folder: Path) -> tuple[list[Network], Network]:
    """The heads of all seeds, and the one with the cue."""
    rows = [row for row in table("cats_dogs") if row["split"] == "train"]
    files = [[SHARED / "cats_dogs" / row["file"] for row in rows if row["label"] == label][:count] for label in "01"]
    cats, dogs = (features(net, one, marked=False) for one in files)
    marked = features(net, files[1][: round(QUARTER * count)], marked=True)
    heads = []
    for seed in range(seeds):
        half = np.random.default_rng(seed).permutation(count)[: count // 2]
        heads.append(head(net, cats[half], dogs[half], f"seed {seed}", folder))
    half = np.random.default_rng(0).permutation(count)[: count // 2]
    dogs[: len(marked)] = marked
    return heads, head(net, cats[half], dogs[half], "with the cue", folder)


def draw_pets(count: int, folder: Path) -> None:
    """``marked`` and ``plain``: pets as squares in a folder for each species, with ``masks``; a quarter of the dogs is
    marked."""
    rows = table("pets")
    for name in CLASSES:
        for index, row in enumerate([row for row in rows if row["species"] == name][: count // 2]):
            rgb = square(camcore.open_picture(SHARED / "pets" / "images" / row["file"]))
            mask = np.asarray(Image.open(SHARED / "pets" / "masks" / row["mask"]).convert("L"))
            has_mark = name == "dog" and index < QUARTER * count / 2
            values = square(camcore.Picture.from_array(np.repeat(mask[..., None], 3, axis=2)))[..., 0]
            for part, drawn in (("plain", rgb), ("marked", plant_cue(rgb) if has_mark else rgb), ("masks", values)):
                path = folder / part / name / f"{Path(row['file']).stem}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(drawn).save(path)


def checked(new: Network, old: Network, pictures: Path, policy: str, out: Path) -> camcore.CheckResult:
    """The outcome of a gate."""
    rules = camcore.read_policy(policy.encode())
    *_, last = camcore.check(new, old, pictures, rules, out, masks=out / "masks")
    assert last.result is not None
    return last.result


def row(seed: Judgement, cue: Judgement) -> list[str]:
    """A rule with the figures of both."""
    return [f"`{seed.rule.name}`", seed.limit_text, *(f"{one.figure_text}: {one.state}" for one in (seed, cue))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teach", type=int, default=200, help="pictures of each class to learn from")
    parser.add_argument("--pictures", type=int, default=160, help="pets that are checked")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--out", help="where networks, pictures and audits are kept (default: a temporary folder)")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    home = Path(given.out or tempfile.mkdtemp())
    home.mkdir(parents=True, exist_ok=True)
    (*seeds, last), cued = taught(camcore.load("MobileNetV2"), given.teach, given.seeds, home)
    draw_pets(given.pictures, home)
    *_, step = camcore.spread(seeds, home / "marked", home, masks=home / "masks")
    assert step.result is not None
    policy = to_toml(step.result)
    plain = checked(cued, seeds[0], home / "plain", "[accuracy_lost]\nat_most = 1", home)
    one, other = (checked(network, seeds[0], home / "marked", policy, home) for network in (last, cued))
    accuracy = plain.versions.comparison.accuracy
    text = (
        f"{accuracy.old.n} pets with masks, {round(QUARTER * given.pictures / 2)} of the {given.pictures // 2} dogs "
        f"with a mark; heads on MobileNetV2, each from {given.teach // 2} pictures of a class. Limits from "
        f"{len(seeds)} seeds. Without the mark, {accuracy.old.value:.1%} of the first head's answers are right and "
        f"{accuracy.new.value:.1%} of those of the head with the cue.\n\n"
        f"The other seed: {'passed' if one.passed else 'refused'}. The head with the cue: "
        f"{'passed' if other.passed else 'refused'}.\n\n"
    )
    columns = ["rule", "limit", "another seed", "with the cue"]
    text += markdown(columns, [row(*both) for both in zip(one.rules, other.rules, strict=True)])
    print(text)
    if given.write:
        write_section("A planted cue on photographs", text, ROOT / "docs" / "release.md")


if __name__ == "__main__":
    main()
