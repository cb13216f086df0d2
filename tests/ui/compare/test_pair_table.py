"""The heat table: figures, colours, and what has no figure."""

import numpy as np

from ui.compare.pair_table import colour, pair_table


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
