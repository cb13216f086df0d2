"""Training curves."""

from camcore.render.curves import training_curves


def test_points_names_and_axes() -> None:
    figure = training_curves([1, 2, 3], ([3, 2, 1], [3, 2.5, 2]), ([0.5, 0.6, 0.7], [0.45, 0.5, 0.6]), last=40)
    assert [trace.name for trace in figure.data] == ["training pictures", "validation pictures"] * 2
    assert list(figure.data[1].y) == [3, 2.5, 2]
    assert list(figure.data[2].y) == [0.5, 0.6, 0.7]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert figure.layout.xaxis.range == (0.5, 40.5), "the axis stands still while points arrive"
    low, high = figure.layout.yaxis2.range
    assert low <= 0.45
    assert high >= 1


def test_a_line_marks_where_the_pictures_grow() -> None:
    figure = training_curves([1, 2, 3], ([1] * 3, [1] * 3), ([1] * 3, [1] * 3), last=3, sizes=[64, 64, 96])
    assert {shape.x0 for shape in figure.layout.shapes} == {2.5}
    assert [note.text for note in figure.layout.annotations][2:] == ["96 px"]


def test_before_the_first_epoch() -> None:
    figure = training_curves([], ([], []), ([], []), last=0)
    assert figure.layout.xaxis.range == (0.5, 1.5)
    assert figure.to_json()
