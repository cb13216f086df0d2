"""Where do a network's last cells really look? Their effective receptive field, measured.

    python benchmarks/effective_field.py [--model MobileNetV2] [--pictures 12]

For some cells of the default layer: the centroid of the effective field (``camcore.features.effective_field``) over
photographs, beside the theoretical centre that the padding gives, and the centre on a grid stretched evenly over the
input.
"""

import argparse

import numpy as np
from data import SHARED, table
from numpy.typing import NDArray

import camcore
from camcore.features.effective_field import effective_field
from camcore.framing import CellGrid

CHANNELS = 64  # of the layer, evenly spaced: all would take a minute a cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--pictures", type=int, default=12)
    given = parser.parse_args()

    net = camcore.load(given.model)
    info = net.layer(net.default_layer)
    assert info.grid is not None
    assert info.first_centre is not None
    assert info.stride is not None
    folder = SHARED / "imagenet_sample"
    files = [row["file"] for row in table("imagenet_sample")[: given.pictures]]
    pictures = [camcore.open_picture(folder / file) for file in files]
    channels = range(0, info.channels or 1, max(1, (info.channels or 1) // CHANNELS))

    def sensitivity(row: int, column: int) -> NDArray[np.float64]:
        total = np.zeros(net.input_size)
        for pic in pictures:
            *_, field = effective_field(net, pic, info.path, (row, column), channels)
            total += field.strength
        return total

    even = CellGrid.uniform(info.grid, net.input_size)
    print(f"{net.name}, {info.path}, receptive field {info.receptive_field}, {len(files)} pictures: rows, in pixels")
    for row in range(info.grid[0] // 2 - 1, info.grid[0] // 2 + 2):
        weight = sensitivity(row, info.grid[1] // 2).sum(axis=1)
        measured = float((weight * np.arange(len(weight))).sum() / weight.sum())
        theory = info.first_centre[0] + row * info.stride[0]
        stretched = even.first_centre[0] + row * even.stride[0]
        print(f"  cell {row}: measured {measured:6.1f}   by padding {theory:6.1f}   even grid {stretched:6.1f}")


if __name__ == "__main__":
    main()
