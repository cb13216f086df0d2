"""Inspect in a real Chromium: what only a browser can show to work."""

import re
import time
from pathlib import Path

import pytest
from browsing import choose
from playwright.sync_api import Browser, Page, expect
from shared_data import shared

pytestmark = pytest.mark.browser

FIRST_PAINT = 0.6  # of the time to the first map: the page does not wait for TensorFlow; benchmarks tell seconds


def settled(page: Page, address: str, query: str = "") -> None:
    page.goto(address + "/" + query)
    page.locator(".overlay[src]").wait_for()
    ladder(page).first.wait_for()


def ladder(page: Page) -> object:
    return page.locator(".st-key-ladder button:has(img[src])")


def bar(page: Page, name: str) -> object:
    return page.locator(".scores button", has_text=name)


def test_a_cold_server_shows_the_photograph_at_once_and_then_the_map(page: Page, cold_address: str) -> None:
    began = time.monotonic()
    page.goto(cold_address)
    page.locator(".original[src]").wait_for()
    first_paint = time.monotonic() - began
    page.locator(".overlay[src]").wait_for()
    first_map = time.monotonic() - began
    print(f"\nfirst paint {first_paint:.1f} s, first map {first_map:.1f} s on a cold server")
    expect(page.locator("h2")).to_contain_text("MobileNetV2 says")
    expect(page.locator("h2")).to_contain_text("cat")
    assert first_paint < FIRST_PAINT * first_map
    page.locator(".st-key-cam_trust b").wait_for()
    for part in (".overlay", ".scores", "h2", ".cam-verdict b", ".stSidebar [data-testid=stSelectbox] >> nth=0"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, f"{part} is below the fold"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".overlay").get_attribute("alt")


def test_nothing_moves_when_the_result_arrives(page: Page, address: str) -> None:
    places = """() => Object.fromEntries(
        ['cam_trust', 'cam_picture', 'cam_ladder', 'cam_scores', 'cam_choices', 'cam_caption']
        .map(key => [key, document.querySelector('.st-key-' + key).getBoundingClientRect().top]))"""
    page.goto(address + "/?sample=rocket&method=hirescam")
    page.locator(".original[src]").wait_for()
    page.locator(".st-key-cam_controls .stSlider").wait_for()
    before = page.evaluate(places)
    page.locator(".overlay[src]").wait_for()
    ladder(page).first.wait_for()
    assert page.evaluate(places) == pytest.approx(before, abs=1)


def test_a_class_is_one_click_and_goes_into_the_link(page: Page, address: str) -> None:
    settled(page, address)
    picture = page.locator(".overlay").get_attribute("src")
    began = time.monotonic()
    bar(page, "tabby").click()
    expect(bar(page, "tabby")).to_have_attribute("aria-pressed", "true")
    print(f"\na new class after {time.monotonic() - began:.2f} s")
    expect(page.locator(".overlay")).not_to_have_attribute("src", picture)
    expect(page).to_have_url(re.compile(r"class=281"))
    page.reload()
    page.locator(".overlay[src]").wait_for()
    expect(bar(page, "tabby")).to_have_attribute("aria-pressed", "true")


def test_method_and_layer(page: Page, address: str) -> None:
    settled(page, address)
    choose(page, "Method", "★ LayerCAM · gradients")
    expect(page.locator(".st-key-cam_caption")).to_contain_text("LayerCAM · out_relu 7×7")
    ladder(page).nth(2).click()
    expect(page.locator(".st-key-cam_caption")).to_contain_text("LayerCAM · block_13_expand_relu 14×14")
    expect(page).to_have_url(re.compile(r"layer=block_13_expand_relu"))
    for name in ("Layer", "Another class"):  # Escape closes the open list, and clears nothing
        page.get_by_role("combobox", name=name, exact=True).click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox")).to_have_count(0)
        expect(page.locator(".st-key-cam_caption")).to_contain_text("LayerCAM · block_13_expand_relu 14×14")
    page.go_back()
    expect(page.locator(".st-key-cam_caption")).to_contain_text("LayerCAM · out_relu 7×7")


def test_an_upload_and_a_bad_file(page: Page, address: str, tmp_path: Path) -> None:
    settled(page, address)
    page.locator("input[type=file]").set_input_files(str(shared("photos", "zebra.jpg")))
    expect(page.locator("h2")).to_contain_text("zebra")
    page.locator(".overlay[src]").wait_for()
    ladder(page).first.wait_for()
    expect(page).to_have_url(re.compile("picture="))
    page.reload()
    expect(page.locator("h2")).to_contain_text("zebra")
    page.locator(".overlay[src]").wait_for()
    bad = tmp_path / "<b>photo<b>.jpg"
    bad.write_text("not a picture at all")
    page.locator("input[type=file]").set_input_files(str(bad))
    expect(page.locator(".cam-error")).to_contain_text("The earlier picture stays")
    expect(page.locator("h2")).to_contain_text("zebra")
    page.locator(".overlay[src]").wait_for()
    page.locator(".st-key-gallery button").nth(2).click()
    expect(page.locator("h2")).to_contain_text("espresso")
    expect(page.locator(".cam-error")).to_have_count(0)


def test_the_slider_by_keyboard_and_the_value_under_the_pointer(page: Page, address: str) -> None:
    settled(page, address)
    handle = page.locator(".handle")
    handle.focus()
    start = int(handle.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowLeft")
    assert int(handle.get_attribute("aria-valuenow")) == start - 2
    page.keyboard.press("Home")
    assert handle.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuenow") == "100"
    stage = page.locator(".stage[data-mode]").bounding_box()
    page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    expect(page.locator(".readout")).to_have_text(
        re.compile(r"\d+ % of the maximum · raw -?[\d.e-]+ · row 4, column 4 of 7×7")
    )
    page.mouse.move(stage["x"] + 4, stage["y"] + 4)
    expect(page.locator(".readout")).to_have_text("Outside what the network saw")
    page.mouse.move(stage["x"] + stage["width"] * 0.3, stage["y"] + 90)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.75, stage["y"] + 90)
    page.mouse.up()
    assert abs(int(handle.get_attribute("aria-valuenow")) - 25) <= 2


def test_a_long_run_shows_partial_maps_and_stops(page: Page, address: str) -> None:
    settled(page, address, "?method=scorecam")
    page.get_by_role("button", name="Run Score-CAM").click()
    expect(page.locator(".st-key-cam_caption")).to_contain_text("Score-CAM · out_relu", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".st-key-cam_status")).to_contain_text("stopped at")
    expect(page.locator(".st-key-cam_caption")).to_contain_text("Score-CAM · out_relu")
    page.get_by_role("button", name="Run again").wait_for()


def test_downloads(page: Page, address: str) -> None:
    settled(page, address)
    page.get_by_role("button", name="PNG").wait_for()
    for kind, start in (("PNG", b"\x89PNG"), ("CSV", b"# MobileNetV2")):
        with page.expect_download() as info:
            page.get_by_role("button", name=kind).click()
        name = info.value.suggested_filename
        assert re.fullmatch(rf"Cat_MobileNetV2_gradcam_out-relu_[\w-]+\.{kind.lower()}", name), name
        data = Path(info.value.path()).read_bytes()
        assert data.startswith(start)
    assert len([line for line in data.decode().splitlines() if not line.startswith("#")]) == 7


def test_the_camera_is_asked_for_only_when_opened(page: Page, address: str) -> None:
    settled(page, address)
    assert page.get_by_test_id("stCameraInput").count() == 0
    page.get_by_text("Use the camera").click()
    page.get_by_test_id("stCameraInput").wait_for()


def test_copy_link(browser: Browser, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    settled(opened, address, "?method=hirescam&sample=coffee")
    opened.get_by_role("button", name="Copy link").click()
    opened.get_by_role("button", name="Copied").wait_for()
    link = opened.evaluate("navigator.clipboard.readText()")
    assert "method=hirescam" in link
    assert "sample=coffee" in link
    context.close()


def test_paste(page: Page, address: str) -> None:
    settled(page, address)
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(64, 48);
            canvas.getContext('2d').fillRect(0, 0, 64, 48);
            const blob = await canvas.convertToBlob({ type: 'image/png' });
            const data = new DataTransfer();
            data.items.add(new File([blob], 'x.png', { type: 'image/png' }));
            document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
        }"""
    )
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Pasted picture, 64 × 48 px")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_draw_text_that_can_be_read(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, color_scheme=scheme)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    settled(opened, address)
    brightness = """e => {
        const [r, g, b] = getComputedStyle(e).color.match(/[\\d.]+/g).map(Number);
        return (r + g + b) / 3;
    }"""
    for selector in ("h2", ".scores button", ".compare"):
        shade = opened.locator(selector).first.evaluate(brightness)
        assert shade < 90 if scheme == "light" else shade > 170, f"{selector} in {scheme}: {shade}"
    context.close()
