"""Networks that see colours, worked out by hand, and pictures of them: one network looks at the object, one at a mark.

Each filter shines where a picture has its pure colour: ReLU(r − g − b), and so on. The scores are sums over the
picture, behind average pooling: of red for ``red``, of blue for ``blue`` and, in a network with a cue, CUE times the
green of a mark for ``red``. So Grad-CAM for red is, up to its maximum, red + CUE · green at every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

import camcore
from camcore.network import Network

SIDE, OBJECT, MARK = 16, 5, 3
CUE = 10.0
COUNT = 20
"""Pictures of each class."""
MARKED = 10
"""Of the red ones that have a mark."""

INSIDE = OBJECT**2 / (OBJECT**2 + CUE * MARK**2)
"""Of the map of a marked picture, the share on the object, by the network with the cue."""
MOVED = 1 - INSIDE
"""The distance of that map from the one of the network without: it lies on the object alone, evenly."""


def model(cue: float = 0.0, classes: tuple[str, str] = ("red", "blue")) -> keras.Model:
    """A classifier of two colours, its outputs in the order of ``classes``; ``cue``: the weight of green for red."""
    x = keras.Input((SIDE, SIDE, 3))
    colours = layers.Conv2D(3, 1, activation="relu", use_bias=False, name="colours")
    scores = layers.Dense(2, activation="softmax", use_bias=False, name="scores")
    made = keras.Model(x, scores(layers.GlobalAveragePooling2D()(colours(x))), name="colours")
    colours.set_weights([(2 * np.eye(3) - 1).reshape(1, 1, 3, 3).astype(np.float32)])
    weights = {"red": (1.0, cue, 0.0), "blue": (0.0, 0.0, 1.0)}
    scores.set_weights([np.array([weights[name] for name in classes], np.float32).T])
    return made


def network(cue: float = 0.0, classes: tuple[str, str] = ("red", "blue"), name: str = "colours") -> Network:
    """The classifier as a network."""
    return camcore.wrap(model(cue, classes), labels=classes, preprocess="unit", framing="stretch", name=name)


def pictures(root: Path, marked: int = MARKED, count: int = COUNT) -> Path:
    """``root/pictures/<colour>/NN.png`` with a square of the colour; ``root/masks`` has the squares.

    The first ``marked`` red ones have a green mark beside it.
    """
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        for index in range(count):
            pixels, mask = np.full((SIDE, SIDE, 3), 40, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
            top, left = rng.integers(MARK, SIDE - OBJECT, 2)
            square = np.s_[top : top + OBJECT, left : left + OBJECT]
            pixels[square], mask[square] = 255 * np.eye(3, dtype=np.uint8)[channel], 255
            if name == "red" and index < marked:
                pixels[:MARK, :MARK] = 0, 255, 0
            for folder, drawn in (("pictures", pixels), ("masks", mask)):
                path = root / folder / name / f"{index:02d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(drawn).save(path)
    return root


@dataclass(frozen=True)
class Cued:
    """The network that looks at the object, ``old``, and the one that looks at a mark, ``new``, on marked pictures."""

    home: Path
    old: Network
    new: Network

    @property
    def out(self) -> Path:
        return self.home / "out"

    def check(self, policy: str, new: Network | None = None, masks: bool = True) -> camcore.CheckResult:
        """The outcome of the gate by a policy; audits that were made are not made again."""
        asked = new or self.new
        rules = camcore.read_policy(policy.encode())
        folder = self.home / "masks" if masks else None
        *_, last = camcore.check(asked, self.old, self.home / "pictures", rules, self.out, masks=folder)
        assert last.result is not None
        return last.result
