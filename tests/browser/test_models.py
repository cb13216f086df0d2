"""The Models page in a real Chromium: a weights file is checked and kept, and a function's network is looked into."""

import re
import time

import pytest
from browsing import choose
from playwright.sync_api import Page, expect
from shared_data import shared

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # milliseconds: the server imports TensorFlow on a machine that may be busy


@pytest.fixture
def address(bare_address: str) -> str:
    return bare_address


def told(page: Page, words: str) -> None:
    expect(page.locator(".cam-error")).to_contain_text(words, timeout=PATIENCE)


def test_an_uploaded_weights_file_becomes_a_network(page: Page, address: str) -> None:
    kept = f"quarter-{time.time_ns()}"  # another attempt's would be taken
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/models")
    expect(page.locator("h2")).to_contain_text("ready to use")
    ready = int(re.findall(r"(\d+) ready to use", page.locator("h2").inner_text())[0])
    page.locator("input[type=file]").first.set_input_files(shared("weights", "MobileNet_alpha0.25.weights.h5"))
    choose(page, "Architecture", "MobileNet")
    page.get_by_role("button", name="Check it").click()
    told(page, "layer 'conv1' has 3×3×3×32 in the network, 3×3×3×8 in the file")
    choose(page, "Width (alpha)", "0.25")
    page.get_by_role("button", name="Check it").click()
    page.get_by_text("Which preprocessing does it need?").wait_for()
    name = page.get_by_role("textbox", name="Name")
    name.fill(kept)
    name.press("Enter")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_text("is among your networks now").wait_for()
    expect(page.locator("h2")).to_contain_text(f"networks, {ready + 1} ready to use", timeout=PATIENCE)
    expect(page).to_have_url(re.compile(f"model={kept}"), timeout=PATIENCE)
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("link", name="Look into it").first.click()
    expect(page.locator("h2")).to_contain_text(kept, timeout=PATIENCE)
    page.locator(".overlay[src]").wait_for()
    expect(page.locator("h2")).to_contain_text("cat")


def test_a_functions_network_is_tried_and_looked_into(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/models?model=raises")
    page.get_by_role("button", name="Make and check it").click()
    told(page, "raised RuntimeError: the weights are on <b>another</b> machine")
    page.goto(f"{address}/models?model=shapes")
    page.get_by_role("button", name="Make and check it").click()
    page.get_by_text("It can be made").wait_for()
    page.get_by_role("link", name="Look into it").click()
    page.locator(".overlay[src]").wait_for()
    expect(page.locator("h2")).to_contain_text("shapes")
    expect(page).to_have_url(re.compile("model=shapes"))
