"""Report and presentation in a real Chromium: what only a browser can show to work."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from browsing import all_maps
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def report(page: Page, address: str) -> Page:
    """A page with a report of a map and a comparison."""
    page.goto(address)
    add(page)
    page.get_by_role("link", name="Compare with other methods").click()
    all_maps(page, 6)
    add(page)
    page.locator(".st-key-cam_nav").get_by_role("link", name="Report").click()
    expect(page.locator("h2")).to_have_text("Report, 2 entries")
    return page


def add(page: Page) -> None:
    button = page.get_by_role("button", name=re.compile("Add to report|In the report"))
    expect(button).to_be_enabled(timeout=90_000)
    button.click()
    expect(button).to_have_text(re.compile("In the report"), timeout=60_000)


def story(page: Page) -> Any:
    return page.locator(".st-key-story .story")


def test_a_report_is_ordered_commented_and_taken_away(report: Page) -> None:
    titles = report.locator("[class*='st-key-cam_entry_'] strong")
    expect(titles).to_have_count(2)
    before = titles.all_inner_texts()
    report.get_by_role("button", name="Down").first.click()
    expect(titles.first).to_have_text(before[1])
    report.get_by_label("Comment").first.fill("<script>alert(1)</script>")
    report.get_by_label("Title").fill("Why?")
    with report.expect_download() as html:
        report.get_by_role("button", name="HTML").click()
    text = Path(html.value.path()).read_text("utf-8")
    assert html.value.suggested_filename == "report.html"
    assert "<h1>Why?</h1>" in text, "what was written last is in it"
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>" not in text
    with report.expect_download() as pdf:
        report.get_by_role("button", name="PDF").click()
    assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF")
    with report.expect_download() as zipped:
        report.get_by_role("button", name="ZIP").click()
    with zipfile.ZipFile(io.BytesIO(Path(zipped.value.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        assert "run.json" in archive.namelist()


def of(step: int) -> re.Pattern[str]:
    """The count at a step; the verdict on the map may come in meanwhile, which is one step more."""
    return re.compile(rf"^{step} / [67]$")


def test_the_presentation_is_driven_by_the_keyboard(report: Page, browser: Browser) -> None:
    report.set_viewport_size({"width": 1280, "height": 720})
    report.get_by_role("button", name="Present").click()
    count, title = story(report).locator(".count"), story(report).locator("h1")
    expect(count).to_have_text(of(1))
    last = int(count.inner_text().split(" / ")[1])
    seen = []
    for step in range(1, last + 1):
        expect(count).to_have_text(f"{step} / {last}")
        seen.append(story(report).locator(".kicker").inner_text())
        assert story(report).evaluate(FITS) == [], f"step {step} does not fit"
        report.keyboard.press("ArrowRight" if step % 2 else "Space")
    if "Can you trust it?" in seen:  # the map has been judged by then
        assert seen.pop(4) == "Can you trust it?"
    assert seen == ["The picture", "What it says", "Where it looks", "At which depth", "Side by side", "In short"]
    expect(count).to_have_text(of(last))
    report.keyboard.press("Home")
    expect(count).to_have_text(of(1))
    report.keyboard.press("ArrowRight")
    report.keyboard.press("ArrowRight")
    expect(title).to_contain_text("Where it looks for")

    expect(report).to_have_url(re.compile("present=1"))
    report.reload()
    expect(count).to_have_text(of(3))
    link = report.url
    assert re.search(r"report=[\w-]{24}", link)
    assert "present=1" in link
    other = browser.new_context().new_page()
    other.goto(link)
    expect(story(other).locator(".count")).to_have_text(of(1))
    other.context.close()

    report.go_back()
    expect(report.locator("h2")).to_have_text("Report, 2 entries")
    expect(story(report)).to_have_count(0)
    report.go_forward()
    expect(count).to_have_text(re.compile("/ [67]$"))

    report.keyboard.press("Escape")
    expect(report.locator("h2")).to_have_text("Report, 2 entries")
    expect(story(report)).to_have_count(0)
    assert "present" not in report.url


# What of the story lies outside the window, or is too small to be read from the back of a room.
FITS = """story => {
  const wrong = [];
  for (const part of story.querySelectorAll("h1, .note, img, figcaption, .score, .reason")) {
    const box = part.getBoundingClientRect();
    if (!box.width) continue;
    const name = part.tagName + "." + part.className;
    if (box.left < 0 || box.top < 0 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1) wrong.push(name);
    if (part.tagName !== "IMG" && parseFloat(getComputedStyle(part).fontSize) < 17) wrong.push(name + " is small");
    if (part.tagName === "IMG" && box.height < 100) wrong.push(name + " is small");
  }
  return wrong;
}"""
