"""One place looked into on the Inspect page, by Streamlit's own test runner with a small network."""

import re
from pathlib import Path

import numpy as np
import pytest
from app_pages import captions, components, html, markdown, until, visit
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui.cell.toggle import PARAMETERS

PLACE = next(p for p in PARAMETERS if p.name == "place")

pytestmark = pytest.mark.usefixtures("pets")


def page(**query: str) -> AppTest:
    return visit(**{"model": "pets", "inside": "true", **query})


def said(at: AppTest) -> str:
    return f"{captions(at)} {markdown(at)}".replace("\\", "")


def settled(at: AppTest, *signs: str) -> AppTest:
    return until(at, lambda at: any(sign in html(at) + said(at) for sign in signs))


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
    usable = [row for row in next(data["layers"] for data in components(at) if "stages" in data) if row["usable"]]
    grids = {}
    for grid, path in ((row["grid"], row["path"]) for row in (usable[0], usable[-1])):
        found = settled(page(place="80-30", layer=path), "cam-channels")
        assert found.query_params["place"] in ("80-30", ["80-30"])
        height, width = (int(side) for side in grid.split("×"))
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
