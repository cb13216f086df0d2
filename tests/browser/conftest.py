"""Servers and a Chromium for the browser tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from shared_data import shared

expect.set_options(timeout=30_000)  # a machine may be busy

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., str]]:
    """Starts servers with the environment variables given; each call returns the address of a fresh one."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
        server = subprocess.Popen(
            [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        servers.append(server)
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                return url
            except OSError:
                assert server.poll() is None, "the server did not start"
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.1)

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait(30)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """A fresh server with the ImageNet weights: the first page that a module asks for meets it cold."""
    return serve(CAMCORE_WEIGHTS=str(shared("weights")))


@pytest.fixture(scope="module")
def bare_address(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fresh server on a machine that has the bundled network and nothing else."""
    home = str(tmp_path_factory.mktemp("home"))
    return serve(CAMCORE_HOME=home, CAMCORE_WEIGHTS=home, KERAS_HOME=home, CAMCORE_CACHE=home)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium on this machine"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.set_default_timeout(30_000)
    yield opened
    context.close()
    assert faults == [], "the page's scripts failed"
