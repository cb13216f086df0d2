"""The Inspect page's logic, run by Streamlit's own test runner with the real engine (no browser)."""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_pages import components, headline, html, labelled, run
from app_pages import visit as page
from PIL import Image
from shared_data import shared
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.usefixtures("real_weights")


@pytest.fixture(autouse=True)
def evidence_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No evidence on the map is gathered beside what is tested here; test_trust.py has the verdict beneath it."""
    monkeypatch.setattr("ui.trust.evidence.CHEAP", 0)


def caption(at: AppTest) -> str:
    return next(c.value.replace("\\", "") for c in at.caption if "one cell" in c.value)


def tag(at: AppTest) -> str:
    """The words on the overlay."""
    return str(next(data["tag"] for data in components(at) if "tag" in data))


def layer(at: AppTest) -> str:
    """The layer that the chooser shows as chosen."""
    return str(next(data["chosen"] for data in components(at) if "stages" in data))


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def huge_png(side: int) -> bytes:
    """A PNG that claims to be this large; its pixels are never read."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, body, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    at.file_uploader[0].upload(name, data)
    return run(at)


def test_opens_on_a_photograph_with_an_answer_and_a_map() -> None:
    at = page()
    assert headline(at).startswith("MobileNetV2 says “")
    assert "cat" in headline(at)
    assert caption(at).startswith("Grad-CAM · out_relu 7×7, one cell = 32×32 px of the input, receptive field 491 px")
    assert layer(at) == "out_relu"
    rows = next(data["rows"] for data in components(at) if "rows" in data)
    assert [row["selected"] for row in rows] == [True, False, False, False, False]
    assert labelled(at.selectbox, "Another class").value is None, "the five with bars are not named once more"
    assert "cam-note" not in html(at)


def test_a_chosen_class_is_explained_and_goes_into_the_link() -> None:
    at = page()
    rows = next(data["rows"] for data in components(at) if "rows" in data)
    labelled(at.selectbox, "Another class").set_value(281).run()
    assert "tabby" in caption(at)
    assert tag(at) == "Where it looks for tabby"
    assert at.query_params["class"] == "281"
    assert labelled(at.selectbox, "Another class").value is None, "it has a bar of its own"
    labelled(at.selectbox, "Another class").set_value(340).run()
    assert (at.query_params["class"], labelled(at.selectbox, "Another class").value) == ("340", 340)
    labelled(at.selectbox, "Another class").set_value(rows[0]["id"]).run()
    assert not at.query_params.get("class")


def test_a_map_of_no_class_does_not_claim_one() -> None:
    assert tag(page(method="eigencam")) == "Where it looks"


def test_a_chosen_method_and_layer_are_used() -> None:
    at = page()
    at.selectbox(key="method").set_value("layercam").run()
    assert caption(at).startswith("LayerCAM · out_relu")
    at.session_state["layer"] = "block_13_expand_relu"
    run(at)
    assert caption(at).startswith("LayerCAM · block_13_expand_relu 14×14, one cell = 16×16 px")
    assert at.query_params["method"] == "layercam"
    assert at.query_params["layer"] == "block_13_expand_relu"


def test_a_link_reproduces_the_view() -> None:
    query = {"method": "gradcam++", "layer": "block_13_expand_relu", "class": "281", "sample": "coffee"}
    at = page(**query, opacity="70", colormap="magma", grid="native", framing="letterbox")
    assert caption(at).startswith("Grad-CAM++ · block_13_expand_relu 14×14")
    assert "tabby" in caption(at)
    assert at.slider(key="opacity").value == 70
    assert at.selectbox(key="colormap").value == "magma"
    assert at.session_state["framing"] == "letterbox"
    assert at.session_state["sample"] == "coffee"


def test_a_link_that_names_nothing_is_answered_in_place() -> None:
    wrong = {"model": "MobileNetV9", "method": "gradcamm", "framing": "croop", "sample": "dog", "colormap": "hot",
             "opacity": "140", "class": "abc"}  # fmt: skip
    at = page(**wrong)
    for said in (
        "Did you mean “MobileNetV2”?", "Did you mean “gradcam”?", "Did you mean “crop”?", "“dog”, which does not exist",
        "“hot”, which does not exist", "between 0 and 100", "whole number",
    ):  # fmt: skip
        assert said in html(at)
    assert html(at).count("instead.") == len(wrong)
    assert caption(at).startswith("Grad-CAM · out_relu 7×7"), "the default is shown"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("class", "-1", "-1"),
        ("class", "1000", "0 to 999"),
        ("layer", "predictions", "no spatial grid"),
        ("layer", "nowhere", "nowhere"),
        ("method", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
    ],
)
def test_what_the_network_does_not_have_is_answered_in_place(name: str, value: str, said: str) -> None:
    at = page(**{name: value})
    assert said in html(at)
    assert "instead" in html(at)
    assert caption(at).startswith("Grad-CAM · out_relu 7×7"), "the default is shown"


def test_a_notice_goes_when_the_choice_is_made_anew() -> None:
    at = page(method="gradcamm")
    at.selectbox(key="method").set_value("hirescam").run()
    assert "gradcamm" not in html(at)


def test_an_upload_replaces_the_sample_and_a_reload_finds_it() -> None:
    at = page(sample="coffee")
    upload(at, "zebra.jpg", shared("photos", "zebra.jpg").read_bytes())
    assert "zebra" in headline(at)
    assert not at.query_params.get("sample")
    assert any("zebra.jpg" in c.value for c in at.sidebar.caption)
    token = at.query_params["picture"]
    again = page(picture=token)  # a new session, as a reload is
    assert headline(again) == headline(at)
    assert any("zebra.jpg" in c.value for c in again.sidebar.caption)


def test_a_picture_of_a_session_that_has_ended_is_told() -> None:
    gone = page(picture="of-another-session")
    assert "It is deleted when that session ends" in html(gone)
    assert "cat" in headline(gone)
    assert not gone.query_params.get("picture")


def test_a_bad_file_after_an_upload_leaves_the_upload() -> None:
    at = page()
    upload(at, "zebra.jpg", shared("photos", "zebra.jpg").read_bytes())
    at.file_uploader[0].set_value(None).run()  # as the browser does before it sends the next file
    upload(at, "bad.jpg", b"words")
    assert "The earlier picture stays" in html(at)
    assert "zebra" in headline(at)


def test_a_bad_file_says_why_and_the_earlier_result_stays() -> None:
    whole = shared("photos", "zebra.jpg").read_bytes()
    at = page()
    before = headline(at), caption(at)
    for name, data, said in (
        ("photo.jpg", b"these are words, not a picture", "text"),
        ("tiny.png", png(np.zeros((1, 1, 3), np.uint8)), "1"),
        ("<img src=x onerror=alert(1)>.jpg", b"words", "text"),
        ("empty.png", b"", "empty"),
        ("huge.png", huge_png(30_000), "million pixels"),
        ("half.jpg", whole[: len(whole) // 2], ""),
    ):
        at.session_state["picture_failure"] = None
        upload(at, name, data)
        assert "The earlier picture stays" in html(at), name
        assert said in html(at)
        assert "<img" not in html(at)
        assert (headline(at), caption(at)) == before


def test_what_was_done_to_a_picture_is_said() -> None:
    grey = Image.fromarray((np.arange(64 * 64).reshape(64, 64) * 15).astype(np.uint16))
    at = page()
    for image, kind, word in (
        (Image.new("RGBA", (64, 64), (200, 40, 40, 90)), "PNG", "transparen"),
        (Image.new("CMYK", (64, 64), (20, 40, 40, 0)), "JPEG", "CMYK"),
        (grey, "PNG", "16"),
    ):
        file = io.BytesIO()
        image.save(file, kind)
        upload(at, "picture", file.getvalue())
        assert any(word.lower() in one.value.lower() for one in at.sidebar.caption)


def test_missing_weights_are_offered_not_fetched(no_weights: Path) -> None:
    at = page(model="VGG16")
    assert headline(at) == "VGG16 needs its weights first"
    assert any(b.label.startswith("Download 5") and b.label.endswith(" MB") for b in at.button)
    offer = " ".join(m.value for m in at.markdown)
    assert "CAMCORE_WEIGHTS" in offer
    assert "VGG16.weights.h5" in offer
    assert not list(no_weights.rglob("*.h5"))


def test_without_a_network_the_download_says_what_to_do(no_weights: Path) -> None:
    assert os.environ["CAMCORE_WEIGHTS_URL"].startswith("http://127.0.0.1")
    at = page(model="MobileNetV3Small")
    next(b for b in at.button if b.label.startswith("Download")).click().run()
    assert not at.exception
    assert "CAMCORE_WEIGHTS" in html(at)
    assert any(b.label == "Try again" for b in at.button)


def test_random_weights_only_when_asked_for(no_weights: Path) -> None:
    at = page(model="MobileNetV3Small")
    assert "needs its weights" in headline(at)
    at.toggle(key="random").set_value(True).run()
    assert headline(at).startswith("MobileNetV3Small has learned nothing yet and guesses")


def test_a_slow_method_is_priced_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.map_cache.PATIENCE_SECONDS", 0.0)
    at = page(method="scorecam")
    assert caption(at).startswith("Grad-CAM · ")
    assert tag(at).endswith(" · still Grad-CAM")
    assert any("1,28" in c.value.replace("\\", "") and "passes" in c.value for c in at.caption)
    assert [b.label for b in at.button if "Score" in b.label] == ["Run Score-CAM"]


def test_an_unexpected_error_is_told_calmly(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret path /home/somebody")

    at = page()
    with monkeypatch.context() as patch:
        patch.setattr("camcore.explain", broken, raising=False)
        at.selectbox(key="method").set_value("xgradcam").run()
    assert not at.exception
    assert "Something unexpected went wrong here" in html(at)
    assert caption(at).startswith("Grad-CAM · "), "the earlier result stays"
    next(b for b in at.button if b.label == "Try again").click().run()
    assert caption(at).startswith("XGrad-CAM")


def test_the_choices_go_along_to_another_page_that_has_them() -> None:
    at = page()
    assert at.session_state["model"] == "MobileNetV2"
    at.selectbox(key="method").set_value("layercam").run()
    page("pages/trust.py", at)
    assert at.selectbox(key="model").value == "MobileNetV2"
    assert at.selectbox(key="method").value == "layercam"
    assert "model" not in at.query_params
