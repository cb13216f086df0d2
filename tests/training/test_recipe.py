"""Recipes: what they say survives JSON, what cannot be followed is refused, stages cover all epochs."""

from collections import Counter
from dataclasses import replace

import pytest

from camcore import CamcoreError
from camcore.training.recipe import Recipe


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(size=96, widths=(8, 16), blocks=(1, 2), stages=((0.5, 48), (0.5, 88)), teacher="MobileNetV2")
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_what_is_left_away_is_as_usual() -> None:
    assert Recipe.from_json('{"epochs": 3, "rate": 1e-3}') == replace(Recipe(), epochs=3, rate=1e-3)


def test_stages_share_the_epochs_in_order() -> None:
    recipe = Recipe(epochs=20, stages=((0.25, 64), (0.25, 96), (0.5, 128)))
    sides = [recipe.side(epoch) for epoch in range(20)]
    assert sides == sorted(sides)
    assert Counter(sides) == {64: 5, 96: 5, 128: 10}


def test_stages_that_do_not_fill_the_epochs_end_with_the_last() -> None:
    assert Recipe(epochs=10, stages=((0.2, 64), (0.2, 96))).side(9) == 96


def test_another_size_keeps_the_proportions() -> None:
    recipe = Recipe().resized(288)
    assert recipe.size == 288
    assert [side for _, side in recipe.stages] == [2 * side for _, side in Recipe().stages]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "not JSON"),
        ('{"epoch": 3}', "no 'epoch'"),
        ('{"epochs": "three"}', "'epochs' is 'three'"),
        ('{"epochs": true}', "must be a int"),
        ('{"epochs": 0}', "epochs"),
        ('{"size": 8}', "pixels a side"),
        ('{"size": 5000}', "at most 1024 pixels a side; size is 5000"),
        ('{"stages": [[1.0, 2000]]}', "at most 1024 pixels a side"),
        ('{"seed": -1}', "seed is -1, and must be a number from 0"),
        ('{"seed": 2147483648}', "from 0 to 2,147,483,647"),
        ('{"widths": [8], "blocks": [1, 2]}', "equally many"),
        ('{"widths": "wide"}', "'widths' is 'wide'"),
        ('{"widths": ["a", 2, 3]}', "wrong kind"),
        ('{"stages": [[0.5]]}', "wrong kind"),
        ('{"least_area": 0}', "least_area"),
        ('{"held_out": 1}', "held_out"),
    ],
)
def test_what_is_no_recipe_is_refused(text: str, said: str) -> None:
    with pytest.raises(CamcoreError, match=said):
        Recipe.from_json(text)
