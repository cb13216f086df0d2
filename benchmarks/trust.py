"""How often does a map earn trust? The quick verdict on many pictures, for methods, controls and random weights.

    python benchmarks/trust.py [--model cats_vs_dogs] [--pictures 50] [--methods gradcam layercam centre] [--write]

The pictures are the test photographs of cats and dogs (as many of each), for other models the ImageNet sample. The
last row is the first method on the same architecture with random weights, of which no map may be trusted. --write puts
the table into docs/evidence.md.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from time import perf_counter

from data import photographs
from evidence_page import markdown, write_section

import camcore
from camcore.network import Network


def judged(net: Network, pictures: Iterable[camcore.Picture], method: str) -> tuple[list[camcore.Verdict], float]:
    """The verdicts of one method's maps of each picture's first class, and the seconds for all."""
    found, start = [], perf_counter()
    for pic in pictures:
        (m,) = camcore.explain(net, pic, method)
        *_, last = camcore.trust(net, pic, m)
        assert last.trust.verdict is not None
        found.append(last.trust.verdict)
    return found, perf_counter() - start


def shares(name: str, verdicts: list[camcore.Verdict], seconds: float) -> list[str]:
    """One row: how many beat chance, the levels, and the most frequent reasons that took trust away."""
    n = len(verdicts)
    levels = Counter(verdict.level for verdict in verdicts)
    chance = sum(any(r.key == "chance" and r.kind == "for" for r in verdict.reasons) for verdict in verdicts)
    doubts = Counter(r.key for verdict in verdicts for r in verdict.reasons if r.kind in ("against", "beware"))
    told = ", ".join(f"{key} {count / n:.0%}" for key, count in doubts.most_common(4))
    by_level = [f"{levels[level] / n:.0%}" for level in ("trust", "caution", "distrust")]
    return [name, f"{chance / n:.0%}", *by_level, f"{seconds / n:.2f} s", told]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="cats_vs_dogs")
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument(
        "--methods", nargs="+", default=["gradcam", "gradcam++", "layercam", "eigencam", "gradient", "centre", "random"]
    )
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    _, pictures = photographs(given.model, given.pictures)
    net = camcore.load(given.model)
    rows = []
    for method in given.methods:
        rows.append(shares(f"`{method}`", *judged(net, pictures, method)))
        print("  ".join(rows[-1]), flush=True)
    untrained = camcore.load(given.model, weights="random")
    rows.append(shares(f"`{given.methods[0]}`, random weights", *judged(untrained, pictures, given.methods[0])))
    columns = ["method", "beats chance", "trust", "caution", "distrust", "a picture", "doubts"]
    text = (
        f"{net.name}, layer `{net.default_layer}`, {len(pictures)} pictures, the class that the network says; quick "
        "form. By chance a map beats the 19 random ones once in 20 times. Doubts: the rules of `verdict.md`."
        f"\n\n{markdown(columns, rows)}"
    )
    print(text)
    if given.write:
        write_section(f"Verdicts: {net.name}", text)


if __name__ == "__main__":
    main()
