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
from camcore.report import entry_text
from camcore.report.blocks import Bullets, Paragraph, Section
from camcore.report.document import Report, Scale, VerdictSummary
from ui.report import story

TOLD = VerdictSummary("caution", "Be careful.", tuple(("for", f"Reason {n}.") for n in range(9)))


def kickers(*items, title=""):
    """Those of all steps but the summary's at the end."""
    return [step["kicker"] for step in story.steps(Report(tuple(items), title)) if step["kicker"] != "In short"]


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
    last = story.steps(Report((item(), other)))[-2]
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
        "Audit of tiny", "By class: found", "cat 1", "dog 1", "dog 1", "Mistakes", "Averages",
        "What to keep in mind",
    ]  # fmt: skip
    assert [value for value, _, _ in steps[0]["numbers"]] == ["90\N{NO-BREAK SPACE}%", "1"]
    assert steps[1]["bars"] == [("cat", 0.9, "90 % (79 % to 96 %)")]
    assert [len(step.get("pictures", ())) for step in steps] == [0, 0, 1, 1, 2, 1, 1, 0]
    assert [shown["caption"] for shown in steps[4]["pictures"]] == ["before", "after"]
    assert steps[4]["note"] == "1 picture of other classes"


def test_every_sentence_of_a_list_is_told():
    section = Section("Limits", (Bullets(tuple(f"Limit {n}." for n in range(9))),))
    steps = story.steps(Report((audit_item(sections=(section, Section("Else", (Paragraph("So it is."),)))),)))[1:]
    assert [text for step in steps for _, text in step.get("reasons", ())] == [f"Limit {n}." for n in range(9)]
    assert [len(step.get("reasons", ())) for step in steps] == [4, 4, 1, 0]
    assert (steps[-1]["title"], steps[-1]["note"]) == ("Else", "So it is.")


def test_it_ends_with_each_entry_in_a_sentence():
    several = item(findings=tuple(finding(map=cam_map(class_index=n, label=f"class_{n}")) for n in range(3)))
    entries = (whole(), item(), several, audit_item())
    last = story.steps(Report(entries, "Why?"))[-1]
    assert (last["kicker"], last["title"]) == ("In short", "Why?")
    assert last["reasons"] == [
        ("beware", "tiny says “Egyptian cat”, 71\N{NO-BREAK SPACE}%. Be careful."),
        ("note", "tiny says “Egyptian cat”, 71\N{NO-BREAK SPACE}%. The map was not checked."),
        ("note", f"{entry_text.title(several)}. None of the maps was checked.".replace(" %", "\N{NO-BREAK SPACE}%")),
        ("note", "Audit of tiny: It is right for 90 of 100 pictures."),
    ]
    many = [step for step in story.steps(Report((audit_item(),) * 8)) if step["kicker"] == "In short"]
    assert [len(step["reasons"]) for step in many] == [6, 2]


@pytest.mark.parametrize(("size", "shown"), [((40, 60), [1, 3, 5]), ((60, 40), [1, 2, 4, 5])])
def test_depths_are_few_enough_to_be_seen_from_the_first_to_the_last(size, shown):
    depths = tuple(cam_map(size, layer=str(n), raw=np.ones((n, n), np.float32)) for n in range(1, 6))
    one = item(picture(*size), findings=(finding(size),), depths=depths)
    step = next(step for step in story.steps(Report((one,))) if step["kicker"] == "At which depth")
    assert [one["caption"] for one in step["pictures"]] == [f"{n} × {n} places" for n in shown]


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
