"""The Train page in a real Chromium, with a real run: started, watched, left, found again, and looked into."""

import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from shared_data import shared

pytestmark = pytest.mark.browser

PATIENCE = 400_000  # milliseconds: the run imports TensorFlow, and yields to all else on a busy machine


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "pets"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for file in sorted(shared("cats_dogs", "test", name).iterdir())[:24]:
            shutil.copy(file, root / name)
    return root


def test_from_a_folder_to_a_heatmap(page: Page, address: str, pictures: Path) -> None:
    number = time.time_ns()  # of this attempt: the server keeps what it has trained
    result, query = f"pets {number}", f"pets+{number}"
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/train?backbone=scratch&epochs=2&size=32")
    page.get_by_role("textbox", name="Folder on this machine").fill(str(pictures))
    page.keyboard.press("Enter")
    page.get_by_text("2 classes, 48 pictures.").wait_for()
    name = page.get_by_role("textbox", name="Name of the network")
    name.fill(result)
    name.press("Enter")
    page.get_by_text(f"networks/{result}").first.wait_for()
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("h2")).to_contain_text(f"“{result}”", timeout=PATIENCE)
    expect(page).to_have_url(re.compile(re.escape(f"/train?run={query}")), timeout=PATIENCE)
    page.goto("about:blank")  # nobody looks, and it goes on
    page.goto(f"{address}/train?run={query}")
    expect(page.locator("h2")).to_contain_text(f"“{result}” is ready", timeout=PATIENCE)
    # the chart that the running run left may still be there, hidden, as the page is drawn anew
    expect(page.locator(".st-key-curves .js-plotly-plot")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator(".st-key-curves .scatterlayer .trace")).to_have_count(4, timeout=PATIENCE)
    page.get_by_role("link", name=f"See where {result} looks").click()
    expect(page.locator("h2")).to_contain_text(result, timeout=PATIENCE)
    page.locator(".overlay[src]").wait_for(timeout=PATIENCE)
    expect(page).to_have_url(re.compile("model=pets"))
