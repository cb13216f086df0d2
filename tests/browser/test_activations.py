"""Activations in a real Chromium: nothing moves, cells and keys choose channels, the layer browser chooses layers."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds: the first answer imports TensorFlow on a machine that may be busy


@pytest.fixture
def address(bare_address: str) -> str:
    return f"{bare_address}/activations"


def opened(page: Page, url: str) -> Page:
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.locator(".st-key-sheet img[src]").wait_for()
    return page


def test_space_is_kept_and_nothing_moves(page: Page, cold_bare_address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{cold_bare_address}/activations")
    sheet = page.locator(".st-key-sheet .sheet")
    sheet.wait_for()
    expect(page.locator(".st-key-order button").first).to_be_visible()
    before = sheet.bounding_box()
    page.locator(".st-key-sheet img[src]").wait_for()
    page.locator(".st-key-overview img[src]").wait_for()
    after = sheet.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=3)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    alt = page.locator(".st-key-sheet img").get_attribute("alt") or ""
    assert re.match(r"Contact sheet of the [\d,]+ channels of", alt)


def test_cells_keys_and_buttons_choose_a_channel(page: Page, address: str) -> None:
    opened(page, f"{address}?order=number")
    shown = page.locator(".st-key-channel_map .frame img")
    field = page.locator(".stepper input")
    expect(field).to_have_value("0")
    page.locator(".st-key-sheet .sheet").focus()
    page.keyboard.press("ArrowRight")
    expect(field).to_have_value("1")
    expect(shown).to_have_attribute("alt", re.compile("Channel 1 of"))
    expect(page).to_have_url(re.compile(r"[?&]channel=1(&|$)"))
    page.get_by_role("button", name="Next Channel").click()
    expect(shown).to_have_attribute("alt", re.compile("Channel 2 of"))
    frame = page.locator(".st-key-sheet .at")
    expect(frame).to_be_visible()
    page.locator(".st-key-sheet .page").click(position={"x": 8, "y": 8})
    expect(shown).to_have_attribute("alt", re.compile("Channel 0 of"))
    page.locator(".st-key-channel_map .frame").hover()
    expect(page.locator(".st-key-channel_map .readout")).to_have_text(re.compile(r"Here: −?\d|not|saw"))


def test_the_layer_browser_chooses_a_layer(page: Page, address: str) -> None:
    opened(page, address)
    browser = page.locator(".st-key-layer_browser")
    panel = browser.locator(".panel")
    browser.locator(".stage").nth(1).click()
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    browser.locator(".search").fill("convolution")
    options = browser.locator('[role="option"]:not([aria-disabled="true"])')
    name = options.first.locator(".name").inner_text().strip()
    options.first.click()
    expect(panel).to_be_hidden()
    expect(page.locator("h2")).to_contain_text(name.split("\n")[-1])
    expect(page).to_have_url(re.compile("layer="))


def test_the_overview_leads_to_a_layer(page: Page, address: str) -> None:
    opened(page, address)
    label = page.locator(".st-key-overview .labels button").first
    name = label.locator("b").inner_text()
    label.click()
    expect(page.locator("h2")).to_contain_text(f"{name}:")
    expect(page.locator("h2")).to_be_in_viewport()


def test_places_and_keys_choose_a_token_and_a_head(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}?model=cats_vs_dogs_vit&framing=stretch&head=2")
    picture, heads = page.locator(".st-key-attention_picture .stage"), page.locator(".st-key-attention_sheet .sheet")
    heads.locator("img[src]").wait_for()
    expect(picture.locator(".box.area")).to_be_hidden()
    expect(heads.locator(".at")).to_be_visible()
    picture.focus()
    page.keyboard.press("ArrowUp")  # begins in the middle of 12×12 places
    expect(page).to_have_url(re.compile(r"[?&]token=7-7(&|$)"))
    page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile(r"[?&]token=6-7(&|$)"))
    expect(picture).to_have_attribute("aria-label", re.compile("Chosen: row 6, column 7 of 12×12"))
    picture.click(position={"x": 4, "y": 4})
    expect(page).to_have_url(re.compile(r"[?&]token=1-1(&|$)"))
    heads.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]head=2\.1(&|$)"))
    heads.get_by_role("button", name="Block 3").click()
    expect(page).to_have_url(re.compile(r"[?&]head=3(&|$)"))
    expect(picture.locator("img")).to_have_attribute("alt", re.compile("Block 3, mean of its heads: where the place"))
