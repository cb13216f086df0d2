"""Concepts in a real Chromium: nothing moves when they arrive, and view-only changes compute nothing."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds: the first answer imports TensorFlow on a machine that may be busy


@pytest.fixture
def address(address: str) -> str:
    return f"{address}/concepts"


def test_the_samples_in_concepts(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator(".cam-mixed .frame").first.wait_for()
    page.locator(".st-key-concepts .stSlider, .st-key-concepts").first.wait_for()
    before = page.locator(".cam-mixed").bounding_box()
    page.locator(".cam-mixed img").first.wait_for()
    expect(page.locator(".cam-concept")).to_have_count(6, timeout=PATIENCE)
    expect(page.locator(".cam-concept", has_text="it adds")).to_have_count(6, timeout=PATIENCE)
    expect(page.locator(".cam-concept", has_text="being measured")).to_have_count(0, timeout=PATIENCE)
    after = page.locator(".cam-mixed").bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"], after["y"], after["width"]) == pytest.approx((before["x"], before["y"], before["width"]), abs=2)
    said = " ".join(page.locator(".cam-concept p").all_inner_texts())
    for word in ("espresso", "cat", "moped"):
        assert word in said, "what is on the samples"
    assert all(image.get_attribute("alt") for image in page.locator(".cam-mixed img, .cam-concept img").all())
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_grid_as_it_is_and_another_number(page: Page, address: str) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(address + "?concepts=3&in=picture&sample=coffee&layer=out_relu")
    expect(page.locator(".cam-concept")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator(".cam-mixed img")).to_have_count(1)
    expect(page.locator(".cam-concept", has_text="being measured")).to_have_count(0, timeout=PATIENCE)
    smooth = page.locator(".cam-mixed img").get_attribute("src")
    page.get_by_role("radio", name="native").or_(page.get_by_role("button", name="native")).first.click()
    expect(page.locator(".cam-mixed img")).not_to_have_attribute("src", smooth or "")
    page.get_by_role("button", name="How this is computed").click()
    expect(page.get_by_text("add up to the score exactly")).to_be_visible()
