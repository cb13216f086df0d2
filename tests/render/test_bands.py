"""The chart of a map against chance: what is drawn is what was given."""

import numpy as np

from camcore.render.bands import against_chance

SHARES = (0.0, 0.5, 1.0)


def drawn(**more):
    figure = against_chance(
        SHARES, (0.9, 0.3, 0.1), (0.9, 0.5, 0.1), [(0.9, 0.8, 0.1), (0.9, 0.4, 0.2)],
        title="t", axes=("x", "y"), name="Grad-CAM", **more,
    )  # fmt: skip
    return {trace.name: trace for trace in figure.data}, figure


def test_the_band_spans_the_random_maps():
    traces, _ = drawn()
    assert traces["2 random maps"].y == (0.9, 0.8, 0.2)
    assert traces["2 random maps"].fill == "tonexty"
    assert traces[None].y == (0.9, 0.4, 0.1)
    assert traces["Grad-CAM"].y == (0.9, 0.3, 0.1)
    assert traces["centred blob"].line.dash == "dash"


def test_without_controls_there_is_the_map_alone():
    figure = against_chance(np.array(SHARES), np.ones(3), None, [], title="t", axes=("x", "y"), name="CAM")
    assert [trace.name for trace in figure.data] == ["CAM"]


def test_plain_scores_are_no_percentages():
    assert drawn()[1].layout.yaxis.tickformat == ".0%"
    assert drawn(probabilities=False)[1].layout.yaxis.tickformat is None
