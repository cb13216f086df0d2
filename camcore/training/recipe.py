"""Recipes: all that decides how a network is trained, apart from the pictures, in one value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Self

from camcore.errors import CamcoreError
from camcore.files import Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LARGEST = 1024
"""Pixels a side beyond which pictures are not trained on: one batch of them would fill the memory."""
SEEDS = 2**31
"""Seeds are below this: the largest number that all sources of chance take."""


@dataclass(frozen=True)
class JsonRecipe:
    """A recipe that is kept as JSON; its values are checked when it is made."""

    def __post_init__(self) -> None:
        try:
            problem = self._problem()
        except (TypeError, ValueError) as error:
            problem = f"a value is of the wrong kind ({error})"
        if problem:
            raise CamcoreError(f"This recipe cannot be followed: {problem}. Change that value.")

    @classmethod
    def from_json(cls, text: str | Mapping[str, Json]) -> Self:
        """A recipe from JSON text or what it says; values left out keep their default.

        Raises CamcoreError for what is no recipe.
        """
        return cls(**checked_values(cls, text))

    def to_json(self) -> str:
        """The recipe as JSON text, one value a line."""
        return json.dumps(asdict(self), indent=1)

    def _problem(self) -> str:
        """The value that no training can follow, in words; "" where there is none."""
        raise NotImplementedError


@dataclass(frozen=True)
class Recipe(JsonRecipe):
    """The recipe of the compact classifier: its widths and its training.

    size: side of the network's input in pixels. stem, widths, blocks: channels after the stem and in each stage,
    residual blocks in each stage; every stage halves the grid. epochs: passes over the pictures. stages: (share
    of the epochs, side in pixels), small pictures first, for the early epochs learn as much from them at a
    fraction of the cost; the last side a little below ``size``, for random crops show things larger than they will
    be met (Touvron et al. 2019, arXiv:1906.06423). batch, rate, weight_decay, warmup (epochs),
    label_smoothing: of AdamW with a cosine decay to zero. views: random crops of each picture made once and
    taken in turn; the first is the centre. least_area: the smallest share of a picture that a crop may show.
    rotation (share of a full turn), brightness, contrast, saturation: the largest random change. held_out: the
    share of the pictures kept for validation. patience: epochs without a lower validation loss after which
    training ends early, 0 for never. teacher: a backbone whose pooled features the network also learns to tell
    (distillation), "" for none; teacher_size: the side it is shown; distillation: the weight of that loss.
    start: a saved network of the same shape and classes, by name or folder, to learn on from; "" for random weights.
    """

    size: int = 144
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 160)
    blocks: tuple[int, ...] = (1, 2, 2)
    epochs: int = 40
    stages: tuple[tuple[float, int], ...] = ((0.35, 80), (0.35, 96), (0.3, 128))
    batch: int = 64
    rate: float = 1.5e-3
    weight_decay: float = 0.02
    warmup: float = 2.0
    label_smoothing: float = 0.05
    views: int = 5
    least_area: float = 0.35
    rotation: float = 0.03
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.3
    held_out: float = 0.05
    patience: int = 0
    teacher: str = ""
    teacher_size: int = 160
    distillation: float = 1.0
    start: str = ""
    seed: int = 0

    def _problem(self) -> str:
        smallest = 2 ** (len(self.widths) + 1)
        if self.size < smallest or any(side < smallest for _, side in self.stages):
            return f"its pictures must be at least {smallest} pixels a side, for its stages halve them that often"
        if self.size > LARGEST or any(side > LARGEST for _, side in self.stages):
            return f"its pictures may have at most {LARGEST} pixels a side; size is {self.size}"
        if not 0 <= self.seed < SEEDS:
            return f"seed is {self.seed}, and must be a number from 0 to {SEEDS - 1:,}"
        if not self.widths or len(self.widths) != len(self.blocks) or min(*self.widths, *self.blocks) < 1:
            return f"widths {self.widths} and blocks {self.blocks} must be equally many, each at least 1"
        if self.epochs < 1 or self.batch < 2 or self.views < 1 or not self.stages:
            return "epochs and views must be at least 1, batch at least 2, and there must be a stage"
        if not 0 < self.rate < 1 or not 0 <= self.label_smoothing < 1 or not 0 < self.held_out < 1:
            return "rate and held_out must lie between 0 and 1, label_smoothing from 0 to below 1"
        if not 0 < self.least_area <= 1:
            return f"least_area is {self.least_area}, a share of the picture, so above 0 and at most 1"
        return ""

    def resized(self, size: int) -> Recipe:
        """The same recipe for an input of ``size`` pixels a side: all sides in proportion."""
        sides = tuple((share, round(side * size / self.size)) for share, side in self.stages)
        return replace(self, size=size, stages=sides)

    def side(self, epoch: int) -> int:
        """The side in pixels of the pictures in an epoch (0 is the first)."""
        passed = 0.0
        for share, side in self.stages:
            passed += share
            if (epoch + 0.5) / self.epochs < passed:
                return side
        return self.stages[-1][1]

    @property
    def stored_size(self) -> int:
        """The side in pixels at which views are kept: a little more than is ever shown, for random crops."""
        return room_to_crop(max(side for _, side in self.stages))


@dataclass(frozen=True)
class HeadRecipe:
    """The recipe of a head on a frozen trunk.

    layer: where the trunk is cut, "" for the default layer. size: side of the network's input in pixels, 0 for the
    backbone's own. epochs: at most so many passes over the features; patience: epochs without a lower validation
    loss after which fitting ends; the best epoch is what is kept. rate, weight_decay, batch, dropout: of AdamW.
    mirrored: learn from each picture's mirror image too, at twice the time for the features. held_out: the share of
    the pictures kept for validation. fine_tune: how many of the trunk's last blocks learn too, afterwards, by
    fine_tune_rate for at most fine_tune_epochs.
    """

    layer: str = ""
    size: int = 0
    epochs: int = 200
    patience: int = 20
    rate: float = 1e-3
    weight_decay: float = 0.01
    batch: int = 32
    dropout: float = 0.2
    mirrored: bool = False
    held_out: float = 0.2
    fine_tune: int = 0
    fine_tune_epochs: int = 10
    fine_tune_rate: float = 1e-4
    fine_tune_patience: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        problem = _head_problem(self)
        if problem:
            raise CamcoreError(f"This recipe cannot be followed: {problem}. Change that value.")


def checked_values(kind: type[DataclassInstance], text: str | Mapping[str, Json]) -> dict[str, Json]:
    """The values of a recipe from JSON text or what it says, of the kinds that this recipe's defaults have.

    Raises CamcoreError for what is no recipe.
    """
    given = recipe_values(text)
    defaults = {field.name: field.default for field in fields(kind)}
    for key, value in given.items():
        if key not in defaults:
            raise CamcoreError(f"A recipe has no {key!r}. It has: {', '.join(defaults)}. Correct the name.")
        default = defaults[key]
        if isinstance(default, tuple) and isinstance(value, list | tuple):
            given[key] = tuple(tuple(v) if isinstance(v, list) else v for v in value)
        elif isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            given[key] = float(value)
        elif type(value) is not type(default):
            raise CamcoreError(
                f"The recipe's {key!r} is {value!r}, a {type(value).__name__}. It must be a "
                f"{type(default).__name__}, such as {default!r}. Correct it."
            )
    return given


def recipe_values(text: str | Mapping[str, Json]) -> dict[str, Json]:
    """The values of a recipe by their names, from JSON text. Raises CamcoreError where it is no JSON object."""
    try:
        return dict(json.loads(text) if isinstance(text, str) else text)
    except (ValueError, TypeError) as error:
        raise CamcoreError(f'The recipe is not JSON: {error}. Write it as {{"epochs": 20}}.') from error


def room_to_crop(side: int) -> int:
    """The side in pixels from which a random square of ``side`` pixels is cut."""
    return round(side * 9 / 8)


def _head_problem(recipe: HeadRecipe) -> str:
    if min(recipe.epochs, recipe.patience, recipe.batch, recipe.fine_tune_epochs, recipe.fine_tune_patience) < 1:
        return "epochs, patience and batch must be at least 1"
    if recipe.size != 0 and not 32 <= recipe.size <= LARGEST:
        return f"size is {recipe.size}, and must be from 32 to {LARGEST}, or 0 for the backbone's own"
    if not 0 <= recipe.seed < SEEDS:
        return f"seed is {recipe.seed}, and must be a number from 0 to {SEEDS - 1:,}"
    if min(recipe.fine_tune, recipe.weight_decay) < 0:
        return "fine_tune and weight_decay must be at least 0"
    if not (0 < recipe.rate < 1 and 0 < recipe.fine_tune_rate < 1 and 0 < recipe.held_out < 1):
        return "rate, fine_tune_rate and held_out must lie between 0 and 1"
    return "" if 0 <= recipe.dropout < 1 else "dropout must be a share from 0 to below 1"
