"""The Trust page in a real browser: a box drawn with the mouse and moved with the keys."""

import re

import pytest
from playwright.sync_api import Page, expect

LONG = 240_000


pytestmark = pytest.mark.browser


def edges(page: Page) -> list[int]:
    """The box in the address."""
    found = re.search(r"box=(\d+)%2C(\d+)%2C(\d+)%2C(\d+)", page.url)
    return [int(edge) for edge in found.groups()] if found else []


def test_a_box_drawn_with_the_mouse_is_hidden_and_the_network_asked_again(page: Page, address: str) -> None:
    page.set_default_timeout(LONG)
    page.goto(f"{address}/trust")
    stage = page.locator(".stage[role=application]")
    page.locator(".over[src]").wait_for()
    stage.hover()  # once it stands still
    area = stage.bounding_box()
    assert area is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return area["x"] + x * area["width"], area["y"] + y * area["height"]

    page.mouse.move(*at(0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.5))
    page.mouse.move(*at(0.7, 0.8))
    page.mouse.up()
    said = page.locator(".cam-said-again")
    expect(said).to_contain_text("Without what is in the box", timeout=LONG)
    expect(page).to_have_url(re.compile("box="))
    drawn = edges(page)
    for edge, expected in zip(drawn, (0.3 * 300, 0.3 * 451, 0.8 * 300, 0.7 * 451), strict=True):
        assert abs(edge - expected) <= 3

    stage.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(re.compile("%2C".join(map(str, drawn))), timeout=LONG)
    moved = edges(page)
    assert (moved[0], moved[2]) == (drawn[0], drawn[2])
    assert moved[1] < drawn[1]
    assert moved[3] - moved[1] == drawn[3] - drawn[1]

    stage.focus()
    page.keyboard.press("Delete")
    expect(page).not_to_have_url(re.compile("box="), timeout=LONG)
    expect(said).to_have_count(0)
