"""Figures hold the numbers that were given, on the scales that they name."""

import numpy as np
import pytest

from camcore.render import charts


def test_the_scale_of_scores_is_named_by_probabilities() -> None:
    assert charts.logit(0.5) == 0
    assert charts.logit([0.9, 0.1]) == pytest.approx([np.log(9), -np.log(9)])
    assert charts.logit([0.0, 1.0]).tolist() == [-charts.LIMIT, charts.LIMIT]
    figure = charts.score_histogram({"a": charts.score_counts([0.5])}, title="t", axis="x")
    axis = figure.layout.xaxis
    assert dict(zip(axis.ticktext, axis.tickvals, strict=True))["90"] == pytest.approx(np.log(9))


def test_every_picture_is_in_a_bar() -> None:
    p = np.array([0, 1e-9, 0.3, 0.5, 0.5, 1 - 1e-12, 1])
    counts = {"a": charts.score_counts(p), "b": charts.score_counts([])}
    figure = charts.score_histogram(counts, title="t", axis="x", threshold=0.2)
    assert [sum(bar.y) for bar in figure.data] == [len(p), 0]
    assert figure.layout.shapes[0].x0 == pytest.approx(np.log(0.25))


def test_confusion_is_coloured_by_the_share_of_its_row() -> None:
    figure = charts.confusion_matrix([[3, 1], [0, 0]], ["cat", "dog"], title="t")
    assert np.array(figure.data[0].z).tolist() == [[0.75, 0.25], [0, 0]]
    assert figure.data[0].text[0][0] == "<b>3</b><br>75.0 %"


def test_empty_bins_are_left_out() -> None:
    nan = float("nan")
    figure = charts.reliability(
        [0.1, nan, 0.8], [0.2, nan, 0.7], [0.1, nan, 0.5], [0.4, nan, 0.8], [5, 0, 20], title="t", axes=("x", "y")
    )
    points = figure.data[1]
    assert list(points.x) == [0.1, 0.8]
    assert list(points.error_y.array) == pytest.approx([0.2, 0.1])
    assert list(points.error_y.arrayminus) == pytest.approx([0.1, 0.2])
    assert points.marker.size[1] > points.marker.size[0]


def test_roc_and_the_point_in_use() -> None:
    figure = charts.roc_curves({"dog": ([0, 0, 1], [0, 1, 1])}, title="t", axes=("x", "y"), here=(0.0, 1.0))
    assert list(figure.data[1].y) == [0, 1, 1]
    assert (figure.data[2].x[0], figure.data[2].y[0]) == (0.0, 1.0)


def test_shares_stand_over_thresholds_in_percent() -> None:
    shares = {"a": [0.25, 0.5], "b": [1.0, 0.0]}
    figure = charts.threshold_sweep([0.1, 0.2], shares, title="t", axis="x", threshold=0.15)
    assert {one.name: list(one.y) for one in figure.data} == shares
    assert list(figure.data[0].x) == pytest.approx([10, 20])
    assert figure.layout.shapes[0].x0 == pytest.approx(15)


def test_bars_with_their_intervals() -> None:
    series = {"with": [(0.5, 0.4, 0.7), (0.9, 0.85, 0.95)]}
    figure = charts.grouped_bars(["a", "b"], series, title="t", axis="y", level=(0.06, "area"))
    assert list(figure.data[0].y) == [0.5, 0.9]
    assert list(figure.data[0].error_y.array) == pytest.approx([0.2, 0.05])
    assert figure.layout.annotations[0].text == "area"


def test_names_of_others_are_text() -> None:
    """Plotly reads tags in titles, names, ticks and hovers: of a name it shows every letter."""
    evil = '<a href="https://evil.example">x</a> & <b>'
    shares = {evil: [(0.5, 0.4, 0.7)], "two\nlines": [(0.1, 0.0, 0.2)]}
    for figure in (
        charts.confusion_matrix([[3, 1], [0, 2]], [evil, "b"], title=evil),
        charts.score_histogram({evil: [0.5]}, title="t", axis=evil),
        charts.roc_curves({evil: ([0, 1], [0, 1])}, title="t", axes=(evil, "y")),
        charts.grouped_bars([evil], shares, title="t", axis="y", level=(0.06, evil)),
    ):
        drawn = figure.to_json().encode().decode("unicode_escape")
        assert "<a" not in drawn
        assert "&lt;a href" in drawn
        assert "& <b>" not in drawn
    assert figure.data[1].name == "two<br>lines"
    assert charts.confusion_matrix([[3, 1], [0, 2]], ["a", "b"], title="t").data[0].text[0][0] == "<b>3</b><br>75.0 %"
