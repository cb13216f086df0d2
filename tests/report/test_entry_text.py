"""An entry in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reported import FACTS, cam_map, finding, item, picture

from camcore.predictions import Prediction
from camcore.report import entry_text
from camcore.report.document import Report, Scale, VerdictSummary


def several(*changes, **of_finding):
    return tuple(finding(map=cam_map(**change), **of_finding) for change in changes)


@pytest.mark.parametrize(
    ("weights", "probability", "text"),
    [
        ("ImageNet weights", 0.71, "tiny says “Egyptian cat”, 71 %"),
        ("ImageNet weights", 0.2, "tiny is not sure: its best guess is “Egyptian cat”, 20 %"),
        ("random weights", 0.71, "tiny has learned nothing yet and guesses “Egyptian cat”, 71 %"),
    ],
)
def test_what_the_network_says_is_said_as_surely_as_it_says_it(weights, probability, text):
    cat = Prediction(1, "Egyptian_cat", probability, 1.0)
    one = finding(network=replace(FACTS, weights=weights), predictions=(cat,))
    assert entry_text.title(item(findings=(one,))) == text


def test_several_maps_are_counted_along_what_they_differ_in():
    methods = several({}, {"method": "layercam"}, {"method": "layercam", "label": "tabby", "class_index": 0})
    assert entry_text.title(item(findings=methods)) == "2 methods × 2 classes: tiny says “Egyptian cat”, 71 %"
    assert entry_text.names(methods) == ["Grad-CAM · Egyptian cat", "LayerCAM · Egyptian cat", "LayerCAM · tabby"]


def test_a_class_that_is_not_the_first_answer_is_named_on_top():
    tabby = {"label": "tabby", "class_index": 0}
    one = item(findings=several(tabby))
    assert entry_text.title(one) == "Where it looks for “tabby”: tiny says “Egyptian cat”, 71 %"
    both = item(findings=several(tabby, {**tabby, "method": "layercam"}))
    assert entry_text.title(both) == "2 methods on “tabby”: tiny says “Egyptian cat”, 71 %"
    any_class = item(findings=several({**tabby, "method": "eigencam"}))
    assert entry_text.title(any_class) == "tiny says “Egyptian cat”, 71 %", "Eigen-CAM is of no class"


def test_the_subject_names_the_class_that_all_maps_are_of():
    assert entry_text.subject(item(findings=several({}, {"method": "layercam"}))) == "2 methods on “Egyptian cat”"
    classes = several({}, {"label": "tabby", "class_index": 0})
    assert entry_text.subject(item(findings=classes)) == "2 classes"


def test_what_follows_from_the_method_is_not_counted():
    own_grid = several({}, {"method": "fullgrad", "layer": None})
    assert entry_text.title(item(findings=own_grid)).startswith("2 methods: ")
    assert entry_text.names(own_grid) == ["Grad-CAM", "FullGrad"]


def test_networks_are_named_with_their_own_answers():
    other = finding(map=cam_map(label="tabby", probability=0.4), network=replace(FACTS, name="other"))
    found = (finding(), other)
    assert entry_text.title(item(findings=found)) == "2 networks on one picture"
    assert entry_text.names(found) == ["tiny · Egyptian cat 71 %", "other · tabby 40 %"]


def test_the_exact_rows_hold_the_figures():
    m = cam_map(method="cam", evidence=3.0, offset=0.25, options={"n": 3}, refine=("aug",))
    rows = dict(entry_text.exact(item(findings=(finding(map=m),))))
    assert rows["Picture"] == "photo.png, 60 × 40 px"
    assert rows["Network"] == "tiny, weights of its own, input 32×32"
    assert rows["SHA-256 of the weights"] == "ab" * 32
    assert rows["What the network saw"] == "stretch: pixels 0 to 60 across and 0 to 40 down"
    assert rows["Options"] == "n = 3, refined by aug"
    assert rows["Class"] == "Egyptian cat, number 1, probability 71 %, logit 3.2500"
    assert rows["Adds up"] == "evidence 3.0000 + offset 0.2500, short of the logit by 0.0e+00"
    assert rows["Raw map"] == "0 to 4, in 31 ms"
    assert "keras" in rows["Made with"]


def test_the_table_tells_the_scale():
    found = (finding(), finding(map=cam_map(method="layercam"), scale=Scale(8.0)))
    heads, rows = entry_text.table(item(findings=found))
    assert [dict(zip(heads, row, strict=True))["scale"] for row in rows] == ["own maximum", "0 to 8"]


def test_a_map_is_described_for_those_who_cannot_see_it():
    one = item(picture(name="cat.png"))
    text = entry_text.alternative(one.first, one)
    assert text == (
        "Heatmap of Grad-CAM for Egyptian cat on cat. Brightest at the middle centre of what the network saw."
    )
    empty = item(findings=(finding(map=cam_map(raw=0 * cam_map().raw)),))
    assert entry_text.alternative(empty.first, empty).endswith("It is empty.")


def test_warnings_name_their_map_where_there_are_several():
    found = several({"warning": "Saturated."}, {"method": "layercam"})
    assert entry_text.warnings(item(findings=found)) == ["Grad-CAM: Saturated."]
    assert entry_text.warnings(item(findings=found[:1])) == ["Saturated."]


def test_limits_are_those_of_the_registry_once_for_each_method():
    found = several({}, {"class_index": 0, "label": "tabby"}, {"method": "cam"})
    assert [one.method for one in entry_text.limits(item(findings=found))] == ["Grad-CAM", "CAM"]


def test_title_and_byline():
    assert entry_text.called(Report((), "  ")) == "What the network looked at"
    assert entry_text.byline(Report((), "x", "Ada", "1 May 2026")) == "Ada, 1 May 2026"
    assert entry_text.byline(Report((), made="1 May 2026")) == "1 May 2026"


def test_a_map_that_was_not_judged_says_so():
    judged = finding(verdict=VerdictSummary("trust", "This map beats chance."))
    assert entry_text.unjudged(item(findings=(judged,))) == ""
    assert entry_text.unjudged(item()).startswith("Whether to believe this map was not checked")
    assert "1 of these maps" in entry_text.unjudged(item(findings=(judged, finding())))
