"""What a matrix of agreements says in words, and that equal maps are computed with once."""

import numpy as np
import pytest

from ui.compare.agreement import Agreement, verdict


def square(*values: float) -> np.ndarray:
    """A symmetric matrix of three from its three pairs."""
    a, b, c = values
    return np.array([[1, a, b], [a, 1, c], [b, c, 1]])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.9, 0.9, 0.9), "They agree closely: 0.90 on average"),
        ((0.6, 0.6, 0.6), "They mostly agree: 0.60"),
        ((0.3, 0.3, 0.3), "They partly agree: 0.30"),
        ((-0.1, -0.1, -0.1), "They do not agree: −0.10"),
    ],
)
def test_the_verdict_has_a_word_and_the_figure(values: tuple[float, ...], said: str) -> None:
    text = verdict(square(*values), ["A", "B", "C"])
    assert text.startswith(said)
    assert "Furthest" not in text


def test_the_one_that_stands_apart_is_named() -> None:
    assert "Furthest from the others: C (0.20)." in verdict(square(0.9, 0.2, 0.2), ["A", "B", "C"])


def test_maps_of_different_classes_are_not_held_against_each_other() -> None:
    said = verdict(square(0.9, 0.1, 0.1), ["A", "B", "C"], ["cat", "cat", "dog"])
    assert said.startswith("They agree closely within a class: 0.90 on average")
    assert "they should differ" in verdict(square(0.9, 0.1, 0.1), ["A", "B", "C"], ["cat", "dog", "owl"])
    same = verdict(square(0.6, 0.6, 0.6), ["A", "B", "C"], ["cat"] * 3)
    assert same == verdict(square(0.6, 0.6, 0.6), ["A", "B", "C"])


def test_pairs_without_a_figure_do_not_count() -> None:
    assert verdict(square(0.9, np.nan, np.nan), ["A", "B", "C"]).startswith("They agree closely: 0.90")
    assert "no two maps" in verdict(np.array([[np.nan]]), ["A"])
    assert "no two maps" in verdict(square(np.nan, np.nan, np.nan), ["A", "B", "C"])


def test_a_figure_that_is_not_defined_is_a_dash() -> None:
    assert Agreement(-0.5, None, 1.0).text == "ρ −0.50 · SSIM – · top 20 % 1.00"
