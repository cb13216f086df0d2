"""The story that is made of a report: its order, and that nothing is told twice."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from reported import FACTS, RAW, audit_item, cam_map, finding, item, picture

from camcore.heatmaps.overlay import overlay
from camcore.pictures.picture import Picture
from camcore.report.document import Report, Scale, VerdictSummary
from ui.report import story

TOLD = VerdictSummary("caution", "Be careful.", tuple(("for", f"Reason {n}.") for n in range(9)))


def kickers(*items, title=""):
    return [step["kicker"] for step in story.steps(Report(tuple(items), title))]


def image(step, at=0):
    data = step["pictures"][at]["src"].partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(int)


def whole(pic=None, **changes):
    found = changes.pop("findings", (finding(verdict=TOLD),))
    return item(pic, findings=found, depths=(cam_map(), cam_map()), **changes)


def test_the_order_of_one_entry():
    assert kickers(whole()) == ["The picture", "What it says", "Where it looks", "At which depth", "Can you trust it?"]


def test_a_regression_is_told_by_its_quantity():
    age = replace(cam_map(), label="raises age", class_index=0, score_kind="value")
    assert story.depths_title(age) == "What raises age, from shallow to deep"
    assert story.depths_title(replace(age, label="big_cat", score_kind="logit")).startswith("How “big cat” forms")


def test_what_there_is_not_is_not_told():
    assert kickers(item()) == ["The picture", "What it says", "Where it looks"]
    assert kickers() == []


def test_a_title_comes_first():
    steps = story.steps(Report((item(),), " Why? ", "Ada"))
    assert (steps[0]["title"], steps[0]["note"]) == ("Why?", "Ada")
    assert len(steps) == 4


def test_the_same_picture_and_answer_are_told_once_and_compared_at_the_end():
    other = item(findings=(finding(map=cam_map(method="layercam")),))
    assert kickers(item(), other) == ["The picture", "What it says", "Where it looks", "Where it looks", "Side by side"]
    last = story.steps(Report((item(), other)))[-1]
    assert [shown["caption"] for shown in last["pictures"]] == ["Grad-CAM", "LayerCAM"]


def test_another_network_says_its_own():
    other = item(findings=(finding(network=replace(FACTS, name="other")),))
    assert kickers(item(), other) == [
        "The picture", "What it says", "Where it looks", "What it says", "Where it looks", "Side by side",
    ]  # fmt: skip


def test_another_picture_begins_anew():
    other = item(picture(44, 60), findings=(finding((44, 60)),))
    assert kickers(item(), other, item()) == ["The picture", "What it says", "Where it looks"] * 3


def test_several_maps_stand_side_by_side():
    many = item(findings=tuple(finding(map=cam_map(class_index=n, label=f"class_{n}")) for n in range(14)))
    steps = story.steps(Report((many,)))
    assert [step["kicker"] for step in steps] == ["The picture", "What it says", "Side by side", "Side by side"]
    assert steps[2]["title"] == "14 classes"
    assert [len(step["pictures"]) for step in steps[2:]] == [12, 2]


def test_what_each_step_says():
    steps = story.steps(Report((whole(comment="The ears."),)))
    assert [step["title"] for step in steps] == [
        "photo",
        "tiny says “Egyptian cat”, 71\N{NO-BREAK SPACE}%",
        "Where it looks for “Egyptian cat”",
        "How “Egyptian cat” forms, from shallow to deep",
        "Be careful.",
    ]
    assert steps[1]["bars"] == [("Egyptian cat", 0.71, "71 %"), ("tabby", 0.2, "20 %")]
    assert steps[2]["note"] == "The ears."
    assert [shown["caption"] for shown in steps[3]["pictures"]] == ["2 × 2 places"] * 2
    assert steps[4]["reasons"] == [("for", f"Reason {n}.") for n in range(4)]
    assert steps[4]["level"] == "caution"
    assert steps[0]["ratio"] == pytest.approx(1.5)


def test_an_audit_is_told_section_by_section_and_parts_the_pictures():
    first, last = item(), item()
    assert kickers(first, audit_item(), last)[-3:] == ["The picture", "What it says", "Where it looks"]
    steps = story.steps(Report((audit_item(),)))
    assert [step["title"] for step in steps] == [
        "Audit of tiny", "By class: found", "cat 1", "Mistakes", "Averages",
        "What to keep in mind",
    ]  # fmt: skip
    assert steps[1]["bars"] == [("cat", 0.9, "90 % (79 % to 96 %)")]
    assert [len(step.get("pictures", ())) for step in steps] == [0, 0, 1, 1, 1, 0]


def test_without_a_comment_the_method_says_what_it_answers():
    note = story.steps(Report((whole(),)))[2]["note"]
    assert note.startswith("Grad-CAM: where the channels")


def test_the_pictures_are_those_of_the_report():
    pic = Picture.from_array(np.full((40, 60, 3), (200, 90, 30), np.uint8))
    one = whole(pic)
    steps = story.steps(Report((one,)))
    assert np.abs(image(steps[0]) - pic.rgb).mean() < 4
    assert np.abs(image(steps[2]) - overlay(pic, one.first.map, 0.7, by_value=True)).mean() < 4


def test_the_legend_says_what_the_colours_mean():
    signed = item(findings=(finding(map=cam_map(method="hirescam", raw=-RAW), scale=Scale(4.0, True)),))
    assert story.steps(Report((signed,)))[2]["legend"][:2] == ("speaks against", "speaks for")
    assert story.steps(Report((item(),)))[2]["legend"][:2] == ("little", "much")
