"""The evidence in words and figures: hand-made evidence, figures worked out by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from camcore.metrics.faithfulness import Curve, Faithfulness, Road
from camcore.verdict.rules import Reason, Verdict
from ui.trust import words as trust_words


def shown(name: str, score: float, after: float, lead: float) -> Any:
    return SimpleNamespace(name=name, lead=lead, removed=lambda share: (score - after) / score)


def evidence(**more: Any) -> Any:
    base = {
        "chance": (
            shown("gradcam", 0.8, 0.2, 3.0), shown("centre", 0.8, 0.6, 1.0),
            shown("random", 0.8, 0.4, -1.0), shown("random", 0.8, 0.8, 2.0),
        ),
        "copies": tuple(SimpleNamespace(spearman=s) for s in (0.1, -0.3, 0.2)),
        "sensitivity": 0.125,
        "more": (),
    }  # fmt: skip
    return SimpleNamespace(**(base | more))


def test_each_figure_stands_beside_the_controls() -> None:
    lost, lead, likeness, noise = trust_words.quick_rows(evidence())
    assert (lost.map, lost.centre, lost.random) == ("75 %", "25 %", "25 % (0 % to 50 %)")
    assert (lead.map, lead.centre, lead.random) == ("+3.00", "+1.00", "+0.50 (−1.00 to +2.00)")
    assert (likeness.map, likeness.centre, likeness.random) == ("+0.10 (−0.30 to +0.20)", "1", "1")
    assert (noise.map, noise.centre, noise.random) == ("12 %", "0", "0")


def test_what_is_not_there_yet_is_left_out() -> None:
    assert trust_words.quick_rows(evidence(chance=(), copies=(), sensitivity=None)) == []
    lost, _ = trust_words.quick_rows(evidence(chance=evidence().chance[:1], copies=(), sensitivity=None))
    assert (lost.map, lost.centre, lost.random) == ("75 %", "–", "–")
    assert trust_words.published_rows(evidence()) == []


def figures(name: str, masked: float, **more: Any) -> Faithfulness:
    curve = Curve(np.array([0.0, 0.5, 1.0]), np.array([0.8, 0.4, 0.0]))
    return Faithfulness(
        name=name, map=None, seed=None, empty=False, score=0.8, complexity=0.25, masked=masked,
        drop=max(0.0, 0.8 - masked) / 0.8, increase=masked > 0.8, gain=max(0.0, masked - 0.8) / 0.2,
        deletion=curve, insertion=curve, road=Road((0.5,), np.array([0.2]), np.array([0.6])), **more,
    )  # fmt: skip


def test_published_figures() -> None:
    found = evidence(more=(figures("gradcam", 0.6, coherency=0.5, adcc=0.6), figures("centre", 0.9)))
    rows = {row.name: row for row in trust_words.published_rows(found)}
    assert rows["Deletion AUC"].map == "0.400", "trapezoids: (0.8 + 0.4)/2 · 0.5 + (0.4 + 0)/2 · 0.5"
    assert rows["ROAD"].map == "+0.20"
    assert (rows["Average drop"].map, rows["Average drop"].centre) == ("25 %", "0 %")
    assert (rows["Average gain"].map, rows["Average gain"].centre) == ("0 %", "50 %")
    assert (rows["Increase in confidence"].map, rows["Increase in confidence"].centre) == ("no", "yes")
    assert (rows["Coherency"].map, rows["Coherency"].centre) == ("0.500", "–")
    assert rows["ADCC"].random == "–"


@pytest.mark.parametrize("level", trust_words.LEVELS)
def test_the_verdict_is_escaped(level: Any) -> None:
    said = Verdict(level, "Do <b>not</b>.", (Reason("against", "x", "The layer '<img src=x>' & more."),))
    text = trust_words.verdict(said)
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text
    assert "Do &lt;b&gt;" in text
    row = trust_words.FigureRow("<i>", "<i>", "1 (<i>)", "2", "3", '"<i>')
    assert "<i>" not in trust_words.table([row], "<i>")


def test_doubts_in_a_few_words() -> None:
    reasons = (
        Reason("against", "survives", "Long."),
        Reason("for", "chance", "x"),
        Reason("beware", "new rule", "New."),
    )
    verdict = Verdict("distrust", "Do not trust this map.", reasons)
    assert trust_words.briefly(verdict) == "the same without what was learned; New"
    assert trust_words.briefly(Verdict("trust", "It beats chance.", reasons[1:2])) == ""


def test_no_line_breaks_within_a_share() -> None:
    assert trust_words.escaped("falls from 58 % to < 0.1 %.") == "falls from 58&nbsp;% to &lt;&nbsp;0.1&nbsp;%."
