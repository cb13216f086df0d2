"""Does a review's bound hold, how soon does it decide, who is refused, and where do sham maps lie?

    python benchmarks/reviews.py [--reviews 1000] [--pictures 2000] [--budget 200] [--goal 0.9] [--masks 200] [--write]

Simulated reviews of pictures of which a known share has the right reason, each drawn anew.

First table, a reviewer without slips: in how many reviews the lower and the upper bound held at every moment (asked of
the method: 95 % each), how they ended, and how many maps were judged, shams among them.
Second table, all real maps right: reviewers who look, who slip, and who do not look; "yes" is the goal reached.
Third table, pets with masks: how much of what own maps and shams mark lies on the animal. --write puts all into
docs/reviews.md.
"""

import argparse

import numpy as np
from data import ROOT, SHARED, table
from evidence_page import markdown, write_section
from numpy.typing import NDArray
from PIL import Image

import camcore
from camcore.heatmaps.cam_map import CamMap
from camcore.network import Network
from camcore.reviews.decision import NO, REFUSED, UNDECIDED, YES, Goal
from camcore.reviews.shams import sham
from camcore.reviews.simulation import (
    ALWAYS_NO,
    ALWAYS_YES,
    CAREFUL,
    GUESSING,
    NODDING,
    SLIPPING,
    Reviewer,
    Simulated,
    simulate,
)

PAGE = ROOT / "docs" / "reviews.md"
ENDS = (YES, NO, UNDECIDED, REFUSED)
LENGTHS = ("maps judged, mean", "median", "90th percentile")
SHARES = (0.5, 0.7, 0.8, 0.85, 0.89, 0.9, 0.92, 0.95, 0.97, 0.99, 1.0)
REVIEWERS = {
    "careful": (CAREFUL, 0.1),
    "careful, 30 % of the shams mark the object": (CAREFUL, 0.3),
    "careful, 50 % of the shams mark the object": (CAREFUL, 0.5),
    "one slip in twenty": (SLIPPING, 0.1),
    "always yes": (ALWAYS_YES, 0.1),
    "yes to 95 %, without looking": (NODDING, 0.1),
    "either key, without looking": (GUESSING, 0.1),
    "always no": (ALWAYS_NO, 0.1),
}


def reviews(reviewer: Reviewer, share: float, hits: float, given: argparse.Namespace) -> list[Simulated]:
    rng = np.random.default_rng(0)
    right, goal = round(share * given.pictures), Goal(given.goal)
    return [simulate(reviewer, right, given.pictures, goal, given.budget, rng, hits) for _ in range(given.reviews)]


def ended(found: list[Simulated]) -> list[str]:
    """The share of reviews with each end."""
    return [f"{np.mean([one.outcome.state == state for one in found]):.1%}" for state in ENDS]


def length(found: list[Simulated]) -> list[str]:
    """The maps judged until the end: mean, median and 90th percentile."""
    maps = [one.maps for one in found]
    return [f"{one:.0f}" for one in (np.mean(maps), np.median(maps), np.quantile(maps, 0.9))]


def bounds(given: argparse.Namespace) -> str:
    """A row for each true share."""
    rows = []
    for share in SHARES:
        found = reviews(CAREFUL, share, 0.1, given)
        held = [np.mean([one.low_holds for one in found]), np.mean([one.high_holds for one in found])]
        rows.append([f"{share:.0%}", *(f"{one:.1%}" for one in held), *ended(found), *length(found)])
    return markdown(["right reasons", "lower bound held", "upper bound held", *ENDS, *LENGTHS], rows)


def reviewers(given: argparse.Namespace) -> str:
    """A row for each kind of reviewer."""
    found = {name: reviews(reviewer, 1.0, hits, given) for name, (reviewer, hits) in REVIEWERS.items()}
    return markdown(["reviewer", *ENDS, *LENGTHS], [[name, *ended(one), *length(one)] for name, one in found.items()])


def placed(net: Network, count: int) -> tuple[str, int]:
    """The share of what maps mark that lies on the animal, own maps and shams, and how many pictures there are."""
    maps, masks = [], []
    for row in table("pets")[:count]:
        pic = camcore.open_picture(SHARED / "pets" / "images" / row["file"])
        (m,) = camcore.explain(net, pic, "gradcam")
        if m.values.max() > 0:
            maps.append(m)
            masks.append(np.asarray(Image.open(SHARED / "pets" / "masks" / row["mask"])) == 1)
    values, rng = np.stack([m.values for m in maps]), np.random.default_rng(0)
    own, shams = [], []
    for m, mask in zip(maps, masks, strict=True):
        others = values[rng.choice(len(values), 16)]
        own.append(marked(m, m.values, mask))
        shams.append(marked(m, sham(m.values, others, rng), mask))
    rows = [
        [name, f"{np.mean(shares):.0%}", f"{np.mean(np.array(shares) > 0.5):.0%}"]
        for name, shares in (("own", own), ("sham", shams))
    ]
    return markdown(["map", "of the marked area on the animal", "more than half of it, in pictures"], rows), len(maps)


def marked(m: CamMap, values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The share of a map's upper half, by value, that lies on the mask."""
    on = np.nan_to_num(m.frame.to_picture(values, m.cells))
    top = on >= 0.5 * on.max()
    return float((top & mask).sum() / top.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=2000, help="that each review draws from")
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--goal", type=float, default=0.9)
    parser.add_argument("--masks", type=int, default=200, help="pictures of pets; 0 leaves the third table out")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    setting = (
        f"{given.reviews:,} reviews of {given.pictures:,} pictures each, a budget of {given.budget}, the goal "
        f"{given.goal:.0%} with 95 % confidence."
    )
    sections = {
        "Do the bounds hold, and how soon do they decide?": f"{setting} A reviewer without slips. A bound held where "
        f"it never passed the true share, at any moment of the review.\n\n{bounds(given)}",
        "Who is refused?": f"{setting} All maps have the right reason. One sham in ten marks the object by chance, but "
        f"where said.\n\n{reviewers(given)}",
    }
    if given.masks:
        nets = {name: placed(camcore.load(name), given.masks) for name in ("MobileNetV2", "cats_vs_dogs")}
        sections["Where do sham maps lie?"] = "\n\n".join(
            f"{name}, Grad-CAM, {count} pets with masks. Marked: at least half of the map's maximum.\n\n{text}"
            for name, (text, count) in nets.items()
        )
    for title, text in sections.items():
        print(f"\n{title}\n\n{text}")
        if given.write:
            write_section(title, text, PAGE)


if __name__ == "__main__":
    main()
