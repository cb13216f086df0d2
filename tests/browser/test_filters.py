"""Filters in a real Chromium: one picture by itself, many at a price and stopped, one of them large, and the link."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds: the first answer imports TensorFlow on a machine that may be busy


@pytest.fixture
def address(bare_address: str) -> str:
    return f"{bare_address}/filters?model=cats_vs_dogs&steps=32"


def test_one_then_many_and_a_click(page: Page, address: str, tmp_path: Path) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}&which=order")
    first = page.locator(".cam-fig").first
    first.wait_for()
    before = first.bounding_box()
    page.get_by_text("after 32 steps").wait_for()
    expect(page.locator("h2")).to_contain_text("channel 0 of")
    assert before is not None
    assert first.bounding_box() == pytest.approx(before, abs=2), "nothing moves when the answer arrives"
    figures = page.locator(".cam-fig img")
    expect(figures).to_have_count(3)
    assert all(figures.nth(i).get_attribute("alt") for i in range(3))
    expect(page.locator(".cam-kernels img").first).to_have_attribute("alt", re.compile("^Kernel 0 of"))

    ask = page.locator(".st-key-filters_ask button")
    expect(ask).to_contain_text(re.compile(r"the other 15 · (about|under)"))
    ask.click()
    tiles = page.locator(".st-key-filters_tiles button")
    expect(page.locator(".st-key-filters_tiles .note")).to_have_count(16)
    expect(tiles.first).to_have_attribute("aria-pressed", "true")
    with page.expect_download() as download:
        page.locator(".st-key-save_filters_png button").first.click()
    download.value.save_as(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000

    tiles.nth(3).click()
    expect(page.locator("h2")).to_contain_text("channel 3 of")
    expect(page).to_have_url(re.compile("channel=3"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_link_to_a_class(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}&of=classes&class=1")
    page.get_by_text("after 32 steps").wait_for()
    expect(page.locator("h2")).to_have_text("This is what cats_vs_dogs takes for “dog”")
    expect(page.locator(".cam-fig img")).to_have_count(2)


def test_a_channel_that_does_not_exist(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}&channel=99999")
    expect(page.locator(".cam-note")).to_contain_text("has no channel 99999")
    expect(page.locator("h2")).to_contain_text("This is what channel")
