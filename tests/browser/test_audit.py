"""The Audit page in a real browser: from uploaded pictures to the groups, the gallery and another page."""

import re
import zipfile
from pathlib import Path

import pytest
from labelled import make_folder
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_pictures_are_uploaded_audited_filtered_and_looked_at(bare_address: str, page: Page, tmp_path: Path) -> None:
    pictures = make_folder(tmp_path / "pictures", {"cat": 30, "dog": 30})
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for file in sorted(pictures.rglob("*.png")):
            archive.write(file, file.relative_to(pictures).as_posix())
    page.goto(f"{bare_address}/audit?model=cats_vs_dogs")

    page.locator("input[type=file]").set_input_files(tmp_path / "pictures.zip")
    expect(page.get_by_text("60 uploaded pictures")).to_be_visible()
    page.get_by_role("button", name="Audit these pictures").click()
    expect(page.get_by_role("heading", name="How good is it?")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("heading", name=re.compile("cats_vs_dogs is right on .* of 60 pictures"))).to_be_visible()

    gallery = page.get_by_role("group", name="Pictures; press one to select it")
    expect(gallery.get_by_role("button")).to_have_count(40)
    page.get_by_role("button", name="Next").first.click()
    expect(gallery.get_by_role("button")).to_have_count(20)
    assert "page=2" in page.url

    page.get_by_role("button", name="Add to report").first.click()
    expect(page.get_by_text("Added. The report has 1 entry.")).to_be_visible(timeout=30_000)

    tile = gallery.get_by_role("button").nth(1)
    tile.click()
    expect(tile).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Inspect").click()
    expect(page.get_by_role("heading", name=re.compile("^cats_vs_dogs "))).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile(r"\.png, 48 × 40 px|\.png, 40 × 48 px"))).to_be_visible()
    assert "/audit" not in page.url
