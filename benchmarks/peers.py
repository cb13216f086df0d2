"""Ours beside tf-keras-vis: the same Keras model, the same preprocessed picture, the same layer and class, one run.

    pip install -r requirements-bench.txt
    python benchmarks/peers.py [--models MobileNetV2 VGG16] [--rounds 7] [--without-scorecam]

Both are used as their manuals say, one object per method, made beforehand and called again and again:
``camcore.GradCAM(model).compute_heatmap(x, class)`` and ``Gradcam(model, ReplaceToLinear())(score, x, …)``. The peer
is spared what it can be spared: its result stays at the layer's grid (``expand_cam=False``), its progress bar is off,
its batch size is its own (32). Seconds are medians of rounds in which all quick methods and the forward pass (the
compiled model, batch 1, float32) take turns; Score-CAM runs once each, after Faster Score-CAM has compiled what it
needs. Memory is what a call needed beyond what was in use before it, as ``camcore.peak_memory`` counts it.

The difference is the largest one between the raw maps at the grid, each rectified and divided by its own maximum.
Where there is one, the peer's formula, as read in its source (version 0.8.7), is worked out anew, step by step, and
what then remains is printed: the reason is shown, not supposed.
"""

import argparse
import contextlib
import io
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from data import SHARED
from engine import in_turns, load

import camcore
from camcore import peak_memory as memory
from camcore.heatmaps.cam_map import normalised
from camcore.network import Network

Work = Callable[[], Any]
TARGETS = {"Grad-CAM": 5.0, "Score-CAM": 2.5}
LONG = "Score-CAM"


@dataclass(frozen=True, eq=False)
class Pair:
    """One method in both libraries: what is timed, and the raw map (h, w) of each."""

    ours: Work
    theirs: Work
    our_raw: Work
    their_raw: Work


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes of both."""

    ours: float
    theirs: float
    our_bytes: int | None
    their_bytes: int | None


def pairs(net: Network, x: np.ndarray, index: int) -> dict[str, Pair]:
    """Both libraries' objects for every method, on one model, at its recommended layer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer imports names that SciPy has moved
        try:
            from tf_keras_vis.gradcam import Gradcam
            from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
            from tf_keras_vis.layercam import Layercam
            from tf_keras_vis.scorecam import Scorecam
            from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
            from tf_keras_vis.utils.scores import CategoricalScore
        except ImportError as error:
            raise SystemExit(
                f"tf-keras-vis cannot be imported ({error}). Install it: pip install -r requirements-bench.txt"
            ) from error

    layer, score = net.default_layer, CategoricalScore(index)

    def pair(ours: type, theirs: type, linear: bool, **more: Any) -> Pair:
        mine = ours(net.model, layer)
        peer = theirs(net.model, ReplaceToLinear() if linear else None)  # as its manual recommends, but for Scorecam

        def call(normalize: bool) -> Any:
            return peer(
                score,
                x,
                penultimate_layer=layer,
                seek_penultimate_conv_layer=False,
                expand_cam=False,
                normalize_cam=normalize,
                **more,
            )

        return Pair(
            lambda: mine.compute_heatmap(x, index),
            lambda: np.asarray(call(True)),
            lambda: mine.compute_heatmap(x, index, raw=True),
            lambda: np.asarray(call(False))[0],
        )

    return {
        "Grad-CAM": pair(camcore.GradCAM, Gradcam, True),
        "Grad-CAM++": pair(camcore.GradCAMPlusPlus, GradcamPlusPlus, True),
        "LayerCAM": pair(camcore.LayerCAM, Layercam, True),
        "Faster Score-CAM": pair(camcore.FasterScoreCAM, Scorecam, False, max_N=10),
        LONG: pair(camcore.ScoreCAM, Scorecam, False),
    }


# ---- the peer's formulas, as its source has them


def peak_difference(a: np.ndarray, b: np.ndarray) -> float:
    """max |Δ| of two raw maps after relu and division by their maxima."""
    return float(np.abs(normalised(a) - normalised(b)).max())


def their_gradcam_plus_plus(A: np.ndarray, G: np.ndarray) -> np.ndarray:
    """α = G²/(2G² + ΣA·G³), divided by its sum over *all* places; w = Σ relu(G)·α. Its exp(y) only scales the map."""
    square, cube = G**2, G**3
    denominator = 2 * square + A.sum((0, 1)) * cube
    alpha = square / np.where(square == 0, 1, denominator)
    total = alpha.sum((0, 1))
    alpha /= np.where(total == 0, 1, total)
    return np.maximum((A * (np.maximum(G, 0) * alpha).sum((0, 1))).sum(-1), 0)


def masks_half_pixel(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(m, h, w) → (m, H, W): as TensorFlow and cv2 enlarge, and as ours does; a constant map masks everything."""
    import tensorflow as tf

    return tf.image.resize(maps[..., None], size, "bilinear").numpy()[..., 0]


def masks_corners(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(m, h, w) → (m, H, W): ``scipy.ndimage.zoom`` of order 1, which lays the corners' centres on each other."""
    from scipy.ndimage import zoom

    return zoom(maps, (1, size[0] / maps.shape[1], size[1] / maps.shape[2]), order=1, mode="nearest")


def their_scorecam(
    net: Network, x: np.ndarray, A: np.ndarray, index: int, enlarge: Callable[[np.ndarray, tuple[int, int]], np.ndarray]
) -> np.ndarray:
    """w_k = softmax(softmax(logits))_c of the picture seen through mask k; relu(Σ w_k A_k), over all channels given."""
    weights = []
    for channels in chunks(A.shape[-1], 32):
        masks = enlarge(np.ascontiguousarray(np.moveaxis(A[..., channels], -1, 0)), net.input_size)
        low, high = masks.min((1, 2), keepdims=True), masks.max((1, 2), keepdims=True)
        masks = (masks - low) / (high - low + 1e-7)
        probabilities = net.probabilities(net.logits(x * masks[..., None]))
        twice = np.exp(probabilities)
        weights.append(twice[:, index] / twice.sum(axis=1))
    return np.maximum(A @ np.concatenate(weights), 0)


def chunks(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def reasons(net: Network, x: np.ndarray, index: int, theirs: dict[str, np.ndarray]) -> dict[str, str]:
    """Why each of the peer's raw maps is what it is, with what remains once its formula is followed."""
    layer = net.layer_with_grid().path
    found = net.tap(x, [layer], [index])
    A, G = found.activations[layer][0], found.gradients[0][layer][0].astype(np.float64)
    told = dict.fromkeys(("Grad-CAM", "LayerCAM"), "the same formula; what differs is rounding")

    left = peak_difference(their_gradcam_plus_plus(A.astype(np.float64), G), theirs["Grad-CAM++"])
    authors = camcore.GradCAMPlusPlus(net, variant="authors").compute_heatmap(x, index, raw=True)
    told["Grad-CAM++"] = (
        "it divides each channel's α by their sum over all places, as the authors' code does over the places with "
        "G > 0; the paper does not divide, and where G < 0 the denominator of α changes its sign. Following it leaves "
        f"{left:.1e}; our variant 'authors' differs from it by {peak_difference(authors, theirs['Grad-CAM++']):.2g}"
    )
    varied = np.argsort(-A.std((0, 1)), kind="stable")[:10]
    for name, channels in (("Faster Score-CAM", varied), (LONG, np.arange(A.shape[-1]))):
        if name in theirs:
            part = A[..., channels]
            weights = peak_difference(their_scorecam(net, x, part, index, masks_half_pixel), theirs[name])
            both = peak_difference(their_scorecam(net, x, part, index, masks_corners), theirs[name])
            told[name] = (
                "its weight is a softmax over the classes of outputs that are probabilities already, so no channel "
                "can weigh much more than e = 2.7 times another, and there is no softmax over the channels; its masks "
                "are enlarged corner to corner, not by half pixels. With its weights "
                f"{weights:.1e} is left, with its masks too {both:.1e}"
            )
    return told


# ---- measuring


def one_call(work: Work) -> tuple[float, int | None]:
    """Seconds of one call, and the memory that it needed."""
    before = memory.begin()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start, memory.peak_over(before)


def measure(name: str, rounds: int, long: bool) -> None:
    """Print the tables of one network."""
    import tensorflow as tf

    net = load(name)
    pic = camcore.open_picture(SHARED / "photos" / "dog_and_cat.jpg")
    x = net.check_input(net.prepare(pic)[0])
    index = int(net.logits(x)[0].argmax())
    tensor = tf.constant(x)
    model = tf.function(
        lambda images: net.model(images, training=False), input_signature=[tf.TensorSpec(x.shape, tf.float32)]
    )
    both = pairs(net, x, index)
    quick = {title: pair for title, pair in both.items() if title != LONG}
    work: dict[str, Work] = {"forward": lambda: model(tensor).numpy()}
    for title, pair in quick.items():
        work[f"ours {title}"], work[f"theirs {title}"] = pair.ours, pair.theirs
    with quiet():
        seconds = in_turns(work, rounds)
        costs = {
            title: Cost(
                seconds[f"ours {title}"],
                seconds[f"theirs {title}"],
                one_call(pair.ours)[1],
                one_call(pair.theirs)[1],
            )
            for title, pair in quick.items()
        }
        ours = {title: pair.our_raw() for title, pair in quick.items()}
        theirs = {title: pair.their_raw() for title, pair in quick.items()}
        if long:
            # Raw maps cost as much as others, so the timed calls are the ones that are compared.
            kept: dict[str, np.ndarray] = {}
            mine = one_call(lambda: kept.update(ours=both[LONG].our_raw()))
            peer = one_call(lambda: kept.update(theirs=both[LONG].their_raw()))
            costs[LONG] = Cost(mine[0], peer[0], mine[1], peer[1])
            ours[LONG], theirs[LONG] = kept["ours"], kept["theirs"]
        told = reasons(net, x, index, theirs)

    forward, grid = seconds["forward"], "×".join(map(str, ours["Grad-CAM"].shape))
    print(f"\n**{net.name}** ({net.weights_note}), {net.default_layer} {grid}, forward {1000 * forward:.1f} ms\n")
    print("| method | ours | × forward | tf-keras-vis | × forward | ratio | memory, ours | theirs | max difference |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for title, cost in costs.items():
        target = f" (target {TARGETS[title]:g})" if title in TARGETS else ""
        cells = (
            title,
            in_words(cost.ours),
            f"{cost.ours / forward:.3g}",
            in_words(cost.theirs),
            f"{cost.theirs / forward:.3g}",
            f"{cost.theirs / cost.ours:.1f} ×{target}",
            megabytes(cost.our_bytes),
            megabytes(cost.their_bytes),
            f"{peak_difference(ours[title], theirs[title]):.1e}",
        )
        print(f"| {' | '.join(cells)} |")
    print()
    for title, reason in told.items():
        print(f"- {title}: {reason}.")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars and warnings of the peer's ``model.predict``."""
    import keras

    keras.config.disable_interactive_logging()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def in_words(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def megabytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 1e6:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["MobileNetV2", "VGG16"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--without-scorecam", action="store_true", help="leave out the one that takes minutes")
    given = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras"))
    for name in given.models:
        measure(name, given.rounds, not given.without_scorecam)
    print(
        f"\nfloat32, batch 1, {os.cpu_count()} CPU cores; {packages}; the peer: tf-keras-vis {version('tf-keras-vis')}"
    )


if __name__ == "__main__":
    main()
