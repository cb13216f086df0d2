"""The Report page's logic, run by Streamlit's own test runner with the real engine (no browser)."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import components, html, visit
from PIL import Image
from shared_data import shared
from streamlit.testing.v1 import AppTest

from camcore.report.archive import to_zip
from camcore.report.document import Report

pytestmark = pytest.mark.usefixtures("real_weights")


def page(script: str = "pages/report.py", **query: str) -> AppTest:
    return visit(script, **query)


def to(at: AppTest, script: str, **query: str) -> AppTest:
    return visit(script, at, **query)


def add(at: AppTest) -> AppTest:
    button = at.button(key="add_to_report")
    assert not button.disabled
    button.click().run()
    for _ in range(40):
        if at.button(key="add_to_report").label == "In the report":
            return at
        at.run()
    raise AssertionError("it was not added")


def steps(at: AppTest) -> list[dict[str, Any]]:
    return next((data["steps"] for data in components(at) if "steps" in data), [])


def entries(at: AppTest) -> Any:
    return at.session_state["basket"]


def value(at: AppTest, name: str) -> Any:
    found = at.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def test_an_empty_report_says_how_to_fill_it() -> None:
    at = page()
    assert at.header[0].value == "Nothing in the report yet"
    assert "Add to report" in at.markdown[0].value
    assert value(at, "report") is None


def test_a_map_is_pinned_on_inspect_and_stays_as_it_was() -> None:
    at = page("app.py", opacity="80", colormap="magma")
    add(at)
    (entry,) = entries(at)
    one = entry.item.first
    assert (one.map.method, one.network.name, len(one.network.weights_sha256)) == ("gradcam", "MobileNetV2", 64)
    assert (entry.item.style.alpha, entry.item.style.colormap) == (0.8, "magma")
    assert [m.raw.shape for m in entry.item.depths] == [(56, 56), (28, 28), (14, 14), (7, 7)]
    assert entry.item.picture.open().sha256 == entry.item.picture.sha256
    before = one.map.raw.copy()
    at.selectbox(key="method").set_value("layercam").run()
    assert at.button(key="add_to_report").label == "Add to report", "another map can be added"
    to(at, "pages/report.py")
    assert at.header[0].value == "Report, 1 entry"
    assert np.array_equal(entries(at)[0].item.first.map.raw, before)


def test_a_comparison_is_pinned_with_its_scales() -> None:
    at = page("pages/compare.py", rows="classes", methods="gradcam,layercam")
    add(at)
    item = entries(at)[0].item
    assert [one.map.method for one in item.findings] == ["gradcam", "layercam"] * 2
    tops = [one.scale.top for one in item.findings]
    assert tops[0] == tops[2] == max(float(item.findings[i].map.raw.max()) for i in (0, 2))
    to(at, "pages/report.py")
    assert any("2 methods × 2 classes" in m.value.replace("\\", "") for m in at.markdown)


def filled() -> AppTest:
    at = add(page("app.py"))
    add(to(at, "pages/compare.py", model="MobileNetV2", methods="gradcam,layercam"))
    return to(at, "pages/report.py")


def test_entries_are_ordered_commented_and_removed_and_a_reload_brings_them_back() -> None:
    at = filled()
    first, second = entries(at)
    assert at.button(key=f"arrow_upward_{first.id}").disabled
    at.button(key=f"arrow_upward_{second.id}").click().run()
    assert [entry.id for entry in entries(at)] == [second.id, first.id]
    at.text_area(key=f"comment_{second.id}").set_value("<b>The ears.</b>").run()
    at.text_input(key="report_title").set_value("Why?").run()
    token = value(at, "report")
    assert token is not None
    other = page(report=token)
    assert [entry.item.comment for entry in entries(other)] == ["<b>The ears.</b>", ""]
    assert other.text_input(key="report_title").value == "Why?"
    at.button(key=f"delete_{first.id}").click().run()
    assert len(entries(at)) == 1
    at.button(key=f"delete_{second.id}").click().run()
    assert at.header[0].value == "Nothing in the report yet"
    assert value(at, "report") is None


def test_a_map_is_checked_and_the_story_says_whether_it_is_true(pets: Path) -> None:
    at = add(page("app.py", model="pets"))
    to(at, "pages/report.py")
    entry = entries(at)[0]
    for _ in range(600):
        if entries(at)[0].item.first.verdict is not None:
            break
        offered = [button for button in at.button if button.key == f"trust_{entry.id}"]
        (offered[0].click() if offered else at).run()
        time.sleep(0.05)
    verdict = entries(at)[0].item.first.verdict
    assert verdict.level in ("trust", "caution", "distrust")
    at.run()
    assert any(verdict.headline in e.label.replace("\\", "") for e in at.expander)
    at.button(key="present_now").click().run()
    last = steps(at)[-1]
    assert (last["kicker"], last["title"], last["level"]) == ("Can you trust it?", verdict.headline, verdict.level)
    assert [kind for kind, _ in last["reasons"]] == [kind for kind, _ in verdict.reasons][:4]


def test_the_presentation_tells_the_story_and_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at = filled()
    assert steps(at) == []

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a presentation must not compute")

    monkeypatch.setattr("camcore.network.Network.forward", never, raising=False)
    monkeypatch.setattr("camcore.stream", never, raising=False)
    monkeypatch.setattr("camcore.explain", never, raising=False)
    at.button(key="present_now").click().run()
    told = steps(at)
    kickers = [step["kicker"] for step in told if step["kicker"] != "Can you trust it?"]  # where that is known by then
    assert kickers == ["The picture", "What it says", "Where it looks", "At which depth", "Side by side", "In short"]
    assert [one["src"] for step in told[:2] for one in step["pictures"]] == [0, 0], "the photograph is sent once"
    assert value(at, "present") == "1"
    assert not at.button, "nothing but the story"
    again = page(report=value(at, "report"), present="1")
    assert steps(again) == told


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"report": "A" * 24}, "no longer keeps"),
        ({"report": "A" * 24, "present": "1"}, "no longer keeps"),
        ({"report": "<script>"}, "&lt;script&gt;"),
        ({"present": "yes"}, "“yes”, which does not exist"),
    ],
)
def test_a_link_that_names_nothing_is_answered_in_place(query: dict[str, str], said: str) -> None:
    at = page(**query)
    assert said in html(at)
    assert at.header[0].value == "Nothing in the report yet"


def test_an_upload_with_a_nasty_name_is_shown_as_it_is_called() -> None:
    at = page("app.py")
    at.file_uploader[0].upload("<script>alert(1)</script>.jpg", shared("photos", "zebra.jpg").read_bytes())
    at.run()
    add(at)
    to(at, "pages/report.py")
    assert "<script>" not in html(at)
    assert "&lt;script&gt;" in html(at)
    with zipfile.ZipFile(io.BytesIO(to_zip(Report((entries(at)[0].item,))))) as archive:
        photo = next(name for name in archive.namelist() if name.startswith("pictures/"))
        assert archive.read(photo) == shared("photos", "zebra.jpg").read_bytes()
        drawn = next(name for name in archive.namelist() if name.endswith(".png"))
        with Image.open(io.BytesIO(archive.read(drawn))) as image:
            assert image.width == 500
