"""The Evaluation page in a real Chromium: the bundled network, a folder, the threshold, and a mistake looked at."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from shared_data import shared

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds: the first answer imports TensorFlow on a machine that may be busy
EACH = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of both classes, each class's folder holding some of the other's: mistakes that are sure to be there."""
    root = tmp_path_factory.mktemp("data") / "pets"
    for name, other in (("cat", "dog"), ("dog", "cat")):
        (root / name).mkdir(parents=True)
        for file in sorted(shared("cats_dogs", "test", name).iterdir())[:EACH]:
            shutil.copy(file, root / name)
        for file in sorted(shared("cats_dogs", "test", other).iterdir())[-2:]:
            shutil.copy(file, root / name)
    return root


@pytest.fixture
def address(bare_address: str) -> str:
    return f"{bare_address}/cats_vs_dogs"


def test_results_at_once_then_the_picture_and_nothing_moves(page: Page, cold_bare_address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{cold_bare_address}/cats_vs_dogs")
    page.locator(".cam-figures b").first.wait_for()
    lesson = page.locator("#how")
    before = lesson.bounding_box()
    page.locator(".cam-sum b").first.wait_for()
    expect(page.locator(".st-key-cam_sees h3")).to_contain_text("says “cat”")
    expect(page.locator(".st-key-cam_work_seen")).to_have_text("")
    assert before is not None
    assert lesson.bounding_box() == pytest.approx(before, abs=2)
    shown = [float(t.replace("−", "-")) for t in page.locator(".cam-sum b").all_inner_texts()[:3]]
    assert round(shown[0] + shown[1], 2) == shown[2], "what is shown adds up"
    panes = page.locator(".st-key-cam_seen .cam-fig img")
    expect(panes).to_have_count(3)
    assert all(panes.nth(i).get_attribute("alt") for i in range(3))
    expect(page.get_by_text("not shipped with the project")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_threshold_moves_the_figures_and_a_folder_leads_to_its_audit(
    page: Page, address: str, pictures: Path
) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}?folder={pictures}")
    right = page.locator(".cam-figures small").first
    said = right.inner_text()
    slider = page.locator(".st-key-threshold input").first
    slider.focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile("threshold=100"))
    expect(right).not_to_have_text(said)
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("threshold=0"))
    page.get_by_role("link", name="Audit them").click()
    page.get_by_role("button", name="Audit these pictures").click()
    expect(page.get_by_role("heading", name=f"of {2 * (EACH + 2)} pictures")).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-audit_tiles button:has(img[src])")).to_have_count(2 * (EACH + 2))
    # Each class's folder holds some pictures of the other: they are the mistakes.
    expect(page.get_by_text("all answers, wrong")).to_be_visible()
    expect(page.get_by_text("Most are right from")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    tile = page.locator(".st-key-audit_tiles button:has(img[src])").last
    name = (tile.locator("img").get_attribute("alt") or "").split(",")[0].split(":")[0].rpartition("/")[2]
    tile.click()
    page.get_by_role("button", name="Evaluation", exact=True).click()
    expect(page).to_have_url(re.compile("cats_vs_dogs"))
    expect(page.locator(".st-key-cam_seen .cam-fig img").first).to_have_attribute("alt", f"Photograph: {name}")
