"""What the Activations page costs: sheets of channels, and all convolutions and poolings of VGG16 in one pass.

    python benchmarks/activations.py [--rounds 9]

A sheet is drawn and encoded from activations that are there, as the page shows it (PNG with a palette) and as the
commonest formats (PNG and JPEG of its RGB pixels). The pass takes turns with the plain forward pass (the model itself
under ``tf.function``, batch 1, float32), so that a machine whose speed drifts does not tilt the ratio. Weights are
random, which costs the same.
"""

import argparse
from functools import partial

import numpy as np
from data import SHARED
from engine import in_turns

import camcore
from camcore.features.channels import channels
from camcore.features.strongest_channels import passes
from camcore.render.encode import to_jpeg, to_png
from camcore.render.sheet import Sheet, sheet


def draw(A: np.ndarray) -> Sheet:
    """The sheet as the page draws it."""
    return sheet(A, numbers=np.arange(A.shape[-1]), scale="each")


def as_palette(A: np.ndarray) -> bytes:
    """Drawn, and a PNG with a palette, as the page shows it."""
    return draw(A).png(transparent=True)


def as_png(A: np.ndarray) -> bytes:
    """Drawn, and a PNG of RGB pixels."""
    return to_png(draw(A).rgb)


def as_jpeg(A: np.ndarray) -> bytes:
    """Drawn, and a JPEG."""
    return to_jpeg(draw(A).rgb)


def sheets(rounds: int, pic: camcore.Picture) -> None:
    """2,048 channels at 7×7 and 64 at 112×112, of ResNet50."""
    net = camcore.load("ResNet50", weights="random")
    print("a sheet of ResNet50's channels, drawn and encoded  (target 500 ms each)")
    for path in ("conv5_block3_out", "conv1_relu"):
        A = channels(net, pic, path).activations
        memory = camcore.Memory()
        channels(net, pic, path, memory=memory)
        found = in_turns(
            {
                "figures": partial(channels, net, pic, path, memory=memory),
                "draw": partial(draw, A),
                "palette": partial(as_palette, A),
                "png": partial(as_png, A),
                "jpeg": partial(as_jpeg, A),
            },
            rounds,
        )
        h, w, count = A.shape
        print(
            f"  {count:5,} × {h}×{w}: figures of the channels {1e3 * found['figures']:.0f} ms, drawing alone "
            f"{1e3 * found['draw']:.0f} ms; with PNG of a palette {1e3 * found['palette']:.0f} ms, with PNG "
            f"{1e3 * found['png']:.0f} ms, with JPEG {1e3 * found['jpeg']:.0f} ms"
        )


def every_layer(rounds: int, pic: camcore.Picture) -> None:
    """All convolutions and poolings of VGG16 against one forward pass."""
    import tensorflow as tf

    net = camcore.load("VGG16", weights="random")
    x, _ = net.prepare(pic)
    tensor = tf.constant(x)
    model = tf.function(
        lambda images: net.model(images, training=False),
        input_signature=[tf.TensorSpec([None, *x.shape[1:]], tf.float32)],
        autograph=False,
    )
    infos = [info for info in net.layers if info.usable and info.kind in ("convolution", "pooling")]
    paths = [info.path for info in infos]
    found = in_turns({"forward": lambda: model(tensor).numpy(), "all": lambda: net.tap(x, paths)}, rounds)
    print(
        f"all {len(paths)} convolutions and poolings of VGG16: {len(passes(infos))} pass, "
        f"{found['all'] / found['forward']:.2f} × forward ({1e3 * found['forward']:.0f} ms)  (target 1.5 ×)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    pic = camcore.open_picture(SHARED / "photos" / "dog_and_cat.jpg")
    sheets(given.rounds, pic)
    every_layer(given.rounds, pic)


if __name__ == "__main__":
    main()
