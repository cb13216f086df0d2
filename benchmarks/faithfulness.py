"""Do the methods beat the controls? Faithfulness of every cheap method on photographs.

    python benchmarks/faithfulness.py [--model MobileNetV2] [--pictures 100] [--steps 8] [--road 0.2] [--write]

Average drop and increase: of the class's probability when the picture is multiplied by its map. Deletion and
insertion: area under the curve, in fewer steps than the 224 that are published, so their levels are coarser. ROAD:
(LeRF − MoRF)/2 at the removal levels given (0.2 0.4 0.6 0.8 in the paper). Class: the one the network says. Each figure
is the mean over the pictures with its bootstrap 95 % interval; empty maps count. ``random`` is the mean of three fields
of noise per picture. The pictures are those of the ImageNet sample, for the bundled networks the test photographs of
cats and dogs. --write puts the table into docs/evidence.md.
"""

import argparse
from collections import defaultdict
from time import perf_counter

from data import photographs
from evidence_page import markdown, titled, write_section

import camcore
from camcore.methods.inputs import GridSize
from camcore.methods.perturbations import Perturbations
from camcore.metrics.faithfulness import Faithfulness, Settings, measure
from camcore.metrics.intervals import bootstrap
from camcore.network import Network

# Perturbing methods that need few passes.
_CHEAP = ("fasterscorecam", "reciprocam", "ablationcam")
_COLUMNS = ("average drop ↓", "increase ↑", "deletion ↓", "insertion ↑", "insertion − deletion ↑", "ROAD ↑")


def methods(net: Network) -> list[str]:
    """Every method for this network that costs a few passes, and the input gradient as one more control."""
    rows = camcore.METHODS.values()
    few = [row.key for row in rows if not isinstance(row.input, Perturbations | GridSize) or row.key in _CHEAP]
    few = [key for key in few if net.attentions.places or not camcore.METHODS[key].input.needs_attention]
    return [key for key in few if key != "smoothgradcam++"]  # 50 passes


def figures(one: Faithfulness) -> tuple[float, ...]:
    """One map's row."""
    assert one.drop is not None
    assert one.increase is not None
    assert one.deletion is not None
    assert one.insertion is not None
    assert one.road is not None
    deletion, insertion = one.deletion.auc, one.insertion.auc
    return one.drop, float(one.increase), deletion, insertion, insertion - deletion, one.road.combined


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--road", type=float, nargs="+", default=[0.2])
    parser.add_argument("--methods", nargs="+", help="default: all that cost a few passes")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    net = camcore.load(given.model)
    kind, pictures = photographs(given.model, given.pictures)
    asked = given.methods or methods(net)
    settings = Settings(steps=given.steps, levels=tuple(given.road))
    found: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in _COLUMNS])
    start = perf_counter()
    for number, pic in enumerate(pictures, 1):
        *_, last = measure(net, pic, camcore.explain(net, pic, asked), settings)
        by_name: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for one in last.results:
            by_name[one.name].append(figures(one))
        for name, several in by_name.items():
            for column, values in zip(found[name], zip(*several, strict=True), strict=True):
                column.append(sum(values) / len(values))
        print(f"\r{number} of {len(pictures)}, {perf_counter() - start:.0f} s", end="", flush=True)
    print()
    order = sorted(found, key=lambda name: -bootstrap(found[name][4]).mean)
    lines = [[f"`{name}`", *(shown(column) for column in found[name])] for name in order]
    text = (
        f"{net.name}, layer `{net.default_layer}`, {len(pictures)} {kind}, the class that the network says; "
        f"{given.steps} steps (published: 224), ROAD at {', '.join(f'{x:.0%}' for x in given.road)}. "
        "Mean and bootstrap 95 % interval; best insertion − deletion first. Controls: `random`, `centre`, `gradient`."
        f"\n\n{markdown(['method', *_COLUMNS], lines)}"
    )
    print(text)
    if given.write:
        write_section(titled("Faithfulness", net.name), text)


def shown(column: list[float]) -> str:
    """A mean with its interval."""
    one = bootstrap(column)
    return f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]"


if __name__ == "__main__":
    main()
