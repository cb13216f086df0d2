"""Steps that several of the browser tests take."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def all_maps(page: Page, count: int) -> None:
    """Wait until Compare shows so many maps; where a busy machine asks before it runs Faster Score-CAM, let it."""
    shown = page.locator(".st-key-maps .frame[data-empty='0']")
    price = page.get_by_role("button", name="Run Faster Score-CAM", exact=True)
    expect(shown.nth(count - 1).or_(price).first).to_be_visible(timeout=90_000)
    if price.is_visible():
        price.click()
    expect(shown).to_have_count(count, timeout=90_000)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option by typing: a list that still scrolls on a busy machine may move away from under the click."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()
