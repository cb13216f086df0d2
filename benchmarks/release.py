"""Does the gate refuse a network with a planted cue, and let other seeds of one recipe pass?

    python benchmarks/release.py [--teach 300] [--pictures 320] [--seeds 5] [--out FOLDER] [--write]

Heads on MobileNetV2 for cats and dogs, each a logistic regression on the averaged last activations of nine in ten of
the teaching pictures, drawn by its seed. Two more heads learn, by seeds of their own, from dogs of which a quarter, or
all, have a striped mark in a corner (camcore/bias/cue.py). All are checked on pets with masks, as squares, half of
whose dogs have that mark.

The limits are those that `camcore spread` proposes from all seeds but the last; then the last seed and the heads with
the cue ask to take the first one's place. Printed: the accuracy on the pets without any mark, then each rule's figure
for the three, its limit, and what became of it. --write puts that into docs/release.md.
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
from camcore.release.proposal import to_toml
from camcore.training.new_head import replace_head

CLASSES = ("cat", "dog")
DRAWN = 0.9
"""The share of the teaching pictures that a seed draws."""
SHARES = {"a quarter of the dogs": 0.25, "all dogs": 1.0}
"""Of the teaching dogs that have the mark, for each head with the cue."""


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


def taught(net: Network, count: int, seeds: int, folder: Path) -> tuple[list[Network], list[Network]]:
    """The heads of all seeds, and those with the cue on each of SHARES of the dogs."""
    rows = [row for row in table("cats_dogs") if row["split"] == "train"]
    files = [[SHARED / "cats_dogs" / row["file"] for row in rows if row["label"] == label][:count] for label in "01"]
    cats, dogs = (features(net, one, marked=False) for one in files)
    marked = features(net, files[1], marked=True)

    def drawn(seed: int) -> NDArray[np.int64]:
        return np.random.default_rng(seed).permutation(count)[: round(DRAWN * count)]

    heads = [head(net, cats[drawn(seed)], dogs[drawn(seed)], f"seed {seed}", folder) for seed in range(seeds)]
    cued = []
    for place, (name, share) in enumerate(SHARES.items()):
        learned, own = dogs.copy(), drawn(seeds + place)
        learned[: round(share * count)] = marked[: round(share * count)]
        cued.append(head(net, cats[own], learned[own], f"mark on {name}", folder))
    return heads, cued


def draw_pets(count: int, folder: Path) -> None:
    """``marked`` and ``plain``: pets as squares in a folder for each species, with ``masks``; half of the dogs are
    marked."""
    rows = table("pets")
    for name in CLASSES:
        for index, row in enumerate([row for row in rows if row["species"] == name][: count // 2]):
            rgb = square(camcore.open_picture(SHARED / "pets" / "images" / row["file"]))
            mask = np.asarray(Image.open(SHARED / "pets" / "masks" / row["mask"]).convert("L"))
            has_mark = name == "dog" and index < count // 4
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teach", type=int, default=300, help="pictures of each class to learn from")
    parser.add_argument("--pictures", type=int, default=320, help="pets that are checked")
    parser.add_argument("--seeds", type=int, default=5)
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
    asking = {"another seed": last, **{f"mark on {name}": one for name, one in zip(SHARES, cued, strict=True)}}
    results = [checked(one, seeds[0], home / "marked", policy, home) for one in asking.values()]
    plain = [
        checked(one, seeds[0], home / "plain", "[accuracy_lost]\nat_most = 1", home).versions.comparison.accuracy
        for one in asking.values()
    ]
    columns = ["", "limit, from other seeds", *asking]
    rows = [
        ["right answers without any mark", f"the first seed's: {plain[0].old.value:.1%}"]
        + [f"{one.new.value:.1%}" for one in plain],
        ["**the gate**", "", *(f"**{'passed' if one.passed else 'refused'}**" for one in results)],
    ]
    for place, first in enumerate(results[0].rules):
        outcomes = [one.rules[place] for one in results]
        rows.append(
            [f"`{first.rule.name}`", first.limit_text, *(f"{one.state}: {one.figure_text}" for one in outcomes)]
        )
    text = (
        f"{given.pictures} pets with masks, {given.pictures // 4} of the {given.pictures // 2} dogs with a mark; heads "
        f"on MobileNetV2, each from nine in ten of {given.teach} pictures of a class; limits from {len(seeds)} seeds. "
        f"The marks of the heads with the cue were on a quarter of their dogs, or on all.\n\n{markdown(columns, rows)}"
    )
    print(text)
    if given.write:
        write_section("A planted cue on photographs", text, ROOT / "docs" / "release.md")


if __name__ == "__main__":
    main()
