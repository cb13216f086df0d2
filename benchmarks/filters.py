"""Do pictures found by activation maximisation excite filters more than any photograph does, and how long do they take?

    python benchmarks/filters.py [--model MobileNetV2] [--layer block_6_expand] [--filters 16] [--pictures 200]

For channels spread evenly over a layer: the time; the activation reached beside the strongest one that a patch of
the photographs reaches; the same with random weights, whose pictures are compared by their structure: the slope of
the power spectrum (photographs have about −2; noise has 0) and the share of the power in the strongest orientation
of twelve (1/12: none is preferred). Then the search once more, with the same seed.
"""

import argparse
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
from data import SHARED, table
from numpy.typing import NDArray

import camcore
from camcore.filters import RECIPE, Excitation, excite, step_seconds

BATCH = 8


def strongest(net: camcore.Network, layer: str, channels: Sequence[int], files: Sequence[str]) -> NDArray[np.float64]:
    """The strongest activation of each channel over all places of all photographs."""
    best = np.full(len(channels), -np.inf)
    for start in range(0, len(files), BATCH):
        pictures = [camcore.open_picture(SHARED / "imagenet_sample" / file) for file in files[start : start + BATCH]]
        x = np.concatenate([net.prepare(picture)[0] for picture in pictures])
        found = net.tap(x, [layer]).activations[layer]
        best = np.maximum(best, found.max(axis=(0, 1, 2))[list(channels)])
    return best


def search(net: camcore.Network, layer: str, channels: Sequence[int]) -> tuple[tuple[Excitation, ...], float]:
    """The pictures, and the seconds they took, compilation included."""
    began = perf_counter()
    *_, state = excite(net, layer, channels, keep=False)
    return state.excitations, perf_counter() - began


def structure(rgb: NDArray[np.uint8]) -> tuple[float, float]:
    """The slope of log power over log frequency, and the share of the power in the strongest twelfth of directions."""
    grey = rgb.mean(axis=2) - rgb.mean()
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1]))
    power = np.abs(np.fft.fft2(grey * window)) ** 2
    y, x = np.meshgrid(np.fft.fftfreq(grey.shape[0]), np.fft.fftfreq(grey.shape[1]), indexing="ij")
    frequency, direction = np.hypot(y, x), np.arctan2(y, x) % np.pi
    inside = (frequency > 0.02) & (frequency < 0.5)
    rings = np.geomspace(0.02, 0.5, 13)
    ring = np.digitize(frequency[inside], rings) - 1
    means = np.bincount(ring, power[inside], 12) / np.maximum(np.bincount(ring, minlength=12), 1)
    slope = np.polyfit(np.log(np.sqrt(rings[1:] * rings[:-1])), np.log(means + 1e-12), 1)[0]
    sector = np.minimum((direction[inside] * 12 / np.pi).astype(int), 11)
    shares = np.bincount(sector, power[inside], 12) / max(power[inside].sum(), 1e-12)
    return float(slope), float(shares.max())


def describe(title: str, found: Sequence[Excitation]) -> None:
    slopes, shares = zip(*(structure(one.rgb) for one in found), strict=True)
    print(f"  {title}: spectral slope {np.mean(slopes):.2f}, strongest twelfth of directions {np.mean(shares):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--layer", default="block_6_expand")
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--pictures", type=int, default=200)
    given = parser.parse_args()

    net = camcore.load(given.model)
    info = net.layer(given.layer)
    assert info.channels is not None
    channels = np.linspace(0, info.channels - 1, given.filters).astype(int).tolist()
    found, seconds = search(net, info.path, channels)
    told = step_seconds(net, info.path) * RECIPE.steps * len(channels)
    print(f"{net.name}, {info.path}, {len(channels)} filters, {RECIPE.steps} steps")
    print(f"  {seconds:.1f} s; told beforehand {told:.1f} s")
    again, seconds = search(net, info.path, channels)
    same = all(np.array_equal(a.rgb, b.rgb) for a, b in zip(found, again, strict=True))
    print(f"  again with the same seed {seconds:.1f} s, {'the same pixels' if same else 'OTHER PIXELS'}")

    files = [row["file"] for row in table("imagenet_sample")[: given.pictures]]
    best = strongest(net, info.path, channels, files)
    reached = np.array([one.reached for one in found])
    won = int((reached > best).sum())
    print(f"  {won} of {len(channels)} beat the strongest patch of {len(files)} photographs")
    print(f"  reached / strongest patch: median {np.median(reached / best):.2f}, least {np.min(reached / best):.2f}")
    describe("trained weights", found)

    untrained: Any = camcore.load(given.model, weights="random")
    describe("random weights ", search(untrained, info.path, channels)[0])


if __name__ == "__main__":
    main()
