"""The pages of the app one after the other, as the README shows them: a GIF from a real browser.

    python benchmarks/film.py [--out docs/pages.gif]

A server of the app is started with a home of its own, so that the bundled network is looked at, each page is opened and
photographed when nothing on it is at work any more, and the pictures become a GIF of at most MOST bytes.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from data import ROOT
from load import server
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ADDRESSES = (
    "?model=cats_vs_dogs",
    "compare?model=cats_vs_dogs&methods=cam,gradcam,layercam,eigencam,hirescam,centre",
    "trust?model=cats_vs_dogs",
    "activations?model=cats_vs_dogs",
    "cats_vs_dogs",
    "decision?model=cats_vs_dogs",
)
SIZE, SHOWN = (1280, 800), (880, 550)
SECONDS = 3.4
"""Each page is shown so long: twenty seconds in all."""
MOST = 600_000
COLOURS = (128, 96, 64, 48, 32)
"""Numbers of colours to try, until the file is small enough."""
PATIENCE = 240_000
AT_WORK = (
    "[data-testid=stStatusWidgetRunningIcon], [data-testid=stProgress], [data-testid=stSkeleton], "
    ".cam-verdict > span:only-child"  # a verdict that is being made
)
QUIET = 5
"""A page is done when nothing is at work at so many looks, each half a second after the one before."""


def photograph(page: Page, address: str) -> Image.Image:
    """A page once it is done."""
    page.goto(address, timeout=PATIENCE)
    page.wait_for_selector("[data-testid=stHeading]", timeout=PATIENCE)
    looks = 0
    while looks < QUIET:
        page.wait_for_timeout(500)
        looks = 0 if page.query_selector(AT_WORK) else looks + 1
    print(f"{address} is drawn")
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        return shot.convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)


def film(shots: list[Image.Image]) -> bytes:
    """The pictures as a GIF without end, in as many colours as MOST bytes allow."""
    made = b""
    for colours in COLOURS:
        frames = [one.quantize(colours, dither=Image.Dither.NONE) for one in shots]
        file = io.BytesIO()
        frames[0].save(
            file, "GIF", save_all=True, append_images=frames[1:], duration=round(1000 * SECONDS), loop=0, optimize=True
        )
        made = file.getvalue()
        if len(made) <= MOST:
            return made
    raise SystemExit(f"{len(made):,} bytes with {COLOURS[-1]} colours, more than {MOST:,}: show fewer pages")


def main() -> None:
    """Make the film."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pages.gif")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, server(Path(home)) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        shots = [photograph(page, f"{url}/{address}") for address in ADDRESSES]
        browser.close()
    given.out.write_bytes(film(shots))
    print(f"{given.out}: {len(shots)} pages, {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
