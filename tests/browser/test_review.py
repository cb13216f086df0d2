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
    name.wait_for(timeout=120_000)  # the first page of a server takes its time
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)  # and is drawn
    name.fill("Nancy")  # with a key in it
    name.press("Tab")
    page.get_by_role("button", name="Begin the review").first.click()
    pictures = page.locator(".cam-review-pair img")
    expect(pictures).to_have_count(2)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)

    def height() -> float:
        """The distance of the keys from their pictures: what stands above may still be drawn."""
        return page.evaluate(
            "() => document.querySelector('.st-key-review_right button').getBoundingClientRect().y"
            " - document.querySelector('.cam-review-pair').getBoundingClientRect().y"
        )

    first = height()
    for key, said in (("y", "1 map judged"), ("n", "2 maps judged"), ("u", "1 map judged"), ("n", "2 maps judged")):
        page.keyboard.press(key)
        expect(page.get_by_text(said)).to_be_visible()
        assert height() == pytest.approx(first, abs=1)  # nothing jumps
    page.get_by_label("Name contains").press_sequentially("yy")
    page.get_by_label("Name contains").press("Tab")
    page.get_by_role("button", name="Leave").first.click()
    expect(page.get_by_text(re.compile("Not finished: 2 maps judged"))).to_be_visible()
