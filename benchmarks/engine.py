"""What the engine costs, as ratios to one compiled forward pass of the same network in the same run.

    python benchmarks/engine.py [--models MobileNetV2 VGG16] [--rounds 15]

Times are medians of rounds in which the forward pass and the measured work take turns, so that a machine whose
speed drifts does not tilt the ratio. The forward pass is the model itself under ``tf.function`` (batch 1, float32).
Score-CAM is compared with (channels × the batched forward pass per image), both for all the layer's channels and
for those that vary over space, which alone are scored. Its memory is what a process of its own needs beyond one
forward pass, as ``camcore.peak_memory`` counts it. Where a network's weights are not on disk, random ones are used,
which cost the same, and the table says so.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from data import SHARED

import camcore
from camcore import peak_memory as memory
from camcore.graph.gradients import TOP_CLASS
from camcore.network import Network

# The methods that need activations and gradients only, and so share one pass.
EIGHT = ("cam", "gradcam", "gradcam++", "hirescam", "elementwise", "xgradcam", "layercam", "eigengradcam")
GRADIENT = tuple(key for key in EIGHT if key in camcore.METHODS)

# The methods that run the network's end only, in batches, after one forward pass.
HEAD_ONLY = tuple(key for key in ("ablationcam", "reciprocam") if key in camcore.METHODS)


def in_turns(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each piece of work, all measured in turns after two warm-up rounds."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 2):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            if turn >= 2:
                times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def load(name: str) -> Network:
    """The network with ImageNet weights where they lie on disk, else with random ones, which is said."""
    known = {row.name: row for row in camcore.backbones()}
    weights = "random" if known[name].weights_state.startswith("downloads") else None
    return camcore.load(name, weights=weights)


def has_linear_head(net: Network) -> bool:
    """Whether CAM is defined for the network."""
    try:
        net.check_linear_head(net.default_layer)
    except camcore.MethodError:
        return False
    return True


def measure(name: str, rounds: int) -> None:
    """Print the table of one network."""
    import tensorflow as tf

    net = load(name)
    pic = camcore.open_picture(SHARED / "photos" / "dog_and_cat.jpg")
    x, _ = net.prepare(pic)
    x = net.check_input(x)
    tensor = tf.constant(x)
    model = tf.function(
        lambda images: net.model(images, training=False),
        input_signature=[tf.TensorSpec([None, *x.shape[1:]], tf.float32)],
        autograph=False,
    )
    methods = [key for key in GRADIENT if key != "cam" or has_linear_head(net)]
    layer = net.layer_with_grid().path
    warnings.simplefilter("ignore")  # cam is defined at one of the four layers only
    few = max(3, rounds // 3)
    batch = tf.repeat(tensor, 16, axis=0)
    found = in_turns(
        {
            "forward": lambda: model(tensor).numpy(),
            "gradcam": lambda: net.tap(x, [layer], [TOP_CLASS]),
            "explain": lambda: camcore.explain(net, pic, "gradcam"),
            "prepare": lambda: net.prepare(pic),
        },
        rounds,
    )
    grid = in_turns(
        {
            "forward": lambda: model(tensor).numpy(),
            "pass": lambda: net.tap(x, net.ladder, [1, 2, 3]),
            "grid": lambda: camcore.explain(net, pic, methods, net.ladder, [1, 2, 3]),
        },
        rounds,
    )
    heads = in_turns(
        {
            "forward": lambda: model(tensor).numpy(),
            **{key: partial(camcore.explain, net, pic, key) for key in HEAD_ONLY},
        },
        few,
    )
    batched = in_turns({"batch": lambda: model(batch).numpy()}, few)["batch"] / 16

    print(f"{net.name} ({net.weights_note}); forward {found['forward'] * 1000:.1f} ms, batched {batched * 1000:.1f} ms")
    forward = found["forward"]
    print(f"  Grad-CAM, the pass               {found['gradcam'] / forward:5.2f} × forward   (target 1.10)")
    print(
        f"  Grad-CAM, explain() from picture {found['explain'] / forward:5.2f} × forward   "
        f"(resizing the picture: {found['prepare'] / forward:.2f})"
    )
    cells = f"{len(methods)} methods × {len(net.ladder)} layers × 3 classes"
    print(f"  {cells:32s} {grid['grid'] / grid['forward']:5.2f} × forward   (target 4; "
          f"the shared pass: {grid['pass'] / grid['forward']:.2f})")  # fmt: skip
    for key in HEAD_ONLY:
        print(f"  {camcore.METHODS[key].title:32s} {heads[key] / heads['forward']:5.2f} × forward   (target 3)")
    score = json.loads(
        subprocess.run(
            [sys.executable, __file__, "--score-cam-of", name], check=True, capture_output=True, text=True
        ).stdout.splitlines()[-1]
    )
    ratio, each = score["ratio"], score["per_scored"]
    print(f"  Score-CAM                        {ratio:5.2f} × ({score['channels']} channels × batched forward)")
    print(
        f"                                   (target 1.15; {score['scored']} vary and are scored: {each:.2f} × those)"
    )
    print(f"  Score-CAM memory over forward    {score['megabytes']:5.0f} MB          (target 1500)")
    print(
        f"  Score-CAM, first partial map     after {score['first_share']:.1%} of the channels, "
        f"rank correlation with the final map at 10 %: {score['early']:.2f}"
    )


def score_cam(name: str) -> None:
    """One Score-CAM in a process of its own, so that its memory can be told; prints JSON."""
    import cv2  # noqa: F401  loaded now, so that it does not count

    net = load(name)
    pic = camcore.open_picture(SHARED / "photos" / "dog_and_cat.jpg")
    x, _ = net.prepare(pic)
    batch = np.repeat(x, 16, axis=0)
    net.logits(x)
    before = memory.begin()
    list(camcore.stream(net, pic, "fasterscorecam"))  # compiles the masked pass
    times: list[float] = []
    start = time.perf_counter()
    partials: list[tuple[float, np.ndarray]] = []
    spent = 0.0
    for step in camcore.stream(net, pic, "scorecam"):
        spent += time.perf_counter() - start
        for m in (*step.partial, *step.maps):
            partials.append((step.done - 1, m.values))
        start = time.perf_counter()
        if len(times) < 40:  # the batched forward pass in turns with the chunks
            net.logits(batch)
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
    scored = partials[-1][0]
    channels = net.layer(net.default_layer).channels or 1
    per_image = float(np.median(times)) / 16
    tenth = next(values for done, values in partials if done >= 0.1 * scored)
    ranks = np.stack([values.ravel().argsort().argsort() for values in (tenth, partials[-1][1])])
    print(json.dumps({
        "channels": channels, "scored": int(scored), "ratio": spent / (channels * per_image),
        "per_scored": spent / (scored * per_image), "megabytes": (memory.peak_over(before) or float("nan")) / 1e6,
        "first_share": partials[0][0] / scored, "early": float(np.asarray(np.corrcoef(ranks))[0, 1]),
    }))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["MobileNetV2", "VGG16"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--score-cam-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.score_cam_of:
        score_cam(given.score_cam_of)
        return
    for name in given.models:
        measure(name, given.rounds)


if __name__ == "__main__":
    main()
