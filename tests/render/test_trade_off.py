"""The line holds exactly the points that nothing cheaper beats."""

import numpy as np

from camcore.render.trade_off import TradeOffPoint, front, spaced, trade_off


def test_the_front_is_what_the_definition_says() -> None:
    random = np.random.default_rng(0)
    points = [TradeOffPoint(str(i), *map(float, row)) for i, row in enumerate(random.integers(1, 30, (60, 2)))]
    best = {
        p.name
        for p in points
        if not any(q.cost <= p.cost and q.gain >= p.gain and (q.cost, q.gain) != (p.cost, p.gain) for q in points)
    }
    found = front(points)
    assert {(p.cost, p.gain) for p in points if p.name in best} == {(p.cost, p.gain) for p in found}
    assert [p.cost for p in found] == sorted(p.cost for p in found)


def test_the_figure_holds_the_points_and_names_the_front_and_the_chosen() -> None:
    points = [
        TradeOffPoint("a", 1, 10, True),
        TradeOffPoint("b", 2, 5),
        TradeOffPoint("c", 4, 20),
        TradeOffPoint("d", 8, 19),
    ]
    line, absent, ready, ring = trade_off(points, cost="M", gain="%", chosen="b").data
    assert list(line.x) == [1, 4]
    assert [(absent.customdata[i], absent.x[i], absent.y[i], absent.text[i]) for i in range(3)] == [
        ("b", 2, 5, "b"),
        ("c", 4, 20, "c"),
        ("d", 8, 19, ""),
    ]
    assert (list(ready.customdata), list(ready.text)) == (["a"], ["a"])
    assert (list(ring.x), list(ring.y)) == ([2], [5])


def test_names_that_would_cover_each_other_are_left_out() -> None:
    points = [
        TradeOffPoint("a", 1, 10),
        TradeOffPoint("b", 1.1, 11),
        TradeOffPoint("c", 1.2, 15),
        TradeOffPoint("d", 10, 15.5),
        TradeOffPoint("e", 11, 16),
    ]
    assert [point.name for point in spaced(points)] == ["b", "c", "e"]


def test_nothing_is_a_figure_too() -> None:
    assert front([]) == ()
    assert len(trade_off([], cost="M", gain="%").data) == 4
