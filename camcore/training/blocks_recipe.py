"""Recipes of new blocks on a frozen trunk: all that decides how they are trained, apart from the pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from camcore.errors import CamcoreError
from camcore.files import Json
from camcore.models.grafting import BLOCKS
from camcore.training.recipe import LARGEST, SEEDS, checked_values


@dataclass(frozen=True)
class BlocksRecipe:
    """The recipe of new blocks on the first layers of a backbone.

    backbone: one of the catalogue, with its ImageNet weights, frozen; layer: the last of its layers that is kept.
    size: side of the input in pixels. kind: of the new blocks, "transformer" or "convolutions"; width, blocks: their
    channels and number. views: ways in which each picture is shown, computed once and taken in turn: cropped to
    its middle, and random crops of ``least_area`` of it at least; the maps of every other one are mirrored.
    kept_tokens: the share of the tokens that a step of a transformer's training looks at, drawn anew for each step
    (Liu et al. 2023, arXiv:2208.07220); all_tokens: so many last epochs look at all of them.

    epochs, batch, rate, weight_decay, warmup (epochs), label_smoothing: of AdamW with a cosine decay to zero. The whole
    backbone, under a linear head of its own, is the teacher: soft is the share of its answers in what the network
    learns to say, hints the weight of telling its pooled features. held_out: the share of the pictures kept for
    validation.
    """

    backbone: str = "MobileNetV2"
    layer: str = "block_12_add"
    size: int = 192
    kind: str = "transformer"
    width: int = 128
    blocks: int = 3
    views: int = 2
    least_area: float = 0.2
    kept_tokens: float = 0.25
    all_tokens: int = 0
    epochs: int = 8
    batch: int = 32
    rate: float = 8e-4
    weight_decay: float = 0.05
    warmup: float = 1.0
    label_smoothing: float = 0.02
    soft: float = 0.7
    hints: float = 0.5
    held_out: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        try:
            problem = _problem(self)
        except (TypeError, ValueError) as error:
            problem = f"a value is of the wrong kind ({error})"
        if problem:
            raise CamcoreError(f"This recipe cannot be followed: {problem}. Change that value.")

    @classmethod
    def from_json(cls, text: str | Mapping[str, Json]) -> BlocksRecipe:
        """A recipe from JSON text or what it says; values left out keep their default.

        Raises CamcoreError for what is no recipe.
        """
        return cls(**checked_values(cls, text))

    def to_json(self) -> str:
        """The recipe as JSON text, one value a line."""
        return json.dumps(asdict(self), indent=1)


def _problem(recipe: BlocksRecipe) -> str:
    if recipe.kind not in BLOCKS:
        return f"kind is {recipe.kind!r}, and new blocks are {' or '.join(BLOCKS)}"
    if not 32 <= recipe.size <= LARGEST:
        return f"size is {recipe.size}, and must be from 32 to {LARGEST}"
    if not 0 <= recipe.seed < SEEDS:
        return f"seed is {recipe.seed}, and must be a number from 0 to {SEEDS - 1:,}"
    if min(recipe.epochs, recipe.views, recipe.width, recipe.blocks) < 1 or recipe.batch < 2:
        return "epochs, views, width and blocks must be at least 1, batch at least 2"
    if not (0 < recipe.rate < 1 and 0 <= recipe.label_smoothing < 1 and 0 < recipe.held_out < 1):
        return "rate and held_out must lie between 0 and 1, label_smoothing from 0 to below 1"
    if not (0 < recipe.least_area <= 1 and 0 < recipe.kept_tokens <= 1 and 0 <= recipe.soft <= 1):
        return "least_area and kept_tokens must be shares above 0, soft one from 0 to 1"
    if min(recipe.weight_decay, recipe.warmup, recipe.hints, recipe.all_tokens) < 0:
        return "weight_decay, warmup, hints and all_tokens must be at least 0"
    return ""
