"""A network without a grid, on every page that looks into one: said in a sentence, never a traceback."""

from pathlib import Path

import pytest
from app_pages import text, until, visit
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui import samples
from ui.frame import PAGES
from ui.map_cache import map_cache

NAME = "page_dense_only"
NOT_ASKED = (
    "app.py",
    "pages/report.py",
    "pages/cats_vs_dogs.py",
    "pages/train.py",
    "pages/models.py",
    "pages/glossary.py",
    "pages/decision.py",
)
OTHERS = tuple(script for script, *_ in PAGES if script not in (*NOT_ASKED, "pages/audit.py"))


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_MODELS", f"{NAME}=own_models:{NAME}")


def page(script: str = "app.py", **query: str) -> AppTest:
    return visit(script, model=NAME, **query)


def shown(at: AppTest) -> str:
    return " ".join([text(at), *(str(one.value) for kind in ("error", "info") for one in at.get(kind))])


@pytest.mark.parametrize("script", ["app.py", "pages/trust.py"])
def test_the_first_map_is_one_that_needs_no_layer(script: str) -> None:
    """Nothing has to be chosen: occlusion stands in for Grad-CAM, and the page says why."""
    at = page(script, framing="stretch")
    for _ in range(3):  # the network is known to have no grid once it is loaded
        if at.session_state["method"] != "occlusion":
            at.run()
    assert "no layer with a grid larger than 1×1" in shown(at)
    assert "in place of Grad-CAM" in shown(at)
    assert "This did not work" not in shown(at)
    found = map_cache().known(at.session_state["shown"], samples.picture(samples.DEFAULT))
    assert found.map.method == "occlusion"


def test_inspect_shows_occlusion() -> None:
    at = page(framing="stretch", method="occlusion")
    found = map_cache().known(at.session_state["shown"], samples.picture(samples.DEFAULT))
    assert found.map is not None
    assert found.map.layer is None
    assert found.complete


@pytest.mark.parametrize(("script", "sample"), [("app.py", "coffee"), ("pages/trust.py", "rocket")])
def test_on_a_slow_machine_it_has_its_price_and_nothing_stands_in(
    script: str, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.map_cache.PATIENCE_SECONDS", 0.0)
    for _ in range(2):  # the second visitor finds the network and its pace known
        at = page(script, framing="stretch", method="occlusion", sample=sample)
        until(at, lambda at: [button for button in at.button if button.label == "Run Occlusion"])
        assert "This did not work" not in shown(at)
        assert "cam-error" not in shown(at)
    at.button(key="act").click().run()
    until(at, lambda at: not [button for button in at.button if button.key == "act"])
    found = map_cache().known(at.session_state["shown"], samples.picture(sample))
    assert found.map.method == "occlusion"


def test_one_place_cannot_be_looked_into_and_it_is_said() -> None:
    assert "no place to look into" in shown(page(framing="stretch", method="occlusion", inside="true"))


@pytest.mark.parametrize("script", OTHERS)
def test_other_pages_say_it(script: str) -> None:
    assert "no layer with a grid" in shown(page(script))


def test_an_audit_says_it_when_it_begins(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    at = page("pages/audit.py", pictures=str(tmp_path))
    at.button(key="audit_begin").click().run()
    until(at, lambda at: "could not be audited" in shown(at))
    assert "no layer with a grid" in shown(at)
