"""One place looked into on the Inspect page, by Streamlit's own test runner with a small network."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import network_folder
from streamlit.testing.v1 import AppTest

from ui.cell.toggle import PARAMETERS

APP = str(Path(__file__).resolve().parents[3] / "app.py")
TIMEOUT = 120
PLACE = next(p for p in PARAMETERS if p.name == "place")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    network_folder(home / "networks" / "pets", ["cat", "dog", "<b>owl</b>"])
    return home


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_HOME", str(home))


def page(**query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=TIMEOUT)
    for name, value in {"model": "pets", "inside": "true", **query}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in at.get("html") if "<style>" not in str(element.proto.body))


def said(at: AppTest) -> str:
    return " ".join(e.value for e in [*at.caption, *at.markdown]).replace("\\", "")


def settled(at: AppTest, *signs: str) -> AppTest:
    end = time.monotonic() + TIMEOUT
    while not any(sign in html(at) + said(at) for sign in signs):
        assert time.monotonic() < end, said(at)
        time.sleep(0.1)
        at.run()
        assert not at.exception
    return at


def test_it_does_nothing_before_it_is_opened() -> None:
    at = page(inside="false")
    assert "cam-channels" not in html(at)
    assert "work_cells" not in at.session_state


def test_the_place_that_adds_most_and_what_it_depends_on() -> None:
    at = settled(page(), "really depend on", "Nothing it could see")
    assert re.search(r"Row \d+, column \d+ (speaks|adds)", said(at))
    assert html(at).count("<tr><td>") == 6, "as many channels as there are, at most eight"
    assert "&lt;b&gt;owl" in html(at) or "adds to cat" in html(at) or "adds to dog" in html(at)
    assert "place" not in at.query_params


def test_a_place_in_the_link_is_the_same_place_at_every_layer() -> None:
    at = settled(page(place="80-30"), "cam-channels")
    names = at.selectbox(key="layer_box").options
    grids = {}
    for name in (names[0], names[-1]):
        path = name.removeprefix("★ ").split(" · ")[0]
        found = settled(page(place="80-30", layer=path), "cam-channels")
        assert found.query_params["place"] in ("80-30", ["80-30"])
        height, width = (int(side) for side in name.split(" · ")[1].split("×"))
        row, column = (int(number) - 1 for number in re.search(r"Row (\d+), column (\d+)", said(found)).groups())
        grids[path] = (height, width)
        # The crop shows the middle 87.5 % of the short side of a picture of 451 × 300, and as many pixels across.
        seen = 300 * 0.875
        # A cell's centre follows the padding, up to half a cell beside an even grid.
        assert row == pytest.approx((240 - (300 - seen) / 2) / seen * height - 0.5, abs=1)
        assert column == pytest.approx((0.3 * 451 - (451 - seen) / 2) / seen * width - 0.5, abs=1)
    assert len(set(grids.values())) == 2, "grids that differ"


@pytest.mark.parametrize("text", ["x", "1-2-3", "101-5", "5--1", ""])
def test_a_place_that_is_none_is_told(text: str) -> None:
    value, problem = PLACE.read(text)
    assert value is None
    assert problem is not None
    assert "place" in problem


def test_a_place_is_written_as_it_is_read() -> None:
    assert PLACE.read(PLACE.write((28.21, 60.0))) == ((28.21, 60.0), None)


def test_a_single_channel_is_measured_alone() -> None:
    at = settled(page(), "really depend on", "Nothing it could see")
    channel = at.pills(key="cell_channel").options[1]
    at.session_state["cell_channel"] = int(channel)
    at.run()
    settled(at, f"channel {channel} really depends on", f"moves channel {channel} here")


def test_patches_of_a_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(11):
        Image.fromarray(rng.integers(0, 256, (40, 30, 3), np.uint8)).save(tmp_path / f"<i>{n:02d}.png")
    at = settled(page(pictures=str(tmp_path)), "in 11 of 11 pictures")
    assert html(at).count('alt="Patch of &lt;i&gt;') == 9


def test_a_folder_that_is_none_is_told() -> None:
    assert "There is no folder" in html(settled(page(pictures="/nowhere/at/all"), "cam-error"))
