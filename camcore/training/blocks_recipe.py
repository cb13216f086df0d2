"""Recipes of new blocks on a frozen trunk: all that decides how they are trained, apart from the pictures."""

from __future__ import annotations

from dataclasses import dataclass

from camcore.models.grafting import BLOCKS
from camcore.training.recipe import LARGEST, SEEDS, JsonRecipe


@dataclass(frozen=True)
class BlocksRecipe(JsonRecipe):
    """The recipe of new blocks on the first layers of a backbone.

    backbone: one of the catalogue, with its ImageNet weights, frozen; layer: the last of its layers that is kept.
    size: side of the input in pixels. kind: of the new blocks, "transformer" or "convolutions"; width, blocks: their
    channels and number. views: ways in which each picture is shown, computed once and taken in turn: cropped to
    its middle, and random crops of ``least_area`` of it at least; the maps of every other one are mirrored.

    epochs, batch, rate, weight_decay, warmup (epochs), label_smoothing: of AdamW with a cosine decay to zero. The whole
    backbone, under a linear head of its own, is the teacher: soft is the share of its answers in what the network
    learns to say, hints the weight of telling its pooled features. dense: the weight of telling what dense_teacher, a
    network of new blocks on the same trunk, says of every cell, "" for none (token labelling, Jiang et al. 2021,
    arXiv:2104.10858; here the squared difference, for the cells' scores add up to the answer). held_out: the share of
    the pictures kept for validation.
    """

    backbone: str = "MobileNetV2"
    layer: str = "block_12_add"
    size: int = 192
    kind: str = "transformer"
    width: int = 128
    blocks: int = 3
    views: int = 2
    least_area: float = 0.2
    epochs: int = 8
    batch: int = 32
    rate: float = 8e-4
    weight_decay: float = 0.05
    warmup: float = 1.0
    label_smoothing: float = 0.02
    soft: float = 0.7
    hints: float = 0.5
    dense: float = 0.0
    dense_teacher: str = ""
    held_out: float = 0.05
    seed: int = 0

    def _problem(self) -> str:
        if self.kind not in BLOCKS:
            return f"kind is {self.kind!r}, and new blocks are {' or '.join(BLOCKS)}"
        if not 32 <= self.size <= LARGEST:
            return f"size is {self.size}, and must be from 32 to {LARGEST}"
        if not 0 <= self.seed < SEEDS:
            return f"seed is {self.seed}, and must be a number from 0 to {SEEDS - 1:,}"
        if min(self.epochs, self.views, self.width, self.blocks) < 1 or self.batch < 2:
            return "epochs, views, width and blocks must be at least 1, batch at least 2"
        if not (0 < self.rate < 1 and 0 <= self.label_smoothing < 1 and 0 < self.held_out < 1):
            return "rate and held_out must lie between 0 and 1, label_smoothing from 0 to below 1"
        if not (0 < self.least_area <= 1 and 0 <= self.soft <= 1):
            return "least_area must be a share above 0, soft one from 0 to 1"
        if min(self.weight_decay, self.warmup, self.hints, self.dense) < 0:
            return "weight_decay, warmup, hints and dense must be at least 0"
        if bool(self.dense) != bool(self.dense_teacher):
            return "dense and dense_teacher go together: a weight above 0 and the teacher's name"
        return ""
