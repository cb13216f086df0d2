"""Does the map fall on the animal? Energy inside the masks of the pets, per method, beside two controls.

    python benchmarks/localisation.py [--model MobileNetV2] [--pictures 469] [--methods gradcam layercam]

Energy inside = Σ of the map inside the mask / Σ of the map over all the network saw (Wang 2020, energy-based
pointing game); the masks' border pixels count for neither. The class is the one the network says. Controls on
the same pictures: a centred Gaussian and smooth random noise. One row places Grad-CAM's cells at the
theoretical centres that the padding gives (see effective_field.py). An empty map counts as 0. Mean with a
bootstrap 95 % interval.
"""

import argparse

import numpy as np
from data import SHARED, table
from PIL import Image

import camcore
from camcore.framing import CellGrid, Frame

BY_PADDING = "gradcam, by padding"


def centre(frame: Frame) -> np.ndarray:
    """A Gaussian in the middle of the network's input, its deviation a quarter of the side."""
    h, w = (56, 56)
    y, x = np.mgrid[:h, :w]
    blob = np.exp(-0.5 * (((y - 27.5) / (h / 4)) ** 2 + ((x - 27.5) / (w / 4)) ** 2)).astype(np.float32)
    return frame.to_picture(blob, CellGrid.uniform((h, w), frame.input_size))


def noise(frame: Frame, rng: np.random.Generator) -> np.ndarray:
    """Smooth random noise: as many cells as a late layer has, interpolated."""
    return frame.to_picture(rng.random((7, 7), np.float32), CellGrid.uniform((7, 7), frame.input_size))


def energy_inside(values: np.ndarray, mask: np.ndarray) -> float:
    """Share of the map's sum that lies on the object; 0 for an empty map."""
    counted = np.isfinite(values) & (mask != 2)
    total = values[counted].sum(dtype=np.float64)
    return float(values[counted & (mask == 1)].sum(dtype=np.float64) / total) if total > 0 else 0.0


def interval(shares: list[float]) -> tuple[float, float, float]:
    """Mean and its bootstrap 95 % interval."""
    data = np.array(shares)
    means = np.random.default_rng(0).choice(data, (2000, len(data))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(data.mean()), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--pictures", type=int, default=469)
    parser.add_argument("--methods", nargs="+", default=["cam", "gradcam", "gradcam++", "hirescam", "layercam"])
    given = parser.parse_args()

    net = camcore.load(given.model)
    info = net.layer(net.default_layer)
    assert info.first_centre is not None
    assert info.stride is not None
    padded = CellGrid(info.first_centre, info.stride)
    rng = np.random.default_rng(0)
    names = [*given.methods, BY_PADDING, "centre control", "random control", "area of the object"]
    shares: dict[str, list[float]] = {name: [] for name in names}
    for row in table("pets")[: given.pictures]:
        pic = camcore.open_picture(SHARED / "pets" / "images" / row["file"])
        mask = np.asarray(Image.open(SHARED / "pets" / "masks" / row["mask"]))
        maps = camcore.explain(net, pic, given.methods)
        frame = maps[0].frame
        for m in maps:
            shares[m.method].append(energy_inside(m.on_picture(), mask))
            if m.method == "gradcam":
                by_padding = frame.to_picture(m.values, padded)
                shares[BY_PADDING].append(energy_inside(by_padding, mask))
        shares["centre control"].append(energy_inside(centre(frame), mask))
        shares["random control"].append(energy_inside(noise(frame, rng), mask))
        everywhere = frame.to_picture(np.ones((1, 1), np.float32))
        shares["area of the object"].append(energy_inside(everywhere, mask))

    print(f"{net.name}, {net.default_layer}, {len(shares['centre control'])} pictures: energy inside the mask")
    for name, values in shares.items():
        if values:
            mean, low, high = interval(values)
            print(f"  {name:24s} {mean:6.1%}   [{low:.1%}, {high:.1%}]")


if __name__ == "__main__":
    main()
