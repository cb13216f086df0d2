"""Every method on every backbone: does it run, what does it cost, and if not, why.

    python benchmarks/everywhere.py [--models MobileNetV2 …]

Random weights, the recommended layer, one noise picture, and the cheapest options of the dear methods (n = 2; the
first part of Score-CAM, SS-CAM and IS-CAM, whose cost is their channels' number). A map counts where it is finite; the
warning is told where it is empty. Prints a row per backbone: the methods that ran, those that do not apply with the
reason, and the seconds of all of them together.
"""

import argparse
import contextlib
import time
from collections import Counter
from typing import Any

import data  # noqa: F401 - finds the package beside this folder
import numpy as np

import camcore
from camcore.models.catalogue import backbones

CHEAPEST: dict[str, dict[str, Any]] = {
    "smoothgradcam++": {"n": 2},
    "fasterscorecam": {"n": 2},
    "sscam": {"n": 1},
    "iscam": {"n": 1},
    "rise": {"n": 2},
    "occlusion": {"size": 64, "stride": 64},
}


def first_map(net: camcore.Network, pic: camcore.Picture, key: str) -> camcore.CamMap:
    """The map, or its first part where it comes in parts."""
    steps: Any = camcore.stream(net, pic, key, classes=0, options={key: CHEAPEST.get(key, {})})
    with contextlib.closing(steps):
        return next(m for step in steps for m in (*step.maps, *step.partial))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=[row.name for row in backbones()])
    given = parser.parse_args()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    pic = camcore.Picture.from_array(noise)
    methods = list(camcore.METHODS)
    ran: Counter[str] = Counter()
    print("| backbone | layer | methods that ran | do not apply | seconds |")
    print("| --- | --- | --- | --- | --- |")
    for name in given.models:
        net = camcore.load(name, weights="random")
        start, good, refused = time.perf_counter(), 0, []
        for key in methods:
            try:
                m = first_map(net, pic, key)
            except camcore.CamcoreError as error:
                refused.append(f"{key}: {str(error).split('. ')[0]}")
                continue
            assert np.isfinite(m.raw).all(), (name, key)
            assert m.values.any() or m.warning, (name, key)
            good += 1
            ran[key] += 1
        seconds = time.perf_counter() - start
        cells = (name, str(net.default_layer), f"{good} of {len(methods)}", "; ".join(refused) or "–", f"{seconds:.0f}")
        print(f"| {' | '.join(cells)} |", flush=True)
    print("\nBackbones on which each ran: " + ", ".join(f"{key} {ran[key]}" for key in methods))


if __name__ == "__main__":
    main()
