"""A nested, a Sequential and a subclassed model come in through a factory: Inspect and Compare show the same of all."""

import json

import numpy as np
import own_models
import pytest
from app_pages import cells, components, headline, text, until, visit

from ui import samples
from ui.frame import PAGES
from ui.map_cache import map_cache

NOT_THEIRS = (
    "app.py", "pages/compare.py", "pages/report.py", "pages/cats_vs_dogs.py", "pages/train.py", "pages/models.py",
    "pages/glossary.py",
)  # fmt: skip
"""Pages with a test of their own here, or that choose among other networks."""
OTHERS = tuple(script for script, *_ in PAGES if script not in NOT_THEIRS)
KINDS = ("page_nested", "page_sequential", "page_subclassed")


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (*KINDS, "raises")
    monkeypatch.setenv("CAMCORE_MODELS", ",".join(f"{name}=own_models:{name}" for name in names))


def test_inspect_shows_the_same_of_every_kind() -> None:
    headlines, maps = [], []
    for name in KINDS:
        at = visit(model=name, framing="stretch")
        assert at.selectbox(key="model").value == name
        headlines.append(headline(at).replace(name, "it"))
        asked = at.session_state["shown"]
        maps.append(map_cache().known(asked, samples.picture(samples.DEFAULT)).map)
        assert any(f"made by own_models:{name}" in caption.value.replace("\\", "") for caption in at.caption)
        assert at.toggle(key="random").disabled
    assert any(
        f"it says “{label}”" in headlines[0] or f"at most “{label}”" in headlines[0] for label in own_models.LABELS
    )
    assert len(set(headlines)) == 1
    assert maps[0].raw.shape == (8, 8)
    assert maps[0].raw.max() > 0
    for one in maps[1:]:
        np.testing.assert_allclose(one.raw, maps[0].raw, rtol=1e-4, atol=1e-6 * np.abs(maps[0].raw).max())


def test_compare_shows_the_same_of_every_kind() -> None:
    shown = [cells(visit("pages/compare.py", model=name, methods="cam,gradcam,layercam")) for name in KINDS]
    assert [cell["title"] for cell in shown[0]] == ["CAM", "Grad-CAM", "LayerCAM"]
    for other in shown[1:]:
        for one, first in zip(other, shown[0], strict=True):
            assert one["title"] == first["title"]
            assert one["grid"]["high"] == pytest.approx(first["grid"]["high"], rel=1e-4)
            assert one["alt"].partition("Brightest")[2] == first["alt"].partition("Brightest")[2] != ""


def test_one_that_fails_is_told_and_the_next_works() -> None:
    at = visit(model="raises")
    assert "its function own_models:raises raised RuntimeError: the weights are on <b>another</b> machine" in text(at)
    at.selectbox(key="model").set_value(KINDS[0]).run()
    assert not at.exception
    assert KINDS[0] in headline(at)
    assert "cam-error" not in text(at)


def test_compare_goes_on_beside_one_that_fails() -> None:
    at = visit(
        "pages/compare.py", model=KINDS[0], columns="backbones", beside="raises", rows="methods", methods="gradcam"
    )
    assert "own_models:raises raised RuntimeError" in text(at) + json.dumps(components(at))
    assert any(cell["grid"] for cell in cells(at))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("script", OTHERS)
def test_every_other_page_works_on_it(script: str, name: str) -> None:
    at = visit(script, model=name)
    until(at, lambda at: not at.get("progress"))  # what runs in the background draws itself again
    assert at.selectbox(key="model").value == name
    assert "cam-error" not in text(at), text(at)
