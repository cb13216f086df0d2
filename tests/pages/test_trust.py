"""The Trust page's logic, run by Streamlit's own test runner with the real engine (no browser)."""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import app_pages
import numpy as np
import pytest
from app_pages import visit
from PIL import Image
from shared_data import shared
from streamlit.testing.v1 import AppTest

import camcore
from camcore.metrics.faithfulness import Settings, measure
from camcore.verdict.what_if import what_if
from ui import samples
from ui.compare.parts import TRUST
from ui.networks import networks
from ui.query import NetworkKey

PATIENCE = 300.0
BOX = (60, 120, 220, 300)

pytestmark = pytest.mark.usefixtures("real_weights")


def page(script: str = "pages/trust.py", **query: str) -> AppTest:
    return visit(script, **query)


def html(at: AppTest) -> str:
    return app_pages.html(at).replace("&nbsp;", " ")


def until(at: AppTest, there: Callable[[AppTest], bool]) -> AppTest:
    return app_pages.until(at, there, PATIENCE)


def judged(at: AppTest) -> bool:
    return "cam-verdict-" in html(at)


def asked_again(at: AppTest) -> bool:
    return "cam-said-again" in html(at)


def said(at: AppTest) -> str:
    return html(at).partition('<p class="cam-said-again" role="status">')[2].partition("</p>")[0]


def png(values: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).save(file, "PNG")
    return file.getvalue()


def map_of() -> tuple[Any, Any, Any]:
    """The network, picture and map that the page shows."""
    net, pic = networks().peek(NetworkKey("MobileNetV2")), samples.picture("chelsea")
    return net, pic, camcore.explain(net, pic, "gradcam")[0]


@functools.cache
def trust() -> Any:
    """What the core says of that map."""
    *_, last = camcore.trust(*map_of())
    return last.trust


def test_opens_with_the_verdict_and_the_figures_beside_the_controls() -> None:
    at = until(page(), judged)
    found = trust()
    assert at.header[0].value.endswith(found.verdict.headline[0].lower() + found.verdict.headline[1:].rstrip("."))
    assert found.verdict.headline in html(at)
    assert f"{found.chance[0].lead:+.2f}".replace("-", "−") in html(at)
    assert "centred blob" in html(at)
    assert len(at.get("plotly_chart")) == 2
    assert at.button(key="full").label == "Gather all the evidence"
    assert any("1,174 passes" in str(one.value) for one in at.caption)
    assert "cam-note" not in html(at)


@pytest.mark.slow
def test_the_whole_evidence_comes_when_asked_for(pets: Path) -> None:
    at = until(page(model="pets", sample="coffee"), judged)
    at.button(key="full").click().run()
    until(at, lambda at: "Average drop" in html(at) and all(button.label != "Stop" for button in at.button))
    assert len(at.get("plotly_chart")) == 6
    assert "As learned" in html(at)
    assert html(at).count("<span>Spearman") == 8
    net, pic = camcore.load("pets"), samples.picture("coffee")
    *_, last = measure(net, pic, camcore.explain(net, pic, "gradcam"), Settings(("masked",)))
    assert f">{last.results[0].complexity:.3f}<" in html(at)
    assert all(button.key != "full" for button in at.button)


def test_a_link_carries_the_box_and_asks_what_if() -> None:
    at = until(page(box=",".join(map(str, BOX)), way="keep only the box", fill="blur"), asked_again)
    net, pic, m = map_of()
    *_, last = what_if(net, pic, m, BOX, "blur", keep=True)
    first = last.result.changes[0]
    assert said(at).startswith("Without all around the box “tiger cat” ")
    assert f"{first.before.probability:.0%}".replace("%", " %") in said(at)
    assert at.query_params["box"] in (",".join(map(str, BOX)), [",".join(map(str, BOX))])
    until(at, lambda at: "Energy inside" in html(at))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            {"box": "1,2,3", "fill": "gray", "way": "away", "method": "gradcamm", "located": "gradcam,camm"},
            ("four whole numbers", "Did you mean “grey”?", "“away”, which does not exist", "Did you mean “gradcam”?",
             "“camm”, which does not exist"),
        ),
        ({"box": "900,900,950,950"}, ("has no pixel of the picture, which is 300×451",)),
        ({"layer": "nowhere"}, ("nowhere",)),
        ({"class": "1000"}, ("0 to 999",)),
    ],
    ids=["words", "box", "layer", "class"],
)  # fmt: skip
def test_what_a_link_names_wrongly_is_told(query: dict[str, str], told: tuple[str, ...]) -> None:
    at = page(**query)
    assert [one for one in told if one not in html(at)] == []
    assert "cam-error" not in html(at)


def test_a_mask_of_another_size_or_without_an_object_is_told_and_a_good_one_used() -> None:
    at = page()
    at.segmented_control(key="object").set_value("a mask").run()
    at.file_uploader(key="mask").upload("m.png", png(np.ones((20, 30)))).run()
    assert "is 20×30 (height × width), the picture 300×451" in html(at)
    at.file_uploader(key="mask").upload("m.png", png(np.zeros((300, 451)))).run()
    assert "has no object in it" in html(at)
    values = np.zeros((300, 451))
    values[BOX[0] : BOX[2], BOX[1] : BOX[3]] = 255
    at.file_uploader(key="mask").upload("m.png", png(values)).run()
    assert "cam-error" not in html(at)
    until(at, lambda at: "Energy inside" in html(at))
    assert not at.exception


def test_a_folder_with_masks_gives_a_row_for_each_method_and_control(tmp_path: Path) -> None:
    pets = shared("pets")
    for part, ending in (("images", "jpg"), ("masks", "png")):
        (tmp_path / part).mkdir()
        for name in ("Abyssinian_1", "Abyssinian_10"):
            file = f"{name}.{ending}"
            (tmp_path / part / file).write_bytes((pets / part / file).read_bytes())
    at = page(masks=str(tmp_path), located="gradcam,layercam")
    at.session_state["where_tab"] = "Over a folder with masks"
    at.run()
    at.button(key="look_through").click().run()
    until(at, lambda at: "2 of 2 pictures" in " ".join(str(one.value) for one in at.caption))
    for row in ("Grad-CAM", "LayerCAM", "Centred blob (control)", "Random map (control)"):
        assert f'<th scope="row">{row}</th>' in html(at)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    at = page(masks=str(tmp_path / "nowhere"))
    at.session_state["where_tab"] = "Over a folder with masks"
    at.run()
    at.button(key="look_through").click().run()
    until(at, lambda at: "cannot be read" in html(at))


def test_inspect_tells_the_verdict_beneath_the_map() -> None:
    at = until(page("app.py"), judged)
    assert trust().verdict.headline in html(at)
    assert trust().verdict.reasons[0].text.split(":")[0] in html(at)


def test_compare_judges_its_maps_when_asked() -> None:
    at = page("pages/compare.py", methods="gradcam,centre")
    at.session_state["question"] = TRUST
    until(at, lambda at: any(button.key == "judge_maps_now" for button in at.button))
    assert "cam-tone" not in html(at)
    at.button(key="judge_maps_now").click().run()
    until(at, lambda at: html(at).count("cam-tone-") == 2)
    assert trust().verdict.headline in html(at)
