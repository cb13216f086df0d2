"""How often does a map earn trust? The quick verdict on many pictures, for methods, controls and random weights.

    python benchmarks/trust.py [--model cats_vs_dogs] [--pictures 50] [--methods gradcam layercam centre]

The pictures are the test photographs of cats and dogs (as many of each), for other models the ImageNet sample. The
last row is the first method on the same architecture with random weights, which no map may be trusted of.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from time import perf_counter

from data import SHARED, table

import camcore
from camcore.network import Network


def photographs(model: str, count: int) -> list[camcore.Picture]:
    """Test pictures, evenly over the classes."""
    if model == "cats_vs_dogs":
        rows = [row for row in table("cats_dogs") if row["split"] == "test"]
        by_label = [[row["file"] for row in rows if row["label"] == label] for label in "01"]
        files = [name for pair in zip(*by_label, strict=False) for name in pair]
        folder = "cats_dogs"
    else:
        files = [row["file"] for row in table("imagenet_sample")]
        folder = "imagenet_sample"
    step = max(1, len(files) // count) | 1  # odd, so that both classes come
    return [camcore.open_picture(SHARED / folder / name) for name in files[::step][:count]]


def judged(net: Network, pictures: Iterable[camcore.Picture], method: str) -> tuple[list[camcore.Verdict], float]:
    """The verdicts of one method's maps of each picture's first class, and the seconds for all."""
    found, start = [], perf_counter()
    for pic in pictures:
        (m,) = camcore.explain(net, pic, method)
        *_, last = camcore.trust(net, pic, m)
        assert last.trust.verdict is not None
        found.append(last.trust.verdict)
    return found, perf_counter() - start


def report(name: str, verdicts: list[camcore.Verdict], seconds: float) -> None:
    """One line of shares, one of the most frequent reasons that took trust away."""
    n = len(verdicts)
    levels = Counter(verdict.level for verdict in verdicts)
    chance = sum(any(r.key == "chance" and r.kind == "for" for r in verdict.reasons) for verdict in verdicts)
    doubts = Counter(r.key for verdict in verdicts for r in verdict.reasons if r.kind in ("against", "beware"))
    shares = "  ".join(f"{levels[level] / n:6.0%}" for level in ("trust", "caution", "distrust"))
    told = ", ".join(f"{key} {count / n:.0%}" for key, count in doubts.most_common(4))
    print(f"{name:24s} {chance / n:7.0%}   {shares}   {seconds / n:5.2f} s   {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="cats_vs_dogs")
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument(
        "--methods", nargs="+", default=["gradcam", "gradcam++", "layercam", "eigencam", "gradient", "centre", "random"]
    )
    given = parser.parse_args()

    pictures = photographs(given.model, given.pictures)
    net = camcore.load(given.model)
    print(f"{net.name}, {net.default_layer}, {len(pictures)} pictures: quick verdicts")
    print(f"{'method':24s}   beats chance   trust caution distrust   a picture   doubts")
    for method in given.methods:
        report(method, *judged(net, pictures, method))
    untrained = camcore.load(given.model, weights="random")
    report(f"{given.methods[0]}, random weights", *judged(untrained, pictures, given.methods[0]))


if __name__ == "__main__":
    main()
