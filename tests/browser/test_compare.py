"""Compare in a real Chromium: what only a browser can show to work."""

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import all_maps, choose
from playwright.sync_api import Browser, Page, expect
from shared_data import shared

import camcore
from camcore.render.overlay import blend
from ui import samples

pytestmark = pytest.mark.browser

TWO = "methods=gradcam,layercam"


def filled(page: Page, address: str, query: str = TWO, count: int = 2) -> None:
    page.goto(f"{address}/compare?{query}")
    all_maps(page, count)
    page.locator(".st-key-cam_compare_progress .stProgress").wait_for(state="detached", timeout=90_000)


def grid(page: Page) -> Any:
    return page.locator(".st-key-maps .maps")


def values(page: Page) -> list[str]:
    return [text.replace("\u00a0", " ") for text in grid(page).locator(".value").all_inner_texts()]


def test_a_cold_server_shows_the_photograph_then_the_maps_and_nothing_moves(page: Page, cold_address: str) -> None:
    places = """() => Object.fromEntries(['cam_axes', 'cam_compare_row', 'cam_grid', 'cam_compare_look']
        .map(key => [key, document.querySelector('.st-key-' + key).getBoundingClientRect().top]))"""
    page.goto(f"{cold_address}/compare")
    page.locator(".st-key-maps .frame img[src]").first.wait_for()
    page.locator(".st-key-cam_compare_look .stSlider").wait_for()
    assert grid(page).locator("figure").count() == 6
    before = page.evaluate(places)
    all_maps(page, 6)
    expect(page.locator("h2")).to_contain_text("Six methods on why MobileNetV2 says")
    assert page.evaluate(places) == pytest.approx(before, abs=1)
    box = grid(page).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the maps are below the fold"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@functools.cache
def gradcam() -> Any:
    net = camcore.load("MobileNetV2", weights=str(shared("weights", "MobileNetV2.weights.h5")))
    (m,) = camcore.explain(net, samples.picture("chelsea"))
    return m


@pytest.mark.parametrize(("view", "opacity"), [("smooth", "by value"), ("native", "by value"), ("native", "uniform")])
def test_the_browser_draws_what_the_core_draws(page: Page, address: str, view: str, opacity: str) -> None:
    filled(page, address, f"methods=gradcam&grid={view}&colormap=cividis&blend={opacity}", 1)
    found = (
        grid(page)
        .locator("canvas")
        .evaluate(
            """c => ({ width: c.width, height: c.height,
                   data: Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data) })"""
        )
    )
    pixels = np.array(found["data"]).reshape(found["height"], found["width"], 4).astype(float)
    drawn = pixels[:, :, :3] * pixels[:, :, 3:] / 255  # as it lies on black
    m = gradcam()
    top, left, bottom, right = m.frame.seen
    black = np.zeros_like(samples.picture("chelsea").rgb)
    values = np.nan_to_num(m.on_picture(smooth=view == "smooth"))
    whole = blend(black, values, 1, "cividis", by_value=opacity == "by value").astype(float)
    rows = (top + (np.arange(found["height"]) + 0.5) * (bottom - top) / found["height"]).astype(int)
    columns = (left + (np.arange(found["width"]) + 0.5) * (right - left) / found["width"]).astype(int)
    there = whole[np.clip(rows, 0, 299)][:, np.clip(columns, 0, 450)]
    wrong = np.abs(drawn - there).max(axis=2) > 6
    assert wrong.mean() < 0.02, f"{wrong.mean():.1%} of the pixels differ"


def test_one_place_is_read_in_all_maps_by_pointer_and_by_keyboard(page: Page, address: str) -> None:
    filled(page, address)
    second = grid(page).locator(".frame").nth(1).bounding_box()
    assert second is not None
    page.mouse.move(second["x"] + second["width"] / 2, second["y"] + second["height"] / 2)
    expect(grid(page).locator(".probe:visible")).to_have_count(2)
    pointed = values(page)
    assert all(re.fullmatch(r"\d+ %", text) for text in pointed), pointed
    expect(grid(page).locator(".readout")).to_have_text(re.compile(r"Here: from \d+.% \(.+\) to \d+.% \(.+\)"))
    expect(page.locator(".st-key-consensus .probe:visible")).to_have_count(2)
    page.mouse.move(second["x"] + 3, second["y"] + second["height"] / 2)
    expect(grid(page).locator(".readout")).to_have_text("No network saw this place")
    page.mouse.move(5, 5)
    expect(grid(page).locator(".probe:visible")).to_have_count(0)
    grid(page).focus()
    page.keyboard.press("ArrowRight")
    expect(grid(page).locator(".probe:visible")).to_have_count(2)
    middle = values(page)
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(grid(page).locator(".value")).not_to_have_text(middle)
    page.keyboard.press("Escape")
    expect(grid(page).locator(".probe:visible")).to_have_count(0)


def test_a_pinned_map_is_the_reference_and_goes_into_the_link(page: Page, address: str) -> None:
    filled(page, address, "methods=gradcam,layercam,fasterscorecam", 3)
    figure = grid(page).locator("figure").nth(1)
    figure.hover()
    figure.get_by_role("button", name="Pin LayerCAM").click()
    expect(figure.locator(".tag.strong")).to_have_text("reference")
    expect(grid(page).locator(".note").first).to_have_text(re.compile(r"ρ .+ · SSIM .+ · top 20 % "))
    expect(grid(page).locator(".bar").nth(1)).to_contain_text("less than the reference")
    expect(page).to_have_url(re.compile(r"pin=layercam"))
    page.reload()
    expect(grid(page).locator(".tag.strong")).to_have_text("reference", timeout=60_000)
    page.get_by_role("button", name="Unpin LayerCAM").click()
    expect(grid(page).locator(".tag.strong")).to_have_count(0)


def test_choices_by_hand_go_into_the_link(page: Page, address: str) -> None:
    filled(page, address)
    page.get_by_role("button", name="2 methods").click()
    choose(page, "Methods", "HiResCAM")
    expect(grid(page).locator(".frame[data-empty='0']")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"methods=gradcam%2Clayercam%2Chirescam"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    choose(page, "Rows", "Classes")
    expect(grid(page).locator(".frame[data-empty='0']")).to_have_count(6)
    expect(page).to_have_url(re.compile(r"rows=classes"))


def test_a_slow_method_grows_and_is_good_enough(page: Page, address: str) -> None:
    filled(page, address, "methods=gradcam,scorecam", 1)
    expect(grid(page).locator(".message").nth(1)).to_have_text("Waits for you to press Run", timeout=30_000)
    expect(page.locator(".st-key-cam_compare_row")).to_contain_text("1,281 passes")
    page.get_by_role("button", name="Run Score-CAM").click()
    page.get_by_role("button", name="Good enough, stop").click(timeout=60_000)
    page.get_by_role("button", name="Go on").wait_for()
    expect(grid(page).locator(".tag", has_text="% done")).to_have_count(1)
    expect(page.locator(".st-key-cam_compare_row")).to_contain_text("Stopped with 1 of 2 maps")


def test_two_tabs_one_running_a_slow_method(browser: Browser, address: str) -> None:
    """The other tab's Grad-CAM on a new picture comes while Score-CAM is still at work."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    slow, quick = context.new_page(), context.new_page()
    filled(slow, address, "methods=gradcam,scorecam&sample=rocket", 1)
    slow.get_by_role("button", name="Run Score-CAM").click()
    slow.get_by_role("button", name="Good enough, stop").wait_for(timeout=60_000)
    filled(quick, address, "methods=gradcam&sample=motorcycle", 1)
    assert slow.get_by_role("button", name="Good enough, stop").is_visible(), "Score-CAM was over by then"
    slow.get_by_role("button", name="Good enough, stop").click()
    slow.get_by_role("button", name="Go on").wait_for()
    context.close()


def test_inspect_and_compare_lead_to_each_other(page: Page, address: str) -> None:
    filled(page, address, f"{TWO}&sample=coffee&class=504")
    figure = grid(page).locator("figure").nth(1)
    figure.hover()
    figure.get_by_role("button", name="Inspect LayerCAM").click()
    expect(page).to_have_url(re.compile(r"method=layercam"))
    expect(page).to_have_url(re.compile(r"sample=coffee"))
    expect(page.locator(".st-key-cam_caption")).to_contain_text("LayerCAM · out_relu")
    expect(page.locator(".st-key-cam_caption")).to_contain_text("coffee mug")
    page.get_by_role("link", name="Compare with other methods").click()
    expect(page).to_have_url(re.compile(r"/compare\?.*class=504"))
    expect(grid(page).locator("figure b").first).to_have_text("LayerCAM")
    all_maps(page, 6)


def test_downloads(page: Page, address: str) -> None:
    filled(page, address)
    for name, start in (("Grid as PNG", b"\x89PNG"), ("Raw maps, CSV", b"# Cat"), ("Raw maps, NPZ", b"PK")):
        with page.expect_download() as info:
            page.get_by_role("button", name=name).click()
        assert info.value.suggested_filename.startswith("Cat_MobileNetV2_methods.")
        assert Path(info.value.path()).read_bytes().startswith(start)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_draw_text_that_can_be_read(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, color_scheme=scheme)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    filled(opened, address)
    brightness = """e => {
        const [r, g, b] = getComputedStyle(e).color.match(/[\\d.]+/g).map(Number);
        return (r + g + b) / 3;
    }"""
    for selector in ("h2", ".st-key-maps figure b", ".cam-pairs th[scope=row]"):
        shade = opened.locator(selector).first.evaluate(brightness)
        assert shade < 90 if scheme == "light" else shade > 170, f"{selector} in {scheme}: {shade}"
    for frame in grid(opened).locator(".frame").all():
        assert "Brightest at the" in (frame.locator("img").get_attribute("alt") or "")
    assert grid(opened).locator("[role=img] button").count() == 0, "an image hides its buttons from a screen reader"
    context.close()
