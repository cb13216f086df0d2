"""A room of visitors: how long each waits for an answer beside being alone, in real browsers on one server.

    python benchmarks/load.py [--model MobileNetV2] [--rounds 3]

Eight visitors at once: four on Inspect, each pressing one class after another (a Grad-CAM each); two on Compare, who
open links to other photographs; one whose Score-CAM runs; one whose audit of 300 pictures runs. A wait ends when the
browser shows the map. Beforehand each kind is timed alone, on the same server, with the network loaded. The browsers
share the machine with the server, so that a wait here is longer than on a server of its own: the processor's seconds
that either took are told, and clients.py has the same room without browsers. Then the visitor with the Score-CAM closes
the tab, and the time until the machine is idle is told.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
from data import ROOT, SHARED, table
from playwright.async_api import Browser, Locator, Page, TimeoutError, async_playwright

SAMPLES = ("chelsea", "astronaut", "coffee", "rocket", "motorcycle")
PICTURES = 300
IDLE = 0.2
"""Share of one core below which the server is idle."""
PATIENCE = 180_000

Waits = dict[str, list[float]]


@contextmanager
def server(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server of the app with a home of its own; its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env={**os.environ, "CAMCORE_HOME": str(home), "CAMCORE_CACHE": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.1)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


class Room:
    """The visitors of one server; each is a browser context of its own."""

    def __init__(self, browser: Browser, url: str, model: str) -> None:
        self.browser, self.url, self.model = browser, url, model
        self.errors: list[str] = []

    async def visitor(self) -> Page:
        """A new visitor; what a page of theirs reports as an error is kept."""
        context = await self.browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    async def seconds(self, page: Page, do: Awaitable[object], shown: Callable[[], Awaitable[object]]) -> float:
        """From doing something until what is awaited is shown."""
        began = time.perf_counter()
        await do
        try:
            await shown()
        except TimeoutError as error:
            heading = await page.locator("h2").first.inner_text()
            self.errors.append(f"{page.url}, “{heading}”: {error.message.splitlines()[-1].strip()}")
            return float("nan")
        if await page.locator("[data-testid=stException]").count():
            self.errors.append(await page.locator("[data-testid=stException]").first.inner_text())
        return time.perf_counter() - began

    async def open(self, page: Page, path: str, shown: Locator) -> float:
        """Seconds from the address to what it shows."""
        return await self.seconds(page, page.goto(f"{self.url}/{path}"), shown.wait_for)

    async def inspect(self, page: Page, sample: str, rounds: int, waits: Waits) -> None:
        """Open a photograph, then press the classes of the list, one after another."""
        overlay = page.locator(".overlay[src]")
        path = f"?model={self.model}&sample={sample}"
        waits["Inspect, a link"].append(await self.open(page, path, overlay))
        bars = page.locator(".scores button")
        await bars.nth(4).wait_for()
        for turn in range(rounds):
            bar = bars.nth(1 + turn % 4)
            explained = page.locator(".st-key-cam_caption", has_text=await bar.get_attribute("title"))
            waits["Inspect, a class: its Grad-CAM"].append(await self.seconds(page, bar.click(), explained.wait_for))

    async def compare(self, page: Page, samples: list[str], waits: Waits) -> None:
        """Open links to two methods on these photographs."""
        for sample in samples:
            path = f"compare?model={self.model}&sample={sample}&methods=gradcam,layercam"
            second = page.locator(".st-key-maps .frame[data-empty='0']").nth(1)
            waits["Compare, a link to two methods"].append(await self.open(page, path, second))

    async def start_score_cam(self, page: Page, sample: str) -> None:
        """Press Run on Inspect."""
        await page.goto(f"{self.url}/?model={self.model}&method=scorecam&sample={sample}")
        await page.get_by_role("button", name="Run Score-CAM").click()

    async def score_cam(self, page: Page, waits: Waits) -> None:
        """Run a Score-CAM to its end."""
        done = page.locator(".st-key-cam_caption", has_text="Score-CAM")
        waits["Inspect, a Score-CAM"].append(
            await self.seconds(page, self.start_score_cam(page, "coffee"), done.wait_for)
        )

    async def audit(self, page: Page, folder: Path, waits: Waits) -> None:
        """Audit a folder to its end."""

        async def press() -> None:
            await page.goto(f"{self.url}/audit?model={self.model}&pictures={folder}")
            await page.get_by_role("button", name="Audit these pictures").click()

        end = page.get_by_role("heading", name="Does it look at the right thing?")
        waits[f"Audit of {PICTURES} pictures"].append(await self.seconds(page, press(), end.wait_for))


def fill(folder: Path, places: slice) -> None:
    """Some of the cats and dogs, without labels."""
    folder.mkdir()
    for place, row in enumerate(table("cats_dogs")[places]):
        (folder / f"{place}.jpg").symlink_to(SHARED / "cats_dogs" / row["file"])


def idle(process: psutil.Process, most: float = 60.0) -> float:
    """Seconds until the server's process rests."""
    began = time.perf_counter()
    while time.perf_counter() - began < most:
        before = time.perf_counter() - began
        if process.cpu_percent(0.5) < 100 * IDLE:
            return before
    return most


def spent(server: psutil.Process) -> tuple[float, float]:
    """Seconds of the processor that the server has taken so far, and the browsers."""
    seconds = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            used = process.cpu_times()
            seconds[process.pid] = used.user + used.system
    own = seconds.pop(server.pid, 0.0)
    return own, sum(seconds.values())


async def measure(model: str, rounds: int, home: Path) -> None:
    """Print the table."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    kinds = (
        "Inspect, a link",
        "Inspect, a class: its Grad-CAM",
        "Compare, a link to two methods",
        "Inspect, a Score-CAM",
        f"Audit of {PICTURES} pictures",
    )
    alone: Waits = {kind: [] for kind in kinds}
    together: Waits = {kind: [] for kind in kinds}
    with server(home / "home") as (url, process):
        async with async_playwright() as play:
            browser = await play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            room = Room(browser, url, model)
            first = await room.visitor()
            cold = await room.open(first, f"?model={model}&sample=coffee&class=1", first.locator(".overlay[src]"))
            for sample in SAMPLES[:2]:
                await room.inspect(await room.visitor(), sample, rounds, alone)
            await room.compare(await room.visitor(), ["chelsea", "rocket"], alone)
            await room.score_cam(first, alone)
            fill(home / "alone", slice(0, PICTURES))
            await room.audit(first, home / "alone", alone)
            await first.context.close()

            fill(home / "together", slice(PICTURES, 2 * PICTURES))
            pages = [await room.visitor() for _ in range(8)]
            before, began = spent(process), time.perf_counter()
            await room.start_score_cam(pages[0], "rocket")
            auditing = asyncio.create_task(room.audit(pages[1], home / "together", together))
            visits = [
                room.inspect(page, sample, rounds, together)
                for page, sample in zip(pages[2:6], SAMPLES[1:], strict=True)
            ]
            visits += [room.compare(pages[6], ["coffee", "motorcycle"], together)]
            visits += [room.compare(pages[7], ["astronaut", "rocket"], together)]
            await asyncio.gather(*visits)
            seconds = time.perf_counter() - began
            computed = [now - then for now, then in zip(spent(process), before, strict=True)]
            await auditing
            await pages[0].locator(".st-key-cam_caption", has_text="Score-CAM").wait_for()
            memory = process.memory_info().rss

            leaving = await room.visitor()
            await room.start_score_cam(leaving, "astronaut")
            await leaving.locator(".st-key-cam_status .stProgress").wait_for()
            await asyncio.sleep(2)
            await leaving.context.close()
            rest = await asyncio.to_thread(idle, process)
            await browser.close()
    print(f"{model}: the first map of a cold server after {cold:.1f} s; {memory / 1e9:.2f} GB of memory at the end")
    print(f"{'':34}{'alone':>10}{'8 at once':>12}{'longest':>10}   seconds, medians")
    for kind in kinds:
        a, b = alone[kind], together[kind]
        b_text = f"{np.nanmedian(b):12.1f}{np.nanmax(b):10.1f}" if b else f"{'–':>12}{'–':>10}"
        print(f"{kind:34}{np.nanmedian(a):10.1f}{b_text}")
    print(
        f"while the six pressed and opened, {seconds:.0f} s on {os.cpu_count()} cores, the server computed for "
        f"{computed[0]:.0f} s and the browsers for {computed[1]:.0f} s"
    )
    print(f"a tab with a Score-CAM under way was closed: the server rests after {rest:.1f} s")
    print(f"errors: {room.errors or 'none'}")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2", help="a network of the catalogue")
    parser.add_argument("--rounds", type=int, default=3, help="classes that each visitor of Inspect presses")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(measure(arguments.model, arguments.rounds, Path(home)))


if __name__ == "__main__":
    main()
