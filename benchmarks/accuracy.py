"""Is a network loaded and fed correctly? Top-1 and top-5 over labelled photographs, by camcore's own pipeline.

    python benchmarks/accuracy.py [--models MobileNetV2 MobileNet] [--framing crop]

The photographs are most likely from the networks' training set: the figures check the pipeline, they are no
validation accuracy.
"""

import argparse

import numpy as np
from data import SHARED, table

import camcore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["MobileNetV2", "MobileNet"])
    parser.add_argument("--framing", default="crop")
    given = parser.parse_args()

    rows = table("imagenet_sample")
    truth = np.array([int(row["class_index"]) for row in rows])
    pictures = [camcore.open_picture(SHARED / "imagenet_sample" / row["file"]) for row in rows]
    for name in given.models:
        net = camcore.load(name)
        inputs = [net.prepare(pic, given.framing)[0] for pic in pictures]
        logits = np.concatenate([net.logits(np.concatenate(inputs[i : i + 32])) for i in range(0, len(rows), 32)])
        order = np.argsort(-logits, axis=1)
        top1 = float(np.mean(order[:, 0] == truth))
        top5 = float(np.mean((order[:, :5] == truth[:, None]).any(axis=1)))
        print(f"{name} ({net.weights_note}), {given.framing}, {len(rows)} pictures: top-1 {top1:.1%}, top-5 {top5:.1%}")


if __name__ == "__main__":
    main()
