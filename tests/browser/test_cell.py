"""One place looked into, in a real Chromium: by a press, by the keyboard, and from the big picture."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds: the first answer imports TensorFlow on a machine that may be busy


def opened(page: Page, address: str, query: str = "") -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/?inside=true{query}")
    measured(page)


def measured(page: Page) -> None:
    expect(page.locator(".cell-view .veil")).to_be_hidden(timeout=PATIENCE)
    expect(page.locator(".box.effective")).to_be_visible(timeout=PATIENCE)


def inside(inner: dict[str, float], outer: dict[str, float]) -> bool:
    slack = 2  # of the borders
    return (
        inner["x"] >= outer["x"] - slack
        and inner["y"] >= outer["y"] - slack
        and inner["x"] + inner["width"] <= outer["x"] + outer["width"] + slack
        and inner["y"] + inner["height"] <= outer["y"] + outer["height"] + slack
    )


def box(page: Page, name: str) -> dict[str, float]:
    found = page.locator(f".cell-view .box.{name}").bounding_box()
    assert found is not None
    return dict(found)


def test_a_press_and_the_arrow_keys_choose_a_cell(page: Page, address: str) -> None:
    opened(page, address, "&layer=block_6_expand_relu")
    stage = page.locator(".cell-view .stage")
    stage.scroll_into_view_if_needed()
    at = stage.bounding_box()
    assert at is not None
    page.mouse.click(at["x"] + at["width"] * 0.5, at["y"] + at["height"] * 0.5)
    expect(stage).to_have_attribute("aria-label", re.compile("row 14, column 14 of 28×28"))
    expect(page).to_have_url(re.compile(r"place=49"))
    expect(page.get_by_text("Row 14, column 14 speaks")).to_be_visible()
    measured(page)
    # 59 px of an input of 224 that is drawn on 87.5 % of the picture's height
    assert box(page, "field")["height"] == pytest.approx(59 / 224 * 0.875 * at["height"], abs=3)
    assert inside(box(page, "area"), box(page, "effective"))
    assert inside(box(page, "effective"), box(page, "field"))
    stage.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text("Row 13, column 13 speaks")).to_be_visible()
    measured(page)


def test_a_press_on_the_big_picture_chooses_and_a_drag_still_compares(page: Page, address: str) -> None:
    opened(page, address)
    page.locator(".overlay[src]").wait_for()
    stage = page.locator(".st-key-cam_picture .stage")
    stage.scroll_into_view_if_needed()
    at, handle = stage.bounding_box(), page.get_by_role("slider", name=re.compile("overlay"))
    assert at is not None
    before = handle.get_attribute("aria-valuenow")
    page.mouse.click(at["x"] + at["width"] * 0.6, at["y"] + at["height"] * 0.75)
    expect(page).to_have_url(re.compile(r"place=7[45]"))
    expect(page.get_by_text("Row 6, column 5 speaks")).to_be_visible()
    assert handle.get_attribute("aria-valuenow") == before
    page.mouse.move(at["x"] + at["width"] * 0.4, at["y"] + 40)
    page.mouse.down()
    page.mouse.move(at["x"] + at["width"] * 0.7, at["y"] + 40, steps=4)
    page.mouse.up()
    assert abs(int(handle.get_attribute("aria-valuenow") or 0) - 30) <= 2
    expect(page).to_have_url(re.compile(r"place=7[45]"))
