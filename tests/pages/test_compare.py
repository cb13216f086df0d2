"""The Compare page's logic, run by Streamlit's own test runner with the real engine (no browser)."""

import io
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import cells, components, headline, html, maps, visit
from PIL import Image
from shared_data import shared
from streamlit.testing.v1 import AppTest

from ui.compare import parts

pytestmark = pytest.mark.usefixtures("real_weights")

page = partial(visit, "pages/compare.py")


def layer(at: AppTest) -> str:
    """The layer that the chooser shows as chosen."""
    return str(next(data["chosen"] for data in components(at) if "stages" in data))


def titles(at: AppTest) -> list[str]:
    return [cell["title"] for cell in cells(at)]


def test_opens_with_six_cheap_methods_on_the_first_answer() -> None:
    at = page()
    assert headline(at).startswith("Six methods on why MobileNetV2 says “")
    assert titles(at) == ["Grad-CAM", "Grad-CAM++", "LayerCAM", "Eigen-Grad-CAM", "Recipro-CAM", "Faster Score-CAM"]
    assert all(cell["grid"] and cell["tags"] == ["own scale"] for cell in cells(at))
    assert all("Brightest at the" in cell["alt"] for cell in cells(at))
    assert len(maps(at)["bars"]) == 1
    assert "cam-note" not in html(at)


def test_two_axes_share_one_scale_along_a_method() -> None:
    at = page(rows="classes", methods="gradcam,layercam", classes="first,second,281")
    data = maps(at)
    assert [head["title"] for head in data["heads"]] == ["Grad-CAM", "LayerCAM"]
    assert len(data["lines"]) == 3
    assert data["lines"][2]["title"] == "tabby"
    grid = [[cell["top"] for cell in line["cells"]] for line in data["lines"]]
    for column in range(2):
        tops = {line[column] for line in grid}
        peaks = [line["cells"][column]["grid"]["high"] for line in data["lines"]]
        assert len(tops) == 1
        assert tops.pop() == pytest.approx(max(peaks))
    assert not any(cell["tags"] for cell in cells(at))


def test_a_link_reproduces_the_view() -> None:
    query = {"columns": "layers", "rows": "methods", "methods": "layercam,gradcam", "layers": "last-1,last",
             "class": "281", "sample": "coffee", "scale": "density", "opacity": "70", "grid": "native"}  # fmt: skip
    at = page(**query)
    assert at.session_state["sample"] == "coffee"
    data = maps(at)
    assert [head["title"] for head in data["heads"]] == ["block_13_expand_relu", "out_relu"]
    assert [line["title"] for line in data["lines"]] == ["LayerCAM", "Grad-CAM"]
    assert all("for tabby" in cell["alt"] or cell["grid"] for cell in cells(at))
    assert data["look"]["opacity"] == 0.7
    assert data["look"]["smooth"] is False
    assert not any(cell["tags"] for cell in cells(at))
    assert "× the map’s average" in data["bars"][0]["high"]
    at.run()
    for name in ("columns", "rows", "methods", "layers", "class", "sample"):
        assert at.query_params[name] in (query[name], [query[name]])


def test_a_link_that_names_nothing_is_answered_in_place() -> None:
    at = page(
        columns="colums", methods="gradcam,gradcamm", beside="MobileNetV9", framings="croop", classes="first,abc",
        model="MobileNetV8", scale="two", **{"class": "abc"},
    )  # fmt: skip
    for said in (
        "colums", "Did you mean “gradcam”?", "MobileNetV9", "MobileNetV8", "Did you mean “MobileNetV2”?",
        "Did you mean “crop”?", "“two”, which does not exist",
    ):  # fmt: skip
        assert said in html(at)
    assert html(at).count("whole number") == 2
    assert any(cell["grid"] for cell in cells(at)), "the rest is shown"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("rows", "methods", "cannot both be methods"), ("methods", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;")],
)
def test_a_choice_that_cannot_be_followed_is_answered_in_place(name: str, value: str, said: str) -> None:
    at = page(**{name: value})
    assert said in html(at)
    assert any(cell["grid"] for cell in cells(at)), "the rest is shown"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"class": "1000"}, "1000"),
        ({"class": "-1"}, "-1"),
        ({"columns": "classes", "classes": "first,4711"}, "4711"),
    ],
)
def test_what_the_network_does_not_have_is_said_in_the_cells(query: dict[str, str], said: str) -> None:
    at = page(methods="gradcam", **query)
    assert said in " ".join(cell["why"] for cell in cells(at) if not cell["grid"])


def test_the_choices_are_called_by_their_names_also_where_all_is_ready_at_once() -> None:
    for _ in range(2):  # the second visitor finds the network loaded, so that one drawing does
        at = page(**{"class": "281"})
    assert at.selectbox(key="class_one").value == "281"
    assert at.selectbox(key="class_one").options[0].endswith(" %")
    assert layer(at) == "out_relu"


def test_a_choice_that_the_network_does_not_have_is_shown_as_chosen_or_put_back() -> None:
    at = page(**{"class": "99999", "layer": "nowhere"})
    assert at.selectbox(key="class_one").value == "99999"
    assert layer(at) == "out_relu"
    assert "no layer “nowhere”" in html(at)
    assert "no spatial grid" in html(page(layer="predictions"))


def test_a_class_that_is_chosen_by_name_and_by_its_place_is_shown_once() -> None:
    at = page(methods="gradcam", columns="classes", classes="first,281,282,285", **{"class": "340"})
    assert not at.query_params.get("class"), "one class for all means nothing where classes are the columns"
    titles_ = titles(at)
    assert len(titles_) == len(set(titles_)) == 3
    assert "is chosen twice. It is shown once." in html(at)
    offered = page(methods="gradcam", columns="classes").multiselect(key="classes").options
    assert len(offered) == len(set(offered)) == 1000, "each class once: three by their place, the others by name"


@pytest.mark.parametrize(("query", "options"), [({}, 2), ({"columns": "classes"}, 3)])
def test_a_shared_scale_is_offered_where_maps_can_share_one(query: dict[str, str], options: int) -> None:
    at = page(methods="gradcam,layercam", scale="each its own", **query)
    scale = next(one for one in at.segmented_control if one.key == "scale")
    assert len(scale.options) == options
    assert {tag for cell in cells(at) for tag in cell["tags"]} == {"own scale"}


def test_too_many_maps_are_cut_and_it_is_said() -> None:
    layers = ",".join(["last", "last-1", "last-2", "last-3", *(f"block_{i}_expand_relu" for i in range(1, 16))])
    at = page(
        columns="layers", rows="classes", layers=layers, classes="first,second,third,1,2,3,4,5", methods="gradcam"
    )
    assert len(cells(at)) == 48
    assert "That would be 152 maps. At most 48" in html(at)


def test_a_method_that_is_not_defined_at_a_layer_leaves_the_others_alone() -> None:
    at = page(columns="layers", rows="methods", methods="gradcam,cam", layers="last-1,last")
    said = {cell["name"]: cell for cell in cells(at)}
    assert [bool(cell["grid"]) for cell in cells(at)] == [True, True, False, True]
    refused = next(cell for cell in said.values() if not cell["grid"])
    assert refused["message"].startswith("CAM is not defined for MobileNetV2")
    assert "'gradcam'" in refused["why"]
    assert "3 of 4 maps" in " ".join(c.value for c in at.caption)


def test_backbones_each_with_its_own_answer_and_layer() -> None:
    at = page(columns="backbones", beside="MobileNet,cats_vs_dogs", method="gradcam")
    assert titles(at) == ["MobileNetV2", "MobileNet", "cats_vs_dogs"]
    assert all(cell["note"].startswith("says ") and cell["grid"] for cell in cells(at))
    assert [cell["grid"]["rows"] for cell in cells(at)] == [7, 7, 12]
    assert headline(at) == "Three backbones on one picture"


def test_a_class_of_the_first_network_is_looked_up_by_its_name_in_the_others() -> None:
    at = page(columns="backbones", beside="MobileNet,cats_vs_dogs", **{"class": "281"})
    found = cells(at)
    assert [bool(cell["grid"]) for cell in found] == [True, True, False]
    assert found[2]["message"] == "cats_vs_dogs does not know the class “tabby”, so it cannot be asked about it."


def test_a_network_without_weights_is_offered_and_the_rest_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    at = page(columns="backbones", beside="VGG16")
    assert [bool(cell["grid"]) for cell in cells(at)] == [True, False]
    assert cells(at)[1]["message"] == "Needs its weights first."
    assert any(b.label.startswith("Download 5") for b in at.button)
    assert not list(tmp_path.rglob("*.h5"))


def test_the_first_network_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    at = page(model="VGG16")
    assert headline(at) == "VGG16 needs its weights first"
    assert any(b.label.startswith("Download 5") for b in at.button)
    assert not any(cell["grid"] for cell in cells(at))


def test_a_slow_method_is_priced_first_and_runs_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.map_cache.PATIENCE_SECONDS", 0.0)
    at = page(methods="gradcam,scorecam", model="MobileNet")
    waiting = cells(at)[1]
    assert waiting["message"] == "Waits for you to press Run"
    assert any("Score-CAM: 1,025 passes" in c.value.replace("\\", "") for c in at.caption)
    assert [b.label for b in at.button if "Score" in b.label] == ["Run Score-CAM"]


def test_a_pinned_map_tells_how_the_others_agree_with_it() -> None:
    at = page(pin="layercam", methods="gradcam,layercam,cam")
    data = maps(at)
    assert (data["reference"], data["differences"]) == ("layercam", True)
    by_name = {cell["title"]: cell["figures"] for cell in cells(at)}
    assert by_name["LayerCAM"] == ""
    assert by_name["Grad-CAM"].startswith("ρ 0.")
    assert by_name["Grad-CAM"] == by_name["CAM"]  # the same map at the last layer of a network that ends in GAP
    assert [bar["low"] for bar in data["bars"]] == ["0", "less than the reference"]


def test_agreement_consensus_and_the_pairs() -> None:
    at = page(methods="gradcam,cam")
    said = " ".join(m.value.replace("\\", "") for m in at.markdown)
    assert "They agree closely: 1.00 on average" in said
    together = maps(at, pins=False)["lines"][0]["cells"]
    assert [cell["title"] for cell in together] == ["What the maps have in common", "Where they contradict each other"]
    assert together[1]["grid"]["high"] == pytest.approx(0, abs=0.02), "two equal maps contradict each other nowhere"
    assert together[0]["grid"]["high"] == pytest.approx(1, abs=0.01)


def test_one_map_has_nobody_to_agree_with() -> None:
    at = page(methods="gradcam")
    assert any("At least two maps" in c.value for c in at.caption)
    assert not any("pin" in c.value for c in at.caption), "a pin is for comparing with others"


def test_the_axes_can_be_swapped_and_changed() -> None:
    at = page(rows="classes", methods="gradcam,layercam")
    at.selectbox(key="columns").set_value("classes").run()
    assert at.session_state["rows"] == "methods"
    assert len(cells(at)) == 4
    at.selectbox(key="rows").set_value("none").run()
    assert len(cells(at)) == 2
    at.multiselect(key="classes").set_value([]).run()
    assert "No class is chosen" in html(at)
    assert len(cells(at)) == 1


def test_the_controls_of_the_view_compute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at = page(methods="gradcam,hirescam")

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a view-only change must not compute")

    monkeypatch.setattr("camcore.stream", never, raising=False)
    before = [cell["grid"] for cell in cells(at)]
    at.slider(key="opacity").set_value(80)
    at.toggle(key="signs").set_value(True)
    at.toggle(key="close").set_value(True)
    at.selectbox(key="colormap").set_value("magma").run()
    assert not at.exception
    assert [cell["grid"] for cell in cells(at)] == before
    assert [cell["signed"] for cell in cells(at)] == [False, True]
    data = maps(at)
    assert data["look"]["opacity"] == 0.8
    assert data["area"] is not None
    assert len(data["bars"]) == 2


def test_an_upload_is_compared(tmp_path: Path) -> None:
    at = page(methods="gradcam,layercam")
    at.file_uploader[0].upload("zebra.jpg", shared("photos", "zebra.jpg").read_bytes())
    at.run()
    assert "zebra" in headline(at)
    assert not at.query_params.get("sample")


def export(at: AppTest) -> Any:
    """The content of the download buttons."""
    from ui import samples
    from ui.compare import grid as compare_grid
    from ui.compare.export import Take

    sheet = at.session_state["work_comparison"].job.value
    look = compare_grid.GridLook()
    drawn = compare_grid.draw(sheet, look, False)
    return Take(sheet, drawn, look, samples.picture("chelsea"), "Cat", None)


def test_a_title_of_a_moment_ago_is_understood() -> None:
    """A browser answers with titles, and those of the first drawing know no answers yet."""
    at = page(rows="classes", methods="gradcam")
    at.session_state["classes"] = ["First answer", "second"]
    at.run()
    assert at.session_state["classes"] == ["first", "second"]
    assert all(cell["grid"] is not None for cell in cells(at))


def test_a_variant_stands_beside_its_method() -> None:
    at = page(methods="gradcam++,gradcam++:authors,eigencam:centred", layers="last,last-1", rows="layers")
    assert [head["title"] if isinstance(head, dict) else head[0] for head in maps(at)["heads"]] == [
        "Grad-CAM++",
        "Grad-CAM++, authors",
        "Eigen-CAM, centred",
    ]
    assert all(cell["grid"] is not None for cell in cells(at))
    first, second = (cells(at)[i]["grid"] for i in (0, 1))
    assert first != second
    assert at.query_params["methods"] in (
        ["gradcam++,gradcam++:authors,eigencam:centred"],
        "gradcam++,gradcam++:authors,eigencam:centred",
    )


def test_downloads_hold_what_is_on_the_page() -> None:
    from ui.compare import export as compare_export

    at = page(methods="gradcam,layercam", rows="classes")
    take = export(at)
    assert compare_export.stem(take) == "Cat_MobileNetV2_methods_classes"
    sheet = Image.open(io.BytesIO(compare_export.png(take)))
    assert sheet.width > 2 * 420
    arrays = np.load(io.BytesIO(compare_export.npz(take)))
    about = json.loads(str(arrays["about"]))
    assert [one["method"] for one in about["maps"]] == ["Grad-CAM", "LayerCAM"] * 2
    first = next(iter(take.sheet.maps.values()))
    assert np.array_equal(arrays["map_00"], first.raw)
    text = compare_export.csv(take).decode()
    assert text.count("# network=MobileNetV2") == 4
    numbers = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(numbers) == 4 * 7
    assert float(numbers[0].split(",")[0]) == pytest.approx(float(first.raw[0, 0]))
    assert "One scale" in compare_export.lines(take)[1]


def test_two_classes_are_set_against_each_other() -> None:
    at = page(methods="gradcam", why="281", why_not="285")
    assert not any("points of score" in m.value for m in at.markdown), "only the open question is worked on"
    at.session_state["question"] = parts.CONTRAST
    at.run()
    for _ in range(100):
        if any("points of score" in m.value for m in at.markdown):
            break
        time.sleep(0.05)
        at.run()
    said = next(m.value for m in at.markdown if "points of score" in m.value).replace("\\", "")
    assert "“Egyptian cat” is ahead of “tabby” by" in said
    assert "of the places speak for tabby, most of all at the" in said
    both = next(d for d in components(at) if d.get("lines") and d["lines"][0]["cells"][0]["id"] == "difference")
    assert both["lines"][0]["cells"][0]["signed"] is True
    assert [bar["low"] for bar in both["bars"]] == ["for Egyptian cat", "0"]
    at.selectbox(key="why_not").set_value("third").run()
    assert any("two different classes" in c.value for c in at.caption), "the third answer is tabby, too"
    assert at.query_params["why_not"] in ("third", ["third"])
