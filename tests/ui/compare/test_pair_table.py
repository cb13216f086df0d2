"""The heat table: figures, colours, and what has no figure."""

import re

import numpy as np
import pytest

from ui.compare.pair_table import colour, luminance, pair_table


def test_every_pair_is_written_out_and_names_are_escaped():
    text = pair_table(np.array([[1.0, -0.25], [-0.25, 1.0]]), ["A<b>", "B"], "Order")
    assert text.count("<td style") == 4
    assert 'title="A&lt;b&gt; and B: −0.25">−0.25</td>' in text
    assert "<b>" not in text
    assert "<caption>Order, pair by pair</caption>" in text


def test_what_is_not_defined_is_a_dash():
    text = pair_table(np.array([[1.0, np.nan], [np.nan, 1.0]]), ["A", "B"], "Order")
    assert text.count("not defined") == 2


def test_many_rows_keep_their_figures_for_those_who_cannot_see_colours():
    text = pair_table(np.eye(20), [f"map {i}" for i in range(20)], "Order")
    assert text.count("cam-hidden") == 400


def test_the_colours_run_from_brown_over_pale_to_teal():
    assert colour(-1) == (140, 81, 10)
    assert colour(0) == (242, 242, 238)
    assert colour(1) == colour(2) == (23, 118, 111)


def test_every_figure_can_be_read_on_its_field():
    for value in np.linspace(-1, 1, 41):
        text = pair_table(np.array([[value]]), ["A"], "Order")
        field = luminance(colour(value))
        ink = {"#fff": 1.0, "#000": 0.0}[re.search("color:(#[0-9a-f]{3})", text).group(1)]
        high, low = max(field, ink) + 0.05, min(field, ink) + 0.05
        assert high / low >= 4.5, f"{value:.2f} has a contrast of {high / low:.1f}"


def test_luminance_of_black_white_and_a_published_grey():
    assert luminance((0, 0, 0)) == 0
    assert luminance((255, 255, 255)) == pytest.approx(1)
    assert 1.05 / (luminance((118, 118, 118)) + 0.05) == pytest.approx(4.54, abs=0.01)  # the lightest AA grey on white
