"""Does the map fall on the object? Masks of the pets, boxes of the photographs, and two objects in one picture.

    python benchmarks/localisation.py [--model MobileNetV2] [--pictures 469] [--methods gradcam layercam] [--write]

Per method, beside the controls: energy inside the mask (Σ of the map there / Σ over all the network saw; what the
area alone gives is the last row), the pointing game (the maximum on the object or within 15 px), and the IoU of the
map's box with the object's. The masks' border pixels count for nothing. The class is the one the network says, for the
photographs each class that has a box. One row places Grad-CAM's cells at the theoretical centres that the padding
gives (see effective_field.py). Empty maps count. Mean with a bootstrap 95 % interval.

Photographs with two objects: the energy of each class's map on its own object, as a share of what lies on both. A map
that asks about the class has more than the other class's map does on the same object. --write puts all into
docs/evidence.md.
"""

import argparse
import csv
from collections import defaultdict

import numpy as np
from data import SHARED, table
from evidence_page import markdown, titled, write_section
from PIL import Image

import camcore
from camcore.framing import CellGrid, Frame
from camcore.heatmaps.cam_map import CamMap
from camcore.metrics.intervals import Interval
from camcore.metrics.localisation import Located, PixelBox, energy_share, locate, union
from camcore.metrics.localisation import table as rows_of
from camcore.network import Network

BY_PADDING = "gradcam, by padding"
CONTROLS = ("random", "centre")
AREA = "the area alone"
_CAVEAT = (
    "Judge the box IoU by *the area alone*: a box around everything that the network saw overlaps large objects well, "
    "so where the controls reach as much the figure tells little."
)
METHODS = ["cam", "gradcam", "gradcam++", "layercam", "eigencam", "fullgrad"]
FOR_ATTENTION = ["rollout", "attentiongrad", "legrad"]

# file → the two objects, as the sets of classes that boxes.csv gives them.
Boxes = dict[str, dict[frozenset[int], list[PixelBox]]]


def everywhere(frame: Frame) -> np.ndarray:
    """A map that is the same everywhere: what the object's area alone gives."""
    return frame.to_picture(np.ones((1, 1), np.float32))


def pets(net: Network, methods: list[str], count: int) -> list[Located]:
    """All figures on the masks of so many pets, evenly from the whole list: it begins with one breed of cats."""
    info = net.layer(net.default_layer)
    found: list[Located] = []
    rows = table("pets")
    for number, row in enumerate(rows[:: max(1, len(rows) // count)][:count], 1):
        pic = camcore.open_picture(SHARED / "pets" / "images" / row["file"])
        mask = np.asarray(Image.open(SHARED / "pets" / "masks" / row["mask"]))
        seed = {"random": {"seed": number}}
        for m in camcore.explain(net, pic, [*methods, *CONTROLS], options=seed):
            found.append(locate(m.method, m.on_picture(), mask == 1, ignored=mask == 2))
            if m.method == "gradcam" and info.first_centre and info.stride:
                padded = m.frame.to_picture(m.values, CellGrid(info.first_centre, info.stride))
                found.append(locate(BY_PADDING, padded, mask == 1, ignored=mask == 2))
        found.append(locate(AREA, everywhere(m.frame), mask == 1, ignored=mask == 2))
    return found


def boxes() -> Boxes:
    """The boxes of the photographs, by file and object."""
    found: Boxes = defaultdict(lambda: defaultdict(list))
    with (SHARED / "photos" / "boxes.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            classes = frozenset(int(index) for index in row["class_indices"].replace(";", " ").split())
            box = tuple(float(row[name]) for name in ("y0", "x0", "y1", "x1"))
            found[row["file"]][classes].append((box[0], box[1], box[2], box[3]))
    return found


def photographs(net: Network, methods: list[str], given: Boxes) -> list[Located]:
    """All figures on the photographs' boxes, each for the most probable class that fits the object."""
    found: list[Located] = []
    for name, objects in given.items():
        pic = camcore.open_picture(SHARED / "photos" / name)
        for classes, around in objects.items():
            for m in explained(net, pic, [*methods, *CONTROLS], classes):
                found.append(locate(m.method, m.on_picture(), boxes=around))
            found.append(locate(AREA, everywhere(m.frame), boxes=around))
    return found


def explained(net: Network, pic: camcore.Picture, methods: list[str], classes: frozenset[int]) -> tuple[CamMap, ...]:
    """Maps of the whole picture for the most probable of some classes."""
    x, _ = net.prepare(pic, "stretch")
    logits = net.logits(x)[0]
    return camcore.explain(net, pic, methods, classes=max(classes, key=lambda c: logits[c]), framing="stretch")


def told_apart(net: Network, methods: list[str], given: Boxes) -> list[list[str]]:
    """For each photograph with two objects and each method: the share of each class's map on its own object."""
    lines = []
    for name, objects in given.items():
        if len(objects) != 2:
            continue
        pic = camcore.open_picture(SHARED / "photos" / name)
        kinds = list(objects)
        masks = [union(objects[kind], (pic.height, pic.width)) for kind in kinds]
        maps = [explained(net, pic, methods, kind) for kind in kinds]
        for pair in zip(*maps, strict=True):
            shares = [share_on(m, masks) for m in pair]
            apart = shares[0] > shares[1]
            own = [shares[0], 1 - shares[1]]
            labels = [m.label.replace("_", " ") for m in pair]
            told = [f"{label} ({m.probability:.1%}): {x:.0%}" for label, m, x in zip(labels, pair, own, strict=True)]
            verdict = "both on their own" if min(own) > 0.5 else "apart" if apart else "not apart"
            lines.append([name, f"`{pair[0].method}`", *told, verdict])
    return lines


def share_on(m: CamMap, masks: list[np.ndarray]) -> float:
    """The share of a map's energy on the first of two objects, of what lies on either, per area of each."""
    drawn = m.on_picture()
    density = [energy / area if area else 0.0 for energy, area, _ in (energy_share(drawn, mask) for mask in masks)]
    return density[0] / sum(density) if sum(density) else 0.5


def shown(one: Interval) -> str:
    """A share with its interval."""
    return f"{one.mean:.1%} [{one.low:.1%}, {one.high:.1%}]"


def as_table(located: list[Located]) -> str:
    """A row for each method; ``n`` pictures or objects."""
    lines = [
        [f"`{row.method}`", shown(row.energy), shown(row.pointing), shown(row.iou), str(row.empty)]
        for row in rows_of(located)
    ]
    return markdown(["method", "energy inside", "pointing game", "box IoU", "empty"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--pictures", type=int, default=469)
    parser.add_argument("--methods", nargs="+", help=f"default: {' '.join(METHODS)}; of a transformer its own, too")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    net = camcore.load(given.model)
    methods = given.methods or METHODS + (FOR_ATTENTION if net.attentions.places else [])
    located = pets(net, methods, given.pictures)
    count = sum(one.method == AREA for one in located)
    sections = {
        titled("Localisation: pets with masks", net.name): (
            f"{net.name}, layer `{net.default_layer}`, {count} pictures, framing {net.framing}, the class it says. "
            f"Mean and bootstrap 95 % interval. {_CAVEAT}\n\n{as_table(located)}"
        )
    }
    objects = boxes()
    if max(max(kind) for named in objects.values() for kind in named) < net.classes:
        located = photographs(net, methods, objects)
        count = sum(one.method == AREA for one in located)
        sections["Localisation: photographs with boxes"] = (
            f"{net.name}, {count} objects in {len(objects)} photographs, framing stretch, the most probable class that "
            f"fits the object. Few pictures, hand-drawn boxes. {_CAVEAT}\n\n{as_table(located)}"
        )
        columns = ["photograph", "method", "one class's map on its object", "the other's on its own", "told apart?"]
        sections["Two objects in one photograph"] = (
            f"{net.name}. Each class's map on its own object, as a share of what lies on both, each counted by its "
            "density (energy per area). 50 %: the map does not care which. *Both on their own*: above 50 % for both; "
            "*apart*: each class's map prefers its object more than the other's map does."
            f"\n\n{markdown(columns, told_apart(net, [*methods, 'finercam'], objects))}"
        )
    for title, text in sections.items():
        print(f"\n{title}\n\n{text}")
        if given.write:
            write_section(title, text)


if __name__ == "__main__":
    main()
