"""A review in a real browser: judged by keys, which do nothing while somebody writes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from reviewed import reviewed_audit

pytestmark = pytest.mark.browser


def test_keys_answer_and_take_back(bare_address: str, page: Page, tmp_path: Path) -> None:
    made = reviewed_audit(tmp_path, 40)
    page.goto(f"{bare_address}/audit?audit={made.folder}")
    name = page.get_by_label("Your name")
    name.fill("Nancy", timeout=120_000)  # with a key in it; the first page of a server takes its time
    name.press("Tab")
    page.get_by_role("button", name="Begin the review").first.click()
    pictures = page.locator(".cam-review-pair img")
    expect(pictures).to_have_count(2)
    keys = page.locator(".st-key-review_right button")
    place = keys.bounding_box()
    for key, said in (("y", "1 map judged"), ("n", "2 maps judged"), ("u", "1 map judged"), ("n", "2 maps judged")):
        page.keyboard.press(key)
        expect(page.get_by_text(said)).to_be_visible()
        assert keys.bounding_box() == place  # nothing jumps
    page.get_by_label("Name contains").press_sequentially("yy")
    page.get_by_label("Name contains").press("Tab")
    page.get_by_role("button", name="Leave").first.click()
    expect(page.get_by_text(re.compile("Not finished: 2 maps judged"))).to_be_visible()
